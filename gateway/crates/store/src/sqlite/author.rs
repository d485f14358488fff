//! What the gateway itself writes: records with their causes, links and timers, and the place of a follower.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use rusqlite::{Connection, Transaction, params};

use super::commit::Scopes;
use super::pen::Pen;
use super::query::{all, number, one, run};
use super::{SqliteStore, record, run as runs, sign};
use crate::authored::{self, Written, parent_text};
use crate::identity::{self, IdKey};
use crate::{
    AuthorOutcome, AuthorStore, AuthoredCommit, AuthoredRecord, Cause, CommitOutcome, LinkedQuery, Parent, RecordRow,
    RecordWrite, RunState, StoreError, TimerRow, TimerWrite, codes, follow, limits, rows,
};

#[async_trait]
impl AuthorStore for SqliteStore {
    async fn author(&self, commit: AuthoredCommit) -> Result<AuthorOutcome, StoreError> {
        let writes = authored::check(&commit)?;
        let ids = self.ids.clone();
        let links_alone = writes.is_empty() && !commit.links.is_empty();
        let done = self.writer()?.run(move |c| author(c, &ids, &commit, &writes)).await?;
        if links_alone {
            follow::wake(&self.head);
        }
        Ok(done)
    }

    async fn causes(&self, tenant: &TenantId, id: RecordId, revision: i64) -> Result<Vec<Cause>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| causes(c, &ids, &tenant, id, revision)).await
    }

    async fn due_timers(
        &self,
        tenant: &TenantId,
        stream: &str,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<TimerRow>, StoreError> {
        let (tenant, stream) = (tenant.clone(), stream.to_owned());
        self.readers.run(move |c| due_timers(c, &tenant, &stream, now_ms, limit)).await
    }

    async fn linked(&self, tenant: &TenantId, query: &LinkedQuery) -> Result<Vec<RecordRow>, StoreError> {
        let (tenant, query, ids) = (tenant.clone(), query.clone(), self.ids.clone());
        self.readers.run(move |c| linked(c, &ids, &tenant, &query)).await
    }
}

fn author(
    transaction: &Transaction<'_>,
    ids: &IdKey,
    commit: &AuthoredCommit,
    writes: &[RecordWrite],
) -> Result<AuthorOutcome, StoreError> {
    let new = authored::stream_of(commit)?;
    let stream = stream(transaction, commit)?;
    let place = number_text(transaction, stream)?;
    let next = authored::step(place.as_deref(), commit)?;
    let mut done = AuthorOutcome { ids: Vec::new(), outcome: CommitOutcome::default() };
    if !writes.is_empty() {
        let live = built_in_run(transaction, stream, &new)?;
        run(
            transaction,
            "INSERT INTO page (stream, run, cursor_before, cursor_after, now_ms, exchanges) VALUES (?1, ?2, ?3, ?4, ?5, 0)",
            params![stream, live, place, next, commit.now_ms],
        )?;
        let page = transaction.last_insert_rowid();
        let mut scopes = Scopes::new(transaction, &commit.tenant, &new.key.connection);
        let mut pen = Pen::new(transaction, &commit.tenant, page, commit.now_ms)?;
        let mut places = Vec::with_capacity(writes.len());
        for (write, record) in writes.iter().zip(&commit.records) {
            let scope = scopes.of(&write.entity, stream)?;
            authored::expect(record, revision(transaction, scope, &write.external_id)?)?;
            pen.put(scope, write)?;
            places.push((scope, record));
        }
        done.outcome = pen.close()?;
        let mut written = Vec::with_capacity(places.len());
        for (scope, record) in places {
            let one = note_causes(transaction, ids, commit, page, scope, record)?;
            if !record.parents.is_empty() {
                put_link(transaction, &commit.tenant, one.id, &record.parents)?;
            }
            done.ids.push(one.id);
            written.push(one);
        }
        sign::note(transaction, commit, &written)?;
        count(transaction, live, commit.now_ms, writes.len(), &done.outcome)?;
    }
    if place != next {
        run(transaction, "UPDATE stream SET cursor = ?2 WHERE id = ?1", params![stream, next])?;
    }
    commit.links.iter().try_for_each(|link| put_link(transaction, &commit.tenant, link.child, &link.parents))?;
    commit.timers.iter().try_for_each(|timer| put_timer(transaction, commit, timer))?;
    Ok(done)
}

