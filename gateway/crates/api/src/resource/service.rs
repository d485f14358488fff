//! The service about itself: alive, ready, its figures, its description.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

use crate::guard::within;
use crate::openapi;
use crate::problem::Problem;
use crate::state::AppState;

/// A store that does not answer a trivial question within this is not ready.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The page that reads `/openapi.json` and shows it.
const DOCS_PAGE: &str = include_str!("../../assets/docs.html");
const DOCS_SCRIPT: &str = include_str!("../../assets/docs.js");
const DOCS_STYLE: &str = include_str!("../../assets/docs.css");

/// The service is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Wellness {
    /// Always `ok`: another answer is a problem.
    status: &'static str,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "service", operation_id = "healthz", security(()), responses((status = 200, body = Wellness)))]
pub(crate) async fn healthz() -> Json<Wellness> {
    Json(Wellness { status: "ok" })
}

/// The store answers: requests can be served.
#[utoipa::path(get, path = "/readyz", tag = "service", operation_id = "readyz", security(()), responses((status = 200, body = Wellness)))]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Wellness>, Problem> {
    within(READY_WITHIN, state.store.ready()).await?;
    Ok(Json(Wellness { status: "ok" }))
}

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "service", operation_id = "get_openapi", security(()), responses((status = 200, body = Object, description = "OpenAPI 3.1")))]
pub(crate) async fn openapi_json() -> Response {
    ([(CONTENT_TYPE, "application/json")], openapi::text()).into_response()
}

/// A page for people that shows this document. It loads nothing from elsewhere.
#[utoipa::path(get, path = "/docs", tag = "service", operation_id = "get_docs", security(()), responses((status = 200, body = String, content_type = "text/html", description = "A page")))]
pub(crate) async fn docs() -> Response {
    let policy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; \
                  form-action 'none'; frame-ancestors 'none'";
    let headers = [(CONTENT_TYPE, "text/html; charset=utf-8"), (CONTENT_SECURITY_POLICY, policy)];
    (StatusCode::OK, headers, DOCS_PAGE).into_response()
}

pub(crate) async fn docs_script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], DOCS_SCRIPT).into_response()
}

pub(crate) async fn docs_style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], DOCS_STYLE).into_response()
}
