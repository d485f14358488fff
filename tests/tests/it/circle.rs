//! Results that are written back into the HR system come back from there as records. With every configuration, that is
//! the end of it.

use std::time::Duration;

use renmen_tests::{feishu, interview_vendor};
use serde_json::Value;

use crate::api::Api;
use crate::example::{example, with_feishu, with_interviews};
use crate::harness::{Home, said};

const CANDIDATES: usize = 6;
const VENDORS: &str = "vendors = [\"interview\"]";

/// The repository's deployment with another line for `vendors`, and with all that its systems hold.
async fn synced(vendors: &str) -> (Home, feishu::Tenant, usize) {
    let vendor = interview_vendor::vendor_of(CANDIDATES, feishu::application_id);
    let hire = feishu::tenant(4, CANDIDATES);
    let home = with_feishu(example().await, &hire).await;
    let home = with_interviews(home, &vendor, "feishu").await;
    let mut config = include_str!("../../../connectors.toml").to_owned();
    // A system that is listed as a vendor is sent records of another one only where the flow says so.
    let looked_up =
        |of: &str| [format!("{{ ref = \"/{of}\", "), format!("{{ ref = \"/{of}\", connection = \"interview\", ")];
    for [from, to] in [[VENDORS.to_owned(), vendors.to_owned()], looked_up("interview"), looked_up("result")] {
        assert!(config.contains(&from), "{from}");
        config = config.replace(&from, &to);
    }
    home.configure(&config);
    for connection in ["interview", "feishu"] {
        home.run(&["sync", "--dev", connection]).await;
    }
    let results = vendor.lock().unwrap().collections["results"].len();
    assert!(results > 0);
    (home, hire, results)
}

fn written_back(hire: &feishu::Tenant) -> usize {
    hire.lock().unwrap().external_interviews.len()
}

/// How many decisions there are, and how many of them are in force. What is written back states the status of each.
async fn decisions(api: &Api) -> (usize, usize) {
    let listed = api.get("/v1/decisions?limit=100").await;
    let all = listed["data"].as_array().unwrap();
    (all.len(), all.iter().filter(|decision| decision["body"]["status"] != "SUPERSEDED").count())
}

/// Serves until the loop has read everything and the results have been sent; returns the decisions a moment later.
async fn serve_until_sent(home: &Home) -> (usize, usize) {
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    api.until_the_loop_has_caught_up().await;
    let (_, sent) = decisions(&api).await;
    api.until("/v1/flows/result-to-hire", |flow: &Value| {
        let states = flow["deliveries"].as_object()?;
        let all: i64 = states.values().filter_map(Value::as_i64).sum();
        let delivered = states.get("delivered").and_then(Value::as_i64).unwrap_or(0);
        assert!(!states.contains_key("dead"), "{states:?}");
        (all == delivered && usize::try_from(delivered).is_ok_and(|count| count >= sent)).then_some(())
    })
    .await;
    tokio::time::sleep(Duration::from_millis(500)).await;
    decisions(&api).await
}

#[tokio::test(flavor = "multi_thread")]
async fn without_vendors_nothing_is_decided_nothing_written_back_and_the_operator_is_told() {
    let (home, hire, _) = synced("").await;
    let checked = home.run(&["check", "--dev"]).await;
    assert!(said(&checked).contains("no interview is acted on"), "{}", said(&checked));
    let past = home.run(&["decide-past", "--dev", "interview", "--from", "2026-01-01", "--apply"]).await;
    assert!(!past.status.success() && said(&past).contains("vendors"), "{}", said(&past));
    assert_eq!(serve_until_sent(&home).await, (0, 0));
    assert_eq!(written_back(&hire), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn results_are_written_back_once_though_the_hr_system_is_listed_as_a_vendor() {
    let (home, hire, results) = synced("vendors = [\"interview\", \"feishu\"]").await;
    serve_until_sent(&home).await;
    let past = ["decide-past", "--dev", "interview", "--from", "2026-01-01"];
    home.json(&[&past[..], &["--apply"]].concat()).await;
    let once = serve_until_sent(&home).await;
    assert!(once.0 == results && once.1 > 0, "{once:?}");
    assert_eq!(written_back(&hire), once.1);
    home.run(&["sync", "--dev", "feishu", "external_records"]).await;
    serve_until_sent(&home).await;
    let copies = ["decide-past", "--dev", "feishu", "--from", "2026-01-01", "--apply"];
    let decided = home.json(&copies).await;
    assert_eq!(decided.as_array().map(Vec::len), Some(0), "a copy is not decided: {decided:#}");
    assert_eq!(serve_until_sent(&home).await, once);
    assert_eq!(written_back(&hire), once.1, "nothing goes round");
}
