//! BambooHR through the gateway, by a connector without code.

use renmen_tests::bamboohr::{self, Company};
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

const CHANGED: &str = "/api/v1/employees/changed";

async fn company(employees: usize, applications: usize) -> (office::Shared<Company>, Trial) {
    let company = office::open(Company::of(employees, applications));
    let url = serve(office::router(company.clone())).await;
    let key = format!("{}:x", bamboohr::KEY);
    let slots = [("key", key.as_str()), ("webhook", bamboohr::PRIVATE_KEY)];
    let streams = ["employees", "compensation", "time_off", "jobs", "applications"];
    (company, Trial::new("bamboohr", &format!("{{ base_url = \"{url}/api/v1\" }}"), &slots, &streams))
}

#[tokio::test(flavor = "multi_thread")]
async fn all_employees_come_in_then_those_that_changed_and_who_was_deleted_is_gone() {
    let (company, trial) = company(130, 0).await;
    // The first request is told to come back in a second.
    company.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("employees").await, [130, 0, 0]);
    let manager = &trial.bodies("employees").await["102"]["work"]["manager"];
    assert_eq!(manager["external"]["value"], "101");
    assert_eq!(trial.counts("employees").await, [0, 0, 0]);
    {
        let mut office = company.lock().unwrap();
        office.vendor.change("107", "Updated", "2026-02-03T00:00:00+00:00")["jobTitleName"] = json!("Architect");
        let left = office.vendor.change("108", "Updated", "2026-02-03T00:00:00+00:00");
        left["status"] = json!("Inactive");
        left["terminationDate"] = json!("2026-02-02");
        office.vendor.change("109", "Deleted", "2026-02-03T00:00:00+00:00");
        office.vendor.employees.push(bamboohr::employee(131, "2026-02-03T00:00:00+00:00"));
    }
    assert_eq!(trial.counts("employees").await, [1, 2, 1]);
    let employees = trial.bodies("employees").await;
    assert_eq!((&employees["107"]["work"]["title"], employees.get("109")), (&json!("Architect"), None));
    let left = &employees["108"]["work"];
    assert_eq!((&left["status"]["code"], &left["end_date"]), (&json!("TERMINATED"), &json!("2026-02-02")));
    let office = company.lock().unwrap();
    let since = office.asked.iter().filter(|ask| ask.path == CHANGED).map(|ask| ask.query["since"].as_str());
    assert!(since.clone().any(|since| since == "1970-01-01T00:00:00Z"), "the first run reads everything");
    assert!(since.clone().any(|since| since.starts_with("2026-01-31T23:50")), "and the next ten minutes again");
    drop(office);
    trial.keeps(&[bamboohr::KEY, bamboohr::PRIVATE_KEY, "canary-home-address"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn pay_time_off_jobs_and_applications_come_in_and_what_is_no_longer_listed_is_gone() {
    let (company, trial) = company(2, 120).await;
    trial.counts("employees").await;
    let day = |days: i64| {
        jiff::Timestamp::now()
            .to_zoned(jiff::tz::TimeZone::UTC)
            .date()
            .saturating_add(jiff::Span::new().days(days))
            .to_string()
    };
    {
        let mut office = company.lock().unwrap();
        let vendor = &mut office.vendor;
        vendor.compensation = [("1", "Month"), ("2", "Year"), ("3", "Pay Period")]
            .map(|(id, per)| bamboohr::pay(id, "101", "15000.50", per))
            .into();
        vendor.time_off = vec![
            bamboohr::absence("7", "101", &day(30), &day(31), "approved"),
            bamboohr::absence("8", "102", &day(-400), &day(-399), "approved"),
        ];
    }
    let run = trial.pull("compensation").await;
    assert_eq!(
        (&run["created"], &run["quarantined"]),
        (&json!(2), &json!(1)),
        "a rate for a pay period has no length: {run}"
    );
    let rate = json!({ "money": { "amount": "15000.5", "currency": "CNY" }, "per": "MONTH" });
    assert_eq!(trial.bodies("compensations").await["1"]["rate"], rate);
    assert_eq!(trial.counts("time_off").await, [1, 0, 0], "what lies within a year");
    let leave = &trial.bodies("leaves").await["7"];
    assert_eq!(leave["amount"], json!({ "value": "4.5", "unit": "HOUR" }), "{leave}");
    company.lock().unwrap().vendor.compensation.remove(1);
    assert_eq!(trial.pull("compensation").await["deleted"], 1);

    assert_eq!(trial.counts("jobs").await, [1, 0, 0]);
    assert_eq!(trial.counts("applications").await, [240, 0, 0], "each an applicant and an application");
    assert_eq!(company.lock().unwrap().count("GET", "/api/v1/applicant_tracking/applications"), 3, "three pages");
    company.lock().unwrap().vendor.applications.pop();
    assert_eq!(trial.counts("applications").await, [0, 0, 2]);
    trial.keeps(&[bamboohr::KEY, "canary-note"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_key_and_a_throttle_that_lasts_end_the_run_with_their_reason() {
    let (company, trial) = company(2, 0).await;
    company.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("employees").await, "rate-limited");
    company.lock().unwrap().busy = 0;
    let trial = trial.secret("key", "another-key:x");
    assert_eq!(trial.failure("employees").await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_proved_over_body_and_time_and_the_employee_is_read_again() {
    let (company, trial) = company(3, 0).await;
    trial.counts("employees").await;
    let gateway = trial.serve().await;
    company.lock().unwrap().vendor.change("102", "Updated", "2026-02-03T00:00:00+00:00")["jobTitleName"] =
        json!("Lead");
    let now_s = office::now_s();
    let (body, signature) = bamboohr::event("employee.updated", "102", now_s);
    let signed = |signature: &str, at_s: i64| {
        [("x-bamboohr-signature", signature.to_owned()), ("x-bamboohr-timestamp", at_s.to_string())]
    };
    for _ in 0..2 {
        assert_eq!(gateway.deliver(&signed(&signature, now_s), &body).await.0, 200);
    }
    gateway.until("employees", "102", "/work/title", json!("Lead")).await;
    assert_eq!(gateway.inbox().await, 1, "the same event twice is one");
    assert_eq!(gateway.deliver(&signed(&signature, now_s + 1), &body).await.0, 401, "signed for another time");
    assert_eq!(gateway.deliver(&signed(&signature, now_s), &body.replace("102", "103")).await.0, 401);
    assert_eq!(gateway.deliver(&signed(&signature, now_s)[..1], &body).await.0, 401, "no time");
    let (old, signature) = bamboohr::event("employee.updated", "103", now_s - 86_400);
    assert_eq!(gateway.deliver(&signed(&signature, now_s - 86_400), &old).await.0, 401, "signed yesterday");

    company.lock().unwrap().vendor.change("103", "Deleted", "2026-02-03T00:00:00+00:00");
    let (body, signature) = bamboohr::event("employee.deleted", "103", now_s);
    assert_eq!(gateway.deliver(&signed(&signature, now_s), &body).await.0, 200);
    gateway.until_gone("employees", "103").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_gets_its_status_once_and_a_status_that_does_not_exist_is_refused() {
    const STATUS: &str = "/api/v1/applicant_tracking/applications/1/status";
    let (company, trial) = company(1, 1).await;
    trial.counts("jobs").await;
    trial.counts("applications").await;
    let gateway = trial.serve().await;
    let hire = json!({ "application": "1", "status": 4 });
    let done = gateway.act("applications", "1", "application.status", hire.clone(), "first").await;
    assert_eq!((&done["state"], &done["receipt"]["reference"]), (&json!("delivered"), &json!("901")), "{done}");
    let found = gateway.act("applications", "1", "application.status", hire, "second").await;
    assert_eq!(found["state"], "delivered", "{found}");
    assert_eq!(company.lock().unwrap().count("POST", STATUS), 1, "it has the status already");
    let unknown = json!({ "application": "1", "status": 77 });
    let refused = gateway.act("applications", "1", "application.status", unknown, "third").await;
    assert_eq!(refused["state"], "dead", "{refused}");
    assert_eq!(company.lock().unwrap().vendor.changes, 1);
}
