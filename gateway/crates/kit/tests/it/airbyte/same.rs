//! The same manifest at the same vendor: Airbyte's runtime and the imported connector ask for the same and bring the same records.
//!
//! What its runtime did is recorded in `recorded.json`. With `RENMEN_AIRBYTE_CDK` naming a Python that has the package `airbyte-cdk`, the ignored test
//! records it again and compares; `RENMEN_UPDATE_SNAPSHOTS=1` writes the file.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

use super::{MANIFEST, import, ours, path, theirs};

/// What is known to differ, and is taken out of both sides before they are compared:
/// - without a value of its own the first page by offset is asked for as 0 here, and not at all there;
/// - a list of parents is read whole here, and from the configured beginning there;
/// - a parameter that the importer left behind.
fn alike(stream: &str, requests: &Value) -> Vec<Value> {
    let of_parents = |request: &Value| stream == "applications" && request["path"] == "/v1/candidates";
    let each = |request: &Value| {
        let mut request = request.clone();
        let parents = of_parents(&request);
        if let Some(query) = request["query"].as_array_mut() {
            query.retain(|pair| *pair != json!(["offset", "0"]) && pair[0] != "stamp");
            query.retain(|pair| !(parents && pair[0].as_str().is_some_and(|name| name.starts_with("updated_"))));
        }
        request
    };
    let mut all: Vec<Value> = requests.as_array().unwrap().iter().map(each).collect();
    // Lists of different parents are read side by side there: the order counts within each.
    let state =
        |request: &Value| request["query"].as_array()?.iter().find(|pair| pair[0] == "state").map(Value::to_string);
    all.sort_by_key(|request| (!of_parents(request), request["path"].as_str().unwrap().to_owned(), state(request)));
    all
}

/// The pages of a list, one after the other: of requests that differ in their query alone.
fn assert_same(recorded: &Value) {
    let imported = import(MANIFEST).unwrap();
    let document = ours::document(&imported.files["plugin.toml"], &imported.files["mapping.toml"]);
    let mapping: toml::Table = toml::from_str(&imported.files["mapping.toml"]).unwrap();
    let mut next: BTreeMap<String, Option<String>> = BTreeMap::new();
    for name in ["jobs", "candidates", "candidates again", "applications", "people", "departments", "teams"] {
        let (stream, cursor) = match name.strip_suffix(" again") {
            Some(stream) => (stream, next.get(stream).and_then(Option::as_deref)),
            None => (name, None),
        };
        let run = ours::run(&document, stream, cursor);
        let theirs = &recorded["streams"][name];
        assert_eq!(alike(stream, &json!(run.requests)), alike(stream, &theirs["requests"]), "{name}: the requests");
        assert_records(name, &mapping["streams"][stream], &run.records, &theirs["records"]);
        next.insert(stream.to_owned(), run.next);
    }
}

/// The same records, and in each field that is taken over as it is the same value.
fn assert_records(name: &str, mapping: &toml::Value, ours: &[renmen_plugin::Envelope], theirs: &Value) {
    let list = mapping.as_array().map_or(mapping, |lists| &lists[0]);
    let record = &list["records"][0];
    let id = record["id"].as_str().unwrap();
    let id_of = |theirs: &Value| match id.starts_with('/') {
        true => text(theirs.pointer(id)),
        // Put together of the region that the list was asked for by, and the id in it.
        false => format!("{}-{}", text(theirs.pointer("/region")), text(theirs.pointer("/id"))),
    };
    let by_id: BTreeMap<String, &Value> =
        theirs.as_array().unwrap().iter().map(|theirs| (id_of(theirs), theirs)).collect();
    let found: Vec<&str> = ours.iter().map(|record| record.external_id.as_str()).collect();
    let mut sorted = found.clone();
    sorted.sort_unstable();
    assert_eq!(sorted, by_id.keys().map(String::as_str).collect::<Vec<_>>(), "{name}: the records");
    assert_eq!(found.len(), theirs.as_array().unwrap().len(), "{name}: none comes twice");
    let mut compared = 0;
    for ours in ours {
        let (payload, theirs) = (body(ours), by_id[&ours.external_id]);
        for (to, from) in record["fields"].as_table().unwrap() {
            let (from, inner) = match from {
                toml::Value::String(from) => (from.as_str(), ""),
                toml::Value::Table(table) if table.get("as").and_then(toml::Value::as_str) == Some("ref") => {
                    (table.get("from").and_then(toml::Value::as_str).unwrap_or("/candidate_id"), "/external/value")
                }
                _ => continue,
            };
            if theirs.pointer(from).is_none_or(Value::is_null) {
                assert_eq!(payload.pointer(to), None, "{name} {to}");
                continue;
            }
            assert_eq!(text(payload.pointer(&format!("{to}{inner}"))), text(theirs.pointer(from)), "{name} {to}");
            compared += 1;
        }
    }
    assert!(compared > 0 || ours.is_empty() || name == "jobs" || name == "teams", "{name}: no field was compared");
}

fn body(record: &renmen_plugin::Envelope) -> Value {
    serde_json::from_slice(&record.payload).unwrap()
}

fn text(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => "nothing".to_owned(),
    }
}

#[test]
fn the_import_asks_and_brings_what_the_recorded_run_of_airbyte_did() {
    let recorded = std::fs::read_to_string(path("recorded.json")).unwrap();
    assert_same(&serde_json::from_str(&recorded).unwrap());
}

#[test]
#[ignore = "needs RENMEN_AIRBYTE_CDK, a Python with the package airbyte-cdk"]
fn the_import_asks_and_brings_what_airbyte_does() {
    let python = std::env::var_os("RENMEN_AIRBYTE_CDK").expect("RENMEN_AIRBYTE_CDK is not set");
    let read = theirs::read(Path::new(&python), MANIFEST);
    if std::env::var_os("RENMEN_UPDATE_SNAPSHOTS").is_some() {
        std::fs::write(path("recorded.json"), format!("{read:#}\n")).unwrap();
    }
    assert_same(&read);
}
