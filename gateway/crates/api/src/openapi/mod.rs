//! The OpenAPI 3.1 document. The handlers' own descriptions (utoipa) are the source; this module adds what is the same
//! for many operations: a collection for each entity (`entities`), the problems that each can answer with and the
//! key that it needs (`problems`), what is stricter than it was derived (`tighten`), and examples (`examples`).

mod entities;
mod examples;
mod ordered;
mod problems;
mod tighten;
mod units;

use std::sync::OnceLock;

use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use utoipa::OpenApi;

use ordered::Ordered;

use crate::problem::ProblemBody;
use crate::resource::lineage::PluginVersion;
use crate::resource::record_view::DetectedBy;
use crate::resource::{
    actions, adjustments, band_match, change_stream, change_view, changes, configuration, connections, decision_list,
    decisions, deliveries, endpoints, exchanges, flows, inbox, insights, journals, keys, people, plugins, profile_list,
    quarantine, records, runs, schema, screen, service, sweeps, timeline, written,
};

/// This document.
#[utoipa::path(get, path = "/openapi.json", tag = "service", operation_id = "get_openapi", security(()), responses((status = 200, body = Object, description = "OpenAPI 3.1")))]
pub(crate) async fn openapi_json() -> Response {
    ([(CONTENT_TYPE, "application/json")], text()).into_response()
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Renmen",
        description = "Hiring, pay and performance records of every connected system, typed and traceable to their source.\n\n\
            Every operation under `/v1` needs `Authorization: Bearer rk_…`. The key says whose records are read: ids of \
            others are answered with 404. Each operation names the roles that may call it (`owner`, `consumer`, `steward`, `auditor`, `vendor`); a key \
            with another role is answered with 403. Errors are problem JSON (RFC 9457) with a stable `code`, in Chinese or English by \
            `Accept-Language`. Unknown query parameters are refused. Times are RFC 3339 in UTC.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    paths(
        records::list,
        records::get,
        profile_list::list,
        written::create,
        written::put,
        written::remove,
        people::lists::list,
        people::one::get,
        people::lists::proposals,
        people::lists::conflicts,
        people::lists::shared_values,
        people::lists::decisions,
        people::decide::decide,
        people::decide::undo,
        changes::list,
        change_stream::stream,
        exchanges::get,
        connections::list,
        connections::get,
        connections::streams,
        connections::health,
        configuration::reload,
        inbox::list,
        plugins::list,
        runs::list,
        runs::get,
        runs::start,
        sweeps::list,
        sweeps::records,
        sweeps::approve,
        quarantine::list,
        quarantine::get,
        quarantine::retry,
        quarantine::drop_record,
        band_match::ask,
        decision_list::list,
        decisions::decide,
        decisions::reopen,
        decisions::overrule,
        decisions::correct,
        timeline::get,
        timeline::of_candidate,
        screen::issue,
        screen::stream,
        adjustments::propose,
        adjustments::approve,
        adjustments::reject,
        adjustments::revert,
        actions::list,
        actions::act,
        flows::list,
        flows::get,
        flows::put,
        flows::remove,
        flows::versions,
        flows::dry_run,
        flows::replay_dead,
        deliveries::list,
        deliveries::get,
        deliveries::replay,
        journals::list,
        journals::get,
        journals::post,
        endpoints::list,
        endpoints::get,
        endpoints::put,
        endpoints::remove,
        endpoints::enable,
        endpoints::rotate,
        endpoints::replay,
        insights::list,
        insights::ask,
        insights::ask_joined,
        insights::ask_fairness,
        insights::keep,
        insights::keep_fairness,
        keys::list,
        keys::make,
        keys::revoke,
        schema::list,
        schema::get,
        service::healthz,
        service::readyz,
        crate::figures::read,
        openapi_json,
        service::docs,
    ),
    components(schemas(ProblemBody, PluginVersion, band_match::BandMatchWord, band_match::BandMatchReason, DetectedBy, runs::RunStateName, change_view::ChangeKindName, records::DeletedFilter, decision_list::DecisionStatusFilter, schema::EntityName, deliveries::DeliveryStateName)),
    tags(
        (name = "records", description = "Canonical records, a collection for each entity"),
        (name = "written", description = "Records that people write: profiles, competencies, questions, rules and more"),
        (name = "people", description = "Who is one person or one organisational unit across all connections, why, and what was decided"),
        (name = "changes", description = "The ordered feed of what happened to records"),
        (name = "lineage", description = "Recorded exchanges with source systems: where values came from"),
        (name = "connections", description = "Connections, their streams and plugins, and how fresh their records are"),
        (name = "runs", description = "Runs: each is one pull of a stream"),
        (name = "quarantine", description = "Records that could not be stored"),
        (name = "interviews", description = "Band match, decisions, timeline and candidates' screens"),
        (name = "flows", description = "Flows, actions and deliveries: what is sent because a record changed"),
        (name = "journals", description = "Payroll runs posted to the ledger, with its document numbers"),
        (name = "endpoints", description = "Receivers of signed change events"),
        (name = "insights", description = "Questions over many records: funnels, what an interview predicts, pay, performance, fairness"),
        (name = "keys", description = "API keys"),
        (name = "schema", description = "The canonical entities"),
        (name = "service", description = "Health, metrics and API documents"),
    ),
)]
struct Described;

/// The OpenAPI document.
#[must_use]
pub fn document() -> Value {
    let mut document = serde_json::to_value(Described::openapi()).unwrap_or_default();
    entities::expand(&mut document);
    units::add(&mut document);
    tighten::tighten(&mut document);
    problems::add(&mut document);
    examples::add(&mut document);
    document
}

/// The document as a file for people and generators: indented, and JSON the first media type of every answer.
#[must_use]
pub fn document_file() -> String {
    serde_json::to_string_pretty(&Ordered(&document())).unwrap_or_default() + "\n"
}

/// The document as JSON text, made once.
pub(crate) fn text() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| serde_json::to_string(&Ordered(&document())).unwrap_or_default())
}
