//! What the gateway itself writes: records with their causes, links and timers, and the place of a follower.

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use super::commit::Scopes;
use super::pen::Pen;
use super::query::{Values, all, must, number, one, run};
use super::{PostgresStore, in_time, record, run as runs, sign};
use crate::authored::{self, Written, parent_text};
use crate::identity::{self, IdKey};
use crate::rows::Columns;
use crate::{
    AuthorOutcome, AuthorStore, AuthoredCommit, AuthoredRecord, Cause, CommitOutcome, LinkedQuery, NewRun, Parent,
    RecordRow, RecordWrite, RunState, StoreError, TimerRow, TimerWrite, codes, follow, limits, rows,
};

#[async_trait]
impl AuthorStore for PostgresStore {
    async fn author(&self, commit: AuthoredCommit) -> Result<AuthorOutcome, StoreError> {
        let writes = authored::check(&commit)?;
        in_time(async {
            let mut client = self.client().await?;
            let transaction = client.transaction().await?;
            let done = author(&transaction, &self.ids, &commit, &writes).await?;
            transaction.commit().await?;
            if !writes.is_empty() {
                follow::raise(&self.head, done.outcome.last_seq);
            } else if !commit.links.is_empty() {
                follow::wake(&self.head);
            }
            Ok(done)
        })
        .await
    }

    async fn causes(&self, tenant: &TenantId, id: RecordId, revision: i64) -> Result<Vec<Cause>, StoreError> {
        self.read(|c| async move { causes(&c, &self.ids, tenant, id, revision).await }).await
    }

    async fn due_timers(
        &self,
        tenant: &TenantId,
        stream: &str,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<TimerRow>, StoreError> {
        self.read(|c| async move { due_timers(&c, tenant, stream, now_ms, limit).await }).await
    }

    async fn linked(&self, tenant: &TenantId, query: &LinkedQuery) -> Result<Vec<RecordRow>, StoreError> {
        self.read(|c| async move { linked(&c, &self.ids, tenant, query).await }).await
    }
}

async fn author(
    transaction: &Transaction<'_>,
    ids: &IdKey,
    commit: &AuthoredCommit,
    writes: &[RecordWrite],
) -> Result<AuthorOutcome, StoreError> {
    let new = authored::stream_of(commit)?;
    // The feed before the stream, as a commit does: two that lock in one order never wait for each other.
    let mut pen = Pen::take(transaction, &commit.tenant, commit.now_ms).await?;
    let (stream, place) = stream(transaction, &new).await?;
    let next = authored::step(place.as_deref(), commit)?;
    let mut done = AuthorOutcome { ids: Vec::new(), outcome: CommitOutcome::default() };
    if !writes.is_empty() {
        let live = built_in_run(transaction, stream, &new).await?;
        let sql = "INSERT INTO page (stream, run, cursor_before, cursor_after, now_ms, exchanges)
                   VALUES ($1, $2, $3, $4, $5, 0) RETURNING id";
        pen.page = must(transaction, sql, &[&stream, &live, &place, &next, &commit.now_ms]).await?;
        let page = pen.page;
        let mut scopes = Scopes::new(&commit.tenant, &new.key.connection);
        let of = scopes.of(transaction, stream, writes).await?;
        for (scope, record) in of.iter().zip(&commit.records) {
            authored::expect(record, revision(transaction, *scope, &record.external_id).await?)?;
        }
        pen.put(&mut scopes, stream, writes).await?;
        done.outcome = pen.close().await?;
        let mut written = Vec::with_capacity(writes.len());
        for (scope, record) in of.iter().zip(&commit.records) {
            let one = note_causes(transaction, ids, commit, page, *scope, record).await?;
            if !record.parents.is_empty() {
                put_link(transaction, &commit.tenant, one.id, &record.parents).await?;
            }
            done.ids.push(one.id);
            written.push(one);
        }
        sign::note(transaction, commit, &written).await?;
        count(transaction, live, commit.now_ms, writes.len(), &done.outcome).await?;
    }
    if place != next {
        run(transaction, "UPDATE stream SET cursor = $2 WHERE id = $1", &[&stream, &next]).await?;
    }
    for link in &commit.links {
        put_link(transaction, &commit.tenant, link.child, &link.parents).await?;
    }
    for timer in &commit.timers {
        put_timer(transaction, commit, timer).await?;
    }
    Ok(done)
}

/// The stream's row, locked, with its place.
async fn stream(client: &impl GenericClient, new: &NewRun) -> Result<(i64, Option<String>), StoreError> {
    let key = &new.key;
    let sql = "INSERT INTO stream (tenant, connection, stream) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    run(client, sql, &[&key.tenant.as_str(), &key.connection.as_str(), &key.stream.as_str()]).await?;
    let found = runs::stream(client, key, true).await?;
    let found = found.ok_or_else(|| StoreError::Fault("the stream's row vanished".into()))?;
    Ok((found.id, found.cursor))
}

/// One run for all that this version writes through a stream: its figures grow, it never holds the stream.
async fn built_in_run(client: &impl GenericClient, stream: i64, new: &NewRun) -> Result<i64, StoreError> {
    let plugin = runs::intern_plugin(client, &new.plugin).await?;
    let sql = "SELECT id FROM run WHERE stream = $1 AND plugin = $2 ORDER BY id DESC LIMIT 1";
    if let Some(found) = number(client, sql, &[&stream, &plugin]).await? {
        return Ok(found);
    }
    must(
        client,
        "INSERT INTO run (stream, plugin, trigger, state, started_at, touched_at, lease_ms, ended_at)
         VALUES ($1, $2, $3, $4, $5, $5, 0, $5) RETURNING id",
        &[&stream, &plugin, &new.trigger.as_str(), &codes::of_state(RunState::Completed), &new.now_ms],
    )
    .await
}

async fn revision(client: &impl GenericClient, scope: i64, external_id: &str) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT revision FROM record WHERE scope = $1 AND external_id = $2";
    number(client, sql, &[&scope, &external_id]).await
}

