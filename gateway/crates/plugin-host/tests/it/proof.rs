//! Deliveries that the host proves: what is not the vendor's costs no guest, and what is comes opened.

use std::time::Duration;

use renmen_plugin_host::{CallError, Delivery, Door, ReceivedDelivery, componentize};
use renmen_schema::manifest::WebhookManifest;

use crate::harness::{Bench, hostile_manifest, hostile_module};

const NOW_MS: i64 = 1_750_000_000_123;

/// The hostile plugin with a vendor that signs sorted pieces and wants its answers sealed.
const PROOF: &str = r#"
[webhook.proof]
slot = "digest"
signature = { query = ["signature"] }
signed = [{ is = "time_ms", at = { query = ["timestamp"] } }, { is = "nonce", at = { query = ["nonce"] } }, { is = "cipher" }]
[webhook.proof.open]
slot = "cipher"
cipher = "/encrypt"
owner = "an owner"
"#;
const ANSWER: &str = r#"
[webhook.answer]
body = { signature = "{signature}", timestamp = "{time}", nonce = "{nonce}", encrypt = "{cipher}" }
"#;

async fn bench(sections: &[&str]) -> Bench {
    let manifest = [hostile_manifest().as_str(), &sections.concat()].concat();
    Bench::with(componentize(&hostile_module(), &manifest).unwrap()).await
}

/// A delivery as the vendor would send it. What the vendor sends and what it is answered have one form, so the host makes both.
fn signed(bench: &Bench, webhook: &WebhookManifest, path: &str, text: &[u8]) -> Delivery {
    let (seal, config) = (bench.call.egress.seal(), bench.call.egress.config());
    let (proof, answer) = (webhook.proof.as_ref().unwrap(), webhook.answer.as_ref().unwrap());
    let made = seal.answer(proof, answer, config, text, NOW_MS).unwrap();
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    let member = |name: &str| made[name].as_str().unwrap();
    let query =
        format!("{path}?signature={}&timestamp={}&nonce={}", member("signature"), member("timestamp"), member("nonce"));
    delivery(&query, &serde_json::json!({ "encrypt": member("encrypt") }).to_string())
}

fn delivery(path_and_query: &str, body: &str) -> Delivery {
    Delivery {
        method: "POST".to_owned(),
        path_and_query: path_and_query.to_owned(),
        headers: Vec::new(),
        body: body.to_owned().into(),
        received_at_ms: NOW_MS,
        window: Duration::from_secs(300),
        door: Door::Request,
    }
}

fn told(result: Result<ReceivedDelivery, CallError>) -> CallError {
    result.err().unwrap()
}

#[tokio::test]
async fn what_is_not_the_vendors_never_reaches_the_connector() {
    let bench = bench(&[PROOF, ANSWER]).await;
    let webhook = bench.plugin.manifest().webhook.clone().unwrap();
    // A path on which the connector would spin until something ends it.
    let own = signed(&bench, &webhook, "/loop", b"x");
    let reached = told(bench.receive(own.clone(), |limits| limits.fuel_max = 10_000_000).await);
    assert_eq!(reached.outcome(), "limit:fuel_max", "the vendor's own gets there");

    let forged = own.path_and_query.replace("nonce=", "nonce=0");
    let late = Delivery { received_at_ms: NOW_MS + 300_001, ..own.clone() };
    for other in [Delivery { path_and_query: forged, ..own.clone() }, delivery("/loop", "{}"), late] {
        let error = told(bench.receive(other, |_| ()).await);
        assert_eq!((error.outcome().as_str(), error.usage().fuel), ("failure:auth-required", 0));
    }
}

#[tokio::test]
async fn what_the_vendor_sent_is_opened_and_its_answer_sealed_by_the_host() {
    let bench = bench(&[PROOF, ANSWER]).await;
    let webhook = bench.plugin.manifest().webhook.clone().unwrap();
    let opened = bench.receive(signed(&bench, &webhook, "/opened", b"hello"), |_| ()).await.ok().unwrap();
    assert_eq!(opened.answer.body.as_ref(), b"hello");

    let long = "long ".repeat(40_000);
    let long =
        bench.receive(signed(&bench, &webhook, "/opened", long.as_bytes()), |limits| limits.answer_bytes_max = 1 << 20);
    assert_eq!(long.await.ok().unwrap().answer.body.len(), 200_000, "also a body that is opened on another thread");

    let sealed = bench.receive(signed(&bench, &webhook, "/answer_sealed", b"x"), |_| ()).await.ok().unwrap();
    let (name, value) = &sealed.answer.headers[0];
    assert_eq!((name.as_str(), value.as_str(), sealed.answer.headers.len()), ("content-type", "application/json", 1));
    let body = String::from_utf8(sealed.answer.body.to_vec()).unwrap();
    assert!(!body.contains("success") && body.contains("encrypt"), "{body}");
    let made: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(made["timestamp"], NOW_MS.to_string(), "the host's time");
    // The vendor reads it as we read the vendor's.
    let query = format!(
        "/opened?signature={}&timestamp={NOW_MS}&nonce={}",
        made["signature"].as_str().unwrap(),
        made["nonce"].as_str().unwrap()
    );
    let body = serde_json::json!({ "encrypt": made["encrypt"] }).to_string();
    assert_eq!(bench.receive(delivery(&query, &body), |_| ()).await.ok().unwrap().answer.body.as_ref(), b"success");
}

#[tokio::test]
async fn a_sealed_answer_counts_as_it_is_sent() {
    let bench = bench(&[PROOF, ANSWER]).await;
    let webhook = bench.plugin.manifest().webhook.clone().unwrap();
    let size =
        bench.receive(signed(&bench, &webhook, "/answer_sealed", b"x"), |_| ()).await.ok().unwrap().answer.body.len()
            as u64;
    for (allowed, fits) in [(size, true), (size - 1, false)] {
        let received = bench
            .receive(signed(&bench, &webhook, "/answer_sealed", b"x"), |limits| limits.answer_bytes_max = allowed)
            .await;
        assert_eq!(received.is_ok(), fits, "{allowed}");
        if let Err(error) = received {
            assert_eq!(
                error.to_string(),
                format!("limit answer_bytes_max: the sealed answer holds {size} bytes, allowed are {allowed}")
            );
        }
    }
}

#[tokio::test]
async fn what_comes_over_a_connection_of_ours_needs_no_proof_and_is_neither_opened_nor_sealed() {
    let bench = bench(&[PROOF, ANSWER]).await;
    let held = |path: &str| Delivery { door: Door::Held, ..delivery(path, "{}") };
    let opened = bench.receive(held("/opened"), |_| ()).await.ok().unwrap();
    assert_eq!(opened.answer.body.as_ref(), b"nothing");
    let error = told(bench.receive(held("/answer_sealed"), |_| ()).await);
    assert!(error.to_string().contains("the host opened no delivery"), "{error}");
}

#[tokio::test]
async fn an_answer_that_the_manifest_does_not_speak_of_is_not_sealed() {
    let with_answer = bench(&[PROOF, ANSWER]).await;
    let webhook = with_answer.plugin.manifest().webhook.clone().unwrap();
    let bench = bench(&[PROOF]).await;
    let error = told(bench.receive(signed(&bench, &webhook, "/answer_sealed", b"x"), |_| ()).await);
    assert!(error.to_string().contains("the manifest has no [webhook.answer]"), "{error}");
}
