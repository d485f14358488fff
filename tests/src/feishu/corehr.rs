//! CoreHR: only the fields that are asked for are answered.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::page::{Query, page};
use super::{Tenant, error, ok};

fn bad(what: &str) -> Response {
    error(StatusCode::BAD_REQUEST, 1_160_102, &format!("request parameter error: {what}"))
}

/// `POST /corehr/v2/departments/search`: at most 100 a page.
pub(super) async fn departments(State(tenant): State<Tenant>, query: Query, Json(ask): Json<Value>) -> Response {
    if !query.contains_key("page_size") {
        return bad("page_size is required");
    }
    let state = tenant.lock().unwrap();
    let active = |department: &&Value| ask["active"].is_null() || department["active"] == ask["active"];
    let shown: Vec<Value> =
        state.departments.iter().filter(active).map(|department| shown(department, "id", &ask)).collect();
    page(&query, 100, shown.iter())
}

pub(super) async fn some_departments(State(tenant): State<Tenant>, Json(ask): Json<Value>) -> Response {
    some(&tenant.lock().unwrap().departments, "id", "department_id_list", &ask)
}

/// `POST /corehr/v2/employees/search`: at most 100 a page; leavers among them.
pub(super) async fn employees(State(tenant): State<Tenant>, query: Query, Json(ask): Json<Value>) -> Response {
    let state = tenant.lock().unwrap();
    let shown: Vec<Value> = state.employees.iter().map(|employee| shown(employee, "employment_id", &ask)).collect();
    page(&query, 100, shown.iter())
}

/// `POST /corehr/v2/employees/batch_get`: by `employment_ids`, or where there are none by `person_ids`, and nothing else.
pub(super) async fn some_employees(State(tenant): State<Tenant>, Json(ask): Json<Value>) -> Response {
    let employees = &tenant.lock().unwrap().employees;
    if ask["employment_ids"].as_array().is_some_and(|ids| !ids.is_empty()) {
        return some(employees, "employment_id", "employment_ids", &ask);
    }
    let Some(persons) = ask["person_ids"].as_array().filter(|ids| (1..=100).contains(&ids.len())) else {
        return bad("employment_ids, person_ids");
    };
    let theirs = employees.iter().filter(|employee| persons.contains(&employee["person_info"]["person_id"]));
    let items: Vec<Value> = theirs.map(|employee| shown(employee, "employment_id", &ask)).collect();
    ok(&json!({ "items": items }))
}

/// Those of these ids; what there is not is left out.
fn some(list: &[Value], id: &str, ids: &str, ask: &Value) -> Response {
    let Some(wanted) = ask[ids].as_array().filter(|ids| (1..=100).contains(&ids.len())) else { return bad(ids) };
    let items: Vec<Value> =
        list.iter().filter(|object| wanted.contains(&object[id])).map(|object| shown(object, id, ask)).collect();
    ok(&json!({ "items": items }))
}

/// `POST /corehr/v1/offboardings/search`: at most 100 a page.
pub(super) async fn offboardings(State(tenant): State<Tenant>, query: Query, Json(ask): Json<Value>) -> Response {
    let state = tenant.lock().unwrap();
    let listed =
        |list: &Value, value: &Value| list.as_array().is_none_or(|list| list.is_empty() || list.contains(value));
    let fits = |one: &&Value| {
        listed(&ask["employment_ids"], &one["offboarding_info"]["employment_id"])
            && listed(&ask["statuses"], &one["status"])
    };
    page(&query, 100, state.offboardings.iter().filter(fits))
}

/// An object with its id and the fields that were asked for: `department_id` brings `department_id_v2`, `job.name` the name in
/// `job`.
fn shown(object: &Value, id: &str, ask: &Value) -> Value {
    let mut kept = Map::from_iter([(id.to_owned(), object[id].clone())]);
    for field in ask["fields"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        match field.split_once('.') {
            Some((outer, inner)) if !object[outer][inner].is_null() => {
                let part = kept.entry(outer.to_owned()).or_insert_with(|| json!({}));
                part[inner] = object[outer][inner].clone();
            }
            Some(_) => {}
            None => {
                for name in [field.to_owned(), format!("{field}_v2")] {
                    if !object[&name].is_null() {
                        kept.insert(name.clone(), object[&name].clone());
                    }
                }
            }
        }
    }
    Value::Object(kept)
}
