//! One page, one transaction: fence, records, exchanges, quarantine, sweep, cursor, figures. A statement for each kind of row,
//! whatever the number of rows.

use std::collections::BTreeMap;

use deadpool_postgres::{GenericClient, Transaction};
use renmen_schema::id::{ConnectionName, TenantId};

use super::pen::Pen;
use super::query::{all, must, number, run};
use super::run::{self as runs, LiveStream};
use super::{ledger, note, quarantine, sweep};
use crate::decide::last_wins;
use crate::quota::Charge;
use crate::rows::Columns;
use crate::{CommitOutcome, ExchangeWrite, PageCommit, Quota, RecordWrite, StoreError, failpoint};

pub(super) async fn commit_page(
    transaction: &Transaction<'_>,
    mut page: PageCommit,
    quota: &Quota,
) -> Result<CommitOutcome, StoreError> {
    let mut pen = Pen::take(transaction, &page.key.tenant, page.now_ms).await?;
    let stream = fence(transaction, &page).await?;
    pen.page = insert_page(transaction, &stream, &page).await?;
    insert_exchanges(transaction, pen.page, &page.exchanges).await?;

    let mut scopes = Scopes::new(&page.key.tenant, &page.key.connection);
    let listed = page.records.len() + page.unchanged.len() + page.quarantine.len();
    let records = last_wins(std::mem::take(&mut page.records));
    pen.tally.outcome.repeated = (listed - page.unchanged.len() - page.quarantine.len() - records.len()) as u64;
    pen.tally.outcome.unchanged = page.unchanged.len() as u64;
    pen.put(&mut scopes, stream.id, &records).await?;
    quarantine::resolve(transaction, stream.id, &records, &page.unchanged).await?;
    pen.tally.outcome.quarantined = page.quarantine.len() as u64;
    quarantine::insert(transaction, &stream, pen.page, &page).await?;
    let sweep_from = sweep::apply(&mut pen, &scopes, &stream, &page).await?;
    failpoint::reach("after_records");

    let outcome = charged(transaction, pen, &page, quota).await?;
    run(
        transaction,
        "UPDATE stream SET cursor = $2, mid_run = $3, sweep_from = $4,
         sweep_partial = CASE WHEN $5 THEN $6 ELSE greatest(sweep_partial, $6) END WHERE id = $1",
        &[
            &stream.id,
            &page.cursor_after,
            &i64::from(page.has_more),
            &sweep_from,
            &page.sweep.is_none_or(|sweep| sweep.begins),
            &i64::from(page.sweep.is_some_and(|sweep| sweep.partial)),
        ],
    )
    .await?;
    add_to_run(transaction, &page, listed, &outcome).await?;
    Ok(outcome)
}

/// What a delivery or a targeted read brought for one stream: no cursor, no sweep, and perhaps out of order. The pen is the
/// commit's own and ends here. Gives the page.
pub(super) async fn take_page(
    transaction: &Transaction<'_>,
    mut pen: Pen<'_>,
    stream: &LiveStream,
    mut page: PageCommit,
    quota: &Quota,
) -> Result<(i64, CommitOutcome), StoreError> {
    let page_id = insert_page(transaction, stream, &page).await?;
    insert_exchanges(transaction, page_id, &page.exchanges).await?;
    (pen.page, pen.events) = (page_id, true);
    let mut scopes = Scopes::new(&page.key.tenant, &page.key.connection);
    let listed = page.records.len() + page.quarantine.len();
    let records = last_wins(std::mem::take(&mut page.records));
    pen.tally.outcome.repeated = (listed - page.quarantine.len() - records.len()) as u64;
    pen.put(&mut scopes, stream.id, &records).await?;
    quarantine::resolve(transaction, stream.id, &records, &[]).await?;
    pen.tally.outcome.quarantined = page.quarantine.len() as u64;
    quarantine::insert(transaction, stream, page_id, &page).await?;
    let outcome = charged(transaction, pen, &page, quota).await?;
    add_to_run(transaction, &page, listed, &outcome).await?;
    Ok((page_id, outcome))
}

/// Ends the writing of records, and charges the page to its connection within its quota.
async fn charged(
    transaction: &Transaction<'_>,
    pen: Pen<'_>,
    page: &PageCommit,
    quota: &Quota,
) -> Result<CommitOutcome, StoreError> {
    let of = (&page.key.tenant, &page.key.connection);
    let (page_id, bytes) = (pen.page, pen.tally.bytes);
    let outcome = pen.close().await?;
    if !page.quarantine.is_empty() {
        ledger::check_quarantine(transaction, of, quota).await?;
    }
    let exchanges_pruned = ledger::charge(transaction, of, page_id, Charge::of(page, bytes), quota).await?;
    Ok(CommitOutcome { exchanges_pruned, ..outcome })
}

async fn fence(client: &impl GenericClient, page: &PageCommit) -> Result<LiveStream, StoreError> {
    let stream = runs::stream(client, &page.key, true)
        .await?
        .filter(|stream| stream.run == Some(page.run.0))
        .ok_or_else(|| StoreError::Fenced(format!("run {} does not hold its stream any more", page.run)))?;
    if stream.cursor != page.cursor_before {
        return Err(StoreError::Fenced(format!("the cursor moved since run {} asked for this page", page.run)));
    }
    if stream.sweep_from.is_none() && page.sweep.is_some_and(|sweep| !sweep.begins) {
        return Err(StoreError::Fenced(format!(
            "run {} goes on with a sweep that is not under way: begin it anew",
            page.run
        )));
    }
    Ok(stream)
}

