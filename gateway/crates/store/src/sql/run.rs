//! Runs: who may commit, and what each did.

use renmen_schema::id::{ConnectionName, RunId, TenantId};

use super::moving::{self, stays};
use super::stream::LiveStream;
use super::{Session, expect_number, number, run_notes, shown_by, stream, values};
use crate::holder::Holder;
use crate::rows::{self, RUN_SELECT};
use crate::{
    NewRun, PluginRef, RunEnd, RunRow, RunState, RunTrigger, StoreError, StreamKey, StreamStand, codes, limits,
};

/// Runs of a stream that a look at its schedule reads: how often it failed in a row hangs on them.
const STAND_RUNS: i64 = 50;

pub(crate) async fn begin(session: &impl Session, holder: &Holder, new: &NewRun) -> Result<RunId, StoreError> {
    moving::refuse(session, &new.key.tenant).await?;
    let stream = stream::intern(session, &new.key).await?;
    begin_on(session, holder, new, &stream).await
}

/// The same, unless another run has read the stream since the last one that is known.
pub(crate) async fn begin_due(
    session: &impl Session,
    holder: &Holder,
    new: &NewRun,
    last: Option<RunId>,
) -> Result<RunId, StoreError> {
    moving::refuse(session, &new.key.tenant).await?;
    let stream = stream::intern(session, &new.key).await?;
    if stream.last_run != last.map(|run| run.0) {
        let (connection, name) = (&new.key.connection, &new.key.stream);
        return Err(StoreError::Fenced(format!("another run of {connection}/{name} began meanwhile")));
    }
    begin_on(session, holder, new, &stream).await
}

async fn begin_on(
    session: &impl Session,
    holder: &Holder,
    new: &NewRun,
    stream: &LiveStream,
) -> Result<RunId, StoreError> {
    if let Some(live) = stream.run {
        interrupt_if_over(session, &new.key, live, new.now_ms).await?;
    }
    let plugin = intern_plugin(session, &new.plugin).await?;
    let clock = session.dialect().lease_clock("$5");
    let sql = format!(
        "INSERT INTO run (stream, plugin, \"trigger\", state, started_at, touched_at, lease_ms, holder, leased_until)
         VALUES ($1, $2, $3, {}, $5, $5, $4, $6, {clock} + CAST($4 AS bigint)) RETURNING id",
        codes::RUNNING
    );
    let trigger = new.trigger.as_str();
    let values = values![stream.id, plugin, trigger, new.lease_ms, new.now_ms, holder.name()];
    let id = expect_number(session, &sql, values).await?;
    session.run("UPDATE stream SET run = $2 WHERE id = $1", values![stream.id, id]).await?;
    if new.trigger.pulls_stream() {
        let clock = session.dialect().lease_clock("$3");
        let sql = format!("UPDATE stream SET last_run = $2, last_began_at = {clock} WHERE id = $1");
        session.run(&sql, values![stream.id, id, new.now_ms]).await?;
    }
    Ok(RunId(id))
}

/// Another run is live: its lease decides. One whose row is gone can neither commit nor end, so it holds nothing.
async fn interrupt_if_over(session: &impl Session, key: &StreamKey, live: i64, now_ms: i64) -> Result<(), StoreError> {
    let clock = session.dialect().lease_clock("$2");
    let left = format!("SELECT leased_until - {clock} FROM run WHERE id = $1");
    let left_ms = number(session, &left, values![live, now_ms]).await?.unwrap_or(i64::MIN);
    if left_ms > 0 {
        return Err(StoreError::Busy(format!(
            "run {live} of {}/{} is under way; its lease ends in {left_ms} ms",
            key.connection, key.stream
        )));
    }
    let sql = "UPDATE run SET state = $2, ended_at = touched_at WHERE id = $1";
    session.run(sql, values![live, codes::INTERRUPTED]).await.map(drop)
}

/// Shows that a run is still under way.
pub(crate) async fn renew(session: &impl Session, id: RunId, now_ms: i64) -> Result<(), StoreError> {
    let clock = session.dialect().lease_clock("$2");
    let sql = format!("UPDATE run SET leased_until = {clock} + lease_ms WHERE id = $1 AND state = {}", codes::RUNNING);
    match session.run(&sql, values![id.0, now_ms]).await? {
        0 => Err(StoreError::Fenced(format!("run {id} is not under way any more"))),
        _ => Ok(()),
    }
}

