//! What every operation can answer with besides success, and the key that it needs. The statuses and codes come from
//! the table of problem codes, so that a new code is documented by being there.

use serde_json::{Map, Value, json};

use super::examples;
use crate::access::{self, Access};
use crate::problem::{PROBLEM_JSON, ProblemCode};

const METHODS: [&str; 4] = ["get", "put", "post", "delete"];

/// Adds problems and the key to every operation.
pub(super) fn add(document: &mut Value) {
    let mut statuses: Vec<u16> = ProblemCode::ALL.iter().map(|code| code.status().as_u16()).collect();
    statuses.sort_unstable();
    statuses.dedup();
    let responses: Map<String, Value> = statuses.iter().map(|status| (component(*status), response(*status))).collect();
    document["components"]["responses"] = Value::Object(responses);
    document["components"]["securitySchemes"] = json!({
        "key": { "type": "http", "scheme": "bearer", "bearerFormat": "rk_ and 64 hexadecimal digits" },
    });
    document["security"] = json!([{ "key": [] }]);
    document["components"]["schemas"]["Problem"]["properties"]["code"]["enum"] =
        ProblemCode::ALL.iter().map(|code| json!(code.name())).collect();
    let Some(paths) = document["paths"].as_object_mut() else { return };
    for (path, item) in paths {
        for method in METHODS {
            if let Some(operation) = item.get_mut(method) {
                let open = operation.get("security").is_some_and(|needs| *needs == json!([{}]));
                restrict(operation, path, method);
                for status in of_operation(path, method, open) {
                    operation["responses"][status.to_string()] =
                        json!({ "$ref": format!("#/components/responses/{}", component(status)) });
                }
            }
        }
    }
}

/// Names the roles that may call an operation: as OpenAPI's role names for programs, and in words for people.
fn restrict(operation: &mut Value, path: &str, method: &str) {
    let method = method.to_ascii_uppercase();
    let Some(Access::Roles(roles)) = access::operation(&method, path).map(|found| found.access) else { return };
    // What may also be asked without a key says so itself.
    let open = operation["security"].as_array().is_some_and(|ways| ways.contains(&json!({})));
    let ways = open.then(|| json!({})).into_iter().chain(roles.iter().map(|role| json!({ "key": [role] })));
    operation["security"] = ways.collect();
    let said = operation["description"].as_str().unwrap_or_default();
    let gap = if said.is_empty() { "" } else { "\n\n" };
    operation["description"] = json!(format!("{said}{gap}Roles: `{}`.", roles.join("`, `")));
}

/// The error statuses that an operation can answer with.
fn of_operation(path: &str, method: &str, open: bool) -> Vec<u16> {
    let mut statuses = vec![413, 414, 500, 503];
    if !open {
        statuses.extend([400, 401, 403, 421]);
    }
    if path.contains('{') || names_what_may_be_absent(path, method) {
        statuses.push(404);
    }
    if method != "get" || path.starts_with("/v1/insights/") {
        statuses.push(409);
    }
    if path.starts_with("/v1/insights/") {
        // A parameter may name a record that is not there.
        statuses.push(404);
    }
    if path.ends_with("/nodes/stream") {
        statuses.extend([400, 401, 409, 429]);
    }
    // A body of the right form that cannot be used all the same.
    if method == "put"
        || path.ends_with("/corrections")
        || path.starts_with("/v1/decisions/{id}")
        || path.starts_with("/v1/model-adjustments") && method == "post"
        || matches!(path, "/v1/pay-bands/match" | "/v1/actions" | "/v1/journals") && method == "post"
    {
        statuses.push(422);
    }
    match access::operation(&method.to_ascii_uppercase(), path).map(|operation| operation.name) {
        Some("create_record" | "decide_identity" | "undo_identity_decision") => statuses.push(422),
        Some("put_record" | "delete_record") => statuses.extend([412, 422, 428]),
        _ => {}
    }
    if path.starts_with("/v1/changes") || path == "/v1/pay-bands/match" {
        statuses.push(429);
    }
    if path.starts_with("/v1/changes") {
        statuses.push(410);
    }
    statuses.sort_unstable();
    statuses.dedup();
    statuses
}

/// Operations whose body names a connection or an interview.
fn names_what_may_be_absent(path: &str, method: &str) -> bool {
    matches!((method, path), ("post", "/v1/keys" | "/v1/pay-bands/match" | "/v1/actions" | "/v1/journals"))
        || (method == "post" && matches!(path, "/v1/people/decisions" | "/v1/units/decisions"))
}

fn component(status: u16) -> String {
    format!("Problem{status}")
}

fn response(status: u16) -> Value {
    let codes: Vec<_> = ProblemCode::ALL.iter().filter(|code| code.status().as_u16() == status).collect();
    let lines: Vec<_> = codes.iter().map(|code| format!("`{}`: {}.", code.name(), code.titles().0)).collect();
    let mut response = json!({
        "description": lines.join("\n\n"),
        "content": { PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } },
    });
    if let Some(code) = codes.first() {
        response["content"][PROBLEM_JSON]["example"] = examples::problem(**code);
    }
    if matches!(status, 429 | 503) {
        response["headers"] = json!({
            "retry-after": { "description": "Seconds after which to try again", "required": true, "schema": { "type": "integer", "minimum": 1 } },
        });
    }
    response
}
