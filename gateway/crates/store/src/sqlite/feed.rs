//! The change feed and what was read to make it: changes, pages, exchanges.

use renmen_schema::id::{ExchangeId, TenantId};
use rusqlite::{Connection, params};

use super::query::{all, number, one, run};
use crate::identity::IdKey;
use crate::rows::{self, CHANGE_COLUMNS, EXCHANGE_COLUMNS, PAGE_COLUMNS};
use crate::{ChangeRow, ExchangeRow, PageRow, StoreError, StreamKey, limits};

/// The feed's last entry.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Head {
    pub(super) seq: i64,
    pub(super) at_ms: i64,
}

/// The feed's last entry; zeros when there is none.
pub(super) fn head(connection: &Connection) -> Result<Head, StoreError> {
    at_or_before(connection, i64::MAX).map(Option::unwrap_or_default)
}

fn at_or_before(connection: &Connection, seq: i64) -> Result<Option<Head>, StoreError> {
    one(connection, "SELECT seq, at_ms FROM change WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1", [seq], |row| {
        Ok(Head { seq: row.get(0)?, at_ms: row.get(1)? })
    })
}

/// Begins an epoch at the feed's end.
pub(super) fn begin_epoch(connection: &Connection) -> Result<(), StoreError> {
    let sql = "INSERT INTO feed_epoch (token, begins_after) VALUES (?1, ?2)";
    run(connection, sql, [i64::from(rand::random::<u32>()), head(connection)?.seq]).map(drop)
}

/// The epoch that is not over.
pub(super) fn epoch(connection: &Connection) -> Result<u32, StoreError> {
    let token = number(connection, "SELECT token FROM feed_epoch ORDER BY no DESC LIMIT 1", [])?;
    rows::epoch(token)
}

pub(super) fn holds_position(connection: &Connection, seq: i64, epoch: Option<u32>) -> Result<bool, StoreError> {
    let mut last = head(connection)?.seq;
    if let Some(token) = epoch {
        let no = number(connection, "SELECT no FROM feed_epoch WHERE token = ?1", [i64::from(token)])?;
        let Some(no) = no else { return Ok(false) };
        let sql = "SELECT begins_after FROM feed_epoch WHERE no > ?1 ORDER BY no LIMIT 1";
        last = number(connection, sql, [no])?.unwrap_or(last);
    }
    Ok(seq <= last)
}

/// The last position before a time. The feed's times never go back, so halving finds it without an index.
pub(super) fn before(connection: &Connection, time_ms: i64) -> Result<i64, StoreError> {
    let (mut before, mut after) = (0, head(connection)?.seq + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        if at_or_before(connection, middle)?.is_none_or(|entry| entry.at_ms < time_ms) {
            before = middle;
        } else {
            after = middle;
        }
    }
    Ok(before)
}

pub(super) fn changes(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    after_seq: i64,
    entity: Option<&str>,
    limit: u32,
) -> Result<Vec<ChangeRow>, StoreError> {
    // CROSS JOIN keeps the feed as the outer loop: its order is the answer's.
    let sql = format!(
        "SELECT {CHANGE_COLUMNS} FROM change c CROSS JOIN scope s ON s.id = c.scope CROSS JOIN record r ON r.id = c.record
         WHERE c.seq > ?1 AND s.tenant = ?2 AND (?3 IS NULL OR s.entity = ?3) ORDER BY c.seq LIMIT ?4"
    );
    all(connection, &sql, params![after_seq, tenant.as_str(), entity, limits::list_limit(limit)], |row| {
        rows::change(row, ids)
    })
}

/// `id = page * 2^20 + number`.
const NUMBER_BITS: u32 = 20;

/// The row of an exchange; none for one that cannot be.
pub(super) fn exchange_row(page: i64, no: u32) -> Option<i64> {
    let within = no < limits::EXCHANGES_MAX && (0..1 << 42).contains(&page);
    within.then(|| page << NUMBER_BITS | i64::from(no))
}

fn exchange_sql(filter: &str) -> String {
    format!(
        "SELECT x.id >> {NUMBER_BITS}, x.id & {}, {EXCHANGE_COLUMNS} FROM exchange x
         JOIN page p ON p.id = x.id >> {NUMBER_BITS} JOIN stream t ON t.id = p.stream
         WHERE t.tenant = ?1 AND {filter} ORDER BY x.id",
        (1 << NUMBER_BITS) - 1
    )
}

pub(super) fn exchange(
    connection: &Connection,
    tenant: &TenantId,
    id: ExchangeId,
) -> Result<Option<ExchangeRow>, StoreError> {
    let Some(row) = exchange_row(id.page, id.no) else { return Ok(None) };
    one(connection, &exchange_sql("x.id = ?2"), params![tenant.as_str(), row], |row| rows::exchange(row))
}

pub(super) fn page_exchanges(
    connection: &Connection,
    tenant: &TenantId,
    page: i64,
) -> Result<Vec<ExchangeRow>, StoreError> {
    let (Some(first), Some(next)) = (exchange_row(page, 0), exchange_row(page.saturating_add(1), 0)) else {
        return Ok(Vec::new());
    };
    let sql = exchange_sql("x.id >= ?2 AND x.id < ?3");
    all(connection, &sql, params![tenant.as_str(), first, next], |row| rows::exchange(row))
}

pub(super) fn pages(
    connection: &Connection,
    key: &StreamKey,
    after: i64,
    limit: u32,
) -> Result<Vec<PageRow>, StoreError> {
    let sql = format!(
        "SELECT {PAGE_COLUMNS} FROM stream t JOIN page p ON p.stream = t.id
         WHERE t.tenant = ?1 AND t.connection = ?2 AND t.stream = ?3 AND p.id > ?4 ORDER BY p.id LIMIT ?5"
    );
    let StreamKey { tenant, connection: name, stream } = key;
    let values = params![tenant.as_str(), name.as_str(), stream.as_str(), after, limits::list_limit(limit)];
    all(connection, &sql, values, |row| rows::page(row))
}
