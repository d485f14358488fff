//! Questions over the API: what they take, what they answer with, what is kept and what flows learn of it.

use renmen_analysis::{Analysis, Settings};
use renmen_api::ApiOptions;
use renmen_schema::id::{StreamName, TenantId};
use renmen_store::{AuthoredCommit, AuthoredRecord, KeyRole};
use serde_json::{Value, json};

use crate::parts::{Funnel, NoRows};
use crate::rig::{Answer, BEGIN_MS, Rig};
use crate::scripted_control::ScriptedControl;

/// A gateway over ten applications of which four finish.
async fn rig() -> Rig {
    Rig::with_parts(ApiOptions::default(), ScriptedControl::default(), |parts| {
        let clock = std::sync::Arc::new(renmen_interview::SystemClock);
        parts.analysis = Analysis::new(parts.store.clone(), std::sync::Arc::new(Funnel), clock, Settings::default());
    })
    .await
}

const YEAR: &str = "from=2026-01-01&to=2026-12-31";

#[tokio::test]
async fn the_questions_are_listed_with_their_parameters() {
    let rig = Rig::new().await;
    let list = rig.get("/v1/insights").await.json();
    let of = |name: &str| list["data"].as_array().unwrap().iter().find(|one| one["name"] == name).unwrap().clone();
    assert_eq!(list["data"].as_array().unwrap().len(), 16);
    assert_eq!((&of("fairness")["for_auditors"], &of("funnel")["for_auditors"]), (&json!(true), &json!(false)));
    assert!(of("performance")["parameters"].as_array().unwrap().iter().any(|one| one["name"] == "objective"));
    assert!(of("pay")["about"]["zh-CN"].as_str().unwrap().contains("薪酬"));
}

