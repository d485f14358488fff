//! What the gateway itself writes: records with their causes, links and timers, and the place of a follower.

use renmen_schema::id::{RecordId, TenantId};

use super::{CommitWriter, Scopes, Session, commit, moving, number, record, run, signature, stream, values};
use crate::authored::{self, Written, parent_text};
use crate::identity::{self, IdKeys};
use crate::rows::Columns;
use crate::{
    AuthorOutcome, AuthoredCommit, AuthoredRecord, Cause, CommitOutcome, Parent, RecordWrite, StoreError, TimerRow,
    TimerWrite, limits,
};

pub(crate) async fn author(
    session: &impl CommitWriter,
    ids: &IdKeys,
    commit: &AuthoredCommit,
    writes: &[RecordWrite],
) -> Result<AuthorOutcome, StoreError> {
    let new = authored::stream_of(commit)?;
    // The feed before the stream, as a page's commit does: two that lock in one order never wait for each other. What adds nothing to
    // the feed, as the place of a follower, waits for no commit of the tenant and holds none up.
    let state = match writes.is_empty() {
        true => moving::refuse(session, &commit.tenant).await.map(|()| None)?,
        false => Some(session.begin(&commit.tenant, commit.now_ms).await?),
    };
    let stream = stream::intern(session, &new.key).await?;
    let next = authored::step(stream.cursor.as_deref(), commit)?;
    let mut done = AuthorOutcome { ids: Vec::new(), outcome: CommitOutcome::default() };
    if let Some(mut state) = state {
        // One run for all that this version writes through a stream.
        let run = run::side_run(session, stream.id, (&new.plugin, new.trigger), i64::MIN, new.now_ms).await?;
        let cursors = (stream.cursor.as_deref(), next.as_deref());
        let page = commit::insert_page_row(session, (stream.id, run), cursors, commit.now_ms, 0).await?;
        state.page = page;
        let mut scopes = Scopes::new(&commit.tenant, &new.key.connection);
        let mut places = Vec::with_capacity(writes.len());
        for record in &commit.records {
            let scope = scopes.intern(session, stream.id, &record.entity).await?;
            authored::expect(record, revision(session, scope, &record.external_id).await?)?;
            places.push((scope, record));
        }
        session.put(&mut state, &mut scopes, stream.id, writes).await?;
        done.outcome = session.finish(state).await?;
        let written = note_written(session, ids, commit, page, &places).await?;
        done.ids = written.iter().map(|written| written.id).collect();
        signature::note(session, commit, &written).await?;
        count(session, run, commit.now_ms, writes.len(), &done.outcome).await?;
    }
    if stream.cursor != next {
        session.run("UPDATE stream SET cursor = $2 WHERE id = $1", values![stream.id, next.as_deref()]).await?;
    }
    for link in &commit.links {
        put_link(session, &commit.tenant, link.child, &link.parents).await?;
    }
    for timer in &commit.timers {
        put_timer(session, commit, timer).await?;
    }
    Ok(done)
}

async fn revision(session: &impl Session, scope: i64, external_id: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT revision FROM record WHERE scope = $1 AND external_id = $2";
    number(session, sql, values![scope, external_id]).await
}

/// Keeps what belongs to the records of a commit, now that they are there.
async fn note_written(
    session: &impl Session,
    ids: &IdKeys,
    commit: &AuthoredCommit,
    page: i64,
    places: &[(i64, &AuthoredRecord)],
) -> Result<Vec<Written>, StoreError> {
    let mut written = Vec::with_capacity(places.len());
    for (scope, record) in places {
        let one = note_causes(session, ids, commit, page, *scope, record).await?;
        if !record.parents.is_empty() {
            put_link(session, &commit.tenant, one.id, &record.parents).await?;
        }
        written.push(one);
    }
    Ok(written)
}

/// Keeps what a revision was made from, when this commit made one.
async fn note_causes(
    session: &impl Session,
    ids: &IdKeys,
    commit: &AuthoredCommit,
    page: i64,
    scope: i64,
    record: &AuthoredRecord,
) -> Result<Written, StoreError> {
    let sql = "SELECT id, created_at, revision, page FROM record WHERE scope = $1 AND external_id = $2";
    let written = |found: &dyn Columns| {
        let (row, revision, fresh) = (found.int(0)?, found.int(2)?, found.int(3)? == page);
        Ok(Written { row, id: ids.mint(row, found.int(1)?)?, revision, fresh })
    };
    let vanished = || StoreError::Fault("an authored record vanished within its transaction".into());
    let written = session.one(sql, values![scope, &record.external_id], written).await?.ok_or_else(vanished)?;
    if written.fresh {
        for (no, cause) in record.causes.iter().enumerate() {
            let of = row_of(session, ids, &commit.tenant, cause.record).await?;
            let sql = "INSERT INTO cause (record, revision, no, cause, cause_revision) VALUES ($1, $2, $3, $4, $5)";
            session.run(sql, values![written.row, written.revision, no, of, cause.revision]).await?;
        }
    }
    Ok(written)
}

