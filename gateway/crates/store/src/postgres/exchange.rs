//! Exchanges, by page and number within it.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, ExchangeId, TenantId};

use super::query::{all, one, run};
use crate::quota::PRUNED_PAGES_MAX;
use crate::retention::RemovedExchange;
use crate::rows::{self, Columns, EXCHANGE_BODY_JOIN, EXCHANGE_COLUMNS, REMOVED_COLUMNS};
use crate::{ExchangeRow, ExchangeWrite, StoreError};

pub(super) async fn insert(
    client: &impl GenericClient,
    page: i64,
    exchanges: &[ExchangeWrite],
) -> Result<(), StoreError> {
    let rows: Vec<_> = exchanges.iter().map(|exchange| (page, exchange, exchange.parts())).collect();
    insert_rows(client, &rows).await
}

/// Exchanges of several pages, each with its body.
pub(super) async fn insert_whole(
    client: &impl GenericClient,
    exchanges: &[(i64, &ExchangeWrite)],
) -> Result<(), StoreError> {
    let whole = exchanges.iter().map(|(page, exchange)| (*page, *exchange, (exchange.packed.as_slice(), None)));
    insert_rows(client, &whole.collect::<Vec<_>>()).await
}

/// An exchange of a page, what is kept with it, and the body that it shares.
type ExchangeToInsert<'e> = (i64, &'e ExchangeWrite, (&'e [u8], Option<&'e [u8]>));

async fn insert_rows(client: &impl GenericClient, exchanges: &[ExchangeToInsert<'_>]) -> Result<(), StoreError> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let all = || exchanges.iter().map(|(_, exchange, _)| *exchange);
    let column = |of: fn(&ExchangeWrite) -> i64| all().map(of).collect::<Vec<_>>();
    let bytes = |of: fn(&ExchangeWrite) -> &[u8]| all().map(of).collect::<Vec<_>>();
    let pages: Vec<i64> = exchanges.iter().map(|(page, ..)| *page).collect();
    let packed: Vec<&[u8]> = exchanges.iter().map(|(.., (own, _))| *own).collect();
    let shared: Vec<i64> = exchanges.iter().map(|(.., (_, body))| i64::from(body.is_some())).collect();
    let methods: Vec<_> = all().map(|exchange| exchange.method.as_str()).collect();
    let urls: Vec<_> = all().map(|exchange| exchange.url.as_str()).collect();
    run(
        client,
        "INSERT INTO exchange (page, no, method, url, status, key, body_hash, at_ms, packed, shared)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bigint[],
         $9::bytea[], $10::bigint[])",
        &[
            &pages,
            &column(|exchange| i64::from(exchange.no)),
            &methods,
            &urls,
            &column(|exchange| i64::from(exchange.status)),
            &bytes(|exchange| &exchange.key),
            &bytes(|exchange| &exchange.body_hash),
            &column(|exchange| exchange.at_ms),
            &packed,
            &shared,
        ],
    )
    .await
    .map(drop)
}

fn select(filter: &str) -> String {
    format!(
        "SELECT x.page, x.no, {EXCHANGE_COLUMNS} FROM exchange x JOIN page p ON p.id = x.page JOIN stream t ON t.id = p.stream
         {EXCHANGE_BODY_JOIN} WHERE t.tenant = $1 AND x.page = $2 {filter} ORDER BY x.no"
    )
}

pub(super) async fn get(
    client: &impl GenericClient,
    tenant: &TenantId,
    id: ExchangeId,
) -> Result<Option<ExchangeRow>, StoreError> {
    let no = i64::from(id.no);
    let row = one(client, &select("AND x.no = $3"), &[&tenant.as_str(), &id.page, &no]).await?;
    row.map(|row| rows::exchange(&row)).transpose()
}

pub(super) async fn of_page(
    client: &impl GenericClient,
    tenant: &TenantId,
    page: i64,
) -> Result<Vec<ExchangeRow>, StoreError> {
    all(client, &select(""), &[&tenant.as_str(), &page]).await?.iter().map(|row| rows::exchange(row)).collect()
}

/// Along the pages of all connections: each is passed once, and then never looked at again.
pub(super) async fn pages(
    client: &impl GenericClient,
    (tenant, name): (&TenantId, &ConnectionName),
    pages: std::ops::Range<i64>,
) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT p.id FROM page p JOIN stream t ON t.id = p.stream
               WHERE p.id >= $1 AND p.id < $2 AND p.exchanges > 0 AND t.tenant = $3 AND t.connection = $4
               ORDER BY p.id LIMIT $5";
    let values: super::query::Values<'_> =
        &[&pages.start, &pages.end, &tenant.as_str(), &name.as_str(), &PRUNED_PAGES_MAX];
    all(client, sql, values).await?.iter().map(|row| row.int(0)).collect()
}

/// Takes a page's out.
pub(super) async fn remove(client: &impl GenericClient, page: i64) -> Result<Vec<RemovedExchange>, StoreError> {
    let sql = format!("DELETE FROM exchange WHERE page = $1 RETURNING {REMOVED_COLUMNS}");
    all(client, &sql, &[&page]).await?.iter().map(|row| rows::removed_exchange(row)).collect()
}
