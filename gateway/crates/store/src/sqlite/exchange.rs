//! Exchanges. The page and the number within it are one row number, so that a page's stand together and need no index. Where the number of
//! a page is too large for that (in the ranges of other databases), they stand in a table that is ordered by both.

use renmen_schema::id::{ConnectionName, ExchangeId, TenantId};
use rusqlite::{Connection, params};

use super::query::{all, one, run};
use crate::quota::PRUNED_PAGES_MAX;
use crate::retention::RemovedExchange;
use crate::rows::{self, EXCHANGE_BODY_JOIN, EXCHANGE_COLUMNS, REMOVED_COLUMNS};
use crate::{ExchangeRow, ExchangeWrite, StoreError, limits};

/// `id = page * 2^20 + number`.
const NUMBER_BITS: u32 = 20;

/// Pages from this number on are far.
pub(super) const FAR: i64 = 1 << 42;

/// The row of an exchange of a page that is not far; none for one that cannot be.
fn row_of(page: i64, no: u32) -> Option<i64> {
    let within = no < limits::EXCHANGES_MAX && (0..FAR).contains(&page);
    within.then(|| page << NUMBER_BITS | i64::from(no))
}

/// Where the exchanges of a page are: all of them, by two values.
fn of_one_page(page: i64) -> (&'static str, &'static str, [i64; 2]) {
    match (row_of(page, 0), row_of(page, limits::EXCHANGES_MAX - 1)) {
        (Some(first), Some(last)) => ("exchange", "id", [first, last]),
        _ => ("exchange_far", "page", [page, page]),
    }
}

/// The page of a row of `exchange`, for a statement.
pub(super) fn page_of(row: &str) -> String {
    format!("({row} >> {NUMBER_BITS})")
}

/// The number of a row within its page, for a statement.
pub(super) fn number_of(row: &str) -> String {
    format!("({row} & {})", (1 << NUMBER_BITS) - 1)
}

/// The row of a page and a number, for a statement.
pub(super) fn row_for(page: &str, no: &str) -> String {
    format!("(({page} << {NUMBER_BITS}) | {no})")
}

pub(super) fn insert(connection: &Connection, page: i64, exchanges: &[ExchangeWrite]) -> Result<(), StoreError> {
    for exchange in exchanges {
        let ExchangeWrite { method, url, status, key, body_hash, at_ms, no, .. } = exchange;
        let (own, body) = exchange.parts();
        let shared = body.is_some();
        match row_of(page, *no) {
            Some(row) => {
                let sql = "INSERT INTO exchange (id, method, url, status, key, body_hash, at_ms, packed, shared)
                           VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
                run(connection, sql, params![row, method, url, status, key, body_hash, at_ms, own, shared])?;
            }
            None => {
                let sql =
                    "INSERT INTO exchange_far (page, no, method, url, status, key, body_hash, at_ms, packed, shared)
                           VALUES (?1, ?9, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?10)";
                run(connection, sql, params![page, method, url, status, key, body_hash, at_ms, own, no, shared])?;
            }
        }
    }
    Ok(())
}

fn select(table: &str, filter: &str) -> String {
    let (page, no) = match table {
        "exchange" => (page_of("x.id"), number_of("x.id")),
        _ => ("x.page".to_owned(), "x.no".to_owned()),
    };
    format!(
        "SELECT {page}, {no}, {EXCHANGE_COLUMNS} FROM {table} x JOIN page p ON p.id = {page} JOIN stream t ON t.id = p.stream
         {EXCHANGE_BODY_JOIN} WHERE t.tenant = ?1 AND {filter} ORDER BY 1, 2"
    )
}

pub(super) fn get(
    connection: &Connection,
    tenant: &TenantId,
    id: ExchangeId,
) -> Result<Option<ExchangeRow>, StoreError> {
    match row_of(id.page, id.no) {
        Some(row) => {
            let sql = select("exchange", "x.id = ?2");
            one(connection, &sql, params![tenant.as_str(), row], |row| rows::exchange(row))
        }
        None => {
            let sql = select("exchange_far", "x.page = ?2 AND x.no = ?3");
            one(connection, &sql, params![tenant.as_str(), id.page, id.no], |row| rows::exchange(row))
        }
    }
}

pub(super) fn of_page(connection: &Connection, tenant: &TenantId, page: i64) -> Result<Vec<ExchangeRow>, StoreError> {
    let (table, column, [first, last]) = of_one_page(page);
    let sql = select(table, &format!("x.{column} BETWEEN ?2 AND ?3"));
    all(connection, &sql, params![tenant.as_str(), first, last], |row| rows::exchange(row))
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
    let (table, column, rows) = of_one_page(page);
    let sql = format!("DELETE FROM {table} WHERE {column} BETWEEN ?1 AND ?2 RETURNING {REMOVED_COLUMNS}");
    all(connection, &sql, rows, |row| rows::removed_exchange(row))
}
