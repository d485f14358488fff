//! What people do about results with a key: decide where the rule may not, open a decision again, override it, and correct a
//! score. Who it was is the key's name; no body says so.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use renmen_interview::{CorrectionAsk, DecisionAsk, PersonVerdict, ReopenAsk};
use renmen_schema::code::OutcomeReason;
use renmen_schema::id::RecordId;
use renmen_schema::types::{Decimal, Localized};
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::record_view::Record;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;
use crate::text::Prose;

/// What a person decides.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct DecisionRequest {
    /// `pass` or `fail`.
    outcome: DecisionWord,
    /// Why: kept with the decision.
    reason: Prose,
    /// The same in codes, for what does not pass: at most 5, each once.
    #[serde(default)]
    #[schema(max_items = 5, default = json!([]))]
    reasons: Vec<ReasonCode>,
    #[serde(default, rename = "person", deserialize_with = "named_by_the_key")]
    #[schema(ignore)]
    _person: (),
}

/// Why a decision is opened again.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ReopenRequest {
    /// Why: kept with the decision that is open then.
    reason: Prose,
    #[serde(default, rename = "person", deserialize_with = "named_by_the_key")]
    #[schema(ignore)]
    _person: (),
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
    /// Reason for the correction.
    reason: Prose,
    #[serde(default, rename = "person", deserialize_with = "named_by_the_key")]
    #[schema(ignore)]
    _person: (),
}

/// Told to clients of a time when a body could name anybody.
fn named_by_the_key<'de, D: Deserializer<'de>>(_: D) -> Result<(), D::Error> {
    Err(serde::de::Error::custom(
        "`person` is not taken from a body: what is kept is the name of the API key; leave `person` out, and give each person a \
         key of their own (`renmen key new NAME --role owner`)",
    ))
}

/// The code of a reason why a candidate does not pass.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ReasonCode(OutcomeReason);

impl ReasonCode {
    /// All but `OTHER`, which adds nothing to the written reason.
    fn all() -> impl Iterator<Item = OutcomeReason> {
        OutcomeReason::ALL.iter().copied().filter(|code| *code != OutcomeReason::Other)
    }
}

impl<'de> Deserialize<'de> for ReasonCode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::all().find(|code| code.as_str() == text).map(Self).ok_or_else(|| {
            let known = Self::all().map(OutcomeReason::as_str).collect::<Vec<_>>().join("`, `");
            serde::de::Error::custom(format!("a code of `reasons` is one of `{known}`"))
        })
    }
}

impl utoipa::PartialSchema for ReasonCode {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .enum_values(Some(Self::all().map(OutcomeReason::as_str)))
            .into()
    }
}

impl ToSchema for ReasonCode {}

/// A record that the gateway wrote.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Written {
    /// Id.
    #[schema(format = "uuid")]
    id: String,
    /// Path.
    url: String,
    /// Its revision now, from 1.
    revision: i64,
    /// The record's body as stored.
    #[schema(value_type = Object)]
    body: Box<serde_json::value::RawValue>,
}

impl Written {
    pub(crate) fn of(collection: &str, row: renmen_store::RecordRow) -> Result<Self, Problem> {
        let (id, revision) = (row.id.to_string(), row.revision);
        Ok(Self { url: format!("/v1/{collection}/{id}"), id, revision, body: Record::body_of(row.body)? })
    }

    /// Of a decision, with a line in the log: which key did what to which decision. Names and verdicts stay in the record.
    fn decided(
        caller: &Caller,
        what: &'static str,
        asked: RecordId,
        row: renmen_store::RecordRow,
    ) -> Result<Json<Self>, Problem> {
        tracing::info!(tenant = %caller.tenant, key = %caller.key, what, decision = %asked, written = %row.id, "A person decided with a key");
        Ok(Json(Self::of("decisions", row)?))
    }
}

/// A person decides on a result that the rule left to a person.
///
/// The decision is kept under the name of the API key. Repeating the request returns the decision unchanged; a different one is refused:
/// reopen the decision or override it.
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
    let row = state.interviews.decide(&caller.tenant, id, &verdict(&caller, request)).await?;
    Written::decided(&caller, "decide", id, row)
}

/// A person opens a decision again that a rule or a person made: the next decision on the same result waits for a person, and this
/// one is superseded by it. Returns the open one.
#[utoipa::path(
    post, path = "/v1/decisions/{id}/reopen", tag = "interviews", operation_id = "reopen_decision",
    params(("id" = String, Path, format = "uuid", description = "The decision's id")),
    request_body = ReopenRequest,
    responses((status = 200, body = Written)),
)]
pub(crate) async fn reopen(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<ReopenRequest>,
) -> Result<Json<Written>, Problem> {
    params.end()?;
    let id: RecordId = path_id(&id, "decision", "决定")?;
    let ask = ReopenAsk { person: caller.person(), reason: Localized::und(request.reason.0) };
    let row = state.interviews.reopen(&caller.tenant, id, &ask).await?;
    Written::decided(&caller, "reopen", id, row)
}

/// A person puts another verdict in the place of a rule's or a person's: the next decision on the same result has it, and this one is
/// superseded by it. Returns the decision in force.
#[utoipa::path(
    post, path = "/v1/decisions/{id}/override", tag = "interviews", operation_id = "override_decision",
    params(("id" = String, Path, format = "uuid", description = "The decision's id")),
    request_body = DecisionRequest,
    responses((status = 200, body = Written)),
)]
pub(crate) async fn overrule(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<DecisionRequest>,
) -> Result<Json<Written>, Problem> {
    params.end()?;
    let id: RecordId = path_id(&id, "decision", "决定")?;
    let row = state.interviews.overrule(&caller.tenant, id, &verdict(&caller, request)).await?;
    Written::decided(&caller, "override", id, row)
}

fn verdict(caller: &Caller, request: DecisionRequest) -> DecisionAsk {
    DecisionAsk {
        verdict: match request.outcome {
            DecisionWord::Pass => PersonVerdict::Pass,
            DecisionWord::Fail => PersonVerdict::Fail,
        },
        person: caller.person(),
        reason: request.reason.0,
        reasons: request.reasons.into_iter().map(|code| code.0).collect(),
    }
}

/// A person corrects a score. The score stays as it was; the correction is one of its own that names it, and decisions that
/// rested on it are made again.
///
/// The correction is kept under the name of the API key. The same one again, while it is the last, gives that one.
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
    let (value, reason, person) = (request.value, request.reason.0, caller.person());
    let ask = CorrectionAsk { value, environment_event, reason, person };
    let row = state.interviews.correct(&caller.tenant, id, &ask).await?;
    tracing::info!(tenant = %caller.tenant, key = %caller.key, score = %id, written = %row.id, "A person corrected a score with a key");
    Ok((StatusCode::CREATED, Json(Written::of("dimension-scores", row)?)))
}
