//! Runs with their figures, and beginning one by hand.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::http::header::LOCATION;
use axum::{Extension, Json};
use renmen_schema::Remedy;
use renmen_schema::id::{ConnectionName, RunId, StreamName};
use renmen_store::{PageNotes, PluginRef, RunFinding, RunOmission, RunRow, RunState};
use serde::Serialize;
use utoipa::ToSchema;

use super::lineage::PluginVersion;
use crate::caller::Caller;
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
    /// The stream.
    stream: String,
    /// The plugin that ran.
    #[schema(value_type = PluginVersion)]
    plugin: PluginRef,
    /// What began it: `schedule`, `manual`, `retry`.
    trigger: String,
    /// State of the run.
    #[schema(value_type = RunStateName)]
    state: RunState,
    /// When it started.
    started_at: Time,
    /// When it ended.
    ended_at: Option<Time>,
    /// Committed pages.
    pages: u64,
    /// What the pages listed: the sum of `created`, `updated`, `unchanged`, `deleted` without `swept`, `quarantined`, `repeated` and
    /// `omitted`.
    listed: u64,
    /// How many records the vendor said that the whole listing holds; null where it does not say so.
    total: Option<u64>,
    /// Records that came in or were refused: `listed` without `omitted`.
    records: u64,
    /// New records.
    created: u64,
    /// Records with another body.
    updated: u64,
    /// Records that stayed as they were.
    unchanged: u64,
    /// New tombstones.
    deleted: u64,
    /// Of these, records that a whole listing no longer held.
    swept: u64,
    /// Records refused.
    quarantined: u64,
    /// Records repeated within the same page: the last one counts.
    repeated: u64,
    /// Records that a rule of the configuration left out: total rows, filters.
    omitted: u64,
    /// Deletions that wait for a person: see `/v1/sweeps`.
    held: u64,
    /// Who approved deletions that it held.
    released_by: Option<String>,
    /// How many findings it has: parts that could not be read, and what the gateway found in the listing.
    finding_count: u64,
    /// Why the run failed.
    error: Option<String>,
    /// When it will be tried again.
    retry_at: Option<Time>,
}

/// State of a run.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the store's type in the OpenAPI document")]
pub(crate) enum RunStateName {
    /// Not ended.
    Running,
    /// The last page was committed.
    Completed,
    /// The last page was committed, and something was not read or waits for a person: see the run's `findings`.
    CompletedWithFindings,
    /// It stopped before the last page; what was committed stays and the next run goes on.
    Failed,
    /// The process ended in the middle; found at the next start.
    Interrupted,
}

/// A run with its counts and findings.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RunDetail {
    /// The run's counts.
    #[serde(flatten)]
    figures: Run,
    /// What could not be read, or was found in the listing; no more than `findings_max`.
    findings: Vec<Finding>,
    /// What rules of the configuration left out.
    omissions: Vec<Omission>,
}

/// A part of the source that could not be read, or something found in the listing.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Finding {
    /// Which part: a file, a department. Empty for the listing as a whole.
    part: String,
    /// Why, for programs: `sweep_held`, `short_listing`, or the connector's or the vendor's code.
    code: String,
    /// What happened and what to do.
    message: String,
    /// Who can put it right.
    #[schema(value_type = RemedyName)]
    needs: Remedy,
    /// True: the listing lacks what is in this part, so nothing was taken for deleted.
    missing: bool,
}

/// Who can put right what a finding tells of.
#[derive(ToSchema)]
#[schema(rename_all = "snake_case")]
#[allow(dead_code, reason = "describes the schema's type in the OpenAPI document")]
pub(crate) enum RemedyName {
    /// The operator: a right, a credential, the configuration.
    Operator,
    /// The people who keep the source: a file to correct, a record to repair.
    Source,
    /// The vendor: it passes, or the vendor is to be asked.
    Vendor,
    /// The author of the connector.
    Connector,
}

/// What a rule of the configuration left out of a part.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Omission {
    /// Which part: a file.
    part: String,
    /// The rule: `total_rows`.
    rule: String,
    /// Number of records.
    count: u64,
    /// Where the first of them stand.
    places: Vec<String>,
}

impl RunDetail {
    fn of(row: RunRow, notes: PageNotes) -> Self {
        let finding =
            |RunFinding { part, code, message, needs, missing }| Finding { part, code, message, needs, missing };
        let omission = |RunOmission { part, rule, count, places }| Omission { part, rule, count, places };
        Self {
            figures: Run::of(row),
            findings: notes.findings.into_iter().map(finding).collect(),
            omissions: notes.omissions.into_iter().map(omission).collect(),
        }
    }
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
    /// Number.
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
            trigger: row.trigger.to_string(),
            state: row.state,
            started_at: Time(row.started_at_ms),
            ended_at: row.ended_at_ms.map(Time),
            pages: row.pages,
            listed: row.records + row.omitted,
            total: row.total,
            records: row.records,
            created: row.outcome.created,
            updated: row.outcome.updated,
            unchanged: row.outcome.unchanged,
            deleted: row.outcome.deleted,
            swept: row.outcome.swept,
            quarantined: row.outcome.quarantined,
            repeated: row.outcome.repeated,
            omitted: row.omitted,
            held: row.outcome.held,
            released_by: row.released_by,
            finding_count: row.findings,
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
        ("limit" = Option<u32>, Query, description = "Runs per response; 100 by default", minimum = 1, maximum = 1000),
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

/// One run with its figures and findings.
#[utoipa::path(
    get, path = "/v1/runs/{id}", tag = "runs", operation_id = "get_run",
    params(("id" = i64, Path, description = "The run's number", minimum = 0)),
    responses((status = 200, body = RunDetail)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<RunDetail>, Problem> {
    params.end()?;
    let id = RunId(path_id(&id, "run", "运行")?);
    let row = state.store.run(&caller.tenant, id).await?.ok_or_else(|| Problem::not_found("run", "运行"))?;
    let notes = state.store.run_notes(&caller.tenant, id).await?;
    Ok(Json(RunDetail::of(row, notes)))
}

/// Starts a run. It continues in the background; `url` shows its progress.
#[utoipa::path(
    post, path = "/v1/connections/{connection}/streams/{stream}/runs", tag = "runs", operation_id = "start_run",
    params(
        ("connection" = String, Path, description = "The connection's name", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("stream" = String, Path, description = "The stream's name", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
    ),
    responses((status = 202, body = RunStarted, description = "The run has started", headers(("location" = String, description = "The run, as a path of this API")))),
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
