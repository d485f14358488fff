//! Codes that other systems give: our word for it, and the other's own text.

use std::fmt::{self, Debug};

use serde::de::{Deserialize, Deserializer, Error, Visitor};
use serde::ser::{Serialize, Serializer};

use super::Localized;
use crate::check::{Validate, Walk};
use crate::object::read_object;
use crate::text;

/// An open vocabulary: it has a word for "something else".
pub trait CodeSet: Copy + Eq + Debug + 'static {
    /// What is in no other code.
    const OTHER: Self;

    /// The code as it is written in JSON.
    fn as_str(self) -> &'static str;

    /// The variant of a code; none for a code that this release does not know.
    fn from_code(code: &str) -> Option<Self>;
}

/// A code of an open vocabulary with the source's own text. A code that this release does not know is read as `OTHER` and
/// its text is kept, so that a newer connector can serve an older gateway and nothing that a vendor said is lost.
#[derive(Clone, PartialEq, Eq)]
pub struct Coded<T> {
    /// Our word.
    pub code: T,
    /// The source's own text: `"3"`, `"试用期"`. Required when the code is `OTHER`.
    pub raw: Option<String>,
    /// For people, where the source gives one.
    pub label: Option<Localized>,
}

impl<T: CodeSet> Coded<T> {
    /// A code that needs no text of the source.
    #[must_use]
    pub fn new(code: T) -> Self {
        Self { code, raw: None, label: None }
    }

    /// A code that was chosen for a text of the source.
    #[must_use]
    pub fn with_raw(code: T, raw: impl Into<String>) -> Self {
        Self { code, raw: Some(raw.into()), label: None }
    }

    /// Chooses the code for a text of the source; the text is kept even if `choose` does not know it.
    #[must_use]
    pub fn from_raw(raw: &str, choose: impl FnOnce(&str) -> Option<T>) -> Self {
        Self::with_raw(choose(raw).unwrap_or(T::OTHER), raw)
    }

    /// Adds a label for people.
    #[must_use]
    pub fn labelled(mut self, label: Localized) -> Self {
        self.label = Some(label);
        self
    }
}

impl<T: CodeSet> From<T> for Coded<T> {
    fn from(code: T) -> Self {
        Self::new(code)
    }
}

impl<T: Debug> Debug for Coded<T> {
    // Without the raw text: in a few vocabularies it is about a person.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.code.fmt(f)
    }
}

/// What is written and read, whichever the vocabulary: there are sixty, and one reader serves them all.
#[derive(serde::Serialize)]
struct Shown<'a> {
    code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    raw: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<&'a Localized>,
}

struct Parts {
    code: CodeText,
    raw: Option<String>,
    label: Option<Localized>,
}

read_object!(Parts {
    code [required] [CodeText]
    raw [optional] [Option<String>]
    label [optional] [Option<Localized>]
});

struct CodeText(String);

impl<'de> Deserialize<'de> for CodeText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = CodeText;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a code as a JSON string")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<CodeText, E> {
                Ok(CodeText(text.to_owned()))
            }
        }
        deserializer.deserialize_str(Reader)
    }
}

impl<T: CodeSet> Serialize for Coded<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown { code: self.code.as_str(), raw: self.raw.as_deref(), label: self.label.as_ref() }.serialize(serializer)
    }
}

impl<'de, T: CodeSet> Deserialize<'de> for Coded<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { code, raw, label } = Parts::deserialize(deserializer)?;
        Ok(match T::from_code(&code.0) {
            Some(code) => Self { code, raw, label },
            // The source's own text is worth more than a word that we do not know.
            None => Self { code: T::OTHER, raw: raw.or(Some(code.0)), label },
        })
    }
}

#[cfg(feature = "gateway")]
impl<T: CodeSet + schemars::JsonSchema> schemars::JsonSchema for Coded<T> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("Coded{}", T::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "description": "A code with the source's own text. A code that is not known is read as OTHER and its text is kept.",
            "type": "object",
            "required": ["code"],
            "additionalProperties": false,
            "properties": {
                "code": generator.subschema_for::<T>(),
                "raw": { "type": "string", "description": "The source's own text; required when the code is OTHER." },
                "label": generator.subschema_for::<Localized>(),
            },
        })
    }
}

impl<T: CodeSet> Validate for Coded<T> {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        if self.code == T::OTHER && self.raw.as_deref().is_none_or(str::is_empty) {
            walk.defect_in(
                "raw",
                "missing_raw",
                text!(
                    "nothing; the code OTHER needs the source's own text here",
                    "缺少内容；代码为 OTHER 时此处需要来源的原文"
                ),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Coded;
    use crate::check::Walk;
    use crate::code::EmploymentStatus;

    type Status = Coded<EmploymentStatus>;

    #[test]
    fn an_unknown_code_becomes_other_and_keeps_its_text() {
        let status: Status = serde_json::from_str(r#"{"code":"GARDEN_LEAVE"}"#).unwrap();
        assert_eq!(status, Status::with_raw(EmploymentStatus::Other, "GARDEN_LEAVE"));
        let status: Status = serde_json::from_str(r#"{"code":"GARDEN_LEAVE","raw":"7"}"#).unwrap();
        assert_eq!(status.raw.as_deref(), Some("7"));
    }

    #[test]
    fn a_known_code_stays_with_its_raw_text() {
        let status = Status::from_raw("试用期", |raw| (raw == "试用期").then_some(EmploymentStatus::Probation));
        assert_eq!(serde_json::to_string(&status).unwrap(), r#"{"code":"PROBATION","raw":"试用期"}"#);
        let unknown = Status::from_raw("外星", |_| None);
        assert_eq!(unknown, Status::with_raw(EmploymentStatus::Other, "外星"));
    }

    #[test]
    fn other_without_the_text_of_the_source_is_a_defect() {
        assert_eq!(Walk::over(&Status::new(EmploymentStatus::Other))[0].path, "/raw");
        assert!(Walk::over(&Status::new(EmploymentStatus::Active)).is_empty());
        assert!(Walk::over(&Status::with_raw(EmploymentStatus::Other, "x")).is_empty());
    }
}
