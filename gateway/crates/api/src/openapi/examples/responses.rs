//! What the API answers, by operation. Members whose value is null are left out here.

use renmen_schema::EntityKind;
use renmen_schema::event::EVENTS_MEDIA_TYPE;
use renmen_store::{BUILT_IN_CONNECTION, ContentHash};
use serde_json::{Value, json};

use super::RECORD;
use super::bodies::body;
use super::requests::{endpoint, flow};
use crate::problem::ProblemCode;

const AT: &str = "2026-03-02T01:00:00.000Z";
const CURSOR: &str = "4711.9f3e77a1";

/// Of the collections of records.
pub(super) fn of_record(verb: &str, kind: EntityKind) -> Option<Value> {
    let record = record(kind, &body(kind)?);
    match verb {
        "list" => Some(json!({ "data": [record], "next_cursor": "00000195540d6a0000000000000012a300" })),
        "get" | "create" | "put" => Some(record),
        _ => None,
    }
}

fn record(kind: EntityKind, body: &Value) -> Value {
    let (connection, stream, connector) = match kind {
        EntityKind::Employee => ("hr", "employees", "staff-api"),
        EntityKind::PayrollRecord => ("payroll", "payroll_records", "table-file"),
        _ => (BUILT_IN_CONNECTION, "records", BUILT_IN_CONNECTION),
    };
    let external_id = match kind {
        EntityKind::Employee => "u-1017".to_owned(),
        EntityKind::PayrollRecord => "2026-02|00017".to_owned(),
        _ => format!("{}-1", kind.name().replace('_', "-")),
    };
    json!({
        "id": RECORD,
        "entity": kind.name(),
        "schema_version": renmen_schema::SCHEMA_VERSION,
        "tenant": "acme",
        "external_ids": [{ "connection": connection, "object_type": kind.name(), "value": external_id }],
        "source": { "connection": connection, "stream": stream, "connector": connector, "connector_version": "0.1.0" },
        "created_at": AT,
        "recorded_at": AT,
        "revision": 1,
        "content_hash": hex::encode(ContentHash::of(body.to_string().as_bytes()).0),
        "body": body,
    })
}

/// Of every other operation. One with several media types has an example for each.
pub(super) fn of(operation: &str, media_type: &str) -> Option<Value> {
    match operation {
        "get_connection" => Some(connection()),
        "get_flow" | "put_flow" => Some(a_flow()),
        "get_health" => Some(health()),
        "get_endpoint" | "enable_endpoint" => Some(an_endpoint()),
        "put_endpoint" | "rotate_endpoint_secret" => {
            let mut endpoint = an_endpoint();
            endpoint["secret"] = json!("whsec_bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=");
            Some(endpoint)
        }
        "healthz" | "readyz" => Some(json!({ "status": "ok" })),
        "list_changes" if media_type == EVENTS_MEDIA_TYPE => Some(json!([event()])),
        "list_changes" => Some(json!({ "data": [change()], "next_cursor": CURSOR })),
        "list_connections" => Some(json!({ "data": [connection()] })),
        "list_endpoints" => Some(json!({ "data": [an_endpoint()] })),
        "list_flows" => Some(json!({ "data": [a_flow()] })),
        "list_keys" => Some(json!({ "data": [a_key()] })),
        "make_key" => {
            let mut made = a_key();
            made["key"] = json!(format!("rk_{}", "0123456789abcdef".repeat(4)));
            Some(made)
        }
        "ask_insight" if media_type == "text/csv" => Some(json!(
            "figure,value,low,high,p,p_adjusted,n,from,to,method,entities,records,ids\r\n\
             conversion,0.4,0.309,0.498,,,100,2026-01-01,2026-03-31,share_wilson,application,100,\r\n"
        )),
        "ask_insight" => Some(insight()),
        "match_pay_band" => Some(json!({ "match": "in" })),
        "start_run" => Some(json!({ "run": 42, "url": "/v1/runs/42" })),
        "stream_changes" => Some(json!({ "id": CURSOR, "event": "updated", "data": change().to_string() })),
        _ => None,
    }
}

