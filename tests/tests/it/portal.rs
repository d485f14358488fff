//! A recruiting portal through the gateway, by a connector without code.

use renmen_tests::office;
use renmen_tests::portal::{self, Portal};
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

async fn portal_of(applications: usize) -> (office::Shared<Portal>, Trial) {
    let portal = office::open(Portal::of(applications));
    let url = serve(office::router(portal.clone())).await;
    let slots = [("key", portal::API_KEY), ("webhook", portal::SECRET)];
    (portal, Trial::new("portal", &format!("{{ base_url = \"{url}/api/v1\" }}"), &slots, &["applications"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_applications_are_pulled_in_pages_and_a_cursor_that_expired_begins_the_list_again() {
    let (portal, trial) = portal_of(450).await;
    {
        let mut office = portal.lock().unwrap();
        (office.busy, office.vendor.forgets_cursor) = (1, true);
    }
    assert_eq!(trial.counts("applications").await, [900, 0, 0]);
    {
        let mut office = portal.lock().unwrap();
        office.vendor.applications[3]["stage"] = json!("offer");
        office.vendor.applications[3]["updated_at"] = json!("2026-02-03T08:00:00Z");
    }
    assert_eq!(trial.counts("applications").await, [0, 1, 0]);
    let trial = trial.secret("key", "another");
    assert_eq!(trial.failure("applications").await, "auth-required");
    portal.lock().unwrap().busy = 100;
    trial.keeps(&[portal::API_KEY, portal::SECRET]);
}

#[tokio::test(flavor = "multi_thread")]
async fn r02_an_application_arrives_by_event_with_its_resume_as_a_file_by_reference_and_one_hash() {
    let (_portal, trial) = portal_of(0).await;
    let gateway = trial.serve().await;
    let event = |kind: &str, application: &serde_json::Value| json!({ "type": kind, "data": application }).to_string();
    let body = event("application.submitted", &portal::application(7, "2026-02-01T08:00:00Z"));
    for _ in 0..2 {
        assert_eq!(gateway.deliver(&portal::sign("msg-1", 0, &body), &body).await.0, 200);
    }
    let candidate = gateway.until("candidates", "cand-7", "/documents/0/sha256", json!("ab".repeat(32))).await;
    assert_eq!(candidate["documents"][0]["uri"], "https://files.portal.test/7.pdf");
    assert_eq!(candidate["experiences"][0]["fact_id"], "exp-1", "what was read from the file stands next to it");
    gateway.until("applications", "app-7", "/candidate/external/value", json!("cand-7")).await;
    assert_eq!(gateway.inbox().await, 1);

    // A file without a hash has its application's candidate set aside, and nothing else.
    let mut bare = portal::application(8, "2026-02-01T08:00:00Z");
    bare["candidate"]["documents"][0].as_object_mut().unwrap().remove("sha256");
    let body = event("application.submitted", &bare);
    assert_eq!(gateway.deliver(&portal::sign("msg-2", 0, &body), &body).await.0, 200);
    gateway.until("applications", "app-8", "/job/external/value", json!("job-7")).await;
    gateway.until_gone("candidates", "cand-8").await;

    let body = event("application.deleted", &json!({ "id": "app-7" }));
    let good = portal::sign("msg-3", 0, &body);
    let mut moved = good.clone();
    moved[0].1 = "msg-4".to_owned();
    for (headers, why) in [
        (portal::sign("msg-3", 86_400, &body), "old"),
        (portal::sign("msg-3", 0, "{}"), "of another body"),
        (moved, "with another id"),
    ] {
        assert_eq!(gateway.deliver(&headers, &body).await.0, 401, "{why}");
    }
    assert_eq!(gateway.inbox().await, 2);
    assert_eq!(gateway.deliver(&good, &body).await.0, 200);
    gateway.until_gone("applications", "app-7").await;
    let (status, answer) = gateway.deliver(&portal::sign("msg-9", 0, r#"{"type":"ping"}"#), r#"{"type":"ping"}"#).await;
    assert_eq!((status, answer.as_str()), (200, r#"{"pong":true}"#));
}

#[tokio::test(flavor = "multi_thread")]
async fn stages_and_invitations_go_out_once_for_each_key_and_a_refusal_is_told() {
    let (portal, trial) = portal_of(2).await;
    trial.counts("applications").await;
    let gateway = trial.serve().await;
    let offer = json!({ "application": "app-1", "stage": "offer", "note": "Talked to on Monday" });
    let done = gateway.act("applications", "app-1", "application.stage", offer.clone(), "first").await;
    assert_eq!((&done["state"], &done["receipt"]["reference"]), (&json!("delivered"), &json!("stage-1")), "{done}");
    gateway.act("applications", "app-1", "application.stage", offer, "first").await;
    let invite = json!({ "application": "app-1", "kind": "test", "url": "https://tests.example/1" });
    let done = gateway.act("applications", "app-1", "application.invite", invite, "second").await;
    assert_eq!(done["receipt"]["reference"], "invitation-2", "{done}");
    let unknown = json!({ "application": "app-1", "stage": "no such stage" });
    let refused = gateway.act("applications", "app-1", "application.stage", unknown, "third").await;
    assert_eq!(refused["state"], "dead", "{refused}");
    let written = portal.lock().unwrap().vendor.written.clone();
    assert_eq!(written.len(), 2, "{written:?}");
    assert_eq!(
        written[0].1,
        json!({ "stage": "offer", "note": "Talked to on Monday" }),
        "what was not given is not sent"
    );
}
