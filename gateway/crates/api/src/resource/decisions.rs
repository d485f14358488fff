//! What people do about results: decide where the rule may not, and correct a score.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use renmen_schema::id::RecordId;
use renmen_schema::types::Decimal;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::record_view::Record;
use crate::auth::Caller;
use crate::body::JsonBody;
use crate::interviews::{PersonDecision, ScoreCorrection};
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;
use crate::text::{Line, Prose};

/// What a person decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    /// `pass` or `fail`.
    outcome: DecisionWord,
    /// Who decides: kept with the decision.
    person: Line,
    /// Why: kept with the decision.
    reason: Prose,
}

/// What a person can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DecisionWord {
    /// It passes.
    Pass,
    /// It does not.
    Fail,
}

/// A correction of a score.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct CorrectionRequest {
    /// The score as it should have been, on its own scale.
    #[schema(value_type = String, example = "78.5", pattern = r"^-?\d{1,15}(\.\d{1,6})?$")]
    value: Decimal,
    /// The record's id of what happened around the same interview.
    #[schema(format = "uuid")]
    environment_event: Option<String>,
    /// Who corrects.
    person: Line,
    /// Why.
    reason: Prose,
}

/// A record that the gateway wrote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// Its id.
    #[schema(format = "uuid")]
    id: String,
    /// Its path.
    url: String,
    /// Its revision now, from 1.
    revision: i64,
    /// Its body now.
    #[schema(value_type = Object)]
    body: Box<serde_json::value::RawValue>,
}

impl Written {
    fn of(collection: &str, row: renmen_store::RecordRow) -> Result<Self, Problem> {
        let (id, revision) = (row.id.to_string(), row.revision);
        Ok(Self { url: format!("/v1/{collection}/{id}"), id, revision, body: Record::body_of(row.body)? })
    }
}

/// A person decides on a result that the rule left to a person.
#[utoipa::path(
    post, path = "/v1/decisions/{id}", tag = "interviews", operation_id = "decide",
    params(("id" = String, Path, format = "uuid", description = "The decision's id")),
    request_body = DecisionRequest,
    responses((status = 200, body = Written)),
)]
pub(crate) async fn decide(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<DecisionRequest>,
) -> Result<Json<Written>, Problem> {
    params.end()?;
    let id: RecordId = path_id(&id, "decision", "决定")?;
    let by = PersonDecision {
        pass: request.outcome == DecisionWord::Pass,
        person: request.person.0,
        reason: request.reason.0,
    };
    let row = state.interviews()?.decide(&caller.tenant, id, by).await?;
    Ok(Json(Written::of("decisions", row)?))
}

/// A person corrects a score. The score stays as it was; the correction is one of its own that names it, and decisions that
/// rested on it are made again.
#[utoipa::path(
    post, path = "/v1/dimension-scores/{id}/corrections", tag = "interviews", operation_id = "correct_score",
    params(("id" = String, Path, format = "uuid", description = "The score's id")),
    request_body = CorrectionRequest,
    responses((status = 201, body = Written)),
)]
pub(crate) async fn correct(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<CorrectionRequest>,
) -> Result<(StatusCode, Json<Written>), Problem> {
    params.end()?;
    let id: RecordId = path_id(&id, "score", "评分")?;
    let environment_event = match request.environment_event {
        None => None,
        Some(text) => {
            let expected = ("the id of an environment event", "环境事件的编号");
            Some(text.parse().map_err(|_| Problem::parameter("environment_event", expected.0, expected.1))?)
        }
    };
    let by =
        ScoreCorrection { value: request.value, environment_event, reason: request.reason.0, person: request.person.0 };
    let row = state.interviews()?.correct(&caller.tenant, id, by).await?;
    Ok((StatusCode::CREATED, Json(Written::of("dimension-scores", row)?)))
}
