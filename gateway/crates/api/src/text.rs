//! Texts that people write in a body: said once how long they are and what is in them, for the reader and for the document.

use serde::{Deserialize, Deserializer};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

/// What is neither blank nor a control character, as in `char::is_whitespace` and `char::is_control`.
const SEEN: &str = r"[^\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]";
const OF_A_LINE: &str = r"[^\x00-\x1f\x7f-\x9f]";
const OF_PROSE: &str = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]";

fn fits(text: &str, chars_max: usize, may: impl Fn(char) -> bool) -> bool {
    text.chars().count() <= chars_max
        && text.chars().all(|c| may(c) || !c.is_control())
        && text.chars().any(|c| !c.is_whitespace() && !c.is_control())
}

fn schema(chars_max: usize, of: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(chars_max))
        .pattern(Some(format!("^{of}*{SEEN}{of}*$")))
        .into()
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $chars_max:literal, $of:expr, $may:expr, $expected:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub(crate) struct $name(pub(crate) String);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                if fits(&text, $chars_max, $may) {
                    return Ok(Self(text));
                }
                Err(serde::de::Error::custom(concat!("expected 1 to ", $chars_max, " characters, not only spaces, ", $expected)))
            }
        }

        impl $name {
            /// From a parameter; none where it is not such a text.
            #[allow(dead_code, reason = "few texts come as parameters")]
            pub(crate) fn of(text: String) -> Option<Self> {
                fits(&text, $chars_max, $may).then_some(Self(text))
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                schema($chars_max, $of)
            }
        }

        impl ToSchema for $name {}
    };
}

text! {
    /// A short line: what something is called.
    Label, 100, OF_A_LINE, |_| false, "without control characters"
}
text! {
    /// The client's own id of a record: at most 512 bytes, so that others can refer to it.
    OwnId, 128, OF_A_LINE, |_| false, "without control characters"
}
text! {
    /// A line: a name, an id, a word that another system uses.
    Line, 200, OF_A_LINE, |_| false, "without control characters"
}
text! {
    /// A text of several lines.
    Prose, 2000, OF_PROSE, |c| matches!(c, '\n' | '\r' | '\t'), "without control characters except line breaks and tabs"
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn line(text: &str) -> bool {
        serde_json::from_value::<Label>(text.into()).is_ok()
    }

    fn prose(text: &str) -> bool {
        serde_json::from_value::<Prose>(text.into()).is_ok()
    }

    #[test]
    fn a_text_has_a_length_and_something_to_see() {
        assert!(line(&"张".repeat(100)) && !line(&"张".repeat(101)));
        assert!(prose(&"张".repeat(2000)) && !prose(&"张".repeat(2001)));
        for good in ["a", "张三", " a "] {
            assert!(line(good) && prose(good), "{good:?}");
        }
        for bad in ["", " ", "\u{3000}", "\u{a0}", "a\0", "a\u{1b}", "a\u{9b}", "a\u{7f}"] {
            assert!(!line(bad) && !prose(bad), "{bad:?}");
        }
        assert!(!line("a\nb") && prose("a\nb") && prose("a\r\n\tb"));
        assert!(!prose("\n\t"));
    }
}
