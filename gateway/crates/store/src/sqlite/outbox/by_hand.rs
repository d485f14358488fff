//! Deliveries that people make, and the change of a record that they are made for.

use renmen_schema::id::{RecordId, TenantId};
use rusqlite::{Connection, params};

use super::flow;
use crate::StoreError;
use crate::identity::{self, IdKey};
use crate::outbox::sql::{self, feed_columns, feed_joins};
use crate::outbox::{BY_HAND, FeedEntry, HandMade, rows};
use crate::sqlite::query::{number, one, run};

pub(super) fn last_change(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    record: RecordId,
) -> Result<Option<FeedEntry>, StoreError> {
    let Some(row) = identity::row_of(record) else { return Ok(None) };
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE c.seq = (SELECT seq FROM record WHERE id = $1) AND s.tenant = $2"
    );
    let found = one(connection, sql, params![row, tenant.as_str()], |row| rows::feed_entry(row, ids))?;
    // A number alone is not an id of ours.
    Ok(found.filter(|entry| entry.change.id == record))
}

pub(super) fn made(connection: &Connection, key: [u8; 16]) -> Result<Option<i64>, StoreError> {
    number(connection, sql::HAND_MADE, params![key])
}

pub(super) fn make(connection: &Connection, made: &HandMade) -> Result<(i64, bool), StoreError> {
    if let Some(id) = self::made(connection, made.delivery.key)? {
        return Ok((id, false));
    }
    let tenant = made.tenant.as_str();
    let (flow, version) = match made.flow {
        Some((flow, version)) => {
            if number(connection, sql::HAND_FLOW_STANDS, params![flow, version])?.is_none() {
                return Err(StoreError::Fenced(format!("flow {flow} changed since it was read")));
            }
            (flow, version)
        }
        None => {
            run(connection, sql::HAND_FLOW_INSERT, params![tenant, BY_HAND, made.now_ms])?;
            let of = "SELECT id FROM flow WHERE tenant = $1 AND name = $2";
            let flow = number(connection, of, params![tenant, BY_HAND])?;
            (flow.ok_or_else(|| StoreError::Fault("the flow's row vanished".into()))?, 1)
        }
    };
    let new = (&made.delivery, Some(made.by_hand.as_str()));
    Ok((flow::insert(connection, tenant, flow, version, new, made.now_ms)?, true))
}
