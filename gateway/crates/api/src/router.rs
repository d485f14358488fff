//! Every path, and the layers that a request passes on its way in: observe, render problems, compress, limit its shape,
//! then for each group: how many at once and for how long, and whose key.

use axum::extract::Request;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use renmen_schema::EntityKind;
use tower_http::compression::CompressionLayer;
use tower_http::limit::RequestBodyLimitLayer;

use crate::auth::require_key;
use crate::figures;
use crate::guard::{brief, shape};
use crate::observe::observe;
use crate::openapi;
use crate::problem::{Problem, ProblemCode, render};
use crate::resource::{
    actions, adjustments, band_match, change_stream, changes, configuration, connections, decision_list, decision_page,
    decisions, deliveries, endpoints, exchanges, flows, hooks, inbox, insights, journals, keys, people, plugins,
    profile_list, quarantine, records, runs, schema, screen, service, sweeps, timeline, written,
};
use crate::served::served;
use crate::state::AppState;

/// The whole API on one router.
///
/// Each request should carry its peer's address (`ConnectInfo<SocketAddr>`), as [`crate::serve()`] sees to: without it
/// no program on this machine can read `/metrics` without a key, and all senders of deliveries count as one.
pub fn router(state: AppState) -> Router {
    let body_bytes_max = state.options.body_bytes_max;
    Router::new()
        .merge(
            records_of_every_entity()
                .merge(identities())
                .merge(engine())
                .route_layer(from_fn_with_state(state.clone(), brief)),
        )
        .merge(feed())
        .route_layer(from_fn_with_state(state.clone(), require_key))
        .merge(service_paths())
        .fallback(no_such_path)
        .layer(RequestBodyLimitLayer::new(body_bytes_max))
        // Behind the limit on bodies: each connection has its own.
        .merge(deliveries())
        .merge(pages())
        .layer(from_fn_with_state(state.clone(), shape))
        .layer(from_fn_with_state(state.clone(), served))
        .layer(from_fn(render))
        .layer(CompressionLayer::new())
        .merge(
            document()
                .layer(from_fn_with_state(state.clone(), shape))
                .layer(from_fn_with_state(state.clone(), served))
                .layer(from_fn(render)),
        )
        .layer(from_fn(observe))
        .with_state(state)
}

/// One collection for each entity, each its own path: an unknown entity is an unknown path.
fn records_of_every_entity() -> Router<AppState> {
    EntityKind::ALL.iter().fold(Router::new(), |router, kind| {
        let list = match kind {
            EntityKind::Decision => get(decision_list::list),
            EntityKind::PositionProfile => get(profile_list::list),
            _ => get(records::list),
        };
        let one = get(records::get);
        let (list, one) = if kind.is_written_by_people() {
            (list.post(written::create), one.put(written::put).merge(delete(written::remove)))
        } else {
            (list, one)
        };
        let collection = Router::new()
            .route(&format!("/v1/{}", kind.collection()), list)
            .route(&format!("/v1/{}/{{id}}", kind.collection()), one)
            .layer(Extension(*kind));
        router.merge(collection)
    })
}

/// Who is one person, and who is one unit: asked in the same way.
fn identities() -> Router<AppState> {
    people::COLLECTIONS.iter().fold(Router::new(), |router, (name, subject)| {
        let path = |rest: &str| format!("/v1/{name}{rest}");
        let collection = Router::new()
            .route(&path(""), get(people::lists::list))
            .route(&path("/{id}"), get(people::one::get))
            .route(&path("/proposals"), get(people::lists::proposals))
            .route(&path("/conflicts"), get(people::lists::conflicts))
            .route(&path("/shared-values"), get(people::lists::shared_values))
            .route(&path("/decisions"), get(people::lists::decisions).post(people::decide::decide))
            .route(&path("/decisions/{number}/undo"), post(people::decide::undo))
            .layer(Extension(*subject));
        router.merge(collection)
    })
}

