//! Values that the vendor writes in more than one way: a time as a number or as a text of one, nothing as an empty text.

use std::fmt;

use serde::de::{Deserializer, Error, Visitor};

struct Whole;

impl Visitor<'_> for Whole {
    type Value = Option<i64>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or one as text")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        i64::try_from(value).map(Some).map_err(|_| E::custom("a number that is too large"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| E::custom("a text that is not a whole number"))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A whole number, as number or text; `None` for an empty text or `null`.
pub(crate) fn whole<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    deserializer.deserialize_any(Whole)
}

struct Written;

impl Visitor<'_> for Written {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a whole number")
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(text.to_owned()))
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok(None)
    }
}

/// A text, or a whole number as a text; `None` for `null`.
pub(crate) fn written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    deserializer.deserialize_any(Written)
}

/// A text with something in it.
pub(crate) fn filled(text: Option<&String>) -> Option<&str> {
    text.map(|text| text.trim()).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    #[derive(serde::Deserialize)]
    struct Row {
        #[serde(default, deserialize_with = "super::whole")]
        at: Option<i64>,
    }

    #[test]
    fn a_time_is_read_as_number_and_as_text_and_nothing_is_nothing() {
        let at = |json: &str| serde_json::from_str::<Row>(json).map(|row| row.at);
        assert_eq!(at(r#"{"at":1618500278663}"#).unwrap(), Some(1_618_500_278_663));
        assert_eq!(at(r#"{"at":"1618500278663"}"#).unwrap(), Some(1_618_500_278_663));
        for none in ["{}", r#"{"at":""}"#, r#"{"at":null}"#] {
            assert_eq!(at(none).unwrap(), None, "{none}");
        }
        for bad in [r#"{"at":"yesterday"}"#, r#"{"at":1.5}"#, r#"{"at":[]}"#] {
            assert!(at(bad).is_err(), "{bad}");
        }
    }
}
