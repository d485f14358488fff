//! A vendor of tests and background checks through the gateway, by a connector without code.

use renmen_tests::checks::{self, Checks};
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

async fn vendor(orders: usize) -> (office::Shared<Checks>, Trial) {
    let vendor = office::open(Checks::of(orders));
    let url = serve(office::router(vendor.clone())).await;
    let slots = [("key", checks::API_KEY), ("webhook", checks::SECRET)];
    let config = format!("{{ base_url = \"{url}/api/v1\", applications = \"feishu\" }}");
    (vendor, Trial::new("checks", &config, &slots, &["results"]))
}

#[tokio::test(flavor = "multi_thread")]
async fn s14_results_are_pulled_in_pages_and_stand_on_the_application_of_another_connection() {
    let (vendor, trial) = vendor(430).await;
    vendor.lock().unwrap().busy = 1;
    assert_eq!(trial.counts("results").await, [430, 0, 0]);
    let result = &trial.bodies("assessments").await["ord-9"];
    assert_eq!(result["application"], json!({ "external": { "connection": "feishu", "value": "app-9" } }), "{result}");
    assert_eq!(
        result["overall"],
        json!({ "score": { "value": "82.5", "min": "0", "max": "100", "scale": "RAW" }, "passed": true }),
        "{result}"
    );
    vendor.lock().unwrap().vendor.complete(4, "60", "2026-02-02T09:00:00Z");
    assert_eq!(trial.counts("results").await, [0, 1, 0]);
    vendor.lock().unwrap().busy = 100;
    assert_eq!(trial.failure("results").await, "rate-limited");
    vendor.lock().unwrap().busy = 0;
    let trial = trial.secret("key", "another");
    assert_eq!(trial.failure("results").await, "auth-required");
    trial.keeps(&[checks::API_KEY, checks::SECRET]);
}

#[tokio::test(flavor = "multi_thread")]
async fn s13_s14_an_order_goes_out_once_and_its_result_comes_in_by_a_proved_event() {
    let (vendor, trial) = vendor(1).await;
    trial.counts("results").await;
    let gateway = trial.serve().await;
    let order = json!({ "application": "app-7", "package": "basic", "candidate": { "name": "Li Example", "email": "li@candidate.test" } });
    let done = gateway.act("assessments", "ord-1", "order.create", order.clone(), "first").await;
    assert_eq!((&done["state"], &done["receipt"]["reference"]), (&json!("delivered"), &json!("ord-2")), "{done}");
    assert_eq!(done["receipt"]["detail"], json!({ "url": "https://checks.example/take/1", "status": "invited" }));
    gateway.act("assessments", "ord-1", "order.create", order.clone(), "first").await;
    assert_eq!(vendor.lock().unwrap().vendor.orders.len(), 2, "the same key is the same order");

    let result = vendor.lock().unwrap().vendor.complete(1, "91", "2026-02-02T09:00:00Z");
    let (headers, body) = checks::event("evt-1", &result, 0);
    for _ in 0..2 {
        assert_eq!(gateway.deliver(&headers, &body).await.0, 200);
    }
    let result = gateway.until("assessments", "ord-2", "/overall/score/value", json!("91")).await;
    assert_eq!(
        (&result["kind"]["code"], &result["report"][0]["sha256"]),
        (&json!("BACKGROUND_CHECK"), &json!("cd".repeat(32)))
    );
    assert_eq!(gateway.inbox().await, 1);
    let (old, _) = checks::event("evt-1", &json!({}), 0);
    assert_eq!(gateway.deliver(&old, &body).await.0, 401, "signed for another body");
    let (old, body) = checks::event("evt-2", &json!({ "id": "ord-9" }), 86_400);
    assert_eq!(gateway.deliver(&old, &body).await.0, 401, "signed yesterday");
    assert_eq!(gateway.inbox().await, 1);

    let cancel = json!({ "order": "ord-2" });
    let refused = gateway.act("assessments", "ord-2", "order.cancel", cancel, "second").await;
    assert_eq!(refused["state"], "dead", "there is a result: {refused}");
    let mut unknown = order;
    unknown["package"] = json!("no-such");
    let refused = gateway.act("assessments", "ord-1", "order.create", unknown, "third").await;
    assert_eq!(refused["state"], "dead", "{refused}");
}