fn engine() -> Router<AppState> {
    Router::new()
        .route("/v1/exchanges/{id}", get(exchanges::get))
        .route("/v1/health", get(connections::health))
        .route("/v1/connections", get(connections::list))
        .route("/v1/connections/{connection}", get(connections::get))
        .route("/v1/connections/{connection}/streams", get(connections::streams))
        .route("/v1/connections/{connection}/streams/{stream}/runs", post(runs::start))
        .route("/v1/runs", get(runs::list))
        .route("/v1/runs/{id}", get(runs::get))
        .route("/v1/sweeps", get(sweeps::list))
        .route("/v1/sweeps/{run}/records", get(sweeps::records))
        .route("/v1/sweeps/{run}/approve", post(sweeps::approve))
        .route("/v1/quarantine", get(quarantine::list))
        .route("/v1/quarantine/{id}", get(quarantine::get).merge(delete(quarantine::drop_record)))
        .route("/v1/quarantine/{id}/retry", post(quarantine::retry))
        .route("/v1/flows", get(flows::list))
        .route("/v1/flows/{name}", get(flows::get).put(flows::put).merge(delete(flows::remove)))
        .route("/v1/flows/{name}/versions", get(flows::versions))
        .route("/v1/flows/{name}/dry-run", post(flows::dry_run))
        .route("/v1/flows/{name}/replay-dead", post(flows::replay_dead))
        .route("/v1/deliveries", get(deliveries::list))
        .route("/v1/deliveries/{id}", get(deliveries::get))
        .route("/v1/deliveries/{id}/replay", post(deliveries::replay))
        .route("/v1/actions", get(actions::list).post(actions::act))
        .route("/v1/journals/{id}", get(journals::get))
        .route("/v1/inbox", get(inbox::list))
        .route("/v1/plugins", get(plugins::list))
        .route("/v1/pay-bands/match", post(band_match::ask))
        .route("/v1/decisions/{id}", post(decisions::decide))
        .route("/v1/decisions/{id}/reopen", post(decisions::reopen))
        .route("/v1/decisions/{id}/override", post(decisions::overrule))
        .route("/v1/dimension-scores/{id}/corrections", post(decisions::correct))
        .route("/v1/model-adjustments", post(adjustments::propose))
        .route("/v1/model-adjustments/{id}/approve", post(adjustments::approve))
        .route("/v1/model-adjustments/{id}/reject", post(adjustments::reject))
        .route("/v1/model-adjustments/{id}/revert", post(adjustments::revert))
        .route("/v1/applications/{id}/timeline", get(timeline::get))
        .route("/v1/candidates/{id}/timeline", get(timeline::of_candidate))
        .route("/v1/interviews/{id}/screen-tokens", post(screen::issue))
        .route("/v1/endpoints", get(endpoints::list))
        .route("/v1/endpoints/{name}", get(endpoints::get).put(endpoints::put).merge(delete(endpoints::remove)))
        .route("/v1/endpoints/{name}/enable", post(endpoints::enable))
        .route("/v1/endpoints/{name}/rotate", post(endpoints::rotate))
        .route("/v1/endpoints/{name}/replay", post(endpoints::replay))
        .route("/v1/keys", get(keys::list).post(keys::make))
        .route("/v1/keys/{id}", delete(keys::revoke))
        .route("/v1/schema", get(schema::list))
        .route("/v1/schema/{entity}", get(schema::get))
}

/// What may wait or go on: without the deadline, and with its own limit on how many.
fn feed() -> Router<AppState> {
    Router::new()
        .route("/v1/changes", get(changes::list))
        .route("/v1/changes/stream", get(change_stream::stream))
        // They have a limit of time and of number of their own.
        .route("/v1/insights", get(insights::list))
        .route("/v1/insights/fairness", get(insights::ask_fairness).post(insights::keep_fairness))
        .route("/v1/insights/joined", get(insights::ask_joined))
        .route("/v1/insights/{question}", get(insights::ask).post(insights::keep))
        // It reads all payslips of a connection; one is done at a time.
        .route("/v1/journals", get(journals::list).post(journals::post))
        // It may compile plugins; one is done at a time.
        .route("/v1/configuration/reload", post(configuration::reload))
}

fn service_paths() -> Router<AppState> {
    Router::new()
        .route("/healthz", get(service::healthz))
        .route("/readyz", get(service::readyz))
        .route("/docs", get(service::docs))
        .route("/docs/docs.js", get(service::docs_script))
        .route("/docs/schema.js", get(service::schema_script))
        .route("/docs/docs.css", get(service::docs_style))
        // Not the key's business: its token is good for one interview.
        .route("/v1/interviews/{id}/nodes/stream", get(screen::stream))
        // It says itself who may read it.
        .route("/metrics", get(figures::read))
}

/// A megabyte that anybody may ask for is sent as it lies there: to pack it each time would cost more than most requests do.
fn document() -> Router<AppState> {
    Router::new().route("/openapi.json", get(openapi::openapi_json))
}

/// What vendors send: a challenge by GET, all else by POST.
fn deliveries() -> Router<AppState> {
    let take = || get(hooks::take).post(hooks::take);
    Router::new().route("/hooks/{connection}", take()).route("/hooks/{connection}/{*rest}", take())
}

/// What a person opens with a link instead of a key. It reads its own form, so that one that is too large is told on a page.
fn pages() -> Router<AppState> {
    Router::new().route("/decide/{token}", get(decision_page::show).post(decision_page::decide))
}

async fn no_such_path(request: Request) -> Problem {
    let method = request.method().as_str().chars().take(16).collect::<String>();
    Problem::new(ProblemCode::UnknownPath).detail(
        format!("no operation at this path ({method}); see `/docs` for the available ones"),
        format!("{method}：路径不存在，可用路径见 `/docs`"),
    )
}
