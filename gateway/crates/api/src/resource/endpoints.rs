//! Endpoints of outgoing events: who is told of changes. Those of the configuration can be read here, others be made.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use renmen_receiver::endpoint::EndpointError;
use renmen_schema::id::ConnectionName;
use renmen_schema::{Text, text};
use serde::Serialize;
use utoipa::ToSchema;

use super::endpoint_view::{EndpointDefinition, EndpointInfo, EndpointWithSecret};
use crate::caller::Caller;
use crate::instant;
use crate::params::{Params, new_name};
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// For how long the secret before a new one signs too: by default a day, at most thirty. Seconds.
const OVERLAP_S: (u32, u32) = (86_400, 30 * 86_400);

/// A tenant's endpoints.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EndpointList {
    /// Sorted by name.
    data: Vec<EndpointInfo>,
}

/// How many events are sent again.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct EventsReplayed {
    /// Number of events.
    replayed: u64,
}

/// The endpoints of this key's tenant.
#[utoipa::path(
    get, path = "/v1/endpoints", tag = "endpoints", operation_id = "list_endpoints",
    responses((status = 200, body = EndpointList)),
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    params: Params,
) -> Result<Json<EndpointList>, Problem> {
    params.end()?;
    let views = state.endpoints.endpoints(&caller.tenant).await?;
    Ok(Json(EndpointList { data: views.into_iter().map(EndpointInfo::from).collect() }))
}

/// One endpoint. Its secrets are not shown.
#[utoipa::path(
    get, path = "/v1/endpoints/{name}", tag = "endpoints", operation_id = "get_endpoint",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = EndpointInfo)),
)]
pub(crate) async fn get(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<EndpointInfo>, Problem> {
    params.end()?;
    Ok(Json(state.endpoints.endpoint(&caller.tenant, &known(&name)?).await?.into()))
}

/// Makes an endpoint, or changes one that was made here. One that its receiver had switched off is on again. The gateway makes the
/// secret that signs its events and shows it in this answer, when the endpoint is made and never again.
#[utoipa::path(
    put, path = "/v1/endpoints/{name}", tag = "endpoints", operation_id = "put_endpoint",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    request_body = EndpointDefinition,
    responses((status = 200, body = EndpointWithSecret)),
)]
pub(crate) async fn put(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    params: Params,
    body: Bytes,
) -> Result<Json<EndpointWithSecret>, Problem> {
    params.end()?;
    let name = new_name(&name)?;
    let definition: EndpointDefinition = serde_json::from_slice(&body).map_err(|error| not_a_definition(&error))?;
    let (view, secret) = state.endpoints.put(&caller.tenant, &name, definition.into()).await?;
    Ok(Json(EndpointWithSecret::of(view, secret)))
}

/// What is wrong with a body, without any value of it: the parser's words quote values.
fn not_a_definition(error: &serde_json::Error) -> Problem {
    let told = error.to_string();
    let (line, column) = (error.line(), error.column());
    let why = if ["`secret`", "`previous_secret`"].iter().any(|key| told.starts_with(&format!("unknown field {key}"))) {
        text!(
            "the gateway generates the secret and shows it once: remove the key",
            "密钥由网关生成并只显示一次：请去掉该键"
        )
    } else if ["unknown field", "missing field"].iter().any(|begin| told.starts_with(begin)) {
        Text::verbatim(told)
    } else if let Some(expected) = expected_type(&told) {
        text!(
            "line {line}, column {column}: a value of another type; expected {expected}",
            "第 {line} 行第 {column} 列：值的类型不符；应为{expected}"
        )
    } else {
        text!("line {line}, column {column}", "第 {line} 行第 {column} 列")
    };
    Problem::new(ProblemCode::InvalidBody)
        .because(text!("the body is not an endpoint definition: {why}", "请求体不是端点定义：{why}"))
}

/// The type that the parser expected, where it met another one. Its words end with it; what stands before may quote a value.
fn expected_type(told: &str) -> Option<Text> {
    let (_, expected) = told.strip_prefix("invalid type: ")?.rsplit_once(", expected ")?;
    let (expected, _) = expected.rsplit_once(" at line ")?;
    match expected {
        "a string" => Some(text!("a string", "字符串")),
        "a sequence" => Some(text!("a list", "列表")),
        "a boolean" => Some(text!("true or false", "true 或 false（布尔值）")),
        "a map" | "struct EndpointDefinition" => Some(text!("an object", "对象")),
        _ => None,
    }
}

