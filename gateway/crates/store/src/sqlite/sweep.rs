//! Deletes by diff: what a listing of everything did not list is gone.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RunId, TenantId};
use rusqlite::{Connection, Transaction, params};

use super::commit::Scopes;
use super::pen::Pen;
use super::query::{all, number, one, run};
use super::run::LiveStream;
use super::{SqliteStore, ledger, note};
use crate::decide::not_held;
use crate::identity::IdKey;
use crate::limits::{list_limit, without_nul};
use crate::quota::{Charge, Quotas};
use crate::rows::{self, HELD_COLUMNS, NOT_HELD};
use crate::seen::Seen;
use crate::{Brake, CommitOutcome, HeldRecord, HeldSweep, PageCommit, PageNotes, StoreError, SweepStore};

#[async_trait]
impl SweepStore for SqliteStore {
    async fn run_notes(&self, tenant: &TenantId, id: RunId) -> Result<PageNotes, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| note::of_run(c, &tenant, id)).await
    }

    async fn held_sweeps(&self, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| list_held(c, &tenant)).await
    }

    async fn held_records(&self, tenant: &TenantId, id: RunId, limit: u32) -> Result<Vec<HeldRecord>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| held_records(c, &ids, &tenant, id, limit)).await
    }

    async fn release_sweep(
        &self,
        tenant: &TenantId,
        id: RunId,
        by: &str,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        let (tenant, by, quotas) = (tenant.clone(), by.to_owned(), self.quotas.clone());
        self.writer()?.run(move |c| release(c, &tenant, id, &by, now_ms, &quotas)).await
    }
}

/// Notes what the page listed and, at the end of a sweep, puts the tombstones or, where they are too many, holds them. Gives the first page of the sweep that is then
/// under way.
pub(super) fn apply(
    pen: &mut Pen<'_>,
    scopes: &Scopes<'_>,
    stream: &LiveStream,
    page_id: i64,
    page: &PageCommit,
) -> Result<Option<i64>, StoreError> {
    if page.sweep.is_none() && stream.held_from.is_none() {
        return Ok(None);
    }
    let mut seen = std::mem::take(&mut pen.seen);
    // A record in quarantine was listed too: that it is bad does not mean that it is gone.
    let quarantined = page.quarantine.iter().filter_map(|item| Some((&item.entity, item.external_id.as_ref()?)));
    scopes.rows(page.unchanged.iter().map(|(entity, id)| (entity, id)).chain(quarantined), |row| seen.add(row))?;
    // A page outside of a sweep breaks one off: it did not list everything. What is held is not to delete what it listed.
    let Some(sweep) = page.sweep else {
        run(pen.connection, "UPDATE page SET seen = ?2 WHERE id = ?1", params![page_id, seen.pack()?])?;
        return Ok(None);
    };
    let from = if sweep.begins { page_id } else { stream.sweep_from.unwrap_or(page_id) };
    if sweep.begins && stream.held_from.is_none() {
        // Whatever was listed since a sweep that is held is asked for when that is released.
        no_longer_seen(pen.connection, stream.id, page_id)?;
    }
    if !sweep.ends || sweep.partial || sweep.brake.is_some() {
        run(pen.connection, "UPDATE page SET seen = ?2 WHERE id = ?1", params![page_id, seen.pack()?])?;
    }
    if !sweep.ends || sweep.partial {
        return Ok(Some(from));
    }
    listed_since(pen.connection, stream.id, from, &mut seen)?;
    let missing = missing(pen.connection, stream.id, page_id, &seen)?;
    // A sweep that ends takes the place of one that was held.
    run(pen.connection, &format!("UPDATE stream SET {NOT_HELD} WHERE id = ?1"), [stream.id])?;
    if let Some(of) = too_many(pen.connection, stream.id, from, missing.len(), sweep.brake)? {
        let sql = "UPDATE stream SET held_run = ?2, held_from = ?3, held_to = ?4, held_missing = ?5, held_of = ?6, held_at = ?7
                   WHERE id = ?1";
        let values = params![stream.id, page.run.0, from, page_id, missing.len() as i64, of as i64, page.now_ms];
        run(pen.connection, sql, values)?;
        pen.tally.outcome.held = missing.len() as u64;
        no_longer_seen(pen.connection, stream.id, from)?;
        return Ok(None);
    }
    for (scope, row) in missing {
        pen.sweep_away(scope, row)?;
    }
    no_longer_seen(pen.connection, stream.id, i64::MAX)?;
    Ok(None)
}

/// Adds what the pages from one on listed.
fn listed_since(connection: &Connection, stream: i64, from: i64, seen: &mut Seen) -> Result<(), StoreError> {
    let sql = "SELECT seen FROM page WHERE stream = ?1 AND id >= ?2 AND seen IS NOT NULL";
    for packed in all(connection, sql, [stream, from], |row| Ok(row.get::<_, Vec<u8>>(0)?))? {
        seen.unpack(&packed)?;
    }
    seen.settle();
    Ok(())
}

/// Nobody asks any more what the pages before one listed.
fn no_longer_seen(connection: &Connection, stream: i64, before: i64) -> Result<(), StoreError> {
    let sql = "UPDATE page SET seen = NULL WHERE stream = ?1 AND id < ?2 AND seen IS NOT NULL";
    run(connection, sql, [stream, before]).map(drop)
}

