//! Moka through the gateway, by a connector without code.

use renmen_tests::moka::{self, Org};
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

async fn org(applications: usize) -> (office::Shared<Org>, Trial) {
    let org = office::open(Org::of(applications));
    let url = serve(office::router(org.clone())).await;
    let config =
        format!("{{ base_url = \"{url}/api-platform/v1\", org_id = \"org-1\", modes = [\"social\", \"campus\"] }}");
    let key = format!("{}:", moka::API_KEY);
    (org, Trial::new("moka", &config, &[("key", &key), ("webhook", moka::SIGN_KEY)], &["jobs", "applications"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_pages_of_twenty_come_in_and_a_stage_without_anybody_is_no_fault_and_deletes_nothing() {
    let (org, trial) = org(45).await;
    org.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("jobs").await, [3, 0, 0], "both kinds of hiring");
    assert_eq!(trial.counts("applications").await, [135, 0, 0], "candidates, applications and offers");
    let offer = &trial.bodies("offers").await["47151741"];
    assert_eq!((&offer["status"]["code"], &offer["start_date"]), (&json!("APPROVED"), &json!("2026-07-01")));
    org.lock().unwrap().vendor.applications[4]["phone"] = json!("13900000009");
    assert_eq!(trial.counts("applications").await, [0, 1, 0]);
    org.lock().unwrap().vendor.applications.clear();
    assert_eq!(trial.counts("applications").await, [0, 0, 0], "500 is how Moka says that there is no one");
    assert_eq!(trial.bodies("applications").await.len(), 45);
    trial.keeps(&[moka::API_KEY]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_is_not_opened_a_wrong_key_and_a_throttle_are_told_apart() {
    let (org, trial) = org(3).await;
    org.lock().unwrap().vendor.closed = vec!["data"];
    assert_eq!(trial.failure("applications").await, "not-granted");
    assert_eq!(trial.counts("jobs").await, [3, 0, 0], "the rest goes on");
    org.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("jobs").await, "rate-limited");
    org.lock().unwrap().busy = 0;
    let trial = trial.secret("key", "another:");
    assert_eq!(trial.failure("jobs").await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_candidate_that_is_pushed_is_read_again_and_only_with_mokas_signature() {
    let (org, trial) = org(3).await;
    assert_eq!(trial.counts("applications").await, [9, 0, 0]);
    let gateway = trial.serve().await;
    org.lock().unwrap().vendor.applications[1]["stageName"] = json!("待入职");
    let (body, sign) = moka::pushed("push-1", &org.lock().unwrap().vendor.applications[1]);
    for _ in 0..2 {
        assert_eq!(gateway.deliver_to(&format!("?sign={sign}"), &[], &body).await.0, 200);
    }
    gateway.until("applications", "47151742", "/stage/kind/code", json!("ONBOARDING")).await;
    assert_eq!(gateway.inbox().await, 1, "the same event twice is one");
    let forged = body.replace("47151742", "47151743");
    for (query, body) in [(format!("?sign={sign}"), &forged), ("?sign=00".to_owned(), &body), (String::new(), &body)] {
        assert_eq!(gateway.deliver_to(&query, &[], body).await.0, 401, "{query}");
    }
    drop(gateway);
    trial.keeps(&[moka::API_KEY, moka::SIGN_KEY]);
}
