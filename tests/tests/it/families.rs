//! The main job on the repository's own connectors.toml: three families of records through three connectors, readable over
//! the API, and no secret anywhere.

use renmen_tests::{dingtalk, feishu, interview_vendor};
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_dingtalk, with_feishu, with_interviews};
use crate::harness::{Home, said};

/// The repository's deployment against simulators.
async fn deployment() -> Home {
    let home = with_dingtalk(example().await, &dingtalk::company(60)).await;
    let home = with_feishu(home, &feishu::tenant(30, 30)).await;
    with_interviews(home, &interview_vendor::vendor(30), "interview").await
}

#[tokio::test(flavor = "multi_thread")]
async fn three_families_come_in_and_are_read_over_the_api_r78() {
    let home = deployment().await;
    let pulled = home.json(&["sync", "--dev"]).await;
    for run in pulled.as_array().unwrap() {
        assert_eq!(run["failure"], Value::Null, "{run}");
        // The payroll department's files have rows that no one can read, on purpose.
        let files = run["key"]["connection"] == "payroll";
        assert!(files || run["quarantined"] == 0, "{run}");
    }
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    for collection in [
        "org-units",
        "employees",
        "employments",
        "assignments",
        "candidates",
        "applications",
        "interviews",
        "interview-answers",
        "dimension-scores",
        "interview-results",
        "environment-events",
        "process-nodes",
        "pay-bands",
        "payroll-runs",
        "payroll-records",
        "performance-metrics",
        "performance-reviews",
    ] {
        let page = api.get(&format!("/v1/{collection}?limit=3")).await;
        assert!(page["data"].as_array().is_some_and(|data| !data.is_empty()), "{collection}: {page}");
    }
    let waiting = api.get("/v1/quarantine").await.to_string();
    assert!(waiting.contains("薪酬带宽!"), "a band without a unit waits with the name of its cell: {waiting}");
    lineage_of_an_employee(&api).await;
    assert_eq!(api.status("/v1/employees", Some("rk_wrong")).await, 401);
    assert_eq!(api.status("/v1/employees", None).await, 401);
    assert_eq!(api.status("/healthz", None).await, 200);
}

/// A field names its connection, exchange, pointer and plugin version.
async fn lineage_of_an_employee(api: &Api) {
    let page = api.get("/v1/employees?limit=1").await;
    let id = page["data"][0]["id"].as_str().unwrap();
    let record = api.get(&format!("/v1/employees/{id}?include=lineage")).await;
    let text = record.to_string();
    for wanted in ["\"dingtalk\"", "/person/names/formatted", "0.1.0", "sha256:"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let exchange = find(&record, "exchange").unwrap();
    let exchange = exchange.as_str().unwrap_or_else(|| find(exchange, "id").unwrap().as_str().unwrap());
    let kept = api.get(&format!("/v1/exchanges/{exchange}")).await.to_string();
    assert!(kept.contains("/topapi/v2/user/list"), "{kept}");
    assert!(!kept.contains("canary"), "a recorded exchange holds no secret");
}

/// The first value under a key, anywhere.
fn find<'v>(value: &'v Value, key: &str) -> Option<&'v Value> {
    match value {
        Value::Object(members) => {
            members.get(key).filter(|v| !v.is_null()).or_else(|| members.values().find_map(|v| find(v, key)))
        }
        Value::Array(items) => items.iter().find_map(|v| find(v, key)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn check_proves_the_example_deployment_and_writes_nothing() {
    let home = deployment().await;
    let checked = home.run(&["check", "--dev", "--json"]).await;
    assert_eq!(checked.status.code(), Some(1), "rows that no one can read are reported: {}", said(&checked));
    let reports: Value = serde_json::from_slice(&checked.stdout).unwrap();
    let (connections, receivers): (Vec<&Value>, Vec<&Value>) =
        reports.as_array().unwrap().iter().partition(|report| report["connection"].is_string());
    // No provider of text messages runs here, and the check says so.
    assert!(receivers.iter().all(|one| one["receiver"] == "sms" && one["ok"] == false), "{receivers:?}");
    for report in connections {
        assert_eq!((&report["probe_failure"], &report["grant_misses"]), (&Value::Null, &json!([])), "{report}");
        for stream in report["streams"].as_array().unwrap() {
            assert_eq!(stream["failure"], Value::Null, "{stream}");
            let unreadable = ["pay_bands", "payroll_records"].iter().any(|name| stream["stream"] == *name);
            assert_eq!(stream["refused"].as_u64().unwrap(), u64::from(unreadable), "{stream}");
        }
    }
    assert!(!home.path().join(".renmen/renmen.db").exists(), "a check writes no store");
}

/// F14, F15: neither raw nor encoded.
#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_in_any_file_or_word_that_the_gateway_leaves_behind() {
    let home = deployment().await;
    let output = home
        .run(&[
            "sync",
            "--dev",
            "--log",
            "info,renmen_egress=trace,renmen_sync=trace,renmen_plugin_host=trace,hyper_util=trace,reqwest=trace",
        ])
        .await;
    assert!(output.status.success(), "{}", said(&output));
    let token = "canary-ding-token";
    let mut places = home.every_byte();
    places.push(("what it said".into(), [output.stdout, output.stderr].concat()));
    assert!(places.iter().any(|(path, _)| path.ends_with("renmen.db")), "the store was looked at");
    for secret in [dingtalk::APP_SECRET, interview_vendor::API_KEY, token] {
        let forms = [secret.as_bytes().to_vec(), hex::encode(secret).into_bytes(), base64_core(secret)];
        for (path, bytes) in &places {
            for form in &forms {
                let found = memchr::memmem::find(bytes, form);
                assert_eq!(found, None, "{} holds a form of a secret", path.display());
            }
        }
    }
}

/// The part of the base64 text that does not depend on what follows.
fn base64_core(text: &str) -> Vec<u8> {
    use base64::Engine as _;
    let whole = text.len() / 3 * 3;
    base64::engine::general_purpose::STANDARD.encode(&text.as_bytes()[..whole]).into_bytes()
}
