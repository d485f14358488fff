//! Checkr through the gateway, by a connector without code.

use renmen_tests::checkr::{self, Account};
use renmen_tests::office;
use serde_json::{Value, json};

use crate::declared::Trial;
use crate::harness::serve;

async fn account(candidates: usize) -> (office::Shared<Account>, Trial) {
    let account = office::open(Account::of(candidates));
    let url = serve(office::router(account.clone())).await;
    let config = format!("{{ base_url = \"{url}/v1\", applications = \"feishu\" }}");
    // Events are signed with the key that goes onto requests: it is given once.
    (account, Trial::new("checkr", &config, &[("key", checkr::KEY)], &["reports"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn s14_reports_of_completed_invitations_stand_on_the_application_of_another_connection() {
    let (account, trial) = account(130).await;
    {
        let mut office = account.lock().unwrap();
        // The first request is told the time of the next minute.
        office.busy = 1;
        office.vendor.set("rep-9", "complete", &json!("clear"));
        office.vendor.set("rep-10", "complete", &json!("consider"));
        office.vendor.candidates[3]["custom_id"] = Value::Null;
    }
    assert_eq!(trial.counts("reports").await, [129, 0, 0], "a report of another program's order is passed over");
    let found = trial.bodies("assessments").await;
    let clear = &found["rep-9"];
    assert_eq!(clear["application"], json!({ "external": { "connection": "feishu", "value": "app-9" } }), "{clear}");
    assert_eq!((&clear["status"]["code"], &clear["kind"]["code"]), (&json!("COMPLETED"), &json!("BACKGROUND_CHECK")));
    assert_eq!(clear["overall"], json!({ "passed": true, "band": "clear" }), "{clear}");
    assert_eq!(found["rep-10"]["overall"], json!({ "band": "consider" }), "a person looks at it");
    assert_eq!((&found["rep-11"]["status"]["code"], found.get("rep-4")), (&json!("IN_PROGRESS"), None));
    assert_eq!(account.lock().unwrap().count("GET", "/v1/invitations"), 3, "one refused, two pages");
    account.lock().unwrap().vendor.set("rep-11", "suspended", &Value::Null);
    assert_eq!(trial.counts("reports").await, [0, 1, 0]);

    account.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("reports").await, "rate-limited");
    account.lock().unwrap().busy = 0;
    let trial = trial.secret("key", "another-key");
    assert_eq!(trial.failure("reports").await, "auth-required");
    trial.keeps(&[checkr::KEY]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_s14_a_check_is_ordered_once_in_two_steps_and_its_report_comes_in_by_a_proved_event() {
    let (account, trial) = account(1).await;
    trial.counts("reports").await;
    let gateway = trial.serve().await;
    let act =
        |action: &'static str, input: Value, key: &'static str| gateway.act("assessments", "rep-1", action, input, key);
    let person = json!({ "application": "app-7", "email": "li@candidate.test", "first_name": "Li" });
    let made = act("candidate.create", person.clone(), "first").await;
    assert_eq!((&made["state"], &made["receipt"]["reference"]), (&json!("delivered"), &json!("cand-2")), "{made}");
    let found = act("candidate.create", person.clone(), "second").await;
    assert_eq!(found["receipt"]["reference"], "cand-2", "the application is known: {found}");
    assert_eq!(account.lock().unwrap().vendor.candidates.len(), 2);
    let order = json!({ "candidate": "cand-2", "package": "driver_pro", "country": "US", "state": "CA" });
    let done = act("invitation.create", order.clone(), "third").await;
    let url = json!("https://apply.checkr.example/invite/inv-2");
    assert_eq!((&done["receipt"]["reference"], &done["receipt"]["detail"]["url"]), (&json!("inv-2"), &url), "{done}");
    act("invitation.create", order.clone(), "third").await;
    assert_eq!(account.lock().unwrap().vendor.invitations.len(), 2, "the same key is the same invitation");
    for (member, value, key) in [("package", json!("unknown"), "fourth"), ("state", Value::Null, "fifth")] {
        let mut wrong = order.clone();
        wrong[member] = value;
        if wrong[member].is_null() {
            wrong.as_object_mut().unwrap().remove(member);
        }
        assert_eq!(act("invitation.create", wrong, key).await["state"], "dead", "{member}");
    }

    {
        let mut office = account.lock().unwrap();
        office.vendor.fill_in("inv-2", "rep-2");
        office.vendor.set("rep-2", "complete", &json!("clear"));
    }
    let (body, signature) = checkr::event("evt-1", "report.completed", "rep-2");
    let signed = |signature: &str| [("x-checkr-signature", signature.to_owned())];
    for _ in 0..2 {
        assert_eq!(gateway.deliver(&signed(&signature), &body).await.0, 200);
    }
    let report = gateway.until("assessments", "rep-2", "/overall/passed", json!(true)).await;
    assert_eq!(report["application"]["external"]["value"], "app-7", "{report}");
    assert_eq!(gateway.inbox().await, 1, "the same event twice is one");
    let forged = body.replace("rep-2", "rep-1");
    assert_eq!(gateway.deliver(&signed(&signature), &forged).await.0, 401);
    assert_eq!(gateway.deliver(&signed(checkr::UNSIGNED), &body).await.0, 401, "an account without a key");
    assert_eq!(gateway.deliver(&[], &body).await.0, 401);
    trial.keeps(&[checkr::KEY]);
}
