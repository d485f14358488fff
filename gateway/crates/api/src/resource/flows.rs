//! Flows: rules that send something somewhere because a record changed. Those of the configuration can be read here, others be
//! defined.

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use renmen_flow::{Defect, DryRun, Evaluation, FlowError, FlowView, Sending};
use renmen_schema::id::ConnectionName;
use renmen_schema::{Language, Text, text};
use renmen_store::StoreError;
use renmen_store::outbox::DeliveryState;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::change_view::Change;
use crate::caller::Caller;
use crate::instant::Time;
use crate::params::{Params, new_name};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Changes that a dry run is asked about, when the client does not say.
const DRY_RUN_LAST: u32 = 20;
/// Versions in one answer.
const VERSIONS_MAX: u32 = 100;

/// One flow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Flow {
    /// Name.
    name: String,
    /// From 1, one more with each other definition.
    version: i64,
    /// Who defined it: `file` can be read here only.
    origin: FlowOriginName,
    /// Does it make deliveries?
    enabled: bool,
    /// As it was given.
    #[schema(value_type = Object)]
    definition: Value,
    /// Position in the change feed of the last change that it was asked about.
    position: String,
    /// When it was last defined.
    changed_at: Time,
    /// Why it cannot run by now: empty when it can.
    defects: Vec<FlowDefect>,
    /// How many deliveries it has in each state.
    deliveries: BTreeMap<String, i64>,
}

/// What is wrong with a flow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowDefect {
    /// `when.if`; empty for the whole.
    key: String,
    /// Where in that key's text, in characters from 0.
    at: Option<usize>,
    /// Description of the problem.
    message: String,
    /// What to do about it; may be empty.
    help: String,
}

/// Who defined a flow.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum FlowOriginName {
    /// The configuration.
    File,
    /// This API.
    Api,
}

/// A tenant's flows.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowList {
    /// Sorted by name.
    data: Vec<Flow>,
}

/// One version of a flow.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowVersion {
    /// Version, from 1.
    version: i64,
    /// The definition of this version.
    #[schema(value_type = Object)]
    definition: Value,
    /// Since when.
    at: Time,
}

/// A flow's versions.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FlowVersionList {
    /// Newest first, at most 100.
    data: Vec<FlowVersion>,
}

/// What a flow would have done.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DryRunList {
    /// Oldest change first.
    data: Vec<DryRunEntry>,
}

/// What a flow would have said to one change.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct DryRunEntry {
    /// The change.
    change: Change,
    /// What would be sent; null when nothing would.
    sends: Option<WouldSend>,
    /// Why nothing would be sent.
    reason: Option<String>,
    /// True: it cannot tell what to send, which leaves a dead delivery.
    fault: bool,
}

/// What would be sent.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct WouldSend {
    /// The action's input.
    #[schema(value_type = Object)]
    input: Value,
    /// The idempotency key.
    idempotency_key: String,
    /// Earliest time of sending.
    not_before: Time,
    /// Not after.
    deadline: Option<Time>,
}

/// How many deliveries are sent again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Replayed {
    /// Number of deliveries.
    replayed: u64,
}

impl Flow {
    fn of(view: FlowView, deliveries: BTreeMap<String, i64>, language: Language) -> Self {
        let FlowView { row, definition, defects } = view;
        Self {
            name: row.name,
            version: row.version,
            origin: match row.origin {
                renmen_store::outbox::FlowOrigin::File => FlowOriginName::File,
                renmen_store::outbox::FlowOrigin::Api => FlowOriginName::Api,
            },
            enabled: row.enabled,
            definition,
            position: row.position.to_string(),
            changed_at: Time(row.changed_at_ms),
            defects: defects.into_iter().map(|defect| FlowDefect::of(defect, language)).collect(),
            deliveries,
        }
    }
}

impl FlowDefect {
    fn of(Defect { key, at, message, help }: Defect, language: Language) -> Self {
        let (message, help) = (message.in_language(language).to_owned(), help.in_language(language).to_owned());
        Self { key, at, message, help }
    }
}

