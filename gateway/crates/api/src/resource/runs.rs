//! Runs with their figures, and beginning one by hand.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::{Extension, Json};
use renmen_schema::id::{ConnectionName, RunId, StreamName};
use renmen_store::{PluginRef, RunRow, RunState};
use serde::Serialize;
use utoipa::ToSchema;

use super::lineage::PluginVersion;
use crate::auth::Caller;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;

/// One pull of a stream.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Run {
    /// Its number: later runs have higher ones.
    id: i64,
    /// Through which connection.
    connection: String,
    /// Of which stream.
    stream: String,
    /// Which code.
    #[schema(value_type = PluginVersion)]
    plugin: PluginRef,
    /// What began it: `schedule`, `manual`, `retry`.
    trigger: String,
    /// How it stands.
    #[schema(value_type = RunStateName)]
    state: RunState,
    /// When it began.
    started_at: Time,
    /// When it ended.
    ended_at: Option<Time>,
    /// Committed pages.
    pages: u64,
    /// Records in them.
    records: u64,
    /// New records.
    created: u64,
    /// Records with another body.
    updated: u64,
    /// Records that stayed as they were.
    unchanged: u64,
    /// New tombstones.
    deleted: u64,
    /// Records refused.
    quarantined: u64,
    /// Why it failed.
    error: Option<String>,
    /// When it will be tried again.
    retry_at: Option<Time>,
}

/// How a run stands.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the store's type in the OpenAPI document")]
pub(crate) enum RunStateName {
    /// Not ended.
    Running,
    /// The last page was committed.
    Completed,
    /// It stopped before the last page; what was committed stays and the next run goes on.
    Failed,
    /// The process ended in the middle; found at the next start.
    Interrupted,
}

/// The newest runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunList {
    /// Newest first.
    data: Vec<Run>,
}

/// A run that was begun.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunStarted {
    /// Its number.
    run: i64,
    /// The run, as a path of this API.
    url: String,
}

impl Run {
    fn of(row: RunRow) -> Self {
        Self {
            id: row.id.0,
            connection: row.connection.to_string(),
            stream: row.stream.to_string(),
            plugin: row.plugin,
            trigger: row.trigger,
            state: row.state,
            started_at: Time(row.started_at_ms),
            ended_at: row.ended_at_ms.map(Time),
            pages: row.pages,
            records: row.records,
            created: row.outcome.created,
            updated: row.outcome.updated,
            unchanged: row.outcome.unchanged,
            deleted: row.outcome.deleted,
            quarantined: row.outcome.quarantined,
            error: row.error,
            retry_at: row.retry_at_ms.map(Time),
        }
    }
}

/// The newest runs, newest first.
#[utoipa::path(
    get, path = "/v1/runs", tag = "runs", operation_id = "list_runs",
    params(
        ("connection" = Option<String>, Query, description = "Only runs of this connection", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("limit" = Option<u32>, Query, description = "Runs in the answer; 100 by default", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = RunList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<RunList>, Problem> {
    let connection = params.connection()?;
    let limit = params.limit()?;
    params.end()?;
    let rows = state.store.runs(&caller.tenant, connection.as_ref(), limit).await?;
    Ok(Json(RunList { data: rows.into_iter().map(Run::of).collect() }))
}

/// One run with its figures.
#[utoipa::path(
    get, path = "/v1/runs/{id}", tag = "runs", operation_id = "get_run",
    params(("id" = i64, Path, description = "The run's number", minimum = 0)),
    responses((status = 200, body = Run)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<Run>, Problem> {
    params.end()?;
    let id = RunId(path_id(&id, "run", "运行")?);
    let row = state.store.run(&caller.tenant, id).await?;
    row.map(|row| Json(Run::of(row))).ok_or_else(|| Problem::not_found("run", "运行"))
}

/// Begins a run by hand. It goes on by itself; look at it under `url`.
#[utoipa::path(
    post, path = "/v1/connections/{connection}/streams/{stream}/runs", tag = "runs", operation_id = "start_run",
    params(
        ("connection" = String, Path, description = "The connection's name", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("stream" = String, Path, description = "The stream's name", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
    ),
    responses((status = 202, body = RunStarted, description = "It began", headers(("location" = String, description = "The run, as a path of this API")))),
)]
pub(crate) async fn start(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path((connection, stream)): Path<(String, String)>,
    params: Params,
) -> Result<(StatusCode, [(axum::http::HeaderName, String); 1], Json<RunStarted>), Problem> {
    params.end()?;
    let connection: ConnectionName = path_id(&connection, "connection", "连接")?;
    let stream: StreamName = path_id(&stream, "stream", "数据流")?;
    let run = state.control.start_run(&caller.tenant, &connection, &stream).await?;
    let url = format!("/v1/runs/{run}");
    Ok((StatusCode::ACCEPTED, [(LOCATION, url.clone())], Json(RunStarted { run: run.0, url })))
}
