//! How a canonical shape is written down. One macro, so that no shape can forget what all of them promise: unknown fields
//! are refused, an absent field is not written, every field may carry a sensitivity class, Debug hides what is personal, and
//! validation reaches every field.
//!
//! Inside the macro stands a plain struct. `Option<T>` and `Vec<T>` fields may be absent; every other field is required and
//! becomes a parameter of `new`. `=> PERSONAL` behind a type gives the field and all below it that class; without one the
//! class is INTERNAL. `#[keyword("maximum", 10_000)]` before a field adds a keyword to its JSON Schema. `rules path::to::function`
//! behind the struct names a `fn(&Self, &mut Walk)` for what no single field can know.
//!
//! There are a hundred shapes, and connectors are built with all of them: what a shape expands to is kept small, and what does not
//! depend on its type stands in `object` and `json_schema` once.

/// Stands in a Debug output where a personal value would.
pub(crate) struct Hidden;

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("[redacted]")
    }
}

macro_rules! shape {
    ($(#[doc = $doc:literal])* pub struct $name:ident { $($body:tt)* } $(rules $rules:expr)?) => {
        $crate::shape::shape!(@field [$($doc)*] $name [$($rules)?] [] []; $($body)*);
    };

    // One field a step: what may be absent is told by its type.
    (@field $about:tt $name:ident $rules:tt $required:tt [$($done:tt)*];
        $(#[doc = $doc:literal])* $(#[keyword($key:literal, $value:expr)])*
        pub $field:ident: Option<$item:ty> $(=> $class:ident)?, $($rest:tt)*) => {
        $crate::shape::shape!(@field $about $name $rules $required [$($done)* {
            [$($doc)*] [$($key, $value;)*] [#[serde(skip_serializing_if = "Option::is_none")]]
            $field [optional] [$item] [Option<$item>] [None] [$($class)?]
        }]; $($rest)*);
    };
    (@field $about:tt $name:ident $rules:tt $required:tt [$($done:tt)*];
        $(#[doc = $doc:literal])* $(#[keyword($key:literal, $value:expr)])*
        pub $field:ident: Vec<$item:ty> $(=> $class:ident)?, $($rest:tt)*) => {
        $crate::shape::shape!(@field $about $name $rules $required [$($done)* {
            [$($doc)*] [$($key, $value;)*] [#[serde(skip_serializing_if = "Vec::is_empty")]]
            $field [list] [$item] [Vec<$item>] [Vec::new()] [$($class)?]
        }]; $($rest)*);
    };
    (@field $about:tt $name:ident $rules:tt [$($required:tt)*] [$($done:tt)*];
        $(#[doc = $doc:literal])* $(#[keyword($key:literal, $value:expr)])*
        pub $field:ident: $item:ty $(=> $class:ident)?, $($rest:tt)*) => {
        $crate::shape::shape!(@field $about $name $rules [$($required)* { $field [$item] }] [$($done)* {
            [$($doc)*] [$($key, $value;)*] []
            $field [required] [$item] [$item] [$field] [$($class)?]
        }]; $($rest)*);
    };

    (@field [$($about:literal)*] $name:ident [$($rules:expr)?]
        [$({ $needed:ident [$needed_type:ty] })*]
        [$({
            [$($doc:literal)*] [$($key:literal, $value:expr;)*] [$(#[$attribute:meta])*]
            $field:ident [$presence:ident] [$inner:ty] [$item:ty] [$initial:expr] [$($class:ident)?]
        })*];) => {
        $(#[doc = $about])*
        #[derive(Clone, PartialEq, serde::Serialize)]
        pub struct $name {
            $($(#[doc = $doc])* $(#[$attribute])* pub $field: $item,)*
        }

        impl $name {
            /// Takes what is required and leaves all else absent.
            #[must_use]
            #[allow(clippy::new_without_default, clippy::too_many_arguments)]
            pub fn new($($needed: $needed_type),*) -> Self {
                Self { $($field: $initial),* }
            }
        }

        $crate::object::read_object!($name { $($field [$presence] [$item])* });

        #[cfg(feature = "gateway")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                const FIELDS: &[$crate::json_schema::Field] = &[$($crate::json_schema::Field {
                    name: stringify!($field),
                    about: &[$($doc),*],
                    presence: $crate::shape::shape!(@presence $presence),
                    class: $crate::shape::shape!(@class $($class)?),
                    keywords: &[$(($key, || serde_json::json!($value))),*],
                    schema: schemars::SchemaGenerator::subschema_for::<$inner>,
                }),*];
                $crate::json_schema::object(&[$($about),*], FIELDS, generator)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($name))
                    $(.field(stringify!($field), $crate::shape::shape!(@debug [$($class)?] &self.$field)))*
                    .finish()
            }
        }

        impl $crate::check::Validate for $name {
            fn validate<'v>(&'v self, walk: &mut $crate::check::Walk<'v>) {
                $(walk.field(stringify!($field), &self.$field);)*
                $(($rules)(self, walk);)?
            }
        }
    };

    (@presence required) => { $crate::json_schema::Presence::Required };
    (@presence optional) => { $crate::json_schema::Presence::Optional };
    (@presence list) => { $crate::json_schema::Presence::List };
    (@class) => { None };
    (@class $class:ident) => { Some(stringify!($class)) };
    (@debug [] $value:expr) => { $value };
    (@debug [PUBLIC] $value:expr) => { $value };
    (@debug [INTERNAL] $value:expr) => { $value };
    (@debug [$class:ident] $value:expr) => { &$crate::shape::Hidden };
}

/// A shape that is an entity: it has a kind, and the parts that every entity may carry.
macro_rules! entity {
    ($(#[doc = $doc:literal])* pub struct $name:ident { $($body:tt)* } $(rules $rules:expr)?) => {
        $crate::shape::shape! {
            $(#[doc = $doc])*
            pub struct $name {
                $($body)*
                /// Further ids of this record in other systems. The id that the connector pulled it under is in the envelope.
                pub external_ids: Vec<$crate::types::ExternalId>,
                /// Custom fields: namespace, then key, then a typed value.
                pub ext: Option<$crate::types::Ext>,
                /// Why a field is absent: JSON Pointer into this body to reason.
                pub field_state: Option<$crate::types::FieldStates>,
                /// Purpose, legal basis and retention that travel with the record.
                pub data_policy: Option<$crate::types::DataPolicy>,
            }
            $(rules $rules)?
        }

        impl $crate::kind::Entity for $name {
            const KIND: $crate::kind::EntityKind = $crate::kind::EntityKind::$name;
        }
    };
}

/// A vocabulary: an enum with its wire texts. `open` adds `Other`, for use in [`crate::types::Coded`]; a `closed` one refuses
/// what it does not know.
macro_rules! codes {
    ($(#[doc = $doc:literal])* pub open enum $name:ident { $($variant:ident $text:literal,)* }) => {
        $crate::shape::codes!(@define true [$($doc)*] $name { $($variant $text,)* Other "OTHER", });

        impl $crate::types::CodeSet for $name {
            const OTHER: Self = Self::Other;

            fn as_str(self) -> &'static str {
                self.as_str()
            }

            fn from_code(code: &str) -> Option<Self> {
                Self::from_code(code)
            }
        }
    };
    ($(#[doc = $doc:literal])* pub closed enum $name:ident { $($variant:ident $text:literal,)* }) => {
        $crate::shape::codes!(@define false [$($doc)*] $name { $($variant $text,)* });
    };
    (@define $open:literal [$($doc:literal)*] $name:ident { $($variant:ident $text:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $(#[doc = concat!("`", $text, "`")] $variant,)*
        }

        impl $name {
            /// Every code, in the order of the declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The code as it is written in JSON.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),* }
            }

            /// The variant of a code; none for a code that this release does not know.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($text => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                const CODES: &[&str] = &[$($text),*];
                $crate::json_string::read(deserializer, "a code", |code| {
                    Self::from_code(code).ok_or_else(|| $crate::check::BadValue::unknown_code(CODES))
                })
            }
        }

        #[cfg(feature = "gateway")]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({
                    "description": concat!($($doc,)* "").trim(),
                    "type": "string",
                    "enum": [$($text),*],
                    "x-open-codes": $open,
                })
            }
        }

        impl $crate::check::Validate for $name {}
    };
}

pub(crate) use {codes, entity, shape};
