//! How a shape is read: from a JSON object whose fields are all known, each at most once. Here stands what does not depend on the
//! shape, once; derived code would repeat it for each of a hundred shapes, and again for a reader that keeps the path of an error.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

#[cfg(feature = "gateway")]
pub(crate) use crate::trail::note_field;
#[cfg(feature = "gateway")]
use crate::trail::note_index;

/// Only the gateway tells people where reading stopped.
#[cfg(not(feature = "gateway"))]
pub(crate) fn note_field(_: &str) {}
#[cfg(not(feature = "gateway"))]
fn note_index(_: usize) {}

/// The names of a shape's fields while its object is read.
pub(crate) struct FieldNames {
    names: &'static [&'static str],
    /// A bit for each field that was there.
    seen: u64,
    /// Where the next one probably stands: canonical bytes have their fields in the order of the shape.
    next: usize,
}

impl FieldNames {
    pub(crate) const fn of(names: &'static [&'static str]) -> Self {
        assert!(names.len() <= 64, "a shape has at most 64 fields");
        Self { names, seen: 0, next: 0 }
    }

    /// The position of the next field in the object; none at its end.
    pub(crate) fn next<'de, A: MapAccess<'de>>(&mut self, map: &mut A) -> Result<Option<usize>, A::Error> {
        map.next_key_seed(self)
    }

    fn position(&self, name: &str) -> Option<usize> {
        let (before, behind) = self.names.split_at(self.next.min(self.names.len()));
        let is = |known: &&str| *known == name;
        behind.iter().position(is).map(|at| at + before.len()).or_else(|| before.iter().position(is))
    }
}

impl<'de> DeserializeSeed<'de> for &mut FieldNames {
    type Value = usize;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<usize, D::Error> {
        deserializer.deserialize_identifier(self)
    }
}

impl Visitor<'_> for &mut FieldNames {
    type Value = usize;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("field identifier")
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<usize, E> {
        let Some(at) = self.position(name) else {
            note_field(name);
            return Err(E::unknown_field(name, self.names));
        };
        if self.seen & (1 << at) != 0 {
            note_field(name);
            return Err(E::duplicate_field(self.names[at]));
        }
        self.seen |= 1 << at;
        self.next = at + 1;
        Ok(at)
    }
}

/// The value of a field.
pub(crate) fn value<'de, A: MapAccess<'de>, T: Deserialize<'de>>(map: &mut A, name: &str) -> Result<T, A::Error> {
    match map.next_value() {
        Err(error) => {
            note_field(name);
            Err(error)
        }
        read => read,
    }
}

/// The value of a field that is a list.
pub(crate) fn list<'de, A: MapAccess<'de>, T: Deserialize<'de>>(map: &mut A, name: &str) -> Result<Vec<T>, A::Error> {
    match map.next_value_seed(Items(PhantomData)) {
        Err(error) => {
            note_field(name);
            Err(error)
        }
        read => read,
    }
}

/// A field that must be there.
pub(crate) fn required<T, E: Error>(found: Option<T>, name: &'static str) -> Result<T, E> {
    found.ok_or_else(|| E::missing_field(name))
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> DeserializeSeed<'de> for Items<T> {
    type Value = Vec<T>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<T>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = Vec<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<T>, A::Error> {
        let mut items = Vec::new();
        loop {
            match seq.next_element() {
                Ok(Some(item)) => items.push(item),
                Ok(None) => return Ok(items),
                Err(error) => {
                    note_index(items.len());
                    return Err(error);
                }
            }
        }
    }
}

/// `Deserialize` of a struct out of [`FieldNames`]: each field with whether it is `required`, `optional` or a `list`, and its type.
macro_rules! read_object {
    ($name:ident { $($field:ident [$presence:ident] [$item:ty])* }) => {
        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                #[allow(non_camel_case_types, clippy::upper_case_acronyms)]
                enum At { $($field),* }
                struct Reader;

                impl<'de> serde::de::Visitor<'de> for Reader {
                    type Value = $name;

                    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                        f.write_str(concat!("struct ", stringify!($name)))
                    }

                    fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<$name, A::Error> {
                        let mut names = $crate::object::FieldNames::of(NAMES);
                        $(let mut $field: $crate::object::read_object!(@slot $presence $item) = Default::default();)*
                        while let Some(at) = names.next(&mut map)? {
                            $(
                                if at == At::$field as usize {
                                    $field = $crate::object::read_object!(@take $presence map stringify!($field));
                                    continue;
                                }
                            )*
                        }
                        Ok($name { $($field: $crate::object::read_object!(@give $presence $field stringify!($field)),)* })
                    }
                }

                const NAMES: &[&str] = &[$(stringify!($field)),*];
                deserializer.deserialize_map(Reader)
            }
        }
    };
    (@slot required $item:ty) => { Option<$item> };
    (@slot $presence:ident $item:ty) => { $item };
    (@take required $map:ident $name:expr) => { Some($crate::object::value(&mut $map, $name)?) };
    (@take optional $map:ident $name:expr) => { $crate::object::value(&mut $map, $name)? };
    (@take list $map:ident $name:expr) => { $crate::object::list(&mut $map, $name)? };
    (@give required $slot:ident $name:expr) => { $crate::object::required($slot, $name)? };
    (@give $presence:ident $slot:ident $name:expr) => { $slot };
}

pub(crate) use read_object;
