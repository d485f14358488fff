//! Deliveries: what of an outcome may leave, and which limit names what may not.

use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac as _};
use renmen_plugin_host::{CallError, Delivery, Door, ReceivedDelivery};
use sha2::Sha256;

use crate::harness::{Bench, CANARY, PROVING, host};
use crate::modules::{PULL, component};

fn delivery(path: &str) -> Delivery {
    Delivery {
        method: "POST".to_owned(),
        path_and_query: path.to_owned(),
        headers: Vec::new(),
        body: bytes::Bytes::from_static(b"{}"),
        received_at_ms: 1_750_000_000_000,
        window: Duration::from_secs(300),
        door: Door::Request,
    }
}

fn told(result: Result<ReceivedDelivery, CallError>) -> String {
    result.err().unwrap().to_string()
}

#[tokio::test]
async fn a_delivery_crosses_and_its_answer_comes_back() {
    let bench = Bench::new().await;
    let outcome = bench.receive(delivery("/echo"), |_| ()).await.ok().unwrap();
    assert_eq!((outcome.answer.status, outcome.answer.body.as_ref()), (200, &b"{}"[..]));
    assert_eq!(outcome.delivery_id.as_deref(), Some("d-1"));
}

#[tokio::test]
async fn a_signature_is_proved_without_the_key() {
    let bench = Bench::new().await;
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(PROVING.as_bytes()).unwrap();
    mac.update(b"{}");
    let signature = mac.finalize().into_bytes();
    let signed = |signature: &[u8]| {
        let headers = vec![("x-signature".to_owned(), hex::encode(signature))];
        bench.receive(Delivery { headers, ..delivery("/signed") }, |_| ())
    };
    let outcome = signed(&signature).await.unwrap_or_else(|error| panic!("{error}"));
    assert_eq!((outcome.answer.status, outcome.records.len(), outcome.usage.records), (204, 1, 1));
    for forged in [&b""[..], b"forged", &signature[1..]] {
        assert_eq!(signed(forged).await.err().unwrap().outcome(), "failure:auth-required");
    }
}

#[tokio::test]
async fn the_delivery_is_exchange_0_and_what_is_read_meanwhile_counts_from_1() {
    let bench = Bench::new().await;
    let outcome = bench.receive(delivery("/asks"), |_| ()).await.ok().unwrap();
    assert_eq!(outcome.records.iter().map(|record| record.exchange).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(outcome.exchanges.len(), 1);
}

#[tokio::test]
async fn each_bound_of_an_outcome_names_itself() {
    let bench = Bench::new().await;
    let error = told(bench.receive(delivery("/records"), |_| ()).await);
    assert_eq!(error, "limit page_records_max: the delivery holds 2000 records, allowed are 1000");
    assert!(bench.receive(delivery("/records"), |limits| limits.page_records_max = 2_000).await.is_ok());

    let error = told(bench.receive(delivery("/refreshes"), |_| ()).await);
    assert_eq!(error, "limit refreshes_max: the delivery asks for 1600 records to be read again, allowed are 1000");
    assert!(bench.receive(delivery("/refreshes"), |limits| limits.refreshes_max = 1_600).await.is_ok());

    let error = told(bench.receive(delivery("/answer_huge"), |_| ()).await);
    assert_eq!(error, "limit answer_bytes_max: the answer holds 81920 bytes, allowed are 65536");
    assert!(bench.receive(delivery("/answer_huge"), |limits| limits.answer_bytes_max = 81_920).await.is_ok());

    let error = told(bench.receive(delivery("/heavy"), |limits| limits.page_bytes_max = 1 << 20).await);
    assert_eq!(error, "limit page_bytes_max: the delivery holds 2097152 bytes, allowed are 1048576");
    assert!(bench.receive(delivery("/heavy"), |limits| limits.page_bytes_max = 2 << 20).await.is_ok());
}

#[tokio::test]
async fn an_answer_that_no_vendor_may_get_is_refused() {
    let bench = Bench::new().await;
    let error = told(bench.receive(delivery("/answer_status"), |_| ()).await);
    assert_eq!(error, "internal: the answer has the status 99; expected 200 to 599");
    for path in ["/answer_secret", "/header_secret"] {
        let error = told(bench.receive(delivery(path), |_| ()).await);
        assert!(error.contains("carries the secret of slot `key`") && !error.contains(CANARY), "{error}");
    }
}

#[tokio::test]
async fn an_answer_is_sealed_only_for_a_delivery_that_the_host_opened() {
    let bench = Bench::new().await;
    let error = told(bench.receive(delivery("/answer_sealed"), |_| ()).await);
    assert_eq!(error, "internal: the answer is to be sealed, but the host opened no delivery");
}

#[tokio::test]
async fn the_budgets_of_a_call_hold_for_deliveries_too() {
    let bench = Bench::new().await;
    let error = bench.receive(delivery("/loop"), |limits| limits.fuel_max = 50_000_000).await.err().unwrap();
    assert_eq!(error.outcome(), "limit:fuel_max");
    let short = |limits: &mut renmen_plugin_host::CallLimits| limits.wall_clock = Duration::from_millis(500);
    let late = bench.receive(delivery("/slow"), short).await.err().unwrap();
    assert_eq!(late.outcome(), "failure:upstream-unavailable", "it waited for the vendor: {late}");
    let error = told(bench.receive(delivery("/panic"), |_| ()).await);
    assert!(error.contains("header `x-event` is missing") && error.contains("src/receive.rs:"), "{error}");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_connector_without_a_webhook_says_so() {
    let bytes = component(&format!("{PULL} unreachable)"), "1.0.0");
    let plugin = host().load_bytes(bytes, None).await.unwrap();
    let bench = Bench::new().await;
    let error = told(plugin.receive(bench.call.clone(), delivery("/echo")).await);
    assert_eq!(error, "invalid-input: by-hand has no `webhook`: its manifest has no [webhook]");
}
