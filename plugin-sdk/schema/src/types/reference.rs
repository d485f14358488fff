//! Ids in other systems, and references from one record to another.

use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer};
use serde::ser::{Serialize, Serializer};

use crate::alternate::{KeyScheme, keys_of};
use crate::check::{Validate, Walk};
use crate::id::{ConnectionName, RecordId};
use crate::kind::{Entity, EntityKind};
use crate::object::read_object;
use crate::shape::shape;
use crate::text;

/// Bytes of an external id: what a key of the store can hold.
pub const EXTERNAL_ID_BYTES_MAX: usize = 512;

shape! {
    /// An id of a record in another system.
    pub struct ExternalId {
        /// The connection whose system gave the id; absent: the connection that the record came from, or, among `external_ids`, one that is
        /// not known.
        pub connection: Option<ConnectionName>,
        /// The other system's own kind of object, where one kind of ours is several of theirs.
        pub object_type: Option<String>,
        /// The id, 1 to 512 bytes.
        #[keyword("minLength", 1)]
        #[keyword("maxLength", 512)]
        pub value: String,
        /// The scheme of the id, as HR-XML's schemeId.
        pub scheme: Option<String>,
        /// Who gives ids of this scheme.
        pub agency: Option<String>,
    }
    rules external_id_rules
}

impl ExternalId {
    /// An id in the system that the record comes from.
    #[must_use]
    pub fn of(value: impl Into<String>) -> Self {
        Self::new(value.into())
    }
}

fn external_id_rules(id: &ExternalId, walk: &mut Walk<'_>) {
    if id.value.is_empty() || id.value.len() > EXTERNAL_ID_BYTES_MAX {
        let found = text!(
            "an id of {} bytes; expected 1 to {EXTERNAL_ID_BYTES_MAX}",
            "编号为 {} 字节；应为 1 到 {EXTERNAL_ID_BYTES_MAX}",
            id.value.len()
        );
        walk.defect_in("value", "bad_external_id", found);
    }
}

shape! {
    /// A field that identifies records of one kind across systems: `employee_number`, `work_email`, `mobile`.
    pub struct AlternateKey {
        /// The key's scheme.
        pub scheme: String,
        /// Its value, 1 to 512 bytes.
        #[keyword("minLength", 1)]
        #[keyword("maxLength", 512)]
        pub value: String => PERSONAL,
        /// Only of records of this connection; absent: of any.
        pub connection: Option<ConnectionName>,
    }
}

impl AlternateKey {
    /// Of whichever connection's record.
    #[must_use]
    pub fn of(scheme: impl Into<String>, value: impl Into<String>) -> Self {
        Self::new(scheme.into(), value.into())
    }
}

/// A reference to a record of kind `E`, by our id, by an id of another system, or by an alternate key; the first of these that is
/// there counts. It may dangle until that record arrives: the order of arrival does not matter. A key that several records have
/// means none of them.
pub struct Ref<E> {
    /// The record's own id.
    pub id: Option<RecordId>,
    /// Its id in another system.
    pub external: Option<ExternalId>,
    /// An alternate key of it, where its kind has such.
    pub key: Option<AlternateKey>,
    kind: PhantomData<fn() -> E>,
}

/// What is written and read; the same for every target of a reference.
#[derive(serde::Serialize)]
struct Shown<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<&'a RecordId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external: Option<&'a ExternalId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    key: Option<&'a AlternateKey>,
}

struct Parts {
    id: Option<RecordId>,
    external: Option<ExternalId>,
    key: Option<AlternateKey>,
}

read_object!(Parts {
    id [optional] [Option<RecordId>]
    external [optional] [Option<ExternalId>]
    key [optional] [Option<AlternateKey>]
});

impl<E> Serialize for Ref<E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Shown { id: self.id.as_ref(), external: self.external.as_ref(), key: self.key.as_ref() }.serialize(serializer)
    }
}

impl<'de, E> Deserialize<'de> for Ref<E> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Parts { id, external, key } = Parts::deserialize(deserializer)?;
        Ok(Self { id, external, key, kind: PhantomData })
    }
}

impl<E> Ref<E> {
    /// By the record's own id.
    #[must_use]
    pub fn to(id: RecordId) -> Self {
        Self { id: Some(id), external: None, key: None, kind: PhantomData }
    }

    /// By its id in the system that this record comes from.
    #[must_use]
    pub fn external(value: impl Into<String>) -> Self {
        Self::by(ExternalId::of(value))
    }

    /// By its id in any system.
    #[must_use]
    pub fn by(external: ExternalId) -> Self {
        Self { id: None, external: Some(external), key: None, kind: PhantomData }
    }

    /// By a key that its kind has.
    #[must_use]
    pub fn by_key(key: AlternateKey) -> Self {
        Self { id: None, external: None, key: Some(key), kind: PhantomData }
    }
}

// By hand, because a derive would ask the same of `E`.
impl<E> Clone for Ref<E> {
    fn clone(&self) -> Self {
        Self { id: self.id, external: self.external.clone(), key: self.key.clone(), kind: PhantomData }
    }
}

