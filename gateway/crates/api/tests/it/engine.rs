//! Connections, runs, quarantine, plugins: what the engine is asked for, and what the store knows of it.

use axum::http::StatusCode;
use renmen_api::{ApiOptions, CallsOfMonth, ControlError};
use renmen_schema::id::RunId;
use renmen_schema::text;
use serde_json::{Value, json};

use crate::rig::{Answer, Rig, refused, settled};
use crate::scripted_control::ScriptedControl;

async fn failing(start: ControlError) -> Rig {
    Rig::with(ApiOptions::default(), ScriptedControl { start: Err(start), ..ScriptedControl::default() }).await
}

const START: &str = "/v1/connections/hr/streams/staff/runs";

#[tokio::test]
async fn connections_and_streams_are_shown_with_their_freshness() {
    let rig = Rig::new().await;
    insta::assert_json_snapshot!("connections", rig.get("/v1/connections").await.json());
    let one = rig.get("/v1/connections/hr").await.json();
    let streams = rig.get("/v1/connections/hr/streams").await.json();
    assert_eq!(streams["data"], one["streams"]);
    rig.get("/v1/connections/payroll").await.problem("not_found");
    rig.get("/v1/connections/NOT%20A%20NAME/streams").await.problem("not_found");
}

#[tokio::test]
async fn health_is_the_worst_stream_and_counts_records() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001"), ("u2", "002")]).await;
    // R88
    let health = rig.get("/v1/health").await.json();
    assert_eq!(health["connections"][0]["status"], "degraded");
    // One that is off waits for a person, with its reason, and is the worst of all.
    assert_eq!((&health["status"], &health["connections"][1]["status"]), (&"blocked".into(), &"blocked".into()));
    assert!(health["connections"][1]["off"].as_str().unwrap().contains("not the one that was pinned"));
    assert!(health["connections"][0]["disk"]["records_bytes"].as_u64().unwrap() > 0);
    assert_eq!(health["connections"][0]["records"]["employee"]["live"], 2);
    let chinese = rig.ask("GET", "/v1/health", &[("accept-language", "zh-CN")]).await.json();
    assert_eq!(chinese["connections"][1]["off"], "插件文件与固定的摘要不符");
    let theirs = Answer::read(rig.send("GET", "/v1/health", Some(&rig.other), &[]).await).await.json();
    assert_eq!(theirs["status"], "ok");
}

#[tokio::test]
async fn a_connection_that_is_held_back_says_since_when_and_is_not_well() {
    let control =
        ScriptedControl { held_back_since_ms: Some(1_700_000_000_000), off: None, ..ScriptedControl::default() };
    let rig = Rig::with(ApiOptions::default(), control).await;
    let health = rig.get("/v1/health").await.json();
    assert_eq!(health["status"], "degraded");
    let held_back = serde_json::json!({ "since": "2023-11-14T22:13:20.000Z", "message": "`cpu_share`" });
    assert_eq!(health["connections"][0]["held_back"], held_back);
    assert_eq!(rig.get("/v1/connections/hr").await.json()["held_back"], held_back);
}

#[tokio::test]
async fn a_connection_says_how_many_of_the_months_calls_are_used_and_is_not_well_from_eighty_per_cent() {
    for (message, status) in [(None, "ok"), (Some("set `month_calls_max`"), "degraded")] {
        let budget = CallsOfMonth { used: 8, max: 10, month: "2026-11".into(), message: message.map(str::to_owned) };
        let control = ScriptedControl { budget: Some(budget), off: None, ..ScriptedControl::default() };
        let health = Rig::with(ApiOptions::default(), control).await.get("/v1/health").await.json();
        let shown = serde_json::json!({ "used": 8, "max": 10, "month": "2026-11", "message": message });
        assert_eq!((&health["connections"][0]["budget"], &health["connections"][1]["budget"]), (&shown, &Value::Null));
        assert_eq!(health["connections"][0]["status"], status);
    }
}

