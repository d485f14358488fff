//! Streams and their runs: who may commit, and what each run did.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, RunId, TenantId};

use super::note;
use super::query::{all, must, number, one, run};
use crate::rows::{self, Columns, NOT_HELD, RUN_SELECT};
use crate::{NewRun, PluginRef, RunEnd, RunRow, StoreError, StreamKey, StreamState, codes, limits};

/// What a commit must know of its stream.
pub(super) struct LiveStream {
    pub(super) id: i64,
    pub(super) cursor: Option<String>,
    pub(super) sweep_from: Option<i64>,
    /// The first page of a sweep that is held.
    pub(super) held_from: Option<i64>,
    pub(super) run: Option<i64>,
    mid_run: bool,
    sweep_partial: bool,
}

/// `lock`: nobody else changes it until the transaction ends.
pub(super) async fn stream(
    client: &impl GenericClient,
    key: &StreamKey,
    lock: bool,
) -> Result<Option<LiveStream>, StoreError> {
    let sql = format!(
        "SELECT id, cursor, sweep_from, run, mid_run, held_from, sweep_partial FROM stream WHERE tenant = $1 AND connection = $2 AND stream = $3 {}",
        if lock { "FOR UPDATE" } else { "" }
    );
    let row = one(client, &sql, &[&key.tenant.as_str(), &key.connection.as_str(), &key.stream.as_str()]).await?;
    row.map(|row| {
        Ok(LiveStream {
            id: row.int(0)?,
            cursor: row.text_or_none(1)?,
            sweep_from: row.int_or_none(2)?,
            run: row.int_or_none(3)?,
            mid_run: row.int(4)? != 0,
            held_from: row.int_or_none(5)?,
            sweep_partial: row.int(6)? != 0,
        })
    })
    .transpose()
}

pub(super) async fn begin(client: &impl GenericClient, new: &NewRun) -> Result<RunId, StoreError> {
    let key = &new.key;
    let sql = "INSERT INTO stream (tenant, connection, stream) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    run(client, sql, &[&key.tenant.as_str(), &key.connection.as_str(), &key.stream.as_str()]).await?;
    let stream =
        stream(client, key, true).await?.ok_or_else(|| StoreError::Fault("the stream's row vanished".into()))?;
    if let Some(live) = stream.run {
        interrupt_if_over(client, key, live, new.now_ms).await?;
    }
    let plugin = intern_plugin(client, &new.plugin).await?;
    let id = must(
        client,
        "INSERT INTO run (stream, plugin, trigger, state, started_at, touched_at, lease_ms)
         VALUES ($1, $2, $3, $4, $5, $5, $6) RETURNING id",
        &[&stream.id, &plugin, &new.trigger.as_str(), &codes::RUNNING, &new.now_ms, &new.lease_ms],
    )
    .await?;
    run(client, "UPDATE stream SET run = $2 WHERE id = $1", &[&stream.id, &id]).await?;
    Ok(RunId(id))
}

/// Another run is live: its lease decides.
async fn interrupt_if_over(
    client: &impl GenericClient,
    key: &StreamKey,
    live: i64,
    now_ms: i64,
) -> Result<(), StoreError> {
    let until = must(client, "SELECT touched_at + lease_ms FROM run WHERE id = $1", &[&live]).await?;
    if until > now_ms {
        return Err(StoreError::Busy(format!(
            "run {live} of {}/{} is under way; its lease ends in {} ms",
            key.connection,
            key.stream,
            until - now_ms
        )));
    }
    let sql = "UPDATE run SET state = $2, ended_at = touched_at WHERE id = $1";
    run(client, sql, &[&live, &codes::INTERRUPTED]).await.map(drop)
}

pub(super) async fn intern_plugin(client: &impl GenericClient, plugin: &PluginRef) -> Result<i64, StoreError> {
    let PluginRef { name, version, digest } = plugin;
    let sql = "INSERT INTO plugin (name, version, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    run(client, sql, &[name, version, digest]).await?;
    must(client, "SELECT id FROM plugin WHERE name = $1 AND version = $2 AND digest = $3", &[name, version, digest])
        .await
}

pub(super) async fn finish(client: &impl GenericClient, id: RunId, end: &RunEnd) -> Result<(), StoreError> {
    // The stream first, as a commit does: two that lock in one order never wait for each other.
    run(client, "UPDATE stream SET run = NULL WHERE run = $1", &[&id.0]).await?;
    let ended = run(
        client,
        "UPDATE run SET state = $2, ended_at = $3, error = $4, retry_at = $5 WHERE id = $1 AND state = $6",
        &[&id.0, &codes::of_state(end.state), &end.now_ms, &end.error, &end.retry_at_ms, &codes::RUNNING],
    )
    .await?;
    if ended == 0 {
        return Err(StoreError::Fenced(format!("run {id} is not under way any more")));
    }
    note::insert_findings(client, id, &end.findings).await
}

pub(super) async fn get(
    client: &impl GenericClient,
    tenant: &TenantId,
    id: RunId,
) -> Result<Option<RunRow>, StoreError> {
    let sql = format!("{RUN_SELECT} WHERE u.id = $1 AND t.tenant = $2");
    one(client, &sql, &[&id.0, &tenant.as_str()]).await?.as_ref().map(rows::run).transpose()
}

pub(super) async fn list(
    client: &impl GenericClient,
    tenant: &TenantId,
    only: Option<&ConnectionName>,
    limit: u32,
) -> Result<Vec<RunRow>, StoreError> {
    let sql = format!(
        "{RUN_SELECT} WHERE t.tenant = $1 AND ($2::text IS NULL OR t.connection = $2) ORDER BY u.id DESC LIMIT $3"
    );
    let only = only.map(ConnectionName::as_str);
    all(client, &sql, &[&tenant.as_str(), &only, &limits::list_limit(limit)]).await?.iter().map(rows::run).collect()
}

pub(super) async fn state(client: &impl GenericClient, key: &StreamKey) -> Result<StreamState, StoreError> {
    let sql = "SELECT coalesce(sum(live + dead), 0)::bigint FROM scope WHERE tenant = $1 AND connection = $2";
    let records = number(client, sql, &[&key.tenant.as_str(), &key.connection.as_str()]).await?.unwrap_or(0);
    let records = u64::try_from(records).unwrap_or(0);
    Ok(match stream(client, key, false).await? {
        None => StreamState { records, ..StreamState::default() },
        Some(stream) => StreamState {
            cursor: stream.cursor,
            mid_run: stream.mid_run,
            sweeping: stream.sweep_from.is_some() && !stream.sweep_partial,
            records,
        },
    })
}

pub(super) async fn reset(client: &impl GenericClient, key: &StreamKey) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE stream SET cursor = NULL, mid_run = 0, sweep_from = NULL, {NOT_HELD}
         WHERE tenant = $1 AND connection = $2 AND stream = $3"
    );
    run(client, &sql, &[&key.tenant.as_str(), &key.connection.as_str(), &key.stream.as_str()]).await.map(drop)
}
