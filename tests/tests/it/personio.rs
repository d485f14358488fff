//! Personio through the gateway, by a connector without code.

use renmen_tests::office;
use renmen_tests::personio::{self, Company};
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

const STREAMS: [&str; 6] = ["org_units", "persons", "employments", "jobs", "candidates", "applications"];

async fn company(persons: usize) -> (office::Shared<Company>, Trial) {
    let company = office::open(Company::of(persons));
    let url = serve(office::router(company.clone())).await;
    let client = json!({ "client_id": personio::CLIENT_ID, "client_secret": personio::CLIENT_SECRET }).to_string();
    let config = format!("{{ base_url = \"{url}/v2\", token_url = \"{url}/v2/auth/token\" }}");
    (company, Trial::new("personio", &config, &[("client", &client)], &STREAMS))
}

#[tokio::test(flavor = "multi_thread")]
async fn persons_by_what_changed_and_their_employments_one_list_each_come_in() {
    let (company, trial) = company(120).await;
    for (stream, many) in
        [("org_units", 2), ("persons", 120), ("employments", 240), ("jobs", 1), ("candidates", 3), ("applications", 3)]
    {
        assert_eq!(trial.counts(stream).await, [many, 0, 0], "{stream}");
    }
    let assignment = &trial.bodies("assignments").await["e-9"];
    assert_eq!(
        (&assignment["org_unit"]["external"]["value"], &assignment["employee"]["external"]["value"]),
        (&json!("10"), &json!("9")),
        "{assignment}"
    );
    let lists = |company: &office::Shared<Company>| company.lock().unwrap().count("GET", "/v2/persons");
    let before = lists(&company);
    {
        let mut office = company.lock().unwrap();
        office.vendor.persons[6]["preferred_name"] = json!("Fay");
        office.vendor.persons[6]["updated_at"] = json!("2026-03-01T00:00:00Z");
        office.vendor.hire(121, "2026-03-01T00:00:00Z");
        // Someone left: the person does not change, the employment does, and one of another is not there any more.
        office.vendor.employments[4].1["termination"] =
            json!({ "termination_date": "2026-03-31", "last_working_day": "2026-03-15" });
        office.vendor.employments.remove(5);
        // Anonymised, so it is not to be kept.
        office.vendor.applications[0]["is_anonymized"] = json!(true);
    }
    assert_eq!(trial.counts("persons").await, [1, 1, 0]);
    assert!(lists(&company) - before <= 3, "all of whom the time was the newest, and who changed since");
    assert_eq!(trial.counts("employments").await, [2, 1, 2]);
    assert_eq!(trial.bodies("employments").await["e-5"]["end_date"], "2026-03-15");
    assert_eq!(trial.counts("applications").await, [0, 0, 1]);
    trial.keeps(&[personio::CLIENT_SECRET, "canary-personio-token"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_ended_is_renewed_within_the_run_and_a_wrong_secret_ends_it() {
    let (company, trial) = company(120).await;
    company.lock().unwrap().vendor.token_life = Some(2);
    assert_eq!(trial.counts("persons").await, [120, 0, 0]);
    assert_eq!(company.lock().unwrap().vendor.given, 2, "the third page needed another token");
    company.lock().unwrap().vendor.token_life = None;
    company.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("org_units").await, [2, 0, 0], "told to slow down once, without for how long");
    company.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("persons").await, "rate-limited");
    company.lock().unwrap().busy = 0;
    let wrong = json!({ "client_id": personio::CLIENT_ID, "client_secret": "another" }).to_string();
    let trial = trial.secret("client", &wrong);
    assert_eq!(trial.failure("persons").await, "auth-required");
}
