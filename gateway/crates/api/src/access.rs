//! Which role may call which operation: one table, asked by one layer (`auth`) before any handler runs. An operation
//! that has no row cannot be called by anyone; a test compares the table with the OpenAPI document, which shows it to
//! clients.
//!
//! Owns the answer for an operation as a whole. That a vendor's key meets its own connection's records alone is the
//! handlers' business: only they know what a request is about.

use std::collections::HashMap;
use std::sync::OnceLock;

use axum::http::Method;
use renmen_schema::EntityKind;
use renmen_store::KeyRole;

use crate::problem::{Problem, ProblemCode};
use crate::resource::people;

/// Who may call an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Anybody; the operation itself asks for what it needs.
    Open,
    /// Anyone who has a key with one of these roles.
    Roles(&'static [&'static str]),
}

/// Everything of the tenant: all that shows more than records, and all that changes something.
const OWNER: Access = Access::Roles(&["owner"]);
/// Reading records.
const READER: Access = Access::Roles(&["owner", "consumer", "steward"]);
/// Deciding which records are one person.
const STEWARD: Access = Access::Roles(&["owner", "steward"]);
/// How groups of people fared: of a key that was made for it, not even the owner's.
const AUDITOR: Access = Access::Roles(&["auditor"]);
/// Which questions there are.
const ASKER: Access = Access::Roles(&["owner", "consumer", "steward", "auditor"]);
/// What the vendor behind a connection asks, each about records of its own connection.
const VENDOR: Access = Access::Roles(&["owner", "vendor"]);

/// An operation of the API.
#[derive(Debug)]
pub(crate) struct Operation {
    pub(crate) method: &'static str,
    /// As the document writes it; `{collection}` stands for every entity's that a reader reads, `{written}` for those that people write,
    /// `{identities}` for people and units.
    pub(crate) path: &'static str,
    /// Its operationId; that of the records of an entity names the entity, that of people and units names them.
    pub(crate) name: &'static str,
    pub(crate) access: Access,
}

const fn row(method: &'static str, path: &'static str, name: &'static str, access: Access) -> Operation {
    Operation { method, path, name, access }
}

