//! Actions: what of a receipt may leave, and which limit names what may not.

use renmen_plugin_host::{Action, CallError, Receipt};

use crate::harness::{Bench, CANARY, host};
use crate::modules::{PULL, component};

fn action(name: &str) -> Action {
    Action { name: name.to_owned(), idempotency_key: "k-1".to_owned(), attempt: 1, input: br#"{"to":"E1"}"#.to_vec() }
}

fn told(result: Result<Receipt, CallError>) -> String {
    result.err().unwrap().to_string()
}

#[tokio::test]
async fn an_action_crosses_and_its_receipt_comes_back() {
    let bench = Bench::new().await;
    let receipt = bench.push(action("echo"), |_| ()).await.ok().unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("k-1"), false));
    assert_eq!(serde_json::Value::from(receipt.detail), serde_json::json!({ "to": "E1" }));
    let again = bench.push(Action { attempt: 2, input: Vec::new(), ..action("echo") }, |_| ()).await.ok().unwrap();
    assert!(again.confirmed && again.detail.is_empty());
}

#[tokio::test]
async fn what_was_sent_on_the_way_is_handed_on_and_counted() {
    let bench = Bench::new().await;
    let receipt = bench.push(action("send"), |_| ()).await.ok().unwrap();
    assert_eq!((receipt.exchanges.len(), receipt.usage.http_calls, bench.server.requests()), (1, 1, 1));
    let error = bench.push(action("send"), |limits| limits.http_calls_max = 0).await.err().unwrap();
    assert_eq!((error.outcome().as_str(), bench.server.requests()), ("limit:http_calls_max", 1));
}

#[tokio::test]
async fn a_receipt_has_its_limit() {
    let bench = Bench::new().await;
    let error = told(bench.push(action("receipt_huge"), |_| ()).await);
    assert_eq!(error, "limit receipt_bytes_max: the receipt holds 81931 bytes, allowed are 65536");
    assert!(bench.push(action("receipt_huge"), |limits| limits.receipt_bytes_max = 81_931).await.is_ok());
    assert!(bench.push(action("receipt_huge"), |limits| limits.receipt_bytes_max = 81_930).await.is_err());
}

#[tokio::test]
async fn a_detail_that_is_no_object_is_the_connectors_fault() {
    let bench = Bench::new().await;
    assert_eq!(
        told(bench.push(action("receipt_list"), |_| ()).await),
        "internal: the receipt's detail is not a JSON object"
    );
    let error = bench.push(action("receipt_no_json"), |_| ()).await.err().unwrap();
    assert!(matches!(&error, CallError::Failure { code: Some(code), .. } if code == "bad_receipt"), "{error}");
}

#[tokio::test]
async fn no_secret_leaves_in_a_receipt() {
    let bench = Bench::new().await;
    for name in ["receipt_secret", "leak_reference", "leak_detail"] {
        let error = bench.push(action(name), |_| ()).await.err().unwrap();
        assert!(matches!(&error, CallError::Failure { code: Some(code), .. } if code == "carries_secret"), "{error}");
        assert!(error.to_string().contains("the receipt carries the secret of slot `key`"), "{error}");
        assert!(!format!("{error:?}").contains(CANARY), "{error:?}");
    }
    assert!(bench.push(action("echo"), |_| ()).await.is_ok());
}

#[tokio::test]
async fn the_budgets_of_a_call_hold_for_actions_too() {
    let bench = Bench::new().await;
    let error = bench.push(action("loop"), |limits| limits.fuel_max = 50_000_000).await.err().unwrap();
    assert_eq!(error.outcome(), "limit:fuel_max");
    let error = told(bench.push(action("panic"), |_| ()).await);
    assert!(error.contains("field `to` is missing") && error.contains("src/push.rs:"), "{error}");
    assert_eq!(told(bench.push(action("fly"), |_| ()).await), "invalid-input: there is no action `fly`");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_connector_without_a_sink_says_so() {
    let bytes = component(&format!("{PULL} unreachable)"), "1.0.0");
    let plugin = host().load_bytes(bytes, None).await.unwrap();
    let bench = Bench::new().await;
    let error = told(plugin.push(bench.call.clone(), action("echo")).await);
    assert_eq!(error, "invalid-input: by-hand has no `sink`: its manifest names no action");
}
