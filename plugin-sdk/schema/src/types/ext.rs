//! What a vendor has and the canonical schema has not, and why a field is absent.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;
use std::marker::PhantomData;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};

use super::{Decimal, Instant, LocalDate, Localized};
use crate::check::{BadValue, Validate, Walk};
use crate::object::note_field;
use crate::shape::{codes, shape};
use crate::text;

/// Custom fields of one record.
pub const EXT_FIELDS_MAX: usize = 1000;

codes! {
    /// What the text of a custom field is.
    pub closed enum ExtKind {
        Text "TEXT",
        Decimal "DECIMAL",
        Bool "BOOL",
        Date "DATE",
        Instant "INSTANT",
        Code "CODE",
        Json "JSON",
    }
}

shape! {
    /// One custom field. The value is always a text, and `kind` says how to read it.
    pub struct ExtField {
        /// How to read the value.
        pub kind: ExtKind,
        /// The value as a text: `12.50`, `true`, `2025-03-01`.
        pub value: String => SENSITIVE,
        /// For people.
        pub label: Option<Localized>,
        /// The vendor's own code of the field, as the roster's `sys05-contractType`.
        pub source_code: Option<String>,
    }
    rules ext_rules
}

impl ExtField {
    /// A text.
    #[must_use]
    pub fn text(value: impl Into<String>) -> Self {
        Self::new(ExtKind::Text, value.into())
    }

    /// A number.
    #[must_use]
    pub fn decimal(value: Decimal) -> Self {
        Self::new(ExtKind::Decimal, value.to_string())
    }

    /// Yes or no.
    #[must_use]
    pub fn bool(value: bool) -> Self {
        Self::new(ExtKind::Bool, value.to_string())
    }

    /// A day.
    #[must_use]
    pub fn date(value: LocalDate) -> Self {
        Self::new(ExtKind::Date, value.to_string())
    }

    /// A point in time.
    #[must_use]
    pub fn instant(value: Instant) -> Self {
        Self::new(ExtKind::Instant, value.to_string())
    }

    /// A code of the vendor's own vocabulary.
    #[must_use]
    pub fn code(value: impl Into<String>) -> Self {
        Self::new(ExtKind::Code, value.into())
    }

    /// A JSON text, for a value that is an object or a list.
    #[must_use]
    pub fn json(value: &serde_json::Value) -> Self {
        Self::new(ExtKind::Json, value.to_string())
    }
}

fn ext_rules(field: &ExtField, walk: &mut Walk<'_>) {
    let text = &field.value;
    let readable = match field.kind {
        ExtKind::Text | ExtKind::Code => true,
        ExtKind::Decimal => Decimal::parse(text).is_ok(),
        ExtKind::Bool => matches!(text.as_str(), "true" | "false"),
        ExtKind::Date => LocalDate::parse(text).is_ok(),
        ExtKind::Instant => Instant::parse(text).is_ok(),
        ExtKind::Json => serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok(),
    };
    if !readable {
        walk.defect_in(
            "value",
            "bad_ext_value",
            text!("a text that is not a {}; expected a text of its kind", "文本不是 {}；应为该类型的文本", field.kind),
        );
    }
}

/// Custom fields: namespace (the connector or the vendor), then key, then value.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[cfg_attr(feature = "gateway", derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub struct Ext(BTreeMap<String, BTreeMap<String, ExtField>>);

impl Ext {
    /// Adds or replaces a field.
    pub fn set(&mut self, namespace: impl Into<String>, key: impl Into<String>, field: ExtField) {
        self.0.entry(namespace.into()).or_default().insert(key.into(), field);
    }

    /// Adds a field to a new or given set.
    #[must_use]
    pub fn with(mut self, namespace: impl Into<String>, key: impl Into<String>, field: ExtField) -> Self {
        self.set(namespace, key, field);
        self
    }

    /// The field of a namespace and key.
    #[must_use]
    pub fn get(&self, namespace: &str, key: &str) -> Option<&ExtField> {
        self.0.get(namespace)?.get(key)
    }
}

impl Validate for Ext {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        if self.0.values().map(BTreeMap::len).sum::<usize>() > EXT_FIELDS_MAX {
            walk.defect(
                "too_many_ext",
                text!(
                    "more custom fields than {EXT_FIELDS_MAX}; leave out those that are not used",
                    "自定义字段超过 {EXT_FIELDS_MAX} 个；请省略不用的字段"
                ),
            );
        }
        if !self.0.iter().all(|(ns, fields)| is_key(ns) && fields.keys().all(|key| is_key(key))) {
            walk.defect(
                "bad_ext_key",
                text!(
                    "a namespace or key that is empty, over 128 bytes, or has control characters",
                    "命名空间或键为空、超过 128 字节或含有控制字符"
                ),
            );
        }
        self.0.validate(walk);
    }
}

fn is_key(key: &str) -> bool {
    (1..=128).contains(&key.len()) && !key.chars().any(char::is_control)
}

codes! {
    /// Why a field is absent. Four absences that must not look alike.
    pub closed enum FieldState {
        Unsupported "unsupported",
        NotPermitted "not_permitted",
        Masked "masked",
        Withheld "withheld",
    }
}

