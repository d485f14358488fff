//! Records that could not be stored: look at it, try it again, or drop it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use renmen_schema::Language;
use renmen_schema::id::ExchangeId;
use renmen_store::QuarantineRow;
use serde::Serialize;
use utoipa::ToSchema;

use super::bytes::Bytes;
use crate::caller::Caller;
use crate::control::RetryOutcome;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;

/// One record that could not be taken in.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedRecord {
    /// Number.
    id: i64,
    /// Through which connection it came.
    connection: String,
    /// The stream.
    stream: String,
    /// The run.
    run: i64,
    /// The recorded exchange that it was in.
    exchange: String,
    /// The exchange, as a path of this API.
    exchange_url: String,
    /// Where in that exchange.
    pointer: String,
    /// As the connector named it.
    entity: String,
    /// The vendor's id, when it had one.
    external_id: Option<String>,
    /// Why, for programs: `invalid_json`, `missing_external_id`, `schema`, `connector`.
    code: String,
    /// Why, for people; holds no value of the record.
    reason: String,
    /// When it was put here.
    at: Time,
    /// How often it was tried again.
    attempts: u32,
}

/// One record that could not be taken in, with its original bytes.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantinedRecordDetail {
    /// The record's facts.
    #[serde(flatten)]
    facts: QuarantinedRecord,
    /// The original bytes as the connector passed them.
    raw: Bytes,
}

/// A piece of the quarantine.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QuarantineList {
    /// Oldest first.
    data: Vec<QuarantinedRecord>,
    /// Pass it as `cursor` to read the next page; null at the end.
    next_cursor: Option<String>,
}

/// What became of a record that was tried again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct RetryAnswer {
    /// Whether it is in now.
    outcome: RetryResult,
    /// Why not; holds no value of the record.
    reason: Option<String>,
}

/// Whether a record that was tried again is in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum RetryResult {
    /// It was good and was taken in.
    Accepted,
    /// It is still bad and stays.
    StillQuarantined,
}

impl QuarantinedRecord {
    fn of(row: &QuarantineRow, language: Language) -> Self {
        let exchange = ExchangeId { page: row.page, no: row.item.exchange_no }.to_string();
        Self {
            id: row.id,
            connection: row.connection.to_string(),
            stream: row.stream.to_string(),
            run: row.run.0,
            exchange_url: format!("/v1/exchanges/{exchange}"),
            exchange,
            pointer: row.item.pointer.clone(),
            entity: row.item.entity.clone(),
            external_id: row.item.external_id.clone(),
            code: row.item.code.clone(),
            reason: row.item.reason.in_language(language).to_owned(),
            at: Time(row.at_ms),
            attempts: row.attempts,
        }
    }
}

/// Records in quarantine, oldest first.
#[utoipa::path(
    get, path = "/v1/quarantine", tag = "quarantine", operation_id = "list_quarantine",
    params(
        ("connection" = Option<String>, Query, description = "Only records from this connection", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("limit" = Option<u32>, Query, description = "Records per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", pattern = "^[0-9]{1,18}$"),
    ),
    responses((status = 200, body = QuarantineList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    mut params: Params,
) -> Result<Json<QuarantineList>, Problem> {
    let connection = params.connection()?;
    let limit = params.limit()?;
    let after = params.numbered_cursor()?.unwrap_or(0);
    params.end()?;
    let rows = state.store.quarantine(&caller.tenant, connection.as_ref(), after, limit).await?;
    let more = rows.len() >= limit as usize;
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Json(QuarantineList {
        data: rows.iter().map(|row| QuarantinedRecord::of(row, language)).collect(),
        next_cursor,
    }))
}

/// One record in quarantine, with its original bytes.
#[utoipa::path(
    get, path = "/v1/quarantine/{id}", tag = "quarantine", operation_id = "get_quarantined",
    params(("id" = i64, Path, description = "Its number", minimum = 0)),
    responses((status = 200, body = QuarantinedRecordDetail)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<QuarantinedRecordDetail>, Problem> {
    params.end()?;
    let row = state.store.quarantine_get(&caller.tenant, number(&id)?).await?.ok_or_else(absent)?;
    let raw = Bytes::base64(&row.item.raw, state.options.exchange_body_bytes_max);
    Ok(Json(QuarantinedRecordDetail { facts: QuarantinedRecord::of(&row, language), raw }))
}

/// Passes a record through its connector's current version and the same checks again.
#[utoipa::path(
    post, path = "/v1/quarantine/{id}/retry", tag = "quarantine", operation_id = "retry_quarantined",
    params(("id" = i64, Path, description = "Its number", minimum = 0)),
    responses((status = 200, body = RetryAnswer)),
)]
pub(crate) async fn retry(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<RetryAnswer>, Problem> {
    params.end()?;
    let outcome = state.control.retry_quarantine(&caller.tenant, number(&id)?).await?;
    Ok(Json(match outcome {
        RetryOutcome::Accepted => RetryAnswer { outcome: RetryResult::Accepted, reason: None },
        RetryOutcome::Still { reason } => {
            let reason = Some(reason.in_language(language).to_owned());
            RetryAnswer { outcome: RetryResult::StillQuarantined, reason }
        }
    }))
}

/// Drops a record from quarantine for good. The exchange that it was in stays recorded.
#[utoipa::path(
    delete, path = "/v1/quarantine/{id}", tag = "quarantine", operation_id = "drop_quarantined",
    params(("id" = i64, Path, description = "Its number", minimum = 0)),
    responses((status = 204, description = "The record is removed from quarantine")),
)]
pub(crate) async fn drop_record(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    params.end()?;
    let dropped = state.store.quarantine_drop(&caller.tenant, number(&id)?).await?;
    if dropped { Ok(StatusCode::NO_CONTENT) } else { Err(absent()) }
}

fn number(text: &str) -> Result<i64, Problem> {
    path_id(text, "record in quarantine", "隔离记录")
}

fn absent() -> Problem {
    Problem::not_found("record in quarantine", "隔离记录")
}