/// Do the deletions wait for a person? Then gives how many live records the stream had before the sweep.
fn too_many(
    connection: &Connection,
    stream: i64,
    from: i64,
    missing: usize,
    brake: Option<Brake>,
) -> Result<Option<u64>, StoreError> {
    let Some(brake) = brake.filter(|brake| missing as u64 > brake.records) else { return Ok(None) };
    let sql = "SELECT count(*) FROM stream_scope w JOIN record r ON r.scope = w.scope JOIN page p ON p.id = r.page
               WHERE w.stream = ?1 AND r.deleted IS NULL AND p.stream = ?1 AND NOT (r.revision = 1 AND r.page >= ?2)";
    let of = number(connection, sql, [stream, from])?.and_then(|of| u64::try_from(of).ok()).unwrap_or(0);
    Ok(brake.holds(missing as u64, of).then_some(of))
}

/// Live rows with their scopes that this stream wrote last, up to a page, and that were not seen. The index alone is walked;
/// a row is read only when it was not seen.
fn missing(connection: &Connection, stream: i64, to: i64, seen: &Seen) -> Result<Vec<(i64, i64)>, StoreError> {
    let mut missing = Vec::new();
    let scopes = all(connection, "SELECT scope FROM stream_scope WHERE stream = ?1", [stream], |row| Ok(row.get(0)?))?;
    for scope in scopes {
        let begin = missing.len();
        let mut statement = connection.prepare_cached("SELECT id FROM record WHERE scope = ?1")?;
        let mut rows = statement.query([scope])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            if seen.contains(id) {
                continue;
            }
            let sql = "SELECT 1 FROM record r JOIN page p ON p.id = r.page
                       WHERE r.id = ?1 AND r.deleted IS NULL AND p.stream = ?2 AND r.page <= ?3";
            if one(connection, sql, [id, stream, to], |_| Ok(()))?.is_some() {
                missing.push((scope, id));
            }
        }
        missing[begin..].sort_unstable();
    }
    Ok(missing)
}

pub(super) fn list_held(connection: &Connection, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
    let sql = format!(
        "SELECT {HELD_COLUMNS} FROM stream t WHERE t.tenant = ?1 AND t.held_run IS NOT NULL ORDER BY t.connection, t.stream"
    );
    all(connection, &sql, [tenant.as_str()], |row| rows::held(row))
}

/// What a held sweep needs to be finished.
struct Held {
    stream: i64,
    from: i64,
    to: i64,
    connection: ConnectionName,
}

impl Held {
    fn of(connection: &Connection, tenant: &TenantId, id: RunId) -> Result<Self, StoreError> {
        let sql = "SELECT id, held_from, held_to, connection FROM stream WHERE tenant = ?1 AND held_run = ?2";
        let found = one(connection, sql, params![tenant.as_str(), id.0], |row| {
            let connection = rows::connection(row, 3)?;
            Ok(Self { stream: row.get(0)?, from: row.get(1)?, to: row.get(2)?, connection })
        })?;
        found.ok_or_else(|| not_held(id))
    }

    /// What would go now: neither the held sweep nor any page after it listed or changed it.
    fn missing(&self, connection: &Connection) -> Result<Vec<(i64, i64)>, StoreError> {
        let mut seen = Seen::default();
        listed_since(connection, self.stream, self.from, &mut seen)?;
        missing(connection, self.stream, self.to, &seen)
    }
}

pub(super) fn held_records(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    id: RunId,
    limit: u32,
) -> Result<Vec<HeldRecord>, StoreError> {
    let held = Held::of(connection, tenant, id)?;
    let limit = usize::try_from(list_limit(limit)).unwrap_or(1);
    let mut records = Vec::new();
    for (_, row) in held.missing(connection)?.into_iter().take(limit) {
        let sql = "SELECT r.id, r.created_at, s.entity, r.external_id FROM record r JOIN scope s ON s.id = r.scope WHERE r.id = ?1";
        records.extend(one(connection, sql, [row], |row| rows::held_record(row, ids))?);
    }
    Ok(records)
}

/// Deletes what a held sweep did not list.
pub(super) fn release(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    id: RunId,
    by: &str,
    now_ms: i64,
    quotas: &Quotas,
) -> Result<CommitOutcome, StoreError> {
    let held = Held::of(transaction, tenant, id)?;
    let missing = held.missing(transaction)?;
    let mut pen = Pen::new(transaction, tenant, held.to, now_ms)?;
    for (scope, row) in missing {
        pen.sweep_away(scope, row)?;
    }
    let charge = Charge { records_bytes: pen.tally.bytes, exchanges_bytes: 0 };
    let outcome = pen.close()?;
    let quota = quotas.of(tenant, &held.connection);
    ledger::charge(transaction, (tenant, &held.connection), held.to, charge, &quota)?;
    // What a sweep under way listed meanwhile is still asked for at its end.
    let sql = "SELECT sweep_from FROM stream WHERE id = ?1";
    let under_way = one(transaction, sql, [held.stream], |row| Ok(row.get::<_, Option<i64>>(0)?))?.flatten();
    no_longer_seen(transaction, held.stream, under_way.unwrap_or(i64::MAX))?;
    run(transaction, &format!("UPDATE stream SET {NOT_HELD} WHERE id = ?1"), [held.stream])?;
    let sql = "UPDATE run SET deleted = deleted + ?2, swept = swept + ?2, held = 0, released_by = ?3 WHERE id = ?1";
    run(transaction, sql, params![id.0, outcome.deleted as i64, without_nul(by)])?;
    Ok(outcome)
}