/// Keeps what a revision was made from, when this commit made one.
async fn note_causes(
    client: &impl GenericClient,
    ids: &IdKey,
    commit: &AuthoredCommit,
    page: i64,
    scope: i64,
    record: &AuthoredRecord,
) -> Result<Written, StoreError> {
    let sql = "SELECT id, created_at, revision, page FROM record WHERE scope = $1 AND external_id = $2";
    let found = one(client, sql, &[&scope, &record.external_id]).await?;
    let found = found.ok_or_else(|| StoreError::Fault("an authored record vanished within its transaction".into()))?;
    let row = found.int(0)?;
    let (revision, fresh) = (found.int(2)?, found.int(3)? == page);
    if fresh {
        for (no, cause) in record.causes.iter().enumerate() {
            let of = known(client, ids, &commit.tenant, cause.record).await?;
            let sql = "INSERT INTO cause (record, revision, no, cause, cause_revision) VALUES ($1, $2, $3, $4, $5)";
            run(client, sql, &[&row, &revision, &(no as i64), &of, &cause.revision]).await?;
        }
    }
    Ok(Written { row, id: ids.mint(row, found.int(1)?), revision, fresh })
}

/// The row of a record of this tenant.
async fn known(client: &impl GenericClient, ids: &IdKey, tenant: &TenantId, id: RecordId) -> Result<i64, StoreError> {
    let unknown = || StoreError::BadInput("a commit names a record that is not there".into());
    let row = identity::row_of(id).ok_or_else(unknown)?;
    let sql = "SELECT r.created_at FROM record r JOIN scope s ON s.id = r.scope WHERE r.id = $1 AND s.tenant = $2";
    let created_at = number(client, sql, &[&row, &tenant.as_str()]).await?.ok_or_else(unknown)?;
    if ids.mint(row, created_at) == id { Ok(row) } else { Err(unknown()) }
}

async fn count(
    client: &impl GenericClient,
    live: i64,
    now_ms: i64,
    records: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    let [records, created, updated, unchanged] =
        [records as u64, outcome.created, outcome.updated, outcome.unchanged].map(|count| count as i64);
    run(
        client,
        "UPDATE run SET touched_at = $2, ended_at = $2, pages = pages + 1, records = records + $3, created = created + $4,
         updated = updated + $5, unchanged = unchanged + $6, last_seq = $7 WHERE id = $1",
        &[&live, &now_ms, &records, &created, &updated, &unchanged, &outcome.last_seq],
    )
    .await
    .map(drop)
}

