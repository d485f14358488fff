//! SAP SuccessFactors through the gateway, by a connector without code: the signed assertion, snapshots by `__next`, slices, upsert.

use renmen_tests::successfactors::{self, NEW_YEAR_MS, Tenant};
use renmen_tests::{assertion, office};
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

const STREAMS: [&str; 10] = [
    "departments",
    "workers",
    "assignments",
    "compensation",
    "jobs",
    "positions",
    "requisitions",
    "candidates",
    "applications",
    "reviews",
];

/// A tenant with so many workers, and a deployment that reads it.
pub async fn tenant(workers: usize) -> (office::Shared<Tenant>, Trial) {
    let office = office::open(Tenant::of(workers));
    let url = serve(office::router(office.clone())).await;
    let secret = json!({ "client_id": successfactors::CLIENT_ID, "private_key": assertion::KEY }).to_string();
    let config = format!(
        "{{ base_url = \"{url}\", company_id = \"{}\", user = \"{}\" }}",
        successfactors::COMPANY,
        successfactors::USER
    );
    (office, Trial::new("sap-successfactors", &config, &[("app", secret.as_str())], &STREAMS))
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_snapshots_are_read_page_by_page_with_every_slice_and_then_what_changed() {
    let (office, trial) = tenant(1207).await;
    office.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("departments").await, [3, 0, 0]);
    assert_eq!(trial.counts("workers").await, [1207, 0, 0], "inactive users too");
    assert_eq!(trial.counts("workers").await, [0, 0, 0]);
    assert_eq!(trial.counts("assignments").await, [2414, 0, 0], "the slice that is over, too");
    assert_eq!(trial.counts("compensation").await, [1207, 0, 0]);
    {
        let tenant = &mut office.lock().unwrap().vendor;
        tenant.change("User", ("userId", "7"), &json!({ "title": "Lead" }), NEW_YEAR_MS + 3_600_000);
        tenant.change("EmpJob", ("userId", "7"), &json!({ "payGrade": "GR-06" }), NEW_YEAR_MS + 3_600_000);
        tenant.entities.get_mut("FODepartment").unwrap().pop();
    }
    assert_eq!(trial.counts("workers").await, [0, 1, 0]);
    assert_eq!(trial.counts("assignments").await, [0, 1, 0]);
    assert_eq!(trial.counts("departments").await, [0, 0, 1]);
    let workers = trial.bodies("employees").await;
    assert_eq!(workers["50"]["work"]["status"]["code"], "TERMINATED");
    assert_eq!(workers["2"]["work"]["hire_date"], "2025-12-31", "a day is its midnight in UTC");
    let slice = &trial.bodies("assignments").await["7-2026-01-01-1"];
    assert_eq!(
        (&slice["validity"], &slice["position"]["external"]["value"]),
        (&json!({ "valid_from": "2026-01-01" }), &json!("position-P-1"))
    );
    let pay = trial.bodies("compensations").await;
    assert_eq!(
        pay["8-2026-01-01-1-BASE"]["rate"],
        json!({ "money": { "amount": "8008.55", "currency": "CNY" }, "per": "MONTH" })
    );
    assert_eq!(pay["7-2026-01-01-1-BASE"]["rate"]["per"], "YEAR");
    let is_first = |ask: &&office::Ask| ask.method == "GET" && !ask.query.contains_key("$skiptoken");
    let asked = office.lock().unwrap().asked.clone();
    assert!(asked.iter().filter(is_first).all(|ask| ask.query.contains_key("paging")), "else rows may be lost");
    trial.keeps(&[successfactors::TOKEN, "PRIVATE KEY"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s05_s06_recruiting_and_reviews_come_in_and_a_deleted_requisition_is_gone() {
    let (office, trial) = tenant(30).await;
    assert_eq!(trial.counts("jobs").await, [1, 0, 0]);
    assert_eq!(trial.counts("positions").await, [4, 0, 0]);
    assert_eq!(trial.counts("requisitions").await, [3, 0, 0]);
    assert_eq!(trial.counts("candidates").await, [30, 0, 0]);
    assert_eq!(trial.counts("applications").await, [27, 0, 0], "drafts are left out");
    assert_eq!(trial.counts("reviews").await, [30, 0, 0]);
    let reviews = trial.bodies("performance-reviews").await;
    assert_eq!(reviews["1"]["rating"]["value"], "4");
    assert_eq!(reviews["7"].get("rating"), None, "-1 is none");
    let at = NEW_YEAR_MS + 3_600_000;
    office.lock().unwrap().vendor.change("JobRequisition", ("jobReqId", "2"), &json!({ "deleted": "Deleted" }), at);
    assert_eq!(trial.counts("requisitions").await, [0, 0, 1]);
    assert_eq!(trial.bodies("jobs").await["1"]["title"]["und"], "Engineer 1");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_assertion_of_another_client_a_missing_right_and_a_missing_module_are_told_apart() {
    let (office, trial) = tenant(3).await;
    office.lock().unwrap().vendor.denied.push("EmpPayCompRecurring".to_owned());
    assert_eq!(trial.failure("compensation").await, "not-granted");
    office.lock().unwrap().vendor.entities.remove("FormHeader");
    assert_eq!(trial.failure("reviews").await, "bad-config");
    office.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("workers").await, "rate-limited");
    office.lock().unwrap().busy = 0;
    let other = json!({ "client_id": "another client", "private_key": assertion::KEY }).to_string();
    let trial = trial.secret("app", &other);
    assert_eq!(trial.failure("workers").await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn s12_an_application_is_moved_once() {
    let (office, trial) = tenant(3).await;
    trial.counts("applications").await;
    let gateway = trial.serve().await;
    let input = json!({ "application": 2, "status": "12" });
    let moved = gateway.act("applications", "2", "application.status", input.clone(), "one").await;
    assert_eq!(moved["receipt"]["reference"], "JobApplication/applicationId=2", "{moved}");
    // Another delivery finds it there, and writes nothing.
    let found = gateway.act("applications", "2", "application.status", input, "two").await;
    assert_eq!((&found["state"], &found["receipt"]["reference"]), (&json!("delivered"), &json!("2")), "{found}");
    assert_eq!(office.lock().unwrap().count("POST", "/odata/v2/upsert"), 1);
    let refused = gateway
        .act("applications", "2", "application.status", json!({ "application": 2, "status": "99" }), "three")
        .await;
    assert_eq!(refused["state"], "dead", "{refused}");
}
