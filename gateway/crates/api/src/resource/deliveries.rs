//! Deliveries: what flows send, how far each one is, and what became of it.

use axum::extract::{Path, State};
use axum::{Extension, Json};
use renmen_store::outbox::{DeliveryQuery, DeliveryRow, DeliveryState};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

use super::change_view::Change;
use super::flows::{is_flow_name, word};
use crate::caller::Caller;
use crate::instant::Time;
use crate::params::{Params, path_id};
use crate::problem::Problem;
use crate::state::AppState;

/// One delivery.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Delivery {
    /// Number.
    pub(super) id: i64,
    /// The flow that made it; `by:hand` where a person did without one.
    flow: String,
    /// Version of the flow.
    flow_version: i64,
    /// The change that it was made for.
    change: Change,
    /// The destination.
    pub(super) connection: String,
    /// What it does there.
    action: String,
    /// The same for every attempt.
    idempotency_key: String,
    /// How far it is.
    pub(super) state: DeliveryStateName,
    /// Attempts begun.
    attempts: u32,
    /// Failed attempts that count towards the flow's limit.
    failures: u32,
    /// Not before.
    not_before: Time,
    /// When it is due next; null at its end.
    next_at: Option<Time>,
    /// Not after.
    deadline: Option<Time>,
    /// What the receiver said.
    pub(super) receipt: Option<DeliveryReceipt>,
    /// Why the last attempt failed, or why it was not sent; holds no value of the record.
    pub(super) error: Option<String>,
    /// How many deliveries led to this one, one by the change that the last one caused.
    hops: u32,
    /// The last of them, as a path of this API.
    caused_by: Option<String>,
    /// When it was made.
    pub(super) created_at: Time,
    /// When its state last changed.
    pub(super) updated_at: Time,
    /// Who had it made and why; null for what a flow made.
    by_hand: Option<DeliveryByHand>,
}

/// A delivery that a person had made.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
pub(crate) struct DeliveryByHand {
    /// The name of their API key.
    by: String,
    /// Reason given for the action.
    reason: String,
}

/// One delivery with what it sends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryDetail {
    /// The delivery.
    #[serde(flatten)]
    facts: Delivery,
    /// The action's input; null where the flow could not work it out.
    #[schema(value_type = Object)]
    input: Value,
}

/// What the receiver said.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryReceipt {
    /// The receiver's id of what was written.
    pub(super) reference: Option<String>,
    /// Facts.
    #[schema(value_type = Object)]
    detail: Value,
}

/// How far a delivery is.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum DeliveryStateName {
    /// Waits for its time, for its turn, or for another attempt.
    Pending,
    /// An attempt is under way.
    InFlight,
    /// Taken by the receiver; a later read tells whether it arrived.
    Unconfirmed,
    /// Arrived.
    Delivered,
    /// Given up: can be sent again.
    Dead,
    /// Not sent on purpose: a loop, or a newer change took its place.
    Withheld,
    /// Its deadline passed first.
    Expired,
}

/// A piece of the deliveries.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DeliveryList {
    /// Newest first.
    data: Vec<Delivery>,
    /// Pass it as `cursor` to read the next page; null at the end.
    next_cursor: Option<String>,
}

const STATES: [(DeliveryState, DeliveryStateName); 7] = [
    (DeliveryState::Pending, DeliveryStateName::Pending),
    (DeliveryState::InFlight, DeliveryStateName::InFlight),
    (DeliveryState::Unconfirmed, DeliveryStateName::Unconfirmed),
    (DeliveryState::Delivered, DeliveryStateName::Delivered),
    (DeliveryState::Dead, DeliveryStateName::Dead),
    (DeliveryState::Withheld, DeliveryStateName::Withheld),
    (DeliveryState::Expired, DeliveryStateName::Expired),
];

impl Delivery {
    pub(crate) fn of(row: DeliveryRow) -> Self {
        let open = matches!(row.state, DeliveryState::Pending | DeliveryState::InFlight | DeliveryState::Unconfirmed);
        let receipt = row.receipt.map(|receipt| DeliveryReceipt {
            reference: receipt.reference,
            detail: serde_json::from_str(&receipt.detail).unwrap_or(Value::Null),
        });
        let state = STATES.iter().find(|(state, _)| *state == row.state);
        Self {
            id: row.id,
            flow: row.flow,
            flow_version: row.flow_version,
            change: Change::of(row.change, None),
            connection: row.connection.to_string(),
            action: row.action,
            idempotency_key: row.key.iter().map(|byte| format!("{byte:02x}")).collect(),
            state: state.map_or(DeliveryStateName::Dead, |(_, name)| *name),
            attempts: row.attempts,
            failures: row.failures,
            not_before: Time(row.not_before_ms),
            next_at: open.then_some(Time(row.next_at_ms)),
            deadline: row.deadline_ms.map(Time),
            receipt,
            error: row.error,
            hops: row.hops,
            caused_by: row.caused_by.map(|id| format!("/v1/deliveries/{id}")),
            created_at: Time(row.created_at_ms),
            updated_at: Time(row.updated_at_ms),
            by_hand: row.by_hand.and_then(|text| serde_json::from_str(&text).ok()),
        }
    }
}