#[tokio::test]
async fn a_run_begun_by_hand_is_accepted_with_its_address() {
    let rig = Rig::new().await;
    let answer = rig.ask("POST", START, &[]).await;
    assert_eq!(answer.status, StatusCode::ACCEPTED);
    assert_eq!(answer.headers["location"], "/v1/runs/7");
    assert_eq!(answer.json()["url"], "/v1/runs/7");
}

#[tokio::test]
async fn a_second_run_of_a_stream_is_a_conflict_that_names_the_first() {
    let rig = failing(ControlError::Running { run: Some(RunId(5)) }).await;
    let answer = rig.ask("POST", START, &[]).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
    assert_eq!(answer.problem("run_under_way")["related"], "/v1/runs/5");
}

#[tokio::test]
async fn each_refusal_of_the_engine_has_its_code_and_a_fault_is_not_shown() {
    failing(ControlError::Refused(text!("the stream is switched off", "数据流已停用")))
        .await
        .ask("POST", START, &[])
        .await
        .problem("refused");
    let away = failing(ControlError::Unavailable("secret cause".into())).await.ask("POST", START, &[]).await;
    away.problem("engine_unavailable");
    assert!(away.headers.contains_key("retry-after"));
    let fault = failing(ControlError::Failed("secret cause".into())).await.ask("POST", START, &[]).await;
    fault.problem("internal");
    assert!(!fault.text.contains("secret") && !away.text.contains("secret"));
    let rig = Rig::new().await;
    rig.ask("POST", "/v1/connections/hr/streams/pay/runs", &[]).await.problem("not_found");
    let theirs = Answer::read(rig.send("POST", START, Some(&rig.other), &[]).await).await;
    theirs.problem("not_found");
}

#[tokio::test]
async fn runs_are_listed_with_their_figures_and_belong_to_their_tenant() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001"), ("u2", "002")]).await;
    let runs = rig.get("/v1/runs?connection=hr").await.json();
    insta::assert_json_snapshot!("runs", settled(runs.clone()));
    let path = format!("/v1/runs/{}", runs["data"][0]["id"]);
    let mut whole = rig.get(&path).await.json();
    let told = whole.as_object_mut().unwrap();
    assert_eq!((told.remove("findings"), told.remove("omissions")), (Some(json!([])), Some(json!([]))));
    assert_eq!(whole, runs["data"][0]);
    let theirs = Answer::read(rig.send("GET", &path, Some(&rig.other), &[]).await).await;
    theirs.problem("not_found");
    rig.get("/v1/runs/999").await.problem("not_found");
    rig.get("/v1/runs/first").await.problem("not_found");
}

#[tokio::test]
async fn what_is_quarantined_can_be_seen_tried_again_and_dropped() {
    let rig = Rig::new().await;
    rig.commit(Vec::new(), vec![refused("u1"), refused("u2")]).await;
    let list = rig.get("/v1/quarantine?limit=1").await.json();
    insta::assert_json_snapshot!("quarantine", settled(list.clone()));
    let next = list["next_cursor"].as_str().unwrap();
    let rest = rig.get(&format!("/v1/quarantine?limit=2&cursor={next}")).await.json();
    assert_eq!(rest["data"][0]["external_id"], "u2");
    assert!(rest["next_cursor"].is_null());

    let one = rig.get("/v1/quarantine/1").await.json();
    assert_eq!(one["raw"]["data"], "eyJudW1iZXIiOjV9");
    assert_eq!(rig.get(one["exchange_url"].as_str().unwrap()).await.status, StatusCode::OK);
    assert_eq!(rig.ask("POST", "/v1/quarantine/1/retry", &[]).await.json()["outcome"], "still_quarantined");
    assert_eq!(rig.ask("POST", "/v1/quarantine/2/retry", &[]).await.json()["outcome"], "accepted");
    rig.ask("POST", "/v1/quarantine/3/retry", &[]).await.problem("not_found");

    let theirs = Answer::read(rig.send("DELETE", "/v1/quarantine/1", Some(&rig.other), &[]).await).await;
    theirs.problem("not_found");
    assert_eq!(rig.ask("DELETE", "/v1/quarantine/1", &[]).await.status, StatusCode::NO_CONTENT);
    rig.ask("DELETE", "/v1/quarantine/1", &[]).await.problem("not_found");
    rig.get("/v1/quarantine/1").await.problem("not_found");
}

