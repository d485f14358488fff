//! The examples of the document: each request has one that its schema and the API take, and each answer's fits its schema.

use axum::body::Body;
use axum::http::Request;
use renmen_api::ApiOptions;
use renmen_interview::{AdjustOptions, Sources};
use renmen_schema::EntityKind;
use renmen_schema::id::ConnectionName;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::rig::{Answer, Rig};
use crate::scripted_control::ScriptedControl;

/// An id that was never given out.
const NEVER: &str = "00000000-0000-7000-8000-000000000000";

/// Requests whose example is carried out in an empty gateway; the others name a record that is not there.
const DONE: [&str; 4] = ["make_key", "put_endpoint", "put_flow", "propose_adjustment"];

struct Operation {
    method: String,
    path: String,
    name: String,
    described: Value,
}

impl Operation {
    fn example(&self) -> &Value {
        &self.described["requestBody"]["content"]["application/json"]["example"]
    }

    fn is_written(&self, verb: &str) -> bool {
        self.described["tags"][0] == "written" && self.name.starts_with(verb)
    }
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut found = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, described) in item.as_object().unwrap() {
            found.push(Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                name: described["operationId"].as_str().unwrap().to_owned(),
                described: described.clone(),
            });
        }
    }
    found
}

fn requests(document: &Value) -> Vec<Operation> {
    let mut with_body = operations(document);
    with_body.retain(|operation| operation.described.get("requestBody").is_some());
    assert!(with_body.len() >= 29, "{}", with_body.len());
    with_body
}

/// What is wrong with an example, by the schema of its media type; nothing when it fits.
fn faults(document: &Value, content: &Value, example: &Value) -> Vec<String> {
    let mut schema = content["schema"].clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    validator.iter_errors(example).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

/// A gateway that knows the vendor whose model the example adjusts.
async fn rig() -> Rig {
    let vendor = ConnectionName::new("interviews").unwrap();
    Rig::with_parts(ApiOptions::default(), ScriptedControl::default(), |parts| {
        let sources = Sources { vendors: [vendor].into(), ..Sources::default() };
        parts.adjust = AdjustOptions { sources, ..AdjustOptions::default() };
    })
    .await
}

async fn send(rig: &Rig, operation: &Operation, id: &str, revision: u32, body: &Value) -> Answer {
    let request = Request::builder()
        .method(operation.method.as_str())
        .uri(operation.path.replace("{id}", id).replace("{name}", "example").replace("{number}", "999"))
        .header("authorization", format!("Bearer {}", rig.key.expose()))
        .header("content-type", "application/json")
        .header("if-match", format!("\"{revision}\""))
        .body(Body::from(body.to_string()))
        .unwrap();
    Answer::read(rig.router.clone().oneshot(request).await.unwrap()).await
}

#[test]
fn every_request_has_an_example_that_fits_its_schema() {
    let document = renmen_api::document();
    for operation in requests(&document) {
        let content = &operation.described["requestBody"]["content"]["application/json"];
        let example = operation.example();
        assert!(example.is_object(), "{} has no example", operation.name);
        assert_eq!(faults(&document, content, example), [""; 0], "{}", operation.name);
        // The schema would notice: of a flow it says only that it is an object.
        assert_ne!(faults(&document, content, &json!([])), [""; 0], "{}", operation.name);
    }
}

#[tokio::test]
async fn the_api_takes_every_example_and_nothing_less() {
    let (rig, document) = (rig().await, renmen_api::document());
    for operation in requests(&document) {
        if operation.is_written("create_") || operation.is_written("put_") {
            continue;
        }
        let wanted: &[u16] = if DONE.contains(&operation.name.as_str()) { &[200, 201] } else { &[404] };
        let answer = send(&rig, &operation, NEVER, 1, operation.example()).await;
        assert!(wanted.contains(&answer.status.as_u16()), "{}: {} {}", operation.name, answer.status, answer.text);
        let empty = send(&rig, &operation, NEVER, 1, &json!({})).await;
        assert!([400, 422].contains(&empty.status.as_u16()), "{}: {}", operation.name, empty.text);
    }
}

#[tokio::test]
async fn a_record_is_written_and_changed_as_the_examples_say() {
    let (rig, document) = (rig().await, renmen_api::document());
    let all = requests(&document);
    let mut entities = 0;
    for create in all.iter().filter(|operation| operation.is_written("create_")) {
        let put =
            all.iter().find(|one| one.path == format!("{}/{{id}}", create.path) && one.is_written("put_")).unwrap();
        let incomplete = send(&rig, create, NEVER, 1, &json!({ "reason": "r", "body": {} })).await;
        assert_eq!(incomplete.status, 422, "{}", create.name);
        let made = send(&rig, create, NEVER, 1, create.example()).await;
        assert_eq!(made.status, 201, "{}: {}", create.name, made.text);
        let id = made.json()["id"].as_str().unwrap().to_owned();
        let changed = send(&rig, put, &id, 1, put.example()).await;
        assert_eq!(changed.status, 200, "{}: {}", put.name, changed.text);
        entities += 1;
    }
    assert_eq!(entities, EntityKind::ALL.iter().filter(|kind| kind.is_written_by_people()).count());
}

#[test]
fn the_example_of_an_answer_fits_its_schema_and_those_read_most_have_one() {
    let document = renmen_api::document();
    let mut shown = Vec::new();
    let components = document["components"]["responses"].as_object().unwrap();
    let problems = components.iter().map(|(name, response)| (name.clone(), response));
    let operations = operations(&document);
    let answers = operations.iter().flat_map(|operation| {
        let responses = operation.described["responses"].as_object().unwrap().values();
        responses.map(|response| (operation.name.clone(), response))
    });
    for (name, response) in problems.chain(answers) {
        for (media_type, content) in response["content"].as_object().into_iter().flatten() {
            let Some(example) = content.get("example") else { continue };
            assert_eq!(faults(&document, content, example), [""; 0], "{name}, {media_type}: {example}");
            shown.push(format!("{name} {media_type}"));
        }
    }
    for problem in components.keys() {
        assert!(shown.contains(&format!("{problem} application/problem+json")), "{problem}");
    }
    for name in ["list_employees", "get_employee", "list_changes", "get_health", "make_key", "create_tag", "put_flow"] {
        assert!(shown.contains(&format!("{name} application/json")), "{name}");
    }
    assert!(shown.contains(&"list_changes application/cloudevents-batch+json".to_owned()));
}