impl<E> PartialEq for Ref<E> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.external == other.external && self.key == other.key
    }
}

impl<E> std::fmt::Debug for Ref<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = f.debug_struct("Ref");
        shown.field("id", &self.id).field("external", &self.external);
        if let Some(key) = &self.key {
            shown.field("key", key);
        }
        shown.finish()
    }
}

#[cfg(feature = "gateway")]
impl<E: Entity> schemars::JsonSchema for Ref<E> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("RefTo{}", E::schema_name()).into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let mut schema = schemars::json_schema!({
            "description": "A reference by our id, by an id of another system, or both.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": false,
            "x-ref-entity": E::KIND.name(),
            "properties": {
                "id": generator.subschema_for::<RecordId>(),
                "external": generator.subschema_for::<ExternalId>(),
            },
        });
        if keys_of(E::KIND).next().is_some() {
            let key = generator.subschema_for::<AlternateKey>().to_value();
            let text = "A reference by our id, by an id of another system, or by an alternate key; the first that is there counts.";
            schema.insert("description".into(), text.into());
            if let Some(fields) = schema.get_mut("properties").and_then(|fields| fields.as_object_mut()) {
                fields.insert("key".into(), key);
            }
        }
        schema
    }
}

impl<E: Entity> Validate for Ref<E> {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        if self.id.is_none() && self.external.is_none() && self.key.is_none() {
            walk.defect(
                "empty_reference",
                text!(
                    "a reference to nothing; expected id, external, key, or several of them",
                    "引用为空；应有 id、external、key 之一或多个"
                ),
            );
        }
        walk.field("external", &self.external);
        if let Some(key) = &self.key {
            key_rules(key, E::KIND, walk);
        }
    }
}

fn key_rules(key: &AlternateKey, kind: EntityKind, walk: &mut Walk<'_>) {
    let Some(scheme) = KeyScheme::of(kind, &key.scheme) else {
        let known: Vec<&str> = keys_of(kind).map(|scheme| scheme.name).collect();
        let expected = if known.is_empty() {
            text!(
                "a key, and records of kind {kind} have none; expected id or external",
                "键；而 {kind} 的记录没有键；应为 id 或 external"
            )
        } else {
            text!(
                "a key that records of kind {kind} do not have; expected one of {}",
                "{kind} 的记录没有这种键；应为其中之一：{}",
                known.join(", ")
            )
        };
        walk.defect_in("key", "unknown_key", expected);
        return;
    };
    if scheme.normal(&key.value).is_none() {
        let found =
            text!("a value that no {} can have; expected {}", "不是有效的 {}；应为{}", scheme.name, scheme.expected());
        walk.defect_in("key", "bad_key", found);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{AlternateKey, EXTERNAL_ID_BYTES_MAX, ExternalId, Ref};
    use crate::check::Walk;
    use crate::entity::{Employee, OrgUnit};

    #[test]
    fn a_reference_names_something() {
        assert!(Walk::over(&Ref::<OrgUnit>::external("7")).is_empty());
        let empty: Ref<OrgUnit> = serde_json::from_str("{}").unwrap();
        assert_eq!(Walk::over(&empty)[0].code, "empty_reference");
        assert_eq!(serde_json::to_string(&Ref::<OrgUnit>::external("7")).unwrap(), r#"{"external":{"value":"7"}}"#);
    }

    #[test]
    fn an_external_id_has_1_to_512_bytes() {
        let defects = |length| Walk::over(&ExternalId::of("x".repeat(length))).len();
        assert_eq!(
            [defects(0), defects(1), defects(EXTERNAL_ID_BYTES_MAX), defects(EXTERNAL_ID_BYTES_MAX + 1)],
            [1, 0, 0, 1]
        );
    }

    #[test]
    fn a_key_is_one_that_the_kind_has_with_a_value_that_it_can_have() {
        let codes =
            |reference: &Ref<Employee>| Walk::over(reference).iter().map(|defect| defect.code).collect::<Vec<_>>();
        let by = |scheme: &str, value: &str| Ref::<Employee>::by_key(AlternateKey::of(scheme, value));
        for (scheme, value) in
            [("employee_number", "E00123"), ("work_email", "a@b.example"), ("mobile", "+86 138 0000 0000")]
        {
            assert!(codes(&by(scheme, value)).is_empty(), "{scheme}");
        }
        for (scheme, value) in [("employee_number", " "), ("work_email", "a"), ("mobile", "13800000000")] {
            assert_eq!(codes(&by(scheme, value)), ["bad_key"], "{scheme}");
        }
        assert_eq!(codes(&by("shoe_size", "43")), ["unknown_key"]);
        let unit = Ref::<OrgUnit>::by_key(AlternateKey::of("employee_number", "E1"));
        assert_eq!(Walk::over(&unit)[0].code, "unknown_key", "a unit has no keys");
        assert!(!format!("{:?}", by("mobile", "+8613800000000")).contains("138"));
    }
}