async fn insert_page(client: &impl GenericClient, stream: &LiveStream, page: &PageCommit) -> Result<i64, StoreError> {
    let exchanges = page.exchanges.iter().map(|exchange| i64::from(exchange.no) + 1).max().unwrap_or(0);
    must(
        client,
        "INSERT INTO page (stream, run, cursor_before, cursor_after, now_ms, exchanges) VALUES ($1, $2, $3, $4, $5, $6)
         RETURNING id",
        &[&stream.id, &page.run.0, &page.cursor_before, &page.cursor_after, &page.clock_ms, &exchanges],
    )
    .await
}

async fn insert_exchanges(
    client: &impl GenericClient,
    page: i64,
    exchanges: &[ExchangeWrite],
) -> Result<(), StoreError> {
    if exchanges.is_empty() {
        return Ok(());
    }
    let column = |of: fn(&ExchangeWrite) -> i64| exchanges.iter().map(of).collect::<Vec<_>>();
    let bytes = |of: fn(&ExchangeWrite) -> &[u8]| exchanges.iter().map(of).collect::<Vec<_>>();
    let methods: Vec<_> = exchanges.iter().map(|exchange| exchange.method.as_str()).collect();
    let urls: Vec<_> = exchanges.iter().map(|exchange| exchange.url.as_str()).collect();
    run(
        client,
        "INSERT INTO exchange (page, no, method, url, status, key, body_hash, at_ms, packed)
         SELECT $1, * FROM unnest($2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bytea[], $7::bytea[], $8::bigint[],
         $9::bytea[])",
        &[
            &page,
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

async fn add_to_run(
    client: &impl GenericClient,
    page: &PageCommit,
    listed: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    let CommitOutcome { created, updated, unchanged, deleted, swept, quarantined, repeated, held, .. } = *outcome;
    let [created, updated, unchanged, deleted, swept, quarantined, repeated, held] =
        [created, updated, unchanged, deleted, swept, quarantined, repeated, held].map(|count| count as i64);
    run(
        client,
        "UPDATE run SET touched_at = $2, pages = pages + 1, records = records + $3, created = created + $4,
         updated = updated + $5, unchanged = unchanged + $6, deleted = deleted + $7, quarantined = quarantined + $8,
         last_seq = $9, swept = swept + $10, repeated = repeated + $11, held = held + $12 WHERE id = $1",
        &[
            &page.run.0,
            &page.now_ms,
            &(listed as i64),
            &created,
            &updated,
            &unchanged,
            &deleted,
            &quarantined,
            &outcome.last_seq,
            &swept,
            &repeated,
            &held,
        ],
    )
    .await?;
    note::insert(client, page.run, &page.notes).await
}

/// The scopes of one connection's entities, looked up once a commit.
pub(super) struct Scopes<'a> {
    tenant: &'a str,
    name: &'a str,
    found: BTreeMap<String, i64>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(tenant: &'a TenantId, name: &'a ConnectionName) -> Self {
        Self { tenant: tenant.as_str(), name: name.as_str(), found: BTreeMap::new() }
    }

    /// The scope that a stream writes each record to.
    pub(super) async fn of(
        &mut self,
        client: &impl GenericClient,
        stream: i64,
        records: &[RecordWrite],
    ) -> Result<Vec<i64>, StoreError> {
        let mut scopes = Vec::with_capacity(records.len());
        for RecordWrite { entity, .. } in records {
            let scope = match self.found.get(entity) {
                Some(scope) => *scope,
                None => self.intern(client, entity, stream).await?,
            };
            scopes.push(scope);
        }
        Ok(scopes)
    }

    async fn intern(&mut self, client: &impl GenericClient, entity: &str, stream: i64) -> Result<i64, StoreError> {
        let sql = "SELECT id FROM scope WHERE tenant = $1 AND connection = $2 AND entity = $3";
        let scope = match number(client, sql, &[&self.tenant, &self.name, &entity]).await? {
            Some(scope) => scope,
            None => {
                let sql = "INSERT INTO scope (tenant, connection, entity) VALUES ($1, $2, $3) RETURNING id";
                must(client, sql, &[&self.tenant, &self.name, &entity]).await?
            }
        };
        let sql = "INSERT INTO stream_scope (stream, scope) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        run(client, sql, &[&stream, &scope]).await?;
        self.found.insert(entity.to_owned(), scope);
        Ok(scope)
    }

    /// The rows of those records that there are.
    pub(super) async fn rows(
        &self,
        client: &impl GenericClient,
        entities: &[&str],
        external_ids: &[&str],
    ) -> Result<Vec<i64>, StoreError> {
        let sql = "SELECT r.id FROM unnest($3::text[], $4::text[]) a (entity, external_id)
                   JOIN scope s ON s.tenant = $1 AND s.connection = $2 AND s.entity = a.entity
                   JOIN record r ON r.scope = s.id AND r.external_id = a.external_id";
        all(client, sql, &[&self.tenant, &self.name, &entities, &external_ids])
            .await?
            .iter()
            .map(|row| row.int(0))
            .collect()
    }
}