fn stream(connection: &Connection, commit: &AuthoredCommit) -> Result<i64, StoreError> {
    let key = authored::stream_of(commit)?.key;
    if let Some(found) = runs::stream(connection, &key)? {
        return Ok(found.id);
    }
    let sql = "INSERT INTO stream (tenant, connection, stream) VALUES (?1, ?2, ?3)";
    run(connection, sql, params![key.tenant.as_str(), key.connection.as_str(), key.stream.as_str()])?;
    Ok(connection.last_insert_rowid())
}

fn number_text(connection: &Connection, stream: i64) -> Result<Option<String>, StoreError> {
    one(connection, "SELECT cursor FROM stream WHERE id = ?1", [stream], |row| Ok(row.get(0)?)).map(Option::flatten)
}

/// One run for all that this version writes through a stream: its figures grow, it never holds the stream.
fn built_in_run(connection: &Connection, stream: i64, new: &crate::NewRun) -> Result<i64, StoreError> {
    let plugin = runs::intern_plugin(connection, &new.plugin)?;
    let sql = "SELECT id FROM run WHERE stream = ?1 AND plugin = ?2 ORDER BY id DESC LIMIT 1";
    if let Some(found) = number(connection, sql, [stream, plugin])? {
        return Ok(found);
    }
    run(
        connection,
        "INSERT INTO run (stream, plugin, \"trigger\", state, started_at, touched_at, lease_ms, ended_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, ?5)",
        params![stream, plugin, new.trigger.as_str(), codes::of_state(RunState::Completed), new.now_ms],
    )?;
    Ok(connection.last_insert_rowid())
}

fn revision(connection: &Connection, scope: i64, external_id: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT revision FROM record WHERE scope = ?1 AND external_id = ?2";
    number(connection, sql, params![scope, external_id])
}

/// Keeps what a revision was made from, when this commit made one.
fn note_causes(
    connection: &Connection,
    ids: &IdKey,
    commit: &AuthoredCommit,
    page: i64,
    scope: i64,
    record: &AuthoredRecord,
) -> Result<Written, StoreError> {
    let sql = "SELECT id, created_at, revision, page FROM record WHERE scope = ?1 AND external_id = ?2";
    let (row, created_at, revision, written): (i64, i64, i64, i64) =
        one(connection, sql, params![scope, record.external_id], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
        })?
        .ok_or_else(|| StoreError::Fault("an authored record vanished within its transaction".into()))?;
    if written == page {
        for (no, cause) in record.causes.iter().enumerate() {
            let of = known(connection, ids, &commit.tenant, cause.record)?;
            let sql = "INSERT INTO cause (record, revision, no, cause, cause_revision) VALUES (?1, ?2, ?3, ?4, ?5)";
            run(connection, sql, params![row, revision, no as i64, of, cause.revision])?;
        }
    }
    Ok(Written { row, id: ids.mint(row, created_at), revision, fresh: written == page })
}

/// The row of a record of this tenant.
fn known(connection: &Connection, ids: &IdKey, tenant: &TenantId, id: RecordId) -> Result<i64, StoreError> {
    let unknown = || StoreError::BadInput("a commit names a record that is not there".into());
    let row = identity::row_of(id).ok_or_else(unknown)?;
    let sql = "SELECT r.created_at FROM record r JOIN scope s ON s.id = r.scope WHERE r.id = ?1 AND s.tenant = ?2";
    let created_at = number(connection, sql, params![row, tenant.as_str()])?.ok_or_else(unknown)?;
    if ids.mint(row, created_at) == id { Ok(row) } else { Err(unknown()) }
}

fn count(
    connection: &Connection,
    live: i64,
    now_ms: i64,
    records: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    run(
        connection,
        "UPDATE run SET touched_at = ?2, ended_at = ?2, pages = pages + 1, records = records + ?3, created = created + ?4,
         updated = updated + ?5, unchanged = unchanged + ?6, last_seq = ?7 WHERE id = ?1",
        params![
            live,
            now_ms,
            records as i64,
            outcome.created as i64,
            outcome.updated as i64,
            outcome.unchanged as i64,
            outcome.last_seq
        ],
    )
    .map(drop)
}