#[tokio::test]
async fn an_answer_is_json_or_a_spreadsheet_and_fits_its_schema() {
    let rig = rig().await;
    let answer = rig.get(&format!("/v1/insights/funnel?{YEAR}")).await.json();
    assert_eq!((&answer["figures"][0]["name"], &answer["figures"][0]["value"]), (&json!("conversion"), &json!(0.4)));
    assert_eq!((&answer["figures"][0]["n"], &answer["window"]["start"]), (&json!(10), &json!("2026-01-01")));
    let document = renmen_api::document();
    let mut schema = document["paths"]["/v1/insights/{question}"]["get"]["responses"]["200"]["content"]
        ["application/json"]["schema"]
        .clone();
    schema["components"] = document["components"].clone();
    let validator = jsonschema::draft202012::options().should_validate_formats(true).build(&schema).unwrap();
    let faults: Vec<String> = validator.iter_errors(&answer).map(|error| error.to_string()).collect();
    assert_eq!(faults, [""; 0]);

    for (path, headers) in [
        (format!("/v1/insights/funnel?{YEAR}&format=csv"), &[][..]),
        (format!("/v1/insights/funnel?{YEAR}"), &[("accept", "text/csv")][..]),
    ] {
        let csv = rig.ask("GET", &path, headers).await;
        assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
        assert!(csv.text.lines().any(|line| line.starts_with("conversion,0.4,")), "{}", csv.text);
    }
    let both = [("accept", "application/json, text/csv;q=0.5")];
    assert_eq!(
        rig.ask("GET", &format!("/v1/insights/funnel?{YEAR}"), &both).await.headers["content-type"],
        "application/json"
    );
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_the_parameter() {
    let rig = rig().await;
    let nowhere = "018f3c1e-0000-7000-8000-000000000001";
    for (path, code, parameter) in [
        ("/v1/insights/joine%64".to_owned(), "not_found", Value::Null),
        ("/v1/insights/luck".to_owned(), "not_found", Value::Null),
        ("/v1/insights/funnel?outcome=final_round".to_owned(), "unknown_parameter", json!("outcome")),
        ("/v1/insights/funnel?from=yesterday".to_owned(), "invalid_parameter", json!("from")),
        ("/v1/insights/funnel?from=2026-02-01&to=2026-01-01".to_owned(), "invalid_parameter", json!("from")),
        ("/v1/insights/predict?outcome=luck".to_owned(), "invalid_parameter", json!("outcome")),
        ("/v1/insights/profile".to_owned(), "invalid_parameter", json!("metric")),
        ("/v1/insights/funnel?format=xml".to_owned(), "invalid_parameter", json!("format")),
        (format!("/v1/insights/funnel?position={nowhere}"), "not_found", Value::Null),
        (format!("/v1/insights/pay?application={nowhere}"), "not_found", Value::Null),
        ("/v1/insights/funnel?recorded=true".to_owned(), "not_found", Value::Null),
        ("/v1/insights/funnel?recorded=true&from=2026-01-01".to_owned(), "unknown_parameter", json!("from")),
    ] {
        let problem = rig.get(&path).await.problem(code);
        assert_eq!(problem["parameter"], parameter, "{path}: {problem}");
    }
}

#[tokio::test]
async fn an_owner_keeps_an_answer_once_and_anyone_reads_the_last_one() {
    let rig = rig().await;
    let consumer = rig.key_of("acme", KeyRole::Consumer).await;
    let path = format!("/v1/insights/funnel?{YEAR}");
    rig.ask_as(&consumer, "POST", &path, None).await.problem("forbidden");
    let first = rig.ask_as(&rig.key, "POST", &path, None).await;
    assert_eq!(first.status.as_u16(), 201, "{}", first.text);
    let second = rig.ask_as(&rig.key, "POST", &path, None).await.json();
    assert_eq!(first.json()["records"], second["records"]);
    let id = second["records"][0]["id"].as_str().unwrap().to_owned();
    let record = rig.get(&format!("/v1/insight-records/{id}")).await.json();
    assert_eq!((&record["revision"], &record["body"]["question"]), (&json!(1), &json!("funnel")));
    let last = rig.ask_as(&consumer, "GET", "/v1/insights/funnel?recorded=true", None).await.json();
    assert_eq!(last["figures"][0]["value"], json!(0.4));
    assert_eq!(last["findings"], second["answer"]["findings"]);
    // The other tenant has kept none.
    rig.ask_as(&rig.other, "GET", "/v1/insights/funnel?recorded=true", None).await.problem("not_found");
}

async fn alert(rig: &Rig, verdict: &str) {
    let (tenant, stream) = (TenantId::new("acme").unwrap(), StreamName::new("insight-alert").unwrap());
    let mut commit = AuthoredCommit::of(tenant, stream, BEGIN_MS);
    let body = json!({ "question": "alert", "scope": {}, "verdict": verdict });
    commit.records.push(AuthoredRecord {
        entity: "insight".into(),
        external_id: format!("alert/{verdict}"),
        body: body.to_string().into_bytes(),
        deleted: None,
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    });
    rig.store.author(commit).await.unwrap();
}

/// The flow of docs/insight.md, to the destination of these tests.
#[tokio::test]
async fn a_flow_carries_an_alert_that_is_raised_and_no_other_r48() {
    let rig = Rig::new().await;
    for verdict in ["FINE", "RAISED", "NOT_JUDGED"] {
        alert(&rig, verdict).await;
    }
    let flow = json!({
        "when": {
            "entity": "insight",
            "change": ["created", "updated"],
            "if": "record.question == 'alert' && has(record.verdict) && record.verdict == 'RAISED'",
        },
        "fields": ["/question", "/verdict", "/scope/window"],
        "to": { "connection": "mail", "action": "message.send" },
        "map": { "to": "'hr@example.com'", "text": "'See insight ' + change.external_id" },
    });
    let put: Answer = rig.ask_as(&rig.key, "PUT", "/v1/flows/alert", Some(&flow)).await;
    assert_eq!(put.json()["defects"], json!([]), "{}", put.text);
    let dry = rig.ask_as(&rig.key, "POST", "/v1/flows/alert/dry-run", None).await;
    let told = dry.text.matches("See insight alert/RAISED").count();
    assert_eq!(told, 1, "{}", dry.text);
    assert!(!dry.text.contains("See insight alert/FINE") && !dry.text.contains("alert/NOT_JUDGED\\\""), "{}", dry.text);
}

#[tokio::test]
async fn an_empty_gateway_answers_too_and_says_from_how_many() {
    let rig = Rig::with_parts(ApiOptions::default(), ScriptedControl::default(), |parts| {
        let clock = std::sync::Arc::new(renmen_interview::SystemClock);
        parts.analysis = Analysis::new(parts.store.clone(), std::sync::Arc::new(NoRows), clock, Settings::default());
    })
    .await;
    let answer = rig.get("/v1/insights/funnel").await.json();
    assert_eq!((&answer["figures"][0]["value"], &answer["figures"][0]["n"]), (&Value::Null, &json!(0)));
}
