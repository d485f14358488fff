//! Examples of requests and answers, each at the operation that it is for. All data is made up. A test holds every example to its
//! schema and sends those of requests to the API, so that none of them can become wrong.

mod bodies;
mod requests;
mod responses;

use renmen_schema::EntityKind;
use serde_json::{Map, Value};

pub(super) use responses::problem;

/// The id of the record that examples are about.
const RECORD: &str = "01980a5c-3d00-7a10-8000-0000000003f9";

/// Adds the examples of requests and of answers that succeed.
pub(super) fn add(document: &mut Value) {
    let paths = document["paths"].as_object_mut();
    for operation in paths.into_iter().flat_map(|paths| paths.values_mut()).filter_map(Value::as_object_mut) {
        operation.values_mut().for_each(add_to);
    }
}

fn add_to(operation: &mut Value) {
    let name = operation["operationId"].as_str().unwrap_or_default().to_owned();
    let records = of_records(&name);
    let request = match records {
        Some((verb, kind)) => requests::of_record(verb, kind),
        None => requests::of(&name),
    };
    if let (Some(example), Some(body)) = (request, operation.get_mut("requestBody")) {
        for (_, content) in contents(body) {
            content["example"] = example.clone();
        }
    }
    let responses = operation["responses"].as_object_mut();
    for response in responses.into_iter().flatten().filter(|(status, _)| status.starts_with('2')).map(|(_, one)| one) {
        for (media_type, content) in contents(response) {
            let example = match records {
                Some((verb, kind)) => responses::of_record(verb, kind),
                None => responses::of(&name, media_type),
            };
            if let Some(example) = example {
                content["example"] = example;
            }
        }
    }
}

fn contents(holder: &mut Value) -> impl Iterator<Item = (&String, &mut Value)> {
    holder.get_mut("content").and_then(Value::as_object_mut).into_iter().flat_map(Map::iter_mut)
}

/// What an operation does with records, and of which entity: `get_employee`, `list_pay_bands`.
fn of_records(name: &str) -> Option<(&str, EntityKind)> {
    let (verb, words) = name.split_once('_')?;
    let is_of = |kind: &EntityKind| match verb {
        "list" => kind.collection().replace('-', "_") == words,
        "get" | "create" | "put" => kind.name() == words,
        _ => false,
    };
    Some((verb, EntityKind::ALL.iter().copied().find(is_of)?))
}
