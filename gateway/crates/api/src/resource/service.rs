//! The service about itself: alive, ready, its figures, its description.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use renmen_store::Trouble;
use serde::Serialize;
use utoipa::ToSchema;

use crate::guard::within;
use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// A store that does not answer a trivial question within this is not ready.
const READY_WITHIN: Duration = Duration::from_secs(2);

/// The page that reads `/openapi.json` and shows it.
const DOCS_PAGE: &str = include_str!("../../assets/docs.html");
const DOCS_SCRIPT: &str = include_str!("../../assets/docs.js");
const SCHEMA_SCRIPT: &str = include_str!("../../assets/schema.js");
const DOCS_STYLE: &str = include_str!("../../assets/docs.css");

/// The service is well.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Wellness {
    /// Always `ok`: another answer is a problem.
    status: &'static str,
}

/// Liveness: the process responds.
#[utoipa::path(get, path = "/healthz", tag = "service", operation_id = "healthz", security(()), responses((status = 200, body = Wellness)))]
pub(crate) async fn healthz() -> Json<Wellness> {
    Json(Wellness { status: "ok" })
}

/// The store answers and can write: requests can be served. 503 says what is wrong: the disk is full, the file is damaged, the server is away.
#[utoipa::path(get, path = "/readyz", tag = "service", operation_id = "readyz", security(()), responses((status = 200, body = Wellness)))]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Wellness>, Problem> {
    let ready = within(READY_WITHIN, state.store.ready()).await;
    ready.map_err(|problem| match state.store.trouble() {
        Some(trouble) => not_ready(trouble),
        None => problem,
    })?;
    Ok(Json(Wellness { status: "ok" }))
}

fn not_ready(trouble: Trouble) -> Problem {
    let (en, zh) = match trouble {
        Trouble::DiskFull => (
            "the disk of the database is full, or has fewer free bytes than store.disk_free_bytes_min: free some space. No data is lost",
            "数据库所在磁盘已满，或可用空间低于 store.disk_free_bytes_min：请释放空间，数据不会丢失",
        ),
        Trouble::Unusable => (
            "the database file cannot be read or written: check its permissions and its disk",
            "数据库文件无法读写：请检查文件权限和磁盘",
        ),
        Trouble::Damaged => (
            "the database file is damaged: stop the gateway and restore the file from a backup",
            "数据库文件已损坏：请停止网关，并从备份恢复该文件",
        ),
        Trouble::Away => (
            "the PostgreSQL server cannot be reached: check that it runs, and the network to it. No data is lost",
            "无法连接 PostgreSQL 服务器：请检查其是否运行以及网络。数据不会丢失",
        ),
    };
    Problem::new(ProblemCode::StoreUnavailable).detail(en, zh)
}

/// A web page that shows this document. It loads nothing from other servers.
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

pub(crate) async fn schema_script() -> Response {
    ([(CONTENT_TYPE, "text/javascript; charset=utf-8")], SCHEMA_SCRIPT).into_response()
}

pub(crate) async fn docs_style() -> Response {
    ([(CONTENT_TYPE, "text/css; charset=utf-8")], DOCS_STYLE).into_response()
}