/// Streams that another gateway than this one reads.
pub(crate) async fn elsewhere(
    session: &impl Session,
    holder: &Holder,
    now_ms: i64,
) -> Result<Vec<StreamKey>, StoreError> {
    let clock = session.dialect().lease_clock("$1");
    let sql = format!(
        "SELECT t.tenant, t.connection, t.stream FROM run u JOIN stream t ON t.id = u.stream AND t.run = u.id
         WHERE u.state = {} AND u.leased_until > {clock} AND u.holder <> $2",
        codes::RUNNING
    );
    session.all(&sql, values![now_ms, holder.name()], rows::stream_key).await
}

/// Streams whose run shows no sign of life any more.
pub(crate) async fn expired(session: &impl Session, now_ms: i64) -> Result<Vec<StreamKey>, StoreError> {
    let clock = session.dialect().lease_clock("$1");
    let sql = format!(
        "SELECT t.tenant, t.connection, t.stream FROM run u JOIN stream t ON t.id = u.stream AND t.run = u.id
         WHERE u.state = {} AND u.leased_until <= {clock} AND {}",
        codes::RUNNING,
        stays!("t.tenant")
    );
    session.all(&sql, values![now_ms], rows::stream_key).await
}

/// What a schedule asks of a stream.
pub(crate) async fn stand(session: &impl Session, key: &StreamKey, now_ms: i64) -> Result<StreamStand, StoreError> {
    let clock = session.dialect().lease_clock("$1");
    let now_ms = shown_by(session, &clock, now_ms).await?;
    let Some(stream) = stream::find(session, key).await? else {
        return Ok(StreamStand { now_ms, ..StreamStand::default() });
    };
    let live = match stream.run {
        None => None,
        Some(run) => number(session, "SELECT leased_until FROM run WHERE id = $1", values![run]).await?,
    };
    let sql = format!("{RUN_SELECT} WHERE u.stream = $1 ORDER BY u.id DESC LIMIT $2");
    let recent = session.all(&sql, values![stream.id, STAND_RUNS], rows::run).await?;
    Ok(StreamStand {
        now_ms,
        last_run: stream.last_run.map(RunId),
        last_began_at_ms: stream.last_began_at_ms,
        mid_run: stream.mid_run,
        live_until_ms: live.filter(|until| *until > now_ms),
        runs: recent.into_iter().filter(|run| run.trigger.pulls_stream()).collect(),
    })
}

/// The row of a plugin, made when there is none.
pub(crate) async fn intern_plugin(session: &impl Session, plugin: &PluginRef) -> Result<i64, StoreError> {
    let PluginRef { name, version, digest } = plugin;
    let sql = "SELECT id FROM plugin WHERE name = $1 AND version = $2 AND digest = $3";
    if let Some(id) = number(session, sql, values![name, version, digest]).await? {
        return Ok(id);
    }
    let insert = "INSERT INTO plugin (name, version, digest) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    session.run(insert, values![name, version, digest]).await?;
    expect_number(session, sql, values![name, version, digest]).await
}

/// A run that is over from its beginning and never holds its stream: what a stream gets outside of its runs is kept
/// under it. There is one for all that one plugin brings by one trigger from `since_ms` on: its figures grow.
pub(crate) async fn side_run(
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

/// At the start of a gateway that several share the store with: its own earlier process has ended, and with it the runs that it held.
pub(crate) async fn interrupt_of(session: &impl Session, holder: &Holder) -> Result<(), StoreError> {
    let own = format!("SELECT id FROM run WHERE state = {} AND holder = $1", codes::RUNNING);
    let sql = format!("UPDATE stream SET run = NULL WHERE run IN ({own})");
    session.run(&sql, values![holder.name()]).await?;
    let sql = format!(
        "UPDATE run SET state = {}, ended_at = touched_at WHERE state = {} AND holder = $1",
        codes::INTERRUPTED,
        codes::RUNNING
    );
    tell_interrupted(session.run(&sql, values![holder.name()]).await?);
    Ok(())
}

/// At the start of the only process that may write: no run of an earlier one can be alive.
pub(crate) async fn interrupt_all(session: &impl Session) -> Result<(), StoreError> {
    session.run("UPDATE stream SET run = NULL WHERE run IS NOT NULL", &[]).await?;
    let sql = "UPDATE run SET state = $1, ended_at = touched_at WHERE state = $2";
    tell_interrupted(session.run(sql, values![codes::INTERRUPTED, codes::RUNNING]).await?);
    Ok(())
}

fn tell_interrupted(interrupted: u64) {
    if interrupted > 0 {
        tracing::warn!(interrupted, "Runs of an earlier process were interrupted; they resume after their last page");
    }
}
