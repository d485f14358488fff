//! BambooHR through the gateway, by a connector without code.

use renmen_tests::bamboohr::{self, Company};
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

async fn company(employees: usize, applications: usize) -> (office::Shared<Company>, Trial) {
    let company = office::open(Company::of(employees, applications));
    let url = serve(office::router(company.clone())).await;
    let key = format!("{}:x", bamboohr::API_KEY);
    let slots = [("key", key.as_str()), ("webhook", bamboohr::PRIVATE_KEY)];
    let config = format!("{{ base_url = \"{url}/api/v1\" }}");
    (company, Trial::new("bamboohr", &config, &slots, &["employees", "jobs", "applications"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn who_changed_is_asked_for_one_by_one_and_who_was_deleted_is_gone() {
    let (company, trial) = company(24, 120).await;
    company.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("employees").await, [24, 0, 0]);
    let employees = trial.bodies("employees").await;
    assert_eq!((&employees["3"]["work"]["end_date"], &employees["3"]["number"]), (&json!(null), &json!("E3")));
    let details = |company: &office::Shared<Company>| company.lock().unwrap().count("GET", "/api/v1/employees/3");
    let before = details(&company);
    {
        let mut office = company.lock().unwrap();
        office.vendor.change("7", "jobTitle", json!("Lead"), "2026-03-01T00:00:00+00:00");
        office.vendor.delete("8", "2026-03-01T00:00:01+00:00");
        office.vendor.hire("25", "2026-03-01T00:00:02+00:00");
    }
    assert_eq!(trial.counts("employees").await, [1, 1, 1]);
    assert_eq!(details(&company), before, "who did not change is not asked for");
    assert_eq!(trial.bodies("employees").await["7"]["work"]["title"], "Lead");
    assert_eq!(trial.counts("employees").await, [0, 0, 0]);

    assert_eq!(trial.counts("jobs").await, [1, 0, 0]);
    assert_eq!(trial.counts("applications").await, [240, 0, 0], "three pages, each an applicant and an application");
    {
        let mut office = company.lock().unwrap();
        office.vendor.jobs[0] = bamboohr::job(51, "Engineer", "Deleted");
        office.vendor.applications.truncate(119);
    }
    assert_eq!(trial.counts("jobs").await, [0, 0, 1]);
    assert_eq!(trial.counts("applications").await, [0, 0, 2]);
    // Nothing that was not asked for came in.
    trial.keeps(&[bamboohr::API_KEY, bamboohr::PRIVATE_KEY, "canary-ssn"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_and_too_many_requests_are_told_even_with_status_200() {
    let (company, trial) = company(2, 0).await;
    {
        let mut office = company.lock().unwrap();
        (office.busy, office.vendor.quietly_busy) = (1, true);
    }
    assert_eq!(trial.failure("employees").await, "rate-limited");
    assert_eq!(trial.counts("employees").await, [2, 0, 0]);
    let trial = trial.secret("key", "another:x");
    assert_eq!(trial.failure("employees").await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_events_with_a_good_signature_and_a_fresh_time_count_and_a_status_is_set_once() {
    let (company, trial) = company(5, 2).await;
    trial.counts("employees").await;
    trial.counts("applications").await;
    let gateway = trial.serve().await;
    company.lock().unwrap().vendor.change("2", "jobTitle", json!("Lead"), "2026-03-01T00:00:00+00:00");
    let (headers, body) = bamboohr::event("employee.updated", "2", 0);
    assert_eq!(gateway.deliver(&headers, &body).await.0, 200);
    gateway.until("employees", "2", "/work/title", json!("Lead")).await;
    company.lock().unwrap().vendor.delete("3", "2026-03-01T00:00:00+00:00");
    let (headers, body) = bamboohr::event("employee.deleted", "3", 0);
    assert_eq!(gateway.deliver(&headers, &body).await.0, 200);
    gateway.until_gone("employees", "3").await;

    let kept = gateway.inbox().await;
    let (headers, _) = bamboohr::event("employee.deleted", "4", 0);
    assert_eq!(gateway.deliver(&headers, &body).await.0, 401, "signed for another body");
    let (old, body) = bamboohr::event("employee.deleted", "4", 86_400);
    assert_eq!(gateway.deliver(&old, &body).await.0, 401, "signed yesterday");
    let mut moved = old.clone();
    moved[1].1 = office::now_s().to_string();
    assert_eq!(gateway.deliver(&moved, &body).await.0, 401, "the time is signed too");
    assert_eq!(gateway.inbox().await, kept, "of what is not proved nothing is kept");

    let path = "/api/v1/applicant_tracking/applications/901/status";
    let hired = json!({ "application": "901", "status": 9 });
    for key in ["first", "first", "second"] {
        let done = gateway.act("applications", "901", "application.status", hired.clone(), key).await;
        assert_eq!(done["state"], "delivered", "{done}");
    }
    assert_eq!(company.lock().unwrap().count("POST", path), 1, "looked first");
    let unknown = json!({ "application": "901", "status": 77 });
    let refused = gateway.act("applications", "901", "application.status", unknown, "third").await;
    assert_eq!(refused["state"], "dead", "{refused}");
}
