//! Streams and their runs: who may commit, and what each run did.

use renmen_schema::id::{ConnectionName, RunId, TenantId};
use rusqlite::{Connection, params};

use super::note;
use super::query::{all, number, one, run};
use crate::rows::{self, NOT_HELD, RUN_SELECT};
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

pub(super) fn stream(connection: &Connection, key: &StreamKey) -> Result<Option<LiveStream>, StoreError> {
    let sql = "SELECT id, cursor, sweep_from, run, mid_run, held_from, sweep_partial FROM stream WHERE tenant = ?1 AND connection = ?2 AND stream = ?3";
    one(connection, sql, params![key.tenant.as_str(), key.connection.as_str(), key.stream.as_str()], |row| {
        Ok(LiveStream {
            id: row.get(0)?,
            cursor: row.get(1)?,
            sweep_from: row.get(2)?,
            run: row.get(3)?,
            mid_run: row.get::<_, i64>(4)? != 0,
            held_from: row.get(5)?,
            sweep_partial: row.get::<_, i64>(6)? != 0,
        })
    })
}

pub(super) fn begin(connection: &Connection, new: &NewRun) -> Result<RunId, StoreError> {
    let key = &new.key;
    let found = stream(connection, key)?;
    if let Some(live) = found.as_ref().and_then(|stream| stream.run) {
        interrupt_if_over(connection, key, live, new.now_ms)?;
    }
    let stream = match found {
        Some(stream) => stream.id,
        None => {
            let sql = "INSERT INTO stream (tenant, connection, stream) VALUES (?1, ?2, ?3)";
            run(connection, sql, params![key.tenant.as_str(), key.connection.as_str(), key.stream.as_str()])?;
            connection.last_insert_rowid()
        }
    };
    let plugin = intern_plugin(connection, &new.plugin)?;
    run(
        connection,
        "INSERT INTO run (stream, plugin, \"trigger\", state, started_at, touched_at, lease_ms)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, ?6)",
        params![stream, plugin, new.trigger.as_str(), codes::RUNNING, new.now_ms, new.lease_ms],
    )?;
    let id = connection.last_insert_rowid();
    run(connection, "UPDATE stream SET run = ?2 WHERE id = ?1", [stream, id])?;
    Ok(RunId(id))
}

/// Another run is live: its lease decides.
fn interrupt_if_over(connection: &Connection, key: &StreamKey, live: i64, now_ms: i64) -> Result<(), StoreError> {
    let until = number(connection, "SELECT touched_at + lease_ms FROM run WHERE id = ?1", [live])?.unwrap_or(0);
    if until > now_ms {
        return Err(StoreError::Busy(format!(
            "run {live} of {}/{} is under way; its lease ends in {} ms",
            key.connection,
            key.stream,
            until - now_ms
        )));
    }
    run(
        connection,
        "UPDATE run SET state = ?2, ended_at = touched_at WHERE id = ?1",
        params![live, codes::INTERRUPTED],
    )?;
    Ok(())
}

/// At the start of the only process that may write: no run of an earlier one can be alive.
pub(super) fn interrupt_all(connection: &Connection) -> Result<usize, StoreError> {
    run(connection, "UPDATE stream SET run = NULL WHERE run IS NOT NULL", [])?;
    run(
        connection,
        "UPDATE run SET state = ?1, ended_at = touched_at WHERE state = ?2",
        params![codes::INTERRUPTED, codes::RUNNING],
    )
}

pub(super) fn intern_plugin(connection: &Connection, plugin: &PluginRef) -> Result<i64, StoreError> {
    let values = params![plugin.name, plugin.version, plugin.digest];
    run(connection, "INSERT INTO plugin (name, version, digest) VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING", values)?;
    let sql = "SELECT id FROM plugin WHERE name = ?1 AND version = ?2 AND digest = ?3";
    number(connection, sql, values)?.ok_or_else(|| StoreError::Fault("the plugin's row vanished".into()))
}

pub(super) fn finish(connection: &Connection, id: RunId, end: &RunEnd) -> Result<(), StoreError> {
    let ended = run(
        connection,
        "UPDATE run SET state = ?2, ended_at = ?3, error = ?4, retry_at = ?5 WHERE id = ?1 AND state = ?6",
        params![id.0, codes::of_state(end.state), end.now_ms, end.error, end.retry_at_ms, codes::RUNNING],
    )?;
    if ended == 0 {
        return Err(StoreError::Fenced(format!("run {id} is not under way any more")));
    }
    run(connection, "UPDATE stream SET run = NULL WHERE run = ?1", [id.0])?;
    note::insert_findings(connection, id, &end.findings)
}

pub(super) fn get(connection: &Connection, tenant: &TenantId, id: RunId) -> Result<Option<RunRow>, StoreError> {
    let sql = format!("{RUN_SELECT} WHERE u.id = ?1 AND t.tenant = ?2");
    one(connection, &sql, params![id.0, tenant.as_str()], |row| rows::run(row))
}

pub(super) fn list(
    connection: &Connection,
    tenant: &TenantId,
    only: Option<&ConnectionName>,
    limit: u32,
) -> Result<Vec<RunRow>, StoreError> {
    let sql =
        format!("{RUN_SELECT} WHERE t.tenant = ?1 AND (?2 IS NULL OR t.connection = ?2) ORDER BY u.id DESC LIMIT ?3");
    let values = params![tenant.as_str(), only.map(ConnectionName::as_str), limits::list_limit(limit)];
    all(connection, &sql, values, |row| rows::run(row))
}

pub(super) fn state(connection: &Connection, key: &StreamKey) -> Result<StreamState, StoreError> {
    let sql = "SELECT coalesce(sum(live + dead), 0) FROM scope WHERE tenant = ?1 AND connection = ?2";
    let records = number(connection, sql, params![key.tenant.as_str(), key.connection.as_str()])?.unwrap_or(0);
    let records = u64::try_from(records).unwrap_or(0);
    Ok(match stream(connection, key)? {
        None => StreamState { records, ..StreamState::default() },
        Some(stream) => StreamState {
            cursor: stream.cursor,
            mid_run: stream.mid_run,
            sweeping: stream.sweep_from.is_some() && !stream.sweep_partial,
            records,
        },
    })
}

pub(super) fn reset(connection: &Connection, key: &StreamKey) -> Result<(), StoreError> {
    let Some(stream) = stream(connection, key)? else { return Ok(()) };
    run(
        connection,
        &format!("UPDATE stream SET cursor = NULL, mid_run = 0, sweep_from = NULL, {NOT_HELD} WHERE id = ?1"),
        [stream.id],
    )?;
    Ok(())
}
