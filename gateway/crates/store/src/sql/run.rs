//! Runs: who may commit, and what each did.

use renmen_schema::id::{ConnectionName, RunId, TenantId};

use super::{Session, expect_number, number, run_notes, stream, values};
use crate::rows::{self, RUN_SELECT};
use crate::{NewRun, PluginRef, RunEnd, RunRow, RunState, RunTrigger, StoreError, StreamKey, codes, limits};

pub(crate) async fn begin(session: &impl Session, new: &NewRun) -> Result<RunId, StoreError> {
    let stream = stream::intern(session, &new.key).await?;
    if let Some(live) = stream.run {
        interrupt_if_over(session, &new.key, live, new.now_ms).await?;
    }
    let plugin = intern_plugin(session, &new.plugin).await?;
    let sql = "INSERT INTO run (stream, plugin, \"trigger\", state, started_at, touched_at, lease_ms)
               VALUES ($1, $2, $3, $4, $5, $5, $6) RETURNING id";
    let values = values![stream.id, plugin, new.trigger.as_str(), codes::RUNNING, new.now_ms, new.lease_ms];
    let id = expect_number(session, sql, values).await?;
    session.run("UPDATE stream SET run = $2 WHERE id = $1", values![stream.id, id]).await?;
    Ok(RunId(id))
}

/// Another run is live: its lease decides. One whose row is gone can neither commit nor end, so it holds nothing.
async fn interrupt_if_over(session: &impl Session, key: &StreamKey, live: i64, now_ms: i64) -> Result<(), StoreError> {
    let until = number(session, "SELECT touched_at + lease_ms FROM run WHERE id = $1", values![live]).await?;
    let until = until.unwrap_or(i64::MIN);
    if until > now_ms {
        return Err(StoreError::Busy(format!(
            "run {live} of {}/{} is under way; its lease ends in {} ms",
            key.connection,
            key.stream,
            until - now_ms
        )));
    }
    let sql = "UPDATE run SET state = $2, ended_at = touched_at WHERE id = $1";
    session.run(sql, values![live, codes::INTERRUPTED]).await.map(drop)
}

/// The row of a plugin, made when there is none.
async fn intern_plugin(session: &impl Session, plugin: &PluginRef) -> Result<i64, StoreError> {
    let PluginRef { name, version, digest } = plugin;
    let sql = "INSERT INTO plugin (name, version, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    session.run(sql, values![name, version, digest]).await?;
    let sql = "SELECT id FROM plugin WHERE name = $1 AND version = $2 AND digest = $3";
    expect_number(session, sql, values![name, version, digest]).await
}

/// A run that is over from its beginning and never holds its stream: what a stream gets outside of its runs is kept
/// under it. There is one for all that one plugin brings by one trigger from `since_ms` on: its figures grow.
pub(super) async fn side_run(
    session: &impl Session,
    stream: i64,
    (plugin, trigger): (&PluginRef, RunTrigger),
    since_ms: i64,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let plugin = intern_plugin(session, plugin).await?;
    let sql = "SELECT id FROM run WHERE stream = $1 AND plugin = $2 AND \"trigger\" = $3 AND started_at > $4
               ORDER BY id DESC LIMIT 1";
    if let Some(run) = number(session, sql, values![stream, plugin, trigger.as_str(), since_ms]).await? {
        return Ok(run);
    }
    let sql = "INSERT INTO run (stream, plugin, \"trigger\", state, started_at, touched_at, lease_ms, ended_at)
               VALUES ($1, $2, $3, $4, $5, $5, 0, $5) RETURNING id";
    let completed = codes::run_state_code(RunState::Completed);
    expect_number(session, sql, values![stream, plugin, trigger.as_str(), completed, now_ms]).await
}

/// Something came into a side run.
pub(super) async fn extend_side_run(session: &impl Session, run: i64, now_ms: i64) -> Result<(), StoreError> {
    let sql = "UPDATE run SET ended_at = CASE WHEN ended_at < $2 THEN $2 ELSE ended_at END WHERE id = $1";
    session.run(sql, values![run, now_ms]).await.map(drop)
}

pub(crate) async fn finish(session: &impl Session, id: RunId, end: &RunEnd) -> Result<(), StoreError> {
    // The stream first, as a commit does: two that lock in one order never wait for each other.
    session.run("UPDATE stream SET run = NULL WHERE run = $1", values![id.0]).await?;
    let sql = "UPDATE run SET state = $2, ended_at = $3, error = $4, retry_at = $5 WHERE id = $1 AND state = $6";
    let state = codes::run_state_code(end.state);
    let values = values![id.0, state, end.now_ms, end.error.as_deref(), end.retry_at_ms, codes::RUNNING];
    if session.run(sql, values).await? == 0 {
        return Err(StoreError::Fenced(format!("run {id} is not under way any more")));
    }
    run_notes::insert_findings(session, id, &end.findings).await
}

pub(crate) async fn get(session: &impl Session, tenant: &TenantId, id: RunId) -> Result<Option<RunRow>, StoreError> {
    let sql = format!("{RUN_SELECT} WHERE u.id = $1 AND t.tenant = $2");
    session.one(&sql, values![id.0, tenant], rows::run).await
}

pub(crate) async fn list(
    session: &impl Session,
    tenant: &TenantId,
    only: Option<&ConnectionName>,
    limit: u32,
) -> Result<Vec<RunRow>, StoreError> {
    let sql = format!(
        "{RUN_SELECT} WHERE t.tenant = $1 AND (CAST($2 AS text) IS NULL OR t.connection = $2) ORDER BY u.id DESC LIMIT $3"
    );
    session.all(&sql, values![tenant, only, limits::list_limit(limit)], rows::run).await
}

/// At the start of the only process that may write: no run of an earlier one can be alive.
pub(crate) async fn interrupt_all(session: &impl Session) -> Result<(), StoreError> {
    session.run("UPDATE stream SET run = NULL WHERE run IS NOT NULL", &[]).await?;
    let sql = "UPDATE run SET state = $1, ended_at = touched_at WHERE state = $2";
    let interrupted = session.run(sql, values![codes::INTERRUPTED, codes::RUNNING]).await?;
    if interrupted > 0 {
        tracing::warn!(interrupted, "Runs of an earlier process were interrupted; they resume after their last page");
    }
    Ok(())
}
