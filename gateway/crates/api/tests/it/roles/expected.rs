//! What each cell must answer.

use super::Operation;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    Nobody,
    Revoked,
    Expired,
    Owner,
    Consumer,
    Steward,
    Auditor,
    /// Bound to the connection that everything of the tenant came through.
    Vendor,
    /// Bound to another connection of the same tenant.
    OtherVendor,
}

impl Who {
    pub(super) const ALL: [Self; 9] = [
        Self::Nobody,
        Self::Revoked,
        Self::Expired,
        Self::Owner,
        Self::Consumer,
        Self::Steward,
        Self::Auditor,
        Self::Vendor,
        Self::OtherVendor,
    ];
}

/// What is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Own,
    OtherTenants,
    Deleted,
}

impl Target {
    pub(super) const ALL: [Self; 3] = [Self::Own, Self::OtherTenants, Self::Deleted];
}

/// Operations that need no key.
const OPEN: [&str; 5] = ["healthz", "readyz", "get_openapi", "get_docs", "stream_nodes"];
/// What a consumer reads besides the entities' collections.
const CONSUMER: [&str; 8] = [
    "list_changes",
    "stream_changes",
    "get_timeline",
    "get_candidate_timeline",
    "list_entities",
    "get_entity_schema",
    "list_insights",
    "ask_insight",
];
/// What a consumer reads of people and units.
const IDENTITIES: [&str; 12] = [
    "list_people",
    "show_person",
    "list_people_proposals",
    "list_people_conflicts",
    "list_people_shared_values",
    "list_people_decisions",
    "list_units",
    "show_unit",
    "list_units_proposals",
    "list_units_conflicts",
    "list_units_shared_values",
    "list_units_decisions",
];
/// What a steward does besides.
const STEWARD: [&str; 4] = ["decide_people", "undo_people_decision", "decide_units", "undo_units_decision"];
/// What an auditor reads, and no one else.
const AUDITOR: [&str; 4] = ["list_bias_audits", "get_bias_audit", "ask_fairness", "keep_fairness"];
/// What a vendor asks.
const VENDOR: [&str; 2] = ["match_pay_band", "make_screen_token"];

/// What people write, each with `create_`, `put_` and `delete_` before it.
pub(super) const WRITTEN: [&str; 8] =
    ["position_profile", "competency", "question", "decision_rule", "tag", "survey", "market_pay", "consent"];

/// The status that a cell must answer.
pub(super) fn expected(operation: &Operation, who: Who, target: Target) -> u16 {
    let name = operation.name.as_str();
    if !OPEN.contains(&name) {
        let may = match who {
            Who::Nobody | Who::Revoked | Who::Expired => return 401,
            Who::Auditor => AUDITOR.contains(&name) || name == "list_insights",
            _ if AUDITOR.contains(&name) => false,
            Who::Owner => true,
            Who::Consumer => reads(operation),
            Who::Steward => reads(operation) || STEWARD.contains(&name),
            Who::Vendor | Who::OtherVendor => VENDOR.contains(&name),
        };
        if !may {
            return 403;
        }
    }
    if who == Who::OtherVendor && VENDOR.contains(&name) {
        return 404;
    }
    let [own, other, deleted] = of_an_owner(operation);
    match target {
        Target::Own => own,
        Target::OtherTenants => other,
        Target::Deleted => deleted,
    }
}

fn reads(operation: &Operation) -> bool {
    let name = operation.name.as_str();
    operation.of_records || CONSUMER.contains(&name) || IDENTITIES.contains(&name)
}

/// Own, another tenant's, deleted. An operation that is not here fails the test.
fn of_an_owner(operation: &Operation) -> [u16; 3] {
    if operation.of_records {
        // A tombstone is read like a record; what belongs to others was never there.
        return if operation.path.contains("{id}") { [200, 404, 200] } else { [200; 3] };
    }
    match operation.name.as_str() {
        "healthz" | "readyz" | "get_openapi" | "get_docs" | "get_metrics" => [200; 3],
        // Its own token opens one interview, no matter who asks.
        "stream_nodes" => [200, 401, 401],
        "list_changes"
        | "stream_changes"
        | "list_entities"
        | "get_entity_schema"
        | "get_health"
        | "list_connections"
        | "reload_configuration"
        | "list_plugins"
        | "list_runs"
        | "list_inbox"
        | "list_sweeps"
        | "list_quarantine"
        | "list_flows"
        | "list_deliveries"
        | "list_actions"
        | "list_journals"
        | "list_endpoints"
        | "list_keys"
        | "list_insights"
        | "ask_insight"
        | "ask_joined"
        | "ask_fairness" => [200; 3],
        // Of an empty store there is an answer too.
        "keep_insight" | "keep_fairness" => [201; 3],
        "make_key" => [201; 3],
        // No table of accounts is configured here, and no posting was made.
        "post_journal" | "get_journal" => [404; 3],
        "show_person" | "show_unit" => [200, 404, 404],
        // One record is linked with no other; and nothing was decided that could be undone.
        "decide_people" | "decide_units" => [422, 404, 404],
        "undo_people_decision" | "undo_units_decision" => [404; 3],
        name if IDENTITIES.contains(&name) => [200; 3],
        // Nothing can be adjusted by an empty instruction; and what was approved is not to be rejected, nor taken back yet.
        "propose_adjustment" => [422; 3],
        "reject_adjustment" | "revert_adjustment" => [409, 404, 404],
        // Revoked twice is revoked.
        "revoke_key" => [204, 404, 204],
        // Names are each tenant's own: the same name is another flow or endpoint.
        "put_flow" | "put_endpoint" => [200; 3],
        // The versions outlive their flow: deliveries name them.
        "list_flow_versions" => [200, 404, 200],
        "start_run" => [202, 404, 404],
        "make_screen_token" | "correct_score" => [201, 404, 404],
        "delete_flow" | "delete_endpoint" | "drop_quarantined" => [204, 404, 404],
        "get_timeline"
        | "get_candidate_timeline"
        | "get_exchange"
        | "get_run"
        | "list_swept_records"
        | "approve_sweep"
        | "get_connection"
        | "list_streams"
        | "get_quarantined"
        | "retry_quarantined"
        | "match_pay_band"
        | "decide"
        | "reopen_decision"
        | "override_decision"
        | "get_flow"
        | "rotate_endpoint_secret"
        | "dry_run_flow"
        | "replay_dead_deliveries"
        | "get_delivery"
        | "act"
        | "approve_adjustment"
        | "replay_delivery"
        | "get_endpoint"
        | "enable_endpoint"
        | "replay_endpoint" => [200, 404, 404],
        // Nothing fits an empty body; and who names no revision is refused, once it is known that the record is there.
        name if is_written(name, "create_") => [422; 3],
        name if is_written(name, "put_") || is_written(name, "delete_") => [428, 404, 404],
        other => panic!("no answer is expected of {other}: say here what each role may have of it"),
    }
}

pub(super) fn is_written(name: &str, verb: &str) -> bool {
    name.strip_prefix(verb).is_some_and(|entity| WRITTEN.contains(&entity))
}
