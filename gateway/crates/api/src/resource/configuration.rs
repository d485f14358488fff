//! The configuration: read again while the gateway runs.

use axum::Extension;
use axum::extract::State;
use renmen_schema::Language;

use crate::caller::Caller;
use crate::configuration::Reloaded;
use crate::params::Params;
use crate::problem::{Problem, ProblemCode};
use crate::shown_json::ShownJson;
use crate::state::AppState;

/// Reads the configuration file again, with the secrets that it names and the plugins, and uses it from then on. Runs and attempts
/// in progress end as they began; runs of a removed connection end after the pages that they have read. A file with a problem is refused
/// as a whole. The key must belong to the tenant of `[gateway]`.
#[utoipa::path(
    post, path = "/v1/configuration/reload", tag = "service", operation_id = "reload_configuration",
    responses((status = 200, body = Reloaded)),
)]
pub(crate) async fn reload(
    State(state): State<AppState>,
    Extension(caller): Extension<Caller>,
    Extension(language): Extension<Language>,
    params: Params,
) -> Result<ShownJson<Reloaded>, Problem> {
    params.end()?;
    if !state.configuration.is_operators(&caller.tenant) {
        return Err(Problem::new(ProblemCode::Forbidden).detail(
            "the file names the connections of every tenant: this needs a key of the tenant that `[gateway]` names",
            "配置文件包含所有租户的连接：此操作需要 `[gateway]` 所写租户的密钥",
        ));
    }
    let reloaded = state.configuration.reload().await;
    reloaded
        .map(|reloaded| ShownJson(reloaded, language))
        .map_err(|why| Problem::new(ProblemCode::Refused).because(why))
}