impl DryRunEntry {
    fn of(DryRun { change, evaluation, key }: DryRun, language: Language) -> Self {
        let would_send = |Sending { input, not_before_ms, deadline_ms }| WouldSend {
            input,
            idempotency_key: key,
            not_before: Time(not_before_ms),
            deadline: deadline_ms.map(Time),
        };
        let (sends, reason, fault) = match evaluation {
            Evaluation::Send(sending) => (Some(would_send(sending)), None, false),
            Evaluation::Pass(why) => (None, Some(why), false),
            Evaluation::Wait(why, _) => (None, Some(text!("it waits: {why}", "等待中：{why}")), false),
            Evaluation::Fault(why) => (None, Some(why), true),
        };
        let reason = reason.map(|why| why.in_language(language).to_owned());
        Self { change: Change::of(change, None), sends, reason, fault }
    }
}

impl From<FlowError> for Problem {
    fn from(error: FlowError) -> Self {
        match error {
            FlowError::NotFound(_) => absent(),
            FlowError::Defects(defects) => {
                let all = || defects.iter().map(ToString::to_string).collect::<Vec<_>>().join(" | ");
                Self::new(ProblemCode::InvalidDefinition).because(Text::rendered(all))
            }
            FlowError::ReadOnly(_) | FlowError::Refused(_) => {
                Self::new(ProblemCode::Refused).because(Text::rendered(|| error.to_string()))
            }
            FlowError::Store(StoreError::Configuration(cause)) => Self::from(StoreError::Configuration(cause)),
            FlowError::Store(StoreError::Unavailable(cause) | StoreError::Busy(cause)) => {
                tracing::warn!(error = %cause, "The flow engine is unavailable");
                Self::new(ProblemCode::EngineUnavailable)
            }
            FlowError::Store(cause) => Self::fault(&cause),
        }
    }
}

fn absent() -> Problem {
    Problem::not_found("flow or delivery", "流程或投递")
}

/// The flows of this key's tenant.
#[utoipa::path(
    get, path = "/v1/flows", tag = "flows", operation_id = "list_flows",
    responses((status = 200, body = FlowList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    params: Params,
) -> Result<Json<FlowList>, Problem> {
    params.end()?;
    let flows = state.flows.flows(&caller.tenant).await?;
    let mut counts = counts(&state, &caller).await?;
    let data = flows.into_iter().map(|view| {
        let counts = counts.remove(&view.row.name).unwrap_or_default();
        Flow::of(view, counts, language)
    });
    Ok(Json(FlowList { data: data.collect() }))
}

/// One flow.
#[utoipa::path(
    get, path = "/v1/flows/{name}", tag = "flows", operation_id = "get_flow",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = Flow)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Flow>, Problem> {
    params.end()?;
    let view = state.flows.flow(&caller.tenant, &known(&name)?).await?;
    let counts = counts(&state, &caller).await?.remove(&view.row.name).unwrap_or_default();
    Ok(Json(Flow::of(view, counts, language)))
}

/// Defines a flow, or its next version. The same JSON as in the configuration's `[flows.NAME]`; everything that is wrong with it
/// is reported at once.
#[utoipa::path(
    put, path = "/v1/flows/{name}", tag = "flows", operation_id = "put_flow",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    request_body(content = Object, content_type = "application/json", description = "The definition, with the keys of `[flows.NAME]` in the configuration: `when`, `fields`, `with`, `to`, `map` and those for timing and failures"),
    responses((status = 200, body = Flow)),
)]
pub(crate) async fn put(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    Path(name): Path<String>,
    params: Params,
    body: Bytes,
) -> Result<Json<Flow>, Problem> {
    params.end()?;
    new_name(&name)?;
    let definition: Value = serde_json::from_slice(&body).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        Problem::new(ProblemCode::InvalidBody).detail(
            format!("the body is not valid JSON: line {line}, column {column}"),
            format!("请求体不是 JSON（第 {line} 行第 {column} 列）"),
        )
    })?;
    let view = state.flows.put(&caller.tenant, &name, &definition).await?;
    Ok(Json(Flow::of(view, BTreeMap::new(), language)))
}

