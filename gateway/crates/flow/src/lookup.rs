//! The records that a change's record refers to, and those that belong to one of them, as they are now.
//!
//! The connection that writes a record chooses what it refers to. So a reference is followed only where that choice
//! cannot give anyone data that is not theirs: see [`Lead`].

use std::borrow::Cow;
use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::{EntityKind, Text, WantedKey, external_of, text};
use renmen_store::{BUILT_IN_CONNECTION, Keyed, Parent, RecordQuery, RecordRow, Store, StoreError};
use serde_json::{Map, Value};

use crate::catalogue::DestinationEntry;
use crate::definition::{Bounds, Definition, How, Related};
use crate::list::{self, Listed};

/// A record with all that may be decided by, and whose it is: its references without a connection mean its own.
pub(crate) struct Held<'b> {
    pub(crate) body: Cow<'b, Value>,
    pub(crate) connection: ConnectionName,
    pub(crate) external_id: String,
}

/// What was changed, and how long ago.
pub(crate) struct Changed<'b> {
    pub(crate) record: Held<'b>,
    pub(crate) age_ms: i64,
}

/// The outcome of the lookup.
pub(crate) enum RelatedRecords {
    /// Each by its name, cut down to its fields. One that nothing refers to is empty.
    All(BTreeMap<String, Value>),
    /// One is referred to and not here yet, or not any more: why.
    Missing(Text),
    /// One is referred to that the flow must not look up, or a list is longer than it may send: why.
    Refused(Text),
}

/// Decides whose records may be looked up for one flow: a connection whose record refers to another connection's record
/// must not thereby get that record sent.
struct Lead<'d> {
    definition: &'d Definition,
    place: Option<&'d DestinationEntry>,
}

impl Lead<'_> {
    /// May a reference out of a record of `from` lead to one of `to`? It may where
    /// - both are one connection's: the reference is its owner's own,
    /// - it leads to records of the destination itself, which learns nothing,
    /// - the flow names the connection with the reference (`with.NAME.connection`),
    /// - the flow names the connections whose records trigger it (`when.connection`), and the destination is not the
    ///   one that chose.
    fn allows(&self, one: &Related, from: &ConnectionName, to: &ConnectionName) -> Result<(), Text> {
        let destination = &self.definition.to.connection;
        if from == to || to == destination || one.connections.contains(to) || self.allows_any(one, from) {
            return Ok(());
        }
        count_refused(from);
        let (name, kind) = (&one.name, one.kind.name());
        Err(text!(
            "with.{name}: a record of connection `{from}` refers to one of connection `{to}` ({kind}), and the flow does not say \
             that it may be looked up there and sent to `{destination}`; if it may, write `with.{name}.connection = \"{to}\"`",
            "with.{name}：连接 `{from}` 的记录引用了连接 `{to}` 的记录（{kind}），而流程没有写明可以在那里查找并发给 `{destination}`；\
             若允许，请写 `with.{name}.connection = \"{to}\"`"
        ))
    }

    /// May a reference out of a record of `from` lead to one of any connection?
    fn allows_any(&self, one: &Related, from: &ConnectionName) -> bool {
        let named = one.connections.is_empty() && self.definition.when.connections.contains(from);
        let chose = from == &self.definition.to.connection
            || (from.as_str() == BUILT_IN_CONNECTION && self.place.is_some_and(|place| place.is_source));
        named && !chose
    }

    /// The connections in whose records a key without a connection is looked up; none: all of them. Where the flow
    /// names connections, only theirs count, so that a record elsewhere with the same key does not interfere.
    fn among(&self, one: &Related, from: &ConnectionName) -> Option<Vec<ConnectionName>> {
        if !one.connections.is_empty() {
            return Some(one.connections.clone());
        }
        (!self.allows_any(one, from)).then(|| vec![from.clone(), self.definition.to.connection.clone()])
    }
}

fn count_refused(from: &ConnectionName) {
    metrics::counter!("renmen_flow_references_refused_total", "connection" => from.to_string()).increment(1);
}

