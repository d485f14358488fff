//! Deletions that wait for a person: a whole listing no longer held more records than may go by themselves.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use renmen_schema::id::RunId;
use renmen_store::{HeldRecord, HeldSweep, StoreError};
use serde::Serialize;
use utoipa::ToSchema;

use crate::caller::Caller;
use crate::instant::{Time, now_ms};
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;

/// Deletions of one listing that wait for a person.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Sweep {
    /// The run that made the listing.
    run: i64,
    /// Through which connection.
    connection: String,
    /// The stream.
    stream: String,
    /// Live records that the listing no longer held.
    missing: u64,
    /// Live records that the stream had before it.
    of: u64,
    /// When the listing ended.
    since: Time,
    /// The records, as a path of this API.
    records_url: String,
}

impl Sweep {
    pub(crate) fn of(held: &HeldSweep) -> Self {
        Self {
            run: held.run.0,
            connection: held.connection.to_string(),
            stream: held.stream.to_string(),
            missing: held.missing,
            of: held.of,
            since: Time(held.since_ms),
            records_url: format!("/v1/sweeps/{}/records", held.run),
        }
    }
}

/// Deletions that wait.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweepList {
    /// By connection and stream.
    data: Vec<Sweep>,
}

/// A record that would be deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweptRecord {
    /// Id.
    id: String,
    /// Entity of the record.
    entity: String,
    /// The vendor's id.
    external_id: String,
}

/// Records that would be deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweptRecordList {
    /// The first of them.
    data: Vec<SweptRecord>,
}

/// What an approval deleted.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SweepApproved {
    /// Records that are tombstones now. Fewer than `missing` where some were listed or changed again since.
    deleted: u64,
}

/// Deletions that wait for approval, by connection and stream.
#[utoipa::path(get, path = "/v1/sweeps", tag = "runs", operation_id = "list_sweeps", responses((status = 200, body = SweepList)))]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    params: Params,
) -> Result<Json<SweepList>, Problem> {
    params.end()?;
    let held = state.store.held_sweeps(&caller.tenant).await?;
    Ok(Json(SweepList { data: held.iter().map(Sweep::of).collect() }))
}

/// The first records that the approval of a sweep would delete now.
#[utoipa::path(
    get, path = "/v1/sweeps/{run}/records", tag = "runs", operation_id = "list_swept_records",
    params(
        ("run" = i64, Path, description = "The run's number", minimum = 0),
        ("limit" = Option<u32>, Query, description = "Records per response; 100 by default", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = SweptRecordList)),
)]
pub(crate) async fn records(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
    mut params: Params,
) -> Result<Json<SweptRecordList>, Problem> {
    let limit = params.limit()?;
    params.end()?;
    let held = state.store.held_records(&caller.tenant, number(&run)?, limit).await.map_err(absent)?;
    let record = |HeldRecord { id, entity, external_id }| SweptRecord { id: id.to_string(), entity, external_id };
    Ok(Json(SweptRecordList { data: held.into_iter().map(record).collect() }))
}

/// Deletes the records that a listing no longer held. What was listed or changed again since stays.
#[utoipa::path(
    post, path = "/v1/sweeps/{run}/approve", tag = "runs", operation_id = "approve_sweep",
    params(("run" = i64, Path, description = "The run's number", minimum = 0)),
    responses((status = 200, body = SweepApproved)),
)]
pub(crate) async fn approve(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(run): Path<String>,
    params: Params,
) -> Result<Json<SweepApproved>, Problem> {
    params.end()?;
    let run = number(&run)?;
    let outcome = state.store.release_sweep(&caller.tenant, run, &caller.person(), now_ms()).await.map_err(absent)?;
    tracing::info!(
        tenant = %caller.tenant, key = %caller.key, %run, deleted = outcome.deleted, "A person approved the deletions of a run"
    );
    Ok(Json(SweepApproved { deleted: outcome.deleted }))
}

fn number(text: &str) -> Result<RunId, Problem> {
    path_id(text, "run that holds deletions", "待批准删除的运行").map(RunId)
}

fn absent(error: StoreError) -> Problem {
    match error {
        StoreError::BadInput(_) => Problem::not_found("run that holds deletions", "待批准删除的运行"),
        other => other.into(),
    }
}
