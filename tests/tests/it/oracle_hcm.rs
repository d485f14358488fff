//! Oracle Fusion HCM through the gateway, by a connector without code: pages by offset, relationships within a worker, salaries of each worker.

use renmen_tests::office;
use renmen_tests::oracle_hcm::{self, Tenant};
use serde_json::{Value, json};

use crate::declared::Trial;
use crate::harness::serve;

async fn tenant(workers: usize) -> (office::Shared<Tenant>, Trial) {
    let office = office::open(Tenant::of(workers));
    let url = serve(office::router(office.clone())).await;
    let secret = format!("{}:{}", oracle_hcm::USER, oracle_hcm::PASSWORD);
    let config = format!("{{ base_url = \"{url}\" }}");
    (
        office,
        Trial::new(
            "oracle-hcm",
            &config,
            &[("user", secret.as_str())],
            &["workers", "employments", "assignments", "salaries", "absences"],
        ),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn s07_workers_come_in_with_their_employments_and_then_what_changed() {
    let (office, trial) = tenant(1103).await;
    office.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("workers").await, [1103, 0, 0]);
    assert_eq!(trial.counts("workers").await, [0, 0, 0]);
    assert_eq!(trial.counts("employments").await, [1213, 0, 0], "one in ten worked here before");
    assert_eq!(trial.counts("assignments").await, [1103, 0, 0]);
    let (person, relation) = ("300000047674070", "300000047674071");
    let employment = &trial.bodies("employments").await[relation];
    assert_eq!(
        (&employment["employee"]["external"]["value"], &employment["status"]["code"]),
        (&json!(person), &json!("ACTIVE"))
    );
    assert_eq!(trial.bodies("assignments").await["300000047674072"]["validity"], json!({ "valid_from": "2020-01-01" }));
    let gone = "/workRelationships/items/0/TerminationDate";
    office.lock().unwrap().vendor.change(7, gone, json!("2026-02-28"), "2026-01-01T05:00:00.000+00:00");
    assert_eq!(trial.counts("workers").await, [0, 1, 0]);
    assert_eq!(trial.counts("employments").await, [0, 1, 0]);
    assert_eq!(trial.bodies("employments").await[relation]["status"]["code"], "TERMINATED");
    assert_eq!(trial.bodies("employees").await[person]["work"]["end_date"], "2026-02-28");
    trial.keeps(&[oracle_hcm::PASSWORD]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s17_s18_absences_come_in_and_salaries_are_asked_for_by_assignment_and_one_that_is_not_listed_is_gone() {
    let (office, trial) = tenant(12).await;
    assert_eq!(trial.counts("salaries").await, [12, 0, 0]);
    let pay = &trial.bodies("compensations").await["300000047674025"];
    assert_eq!(pay["rate"], json!({ "money": { "amount": "108006", "currency": "CNY" }, "per": "YEAR" }));
    assert_eq!(pay["employee"]["external"]["value"], "300000047674020");
    assert_eq!(trial.counts("absences").await, [12, 0, 0]);
    let leaves = trial.bodies("leaves").await;
    assert_eq!(leaves["300000047674067"]["status"]["code"], "WITHDRAWN");
    assert_eq!(leaves["300000047674047"]["last_day"], "2026-02-02", "without an end it is one day");
    office
        .lock()
        .unwrap()
        .vendor
        .resources
        .get_mut("salaries")
        .unwrap()
        .retain(|row| row["SalaryId"] != 300_000_047_674_025_i64);
    assert_eq!(trial.counts("salaries").await, [0, 0, 1]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_a_missing_privilege_and_a_throttle_are_told_apart() {
    let (office, trial) = tenant(3).await;
    office.lock().unwrap().vendor.denied.push("salaries".to_owned());
    assert_eq!(trial.failure("salaries").await, "not-granted");
    office.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("workers").await, "rate-limited");
    office.lock().unwrap().busy = 0;
    let trial = trial.secret("user", "hcm.integration:another");
    assert_eq!(trial.failure("workers").await, "auth-required");
    assert_eq!(trial.bodies("employees").await.get("1"), None::<&Value>);
}
