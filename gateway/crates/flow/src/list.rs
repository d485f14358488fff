//! The records that belong to one record, as a list: those of its own connection, of the connections that the flow names, and what
//! the gateway wrote about it. Any other connection may name the same record in its own, and nothing of it is read.
//!
//! A correction that a person made stands in the place of what it corrects. Which records belong to which is noted after they were
//! committed, by the follower of the feed; [`known_up_to`] says how far.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_schema::{Text, text};
use renmen_store::{BUILT_IN_CONNECTION, LINKS_STREAM, LinkedQuery, Parent, RecordRow, Store, StoreError, StreamKey};
use serde_json::Value;

use crate::definition::{Bounds, Related};
use crate::options::millis;

/// Corrections that are read along with the records of one list.
const CORRECTIONS_MAX: usize = 200;

/// The outcome of reading a list.
pub(crate) enum Listed {
    /// The records, in the order in which the first of each was committed.
    All(Vec<Value>),
    /// Fewer than are wanted: why.
    TooFew(Text),
    /// More than the flow may send, or one that cannot be read: why.
    TooMany(Text),
}

/// Reads one list for a change of this age. What is withheld is still in its records.
pub(crate) async fn read(
    store: &dyn Store,
    tenant: &TenantId,
    one: &Related,
    bounds: Bounds,
    parent: Parent,
    age_ms: i64,
) -> Result<Listed, StoreError> {
    let built_in = built_in();
    let mut connections = one.connections.clone();
    connections.extend([parent.connection.clone(), built_in.clone()]);
    connections.sort_unstable();
    connections.dedup();
    let (name, kind, of) = (&one.name, one.kind.name(), parent.entity.clone());
    let Bounds { least, wait, most } = bounds;
    let limit = most + CORRECTIONS_MAX + 1;
    let query = LinkedQuery {
        parent,
        connections,
        entities: vec![kind.to_owned()],
        after: None,
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    let rows = store.linked(tenant, &query).await?;
    let many = rows.len() >= limit;
    let mut bodies = Vec::with_capacity(rows.len());
    for row in rows {
        let Ok(body) = serde_json::from_slice::<Value>(&row.body) else {
            return Ok(Listed::TooMany(text!(
                "with.{name}: the body of a {kind} is damaged",
                "with.{name}：一条 {kind} 的内容已损坏"
            )));
        };
        bodies.push((row, body));
    }
    let listed = in_force(bodies, &built_in);
    if many || listed.len() > most {
        return Ok(Listed::TooMany(text!(
            "with.{name}: more than {most} records of {kind} belong to this {of}, or more than {CORRECTIONS_MAX} corrections of \
             them; what is over is not left out in silence: raise `with.{name}.most` (up to {}), or send them another way",
            "with.{name}：属于此 {of} 的 {kind} 记录超过 {most} 条，或其更正超过 {CORRECTIONS_MAX} 条；超出部分不会被悄悄略去：\
             请调高 `with.{name}.most`（最高 {}），或用其他方式发送",
            crate::LIST_MAX
        )));
    }
    if listed.len() < least && wait.is_none_or(|wait| age_ms < millis(wait)) {
        let found = listed.len();
        return Ok(Listed::TooFew(text!(
            "with.{name}: {found} of {least} records of {kind} are here",
            "with.{name}：{least} 条 {kind} 记录中已有 {found} 条"
        )));
    }
    Ok(Listed::All(listed))
}

/// Up to which change of the feed it is known what belongs to what. 0 before anything is.
pub(crate) async fn known_up_to(store: &dyn Store, tenant: &TenantId) -> Result<i64, StoreError> {
    let stream = StreamName::new(LINKS_STREAM).expect("a name of ours is well formed");
    let key = StreamKey { tenant: tenant.clone(), connection: built_in(), stream };
    let cursor = store.stream_state(&key).await?.cursor;
    Ok(cursor.and_then(|text| text.parse().ok()).unwrap_or(0))
}

fn built_in() -> ConnectionName {
    ConnectionName::new(BUILT_IN_CONNECTION).expect("a name of ours is well formed")
}

/// The records with the last correction of each in its place. The gateway alone corrects: what a vendor calls a correction is a
/// record like any other.
fn in_force(rows: Vec<(RecordRow, Value)>, built_in: &ConnectionName) -> Vec<Value> {
    let corrected = |(row, body): &(RecordRow, Value)| -> Option<RecordId> {
        (row.connection == *built_in).then(|| body["adjusts"]["id"].as_str()?.parse().ok())?
    };
    let (mut corrections, plain): (Vec<_>, Vec<_>) = rows.into_iter().partition(|one| corrected(one).is_some());
    corrections.sort_by_key(|(row, _)| (number(&row.external_id), row.created_at_ms, row.id));
    let mut first_of: BTreeMap<RecordId, RecordId> = BTreeMap::new();
    let mut last: BTreeMap<RecordId, Value> = BTreeMap::new();
    for one in corrections {
        let Some(adjusts) = corrected(&one) else { continue };
        let original = first_of.get(&adjusts).copied().unwrap_or(adjusts);
        first_of.insert(one.0.id, original);
        last.insert(original, one.1);
    }
    plain.into_iter().map(|(row, body)| last.remove(&row.id).unwrap_or(body)).collect()
}

/// Corrections of one record are numbered, so that the last one is known even if the clock was changed meanwhile.
fn number(external_id: &str) -> u64 {
    external_id.rsplit_once('/').and_then(|(_, number)| number.parse().ok()).unwrap_or(0)
}
