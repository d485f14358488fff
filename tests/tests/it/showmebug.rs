//! ShowMeBug through the gateway, by a connector without code.

use renmen_tests::office;
use renmen_tests::showmebug::{self, Team};
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

#[tokio::test(flavor = "multi_thread")]
async fn s13_s14_tests_are_ordered_and_results_come_in_by_events_signed_with_sha1() {
    let team = office::open(Team::default());
    let url = serve(office::router(team.clone())).await;
    let client = json!({ "client_id": showmebug::CLIENT_ID, "client_secret": showmebug::CLIENT_SECRET }).to_string();
    let slots = [("client", client.as_str()), ("webhook", showmebug::CLIENT_SECRET)];
    let config = format!("{{ base_url = \"{url}\", applications = \"feishu\" }}");
    let trial = Trial::new("showmebug", &config, &slots, &[]);
    let gateway = trial.serve().await;

    let payload = json!({ "uid": "ABCDEF", "rate": 4, "candidate_uid": "app-7" });
    let (headers, body) = showmebug::event(&payload, 0);
    for _ in 0..2 {
        assert_eq!(gateway.deliver(&headers, &body).await.0, 200);
    }
    let result = gateway.until("assessments", "ABCDEF", "/overall/score/value", json!("4")).await;
    assert_eq!(result["application"], json!({ "external": { "connection": "feishu", "value": "app-7" } }), "{result}");
    assert_eq!(gateway.inbox().await, 1);
    assert_eq!(gateway.deliver(&headers, &body.replace("\"rate\":4", "\"rate\":5")).await.0, 401);
    let (old, body) = showmebug::event(&payload, 86_400);
    assert_eq!(gateway.deliver(&old, &body).await.0, 401, "signed yesterday");
    // Without the uid that was sent out there is no telling which application it is.
    let (headers, body) = showmebug::event(&json!({ "uid": "GHIJKL", "rate": 5 }), 0);
    assert_eq!(gateway.deliver(&headers, &body).await.0, 200);
    let aside = |page: &serde_json::Value| page["data"].to_string().contains("candidate_uid").then_some(());
    gateway.api.until("/v1/quarantine", aside).await;

    let order = json!({ "application": "app-7", "name": "张三", "exam": "110346" });
    let done = gateway.act("assessments", "ABCDEF", "test.order", order.clone(), "first").await;
    assert_eq!((&done["state"], &done["receipt"]["reference"]), (&json!("delivered"), &json!("PAD1")), "{done}");
    gateway.act("assessments", "ABCDEF", "test.order", order.clone(), "first").await;
    let open = json!({ "application": "app-7", "name": "张三" });
    let done = gateway.act("assessments", "ABCDEF", "interview.order", open, "second").await;
    assert_eq!(done["receipt"]["detail"]["candidate_url"], "https://www.showmebug.example/c/1", "{done}");
    let mut unknown = order;
    unknown["exam"] = json!("1");
    let refused = gateway.act("assessments", "ABCDEF", "test.order", unknown, "third").await;
    assert_eq!(refused["state"], "dead", "refused with status 200: {refused}");
    assert_eq!(team.lock().unwrap().vendor.orders.len(), 2);
}
