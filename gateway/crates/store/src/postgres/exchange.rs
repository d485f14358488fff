//! Exchanges, by page and number within it.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, ExchangeId, TenantId};

use super::query::{all, one, run};
use crate::quota::PRUNED_PAGES_MAX;
use crate::rows::{self, Columns, EXCHANGE_COLUMNS};
use crate::sql::PrunedExchanges;
use crate::{ExchangeRow, ExchangeWrite, StoreError};

pub(super) async fn insert(
    client: &impl GenericClient,
    page: i64,
    exchanges: &[ExchangeWrite],
) -> Result<(), StoreError> {
    insert_all(client, &exchanges.iter().map(|exchange| (page, exchange)).collect::<Vec<_>>()).await
}

/// Exchanges of several pages.
pub(super) async fn insert_all(
    client: &impl GenericClient,
    exchanges: &[(i64, &ExchangeWrite)],
) -> Result<(), StoreError> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let all = || exchanges.iter().map(|(_, exchange)| *exchange);
    let column = |of: fn(&ExchangeWrite) -> i64| all().map(of).collect::<Vec<_>>();
    let bytes = |of: fn(&ExchangeWrite) -> &[u8]| all().map(of).collect::<Vec<_>>();
    let pages: Vec<i64> = exchanges.iter().map(|(page, _)| *page).collect();
    let methods: Vec<_> = all().map(|exchange| exchange.method.as_str()).collect();
    let urls: Vec<_> = all().map(|exchange| exchange.url.as_str()).collect();
    run(
        client,
        "INSERT INTO exchange (page, no, method, url, status, key, body_hash, at_ms, packed)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bigint[],
         $9::bytea[])",
        &[
            &pages,
            &column(|exchange| i64::from(exchange.no)),
            &methods,
            &urls,
            &column(|exchange| i64::from(exchange.status)),
            &bytes(|exchange| &exchange.key),
            &bytes(|exchange| &exchange.body_hash),
            &column(|exchange| exchange.at_ms),
            &bytes(|exchange| &exchange.packed),
        ],
    )
    .await
    .map(drop)
}

fn select(filter: &str) -> String {
    format!(
        "SELECT x.page, x.no, {EXCHANGE_COLUMNS} FROM exchange x JOIN page p ON p.id = x.page JOIN stream t ON t.id = p.stream
         WHERE t.tenant = $1 AND x.page = $2 {filter} ORDER BY x.no"
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
pub(super) async fn prune(
    client: &impl GenericClient,
    (tenant, name): (&TenantId, &ConnectionName),
    pages: std::ops::Range<i64>,
    excess: i64,
) -> Result<PrunedExchanges, StoreError> {
    let sql = "SELECT p.id, (SELECT coalesce(sum(octet_length(e.packed) + octet_length(e.url) + 150), 0)::bigint
               FROM exchange e WHERE e.page = p.id) FROM page p JOIN stream t ON t.id = p.stream
               WHERE p.id >= $1 AND p.id < $2 AND p.exchanges > 0 AND t.tenant = $3 AND t.connection = $4
               ORDER BY p.id LIMIT $5";
    let values: super::query::Values<'_> =
        &[&pages.start, &pages.end, &tenant.as_str(), &name.as_str(), &PRUNED_PAGES_MAX];
    let found = all(client, sql, values).await?;
    let mut pruned = PrunedExchanges { pages: found.len(), up_to: pages.start, ..PrunedExchanges::default() };
    let mut old = Vec::new();
    for row in &found {
        if pruned.bytes >= excess {
            break;
        }
        old.push(row.int(0)?);
        pruned.bytes += row.int(1)?;
        pruned.up_to = row.int(0)? + 1;
    }
    pruned.exchanges = run(client, "DELETE FROM exchange WHERE page = ANY($1)", &[&old]).await?;
    Ok(pruned)
}
