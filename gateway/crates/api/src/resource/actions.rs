//! Actions by hand: what each destination can do, and to have it done now for one record, with a dry run. What is done is a delivery
//! like a flow's, with who asked and why.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use renmen_flow::{Acted, ActionView, HandAsk, HandWork, Identity, Target};
use renmen_schema::Language;
use renmen_schema::id::{ConnectionName, RecordId};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::change_view::Change;
use super::deliveries::Delivery;
use super::flows::is_flow_name;
use crate::body::JsonBody;
use crate::caller::Caller;
use crate::header::idempotency_key;
use crate::params::Params;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;
use crate::text::{Line, Prose};

/// Characters of an idempotency key.
pub(super) const KEY_CHARS_MAX: usize = 200;

/// An available action.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Action {
    /// The destination: a connection or a channel.
    connection: String,
    /// Name of the action.
    action: String,
    /// What it does.
    description: String,
    /// JSON Schema of the input; null takes any object.
    #[schema(value_type = Option<Object>)]
    input_schema: Option<Value>,
    /// True: an attempt whose response was lost may take effect twice.
    may_repeat: bool,
}

/// Available actions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionList {
    /// By destination and name.
    data: Vec<Action>,
}

/// An action to do for a record: `flow` alone or with `map`; or `connection` and `action` with `input`, or with `map`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionRequest {
    /// The id of the record that it is about.
    #[schema(format = "uuid")]
    record: String,
    /// The destination.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    connection: Option<String>,
    /// What to do there, as `GET /v1/actions` lists it.
    action: Option<Line>,
    /// A flow: sends what the flow would send for the record, regardless of its condition.
    #[schema(pattern = "^[a-z][a-z0-9_-]{0,62}$")]
    flow: Option<String>,
    /// The input as it is to be sent.
    #[schema(value_type = Option<Object>)]
    input: Option<Map<String, Value>>,
    /// The input as expressions, like a flow's `map`. With `flow`, keys that replace the flow's own.
    #[schema(value_type = Option<Object>)]
    map: Option<Value>,
    /// Fields of the record that `map` may see, as in a flow.
    fields: Option<Vec<String>>,
    /// Related records, as in a flow.
    #[schema(value_type = Option<Object>)]
    with: Option<Value>,
    /// The reason, stored with the delivery.
    reason: Prose,
    /// Shows what would be sent, and sends nothing.
    #[serde(default)]
    #[schema(default = false)]
    dry_run: bool,
}

/// What an action sends.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionAnswer {
    /// True: nothing was sent.
    dry_run: bool,
    /// The destination.
    connection: String,
    /// What it does there.
    action: String,
    /// The flow that computed it.
    flow: Option<String>,
    /// The change of the record that it is made for: its last.
    change: Change,
    /// The action's input, without what is withheld from the destination.
    #[schema(value_type = Object)]
    input: Value,
    /// Where the input does not match the action; empty if it matches.
    defects: Vec<ActionDefect>,
    /// Why it would not be sent: a loop; null if it would be.
    refused: Option<String>,
    /// The delivery; null in a dry run.
    delivery: Option<Delivery>,
}

/// A place where an input does not match its action.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct ActionDefect {
    /// Where in the input, as a JSON Pointer; empty: the whole.
    pointer: String,
    /// Description of the problem.
    message: String,
}

