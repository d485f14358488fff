//! Texts that people read, in English and Chinese.
//!
//! A [`Text`] has both forms from the moment it is made: [`text!`](crate::text!) takes both, and what is not language (a name,
//! a message of another program) says so with [`Text::verbatim`]. Errors hold texts and are passed on as before; who shows one
//! chooses the language there with [`Language::show`]. Anywhere else, and so in every log, a text displays in English.
//!
//! A connector is built without the feature `gateway`: it shows nothing to people, so of its texts only the English form is kept.

use std::fmt;

#[cfg(feature = "gateway")]
pub use shown::Language;

/// One text in both languages.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Text {
    english: Box<str>,
    #[cfg(feature = "gateway")]
    chinese: Box<str>,
}

impl Text {
    /// What is the same in both languages: a name, a value, a message of another program.
    pub fn verbatim(text: impl Into<String>) -> Self {
        let english: Box<str> = text.into().into();
        Self {
            #[cfg(feature = "gateway")]
            chinese: english.clone(),
            english,
        }
    }

    /// The English form: for logs, records and comparisons.
    #[must_use]
    pub fn english(&self) -> &str {
        &self.english
    }

    /// Does it say nothing?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.english.is_empty()
    }

    /// For [`text!`](crate::text!).
    #[cfg(not(feature = "gateway"))]
    #[doc(hidden)]
    pub fn of_english(english: String) -> Self {
        Self { english: english.into() }
    }
}

#[cfg(feature = "gateway")]
impl Text {
    /// The form in one language.
    #[must_use]
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.english,
            Language::Chinese => &self.chinese,
        }
    }

    /// What `render` writes with each language shown: for texts that are put together of others.
    pub fn rendered(render: impl Fn() -> String) -> Self {
        Self::of_forms(&render, &render)
    }

    /// From the two forms as they were kept.
    pub fn kept(english: impl Into<String>, chinese: impl Into<String>) -> Self {
        Self { english: english.into().into(), chinese: chinese.into().into() }
    }

    /// For [`text!`](crate::text!). Texts within a text are shown in the language of the form that they stand in.
    #[doc(hidden)]
    pub fn of_forms(english: impl FnOnce() -> String, chinese: impl FnOnce() -> String) -> Self {
        Self { english: Language::English.show(english).into(), chinese: Language::Chinese.show(chinese).into() }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        #[cfg(feature = "gateway")]
        return f.write_str(self.in_language(Language::shown()));
        #[cfg(not(feature = "gateway"))]
        f.write_str(&self.english)
    }
}

impl serde::Serialize for Text {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl fmt::Debug for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.english, f)
    }
}

/// A [`Text`](crate::Text) of two format strings, English and Chinese, with the same arguments: `text!("no {what}", "没有{what}")`.
#[cfg(feature = "gateway")]
#[macro_export]
macro_rules! text {
    ($english:literal, $chinese:literal $(, $($arguments:tt)*)?) => {
        $crate::Text::of_forms(
            || ::std::fmt::format(::std::format_args!($english $(, $($arguments)*)?)),
            || ::std::fmt::format(::std::format_args!($chinese $(, $($arguments)*)?)),
        )
    };
}

/// A [`Text`](crate::Text) of two format strings, English and Chinese, with the same arguments: `text!("no {what}", "没有{what}")`.
#[cfg(not(feature = "gateway"))]
#[macro_export]
macro_rules! text {
    ($english:literal, $chinese:literal $(, $($arguments:tt)*)?) => {
        $crate::Text::of_english(::std::fmt::format(::std::format_args!($english $(, $($arguments)*)?)))
    };
}

#[cfg(feature = "gateway")]
mod shown {
    use std::cell::Cell;

    thread_local! {
        /// The language in which texts display on this thread now.
        static SHOWN: Cell<Language> = const { Cell::new(Language::English) };
    }

    /// The languages that texts have.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
    pub enum Language {
        /// Where nothing else was asked for.
        #[default]
        English,
        /// Simplified.
        Chinese,
    }

    /// Puts the language back, also when what was shown panics.
    struct Before(Language);

    impl Drop for Before {
        fn drop(&mut self) {
            SHOWN.set(self.0);
        }
    }

    impl Language {
        /// Runs `render` with texts displayed in this language.
        pub fn show<T>(self, render: impl FnOnce() -> T) -> T {
            let _before = Before(SHOWN.replace(self));
            render()
        }

        /// The language in which texts display here and now.
        #[must_use]
        pub fn shown() -> Self {
            SHOWN.get()
        }