/// Of a problem.
pub(in crate::openapi) fn problem(code: ProblemCode) -> Value {
    json!({
        "type": format!("urn:renmen:problem:{}", code.name()),
        "code": code.name(),
        "status": code.status().as_u16(),
        "title": code.titles().0,
        "request_id": "5f0c8b1e9a7d4c3f",
    })
}

fn change() -> Value {
    json!({
        "cursor": CURSOR,
        "kind": "updated",
        "record_id": RECORD,
        "record_url": format!("/v1/employees/{RECORD}"),
        "entity": "employee",
        "connection": "hr",
        "external_id": "u-1017",
        "revision": 2,
        "at": AT,
    })
}

fn event() -> Value {
    json!({
        "specversion": "1.0",
        "id": format!("{RECORD}-2"),
        "source": "/tenants/acme/connections/hr",
        "type": "cn.renmen.employee.updated",
        "subject": format!("employees/{RECORD}"),
        "time": AT,
        "datacontenttype": "application/json",
        "sequence": "000000000000004711",
        "data": change(),
    })
}

fn stream() -> Value {
    json!({
        "name": "employees",
        "description": "Employees of every department",
        "entities": ["employee"],
        "schedule": "every 15m",
        "enabled": true,
        "state": "idle",
        "last_run": 42,
        "last_success_at": AT,
        "next_run_at": "2026-03-02T01:15:00.000Z",
        "finding_count": 0,
        "failures": 0,
        "dated_ahead": 0,
    })
}

fn connection() -> Value {
    json!({ "name": "hr", "enabled": true, "streams": [stream()] })
}

fn health() -> Value {
    json!({
        "status": "ok",
        "held_sweeps": [],
        "limits": [],
        "connections": [{
            "name": "hr",
            "status": "ok",
            "streams": [stream()],
            "records": { "employee": { "live": 1850, "deleted": 12 } },
            "disk": { "records_bytes": 4_812_300, "exchanges_bytes": 910_224 },
        }],
        "configuration": { "loaded_at": AT, "needs_restart": [], "secrets_loaded_at": AT },
        "roles": ["api", "hooks", "pull", "push"],
        "plans": [{ "name": "alert", "question": "alert", "answered": "2026-03-02" }],
        "deliveries_to_prune": 0,
        "retention": [{
            "connection": "hr", "kind": "exchanges", "dropped": 4210, "dropped_at": AT, "oldest_at": "2025-12-02T01:00:00.000Z",
        }],
        "unresolved_references": [],
        "change_feed": { "wakeup": "listening" },
        "tenants_moved": [{ "tenant": "globex", "state": "moving", "since": AT }],
    })
}

fn insight() -> Value {
    let figure = json!({
        "name": "conversion",
        "value": 0.4,
        "low": 0.309,
        "high": 0.498,
        "n": 100,
        "window": { "start": "2026-01-01", "end": "2026-03-31" },
        "method": "share_wilson",
        "sources": [{ "entity": "application", "n": 100, "ids": [RECORD] }],
    });
    json!({
        "question": "funnel",
        "parameters": { "from": "2026-01-01", "to": "2026-03-31" },
        "window": { "start": "2026-01-01", "end": "2026-03-31" },
        "figures": [figure],
        "findings": [{ "code": "LOSES_MOST", "about": "INVITE_OPENED>CONFIRMED", "value": "50", "n": 100 }],
        "left_out": [{ "reason": "outside_window", "n": 12, "meaning": "outside the period" }],
        "records": [],
    })
}

fn an_endpoint() -> Value {
    let mut endpoint = endpoint();
    endpoint["name"] = json!("erp");
    endpoint["from_file"] = json!(false);
    endpoint["enabled"] = json!(true);
    endpoint
}

fn a_flow() -> Value {
    json!({
        "name": "greet",
        "version": 1,
        "origin": "api",
        "enabled": true,
        "definition": flow(),
        "position": "4711",
        "changed_at": AT,
        "defects": [],
        "deliveries": { "delivered": 17 },
    })
}

fn a_key() -> Value {
    json!({ "id": "0123456789abcdef", "label": "Data warehouse", "role": "consumer", "created_at": AT })
}
