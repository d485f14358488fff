//! Names and ids that both sides of the contract use: newtypes, so that a connection is never passed for a stream.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that is not one: what was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadName {
    /// What kind of name was wanted: `connection`.
    pub what: &'static str,
    /// What was given, cut to 80 characters.
    pub given: String,
}

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { given, what } = self;
        crate::text!(
            "`{given}` is not a valid {what} name: use 1 to 63 of a-z, 0-9, '-' and '_', beginning with a letter",
            "`{given}` 不是有效的名称（{what}）：请使用 1 到 63 个字符：a-z、0-9、'-' 与 '_'，以字母开头"
        )
        .fmt(f)
    }
}

impl std::error::Error for BadName {}

fn well_formed(text: &str) -> bool {
    text.len() <= 63
        && text.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-' || b == b'_')
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(std::sync::Arc<str>);

        impl $type {
            /// Checks and takes a name: 1 to 63 of `a-z`, `0-9`, `-`, `_`, beginning with a letter.
            ///
            /// # Errors
            /// [`BadName`] with what was given.
            pub fn new(text: &str) -> Result<Self, BadName> {
                if well_formed(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(BadName { what: $what, given: text.chars().take(80).collect() })
                }
            }

            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        #[cfg(feature = "gateway")]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", "pattern": "^[a-z][a-z0-9_-]{0,62}$" })
            }
        }

        // Checked when it is made.
        impl crate::check::Validate for $type {}

        impl FromStr for $type {
            type Err = BadName;
            fn from_str(text: &str) -> Result<Self, BadName> {
                Self::new(text)
            }
        }

        impl TryFrom<String> for $type {
            type Error = BadName;
            fn try_from(text: String) -> Result<Self, BadName> {
                Self::new(&text)
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0.to_string()
            }
        }
    };
}

name!(
    /// The tenant that owns the data. It is part of every key of the store.
    TenantId,
    "tenant"
);
name!(
    /// A plugin configured for one outside system: the key under `[connections]`.
    ConnectionName,
    "connection"
);
name!(
    /// A kind of record that a connection can pull: `employees`.
    StreamName,
    "stream"
);
name!(
    /// A named place for a secret.
    SlotName,
    "slot"
);

/// A record's own id: a UUIDv7, stable for life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecordId(pub uuid::Uuid);

#[cfg(feature = "gateway")]
impl schemars::JsonSchema for RecordId {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RecordId".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "string", "format": "uuid" })
    }
}

impl crate::check::Validate for RecordId {}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for RecordId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, uuid::Error> {
        text.parse().map(Self)
    }
}

/// One pull of a stream; also the order in which runs began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "gateway", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct RunId(pub i64);

impl crate::check::Validate for RunId {}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One recorded HTTP exchange: the page that it belongs to and its number within it. Written `812-0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId {
    /// The page's id in the store.
    pub page: i64,
    /// From 0, as the connector saw it.
    pub no: u32,
}

impl fmt::Display for ExchangeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.page, self.no)
    }
}

impl FromStr for ExchangeId {
    type Err = BadName;
    fn from_str(text: &str) -> Result<Self, BadName> {
        text.split_once('-')
            .and_then(|(page, no)| Some(Self { page: page.parse().ok()?, no: no.parse().ok()? }))
            .ok_or_else(|| BadName { what: "exchange", given: text.chars().take(80).collect() })
    }
}

impl Serialize for ExchangeId {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ExchangeId {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{ConnectionName, ExchangeId, RecordId};

    #[test]
    fn a_name_has_1_to_63_plain_characters() {
        for good in ["a", "staff-api_2", &"x".repeat(63)] {
            assert_eq!(ConnectionName::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "1a", "-a", "A", "a b", "a/b", "名", &"x".repeat(64)] {
            assert!(ConnectionName::new(bad).unwrap_err().to_string().contains("connection name"), "{bad}");
            assert!(serde_json::from_str::<ConnectionName>(&format!("\"{bad}\"")).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_was_given_is_cut_in_the_error() {
        assert_eq!(ConnectionName::new(&"X".repeat(1000)).unwrap_err().given.len(), 80);
    }

    #[test]
    fn ids_read_back_as_they_are_written() {
        let exchange = ExchangeId { page: 812, no: 3 };
        assert_eq!(exchange.to_string(), "812-3");
        assert_eq!("812-3".parse::<ExchangeId>().unwrap(), exchange);
        assert_eq!(serde_json::to_string(&exchange).unwrap(), "\"812-3\"");
        for bad in ["", "812", "812-", "a-1", "812--1"] {
            assert!(bad.parse::<ExchangeId>().is_err(), "{bad}");
        }
        let record = "018f3c1e-0000-7000-8000-000000000001";
        assert_eq!(record.parse::<RecordId>().unwrap().to_string(), record);
        assert!("7".parse::<RecordId>().is_err());
    }
}