/// The table.
#[rustfmt::skip]
pub(crate) static OPERATIONS: [Operation; 86] = [
    // Records. A recorded exchange is the vendor's raw answer, with more in it than any record: it is the owner's.
    row("GET", "/v1/{collection}", "list_records", READER),
    row("GET", "/v1/{collection}/{id}", "get_record", READER),
    row("GET", "/v1/changes", "list_changes", READER),
    row("GET", "/v1/changes/stream", "stream_changes", READER),
    row("GET", "/v1/applications/{id}/timeline", "get_timeline", READER),
    row("GET", "/v1/candidates/{id}/timeline", "get_candidate_timeline", READER),
    row("GET", "/v1/schema", "list_entities", READER),
    row("GET", "/v1/schema/{entity}", "get_entity_schema", READER),
    row("GET", "/v1/exchanges/{id}", "get_exchange", OWNER),
    row("GET", "/v1/bias-audits", "list_bias_audits", AUDITOR),
    row("GET", "/v1/bias-audits/{id}", "get_bias_audit", AUDITOR),
    // Records that people write.
    row("POST", "/v1/{written}", "create_record", OWNER),
    row("PUT", "/v1/{written}/{id}", "put_record", OWNER),
    row("DELETE", "/v1/{written}/{id}", "delete_record", OWNER),
    // Who is one person or one unit.
    row("GET", "/v1/{identities}", "list_identities", READER),
    row("GET", "/v1/{identities}/{id}", "show_identity", READER),
    row("GET", "/v1/{identities}/proposals", "list_identity_proposals", READER),
    row("GET", "/v1/{identities}/conflicts", "list_identity_conflicts", READER),
    row("GET", "/v1/{identities}/shared-values", "list_identity_shared_values", READER),
    row("GET", "/v1/{identities}/decisions", "list_identity_decisions", READER),
    row("POST", "/v1/{identities}/decisions", "decide_identity", STEWARD),
    row("POST", "/v1/{identities}/decisions/{number}/undo", "undo_identity_decision", STEWARD),
    // Questions over many records.
    row("GET", "/v1/insights", "list_insights", ASKER),
    row("GET", "/v1/insights/{question}", "ask_insight", READER),
    row("POST", "/v1/insights/{question}", "keep_insight", OWNER),
    row("GET", "/v1/insights/joined", "ask_joined", OWNER),
    row("GET", "/v1/insights/fairness", "ask_fairness", AUDITOR),
    row("POST", "/v1/insights/fairness", "keep_fairness", AUDITOR),
    // What a vendor asks.
    row("POST", "/v1/pay-bands/match", "match_pay_band", VENDOR),
    row("POST", "/v1/interviews/{id}/screen-tokens", "make_screen_token", VENDOR),
    // What people decide.
    row("POST", "/v1/decisions/{id}", "decide", OWNER),
    row("POST", "/v1/decisions/{id}/reopen", "reopen_decision", OWNER),
    row("POST", "/v1/decisions/{id}/override", "override_decision", OWNER),
    row("POST", "/v1/dimension-scores/{id}/corrections", "correct_score", OWNER),
    row("POST", "/v1/model-adjustments", "propose_adjustment", OWNER),
    row("POST", "/v1/model-adjustments/{id}/approve", "approve_adjustment", OWNER),
    row("POST", "/v1/model-adjustments/{id}/reject", "reject_adjustment", OWNER),
    row("POST", "/v1/model-adjustments/{id}/revert", "revert_adjustment", OWNER),
    // How the gateway runs.
    row("GET", "/v1/health", "get_health", OWNER),
    row("GET", "/v1/connections", "list_connections", OWNER),
    row("GET", "/v1/connections/{connection}", "get_connection", OWNER),
    row("GET", "/v1/connections/{connection}/streams", "list_streams", OWNER),
    row("POST", "/v1/connections/{connection}/streams/{stream}/runs", "start_run", OWNER),
    row("POST", "/v1/configuration/reload", "reload_configuration", OWNER),
    row("GET", "/v1/plugins", "list_plugins", OWNER),
    row("GET", "/v1/runs", "list_runs", OWNER),
    row("GET", "/v1/runs/{id}", "get_run", OWNER),
    row("GET", "/v1/sweeps", "list_sweeps", OWNER),
    row("GET", "/v1/sweeps/{run}/records", "list_swept_records", OWNER),
    row("POST", "/v1/sweeps/{run}/approve", "approve_sweep", OWNER),
    row("GET", "/v1/inbox", "list_inbox", OWNER),
    row("GET", "/v1/quarantine", "list_quarantine", OWNER),
    row("GET", "/v1/quarantine/{id}", "get_quarantined", OWNER),
    row("DELETE", "/v1/quarantine/{id}", "drop_quarantined", OWNER),
    row("POST", "/v1/quarantine/{id}/retry", "retry_quarantined", OWNER),
    // What leaves it.
    row("GET", "/v1/flows", "list_flows", OWNER),
    row("GET", "/v1/flows/{name}", "get_flow", OWNER),
    row("PUT", "/v1/flows/{name}", "put_flow", OWNER),
    row("DELETE", "/v1/flows/{name}", "delete_flow", OWNER),
    row("GET", "/v1/flows/{name}/versions", "list_flow_versions", OWNER),
    row("POST", "/v1/flows/{name}/dry-run", "dry_run_flow", OWNER),
    row("POST", "/v1/flows/{name}/replay-dead", "replay_dead_deliveries", OWNER),
    row("GET", "/v1/deliveries", "list_deliveries", OWNER),
    row("GET", "/v1/deliveries/{id}", "get_delivery", OWNER),
    row("POST", "/v1/deliveries/{id}/replay", "replay_delivery", OWNER),
    row("GET", "/v1/actions", "list_actions", OWNER),
    row("POST", "/v1/actions", "act", OWNER),
    row("GET", "/v1/journals", "list_journals", OWNER),
    row("POST", "/v1/journals", "post_journal", OWNER),
    row("GET", "/v1/journals/{id}", "get_journal", OWNER),
    row("GET", "/v1/endpoints", "list_endpoints", OWNER),
    row("GET", "/v1/endpoints/{name}", "get_endpoint", OWNER),
    row("PUT", "/v1/endpoints/{name}", "put_endpoint", OWNER),
    row("DELETE", "/v1/endpoints/{name}", "delete_endpoint", OWNER),
    row("POST", "/v1/endpoints/{name}/enable", "enable_endpoint", OWNER),
    row("POST", "/v1/endpoints/{name}/rotate", "rotate_endpoint_secret", OWNER),
    row("POST", "/v1/endpoints/{name}/replay", "replay_endpoint", OWNER),
    // Who may ask at all.
    row("GET", "/v1/keys", "list_keys", OWNER),
    row("POST", "/v1/keys", "make_key", OWNER),
    row("DELETE", "/v1/keys/{id}", "revoke_key", OWNER),
    // The service about itself. A candidate's screen brings a token of its own; `/metrics` names connections.
    row("GET", "/v1/interviews/{id}/nodes/stream", "stream_nodes", Access::Open),
    row("GET", "/metrics", "get_metrics", OWNER),
    row("GET", "/healthz", "healthz", Access::Open),
    row("GET", "/readyz", "readyz", Access::Open),
    row("GET", "/openapi.json", "get_openapi", Access::Open),
    row("GET", "/docs", "get_docs", Access::Open),
];

const COLLECTION: &str = "{collection}";
const WRITTEN: &str = "{written}";
const IDENTITIES: &str = "{identities}";

/// The row of an operation, by method and the path as it is routed.
pub(crate) fn operation(method: &str, path: &str) -> Option<&'static Operation> {
    // HEAD is GET without the body.
    let method = if method == "HEAD" { "GET" } else { method };
    by_path().get(path)?.operations.iter().find(|operation| operation.method == method).copied()
}

