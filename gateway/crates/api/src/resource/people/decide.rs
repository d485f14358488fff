//! What people decide about who is one person or unit. It wins over every rule until it is undone. Who decided is the key's name.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use renmen_people::{Ask, Decided, PeopleError};
use renmen_schema::id::RecordId;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::view::ActWord;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::header::idempotency_key;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;
use crate::text::Prose;

/// Characters of an idempotency key.
const IDEMPOTENCY_KEY_MAX: usize = 180;
/// Records of one decision.
const RECORDS_MAX: usize = 50;

/// What is decided of which records.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityAct {
    /// `link`: the records are one. `split`: these records leave the others of their person or unit. `never`: they are never one.
    act: ActWord,
    /// Ids of records, each once. For `link` and `never` two or more, each for the person or unit that it belongs to; for `split` those that
    /// leave.
    #[schema(min_items = 1, max_items = 50)]
    records: Vec<RecordUuid>,
    /// Why: kept with the decision.
    reason: Prose,
}

/// A record's id in a body.
#[derive(Debug, Clone, Copy, Deserialize, ToSchema)]
#[schema(value_type = String, format = "uuid")]
pub(crate) struct RecordUuid(RecordId);

/// Why a decision is undone.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct IdentityUndo {
    /// Why: kept with the decision.
    reason: Prose,
}

/// A decision that was taken in.
#[derive(Debug, Serialize, ToSchema)]
pub struct IdentityDecided {
    /// Its number.
    number: i64,
    /// It has taken effect. False: it waits for a pass over all records that is under way, and takes effect with it.
    in_force: bool,
    /// Who the records are now: ids of people or units, each once.
    identities: Vec<String>,
}

impl IdentityDecided {
    /// As it is shown.
    #[must_use]
    pub fn of(decided: &Decided) -> Self {
        Self {
            number: decided.number,
            in_force: decided.in_force,
            identities: decided.identities.iter().map(RecordId::to_string).collect(),
        }
    }
}

/// Decides that records are one, that some leave, or that they are never one. A decision wins over every rule until it is undone, also for
/// records that change or come back later.
///
/// The same `Idempotency-Key` with the same request decides once.
#[utoipa::path(
    post, path = "/v1/people/decisions", tag = "people", operation_id = "decide_people",
    params(("Idempotency-Key" = Option<String>, Header, description = "A unique name for this request: repeat the request with the same one if its response was lost", pattern = "^[!-~]{1,180}$")),
    request_body = IdentityAct,
    responses(
        (status = 200, body = IdentityDecided, description = "The decision that this request made before"),
        (status = 201, body = IdentityDecided, description = "The decision"),
    ),
)]
pub(crate) async fn decide(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    params: Params,
    JsonBody(request): JsonBody<IdentityAct>,
) -> Result<(StatusCode, Json<IdentityDecided>), Problem> {
    params.end()?;
    let mut records: Vec<RecordId> = request.records.iter().map(|record| record.0).collect();
    if records.is_empty() || records.len() > RECORDS_MAX {
        return Err(Problem::parameter(
            "records",
            &format!("1 to {RECORDS_MAX} ids of records"),
            &format!(" 1 到 {RECORDS_MAX} 个记录编号"),
        ));
    }
    records.sort_unstable();
    records.dedup();
    let ask = Ask {
        act: request.act.act(),
        records,
        who: caller.person(),
        why: request.reason.0,
        // The name is the key's own: another key may use the same one.
        request: idempotency_key(&headers, IDEMPOTENCY_KEY_MAX)?.map(|name| format!("{} {name}", caller.key)),
    };
    let decided = state.people.decide(&caller.tenant, &ask).await?;
    tracing::info!(
        tenant = %caller.tenant, key = %caller.key, act = ask.act.name(), number = decided.number, repeated = decided.repeated,
        "A person decided which records are one"
    );
    let status = if decided.repeated { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(IdentityDecided::of(&decided))))
}

/// Undoes a decision, all of what was decided together. The records are then what the rules and the other decisions make of them.
#[utoipa::path(
    post, path = "/v1/people/decisions/{number}/undo", tag = "people", operation_id = "undo_people_decision",
    params(("number" = i64, Path, description = "The decision's number")),
    request_body = IdentityUndo,
    responses((status = 200, body = IdentityDecided)),
)]
pub(crate) async fn undo(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(number): Path<String>,
    params: Params,
    JsonBody(request): JsonBody<IdentityUndo>,
) -> Result<Json<IdentityDecided>, Problem> {
    params.end()?;
    let number: i64 = path_id(&number, "decision", "决定")?;
    let undone = state.people.undo(&caller.tenant, number, &caller.person(), &request.reason.0).await;
    let decided = undone.map_err(|error| match error {
        PeopleError::NotFound => Problem::not_found("decision in force", "有效的决定"),
        other => other.into(),
    })?;
    tracing::info!(tenant = %caller.tenant, key = %caller.key, number, "A person undid a decision about which records are one");
    Ok(Json(IdentityDecided::of(&decided)))
}
