//! Deletes by diff: what a listing of everything did not list is gone.

use std::pin::pin;

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use futures_util::TryStreamExt;
use renmen_schema::id::{ConnectionName, RunId, TenantId};

use super::commit::Scopes;
use super::pen::Pen;
use super::query::{all, must, one, run};
use super::run::LiveStream;
use super::{PostgresStore, in_time, ledger, note};
use crate::decide::not_held;
use crate::follow;
use crate::identity::IdKey;
use crate::limits::{list_limit, without_nul};
use crate::quota::{Charge, Quotas};
use crate::rows::{self, Columns, HELD_COLUMNS, NOT_HELD};
use crate::seen::Seen;
use crate::{Brake, CommitOutcome, HeldRecord, HeldSweep, PageCommit, PageNotes, StoreError, SweepStore};

#[async_trait]
impl SweepStore for PostgresStore {
    async fn run_notes(&self, tenant: &TenantId, id: RunId) -> Result<PageNotes, StoreError> {
        self.read(|c| async move { note::of_run(&c, tenant, id).await }).await
    }

    async fn held_sweeps(&self, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
        self.read(|c| async move { list_held(&c, tenant).await }).await
    }

    async fn held_records(&self, tenant: &TenantId, id: RunId, limit: u32) -> Result<Vec<HeldRecord>, StoreError> {
        self.read(|c| async move { held_records(&c, &self.ids, tenant, id, limit).await }).await
    }

    async fn release_sweep(
        &self,
        tenant: &TenantId,
        id: RunId,
        by: &str,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let outcome = release(&transaction, tenant, id, by, now_ms, &self.quotas).await?;
            transaction.commit().await?;
            follow::raise(&self.head, outcome.last_seq);
            Ok(outcome)
        })
        .await
    }
}

/// Notes what the page listed and, at the end of a sweep, puts the tombstones or, where they are too many, holds them. Gives the first page of the sweep that is then
/// under way.
pub(super) async fn apply(
    pen: &mut Pen<'_>,
    scopes: &Scopes<'_>,
    stream: &LiveStream,
    page: &PageCommit,
) -> Result<Option<i64>, StoreError> {
    if page.sweep.is_none() && stream.held_from.is_none() {
        return Ok(None);
    }
    let mut seen = std::mem::take(&mut pen.seen);
    // A record in quarantine was listed too: that it is bad does not mean that it is gone. An id with a NUL is no record's.
    let quarantined = page.quarantine.iter().filter_map(|item| Some((&item.entity, item.external_id.as_ref()?)));
    let (entities, external_ids): (Vec<_>, Vec<_>) = page
        .unchanged
        .iter()
        .map(|(entity, id)| (entity, id))
        .chain(quarantined)
        .map(|(entity, id)| (entity.as_str(), id.as_str()))
        .filter(|(entity, id)| !entity.contains('\0') && !id.contains('\0'))
        .unzip();
    for row in scopes.rows(pen.transaction, &entities, &external_ids).await? {
        seen.add(row);
    }
    // A page outside of a sweep breaks one off: it did not list everything. What is held is not to delete what it listed.
    let Some(sweep) = page.sweep else {
        run(pen.transaction, "UPDATE page SET seen = $2 WHERE id = $1", &[&pen.page, &seen.pack()?]).await?;
        return Ok(None);
    };
    let from = if sweep.begins { pen.page } else { stream.sweep_from.unwrap_or(pen.page) };
    if sweep.begins && stream.held_from.is_none() {
        // Whatever was listed since a sweep that is held is asked for when that is released.
        no_longer_seen(pen.transaction, stream.id, pen.page).await?;
    }
    if !sweep.ends || sweep.partial || sweep.brake.is_some() {
        run(pen.transaction, "UPDATE page SET seen = $2 WHERE id = $1", &[&pen.page, &seen.pack()?]).await?;
    }
    if !sweep.ends || sweep.partial {
        return Ok(Some(from));
    }
    listed_since(pen.transaction, stream.id, from, &mut seen).await?;
    let missing = missing(pen.transaction, stream.id, pen.page, &seen).await?;
    // A sweep that ends takes the place of one that was held.
    run(pen.transaction, &format!("UPDATE stream SET {NOT_HELD} WHERE id = $1"), &[&stream.id]).await?;
    if let Some(of) = too_many(pen.transaction, stream.id, from, missing.len(), sweep.brake).await? {
        let sql = "UPDATE stream SET held_run = $2, held_from = $3, held_to = $4, held_missing = $5, held_of = $6, held_at = $7
                   WHERE id = $1";
        let missing = missing.len() as i64;
        run(pen.transaction, sql, &[&stream.id, &page.run.0, &from, &pen.page, &missing, &(of as i64), &page.now_ms])
            .await?;
        pen.tally.outcome.held = missing as u64;
        no_longer_seen(pen.transaction, stream.id, from).await?;
        return Ok(None);
    }
    pen.sweep_away(&missing).await?;
    no_longer_seen(pen.transaction, stream.id, i64::MAX).await?;
    Ok(None)
}

/// Adds what the pages from one on listed.
async fn listed_since(client: &impl GenericClient, stream: i64, from: i64, seen: &mut Seen) -> Result<(), StoreError> {
    let sql = "SELECT seen FROM page WHERE stream = $1 AND id >= $2 AND seen IS NOT NULL";
    for row in all(client, sql, &[&stream, &from]).await? {
        seen.unpack(&row.bytes(0)?)?;
    }
    seen.settle();
    Ok(())
}

/// Nobody asks any more what the pages before one listed.
async fn no_longer_seen(client: &impl GenericClient, stream: i64, before: i64) -> Result<(), StoreError> {
    let sql = "UPDATE page SET seen = NULL WHERE stream = $1 AND id < $2 AND seen IS NOT NULL";
    run(client, sql, &[&stream, &before]).await.map(drop)
}

