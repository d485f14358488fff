//! A vendor's own next cursor, whichever way it says that there is none.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, Visitor};

use crate::Failure;

/// Where a vendor's list goes on. Vendors tell the end in several ways: the member is absent, `null`, `false` or an empty
/// text, and each of them is the end here. A list that followed an empty text would begin again and never end.
///
/// Read it with [`Rest::get`](crate::Rest::get), or as a member of a struct with `#[serde(default)]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token(Option<String>);

impl Token {
    /// The cursor as it is sent back; `None` at the end.
    #[must_use]
    pub fn text(self) -> Option<String> {
        self.0
    }

    /// As [`Token::text`], without giving it away.
    #[must_use]
    pub fn as_deref(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The cursor of a vendor that counts; `None` at the end.
    ///
    /// # Errors
    /// [`FailureKind::UpstreamChanged`](crate::FailureKind::UpstreamChanged) for a text that is not a whole number.
    pub fn number(&self) -> Result<Option<i64>, Failure> {
        let number =
            |text: &String| text.parse().map_err(|_| Failure::upstream_changed("the next cursor is not a number"));
        self.0.as_ref().map(number).transpose()
    }

    /// For a vendor that also says whether there is more: what it says decides, and a cursor after the end is not followed.
    ///
    /// # Errors
    /// [`FailureKind::UpstreamChanged`](crate::FailureKind::UpstreamChanged) for a list that goes on without saying where.
    pub fn if_more(self, has_more: bool) -> Result<Self, Failure> {
        match (has_more, self.0) {
            (false, _) => Ok(Self(None)),
            (true, Some(text)) => Ok(Self(Some(text))),
            (true, None) => Err(Failure::upstream_changed(
                "the list goes on without saying where: there is more, and the next cursor is empty",
            )),
        }
    }
}

impl From<Option<String>> for Token {
    fn from(text: Option<String>) -> Self {
        Self(text.filter(|text| !text.trim().is_empty()))
    }
}

impl From<String> for Token {
    fn from(text: String) -> Self {
        Some(text).into()
    }
}

impl<'de> Deserialize<'de> for Token {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Token;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a next cursor: a text, a number, or nothing at the end")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Token, E> {
        Ok(text.to_owned().into())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Token, E> {
        Ok(number.to_string().into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Token, E> {
        Ok(number.to_string().into())
    }

    fn visit_bool<E: Error>(self, more: bool) -> Result<Token, E> {
        match more {
            false => Ok(Token(None)),
            true => Err(E::custom("`true` is not a cursor")),
        }
    }

    fn visit_unit<E: Error>(self) -> Result<Token, E> {
        Ok(Token(None))
    }

    fn visit_none<E: Error>(self) -> Result<Token, E> {
        Ok(Token(None))
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<Token, D::Error> {
        Token::deserialize(from)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn read(json: &str) -> Result<Token, serde_json::Error> {
        serde_json::from_str(json)
    }

    #[test]
    fn every_way_to_say_that_there_is_no_more_is_the_end() {
        for json in ["null", r#""""#, r#"" ""#, "false"] {
            assert_eq!(read(json).unwrap().text(), None, "{json}");
        }
        assert_eq!(Token::from(Some(String::new())), Token::default());
    }

    #[test]
    fn a_cursor_is_a_text_or_a_number_and_nothing_else() {
        assert_eq!(read(r#""abc=""#).unwrap().text().as_deref(), Some("abc="));
        assert_eq!(read("0").unwrap().number().unwrap(), Some(0));
        assert_eq!(read(r#""17""#).unwrap().number().unwrap(), Some(17));
        assert!(read(r#""abc""#).unwrap().number().is_err());
        for json in ["true", "[]", "{}", "1.5"] {
            assert!(read(json).is_err(), "{json}");
        }
    }

    #[test]
    fn a_list_that_goes_on_without_saying_where_is_a_fault_and_not_an_end() {
        let kind = |token: Token| token.if_more(true).unwrap_err().kind;
        assert_eq!(kind(Token::default()), crate::FailureKind::UpstreamChanged);
        assert_eq!(kind(String::new().into()), crate::FailureKind::UpstreamChanged);
        assert_eq!(Token::from("t".to_owned()).if_more(true).unwrap().as_deref(), Some("t"));
        assert_eq!(Token::from("t".to_owned()).if_more(false).unwrap(), Token::default());
    }
}
