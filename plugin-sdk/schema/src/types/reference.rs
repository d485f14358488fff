//! Ids in other systems, and references from one record to another.

use std::marker::PhantomData;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Serialize};

use crate::check::{Validate, Walk};
use crate::id::{ConnectionName, RecordId};
use crate::kind::Entity;
use crate::shape::shape;

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
        #[schemars(length(min = 1, max = 512))]
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
        let found = format!("an id of {} bytes; expected 1 to {EXTERNAL_ID_BYTES_MAX}", id.value.len());
        walk.defect_in("value", "bad_external_id", found);
    }
}

/// A reference to a record of kind `E`, by our id, by an id of another system, or both. It may dangle until that record
/// arrives: the order of arrival does not matter.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, bound = "")]
pub struct Ref<E> {
    /// The record's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<RecordId>,
    /// Its id in another system.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external: Option<ExternalId>,
    #[serde(skip)]
    kind: PhantomData<fn() -> E>,
}

impl<E> Ref<E> {
    /// By the record's own id.
    #[must_use]
    pub fn to(id: RecordId) -> Self {
        Self { id: Some(id), external: None, kind: PhantomData }
    }

    /// By its id in the system that this record comes from.
    #[must_use]
    pub fn external(value: impl Into<String>) -> Self {
        Self::by(ExternalId::of(value))
    }

    /// By its id in any system.
    #[must_use]
    pub fn by(external: ExternalId) -> Self {
        Self { id: None, external: Some(external), kind: PhantomData }
    }
}

// By hand, because a derive would ask the same of `E`.
impl<E> Clone for Ref<E> {
    fn clone(&self) -> Self {
        Self { id: self.id, external: self.external.clone(), kind: PhantomData }
    }
}

impl<E> PartialEq for Ref<E> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.external == other.external
    }
}

impl<E> std::fmt::Debug for Ref<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ref").field("id", &self.id).field("external", &self.external).finish()
    }
}

impl<E: Entity> JsonSchema for Ref<E> {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        format!("RefTo{}", E::schema_name()).into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "description": "A reference by our id, by an id of another system, or both.",
            "type": "object",
            "minProperties": 1,
            "additionalProperties": false,
            "x-ref-entity": E::KIND.name(),
            "properties": {
                "id": generator.subschema_for::<RecordId>(),
                "external": generator.subschema_for::<ExternalId>(),
            },
        })
    }
}

impl<E> Validate for Ref<E> {
    fn validate<'v>(&'v self, walk: &mut Walk<'v>) {
        if self.id.is_none() && self.external.is_none() {
            walk.defect("empty_reference", "a reference to nothing; expected id, external, or both");
        }
        walk.field("external", &self.external);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{EXTERNAL_ID_BYTES_MAX, ExternalId, Ref};
    use crate::check::Walk;
    use crate::entity::OrgUnit;

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
}
