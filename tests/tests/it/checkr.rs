//! Checkr through the gateway, by a connector without code.

use renmen_tests::checkr::{self, Account};
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

async fn account(candidates: usize) -> (office::Shared<Account>, Trial) {
    let account = office::open(Account::of(candidates));
    let url = serve(office::router(account.clone())).await;
    let key = format!("{}:", checkr::API_KEY);
    let slots = [("key", key.as_str()), ("webhook", checkr::API_KEY)];
    let config = format!("{{ base_url = \"{url}/v1\", applications = \"feishu\" }}");
    (account, Trial::new("checkr", &config, &slots, &["candidates", "reports"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn s14_reports_are_read_with_their_candidate_and_stand_on_the_application_that_was_sent_out() {
    let (account, trial) = account(130).await;
    account.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("candidates").await, [130, 0, 0]);
    assert_eq!(trial.counts("reports").await, [130, 0, 0]);
    let report = &trial.bodies("assessments").await["rep7"];
    assert_eq!(report["application"], json!({ "external": { "connection": "feishu", "value": "app-7" } }), "{report}");
    assert_eq!(report["overall"], json!({ "band": "clear", "passed": true }), "{report}");
    account.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("candidates").await, "rate-limited");
    account.lock().unwrap().busy = 0;
    let trial = trial.secret("key", "another:");
    assert_eq!(trial.failure("candidates").await, "auth-required");
    trial.keeps(&[checkr::API_KEY]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_s14_a_check_is_ordered_in_two_steps_and_its_events_have_the_report_read_again() {
    let (account, trial) = account(1).await;
    trial.counts("candidates").await;
    let gateway = trial.serve().await;
    let create = json!({ "application": "app-9", "email": "c9@candidate.test", "first_name": "Li" });
    let done = gateway.act("candidates", "cand1", "candidate.create", create.clone(), "first").await;
    assert_eq!((&done["state"], &done["receipt"]["reference"]), (&json!("delivered"), &json!("cand2")), "{done}");
    gateway.act("candidates", "cand1", "candidate.create", create, "first").await;
    assert_eq!(account.lock().unwrap().vendor.candidates.len(), 2, "the same key makes one");
    let invite = json!({ "candidate": "cand2", "package": "essential_criminal", "country": "US", "state": "CA" });
    let done = gateway.act("candidates", "cand1", "invitation.create", invite.clone(), "second").await;
    assert_eq!(done["receipt"]["detail"]["url"], "https://apply.checkr.example/inv1", "{done}");
    let mut unknown = invite;
    unknown["candidate"] = json!("cand99");
    let refused = gateway.act("candidates", "cand1", "invitation.create", unknown, "third").await;
    assert_eq!(refused["state"], "dead", "{refused}");

    let report = account.lock().unwrap().vendor.report("cand2", "complete", Some("consider"));
    let (headers, body) = checkr::event("evt-1", "report.completed", &report);
    for _ in 0..2 {
        assert_eq!(gateway.deliver(&headers, &body).await.0, 200);
    }
    let result = gateway.until("assessments", &report, "/overall/band", json!("consider")).await;
    assert_eq!(
        (&result["application"]["external"]["value"], &result["overall"]["passed"]),
        (&json!("app-9"), &json!(null)),
        "neither a pass nor a failure: {result}"
    );
    assert_eq!(gateway.inbox().await, 1);
    assert_eq!(gateway.deliver(&headers, &body.replace("rep2", "rep1")).await.0, 401);
    assert_eq!(gateway.deliver(&[], &body).await.0, 401);
    assert_eq!(gateway.inbox().await, 1);
}
