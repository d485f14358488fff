//! Deletes by diff: what a listing of everything did not list is gone.

use renmen_schema::id::{ConnectionName, RunId, TenantId};

use super::stream::LiveStream;
use super::{CommitState, CommitWriter, MissingRecord, Session, disk_use, expect_number, values};
use crate::decide::not_held;
use crate::identity::IdKeys;
use crate::limits::{list_limit, without_nul};
use crate::quota::{Charge, Quotas};
use crate::rows::{self, Columns, HELD_COLUMNS, NOT_HELD};
use crate::seen::Seen;
use crate::{Brake, CommitOutcome, HeldRecord, HeldSweep, PageCommit, StoreError};

/// Notes what the page listed and, at the end of a sweep, puts the tombstones or, where they are too many, holds them. Gives the
/// first page of the sweep that is then under way.
pub(super) async fn apply(
    session: &impl CommitWriter,
    commit: &mut CommitState,
    stream: &LiveStream,
    page: &PageCommit,
) -> Result<Option<i64>, StoreError> {
    if page.sweep.is_none() && stream.held_from.is_none() {
        return Ok(None);
    }
    let mut seen = seen_by(session, commit, page).await?;
    // A page outside of a sweep breaks one off: it did not list everything. What is held is not to delete what it listed.
    let Some(sweep) = page.sweep else {
        keep_seen(session, commit.page, &mut seen).await?;
        return Ok(None);
    };
    let from = if sweep.begins { commit.page } else { stream.sweep_from.unwrap_or(commit.page) };
    if sweep.begins && stream.held_from.is_none() {
        // Not while a sweep is held: its release needs everything that was listed since.
        forget_seen(session, stream.id, commit.page).await?;
    }
    if !sweep.ends || sweep.partial || sweep.brake.is_some() {
        keep_seen(session, commit.page, &mut seen).await?;
    }
    if !sweep.ends || sweep.partial {
        return Ok(Some(from));
    }
    listed_since(session, stream.id, from, &mut seen).await?;
    let missing = session.missing(stream.id, commit.page, &seen).await?;
    // A sweep that ends takes the place of one that was held.
    release_hold(session, stream.id).await?;
    if let Some(of) = too_many(session, stream.id, from, missing.len(), sweep.brake).await? {
        let sql = "UPDATE stream SET held_run = $2, held_from = $3, held_to = $4, held_missing = $5, held_of = $6, held_at = $7
                   WHERE id = $1";
        let values = values![stream.id, page.run.0, from, commit.page, missing.len(), of, page.now_ms];
        session.run(sql, values).await?;
        commit.tally.outcome.held = missing.len() as u64;
        forget_seen(session, stream.id, from).await?;
        return Ok(None);
    }
    session.delete_missing(commit, &missing).await?;
    forget_seen(session, stream.id, i64::MAX).await?;
    Ok(None)
}

/// Which rows a page listed.
async fn seen_by(session: &impl CommitWriter, commit: &mut CommitState, page: &PageCommit) -> Result<Seen, StoreError> {
    let mut seen = std::mem::take(&mut commit.seen);
    // A record in quarantine was listed too: that it is bad does not mean that it is gone. No record has an id with a
    // NUL.
    let quarantined = page.quarantine.iter().filter_map(|item| Some((&item.entity, item.external_id.as_ref()?)));
    let unchanged = page.unchanged.iter().map(|(entity, id)| (entity, id));
    let listed: Vec<(&str, &str)> = unchanged
        .chain(quarantined)
        .map(|(entity, id)| (entity.as_str(), id.as_str()))
        .filter(|(entity, id)| !entity.contains('\0') && !id.contains('\0'))
        .collect();
    let rows = session.listed_rows((&page.key.tenant, &page.key.connection), &listed).await?;
    rows.into_iter().for_each(|row| seen.add(row));
    Ok(seen)
}

async fn keep_seen(session: &impl Session, page: i64, seen: &mut Seen) -> Result<(), StoreError> {
    session.run("UPDATE page SET seen = $2 WHERE id = $1", values![page, seen.pack()?]).await.map(drop)
}

/// Adds what the pages from one on listed.
async fn listed_since(session: &impl Session, stream: i64, from: i64, seen: &mut Seen) -> Result<(), StoreError> {
    let sql = "SELECT seen FROM page WHERE stream = $1 AND id >= $2 AND seen IS NOT NULL";
    for packed in session.all(sql, values![stream, from], |row| row.bytes(0)).await? {
        seen.unpack(&packed)?;
    }
    seen.settle();
    Ok(())
}

/// Drops what the pages before `before` listed: it is not needed any more.
async fn forget_seen(session: &impl Session, stream: i64, before: i64) -> Result<(), StoreError> {
    let sql = "UPDATE page SET seen = NULL WHERE stream = $1 AND id < $2 AND seen IS NOT NULL";
    session.run(sql, values![stream, before]).await.map(drop)
}

