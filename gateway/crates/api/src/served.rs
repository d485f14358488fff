//! Paths that this process does not serve: the parts of a gateway may run in processes of their own.

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};

use crate::problem::{Problem, ProblemCode};
use crate::state::AppState;

/// Served by every process, because monitoring asks each of them.
const ALWAYS: [&str; 5] = ["/healthz", "/readyz", "/metrics", "/v1/health", "/v1/configuration/reload"];
/// What vendors send.
const HOOKS: &str = "/hooks/";

/// Refuses what belongs to a role that this process does not have.
pub(crate) async fn served(State(state): State<AppState>, request: Request, next: Next) -> Response {
    let (roles, path) = (state.configuration.roles(), request.uri().path());
    let (has, role) = match path {
        path if ALWAYS.contains(&path) => (true, ""),
        path if path.starts_with(HOOKS) => (roles.hooks, "hooks"),
        _ => (roles.api, "api"),
    };
    if has {
        return next.run(request).await;
    }
    let problem = Problem::new(ProblemCode::UnknownPath).detail(
        format!("this process runs without the role `{role}`: ask one that has it (`renmen serve --role {role}`)"),
        format!("此进程未启用角色 `{role}`：请访问启用该角色的进程（`renmen serve --role {role}`）"),
    );
    problem.into_response()
}
