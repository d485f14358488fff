//! The change feed. `CROSS JOIN` keeps the feed as the outer loop: its order is the answer's.

use renmen_schema::id::TenantId;
use rusqlite::{Connection, params};

use super::query::all;
use crate::identity::IdKeys;
use crate::outbox::FeedEntry;
use crate::outbox::rows::feed_entry;
use crate::outbox::sql::{feed_columns, feed_joins};
use crate::rows::{self, CHANGE_COLUMNS};
use crate::{ChangeRow, StoreError, limits};

pub(super) fn changes(
    connection: &Connection,
    ids: &IdKeys,
    tenant: &TenantId,
    after_seq: i64,
    entity: Option<&str>,
    limit: u32,
) -> Result<Vec<ChangeRow>, StoreError> {
    let sql = format!(
        "SELECT {CHANGE_COLUMNS} FROM change c CROSS JOIN scope s ON s.id = c.scope CROSS JOIN record r ON r.id = c.record
         WHERE c.feed = (SELECT id FROM feed WHERE tenant = ?2) AND c.seq > ?1 AND (?3 IS NULL OR s.entity = ?3)
         ORDER BY c.seq LIMIT ?4"
    );
    let values = params![after_seq, tenant.as_str(), entity, limits::list_limit(limit)];
    all(connection, &sql, values, |row| rows::change(row, ids))
}

/// Changes of one entity after a position and up to another, with their bodies.
pub(super) fn entries(
    connection: &Connection,
    ids: &IdKeys,
    (tenant, entity): (&TenantId, &str),
    (after, up_to): (i64, i64),
    limit: i64,
) -> Result<Vec<FeedEntry>, StoreError> {
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c CROSS JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE c.feed = (SELECT id FROM feed WHERE tenant = ?3) AND c.seq > ?1 AND c.seq <= ?2 AND s.entity = ?4
         ORDER BY c.seq LIMIT ?5"
    );
    let values = params![after, up_to, tenant.as_str(), entity, limit];
    all(connection, sql, values, |row| feed_entry(row, ids))
}

/// The last changes of one entity, with their bodies.
pub(super) fn tail(
    connection: &Connection,
    ids: &IdKeys,
    (tenant, entity): (&TenantId, &str),
    limit: u32,
) -> Result<Vec<FeedEntry>, StoreError> {
    let sql = concat!(
        "SELECT ",
        feed_columns!(),
        " FROM change c CROSS JOIN scope s ON s.id = c.scope",
        feed_joins!(),
        "WHERE c.feed = (SELECT id FROM feed WHERE tenant = ?1) AND s.entity = ?2 ORDER BY c.seq DESC LIMIT ?3"
    );
    let values = params![tenant.as_str(), entity, limits::list_limit(limit)];
    let mut entries = all(connection, sql, values, |row| feed_entry(row, ids))?;
    entries.reverse();
    Ok(entries)
}
