//! What a client sends, by operation.

use renmen_schema::EntityKind;
use serde_json::{Value, json};

use super::{RECORD, bodies::body};

/// Of the operations with which people write records.
pub(super) fn of_record(verb: &str, kind: EntityKind) -> Option<Value> {
    let body = body(kind)?;
    match verb {
        "create" => {
            let external_id = format!("{}-1", kind.name().replace('_', "-"));
            Some(json!({ "external_id": external_id, "reason": "Agreed at the March review", "body": body }))
        }
        "put" => Some(json!({ "reason": "Corrected after the March review", "body": body })),
        _ => None,
    }
}

/// Of every other operation that takes a body.
pub(super) fn of(operation: &str) -> Option<Value> {
    match operation {
        "act" => Some(json!({
            "record": RECORD,
            "connection": "mail",
            "action": "message.send",
            "input": { "to": "hr@example.com", "subject": "A new colleague", "text": "Please prepare a desk." },
            "reason": "The flow was switched off on the first day",
            "dry_run": true,
        })),
        "approve_adjustment" => Some(json!({ "reason": "The evidence is sufficient" })),
        "correct_score" => Some(json!({ "value": "78.5", "reason": "The recording was interrupted by noise" })),
        "decide" => Some(json!({
            "outcome": "fail",
            "reason": "The answers did not show enough experience",
            "reasons": ["BELOW_PASS_LINE"],
        })),
        "decide_people" | "decide_units" => Some(json!({
            "act": "link",
            "records": [RECORD, "0192e5c0-0000-7000-8000-000000000002"],
            "reason": "The contract shows both numbers",
        })),
        "undo_people_decision" | "undo_units_decision" => {
            Some(json!({ "reason": "The contract was another person's" }))
        }
        "make_key" => Some(json!({ "role": "consumer", "label": "Data warehouse", "expires_in_days": 365 })),
        "match_pay_band" => Some(json!({
            "connection": "interviews",
            "interview": "iv-5501",
            "expected": { "amount": "9500", "currency": "CNY", "per": "MONTH" },
        })),
        "post_journal" => {
            Some(json!({ "journal": "payroll", "run": RECORD, "reason": "March is approved", "dry_run": true }))
        }
        "override_decision" => Some(json!({ "outcome": "pass", "reason": "The second interview was convincing" })),
        "propose_adjustment" => Some(adjustment()),
        "put_endpoint" => Some(endpoint()),
        "put_flow" => Some(flow()),
        "reject_adjustment" => Some(json!({ "reason": "The sample is too small" })),
        "reopen_decision" => Some(json!({ "reason": "The score was corrected" })),
        "revert_adjustment" => Some(json!({ "reason": "Results became worse", "profile_version": 4 })),
        _ => None,
    }
}

fn adjustment() -> Value {
    json!({
        "target": {
            "vendor_connection": "interviews",
            "position": { "external": { "connection": "interviews", "value": "pos-1" } },
            "profile_version": 3,
        },
        "ops": [{
            "op": "SET_WEIGHT",
            "competency": { "external": { "connection": "interviews", "value": "comp-1" } },
            "from_bp": 1000,
            "to_bp": 3000,
        }],
        "reason": "Sales results follow this competency",
    })
}

pub(super) fn endpoint() -> Value {
    json!({
        "url": "https://erp.example.com/hooks/renmen",
        "entities": ["employee"],
        "changes": ["created", "updated"],
        "fields": { "employee": ["/number", "/work/org_unit"] },
    })
}

pub(super) fn flow() -> Value {
    json!({
        "when": { "entity": "employee", "change": ["created"], "if": "has(record.number)" },
        "fields": ["/number", "/work/title"],
        "to": { "connection": "mail", "action": "message.send" },
        "map": {
            "to": "'hr@example.com'",
            "subject": "'A new colleague'",
            "text": "'Staff number ' + record.number",
        },
        "deadline": "1d",
    })
}