        /// What a header `Accept-Language` asks for: the first of the languages with the highest weight that texts have
        /// (RFC 9110, 12.5.4). Only the first 16 are looked at.
        #[must_use]
        pub fn accepted(header: &str) -> Self {
            let mut best = (0.0_f32, Self::default());
            for item in header.split(',').take(16) {
                let (tag, weight) = item.split_once(';').unwrap_or((item, "q=1"));
                let Some(language) = Self::of_tag(tag.trim()) else { continue };
                let weight = weight.trim().strip_prefix("q=").and_then(|q| q.trim().parse().ok()).unwrap_or(0.0_f32);
                if weight > best.0 {
                    best = (weight, language);
                }
            }
            best.1
        }

        /// What the environment of a terminal asks for: `LC_ALL`, else `LC_MESSAGES`, else `LANG`, as POSIX has it.
        pub fn of_environment(variable: impl Fn(&str) -> Option<String>) -> Self {
            let set = |name: &&str| variable(name).filter(|value| !value.is_empty());
            let locale = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set);
            locale.and_then(|locale| Self::of_tag(&locale)).unwrap_or_default()
        }

        /// Of a language tag (`zh-CN`) or the name of a locale (`zh_CN.UTF-8`).
        fn of_tag(tag: &str) -> Option<Self> {
            match tag.split(['-', '_', '.', '@']).next().unwrap_or_default().to_ascii_lowercase().as_str() {
                "zh" => Some(Self::Chinese),
                "en" => Some(Self::English),
                _ => None,
            }
        }

        /// The language tag: for `Content-Language`.
        #[must_use]
        pub fn tag(self) -> &'static str {
            match self {
                Self::English => "en",
                Self::Chinese => "zh-CN",
            }
        }
    }
}

#[cfg(all(test, feature = "gateway"))]
mod tests {
    use super::{Language, Text};

    #[test]
    fn a_text_within_a_text_is_in_the_language_of_the_form_that_it_stands_in() {
        let what = text!("field", "字段");
        let name = "/name";
        let whole = text!("the {what} {name} is missing ({n})", "缺少{what} {name}（{n}）", n = 1 + 1);
        assert_eq!(whole.english(), "the field /name is missing (2)");
        assert_eq!(whole.in_language(Language::Chinese), "缺少字段 /name（2）");
        let joined = Text::rendered(|| format!("{what}: {whole}"));
        assert_eq!(joined.in_language(Language::Chinese), "字段: 缺少字段 /name（2）");
    }

    #[test]
    fn a_text_displays_in_english_but_where_another_language_is_shown() {
        let text = text!("nothing", "没有");
        assert_eq!(text.to_string(), "nothing");
        assert_eq!(Language::Chinese.show(|| text.to_string()), "没有");
        // Made or logged while Chinese is shown, its English form is still English.
        let made = Language::Chinese.show(|| text!("in {text}", "在{text}中"));
        assert_eq!((made.english(), made.in_language(Language::Chinese)), ("in nothing", "在没有中"));
        let panicked = std::panic::catch_unwind(|| Language::Chinese.show(|| panic!("while it is shown")));
        assert!(panicked.is_err());
        assert_eq!(text.to_string(), "nothing", "the language is put back");
    }

    #[test]
    fn what_is_verbatim_is_the_same_in_both_languages() {
        let text = Text::verbatim("ENOENT");
        assert_eq!(text.english(), text.in_language(Language::Chinese));
    }

    #[test]
    fn the_heaviest_language_of_a_header_that_texts_have_is_taken() {
        for (header, language) in [
            ("zh-CN,zh;q=0.9,en;q=0.8", Language::Chinese),
            ("en-GB, zh;q=0.5", Language::English),
            ("fr, zh;q=0.2, en;q=0.1", Language::Chinese),
        ] {
            assert_eq!(Language::accepted(header), language, "{header}");
        }
        for other in ["", "*", "fr", "zh;q=0", "zh;q=NaN", ";;;,,,", "zh;q=abc"] {
            assert_eq!(Language::accepted(other), Language::English, "{other}");
        }
    }

    #[test]
    fn the_first_variable_of_the_environment_that_is_set_decides() {
        let of = |set: &[(&str, &str)]| {
            Language::of_environment(|name| {
                set.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
            })
        };
        for chinese in [&[("LANG", "zh_CN.UTF-8")][..], &[("LC_ALL", ""), ("LC_MESSAGES", "zh"), ("LANG", "C")]] {
            assert_eq!(of(chinese), Language::Chinese, "{chinese:?}");
        }
        for english in
            [&[][..], &[("LANG", "C.UTF-8")], &[("LC_ALL", "C"), ("LANG", "zh_CN.UTF-8")], &[("LANG", "de_DE")]]
        {
            assert_eq!(of(english), Language::English, "{english:?}");
        }
    }
}
