//! Feishu as the HR system of record, through the real gateway: everything comes in, what changed comes again, each of the
//! vendor's bad answers has its end, and what was written back is read.

use renmen_tests::feishu::{self, Fault, Sending, Tenant};
use serde_json::{Value, json};

use crate::harness::{Home, plugin, said, serve};

const PATIENCE: std::time::Duration = std::time::Duration::from_secs(20);

const STREAMS: [&str; 8] =
    ["departments", "employees", "jobs", "candidates", "applications", "offers", "interviews", "external_records"];

async fn hire(employees: usize, candidates: usize) -> (Tenant, Home) {
    let tenant = feishu::tenant(employees, candidates);
    let url = serve(feishu::router(tenant.clone())).await;
    let streams: String = STREAMS.iter().map(|stream| format!("streams.{stream} = {{ manual = true }}\n")).collect();
    let config = format!(
        r#"
[connections.feishu]
plugin = "{}"
config = {{ base_url = "{url}" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.app = {{ env = "FEISHU_APP" }}
slots.encrypt_key = {{ env = "FEISHU_ENCRYPT_KEY" }}
{streams}
limits = {{ retries_max = 1, retry_wait_max = "2s", rate = {{ requests = 10000, per = "1s", burst = 1000 }} }}
"#,
        plugin("feishu").display()
    );
    let app = json!({ "app_id": feishu::APP_ID, "app_secret": feishu::APP_SECRET }).to_string();
    let home = Home::new(&config).env("FEISHU_APP", &app).env("FEISHU_ENCRYPT_KEY", feishu::ENCRYPT_KEY);
    (tenant, home)
}

/// One run of a stream, no matter how it ends.
async fn pull(home: &Home, stream: &str) -> Value {
    let output = home.run(&["sync", "feishu", stream, "--dev", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    report[0].clone()
}

async fn records(home: &Home, collection: &str) -> Vec<Value> {
    let records = home.json(&["records", collection, "--dev", "--limit", "1000"]).await;
    records.as_array().unwrap().clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_stream_comes_in_whole_and_a_second_time_writes_nothing() {
    let (_tenant, home) = hire(130, 60).await;
    let runs = home.json(&["sync", "feishu", "--dev"]).await;
    for run in runs.as_array().unwrap() {
        assert_eq!((&run["failure"], &run["quarantined"]), (&Value::Null, &0.into()), "{run}");
    }
    for (collection, many) in [
        ("org-units", 5),
        ("employees", 130),
        ("employments", 130),
        ("assignments", 130),
        ("jobs", 4),
        ("candidates", 60),
        // One of them was imported from another system.
        ("applications", 61),
        ("offers", 30),
        ("interviews", 40),
        ("interview-results", 40),
        ("dimension-scores", 80),
        ("assessments", 1),
    ] {
        assert_eq!(records(&home, collection).await.len(), many, "{collection}");
    }
    let again = home.json(&["sync", "feishu", "--dev"]).await;
    for run in again.as_array().unwrap() {
        let (created, updated, deleted) = (&run["created"], &run["updated"], &run["deleted"]);
        assert_eq!((created, updated, deleted), (&0.into(), &0.into(), &0.into()), "{run}");
    }
    for canary in [feishu::APP_SECRET, feishu::ENCRYPT_KEY, "canary-feishu-token"] {
        for (path, bytes) in home.every_byte() {
            let found = memchr::memmem::find(&bytes, canary.as_bytes()).is_some();
            assert!(!found, "{canary} in {}", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_that_was_moved_is_the_one_that_comes_again() {
    let (tenant, home) = hire(5, 60).await;
    assert_eq!(pull(&home, "applications").await["created"], 60);
    let id = records(&home, "applications").await[0]["external_id"].as_str().unwrap().to_owned();
    assert!(feishu::move_application(&tenant, &id, "stage-6"));
    let run = pull(&home, "applications").await;
    assert_eq!((&run["failure"], &run["updated"]), (&Value::Null, &1.into()), "{run}");
    let moved = home.json(&["records", "applications", "--external-id", &id, "--dev"]).await;
    assert_eq!(moved[0]["body"]["status"]["code"], "HIRED", "{moved}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_feishus_errors_ends_the_run_with_its_reason_and_the_next_run_goes_on() {
    let (tenant, home) = hire(20, 5).await;
    for (fault, code, class) in [
        (Fault::ThrottledLong, "rate-limited", "wait"),
        (Fault::NoScope, "not-granted", "operator"),
        (Fault::NoPermission, "not-granted", "operator"),
        (Fault::ErrorInOk, "upstream-unavailable", "wait"),
        (Fault::CutJson, "upstream-unavailable", "wait"),
        (Fault::OtherShape, "upstream-changed", "connector"),
    ] {
        feishu::inject(&tenant, fault);
        let report = pull(&home, "departments").await;
        assert_eq!(report["failure"]["code"], code, "{fault:?}: {report}");
        assert_eq!(report["failure"]["class"], class, "{fault:?}: {report}");
    }
    let good = pull(&home, "departments").await;
    assert_eq!((&good["failure"], &good["created"]), (&Value::Null, &5.into()), "{good}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_throttle_and_an_ended_token_are_got_over_within_the_run() {
    let (tenant, home) = hire(20, 30).await;
    feishu::inject(&tenant, Fault::Throttled429);
    assert_eq!(pull(&home, "candidates").await["failure"], Value::Null);
    let before = tenant.lock().unwrap().token_requests;
    {
        let mut state = tenant.lock().unwrap();
        state.expire_at_request = Some(state.requests + 3);
    }
    assert_eq!(pull(&home, "applications").await["failure"], Value::Null);
    assert_eq!(tenant.lock().unwrap().token_requests, before + 2, "one for the new process, one after the end");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_no_longer_listed_is_gone_and_a_cut_run_deletes_nobody() {
    let (tenant, home) = hire(20, 5).await;
    pull(&home, "employees").await;
    tenant.lock().unwrap().employees.truncate(19);
    feishu::inject(&tenant, Fault::ErrorInOk);
    assert_eq!(pull(&home, "employees").await["deleted"], 0);
    // Employee, employment and assignment of one person.
    assert_eq!(pull(&home, "employees").await["deleted"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_the_app_may_not_read_is_told_and_neither_stops_the_rest_nor_deletes() {
    let (tenant, home) = hire(20, 12).await;
    assert_eq!(pull(&home, "external_records").await["failure"], Value::Null);
    let before = records(&home, "assessments").await.len();
    tenant.lock().unwrap().denied =
        ["offboardings", "interview_records", "external_background_checks"].map(str::to_owned).to_vec();
    for stream in ["employees", "interviews", "external_records"] {
        let run = pull(&home, stream).await;
        assert_eq!((&run["failure"], &run["deleted"]), (&Value::Null, &0.into()), "{run}");
        assert!(run["findings"].as_u64().is_some_and(|findings| findings > 0), "{run}");
    }
    assert_eq!(records(&home, "employees").await.len(), 20);
    assert!(!records(&home, "interviews").await.is_empty());
    assert_eq!((records(&home, "assessments").await.len(), before), (1, 1), "what could not be read is not gone");
    // Given the permission all is as it should be.
    tenant.lock().unwrap().denied.clear();
    for stream in ["employees", "interviews", "external_records"] {
        let run = pull(&home, stream).await;
        assert_eq!((&run["failure"], &run["findings"]), (&Value::Null, &0.into()), "{run}");
    }
    assert!(!records(&home, "dimension-scores").await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_probe_tells_which_permission_is_missing() {
    let (tenant, home) = hire(5, 5).await;
    assert!(home.run(&["check", "--dev"]).await.status.success());
    for _ in 0..200 {
        feishu::inject(&tenant, Fault::NoScope);
    }
    let checked = home.run(&["check", "--dev"]).await;
    assert!(!checked.status.success());
    assert!(said(&checked).contains("99991672"), "{}", said(&checked));
}

/// Nothing but the vendor's one unsigned question is answered without a signature, and of that nothing is kept.
#[tokio::test(flavor = "multi_thread")]
async fn events_are_proved_by_the_gateway_and_the_question_about_the_address_is_answered_by_it() {
    let (_tenant, home) = hire(3, 3).await;
    let mut process = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let document = process.document().await;
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let (url, key) = (text("url"), text("key"));
    let hooks = format!("{url}/hooks/feishu");
    let _ = rustls::crypto::ring::default_provider().install_default();
    let inbox = async || {
        let request = reqwest::Client::new().get(format!("{url}/v1/inbox?limit=100")).bearer_auth(&key);
        let page: Value = request.send().await.unwrap().json().await.unwrap();
        page["data"].as_array().unwrap().len()
    };
    let unsigned = Sending { unsigned: true, ..Sending::default() };

    let question = json!({ "challenge": "ajls384kdjx98XX", "token": "x", "type": "url_verification" });
    let (status, body) = feishu::send(&hooks, &question, &unsigned).await.unwrap();
    assert_eq!((status, body.as_str()), (200, r#"{"challenge":"ajls384kdjx98XX"}"#));
    assert_eq!(inbox().await, 0, "a question is not kept");

    let event = feishu::event("e-1", "hire.application.stage_changed_v1", &json!({ "application_id": "7" }));
    for sending in [
        unsigned,
        Sending { wrong_key: true, ..Sending::default() },
        Sending { seconds_ago: 400, ..Sending::default() },
    ] {
        let (status, body) = feishu::send(&hooks, &event, &sending).await.unwrap();
        assert_eq!(status, 401, "{sending:?} {body}");
    }
    assert_eq!(inbox().await, 0, "what is not proved is not kept");
    let (status, body) = feishu::send(&hooks, &event, &Sending::default()).await.unwrap();
    assert_eq!((status, body.as_str()), (200, r#"{"msg":"success"}"#));
    assert_eq!(inbox().await, 1);

    // Version 1.0, and what is signed but is not an event of either version.
    let old =
        feishu::old_event("e-2", "approval_instance", &json!({ "instance_code": "81D31358", "status": "PENDING" }));
    for (wanted, kept) in [(200, 2), (200, 2)] {
        let (status, body) = feishu::send(&hooks, &old, &Sending::default()).await.unwrap();
        assert_eq!((status, inbox().await), (wanted, kept), "{body}");
    }
    for (kept, nonsense) in (3..).zip(["[1]", "no JSON", "{}"]) {
        let unsigned = Sending { unsigned: true, ..Sending::default() };
        let (status, body) = feishu::send_text(&hooks, nonsense, &unsigned).await.unwrap();
        assert_eq!((status, inbox().await), (401, kept - 1), "{nonsense}: {body}");
        let (status, body) = feishu::send_text(&hooks, nonsense, &Sending::default()).await.unwrap();
        assert_eq!((status, inbox().await), (400, kept), "{nonsense}: {body}");
        assert!(body.contains("it was stored"), "{body}");
    }
}

#[tokio::test]
async fn the_simulated_hire_moves_and_ends_what_hire_would_and_refuses_the_rest() {
    let tenant = feishu::tenant(1, 16);
    let url = serve(feishu::router(tenant.clone())).await;
    let app = json!({ "app_id": feishu::APP_ID, "app_secret": feishu::APP_SECRET });
    let api = format!("{url}/open-apis");
    let ask = async |path: &str, token: &str, body: &Value| -> Value {
        let head = [("authorization", format!("Bearer {token}")), ("content-type", "application/json".to_owned())];
        let answer = renmen_tests::http::ask("POST", &format!("{api}{path}"), &head, &body.to_string(), PATIENCE).await;
        serde_json::from_str(&answer.unwrap().body).unwrap()
    };
    let token = ask("/auth/v3/tenant_access_token/internal", "", &app).await;
    let token = token["tenant_access_token"].as_str().unwrap().to_owned();
    let id = feishu::application_id;
    tenant.lock().unwrap().locked.push(id(6));
    let to = |stage: &str| json!({ "stage_id": stage });
    let end = |kind: i64, reasons: &[&str]| json!({ "termination_type": kind, "termination_reason_list": reasons });
    // Of each application what is asked of it, and the code of the answer.
    for (number, act, body, code) in [
        (1, "transfer_stage", to("stage-3"), 0),
        (1, "transfer_stage", to("stage-2"), 0),
        (1, "transfer_stage", to("campus-2"), 1_002_002),
        (1, "transfer_stage", to("nowhere"), 1_002_002),
        (1, "transfer_stage", to("stage-6"), 1_002_205),
        (5, "transfer_stage", to("stage-1"), 1_002_205),
        (6, "transfer_stage", to("stage-2"), 1_002_205),
        (7, "transfer_stage", to("stage-3"), 1_002_205),
        (99, "transfer_stage", to("stage-3"), 1_002_054),
        (99, "terminate", end(1, &[]), 1_002_054),
        (1, "terminate", end(2, &[]), 1_002_002),
        (1, "terminate", end(22, &["0"]), 1_002_002),
        (5, "terminate", end(1, &[]), 1_002_002),
        (1, "terminate", end(22, &["6891560630172518603"]), 0),
        (1, "terminate", end(22, &[]), 1_002_002),
        (1, "transfer_stage", to("stage-3"), 1_002_205),
    ] {
        let path = format!("/hire/v1/applications/{}/{act}", id(number));
        assert_eq!(ask(&path, &token, &body).await["code"], code, "{number} {act} {body}");
    }
    assert_eq!(tenant.lock().unwrap().moves.len(), 3);
}