async fn release_hold(session: &impl Session, stream: i64) -> Result<(), StoreError> {
    session.run(&format!("UPDATE stream SET {NOT_HELD} WHERE id = $1"), values![stream]).await.map(drop)
}

/// Do the deletions wait for a person? Then gives how many live records the stream had before the sweep.
async fn too_many(
    session: &impl Session,
    stream: i64,
    from: i64,
    missing: usize,
    brake: Option<Brake>,
) -> Result<Option<u64>, StoreError> {
    let Some(brake) = brake.filter(|brake| missing as u64 > brake.records) else { return Ok(None) };
    let sql = "SELECT count(*) FROM stream_scope w JOIN record r ON r.scope = w.scope JOIN page p ON p.id = r.page
               WHERE w.stream = $1 AND r.deleted IS NULL AND p.stream = $1 AND NOT (r.revision = 1 AND r.page >= $2)";
    let of = u64::try_from(expect_number(session, sql, values![stream, from]).await?).unwrap_or(0);
    Ok(brake.holds(missing as u64, of).then_some(of))
}

pub(crate) async fn list_held(session: &impl Session, tenant: &TenantId) -> Result<Vec<HeldSweep>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    let sql = format!(
        "SELECT {HELD_COLUMNS} FROM stream t WHERE t.tenant = $1 AND t.held_run IS NOT NULL
         ORDER BY t.connection{by_bytes}, t.stream{by_bytes}"
    );
    session.all(&sql, values![tenant], rows::held).await
}

/// What a held sweep needs to be finished.
struct SweepOnHold {
    stream: i64,
    from: i64,
    to: i64,
    connection: ConnectionName,
}

impl SweepOnHold {
    /// `lock`: what is put after the statement, so that no run commits to the stream until the transaction ends.
    async fn find(session: &impl Session, tenant: &TenantId, id: RunId, lock: &str) -> Result<Self, StoreError> {
        let sql =
            format!("SELECT id, held_from, held_to, connection FROM stream WHERE tenant = $1 AND held_run = $2{lock}");
        let on_hold = |row: &dyn Columns| {
            let connection = rows::connection(row, 3)?;
            Ok(Self { stream: row.int(0)?, from: row.int(1)?, to: row.int(2)?, connection })
        };
        session.one(&sql, values![tenant, id.0], on_hold).await?.ok_or_else(|| not_held(id))
    }

    /// What would go now: neither the held sweep nor any page after it listed or changed it.
    async fn missing(&self, session: &impl CommitWriter) -> Result<Vec<MissingRecord>, StoreError> {
        let mut seen = Seen::default();
        listed_since(session, self.stream, self.from, &mut seen).await?;
        session.missing(self.stream, self.to, &seen).await
    }
}

pub(crate) async fn held_records(
    session: &impl CommitWriter,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RunId,
    limit: u32,
) -> Result<Vec<HeldRecord>, StoreError> {
    let missing = SweepOnHold::find(session, tenant, id, "").await?.missing(session).await?;
    let limit = usize::try_from(list_limit(limit)).unwrap_or(1);
    let mut records = Vec::new();
    for MissingRecord { row, .. } in missing.into_iter().take(limit) {
        let sql = "SELECT r.id, r.created_at, s.entity, r.external_id FROM record r JOIN scope s ON s.id = r.scope
                   WHERE r.id = $1";
        records.extend(session.one(sql, values![row], |row| rows::held_record(row, ids)).await?);
    }
    Ok(records)
}

/// Deletes what a held sweep did not list.
pub(crate) async fn release(
    session: &impl CommitWriter,
    tenant: &TenantId,
    id: RunId,
    by: &str,
    now_ms: i64,
    quotas: &Quotas,
) -> Result<CommitOutcome, StoreError> {
    let mut commit = session.begin(tenant, now_ms).await?;
    let held = SweepOnHold::find(session, tenant, id, session.dialect().for_update()).await?;
    let missing = held.missing(session).await?;
    commit.page = held.to;
    session.delete_missing(&mut commit, &missing).await?;
    let charge = Charge { records_bytes: commit.tally.bytes, exchanges_bytes: 0 };
    let outcome = session.finish(commit).await?;
    let quota = quotas.of(tenant, &held.connection);
    disk_use::charge(session, (tenant, &held.connection), held.to, charge, &quota).await?;
    // What a sweep under way listed meanwhile is still asked for at its end.
    let sql = "SELECT sweep_from FROM stream WHERE id = $1";
    let under_way = session.one(sql, values![held.stream], |row| row.int_or_none(0)).await?.flatten();
    forget_seen(session, held.stream, under_way.unwrap_or(i64::MAX)).await?;
    release_hold(session, held.stream).await?;
    let sql = "UPDATE run SET deleted = deleted + $2, swept = swept + $2, held = 0, released_by = $3 WHERE id = $1";
    session.run(sql, values![id.0, outcome.deleted, without_nul(by)]).await?;
    Ok(outcome)
}
