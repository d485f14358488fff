//! Salesforce through the gateway, by a connector without code: the assertion, SOQL in batches, deleted cases, upsert by external id.

use renmen_tests::salesforce::{self, Org};
use renmen_tests::{assertion, office};
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

/// An organisation with so many cases, and a deployment that reads it.
pub async fn org(cases: usize) -> (office::Shared<Org>, Trial) {
    let office = office::open(Org::of(cases));
    let url = serve(office::router(office.clone())).await;
    let secret = json!({ "client_id": salesforce::CLIENT_ID, "private_key": assertion::KEY }).to_string();
    let config = format!("{{ instance_url = \"{url}\", login_url = \"{url}\", user = \"{}\" }}", salesforce::USER);
    let streams = ["users", "roles", "queues", "cases", "cases_by_role"];
    (office, Trial::new("salesforce", &config, &[("app", secret.as_str())], &streams))
}

#[tokio::test(flavor = "multi_thread")]
async fn s09_cases_come_in_by_owner_and_by_role_and_what_is_in_the_recycle_bin_is_gone() {
    let (office, trial) = org(731).await;
    assert_eq!(trial.counts("users").await, [5, 0, 0]);
    assert_eq!(trial.counts("roles").await, [2, 0, 0]);
    assert_eq!(trial.counts("queues").await, [1, 0, 0]);
    assert_eq!(trial.counts("cases").await, [731, 0, 0]);
    assert_eq!(trial.counts("cases").await, [0, 0, 0]);
    assert_eq!(trial.counts("cases_by_role").await, [731 - 73, 0, 0], "a queue has no role");
    let cases = trial.bodies("customer-feedback").await;
    let first = &cases[&salesforce::id("500", 1)];
    assert_eq!(first["employee"]["external"]["value"], salesforce::id("005", 2));
    assert_eq!((&first["kind"]["code"], &first["severity"]), (&json!("PRAISE"), &json!("MEDIUM")));
    assert_eq!(first["period"], json!({ "start": "2026-01-01", "end": "2026-01-01" }));
    assert_eq!(cases[&salesforce::id("500", 10)]["org_unit"]["external"]["value"], salesforce::id("00G", 1));
    {
        let org = &mut office.lock().unwrap().vendor;
        org.change(3, &json!({ "Subject": "Another subject" }), "2026-01-01T02:00:00.000+0000");
        org.change(4, &json!({ "IsDeleted": true }), "2026-01-01T02:00:00.000+0000");
    }
    assert_eq!(trial.counts("cases").await, [0, 1, 1]);
    trial.keeps(&[salesforce::TOKEN, "PRIVATE KEY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ended_is_renewed_and_what_is_refused_says_why() {
    let (office, trial) = org(20).await;
    assert_eq!(trial.counts("users").await, [5, 0, 0]);
    office.lock().unwrap().vendor.ended = 1;
    assert_eq!(trial.counts("cases").await, [20, 0, 0]);
    office.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("users").await, "rate-limited");
    office.lock().unwrap().busy = 0;
    office.lock().unwrap().vendor.objects.remove("Group");
    assert_eq!(trial.failure("queues").await, "not-granted");
    let other = json!({ "client_id": "another app", "private_key": assertion::KEY }).to_string();
    let trial = trial.secret("app", &other);
    assert_eq!(trial.failure("users").await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn s09_a_case_is_made_once_for_each_key() {
    let (office, trial) = org(2).await;
    trial.counts("cases").await;
    let gateway = trial.serve().await;
    let of = salesforce::id("500", 1);
    let input = json!({ "subject": "A candidate complains", "priority": "High", "owner": salesforce::id("005", 2) });
    let made = gateway.act("customer-feedback", &of, "case.upsert", input.clone(), "one").await;
    assert_eq!(
        (&made["state"], &made["receipt"]["reference"]),
        (&json!("delivered"), &json!(salesforce::id("500", 3))),
        "{made}"
    );
    let again = gateway.act("customer-feedback", &of, "case.upsert", input, "one").await;
    assert_eq!(again["id"], made["id"]);
    assert_eq!(office.lock().unwrap().vendor.objects["Case"].len(), 3);
    let refused = json!({ "subject": "x", "priority": "Extreme" });
    let refused = gateway.act("customer-feedback", &of, "case.upsert", refused, "two").await;
    assert_eq!(refused["state"], "dead", "{refused}");
}
