//! The records that a change's record refers to, as they are now.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{EntityKind, external_of};
use renmen_store::{RecordQuery, RecordRow, Store, StoreError};
use serde_json::{Map, Value};

use crate::catalogue::Place;
use crate::definition::Definition;

/// A record with all that may be decided by, and whose it is: its references without a connection mean its own.
struct Held {
    body: Value,
    connection: ConnectionName,
}

/// What was found.
pub(crate) enum Found {
    /// Each by its name, cut down to its fields. One that nothing refers to is empty.
    All(BTreeMap<String, Value>),
    /// One is referred to and not here yet, or not any more: why.
    Missing(String),
}

/// Looks up every record of `with`. `record` has all its fields; what is withheld from the place is gone from it.
pub(crate) async fn look_up(
    store: &dyn Store,
    tenant: &TenantId,
    definition: &Definition,
    place: Option<&Place>,
    record: &Value,
    connection: &ConnectionName,
) -> Result<Found, StoreError> {
    let mut held: BTreeMap<&str, Held> = BTreeMap::new();
    let mut shown = BTreeMap::new();
    for one in &definition.with {
        let (body, from) = match one.of.as_deref() {
            None => (record, connection),
            Some(name) => match held.get(name) {
                Some(holder) => (&holder.body, &holder.connection),
                // What would hold the reference is referred to by nothing itself.
                None => (&Value::Null, connection),
            },
        };
        let reference = body.pointer(&one.pointer).filter(|value| !value.is_null());
        let Some(reference) = reference else {
            shown.insert(one.name.clone(), Value::Object(Map::new()));
            continue;
        };
        let Some(row) = read(store, tenant, one.kind, reference, from).await? else {
            let what = one.kind.name();
            return Ok(Found::Missing(format!(
                "with.{}: the {what} that `{}` means is not here",
                one.name, one.pointer
            )));
        };
        let Ok(mut body) = serde_json::from_slice::<Value>(&row.body) else {
            return Ok(Found::Missing(format!("with.{}: the record's body is damaged", one.name)));
        };
        if let Some(place) = place {
            place.withheld(one.kind).remove(&mut body);
        }
        shown.insert(one.name.clone(), one.fields.keep(&body));
        held.insert(&one.name, Held { body, connection: row.connection });
    }
    Ok(Found::All(shown))
}

/// The live record that a reference means: by our id where it has one, else by the id in the other system.
async fn read(
    store: &dyn Store,
    tenant: &TenantId,
    kind: EntityKind,
    reference: &Value,
    from: &ConnectionName,
) -> Result<Option<RecordRow>, StoreError> {
    if let Some(id) = reference["id"].as_str().and_then(|id| id.parse().ok()) {
        let row = store.record(tenant, id).await?;
        return Ok(row.filter(|row| row.deleted.is_none() && row.entity == kind.name()));
    }
    let Some((connection, external_id)) = external_of(reference, from) else { return Ok(None) };
    let query = RecordQuery {
        entity: Some(kind.name().to_owned()),
        connection: Some(connection),
        external_id: Some(external_id.to_owned()),
        limit: 1,
        ..RecordQuery::default()
    };
    Ok(store.records(tenant, &query).await?.items.into_iter().next())
}
