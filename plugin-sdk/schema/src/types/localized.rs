//! Text in several languages.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use crate::check::{BadValue, Validate};
use crate::{Text, text};

/// More languages than this in one text are a mistake.
pub const LANGUAGES_MAX: usize = 64;

fn expected() -> Text {
    text!(
        "expected a BCP 47 language tag as key: zh-CN, en, or und where the language is not known",
        "应为 BCP 47 语言标签作为键：zh-CN、en，语言未知时为 und"
    )
}

/// A text by language: `{"zh-CN": "算法", "en": "Algorithms"}`. `und` where the source does not say which language it is.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize)]
#[serde(transparent)]
pub struct Localized(BTreeMap<String, String>);

impl Localized {
    /// A text in one language.
    ///
    /// # Errors
    /// `bad_language` when `tag` is not a language tag.
    pub fn of(tag: &str, text: impl Into<String>) -> Result<Self, BadValue> {
        Self::default().with(tag, text)
    }

    /// A text whose language the source does not tell.
    #[must_use]
    pub fn und(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([("und".to_owned(), text.into())]))
    }

    /// A text in Chinese as written in mainland China.
    #[must_use]
    pub fn zh_cn(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([("zh-CN".to_owned(), text.into())]))
    }

    /// A text in English.
    #[must_use]
    pub fn en(text: impl Into<String>) -> Self {
        Self(BTreeMap::from([("en".to_owned(), text.into())]))
    }

    /// Adds a language, or replaces its text.
    ///
    /// # Errors
    /// `bad_language` when `tag` is not a language tag, or when there are more than [`LANGUAGES_MAX`] languages.
    pub fn with(mut self, tag: &str, text: impl Into<String>) -> Result<Self, BadValue> {
        if !is_language(tag) || self.0.len() >= LANGUAGES_MAX && !self.0.contains_key(tag) {
            return Err(BadValue::new("bad_language", expected()));
        }
        self.0.insert(tag.to_owned(), text.into());
        Ok(self)
    }

    /// The text for a tag exactly as it was given.
    #[must_use]
    pub fn get(&self, tag: &str) -> Option<&str> {
        self.0.get(tag).map(String::as_str)
    }

    /// The best text for a reader of `tag`: that tag, one of the same language, English, or any; none when there is no text.
    #[must_use]
    pub fn best(&self, tag: &str) -> Option<&str> {
        let language = |t: &str| t.split('-').next().unwrap_or_default().to_ascii_lowercase();
        let same = || self.0.iter().find(|(t, _)| language(t) == language(tag)).map(|(_, text)| text.as_str());
        self.get(tag).or_else(same).or_else(|| self.get("en")).or_else(|| self.0.values().next().map(String::as_str))
    }

    /// Tags with their texts, in the order of the tags.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(tag, text)| (tag.as_str(), text.as_str()))
    }
}

/// The form of a BCP 47 tag: a language of 2 to 3 letters, then subtags.
fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    (2..=3).contains(&language.len())
        && tag.len() <= 35
        && language.bytes().all(|b| b.is_ascii_alphabetic())
        && parts.all(|p| (1..=8).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric()))
}

struct Texts;

impl<'de> Visitor<'de> for Texts {
    type Value = Localized;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object of language tags to texts")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Localized, A::Error> {
        let mut texts = BTreeMap::new();
        while let Some(tag) = map.next_key::<String>()? {
            if !is_language(&tag) || texts.len() >= LANGUAGES_MAX {
                return Err(Error::custom(BadValue::new("bad_language", expected())));
            }
            match texts.entry(tag) {
                Entry::Vacant(free) => free.insert(map.next_value()?),
                Entry::Occupied(_) => {
                    return Err(Error::custom(BadValue::new(
                        "duplicate_field",
                        text!("a key that comes twice", "键重复出现"),
                    )));
                }
            };
        }
        Ok(Localized(texts))
    }
}

impl<'de> Deserialize<'de> for Localized {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Texts)
    }
}

#[cfg(feature = "gateway")]
impl schemars::JsonSchema for Localized {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Localized".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A text by BCP 47 language tag; und where the language is not known.",
            "type": "object",
            "maxProperties": LANGUAGES_MAX,
            "propertyNames": { "pattern": "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$" },
            "additionalProperties": { "type": "string" },
        })
    }
}

impl Validate for Localized {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{LANGUAGES_MAX, Localized};

    #[test]
    fn the_best_text_is_the_tag_then_its_language_then_english() {
        let text = Localized::zh_cn("算法").with("en", "Algorithms").unwrap();
        assert_eq!(text.best("zh-CN"), Some("算法"));
        assert_eq!(text.best("zh-TW"), Some("算法"));
        assert_eq!(text.best("fr"), Some("Algorithms"));
        assert_eq!(Localized::default().best("fr"), None);
    }

    #[test]
    fn a_key_that_is_no_language_or_comes_twice_is_refused() {
        for json in [r#"{"zh_cn":"a"}"#, r#"{"":"a"}"#, r#"{"Chinese":"a"}"#, r#"{"en":"a","en":"b"}"#, r#""text""#] {
            assert!(serde_json::from_str::<Localized>(json).is_err(), "{json}");
        }
        assert!(serde_json::from_str::<Localized>(r#"{"zh-Hans-CN":"a","en":"b","und":"c"}"#).is_ok());
    }

    #[test]
    fn the_number_of_languages_is_bounded() {
        let mut text = Localized::default();
        for n in 0..LANGUAGES_MAX {
            text = text.with(&format!("aa-{n:02}"), "x").unwrap();
        }
        let full = serde_json::to_string(&text).unwrap();
        assert!(serde_json::from_str::<Localized>(&full).is_ok());
        assert!(text.clone().with("aa-00", "again").is_ok());
        assert!(text.with("zz", "one more").is_err());
        assert!(serde_json::from_str::<Localized>(&full.replacen('{', r#"{"zz":"one more","#, 1)).is_err());
    }
}