/// What one of `with` came to.
enum Resolved {
    /// What `map` may see, and the whole record for those that start from it.
    Shown(Value, Option<Held<'static>>),
    /// The flow has to wait, or cannot go on.
    Ends(RelatedRecords),
}

/// Looks up everything of `with`. `changed` has all its fields; what is withheld from the place is gone from it.
pub(crate) async fn look_up(
    store: &dyn Store,
    tenant: &TenantId,
    definition: &Definition,
    place: Option<&DestinationEntry>,
    changed: Changed<'_>,
) -> Result<RelatedRecords, StoreError> {
    let Changed { record: changed, age_ms } = changed;
    let search = Search { store, tenant, lead: Lead { definition, place }, age_ms };
    let mut held: BTreeMap<&str, Held<'_>> = BTreeMap::new();
    let mut shown = BTreeMap::new();
    for one in &definition.with {
        let (kind, from) = match one.of.as_deref() {
            None => (Some(definition.when.entity), Some(&changed)),
            Some(name) => {
                let kind = definition.with.iter().find(|other| other.name == name).map(|other| other.kind);
                // What it would start from is referred to by nothing itself.
                (kind, held.get(name))
            }
        };
        let found = match (&one.how, from.zip(kind)) {
            (How::Reference(_), None) => Resolved::Shown(Value::Object(Map::new()), None),
            (How::List(_), None) => Resolved::Shown(Value::Array(Vec::new()), None),
            (How::Reference(pointer), Some((from, _))) => search.one(one, pointer, from).await?,
            (How::List(bounds), Some((from, kind))) => {
                let parent = Parent {
                    connection: from.connection.clone(),
                    entity: kind.name().to_owned(),
                    external_id: from.external_id.clone(),
                };
                search.list(one, *bounds, parent).await?
            }
        };
        match found {
            Resolved::Ends(found) => return Ok(found),
            Resolved::Shown(value, record) => {
                shown.insert(one.name.clone(), value);
                held.extend(record.map(|record| (one.name.as_str(), record)));
            }
        }
    }
    Ok(RelatedRecords::All(shown))
}

/// What every lookup needs.
struct Search<'s> {
    store: &'s dyn Store,
    tenant: &'s TenantId,
    lead: Lead<'s>,
    age_ms: i64,
}

