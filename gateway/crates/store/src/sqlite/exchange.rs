//! Exchanges. The page and the number within it are one row number, so that a page's stand together and need no index.

use renmen_schema::id::{ConnectionName, ExchangeId, TenantId};
use rusqlite::{Connection, params};

use super::query::{all, one, run};
use crate::quota::PRUNED_PAGES_MAX;
use crate::rows::{self, EXCHANGE_BODY_JOIN, EXCHANGE_COLUMNS, REMOVED_COLUMNS};
use crate::sql::RemovedExchange;
use crate::{ExchangeRow, ExchangeWrite, StoreError, limits};

/// `id = page * 2^20 + number`.
const NUMBER_BITS: u32 = 20;

/// The row of an exchange; none for one that cannot be.
fn row_of(page: i64, no: u32) -> Option<i64> {
    let within = no < limits::EXCHANGES_MAX && (0..1 << 42).contains(&page);
    within.then(|| page << NUMBER_BITS | i64::from(no))
}

fn used_up() -> StoreError {
    StoreError::Fault("page numbers are used up".into())
}

/// The first and the last row that a page's exchanges may have.
fn range(page: i64) -> Result<[i64; 2], StoreError> {
    let first = row_of(page, 0).ok_or_else(used_up)?;
    let next = row_of(page + 1, 0).ok_or_else(used_up)?;
    Ok([first, next - 1])
}

pub(super) fn insert(connection: &Connection, page: i64, exchanges: &[ExchangeWrite]) -> Result<(), StoreError> {
    for exchange in exchanges {
        let row = row_of(page, exchange.no).ok_or_else(used_up)?;
        let sql = "INSERT INTO exchange (id, method, url, status, key, body_hash, at_ms, packed, shared)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
        let ExchangeWrite { method, url, status, key, body_hash, at_ms, .. } = exchange;
        let (own, body) = exchange.parts();
        run(connection, sql, params![row, method, url, status, key, body_hash, at_ms, own, body.is_some()])?;
    }
    Ok(())
}

fn select(filter: &str) -> String {
    format!(
        "SELECT x.id >> {NUMBER_BITS}, x.id & {}, {EXCHANGE_COLUMNS} FROM exchange x
         JOIN page p ON p.id = x.id >> {NUMBER_BITS} JOIN stream t ON t.id = p.stream {EXCHANGE_BODY_JOIN}
         WHERE t.tenant = ?1 AND {filter} ORDER BY x.id",
        (1 << NUMBER_BITS) - 1
    )
}

pub(super) fn get(
    connection: &Connection,
    tenant: &TenantId,
    id: ExchangeId,
) -> Result<Option<ExchangeRow>, StoreError> {
    let Some(row) = row_of(id.page, id.no) else { return Ok(None) };
    one(connection, &select("x.id = ?2"), params![tenant.as_str(), row], |row| rows::exchange(row))
}

pub(super) fn of_page(connection: &Connection, tenant: &TenantId, page: i64) -> Result<Vec<ExchangeRow>, StoreError> {
    let (Some(first), Some(next)) = (row_of(page, 0), row_of(page.saturating_add(1), 0)) else {
        return Ok(Vec::new());
    };
    let sql = select("x.id >= ?2 AND x.id < ?3");
    all(connection, &sql, params![tenant.as_str(), first, next], |row| rows::exchange(row))
}

/// Along the pages of all connections: each is passed once, and then never looked at again.
pub(super) fn pages(
    connection: &Connection,
    (tenant, name): (&TenantId, &ConnectionName),
    pages: std::ops::Range<i64>,
) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT p.id FROM page p WHERE p.id >= ?1 AND p.id < ?2 AND p.exchanges > 0
               AND +p.stream IN (SELECT id FROM stream WHERE tenant = ?3 AND connection = ?4) ORDER BY p.id LIMIT ?5";
    let values = params![pages.start, pages.end, tenant.as_str(), name.as_str(), PRUNED_PAGES_MAX];
    all(connection, sql, values, |row| Ok(row.get::<_, i64>(0)?))
}

/// Takes a page's out.
pub(super) fn remove(connection: &Connection, page: i64) -> Result<Vec<RemovedExchange>, StoreError> {
    let sql = format!("DELETE FROM exchange WHERE id BETWEEN ?1 AND ?2 RETURNING {REMOVED_COLUMNS}");
    all(connection, &sql, range(page)?, |row| rows::removed_exchange(row))
}
