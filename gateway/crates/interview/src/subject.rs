//! What a record belongs to: the references by which steps, results and scores hang on an interview, that on an application, and that
//! on a candidate; and a version of a profile on its position.
//!
//! A reference may come before what it refers to, so everything here goes by the id that the reference carries.

use renmen_schema::external_of;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::types::Ref;
use renmen_store::{Parent, RecordQuery, RecordRow, Store, StoreError};
use serde_json::Value;

use crate::copies;

/// Members that name what a record belongs to, with the entity that each names.
const BELONGS: [(&str, &str); 8] = [
    ("candidate", "candidate"),
    ("application", "application"),
    ("interview", "interview"),
    ("order", "interview_order"),
    ("offer", "offer"),
    ("answer", "interview_answer"),
    ("result", "interview_result"),
    ("position", "job"),
];
/// Members that hold a choice of the above.
const CHOICES: [&str; 2] = ["subject", "on"];
/// Entities that belong to something here.
const FOLLOWED: [&str; 16] = [
    "candidate",
    "application",
    "interview_order",
    "interview",
    "interview_answer",
    "interview_result",
    "dimension_score",
    "environment_event",
    "process_node",
    "decision",
    "notification",
    "assessment",
    "offer",
    "tag",
    "survey",
    "position_profile",
];

/// Does a change of this entity concern the loop?
pub(crate) fn is_followed(entity: &str) -> bool {
    FOLLOWED.contains(&entity)
}

/// May records belong to one of this entity? A flow that lists them waits until the loop has read the change of their record.
pub(crate) fn has_parts(entity: &str) -> bool {
    BELONGS.iter().any(|(_, named)| *named == entity)
}

/// Does a change of this entity change what a look at its interview or order comes to?
pub(crate) fn is_looked_at(entity: &str) -> bool {
    matches!(
        entity,
        "interview_order" | "interview" | "interview_result" | "dimension_score" | "process_node" | "notification"
    )
}

/// The record itself, as references name it.
pub(crate) fn key_of(row: &RecordRow) -> Parent {
    Parent { connection: row.connection.clone(), entity: row.entity.clone(), external_id: row.external_id.clone() }
}

/// What a record belongs to.
pub(crate) async fn parents(store: &dyn Store, tenant: &TenantId, row: &RecordRow) -> Result<Vec<Parent>, StoreError> {
    let Ok(body) = serde_json::from_slice::<Value>(&row.body) else { return Ok(Vec::new()) };
    let mut found = Vec::new();
    for (entity, reference) in references(&body) {
        if let Some(parent) = resolve(store, tenant, &row.connection, entity, reference).await?
            && !found.contains(&parent)
        {
            found.push(parent);
        }
    }
    // A copy belongs to its original, so that what hangs on the copy is found there too.
    found.extend(copies::parents(&row.entity, &body, &row.connection));
    Ok(found)
}

/// The record with this key, unless there is none or it was deleted.
pub(crate) async fn row(store: &dyn Store, tenant: &TenantId, key: &Parent) -> Result<Option<RecordRow>, StoreError> {
    let query = RecordQuery {
        entity: Some(key.entity.clone()),
        connection: Some(key.connection.clone()),
        external_id: Some(key.external_id.clone()),
        limit: 1,
        ..RecordQuery::default()
    };
    Ok(store.records(tenant, &query).await?.items.into_iter().next())
}

/// What a body of ours belongs to, by the ids that its references carry: every reference that we write names its connection.
pub(crate) fn named(body: &[u8], from: &ConnectionName) -> Vec<Parent> {
    let Ok(body) = serde_json::from_slice::<Value>(body) else { return Vec::new() };
    let mut found = Vec::new();
    for (entity, reference) in references(&body) {
        if let Some(parent) = by_external(reference, entity, from)
            && !found.contains(&parent)
        {
            found.push(parent);
        }
    }
    found
}

/// The references by which a body belongs to something, with the entity that each names.
fn references(body: &Value) -> impl Iterator<Item = (&'static str, &Value)> {
    let holders = std::iter::once(body).chain(CHOICES.iter().filter_map(|choice| body.get(choice)));
    holders.flat_map(|holder| BELONGS.iter().filter_map(move |(member, entity)| Some((*entity, holder.get(*member)?))))
}

fn by_external(reference: &Value, entity: &str, from: &ConnectionName) -> Option<Parent> {
    if !reference["external"]["value"].is_string() {
        return None;
    }
    let (connection, value) = external_of(reference, from)?;
    Some(Parent { connection, entity: entity.to_owned(), external_id: value.to_owned() })
}

async fn resolve(
    store: &dyn Store,
    tenant: &TenantId,
    from: &ConnectionName,
    entity: &str,
    reference: &Value,
) -> Result<Option<Parent>, StoreError> {
    if reference["external"]["value"].is_string() {
        return Ok(by_external(reference, entity, from));
    }
    let Some(id) = reference["id"].as_str().and_then(|id| id.parse().ok()) else { return Ok(None) };
    Ok(store.record(tenant, id).await?.map(|row| key_of(&row)))
}

/// A reference that means the same wherever it stands: with the connection whose id it is.
pub(crate) fn absolute<E>(reference: &Ref<E>, from: &ConnectionName) -> Ref<E> {
    let mut made = reference.clone();
    if let Some(external) = &mut made.external
        && external.connection.is_none()
    {
        external.connection = Some(from.clone());
    }
    made
}

/// A reference to a record that is there.
pub(crate) fn to<E>(row: &RecordRow) -> Ref<E> {
    crate::author::reference(&row.connection, &row.external_id, Some(row.id))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_schema::{EntityKind, belongs_to};

    use super::{has_parts, is_followed};

    /// Flows list what belongs to a record, and are told by the schema what does: what is noted here must be the same. A candidate
    /// belongs to nothing but the candidate that it is a copy of, which no flow lists.
    #[test]
    fn what_is_said_to_belong_to_a_record_is_what_is_noted_to() {
        for child in EntityKind::ALL {
            let copy = *child == EntityKind::Candidate;
            let belongs = copy || EntityKind::ALL.iter().any(|parent| belongs_to(*child, *parent));
            assert_eq!(belongs, is_followed(child.name()), "{child}");
        }
        for parent in EntityKind::ALL {
            let listed = EntityKind::ALL.iter().any(|child| belongs_to(*child, *parent));
            assert!(!listed || has_parts(parent.name()), "flows list what belongs to a {parent}");
        }
    }
}
