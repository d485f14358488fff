//! The records that a change's record refers to, as they are now.
//!
//! Whoever writes a record chooses what it refers to. So a reference is followed only where that choice can get nobody anything
//! that is not theirs: see [`Lead`].

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::{EntityKind, external_of};
use renmen_store::{BUILT_IN_CONNECTION, RecordQuery, RecordRow, Store, StoreError};
use serde_json::{Map, Value};

use crate::catalogue::Place;
use crate::definition::{Definition, Related};

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
    /// One is referred to that the flow must not look up: why.
    Refused(String),
}

/// Whose records may be looked up for one flow: a stranger that names somebody else's record in its own must not get it sent.
struct Lead<'d> {
    definition: &'d Definition,
    place: Option<&'d Place>,
}

impl Lead<'_> {
    /// May a reference out of a record of `from` lead to one of `to`? It may where
    /// - both are one connection's: the reference is its owner's own,
    /// - it leads to records of the destination itself, which learns nothing,
    /// - the flow names the connection with the reference (`with.NAME.connection`),
    /// - the flow names whose records set it off (`when.connection`), and the destination is not the one that chose.
    fn allows(&self, one: &Related, from: &ConnectionName, to: &ConnectionName) -> Result<(), String> {
        let destination = &self.definition.to.connection;
        if from == to || to == destination || one.connections.contains(to) {
            return Ok(());
        }
        let named = one.connections.is_empty() && self.definition.when.connections.contains(from);
        let chose = from == destination
            || (from.as_str() == BUILT_IN_CONNECTION && self.place.is_some_and(|place| place.is_source));
        if named && !chose {
            return Ok(());
        }
        metrics::counter!("renmen_flow_references_refused_total", "connection" => from.to_string()).increment(1);
        let (name, kind) = (&one.name, one.kind.name());
        Err(format!(
            "with.{name}: a record of connection `{from}` refers to one of connection `{to}` ({kind}), and the flow does not say \
             that it may be looked up there and sent to `{destination}`; if it may, write `with.{name}.connection = \"{to}\"`"
        ))
    }
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
    let lead = Lead { definition, place };
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
        // Before anything is looked up: what is refused must not even tell whether it is there.
        if let Some((to, _)) = external_of(reference, from).filter(|_| own_id(reference).is_none())
            && let Err(why) = lead.allows(one, from, &to)
        {
            return Ok(Found::Refused(why));
        }
        let Some(row) = read(store, tenant, one.kind, reference, from).await? else {
            let what = one.kind.name();
            return Ok(Found::Missing(format!(
                "with.{}: the {what} that `{}` means is not here",
                one.name, one.pointer
            )));
        };
        if let Err(why) = lead.allows(one, from, &row.connection) {
            return Ok(Found::Refused(why));
        }
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

/// Our own id, where a reference carries it.
fn own_id(reference: &Value) -> Option<RecordId> {
    reference["id"].as_str().and_then(|id| id.parse().ok())
}

/// The live record that a reference means: by our id where it has one, else by the id in the other system.
async fn read(
    store: &dyn Store,
    tenant: &TenantId,
    kind: EntityKind,
    reference: &Value,
    from: &ConnectionName,
) -> Result<Option<RecordRow>, StoreError> {
    if let Some(id) = own_id(reference) {
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
