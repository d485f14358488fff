//! What goes out, and what may not.

use renmen_plugin_host::CallError;
use renmen_schema::FailureKind;

use crate::harness::{Bench, CANARY};

#[tokio::test]
async fn a_host_that_was_not_granted_is_not_reached() {
    let bench = Bench::new().await;
    let error = bench.pull("not_granted", |_| ()).await.err().unwrap();
    let CallError::Failure { kind, message, .. } = &error else { panic!("{error}") };
    assert_eq!(*kind, FailureKind::NotGranted);
    assert!(message.contains("elsewhere.example"), "{message}");
    assert_eq!(bench.server.requests(), 0);
}

#[tokio::test]
async fn a_secret_in_a_body_does_not_leave() {
    let bench = Bench::new().await;
    let error = bench.pull("secret_in_body", |_| ()).await.err().unwrap();
    assert_eq!(error.outcome(), "failure:not-granted", "{error}");
    assert!(!error.to_string().contains(CANARY), "{error}");
    assert_eq!(bench.server.requests(), 0);
}

#[tokio::test]
async fn a_secret_in_a_failure_is_taken_out() {
    let bench = Bench::new().await;
    let error = bench.pull("secret_in_log", |_| ()).await.err().unwrap();
    assert!(error.to_string().contains("failed with"), "{error}");
    assert!(!format!("{error} {error:?}").contains(CANARY), "{error}");
}

#[tokio::test]
async fn a_slot_that_cannot_exist_is_the_connectors_fault() {
    let bench = Bench::new().await;
    let error = bench.pull("bad_slot", |_| ()).await.err().unwrap();
    assert_eq!(error.outcome(), "failure:internal", "{error}");
    assert_eq!(bench.server.requests(), 0);
}

#[tokio::test]
async fn exchanges_are_numbered_as_the_connector_saw_them() {
    let bench = Bench::new().await;
    let page = bench.pull("parallel", |_| ()).await.unwrap();
    assert_eq!(page.exchanges.len(), 2);
    for record in &page.records {
        let exchange = &page.exchanges[record.exchange as usize];
        assert_eq!(exchange.response.body, record.payload);
    }
    assert!(page.exchanges[0].url.ends_with("/first") && page.exchanges[1].url.ends_with("/second"));
}

#[tokio::test]
async fn the_figures_of_a_call_are_told() {
    let bench = Bench::new().await;
    let usage = bench.pull("healthy", |_| ()).await.unwrap().usage;
    assert_eq!((usage.http_calls, usage.records, usage.log_lines), (1, 10, 0));
    assert_eq!(usage.bytes_in, r#"{"path":"/ten"}"#.len() as u64);
    assert!(usage.fuel > 0 && usage.memory_peak_bytes >= 1 << 16);
}

#[tokio::test]
async fn a_probe_answers_with_cleaned_findings() {
    let bench = Bench::new().await;
    let findings = bench.plugin.probe(bench.call.clone()).await.unwrap();
    assert_eq!(findings.len(), 1);
    assert!(findings[0].ok && findings[0].message.ends_with("bytes\\nsecond line"), "{:?}", findings[0]);
}

#[tokio::test]
async fn what_a_connector_could_not_read_comes_with_its_bytes_and_a_clean_reason() {
    let bench = Bench::new().await;
    let page = bench.pull("rejects", |_| ()).await.unwrap();
    assert_eq!((page.records.len(), page.rejects.len(), page.usage.records), (1, 1, 2));
    assert_eq!(page.rejects[0].reason, "`hired`: expected a date,\\nfound a number");
    assert_eq!(page.rejects[0].raw, b"{\"hired\":7}");
}
