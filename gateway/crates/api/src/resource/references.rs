//! What references mean: of one record, each with the record that it leads to; of a tenant, how many by alternate key lead to none.

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::{EntityKind, Reference, WantedKey, external_of, references};
use renmen_store::{Keyed, RecordQuery, RecordRow, Store, StoreError, UnresolvedKeys};
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::instant::Time;
use crate::problem::Problem;
use crate::state::AppState;

/// References of one record that are looked up; a record with more says so.
const REFERENCES_MAX: usize = 200;
/// How long a reference by key may mean nothing before that is worth a word. Milliseconds.
const LATE_MS: i64 = 86_400_000;

/// Whether a reference leads to a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ReferenceState {
    /// To this one.
    Linked,
    /// To none yet, or to one that is gone.
    Waiting,
    /// Several records have the key, so it means none of them: name the connection with the reference, or correct the records.
    Ambiguous,
}

/// A reference in a record, with what it means now.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ReferenceView {
    /// Where it stands: an RFC 6901 pointer into the body.
    path: String,
    /// The entity that it means.
    entity: String,
    /// The alternate key by which it refers; null for one by an id.
    scheme: Option<&'static str>,
    /// Whether it leads to a record.
    state: ReferenceState,
    /// How many records have the key, where there are several.
    matches: Option<u64>,
    /// The record's id; null unless it is linked.
    #[schema(format = "uuid")]
    id: Option<String>,
    /// The record, as a path of this API.
    url: Option<String>,
    /// The connection that the record came through.
    connection: Option<String>,
    /// Its id in the source system.
    external_id: Option<String>,
}

/// The references of a record. The second: it has more than are looked up.
pub(crate) async fn of_record(
    state: &AppState,
    tenant: &TenantId,
    kind: EntityKind,
    row: &RecordRow,
) -> Result<(Vec<ReferenceView>, bool), Problem> {
    let Ok(body) = serde_json::from_slice::<Value>(&row.body) else { return Ok((Vec::new(), false)) };
    let found = references(kind, &body);
    let truncated = found.len() > REFERENCES_MAX;
    let mut shown = Vec::with_capacity(found.len().min(REFERENCES_MAX));
    for reference in found.into_iter().take(REFERENCES_MAX) {
        let key = WantedKey::of(reference.value, reference.to);
        let meant = meant(&*state.store, tenant, &reference, key.as_ref(), &row.connection).await?;
        shown.push(ReferenceView::of(&reference, key.as_ref(), meant));
    }
    Ok((shown, truncated))
}

impl ReferenceView {
    fn of(reference: &Reference<'_>, key: Option<&WantedKey>, meant: Keyed) -> Self {
        let (state, matches) = match &meant {
            Keyed::One(_) => (ReferenceState::Linked, None),
            Keyed::Nothing => (ReferenceState::Waiting, None),
            Keyed::Several(count) => (ReferenceState::Ambiguous, Some(*count)),
        };
        let row = meant.one();
        Self {
            path: reference.pointer.clone(),
            entity: reference.to.name().to_owned(),
            scheme: key.map(|key| key.scheme),
            state,
            matches,
            id: row.as_ref().map(|row| row.id.to_string()),
            url: row.as_ref().map(|row| format!("/v1/{}/{}", reference.to.collection(), row.id)),
            connection: row.as_ref().map(|row| row.connection.to_string()),
            external_id: row.map(|row| row.external_id),
        }
    }
}

/// The live record that a reference means: by our id where it has one, else by the id in the other system, else by its key.
async fn meant(
    store: &dyn Store,
    tenant: &TenantId,
    reference: &Reference<'_>,
    key: Option<&WantedKey>,
    from: &ConnectionName,
) -> Result<Keyed, StoreError> {
    if let Some(key) = key {
        return store.keyed(tenant, key, None).await;
    }
    let row = match reference.value["id"].as_str() {
        Some(id) => match id.parse::<RecordId>() {
            Ok(id) => store.record(tenant, id).await?,
            Err(_) => None,
        },
        None => by_external(store, tenant, reference, from).await?,
    };
    let row = row.filter(|row| row.deleted.is_none() && row.entity == reference.to.name());
    Ok(row.map_or(Keyed::Nothing, |row| Keyed::One(Box::new(row))))
}

async fn by_external(
    store: &dyn Store,
    tenant: &TenantId,
    reference: &Reference<'_>,
    from: &ConnectionName,
) -> Result<Option<RecordRow>, StoreError> {
    let Some((connection, external_id)) = external_of(reference.value, from) else { return Ok(None) };
    let query = RecordQuery {
        entity: Some(reference.to.name().to_owned()),
        connection: Some(connection),
        external_id: Some(external_id.to_owned()),
        limit: 1,
        ..RecordQuery::default()
    };
    Ok(store.records(tenant, &query).await?.items.into_iter().next())
}

/// References by one alternate key that lead to no record.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct UnresolvedReferences {
    /// The entity that they mean: `employee`.
    entity: String,
    /// The alternate key by which they refer: `employee_number`.
    scheme: String,
    /// The connection whose record the references name; null: any.
    connection: Option<String>,
    /// `waiting`: no record has the key. `ambiguous`: several have it.
    state: ReferenceState,
    /// How many references wait so.
    references: u64,
    /// By how many different values of the key.
    values: u64,
    /// Where it is ambiguous: how many records have the same value, at most.
    matches_max: Option<u64>,
    /// Since when the first of them does.
    since: Time,
}

impl UnresolvedReferences {
    pub(crate) fn of(of: UnresolvedKeys) -> Self {
        Self {
            entity: of.entity,
            scheme: of.scheme,
            connection: of.connection.map(|name| name.to_string()),
            state: if of.ambiguous { ReferenceState::Ambiguous } else { ReferenceState::Waiting },
            references: of.records,
            values: of.values,
            matches_max: of.ambiguous.then_some(of.matches_max),
            since: Time(of.since_ms),
        }
    }

    /// Does it need a look? What waits for a record that is still to be read does not, for a day.
    pub(crate) fn is_troubled(&self, now_ms: i64) -> bool {
        self.state == ReferenceState::Ambiguous || now_ms - self.since.0 > LATE_MS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_for_more_than_a_day_or_is_ambiguous_needs_a_look() {
        let waiting = |ambiguous, since_ms| {
            UnresolvedReferences::of(UnresolvedKeys {
                entity: "employee".into(),
                scheme: "employee_number".into(),
                connection: None,
                ambiguous,
                records: 1,
                values: 1,
                matches_max: 2,
                since_ms,
            })
        };
        assert!(!waiting(false, 1_000).is_troubled(1_000 + LATE_MS));
        assert!(waiting(false, 1_000).is_troubled(1_001 + LATE_MS));
        assert!(waiting(true, 1_000).is_troubled(1_000));
    }
}