#[tokio::test]
async fn why_a_record_is_in_quarantine_is_told_in_the_language_that_was_asked_for() {
    let rig = Rig::new().await;
    rig.commit(Vec::new(), vec![refused("u1")]).await;
    let chinese = [("accept-language", "zh-CN")];
    for (language, reason) in [(&[][..], "/number: a number; expected text"), (&chinese[..], "/number：数字；应为文本")]
    {
        let list = rig.ask("GET", "/v1/quarantine", language).await.json();
        assert_eq!(list["data"][0]["reason"], reason);
        assert_eq!(rig.ask("GET", "/v1/quarantine/1", language).await.json()["reason"], reason);
        assert_eq!(rig.ask("POST", "/v1/quarantine/1/retry", language).await.json()["reason"], reason);
    }
}

#[tokio::test]
async fn why_the_engine_refuses_is_told_in_the_language_that_was_asked_for() {
    let rig = failing(ControlError::Refused(text!("the stream is switched off", "数据流已停用"))).await;
    let problem = |answer: Answer| answer.problem("refused")["detail"].as_str().unwrap().to_owned();
    assert_eq!(problem(rig.ask("POST", START, &[]).await), "the stream is switched off");
    assert_eq!(problem(rig.ask("POST", START, &[("accept-language", "zh")]).await), "数据流已停用");
}

#[tokio::test]
async fn words_of_a_manifest_cannot_deceive_who_looks_at_the_answer() {
    let description = "Staff\u{1b}[2K\u{9b}\u{202e}\u{200b}钉钉";
    let rig = Rig::with(ApiOptions::default(), ScriptedControl { description, ..ScriptedControl::default() }).await;
    for path in ["/v1/plugins", "/v1/connections", "/v1/connections/hr/streams"] {
        let answer = rig.get(path).await;
        assert!(!answer.text.chars().any(renmen_schema::shown::is_deceptive), "{path}: {:?}", answer.text);
    }
    let plugins = rig.get("/v1/plugins").await;
    assert!(plugins.text.contains("Staff\\u001b[2K\\u009b\\u202e\\u200b钉钉"), "{}", plugins.text);
    assert_eq!(plugins.json()["data"][0]["manifest"]["description"], description, "it means the same");
}

#[tokio::test]
async fn plugins_are_shown_with_digest_manifest_and_limits() {
    let rig = Rig::new().await;
    let plugins = rig.get("/v1/plugins").await.json();
    assert_eq!(plugins["data"][0]["digest"], "sha256:00");
    assert_eq!(plugins["data"][0]["limits"]["http_calls_max"], 500);
    assert_eq!(plugins["data"][0]["manifest"]["streams"]["staff"]["entities"][0], "employee");
}

#[tokio::test]
async fn every_entity_has_its_schema() {
    let rig = Rig::new().await;
    let entities = rig.get("/v1/schema").await.json();
    for entity in entities["data"].as_array().unwrap() {
        let schema = rig.get(entity["schema_url"].as_str().unwrap()).await;
        assert_eq!(schema.headers["content-type"], "application/schema+json");
        assert!(schema.json().get("properties").is_some(), "{entity}");
        let records = entity["records_url"].as_str().unwrap();
        let status = rig.get_where_allowed(records).await.status;
        assert_eq!(status, StatusCode::OK, "{entity}");
    }
    rig.get("/v1/schema/employees").await.problem("not_found");
}