fn put_link(connection: &Connection, tenant: &TenantId, child: RecordId, parents: &[Parent]) -> Result<(), StoreError> {
    let Some(child) = identity::row_of(child) else {
        return Err(StoreError::BadInput("a link names a record that is not there".into()));
    };
    run(connection, "DELETE FROM link WHERE child = ?1 AND tenant = ?2", params![child, tenant.as_str()])?;
    for parent in parents {
        let sql = "INSERT INTO link (tenant, parent, scope, child)
                   SELECT s.tenant, ?2, r.scope, r.id FROM record r JOIN scope s ON s.id = r.scope
                   WHERE r.id = ?3 AND s.tenant = ?1 ON CONFLICT DO NOTHING";
        run(connection, sql, params![tenant.as_str(), parent_text(parent), child])?;
    }
    Ok(())
}

fn put_timer(connection: &Connection, commit: &AuthoredCommit, timer: &TimerWrite) -> Result<(), StoreError> {
    let (tenant, stream) = (commit.tenant.as_str(), commit.stream.as_str());
    match timer {
        TimerWrite::Set { name, due_ms } => run(
            connection,
            "INSERT INTO timer (tenant, stream, name, due_ms) VALUES (?1, ?2, ?3, ?4)
             ON CONFLICT (tenant, stream, name) DO UPDATE SET due_ms = excluded.due_ms",
            params![tenant, stream, name, due_ms],
        ),
        TimerWrite::Clear { name } => run(
            connection,
            "DELETE FROM timer WHERE tenant = ?1 AND stream = ?2 AND name = ?3",
            params![tenant, stream, name],
        ),
        TimerWrite::Done { name, due_ms } => run(
            connection,
            "DELETE FROM timer WHERE tenant = ?1 AND stream = ?2 AND name = ?3 AND due_ms = ?4",
            params![tenant, stream, name, due_ms],
        ),
    }
    .map(drop)
}

fn causes(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    revision: i64,
) -> Result<Vec<Cause>, StoreError> {
    let Some(row) = record::get(connection, ids, tenant, id)?.and_then(|_| identity::row_of(id)) else {
        return Ok(Vec::new());
    };
    let sql = "SELECT k.id, k.created_at, c.cause_revision FROM cause c JOIN record k ON k.id = c.cause
               WHERE c.record = ?1 AND c.revision = ?2 ORDER BY c.no";
    all(connection, sql, [row, revision], |row| {
        Ok(Cause { record: ids.mint(row.get(0)?, row.get(1)?), revision: row.get(2)? })
    })
}

fn due_timers(
    connection: &Connection,
    tenant: &TenantId,
    stream: &str,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<TimerRow>, StoreError> {
    let sql = "SELECT name, due_ms FROM timer WHERE tenant = ?1 AND stream = ?2 AND due_ms <= ?3 ORDER BY due_ms, name LIMIT ?4";
    all(connection, sql, params![tenant.as_str(), stream, now_ms, limits::list_limit(limit)], |row| {
        Ok(TimerRow { name: row.get(0)?, due_ms: row.get(1)? })
    })
}

fn linked(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    query: &LinkedQuery,
) -> Result<Vec<RecordRow>, StoreError> {
    // Scope after scope: the index gives each its own, and what lies in others is not read.
    let sql = format!(
        "{} WHERE r.id IN (SELECT child FROM link WHERE tenant = ?1 AND parent = ?2 AND scope = ?3 AND child > ?4)
         AND s.tenant = ?1 AND r.deleted IS NULL ORDER BY r.id LIMIT ?5",
        record::SELECT
    );
    let parent = parent_text(&query.parent);
    let after = query.after.and_then(identity::row_of).unwrap_or(0);
    let limit = limits::list_limit(query.limit);
    let mut found = Vec::new();
    for scope in scopes_of(connection, tenant, query)? {
        let values = params![tenant.as_str(), parent, scope, after, limit];
        found.extend(all(connection, &sql, values, |row| rows::record(row, ids))?);
    }
    found.sort_by_key(|row| identity::row_of(row.id));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The scopes that a question is about.
fn scopes_of(connection: &Connection, tenant: &TenantId, query: &LinkedQuery) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT id, entity FROM scope WHERE tenant = ?1 AND connection = ?2";
    let mut scopes = Vec::new();
    for name in &query.connections {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let known = all(connection, sql, params![tenant.as_str(), name.as_str()], read)?;
        let asked = |entity: &String| query.entities.is_empty() || query.entities.contains(entity);
        scopes.extend(known.into_iter().filter(|(_, entity)| asked(entity)).map(|(id, _)| id));
    }
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}
