//! A provider of app push messages through the gateway, by a connector without code.

use renmen_tests::checks::{self, Checks};
use renmen_tests::office;
use renmen_tests::push::{self, Provider};
use serde_json::json;

use crate::declared::Trial;
use crate::harness::{plugin, serve};

/// Messages are about a record, which comes in from another connection.
async fn provider() -> (office::Shared<Provider>, Trial) {
    let provider = office::open(Provider::default());
    let url = serve(office::router(provider.clone())).await;
    let checks_url = serve(office::router(office::open(Checks::of(1)))).await;
    let trial = Trial::new("push", &format!("{{ base_url = \"{url}/v1\" }}"), &[("key", push::API_KEY)], &[]);
    let other = format!(
        r#"
[connections.checks]
plugin = "{}"
config = {{ base_url = "{checks_url}/api/v1" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.key = {{ env = "CHECKS_KEY" }}
streams.results = {{ manual = true }}
"#,
        plugin("checks").display()
    );
    (provider, trial.with(&other, &[("CHECKS_KEY", checks::API_KEY)]))
}

#[tokio::test(flavor = "multi_thread")]
async fn s20_a_message_is_sent_once_and_counts_as_delivered_only_when_its_state_says_so() {
    let (provider, trial) = provider().await;
    trial.home.json(&["sync", "checks", "results", "--dev"]).await;
    let gateway = trial.serve().await;
    let send = async |input: serde_json::Value, key: &str| {
        gateway.act("assessments", "ord-1", "message.send", input, key).await
    };
    provider.lock().unwrap().busy = 1;
    let message = json!({ "to": "device-1", "title": "面试提醒", "text": "您的面试即将开始", "language": "zh-CN" });
    let done = send(message.clone(), "first").await;
    assert_eq!((&done["state"], &done["receipt"]["reference"]), (&json!("delivered"), &json!("push-1")), "{done}");
    assert_eq!(done["receipt"]["detail"]["confirmed"]["status"], "delivered", "the state was read back: {done}");
    assert!(provider.lock().unwrap().count("GET", "/v1/messages/push-1") >= 2, "asked until it was known");
    send(message, "first").await;

    let lost = send(json!({ "to": "lost-1", "text": "Hello" }), "second").await;
    assert_eq!(lost["state"], "dead", "accepted, and it did not arrive: {lost}");
    let unknown = send(json!({ "to": "no such device", "text": "Hello" }), "third").await;
    assert_eq!(unknown["state"], "dead", "{unknown}");
    assert_eq!(provider.lock().unwrap().vendor.messages.len(), 2);
    trial.keeps(&[push::API_KEY]);
}