async fn put_link(
    client: &impl GenericClient,
    tenant: &TenantId,
    child: RecordId,
    parents: &[Parent],
) -> Result<(), StoreError> {
    let Some(child) = identity::row_of(child) else {
        return Err(StoreError::BadInput("a link names a record that is not there".into()));
    };
    run(client, "DELETE FROM link WHERE child = $1 AND tenant = $2", &[&child, &tenant.as_str()]).await?;
    for parent in parents {
        let sql = "INSERT INTO link (tenant, parent, scope, child)
                   SELECT s.tenant, $2, r.scope, r.id FROM record r JOIN scope s ON s.id = r.scope
                   WHERE r.id = $3 AND s.tenant = $1 ON CONFLICT DO NOTHING";
        run(client, sql, &[&tenant.as_str(), &parent_text(parent), &child]).await?;
    }
    Ok(())
}

async fn put_timer(client: &impl GenericClient, commit: &AuthoredCommit, timer: &TimerWrite) -> Result<(), StoreError> {
    let (tenant, stream) = (commit.tenant.as_str(), commit.stream.as_str());
    match timer {
        TimerWrite::Set { name, due_ms } => {
            let sql = "INSERT INTO timer (tenant, stream, name, due_ms) VALUES ($1, $2, $3, $4)
                       ON CONFLICT (tenant, stream, name) DO UPDATE SET due_ms = excluded.due_ms";
            run(client, sql, &[&tenant, &stream, name, due_ms]).await
        }
        TimerWrite::Clear { name } => {
            let sql = "DELETE FROM timer WHERE tenant = $1 AND stream = $2 AND name = $3";
            run(client, sql, &[&tenant, &stream, name]).await
        }
        TimerWrite::Done { name, due_ms } => {
            let sql = "DELETE FROM timer WHERE tenant = $1 AND stream = $2 AND name = $3 AND due_ms = $4";
            run(client, sql, &[&tenant, &stream, name, due_ms]).await
        }
    }
    .map(drop)
}

async fn causes(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    revision: i64,
) -> Result<Vec<Cause>, StoreError> {
    let Some(row) = record::get(client, ids, tenant, id).await?.and_then(|_| identity::row_of(id)) else {
        return Ok(Vec::new());
    };
    let sql = "SELECT k.id, k.created_at, c.cause_revision FROM cause c JOIN record k ON k.id = c.cause
               WHERE c.record = $1 AND c.revision = $2 ORDER BY c.no";
    let found = all(client, sql, &[&row, &revision]).await?;
    found.iter().map(|row| Ok(Cause { record: ids.mint(row.int(0)?, row.int(1)?), revision: row.int(2)? })).collect()
}

async fn due_timers(
    client: &impl GenericClient,
    tenant: &TenantId,
    stream: &str,
    now_ms: i64,
    limit: u32,
) -> Result<Vec<TimerRow>, StoreError> {
    let sql = "SELECT name, due_ms FROM timer WHERE tenant = $1 AND stream = $2 AND due_ms <= $3
               ORDER BY due_ms, name COLLATE \"C\" LIMIT $4";
    let found = all(client, sql, &[&tenant.as_str(), &stream, &now_ms, &limits::list_limit(limit)]).await?;
    found.iter().map(|row| Ok(TimerRow { name: row.text(0)?, due_ms: row.int(1)? })).collect()
}

async fn linked(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    query: &LinkedQuery,
) -> Result<Vec<RecordRow>, StoreError> {
    let sql = format!(
        "{} WHERE r.id IN (
             SELECT l.child FROM scope w CROSS JOIN LATERAL (
                 SELECT child FROM link WHERE tenant = $1 AND parent = $2 AND scope = w.id AND child > $5
             ) l
             WHERE w.tenant = $1 AND w.connection = ANY($3) AND (cardinality($4::text[]) = 0 OR w.entity = ANY($4)))
         AND s.tenant = $1 AND r.deleted IS NULL ORDER BY r.id LIMIT $6",
        record::SELECT
    );
    let connections: Vec<&str> = query.connections.iter().map(ConnectionName::as_str).collect();
    let after = query.after.and_then(identity::row_of).unwrap_or(0);
    let limit = limits::list_limit(query.limit);
    let values: Values<'_> =
        &[&tenant.as_str(), &parent_text(&query.parent), &connections, &query.entities, &after, &limit];
    all(client, &sql, values).await?.iter().map(|row| rows::record(row, ids)).collect()
}