/// The row of a record of this tenant.
async fn row_of(session: &impl Session, ids: &IdKeys, tenant: &TenantId, id: RecordId) -> Result<i64, StoreError> {
    let unknown = || StoreError::BadInput("a commit names a record that is not there".into());
    let row = identity::row_of(id).ok_or_else(unknown)?;
    let sql = "SELECT r.created_at FROM record r JOIN scope s ON s.id = r.scope WHERE r.id = $1 AND s.tenant = $2";
    let created_at = number(session, sql, values![row, tenant]).await?.ok_or_else(unknown)?;
    if ids.mint(row, created_at)? == id { Ok(row) } else { Err(unknown()) }
}

async fn count(
    session: &impl Session,
    run: i64,
    now_ms: i64,
    records: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    let sql = "UPDATE run SET touched_at = $2, ended_at = $2, pages = pages + 1, records = records + $3,
               created = created + $4, updated = updated + $5, unchanged = unchanged + $6, last_seq = $7 WHERE id = $1";
    let CommitOutcome { created, updated, unchanged, last_seq, .. } = *outcome;
    session.run(sql, values![run, now_ms, records, created, updated, unchanged, last_seq]).await.map(drop)
}

async fn put_link(
    session: &impl Session,
    tenant: &TenantId,
    child: RecordId,
    parents: &[Parent],
) -> Result<(), StoreError> {
    let Some(child) = identity::row_of(child) else {
        return Err(StoreError::BadInput("a link names a record that is not there".into()));
    };
    session.run("DELETE FROM link WHERE child = $1 AND tenant = $2", values![child, tenant]).await?;
    for parent in parents {
        let sql = "INSERT INTO link (tenant, parent, scope, child)
                   SELECT s.tenant, $2, r.scope, r.id FROM record r JOIN scope s ON s.id = r.scope
                   WHERE r.id = $3 AND s.tenant = $1 ON CONFLICT DO NOTHING";
        session.run(sql, values![tenant, parent_text(parent), child]).await?;
    }
    Ok(())
}

async fn put_timer(session: &impl Session, commit: &AuthoredCommit, timer: &TimerWrite) -> Result<(), StoreError> {
    let (tenant, stream) = (&commit.tenant, &commit.stream);
    match timer {
        TimerWrite::Set { name, due_ms } => {
            let sql = "INSERT INTO timer (tenant, stream, name, due_ms) VALUES ($1, $2, $3, $4)
                       ON CONFLICT (tenant, stream, name) DO UPDATE SET due_ms = excluded.due_ms";
            session.run(sql, values![tenant, stream, name, *due_ms]).await
        }
        TimerWrite::Clear { name } => {
            let sql = "DELETE FROM timer WHERE tenant = $1 AND stream = $2 AND name = $3";
            session.run(sql, values![tenant, stream, name]).await
        }
        TimerWrite::Done { name, due_ms } => {
            let sql = "DELETE FROM timer WHERE tenant = $1 AND stream = $2 AND name = $3 AND due_ms = $4";
            session.run(sql, values![tenant, stream, name, *due_ms]).await
        }
    }
    .map(drop)
}

pub(crate) async fn causes(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
    revision: i64,
) -> Result<Vec<Cause>, StoreError> {
    let Some(row) = record::row(session, ids, tenant, id).await? else { return Ok(Vec::new()) };
    let sql = "SELECT k.id, k.created_at, c.cause_revision FROM cause c JOIN record k ON k.id = c.cause
               WHERE c.record = $1 AND c.revision = $2 ORDER BY c.no";
    let cause = |row: &dyn Columns| Ok(Cause { record: ids.mint(row.int(0)?, row.int(1)?)?, revision: row.int(2)? });
    session.all(sql, values![row, revision], cause).await
}

pub(crate) async fn due_timers(
    session: &impl Session,
    tenant: &TenantId,
    stream: &str,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<TimerRow>, StoreError> {
    let sql = format!(
        "SELECT name, due_ms FROM timer WHERE tenant = $1 AND stream = $2 AND due_ms <= $3 ORDER BY due_ms, name{} LIMIT $4",
        session.dialect().by_bytes()
    );
    let values = values![tenant, stream, now_ms, limits::list_limit(limit)];
    session.all(&sql, values, |row| Ok(TimerRow { name: row.text(0)?, due_ms: row.int(1)? })).await
}
