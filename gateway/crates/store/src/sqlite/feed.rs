//! The change feed. `CROSS JOIN` keeps the feed as the outer loop: its order is the answer's.

use renmen_schema::id::TenantId;
use rusqlite::{Connection, params};

use super::query::{all, one};
use crate::identity::IdKey;
use crate::outbox::FeedEntry;
use crate::outbox::rows::feed_entry;
use crate::outbox::sql::{feed_columns, feed_joins};
use crate::rows::{self, CHANGE_COLUMNS};
use crate::{ChangeRow, StoreError, limits};

/// Position and time of the feed's last entry; zeros when there is none.
pub(super) fn last(connection: &Connection) -> Result<(i64, i64), StoreError> {
    let sql = "SELECT seq, at_ms FROM change ORDER BY seq DESC LIMIT 1";
    one(connection, sql, [], |row| Ok((row.get(0)?, row.get(1)?))).map(Option::unwrap_or_default)
}

/// The feed's last position.
pub(super) fn head(connection: &Connection) -> Result<i64, StoreError> {
    last(connection).map(|(seq, _)| seq)
}

pub(super) fn changes(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    after_seq: i64,
    entity: Option<&str>,
    limit: u32,
) -> Result<Vec<ChangeRow>, StoreError> {
    let sql = format!(
        "SELECT {CHANGE_COLUMNS} FROM change c CROSS JOIN scope s ON s.id = c.scope CROSS JOIN record r ON r.id = c.record
         WHERE c.seq > ?1 AND s.tenant = ?2 AND (?3 IS NULL OR s.entity = ?3) ORDER BY c.seq LIMIT ?4"
    );
    let values = params![after_seq, tenant.as_str(), entity, limits::list_limit(limit)];
    all(connection, &sql, values, |row| rows::change(row, ids))
}

/// Changes of one entity after a position and up to another, with their bodies.
pub(super) fn entries(
    connection: &Connection,
    ids: &IdKey,
    (tenant, entity): (&TenantId, &str),
    (after, up_to): (i64, i64),
    limit: i64,
) -> Result<Vec<FeedEntry>, StoreError> {
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c CROSS JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE c.seq > ?1 AND c.seq <= ?2 AND s.tenant = ?3 AND s.entity = ?4 ORDER BY c.seq LIMIT ?5"
    );
    let values = params![after, up_to, tenant.as_str(), entity, limit];
    all(connection, sql, values, |row| feed_entry(row, ids))
}

/// The last changes of one entity, with their bodies.
pub(super) fn tail(
    connection: &Connection,
    ids: &IdKey,
    (tenant, entity): (&TenantId, &str),
    limit: u32,
) -> Result<Vec<FeedEntry>, StoreError> {
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c CROSS JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE s.tenant = ?1 AND s.entity = ?2 ORDER BY c.seq DESC LIMIT ?3"
    );
    let values = params![tenant.as_str(), entity, limits::list_limit(limit)];
    let mut entries = all(connection, sql, values, |row| feed_entry(row, ids))?;
    entries.reverse();
    Ok(entries)
}
