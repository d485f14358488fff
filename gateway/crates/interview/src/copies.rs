//! Which records are copies of one: an HR system keeps an interview that was written back to it, a vendor keeps the candidate that it was
//! given. A copy says so itself, by an id of the original among its `external_ids`; nothing is guessed from names or times.
//!
//! An id names the original with its connection. One without a connection names it where it says the entity as its `object_type`,
//! because a system that was given an id does not always know who gave it.

use std::collections::{BTreeMap, BTreeSet};

use renmen_schema::entity::Interview;
use renmen_schema::id::{ConnectionName, RecordId};
use renmen_schema::types::ExternalId;
use renmen_store::{Parent, RecordRow, StoreError};
use serde_json::Value;

use crate::children::Shelf;
use crate::dossier::{Read, find};

/// What may be a copy.
const COPIED: [&str; 3] = ["candidate", "application", "interview"];
/// Ids of one record that are looked at.
const IDS_MAX: usize = 20;

/// The id by which a copy names its original.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    /// None: of which system is not known.
    connection: Option<ConnectionName>,
    external_id: String,
}

impl Name {
    fn of(id: &ExternalId, entity: &str) -> Option<Self> {
        let said = id.connection.is_some() || id.object_type.as_deref() == Some(entity);
        said.then(|| Self { connection: id.connection.clone(), external_id: id.value.clone() })
    }
}

/// The originals that a record names.
pub(crate) fn names(entity: &str, body: &Value) -> Vec<Name> {
    if !COPIED.contains(&entity) {
        return Vec::new();
    }
    let ids = body["external_ids"].as_array().into_iter().flatten().take(IDS_MAX);
    ids.filter_map(|id| Name::of(&serde_json::from_value(id.clone()).ok()?, entity)).collect()
}

/// The originals whose connection is known: what a copy belongs to.
pub(crate) fn parents(entity: &str, body: &Value, from: &ConnectionName) -> Vec<Parent> {
    let parent = |name: Name| {
        let connection = name.connection.filter(|connection| connection != from)?;
        Some(Parent { connection, entity: entity.to_owned(), external_id: name.external_id })
    };
    names(entity, body).into_iter().filter_map(parent).collect()
}

/// Is this interview a copy of one that is acted on? Then that one is decided, and this one follows.
///
/// # Errors
/// [`StoreError`].
pub(crate) async fn is_copy(shelf: Shelf<'_>, interview: &Read<Interview>) -> Result<bool, StoreError> {
    let own = &interview.row.connection;
    for id in interview.body.external_ids.iter().take(IDS_MAX) {
        let Some(name) = Name::of(id, "interview") else { continue };
        for connection in shelf.sources.vendors.iter().filter(|vendor| *vendor != own) {
            if name.connection.as_ref().is_some_and(|named| named != connection) {
                continue;
            }
            let key = Parent {
                connection: connection.clone(),
                entity: "interview".into(),
                external_id: name.external_id.clone(),
            };
            let Some(original) = find::<Interview>(shelf.store, shelf.tenant, &key).await? else { continue };
            // Two that name each other are one interview too: the one that came first is acted on.
            let came = |row: &RecordRow| (row.created_at_ms, row.id);
            if !is_named_by(&interview.row, &original) || came(&original.row) < came(&interview.row) {
                return Ok(true);
            }
        }
    }
    Ok(false)
}

fn is_named_by(row: &RecordRow, other: &Read<Interview>) -> bool {
    let names = other.body.external_ids.iter().filter_map(|id| Name::of(id, "interview"));
    names
        .into_iter()
        .any(|name| name.external_id == row.external_id && name.connection.is_none_or(|named| named == row.connection))
}

/// Records that were read together, each with the originals that it names: which is a copy of which.
#[derive(Debug, Default)]
pub(crate) struct Together(Vec<One>);

#[derive(Debug)]
struct One {
    id: RecordId,
    key: Parent,
    names: Vec<Name>,
}

impl Together {
    /// Takes one in.
    pub(crate) fn note(&mut self, row: &RecordRow, key: &Parent) {
        if !COPIED.contains(&row.entity.as_str()) {
            return;
        }
        let body: Value = serde_json::from_slice(&row.body).unwrap_or_default();
        self.0.push(One { id: row.id, key: key.clone(), names: names(&row.entity, &body) });
    }

    /// By copy: its original. A name that fits several records here names none of them.
    pub(crate) fn originals(&self) -> BTreeMap<RecordId, RecordId> {
        let direct: BTreeMap<_, _> = self.0.iter().filter_map(|one| Some((one.id, self.original_of(one)?))).collect();
        direct.keys().filter_map(|copy| Some((*copy, end_of(&direct, *copy)?))).collect()
    }

    fn original_of(&self, copy: &One) -> Option<RecordId> {
        copy.names.iter().find_map(|name| {
            let fits = |other: &&One| {
                other.id != copy.id
                    && other.key.entity == copy.key.entity
                    && other.key.external_id == name.external_id
                    && name.connection.as_ref().is_none_or(|connection| *connection == other.key.connection)
            };
            let mut fitting = self.0.iter().filter(fits);
            let first = fitting.next()?;
            fitting.next().is_none().then_some(first.id)
        })
    }
}

/// The original at the end of a chain of copies; of those that name each other in a ring it is the first, which has none itself.
fn end_of(direct: &BTreeMap<RecordId, RecordId>, copy: RecordId) -> Option<RecordId> {
    let (mut seen, mut at) = (BTreeSet::new(), copy);
    while let Some(next) = direct.get(&at) {
        if !seen.insert(at) {
            let first = ring(direct, at).min()?;
            return (first != copy).then_some(first);
        }
        at = *next;
    }
    Some(at)
}

/// All of a ring, from one of it.
fn ring(direct: &BTreeMap<RecordId, RecordId>, from: RecordId) -> impl Iterator<Item = RecordId> {
    let next = move |at: &RecordId| direct.get(at).copied().filter(|next| *next != from);
    std::iter::successors(Some(from), next)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    fn name(text: &str) -> ConnectionName {
        ConnectionName::new(text).unwrap()
    }

    #[test]
    fn an_id_names_an_original_by_its_connection_or_by_its_entity_and_otherwise_nothing() {
        let body = json!({ "external_ids": [
            { "value": "1" },
            { "value": "2", "object_type": "interview" },
            { "value": "3", "object_type": "meeting" },
            { "value": "4", "connection": "vendor" },
        ]});
        let found = names("interview", &body);
        assert_eq!(found.iter().map(|name| name.external_id.as_str()).collect::<Vec<_>>(), ["2", "4"]);
        assert_eq!(parents("interview", &body, &name("hr")).len(), 1, "only whose connection is known");
        assert!(parents("interview", &body, &name("vendor")).is_empty(), "its own id is not a copy's");
        assert!(names("employee", &body).is_empty());
    }

    #[test]
    fn of_records_that_name_each_other_one_is_the_original() {
        let [a, b, c, d] = [1, 2, 0, 4].map(|n| format!("00000000-0000-7000-8000-{n:012}").parse().unwrap());
        let ring = BTreeMap::from([(a, b), (b, a), (c, a)]);
        assert_eq!(end_of(&ring, a), None, "the first");
        assert_eq!(end_of(&ring, b), Some(a));
        assert_eq!(end_of(&ring, c), Some(a));
        assert_eq!(end_of(&BTreeMap::from([(c, d)]), c), Some(d));
    }
}
