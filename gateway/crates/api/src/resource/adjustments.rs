//! Adjust instructions: proposed by one person, approved by another, carried to the vendor by a flow, and taken back. They are read as
//! every record is. Who it was is the key's name; no body says so.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use renmen_interview::{AdjustAct, AdjustActKind, Adjusted, ProposeAsk, act_on_adjustment, propose_adjustment};
use renmen_schema::id::RecordId;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::actions::KEY_CHARS_MAX;
use super::decisions::Written;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::header::idempotency_key;
use crate::instant::now_ms;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;
use crate::text::Prose;

const COLLECTION: &str = "model-adjustments";

/// An instruction to propose. `GET /v1/schema/model_adjustment` shows its members.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentProposal {
    /// The model to change: `vendor_connection`, `position` where it is for one position only, and `profile_version`, the version that the
    /// change starts from.
    #[schema(value_type = Object, example = json!({ "vendor_connection": "interview", "profile_version": 3 }))]
    target: Map<String, Value>,
    /// The changes requested.
    #[schema(value_type = Vec<Object>, min_items = 1, max_items = 50, example = json!([{ "op": "SET_WEIGHT", "competency": { "external": { "value": "comp-1" } }, "from_bp": 1000, "to_bp": 3000 }]))]
    ops: Vec<Map<String, Value>>,
    /// What it rests on: `metric`, `before`, `sample`, `analysis_ref`.
    #[schema(value_type = Option<Object>)]
    evidence: Option<Map<String, Value>>,
    /// Reason for the change.
    reason: Prose,
}

/// The reason for acting on an instruction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentReason {
    /// The reason, stored with the instruction.
    reason: Prose,
}

/// The reason for reverting an instruction.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct AdjustmentRevert {
    /// The reason, stored with the instruction.
    reason: Prose,
    /// The version that the vendor's model has now; by default the one that it got from this instruction.
    profile_version: Option<u32>,
}

/// A person proposes an instruction to change a vendor's model. Nothing is sent before another person approves it.
///
/// It starts from the weights and the version that it states. One that starts from others than the last instruction left behind is
/// refused with 409. The same request with the same `Idempotency-Key` makes one instruction.
#[utoipa::path(
    post, path = "/v1/model-adjustments", tag = "interviews", operation_id = "propose_adjustment",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters; a repeated request with the same key has no further effect", pattern = "^[!-~]{1,200}$")),
    request_body = AdjustmentProposal,
    responses(
        (status = 200, body = Written, description = "The instruction that this request proposed before"),
        (status = 201, body = Written, description = "The proposed instruction"),
    ),
)]
pub(crate) async fn propose(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    params: Params,
    JsonBody(request): JsonBody<AdjustmentProposal>,
) -> Result<(StatusCode, Json<Written>), Problem> {
    params.end()?;
    let AdjustmentProposal { target, ops, evidence, reason } = request;
    let mut instruction = json!({ "target": target, "ops": ops });
    if let Some(evidence) = evidence {
        instruction["evidence"] = Value::Object(evidence);
    }
    let idempotency_key = idempotency_key(&headers, KEY_CHARS_MAX)?;
    let ask = ProposeAsk { instruction, person: caller.person(), reason: reason.0, idempotency_key };
    let done = propose_adjustment(&*state.store, &caller.tenant, &state.adjust, &ask, now_ms()).await?;
    let Adjusted { row, is_new, .. } = done;
    let status = if is_new { StatusCode::CREATED } else { StatusCode::OK };
    tracing::info!(tenant = %caller.tenant, key = %caller.key, adjustment = %row.id, is_new, "A person proposed an adjust instruction");
    Ok((status, Json(Written::of(COLLECTION, row)?)))
}

/// A person approves an instruction: a flow carries it to the vendor. It must be another person than the one who proposed it, unless
/// `interview.adjust_self_approval` is set.
#[utoipa::path(
    post, path = "/v1/model-adjustments/{id}/approve", tag = "interviews", operation_id = "approve_adjustment",
    params(("id" = String, Path, format = "uuid", description = "The instruction's id")),
    request_body = AdjustmentReason,
    responses((status = 200, body = Written)),
)]
pub(crate) async fn approve(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<AdjustmentReason>,
) -> Result<Json<Written>, Problem> {
    params.end()?;
    act(&state, &caller, &id, (AdjustActKind::Approve, "approve"), request.reason).await
}

/// A person rejects an instruction that was proposed: it is never sent.
#[utoipa::path(
    post, path = "/v1/model-adjustments/{id}/reject", tag = "interviews", operation_id = "reject_adjustment",
    params(("id" = String, Path, format = "uuid", description = "The instruction's id")),
    request_body = AdjustmentReason,
    responses((status = 200, body = Written)),
)]
pub(crate) async fn reject(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<AdjustmentReason>,
) -> Result<Json<Written>, Problem> {
    params.end()?;
    act(&state, &caller, &id, (AdjustActKind::Reject, "reject"), request.reason).await
}

/// A person asks the vendor to revert an instruction that it applied.
#[utoipa::path(
    post, path = "/v1/model-adjustments/{id}/revert", tag = "interviews", operation_id = "revert_adjustment",
    params(("id" = String, Path, format = "uuid", description = "The instruction's id")),
    request_body = AdjustmentRevert,
    responses((status = 200, body = Written)),
)]
pub(crate) async fn revert(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<AdjustmentRevert>,
) -> Result<Json<Written>, Problem> {
    params.end()?;
    let kind = AdjustActKind::Revert { version: request.profile_version };
    act(&state, &caller, &id, (kind, "revert"), request.reason).await
}

async fn act(
    state: &AppState,
    caller: &Caller,
    id: &str,
    (kind, what): (AdjustActKind, &'static str),
    reason: Prose,
) -> Result<Json<Written>, Problem> {
    let id: RecordId = path_id(id, "adjustment", "调整指令")?;
    let ask = AdjustAct { kind, person: caller.person(), reason: reason.0 };
    let row = act_on_adjustment(&*state.store, &caller.tenant, &state.adjust, (id, &ask), now_ms()).await?.row;
    tracing::info!(tenant = %caller.tenant, key = %caller.key, what, adjustment = %id, "A person acted on an adjust instruction");
    Ok(Json(Written::of(COLLECTION, row)?))
}
