//! Values that are JSON strings: read from the text without taking a copy of it.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserializer, Error, Visitor};

use crate::check::BadValue;

struct Text<F, T>(&'static str, F, PhantomData<T>);

impl<F: FnOnce(&str) -> Result<T, BadValue>, T> Visitor<'_> for Text<F, T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        (self.1)(text).map_err(E::custom)
    }
}

/// Reads a JSON string through `parse`; `expected` is for the error when it is not a string.
pub(crate) fn read<'de, D: Deserializer<'de>, T>(
    deserializer: D,
    expected: &'static str,
    parse: impl FnOnce(&str) -> Result<T, BadValue>,
) -> Result<T, D::Error> {
    deserializer.deserialize_str(Text(expected, parse, PhantomData))
}

/// Serde, JSON Schema, Display and FromStr of a type that is written as one JSON string: it has `parse` and `Display`.
macro_rules! string_type {
    ($name:ident, $expected:literal, { $($schema:tt)* }) => {
        impl std::str::FromStr for $name {
            type Err = $crate::check::BadValue;
            fn from_str(text: &str) -> Result<Self, Self::Err> {
                Self::parse(text)
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::json_string::read(deserializer, $expected, Self::parse)
            }
        }

        #[cfg(feature = "gateway")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "type": "string", $($schema)* })
            }
        }

        impl $crate::check::Validate for $name {}
    };
}
pub(crate) use string_type;