impl Search<'_> {
    async fn one(&self, one: &Related, pointer: &str, from: &Held<'_>) -> Result<Resolved, StoreError> {
        let reference = from.body.pointer(pointer).filter(|value| !value.is_null());
        let Some(reference) = reference else { return Ok(Resolved::Shown(Value::Object(Map::new()), None)) };
        let row = match WantedKey::of(reference, one.kind) {
            Some(key) => self.by_key(one, pointer, &key, from).await?,
            None => self.by_id(one, pointer, reference, from).await?,
        };
        let row = match row {
            Ok(row) => row,
            Err(ends) => return Ok(Resolved::Ends(ends)),
        };
        let Ok(mut body) = serde_json::from_slice::<Value>(&row.body) else {
            return Ok(Resolved::Ends(RelatedRecords::Missing(text!(
                "with.{}: the record's body is damaged",
                "with.{}：记录内容已损坏",
                one.name
            ))));
        };
        let shown = self.cut(one, &mut body);
        let held = Held { body: Cow::Owned(body), connection: row.connection, external_id: row.external_id };
        Ok(Resolved::Shown(shown, Some(held)))
    }

    /// The record that a reference means by an id.
    async fn by_id(
        &self,
        one: &Related,
        pointer: &str,
        reference: &Value,
        from: &Held<'_>,
    ) -> Result<Result<RecordRow, RelatedRecords>, StoreError> {
        // Before anything is looked up: what is refused must not even tell whether it is there.
        if let Some((to, _)) = external_of(reference, &from.connection).filter(|_| own_id(reference).is_none())
            && let Err(why) = self.lead.allows(one, &from.connection, &to)
        {
            return Ok(Err(RelatedRecords::Refused(why)));
        }
        let Some(row) = find_live(self.store, self.tenant, one.kind, reference, &from.connection).await? else {
            let (name, what) = (&one.name, one.kind.name());
            return Ok(Err(RelatedRecords::Missing(text!(
                "with.{name}: the {what} that `{pointer}` means is not here",
                "with.{name}：`{pointer}` 所指的 {what} 不在此处"
            ))));
        };
        Ok(match self.lead.allows(one, &from.connection, &row.connection) {
            Ok(()) => Ok(row),
            Err(why) => Err(RelatedRecords::Refused(why)),
        })
    }

    /// The record that a reference means by a key. It is looked for only where the flow may look.
    async fn by_key(
        &self,
        one: &Related,
        pointer: &str,
        key: &WantedKey,
        from: &Held<'_>,
    ) -> Result<Result<RecordRow, RelatedRecords>, StoreError> {
        if let Some(to) = &key.connection
            && let Err(why) = self.lead.allows(one, &from.connection, to)
        {
            return Ok(Err(RelatedRecords::Refused(why)));
        }
        let among = if key.connection.is_some() { None } else { self.lead.among(one, &from.connection) };
        let found = self.store.keyed(self.tenant, key, among.as_deref()).await?;
        let (name, what, scheme) = (&one.name, one.kind.name(), key.scheme);
        Ok(match found {
            Keyed::One(row) => Ok(*row),
            Keyed::Several(count) => Err(RelatedRecords::Missing(text!(
                "with.{name}: {count} records of kind {what} have the {scheme} that `{pointer}` carries, so it means none of them; \
                 name the connection with the reference, or with the flow as `with.{name}.connection`",
                "with.{name}：有 {count} 条 {what} 的记录含有 `{pointer}` 中的 {scheme}，因此无法确定是哪一条；请在引用中写明连接，\
                 或在流程中写 `with.{name}.connection`"
            ))),
            // Elsewhere there may be one: what may not be looked up is not waited for either.
            Keyed::Nothing if among.is_some() && one.connections.is_empty() => {
                count_refused(&from.connection);
                Err(RelatedRecords::Refused(text!(
                    "with.{name}: a record of connection `{}` refers by {scheme} to a record of kind {what} that is not of its own \
                     connection, and the flow does not say where it may be looked up; write `with.{name}.connection`",
                    "with.{name}：连接 `{}` 的记录以 {scheme} 引用了不属于自身连接的 {what} 记录，而流程没有写明可以在哪里查找；\
                     请写 `with.{name}.connection`",
                    from.connection
                )))
            }
            Keyed::Nothing => Err(RelatedRecords::Missing(text!(
                "with.{name}: no record of kind {what} has the {scheme} that `{pointer}` carries",
                "with.{name}：没有 {what} 的记录含有 `{pointer}` 中的 {scheme}"
            ))),
        })
    }

    async fn list(&self, one: &Related, bounds: Bounds, parent: Parent) -> Result<Resolved, StoreError> {
        Ok(match list::read(self.store, self.tenant, one, bounds, parent, self.age_ms).await? {
            Listed::All(bodies) => {
                let shown = bodies.into_iter().map(|mut body| self.cut(one, &mut body));
                Resolved::Shown(Value::Array(shown.collect()), None)
            }
            Listed::TooFew(why) => Resolved::Ends(RelatedRecords::Missing(why)),
            Listed::TooMany(why) => Resolved::Ends(RelatedRecords::Refused(why)),
        })
    }

    /// What `map` may see of a record; what is withheld from the place is gone from the record itself.
    fn cut(&self, one: &Related, body: &mut Value) -> Value {
        if let Some(place) = self.lead.place {
            place.withheld(one.kind).remove(body);
        }
        one.fields.keep(body)
    }
}

/// Our own id, where a reference carries it.
fn own_id(reference: &Value) -> Option<RecordId> {
    reference["id"].as_str().and_then(|id| id.parse().ok())
}

/// The live record that a reference means: by our id where it has one, else by the id in the other system.
async fn find_live(
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