/// The actions of every destination, or of one.
#[utoipa::path(
    get, path = "/v1/actions", tag = "flows", operation_id = "list_actions",
    params(("connection" = Option<String>, Query, description = "Only actions of this destination", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = ActionList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    mut params: Params,
) -> Result<Json<ActionList>, Problem> {
    let only = params.connection()?;
    params.end()?;
    let all = state.flows.actions(&caller.tenant).into_iter();
    let data = all.filter(|one| only.as_ref().is_none_or(|only| one.connection == *only)).map(|one| {
        let ActionView { connection, action, info } = one;
        let may_repeat = info.identity == Identity::None;
        let (description, input_schema) = (info.description, info.input_schema);
        Action { connection: connection.to_string(), action, description, input_schema, may_repeat }
    });
    Ok(Json(ActionList { data: data.collect() }))
}

/// Runs one action for one record, now. With `dry_run` it shows what would be sent.
///
/// It becomes a delivery with the same attempts, limits and receipts as a flow's, and is kept under the name of the API key. What is
/// withheld from the destination stays withheld. The same request with the same `Idempotency-Key` is done once, for as long as its
/// delivery is kept.
#[utoipa::path(
    post, path = "/v1/actions", tag = "flows", operation_id = "act",
    params(("Idempotency-Key" = Option<String>, Header, description = "1 to 200 visible ASCII characters; a repeated request with the same key has no further effect", pattern = "^[!-~]{1,200}$")),
    request_body = ActionRequest,
    responses(
        (status = 200, body = ActionAnswer, description = "What would be sent; or the delivery that this request created before"),
        (status = 201, body = ActionAnswer, description = "A delivery was created"),
    ),
)]
pub(crate) async fn act(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    headers: HeaderMap,
    params: Params,
    JsonBody(request): JsonBody<ActionRequest>,
) -> Result<(StatusCode, Json<ActionAnswer>), Problem> {
    params.end()?;
    let idempotency_key = idempotency_key(&headers, KEY_CHARS_MAX)?;
    let expected = ("the id of a record", "记录编号");
    let record: RecordId = request.record.parse().map_err(|_| Problem::parameter("record", expected.0, expected.1))?;
    let (dry_run, reason) = (request.dry_run, request.reason.0.clone());
    let ask = HandAsk { record, work: work(request)?, by: caller.person(), reason, idempotency_key };
    let found = state.store.record(&caller.tenant, record).await?.filter(|row| row.deleted.is_none());
    found.ok_or_else(|| Problem::not_found("record", "记录"))?;
    if dry_run {
        let plan = state.flows.plan_by_hand(&caller.tenant, &ask).await?;
        let defects = plan
            .defects
            .into_iter()
            .map(|one| ActionDefect { pointer: one.pointer, message: one.message.in_language(language).to_owned() });
        let answer = ActionAnswer {
            dry_run,
            connection: plan.to.connection.to_string(),
            action: plan.to.action,
            flow: plan.flow,
            change: Change::of(plan.change, None),
            input: plan.input,
            defects: defects.collect(),
            refused: plan.refused.map(|why| why.in_language(language).to_owned()),
            delivery: None,
        };
        return Ok((StatusCode::OK, Json(answer)));
    }
    let Acted { delivery: row, is_new } = state.flows.act(&caller.tenant, &ask).await?;
    if is_new {
        tracing::info!(
            tenant = %caller.tenant, key = %caller.key, delivery = row.id, connection = %row.connection, action = row.action,
            record = %record, "A person ran an action"
        );
    }
    let answer = ActionAnswer {
        dry_run,
        connection: row.connection.to_string(),
        action: row.action.clone(),
        flow: Some(row.flow.clone()).filter(|flow| flow != renmen_store::outbox::BY_HAND),
        change: Change::of(row.change.clone(), None),
        input: serde_json::from_slice(&row.input).unwrap_or(Value::Null),
        defects: Vec::new(),
        refused: None,
        delivery: Some(Delivery::of(row)),
    };
    Ok((if is_new { StatusCode::CREATED } else { StatusCode::OK }, Json(answer)))
}

/// Which of its three forms the request has.
fn work(request: ActionRequest) -> Result<HandWork, Problem> {
    let ActionRequest { connection, action, flow, input, map, fields, with, .. } = request;
    match (flow, connection, action) {
        (Some(name), None, None) if input.is_none() && fields.is_none() && with.is_none() => {
            if !is_flow_name(&name) {
                return Err(Problem::parameter("flow", "the name of a flow", "流程名"));
            }
            Ok(HandWork::Flow { name, map })
        }
        (None, Some(connection), Some(action)) => {
            let connection = ConnectionName::new(&connection)
                .map_err(|_| Problem::parameter("connection", "the name of a connection", "连接名"))?;
            let to = Target { connection, action: action.0 };
            match (input, map) {
                (Some(input), None) if fields.is_none() && with.is_none() => {
                    Ok(HandWork::Input { to, input: Value::Object(input) })
                }
                (None, Some(map)) => {
                    let fields = fields.map_or(Value::Null, Value::from);
                    Ok(HandWork::Map { to, map, fields, with: with.unwrap_or(Value::Null) })
                }
                _ => Err(forms()),
            }
        }
        _ => Err(forms()),
    }
}

fn forms() -> Problem {
    Problem::new(ProblemCode::InvalidValue).detail(
        "name what to do in one way: `flow`, alone or with `map`; or `connection` and `action` with `input`; or `connection` and \
         `action` with `map`, and with `fields` and `with` where the map needs them",
        "请只用一种方式说明要做什么：`flow`（可带 `map`）；或 `connection`、`action` 加 `input`；或 `connection`、`action` 加 \
         `map`（需要时带 `fields`、`with`）",
    )
}