/// Do the deletions wait for a person? Then gives how many live records the stream had before the sweep.
async fn too_many(
    client: &impl GenericClient,
    stream: i64,
    from: i64,
    missing: usize,
    brake: Option<Brake>,
) -> Result<Option<u64>, StoreError> {
    let Some(brake) = brake.filter(|brake| missing as u64 > brake.records) else { return Ok(None) };
    let sql = "SELECT count(*) FROM stream_scope w JOIN record r ON r.scope = w.scope JOIN page p ON p.id = r.page
               WHERE w.stream = $1 AND r.deleted IS NULL AND p.stream = $1 AND NOT (r.revision = 1 AND r.page >= $2)";
    let of = u64::try_from(must(client, sql, &[&stream, &from]).await?).unwrap_or(0);
    Ok(brake.holds(missing as u64, of).then_some(of))
}

/// Live rows, with their scope and the bytes of their bodies, that this stream wrote last, up to a page, and that were not seen.
/// Rows come as a stream: of a million seen ones none is kept.
async fn missing(
    client: &impl GenericClient,
    stream: i64,
    to: i64,
    seen: &Seen,
) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    let sql =
        "SELECT r.id, r.scope, octet_length(r.body)::bigint FROM stream_scope w JOIN record r ON r.scope = w.scope
               JOIN page p ON p.id = r.page
               WHERE w.stream = $1 AND r.deleted IS NULL AND p.stream = $1 AND r.page <= $2";
    let statement = client.prepare_cached(sql).await?;
    let mut rows = pin!(client.query_raw(&statement, [stream, to]).await?);
    let mut missing = Vec::new();
    while let Some(row) = rows.try_next().await? {
        if !seen.contains(row.int(0)?) {
            missing.push((row.int(0)?, row.int(1)?, row.int(2)?));
        }
    }
    missing.sort_unstable();
    Ok(missing)
}

async fn list_held(client: &impl GenericClient, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
    let sql = format!(
        "SELECT {HELD_COLUMNS} FROM stream t WHERE t.tenant = $1 AND t.held_run IS NOT NULL ORDER BY t.connection, t.stream"
    );
    all(client, &sql, &[&tenant.as_str()]).await?.iter().map(rows::held).collect()
}

/// What a held sweep needs to be finished.
struct Held {
    stream: i64,
    from: i64,
    to: i64,
    connection: ConnectionName,
}

impl Held {
    /// `lock`: no run commits to the stream until the transaction ends.
    async fn of(client: &impl GenericClient, tenant: &TenantId, id: RunId, lock: bool) -> Result<Self, StoreError> {
        let sql = format!(
            "SELECT id, held_from, held_to, connection FROM stream WHERE tenant = $1 AND held_run = $2 {}",
            if lock { "FOR UPDATE" } else { "" }
        );
        let row = one(client, &sql, &[&tenant.as_str(), &id.0]).await?.ok_or_else(|| not_held(id))?;
        let connection = rows::connection(&row, 3)?;
        Ok(Self { stream: row.int(0)?, from: row.int(1)?, to: row.int(2)?, connection })
    }

    /// What would go now: neither the held sweep nor any page after it listed or changed it.
    async fn missing(&self, client: &impl GenericClient) -> Result<Vec<(i64, i64, i64)>, StoreError> {
        let mut seen = Seen::default();
        listed_since(client, self.stream, self.from, &mut seen).await?;
        missing(client, self.stream, self.to, &seen).await
    }
}

async fn held_records(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    id: RunId,
    limit: u32,
) -> Result<Vec<HeldRecord>, StoreError> {
    let missing = Held::of(client, tenant, id, false).await?.missing(client).await?;
    let limit = usize::try_from(list_limit(limit)).unwrap_or(1);
    let wanted: Vec<i64> = missing.into_iter().take(limit).map(|(row, ..)| row).collect();
    let sql = "SELECT r.id, r.created_at, s.entity, r.external_id FROM record r JOIN scope s ON s.id = r.scope
               WHERE r.id = ANY ($1) ORDER BY r.id";
    all(client, sql, &[&wanted]).await?.iter().map(|row| rows::held_record(row, ids)).collect()
}

/// Deletes what a held sweep did not list.
async fn release(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    id: RunId,
    by: &str,
    now_ms: i64,
    quotas: &Quotas,
) -> Result<CommitOutcome, StoreError> {
    let mut pen = Pen::take(transaction, tenant, now_ms).await?;
    let held = Held::of(transaction, tenant, id, true).await?;
    let missing = held.missing(transaction).await?;
    pen.page = held.to;
    pen.sweep_away(&missing).await?;
    let charge = Charge { records_bytes: pen.tally.bytes, exchanges_bytes: 0 };
    let outcome = pen.close().await?;
    let quota = quotas.of(tenant, &held.connection);
    ledger::charge(transaction, (tenant, &held.connection), held.to, charge, &quota).await?;
    // What a sweep under way listed meanwhile is still asked for at its end.
    let row = one(transaction, "SELECT sweep_from FROM stream WHERE id = $1", &[&held.stream]).await?;
    let under_way = row.map(|row| row.int_or_none(0)).transpose()?.flatten();
    no_longer_seen(transaction, held.stream, under_way.unwrap_or(i64::MAX)).await?;
    run(transaction, &format!("UPDATE stream SET {NOT_HELD} WHERE id = $1"), &[&held.stream]).await?;
    let sql = "UPDATE run SET deleted = deleted + $2, swept = swept + $2, held = 0, released_by = $3 WHERE id = $1";
    run(transaction, sql, &[&id.0, &(outcome.deleted as i64), &without_nul(by)]).await?;
    Ok(outcome)
}