/// Why fields are absent: JSON Pointer into the body to reason.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[cfg_attr(feature = "gateway", derive(schemars::JsonSchema), schemars(inline))]
#[serde(transparent)]
pub struct FieldStates(BTreeMap<String, FieldState>);

impl FieldStates {
    /// Says why the field at `pointer` is absent.
    pub fn set(&mut self, pointer: impl Into<String>, state: FieldState) {
        self.0.insert(pointer.into(), state);
    }

    /// Why the field at `pointer` is absent.
    #[must_use]
    pub fn get(&self, pointer: &str) -> Option<FieldState> {
        self.0.get(pointer).copied()
    }

    /// Pointers with their reasons.
    pub fn iter(&self) -> impl Iterator<Item = (&str, FieldState)> {
        self.0.iter().map(|(pointer, state)| (pointer.as_str(), *state))
    }
}

impl Validate for FieldStates {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        if self.0.len() > EXT_FIELDS_MAX {
            walk.defect("too_many_states", text!("more entries than {EXT_FIELDS_MAX}", "条目超过 {EXT_FIELDS_MAX} 个"));
        }
        if self.0.keys().any(|pointer| !pointer.starts_with('/')) {
            walk.defect(
                "bad_pointer",
                text!(
                    "a key that is not a JSON Pointer; expected one that begins with a slash",
                    "键不是 JSON Pointer；应以斜杠开头"
                ),
            );
        }
    }
}

/// A map that refuses a key that comes twice, where a plain map would keep the last in silence.
struct Unique<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Unique<T> {
    type Value = BTreeMap<String, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = BTreeMap::new();
        while let Some(key) = map.next_key::<String>()? {
            match entries.entry(key) {
                Entry::Vacant(free) => {
                    let value = map.next_value().inspect_err(|_| note_field(free.key()))?;
                    free.insert(value)
                }
                Entry::Occupied(_) => {
                    return Err(Error::custom(BadValue::new(
                        "duplicate_field",
                        text!("a key that comes twice", "键重复出现"),
                    )));
                }
            };
        }
        Ok(entries)
    }
}

struct UniqueMap<T>(BTreeMap<String, T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for UniqueMap<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Unique(PhantomData)).map(Self)
    }
}

impl<'de> Deserialize<'de> for Ext {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let namespaces = UniqueMap::<UniqueMap<ExtField>>::deserialize(deserializer)?.0;
        Ok(Self(namespaces.into_iter().map(|(namespace, fields)| (namespace, fields.0)).collect()))
    }
}

impl<'de> Deserialize<'de> for FieldStates {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        UniqueMap::deserialize(deserializer).map(|map| Self(map.0))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{EXT_FIELDS_MAX, Ext, ExtField, ExtKind, FieldState, FieldStates};
    use crate::check::Walk;
    use crate::types::Decimal;

    #[test]
    fn a_custom_field_is_what_its_kind_says() {
        let codes = |field: ExtField| Walk::over(&field).len();
        assert_eq!(codes(ExtField::decimal(Decimal::from(5))), 0);
        assert_eq!(codes(ExtField::bool(true)), 0);
        assert_eq!(codes(ExtField::json(&serde_json::json!({"a": [1]}))), 0);
        for (kind, text) in [
            (ExtKind::Decimal, "1,5"),
            (ExtKind::Bool, "yes"),
            (ExtKind::Date, "2025-02-30"),
            (ExtKind::Instant, "noon"),
            (ExtKind::Json, "{"),
        ] {
            assert_eq!(codes(ExtField::new(kind, text.into())), 1, "{kind}");
        }
    }

    #[test]
    fn a_key_that_comes_twice_is_refused_in_both_levels() {
        let field = r#"{"kind":"TEXT","value":"x"}"#;
        assert!(serde_json::from_str::<Ext>(&format!(r#"{{"a":{{"k":{field},"l":{field}}}}}"#)).is_ok());
        assert!(serde_json::from_str::<Ext>(&format!(r#"{{"a":{{"k":{field},"k":{field}}}}}"#)).is_err());
        assert!(serde_json::from_str::<Ext>(r#"{"a":{},"a":{}}"#).is_err());
        assert!(serde_json::from_str::<FieldStates>(r#"{"/a":"masked","/a":"masked"}"#).is_err());
    }

    #[test]
    fn the_number_of_custom_fields_and_their_keys_are_bounded() {
        let mut ext = Ext::default();
        for n in 0..EXT_FIELDS_MAX {
            ext.set("vendor", n.to_string(), ExtField::text("x"));
        }
        assert!(Walk::over(&ext).is_empty());
        assert_eq!(Walk::over(&ext.with("vendor", "more", ExtField::text("x")))[0].code, "too_many_ext");
        assert_eq!(Walk::over(&Ext::default().with("", "k", ExtField::text("x")))[0].code, "bad_ext_key");
    }

    #[test]
    fn an_absence_has_a_pointer_and_a_reason() {
        let mut states = FieldStates::default();
        states.set("/person/birth_date", FieldState::NotPermitted);
        assert!(Walk::over(&states).is_empty());
        assert_eq!(states.get("/person/birth_date"), Some(FieldState::NotPermitted));
        states.set("person", FieldState::Masked);
        assert_eq!(Walk::over(&states)[0].code, "bad_pointer");
    }
}
