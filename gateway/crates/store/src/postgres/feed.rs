//! The change feed and what was read to make it: changes, pages, exchanges.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{ExchangeId, TenantId};

use super::query::{all, must, number, one, run};
use crate::identity::IdKey;
use crate::rows::{self, CHANGE_COLUMNS, Columns, EXCHANGE_COLUMNS, PAGE_COLUMNS};
use crate::{ChangeRow, ExchangeRow, PageRow, StoreError, StreamKey, limits};

/// The feed's last position.
pub(super) async fn head(client: &impl GenericClient) -> Result<i64, StoreError> {
    must(client, "SELECT seq FROM feed", &[]).await
}

/// Begins an epoch at the feed's end.
pub(super) async fn begin_epoch(client: &impl GenericClient) -> Result<(), StoreError> {
    let sql = "INSERT INTO feed_epoch (token, begins_after) SELECT $1, seq FROM feed";
    run(client, sql, &[&i64::from(rand::random::<u32>())]).await.map(drop)
}

/// The epoch that is not over.
pub(super) async fn epoch(client: &impl GenericClient) -> Result<u32, StoreError> {
    rows::epoch(number(client, "SELECT token FROM feed_epoch ORDER BY no DESC LIMIT 1", &[]).await?)
}

pub(super) async fn holds_position(
    client: &impl GenericClient,
    seq: i64,
    epoch: Option<u32>,
) -> Result<bool, StoreError> {
    let mut last = head(client).await?;
    if let Some(token) = epoch {
        let no = number(client, "SELECT no FROM feed_epoch WHERE token = $1", &[&i64::from(token)]).await?;
        let Some(no) = no else { return Ok(false) };
        let sql = "SELECT begins_after FROM feed_epoch WHERE no > $1 ORDER BY no LIMIT 1";
        last = number(client, sql, &[&no]).await?.unwrap_or(last);
    }
    Ok(seq <= last)
}

/// The last position before a time. The feed's times never go back, so halving finds it without an index.
pub(super) async fn before(client: &impl GenericClient, time_ms: i64) -> Result<i64, StoreError> {
    let (mut before, mut after) = (0, head(client).await? + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let sql = "SELECT at_ms FROM change WHERE seq <= $1 ORDER BY seq DESC LIMIT 1";
        let at_ms = one(client, sql, &[&middle]).await?.map(|row| row.int(0)).transpose()?;
        if at_ms.is_none_or(|at_ms| at_ms < time_ms) {
            before = middle;
        } else {
            after = middle;
        }
    }
    Ok(before)
}

pub(super) async fn changes(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    after_seq: i64,
    entity: Option<&str>,
    limit: u32,
) -> Result<Vec<ChangeRow>, StoreError> {
    // Each scope gives its next few by its own index; the first of them all are the answer.
    let sql = format!(
        "SELECT {CHANGE_COLUMNS} FROM (
            SELECT e.* FROM scope w CROSS JOIN LATERAL
                (SELECT * FROM change f WHERE f.scope = w.id AND f.seq > $1 ORDER BY f.seq LIMIT $4) e
            WHERE w.tenant = $2 AND ($3::text IS NULL OR w.entity = $3) ORDER BY e.seq LIMIT $4) c
         JOIN scope s ON s.id = c.scope JOIN record r ON r.id = c.record ORDER BY c.seq"
    );
    let limit = limits::list_limit(limit);
    let rows = all(client, &sql, &[&after_seq, &tenant.as_str(), &entity, &limit]).await?;
    rows.iter().map(|row| rows::change(row, ids)).collect()
}

fn exchange_sql(filter: &str) -> String {
    format!(
        "SELECT x.page, x.no, {EXCHANGE_COLUMNS} FROM exchange x JOIN page p ON p.id = x.page JOIN stream t ON t.id = p.stream
         WHERE t.tenant = $1 AND x.page = $2 {filter} ORDER BY x.no"
    )
}

pub(super) async fn exchange(
    client: &impl GenericClient,
    tenant: &TenantId,
    id: ExchangeId,
) -> Result<Option<ExchangeRow>, StoreError> {
    let no = i64::from(id.no);
    let row = one(client, &exchange_sql("AND x.no = $3"), &[&tenant.as_str(), &id.page, &no]).await?;
    row.as_ref().map(rows::exchange).transpose()
}

pub(super) async fn page_exchanges(
    client: &impl GenericClient,
    tenant: &TenantId,
    page: i64,
) -> Result<Vec<ExchangeRow>, StoreError> {
    all(client, &exchange_sql(""), &[&tenant.as_str(), &page]).await?.iter().map(rows::exchange).collect()
}

pub(super) async fn pages(
    client: &impl GenericClient,
    key: &StreamKey,
    after: i64,
    limit: u32,
) -> Result<Vec<PageRow>, StoreError> {
    let sql = format!(
        "SELECT {PAGE_COLUMNS} FROM stream t JOIN page p ON p.stream = t.id
         WHERE t.tenant = $1 AND t.connection = $2 AND t.stream = $3 AND p.id > $4 ORDER BY p.id LIMIT $5"
    );
    let (tenant, connection, stream) = (key.tenant.as_str(), key.connection.as_str(), key.stream.as_str());
    let rows = all(client, &sql, &[&tenant, &connection, &stream, &after, &limits::list_limit(limit)]).await?;
    rows.iter().map(rows::page).collect()
}
