//! Flows as an operator and a platform meet them: defined in the file or over the API, tried, sent, looked at, sent again.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;

use crate::api::Api;
use crate::harness::{Home, said};
use crate::storm::{FLOW, arrived, between};

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_over_the_api_is_checked_tried_run_and_taken_away() {
    let (source, notes, home) = between(5, "").await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0", "--pull-first"]);
    let api = Api::of(&mut gateway).await;
    let mut flow = json!({
        "when": { "entity": "employee", "if": "record.number != 'E0000000'" },
        "to": { "connection": "desk", "action": "note.put" },
        "map": { "id": "change.external_id", "revision": "change.revision", "title": "record.work.title" },
    });
    let (status, problem) = api.ask(Method::PUT, "/v1/flows/notes", Some(&flow)).await;
    assert_eq!((status, &problem["code"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("invalid_definition")));
    assert!(
        problem["detail"].as_str().unwrap().contains("map.title: `/work/title` is not among `fields`"),
        "{problem}"
    );

    flow["fields"] = json!(["/work/title"]);
    flow["enabled"] = json!(false);
    assert_eq!(api.ask(Method::PUT, "/v1/flows/notes", Some(&flow)).await.0, StatusCode::OK);
    let (_, dry) = api.ask(Method::POST, "/v1/flows/notes/dry-run?last=5", None).await;
    let dry = dry["data"].as_array().unwrap().clone();
    assert_eq!(dry.iter().filter(|entry| entry["sends"].is_object()).count(), 4);
    assert_eq!(dry[0]["reason"], "the condition is not met");
    assert!(notes.lock().unwrap().notes.is_empty(), "a dry run sends nothing");

    flow["enabled"] = json!(true);
    let (_, kept) = api.ask(Method::PUT, "/v1/flows/notes", Some(&flow)).await;
    assert_eq!((&kept["version"], &kept["origin"]), (&json!(2), &json!("api")));
    source.lock().unwrap().touch(5);
    let sent = api.deliveries("flow=notes&state=delivered", 4).await;
    assert_eq!(sent[0]["flow_version"], 2);
    assert!(sent.iter().all(|one| one["receipt"]["reference"].as_str().unwrap().starts_with("note-emp-")));
    let one = api.get(&format!("/v1/deliveries/{}", sent[0]["id"])).await;
    assert_eq!(one["input"]["revision"], 2);
    let record = one["change"]["record_id"].as_str().unwrap();
    assert_eq!(api.deliveries(&format!("record={record}"), 1).await.len(), 1);
    assert_eq!(api.get("/v1/flows").await["data"][0]["deliveries"]["delivered"], 4);
    assert_eq!(api.get("/v1/flows/notes/versions").await["data"].as_array().unwrap().len(), 2);

    let path = format!("/v1/deliveries/{}/replay", sent[0]["id"]);
    assert_eq!(api.ask(Method::POST, &path, None).await.0, StatusCode::CONFLICT, "it arrived");
    assert_eq!(api.ask(Method::DELETE, "/v1/flows/notes", None).await.0, StatusCode::NO_CONTENT);
    assert_eq!(api.ask(Method::GET, "/v1/flows/notes", None).await.0, StatusCode::NOT_FOUND);
    for path in ["/v1/deliveries?state=lost", "/v1/deliveries?record=x", "/v1/deliveries?colour=red"] {
        assert_eq!(api.ask(Method::GET, path, None).await.0, StatusCode::BAD_REQUEST, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_of_the_file_runs_is_read_only_and_can_be_tried_beside_the_gateway() {
    let (_source, notes, home) = between(3, FLOW).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    arrived(&notes, 3, Duration::from_secs(60)).await;
    api.deliveries("state=delivered", 3).await;
    let (status, problem) = api.ask(Method::PUT, "/v1/flows/notes", Some(&json!({}))).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!("refused")));
    assert_eq!(api.ask(Method::DELETE, "/v1/flows/notes", None).await.0, StatusCode::CONFLICT);

    let listed = home.json(&["flow", "list", "--dev"]).await;
    assert_eq!((&listed[0]["name"], &listed[0]["origin"]), (&json!("notes"), &json!("file")));
    let dry = home.json(&["flow", "dry-run", "notes", "--dev", "--last", "2"]).await;
    assert_eq!(dry.as_array().unwrap().len(), 2);
    assert_eq!(dry[0]["sends"]["revision"], 1);
    let deliveries = home.json(&["deliveries", "list", "--dev", "--flow", "notes", "--state", "delivered"]).await;
    assert_eq!(deliveries.as_array().unwrap().len(), 3);
    // The gateway that holds the store is asked, and says why it does not.
    let arrived = home.run(&["deliveries", "replay", "1", "--dev"]).await;
    assert_eq!(arrived.status.code(), Some(2), "{}", said(&arrived));
    assert!(said(&arrived).contains("only what failed is sent again"), "{}", said(&arrived));
}

async fn refused(flow: &str) -> String {
    let (_source, _notes, home) = between(1, flow).await;
    let output = home.run(&["check", "--dev"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    said(&output)
}

/// Line and column of a text in the configuration that [`between`] makes.
fn place(home: &Home, text: &str) -> String {
    let config = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let at = config.find(text).unwrap();
    let line = config[..at].matches('\n').count() + 1;
    let column = config[..at].rsplit('\n').next().unwrap().chars().count() + 1;
    format!("connectors.toml:{line}:{column}:")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_names_what_is_not_there_is_refused_with_line_and_column() {
    for (good, bad, at, part) in [
        ("entity = \"employee\"", "entity = \"employe\"", "\"employe\"", "unknown entity `employe`"),
        ("[\"/work/title\"]", "[\"/work/titel\"]", "\"/work/titel\"", "/work has no `titel`"),
        ("\"record.work.title\"", "\"record.work.titel\"", "titel", "/work has no `titel`"),
        ("connection = \"desk\"", "connection = \"disk\"", "\"disk\"", "no connection `disk`"),
        ("\"note.put\"", "\"note.get\"", "\"note.get\"", "has no action `note.get`"),
        ("\"change.revision\"", "\"change.revision +\"", "\"change.revision +\"", "not valid CEL"),
    ] {
        let flow = FLOW.replace(good, bad);
        let told = refused(&flow).await;
        assert!(told.contains(part), "{bad}: {told}");
        let (_, _, home) = between(1, &flow).await;
        let line = place(&home, at);
        let line = line.rsplit_once(':').unwrap().0.rsplit_once(':').unwrap().0.to_owned();
        assert!(told.contains(&format!("{line}:")), "{bad}: {line} is not in {told}");
        assert!(told.contains("key: flows.notes."), "{told}");
    }
}

/// The repository's own deployment, with a message name that does not exist, or no longer does.
#[tokio::test(flavor = "multi_thread")]
async fn a_flow_that_names_a_message_that_does_not_exist_is_refused_with_those_that_there_are() {
    let home = crate::example::example().await;
    let file = home.path().join("connectors.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, config.replacen("template = \"record.template\"", "template = \"'interview-reminder'\"", 1))
        .unwrap();
    for command in [&["check", "--dev"][..], &["serve", "--dev", "--listen", "127.0.0.1:0"]] {
        let output = home.run(command).await;
        let told = said(&output);
        assert_eq!(output.status.code(), Some(2), "{told}");
        for part in [
            "map.template",
            "there is no `interview-reminder`",
            "interview_feedback, interview_invitation, interview_reminder",
        ] {
            assert!(told.contains(part), "{command:?}: {part} is not in {told}");
        }
    }
}