/// Deletes a flow; deliveries still to be sent by it are withheld.
#[utoipa::path(
    delete, path = "/v1/flows/{name}", tag = "flows", operation_id = "delete_flow",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 204, description = "The flow is deleted")),
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    params.end()?;
    state.flows.remove(&caller.tenant, &known(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// A flow's versions: each delivery names the one that made it.
#[utoipa::path(
    get, path = "/v1/flows/{name}/versions", tag = "flows", operation_id = "list_flow_versions",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = FlowVersionList)),
)]
pub(crate) async fn versions(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<FlowVersionList>, Problem> {
    params.end()?;
    let rows = state.store.flow_versions(&caller.tenant, &known(&name)?, VERSIONS_MAX).await?;
    if rows.is_empty() {
        return Err(absent());
    }
    let data = rows.into_iter().map(|row| FlowVersion {
        version: row.version,
        definition: serde_json::from_str(&row.definition).unwrap_or(Value::Null),
        at: Time(row.at_ms),
    });
    Ok(Json(FlowVersionList { data: data.collect() }))
}

/// Dry run: what a flow would have sent for the last changes of its entity. Nothing is stored or sent.
#[utoipa::path(
    post, path = "/v1/flows/{name}/dry-run", tag = "flows", operation_id = "dry_run_flow",
    params(
        ("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("last" = Option<u32>, Query, description = "Number of changes; 20 by default", minimum = 1, maximum = 1000),
    ),
    responses((status = 200, body = DryRunList)),
)]
pub(crate) async fn dry_run(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    Path(name): Path<String>,
    mut params: Params,
) -> Result<Json<DryRunList>, Problem> {
    let last = params.number("last", 1, 1000)?.unwrap_or(DRY_RUN_LAST);
    params.end()?;
    let entries = state.flows.dry_run(&caller.tenant, &known(&name)?, last).await?;
    Ok(Json(DryRunList { data: entries.into_iter().map(|run| DryRunEntry::of(run, language)).collect() }))
}

/// Sends every dead delivery of a flow again, with the same keys.
#[utoipa::path(
    post, path = "/v1/flows/{name}/replay-dead", tag = "flows", operation_id = "replay_dead_deliveries",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = Replayed)),
)]
pub(crate) async fn replay_dead(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<Replayed>, Problem> {
    params.end()?;
    let replayed = state.flows.replay_dead(&caller.tenant, &known(&name)?).await?;
    Ok(Json(Replayed { replayed }))
}

/// What cannot be a name names nothing. A flow is named as a connection is; those that feed endpoints have names of three parts.
fn known(name: &str) -> Result<String, Problem> {
    if is_flow_name(name) { Ok(name.to_owned()) } else { Err(absent()) }
}

pub(crate) fn is_flow_name(name: &str) -> bool {
    name.split(':').count() <= 3 && name.split(':').all(|part| ConnectionName::new(part).is_ok())
}

async fn counts(state: &AppState, caller: &Caller) -> Result<BTreeMap<String, BTreeMap<String, i64>>, Problem> {
    let mut counts: BTreeMap<String, BTreeMap<String, i64>> = BTreeMap::new();
    for row in state.store.delivery_counts(&caller.tenant).await? {
        *counts.entry(row.flow).or_default().entry(word(row.state).to_owned()).or_default() += row.count;
    }
    Ok(counts)
}

/// A state's word.
pub(crate) fn word(state: DeliveryState) -> &'static str {
    match state {
        DeliveryState::Pending => "pending",
        DeliveryState::InFlight => "in_flight",
        DeliveryState::Unconfirmed => "unconfirmed",
        DeliveryState::Delivered => "delivered",
        DeliveryState::Dead => "dead",
        DeliveryState::Withheld => "withheld",
        DeliveryState::Expired => "expired",
    }
}