/// Deliveries of flows, sent and waiting, newest first.
#[utoipa::path(
    get, path = "/v1/deliveries", tag = "flows", operation_id = "list_deliveries",
    params(
        ("flow" = Option<String>, Query, description = "Only deliveries of this flow; a flow that feeds an endpoint has a name of several parts", pattern = "^[a-z][a-z0-9_-]{0,62}(:[a-z][a-z0-9_-]{0,62}){0,2}$"),
        ("state" = Option<DeliveryStateName>, Query, description = "Only deliveries in this state"),
        ("connection" = Option<String>, Query, description = "Only deliveries to this connection", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("record" = Option<String>, Query, description = "Only deliveries for changes of the record with this id", format = "uuid"),
        ("limit" = Option<u32>, Query, description = "Deliveries per response; 100 by default", minimum = 1, maximum = 1000),
        ("cursor" = Option<String>, Query, description = "`next_cursor` of the previous response", pattern = "^[0-9]{1,18}$"),
    ),
    responses((status = 200, body = DeliveryList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<DeliveryList>, Problem> {
    let words: Vec<(&str, DeliveryState)> = STATES.iter().map(|(state, _)| (word(*state), *state)).collect();
    let record = params
        .text("record")?
        .map(|text| text.parse().map_err(|_| text))
        .transpose()
        .map_err(|_| Problem::parameter("record", "a record's id", "记录编号"))?;
    let query = DeliveryQuery {
        flow: flow(&mut params)?,
        state: params.word("state", &words)?,
        connection: params.connection()?,
        action: None,
        record,
        before: params.numbered_cursor()?,
        limit: params.limit()?,
    };
    params.end()?;
    let rows = state.store.deliveries(&caller.tenant, &query).await?;
    let more = rows.len() >= query.limit as usize;
    let next_cursor = rows.last().filter(|_| more).map(|row| row.id.to_string());
    Ok(Json(DeliveryList { data: rows.into_iter().map(Delivery::of).collect(), next_cursor }))
}

/// `flow`: a name that a flow can have.
fn flow(params: &mut Params) -> Result<Option<String>, Problem> {
    let Some(name) = params.text("flow")? else { return Ok(None) };
    if is_flow_name(&name) {
        Ok(Some(name))
    } else {
        Err(Problem::parameter("flow", "the name of a flow", "流程名"))
    }
}

/// One delivery with what it sends.
#[utoipa::path(
    get, path = "/v1/deliveries/{id}", tag = "flows", operation_id = "get_delivery",
    params(("id" = i64, Path, description = "Its number", minimum = 0)),
    responses((status = 200, body = DeliveryDetail)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<DeliveryDetail>, Problem> {
    params.end()?;
    one(&state, &caller, number(&id)?).await.map(Json)
}

/// Sends a dead, withheld or expired delivery again, with the same key. One that its flow could not compute is computed again.
#[utoipa::path(
    post, path = "/v1/deliveries/{id}/replay", tag = "flows", operation_id = "replay_delivery",
    params(("id" = i64, Path, description = "Its number", minimum = 0)),
    responses((status = 200, body = DeliveryDetail)),
)]
pub(crate) async fn replay(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(id): Path<String>,
    params: Params,
) -> Result<Json<DeliveryDetail>, Problem> {
    params.end()?;
    let id = number(&id)?;
    state.flows.replay(&caller.tenant, id).await?;
    one(&state, &caller, id).await.map(Json)
}

async fn one(state: &AppState, caller: &Caller, id: i64) -> Result<DeliveryDetail, Problem> {
    let row = state.store.delivery(&caller.tenant, id).await?;
    let row = row.ok_or_else(|| Problem::not_found("delivery", "投递"))?;
    let input = serde_json::from_slice(&row.input).unwrap_or(Value::Null);
    Ok(DeliveryDetail { facts: Delivery::of(row), input })
}

fn number(text: &str) -> Result<i64, Problem> {
    path_id(text, "delivery", "投递")
}