/// Refuses what this role may not call. `path` is the route's template.
pub(crate) fn check(role: &KeyRole, method: &Method, path: &str) -> Result<(), Problem> {
    let Some(found) = operation(method.as_str(), path) else {
        // No handler is asked, even if the router knows this method.
        return Err(Problem::method_not_allowed(by_path().get(path).map_or("", |rows| rows.allow.as_str())));
    };
    let roles = match found.access {
        Access::Open => return Ok(()),
        Access::Roles(roles) => roles,
    };
    let has = role.name();
    if roles.contains(&has) {
        return Ok(());
    }
    let (needed, needed_zh) = (roles.join("` or `"), roles.join("` 或 `"));
    Err(Problem::new(ProblemCode::Forbidden).detail(
        format!("this operation needs a key with the role `{needed}`; this key has the role `{has}`"),
        format!("此操作需要角色为 `{needed_zh}` 的密钥；当前密钥的角色为 `{has}`"),
    ))
}

/// May a key of this role read records of this entity?
pub(crate) fn may_read(role: &KeyRole, kind: EntityKind) -> bool {
    let found = operation("GET", &format!("/v1/{}/{{id}}", kind.collection()));
    found.is_some_and(|operation| match operation.access {
        Access::Open => true,
        Access::Roles(roles) => roles.contains(&role.name()),
    })
}

/// Is a record of this entity to be kept from the change feed, because only an auditor reads it?
pub(crate) fn is_unseen(entity: &str) -> bool {
    EntityKind::from_name(entity).is_some_and(EntityKind::is_for_audits_only)
}

/// The rows of one path.
#[derive(Default)]
struct Rows {
    operations: Vec<&'static Operation>,
    /// Their methods, for the header `Allow`.
    allow: String,
}

/// The rows of each path, every entity's collection by its own name.
fn by_path() -> &'static HashMap<String, Rows> {
    static BY_PATH: OnceLock<HashMap<String, Rows>> = OnceLock::new();
    BY_PATH.get_or_init(|| {
        let mut paths: HashMap<String, Rows> = HashMap::new();
        for operation in &OPERATIONS {
            // What only an auditor reads has rows of its own.
            let of = |kinds: &[EntityKind], stands: &str| {
                let open = kinds.iter().filter(|kind| !kind.is_for_audits_only());
                open.map(|kind| operation.path.replace(stands, kind.collection())).collect()
            };
            let named = match operation.path {
                path if path.contains(COLLECTION) => of(EntityKind::ALL, COLLECTION),
                path if path.contains(WRITTEN) => of(&EntityKind::WRITTEN_BY_PEOPLE, WRITTEN),
                path if path.contains(IDENTITIES) => {
                    people::COLLECTIONS.iter().map(|(name, _)| path.replace(IDENTITIES, name)).collect()
                }
                path => vec![path.to_owned()],
            };
            for path in named {
                let rows = paths.entry(path).or_default();
                let gap = if rows.allow.is_empty() { "" } else { ", " };
                rows.allow = format!("{}{gap}{}", rows.allow, operation.method);
                rows.operations.push(operation);
            }
        }
        paths
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_table_has_a_row_for_every_operation_of_the_document_and_no_other() {
        let document = crate::openapi::document();
        let mut described = BTreeSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, described_as) in item.as_object().unwrap() {
                let method = method.to_ascii_uppercase();
                let found = operation(&method, path).unwrap_or_else(|| panic!("{method} {path} is in no row"));
                let name = described_as["operationId"].as_str().unwrap();
                assert!(
                    [COLLECTION, WRITTEN, IDENTITIES].iter().any(|stands| found.path.contains(stands))
                        || found.name == name,
                    "{method} {path}: {} is {name}",
                    found.name
                );
                described.insert((found.method, found.path));
            }
        }
        assert_eq!(described.len(), OPERATIONS.len(), "a row names an operation that the document does not have");
    }

    #[test]
    fn who_may_read_a_record_of_an_entity_is_what_its_path_says() {
        let vendor = KeyRole::Vendor("interview".parse().unwrap());
        for kind in EntityKind::ALL {
            let roles = [KeyRole::Owner, KeyRole::Consumer, KeyRole::Steward, KeyRole::Auditor, vendor.clone()];
            let audits = kind.is_for_audits_only();
            let expected = [!audits, !audits, !audits, audits, false];
            assert_eq!(roles.map(|role| may_read(&role, *kind)), expected, "{kind}");
        }
    }

    #[test]
    fn what_is_in_no_row_is_called_by_nobody() {
        let other = check(&KeyRole::Owner, &Method::PATCH, "/v1/runs").unwrap_err();
        assert_eq!(other, Problem::method_not_allowed("GET"));
        let unknown = check(&KeyRole::Owner, &Method::GET, "/v1/new-operation").unwrap_err();
        assert_eq!(unknown.code, ProblemCode::MethodNotAllowed);
        assert!(check(&KeyRole::Owner, &Method::HEAD, "/v1/runs").is_ok());
    }
}