/// Makes a new signing secret and shows it in this answer, once. Until `overlap_s` seconds from now every event is signed with the
/// one before too, so that the receiver can change over in its own time.
#[utoipa::path(
    post, path = "/v1/endpoints/{name}/rotate", tag = "endpoints", operation_id = "rotate_endpoint_secret",
    params(
        ("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("overlap_s" = Option<u32>, Query, description = "Seconds for which the previous secret also signs; 86400 by default, 0 if that secret has leaked", minimum = 0, maximum = 2_592_000),
    ),
    responses((status = 200, body = EndpointWithSecret)),
)]
pub(crate) async fn rotate(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    mut params: Params,
) -> Result<Json<EndpointWithSecret>, Problem> {
    let overlap_s = params.number("overlap_s", 0, OVERLAP_S.1)?.unwrap_or(OVERLAP_S.0);
    params.end()?;
    let overlap = Duration::from_secs(u64::from(overlap_s));
    let (view, secret) = state.endpoints.rotate(&caller.tenant, &known(&name)?, overlap).await?;
    Ok(Json(EndpointWithSecret::of(view, Some(secret))))
}

/// Deletes an endpoint; deliveries still to be sent to it are withheld.
#[utoipa::path(
    delete, path = "/v1/endpoints/{name}", tag = "endpoints", operation_id = "delete_endpoint",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 204, description = "The endpoint is deleted")),
)]
pub(crate) async fn remove(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    params: Params,
) -> Result<StatusCode, Problem> {
    params.end()?;
    state.endpoints.remove(&caller.tenant, &known(&name)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Enables an endpoint again that its receiver disabled with a 410.
#[utoipa::path(
    post, path = "/v1/endpoints/{name}/enable", tag = "endpoints", operation_id = "enable_endpoint",
    params(("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$")),
    responses((status = 200, body = EndpointInfo)),
)]
pub(crate) async fn enable(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    params: Params,
) -> Result<Json<EndpointInfo>, Problem> {
    params.end()?;
    Ok(Json(state.endpoints.enable(&caller.tenant, &known(&name)?).await?.into()))
}

/// Sends events of an endpoint again that failed permanently at or after a given time, with the same ids.
#[utoipa::path(
    post, path = "/v1/endpoints/{name}/replay", tag = "endpoints", operation_id = "replay_endpoint",
    params(
        ("name" = String, Path, description = "Its name", pattern = "^[a-z][a-z0-9_-]{0,62}$"),
        ("since" = Option<String>, Query, format = DateTime, description = "Only changes from this time on (RFC 3339); all of them by default"),
    ),
    responses((status = 200, body = EventsReplayed)),
)]
pub(crate) async fn replay(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Path(name): Path<String>,
    mut params: Params,
) -> Result<Json<EventsReplayed>, Problem> {
    let since = params.text("since")?;
    params.end()?;
    let since_ms = match since {
        None => 0,
        Some(text) => instant::parse(&text).ok_or_else(|| {
            Problem::parameter(
                "since",
                "a time such as 2026-11-22T00:00:00Z (RFC 3339)",
                "时间，例如 2026-11-22T00:00:00Z",
            )
        })?,
    };
    let replayed = state.endpoints.replay(&caller.tenant, &known(&name)?, since_ms).await?;
    Ok(Json(EventsReplayed { replayed }))
}

/// What cannot be a name names nothing.
fn known(name: &str) -> Result<ConnectionName, Problem> {
    ConnectionName::new(name).map_err(|_| absent())
}

fn absent() -> Problem {
    Problem::not_found("endpoint", "端点")
}

impl From<EndpointError> for Problem {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::NotFound(_) => absent(),
            EndpointError::Invalid { en, zh } => Self::new(ProblemCode::InvalidDefinition).detail(en, zh),
            EndpointError::Refused { en, zh } => Self::new(ProblemCode::Refused).detail(en, zh),
            // They name files of the gateway's: for its operator, who finds them in the log.
            EndpointError::Vault(_) | EndpointError::VaultUnavailable(_) => {
                tracing::warn!(%error, "The vault is unavailable");
                Self::new(ProblemCode::EngineUnavailable)
            }
            EndpointError::Store(error) => error.into(),
            EndpointError::Fault(cause) => Self::fault(&cause),
        }
    }
}
