//! What a connector cannot do: keep something, take the host with it, or make the host do the recovering.

use renmen_plugin_host::{Allocation, CallError, HostOptions, HostTuning, PluginHost};

use crate::harness::{Bench, Server, call, first, hostile_component};

#[tokio::test]
async fn a_connector_keeps_nothing_between_two_calls() {
    let bench = Bench::new().await;
    for _ in 0..3 {
        let page = bench.pull("keeps_state", |_| ()).await.unwrap();
        assert_eq!(page.records[0].external_id, "E1");
    }
}

#[tokio::test]
async fn endless_recursion_is_a_crash_that_names_the_stack() {
    let bench = Bench::new().await;
    let error = bench.pull("recursion", |_| ()).await.err().unwrap();
    let CallError::Crashed { message, .. } = &error else { panic!("{error}") };
    assert!(message.contains("call stack (512 KiB)") && message.contains("recursion"), "{message}");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_panic_reaches_the_operator_with_its_message_and_line() {
    let bench = Bench::new().await;
    let error = bench.pull("panic", |_| ()).await.err().unwrap();
    let CallError::Crashed { message, .. } = &error else { panic!("{error}") };
    assert!(message.contains("vendor field `mobile` is missing"), "{message}");
    assert!(message.contains("src/talk.rs:"), "{message}");
    // Its functions as it wrote them, without Rust's own way from a panic to its end.
    assert!(message.contains("hostile_plugin::"), "{message}");
    assert!(!message.contains("core::") && !message.contains("_R") && !message.contains("_ZN"), "{message}");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_panic_is_told_even_when_no_line_may_be_logged() {
    let bench = Bench::new().await;
    let error = bench.pull("panic", |limits| limits.log_lines_max = 0).await.err().unwrap();
    assert!(error.to_string().contains("vendor field `mobile` is missing"), "{error}");
    assert_eq!(error.usage().log_lines, 0);
}

#[tokio::test]
async fn bad_records_and_repeated_cursors_are_handed_on_for_the_run_to_judge() {
    let bench = Bench::new().await;
    let page = bench.pull("bad_records", |_| ()).await.unwrap();
    assert_eq!((page.records.len(), page.records[4].payload.as_slice()), (10, &b"[]"[..]));
    assert_eq!(bench.pull("bad_json", |_| ()).await.unwrap().records[0].payload, b"{\"no json");
    let page = bench.pull("endless_pages", |_| ()).await.unwrap();
    assert_eq!((page.next.as_deref(), page.has_more), (Some("again"), true));
}

#[tokio::test]
async fn an_unknown_stream_is_the_connectors_own_failure() {
    let bench = Bench::new().await;
    let error = bench.pull("nothing", |_| ()).await.err().unwrap();
    assert_eq!(error.outcome(), "failure:invalid-input");
    assert_eq!(error.to_string(), "invalid-input: there is no stream `nothing`");
}

#[tokio::test]
async fn the_clock_is_the_calls_and_does_not_move() {
    let bench = Bench::new().await;
    let page = bench.pull("clock", |_| ()).await.unwrap();
    assert_eq!(page.records[0].external_id, format!("E{}", bench.call.now_ms));
}

#[tokio::test]
async fn a_hundred_calls_run_side_by_side() {
    let bench = Bench::new().await;
    let calls = (0..100).map(|n| bench.pull(if n % 2 == 0 { "healthy" } else { "panic" }, |_| ()));
    let results = futures_util::future::join_all(calls).await;
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 50);
}

#[tokio::test]
async fn a_call_can_be_spawned_on_another_thread() {
    let bench = Bench::new().await;
    let (plugin, call) = (bench.plugin.clone(), call(&bench.server.url));
    let page = tokio::spawn(async move { plugin.pull(call, first("healthy")).await }).await.unwrap();
    assert_eq!(page.ok().unwrap().records.len(), 10);
}

#[tokio::test]
async fn calls_beyond_the_places_wait_and_are_not_refused() {
    for allocation in [Allocation::Pooled, Allocation::OnDemand] {
        let tuning = HostTuning { calls_max: 2, allocation, ..HostTuning::default() };
        let host = PluginHost::with_tuning(HostOptions { cache_dir: None, dev: true }, tuning).unwrap();
        let plugin = host.load_bytes(hostile_component(), None).await.unwrap();
        let server = Server::start().await;
        let call = call(&server.url);
        let calls = (0..20).map(|_| plugin.pull(call.clone(), first("healthy")));
        let pages = futures_util::future::join_all(calls).await;
        assert!(pages.iter().all(Result::is_ok), "{allocation:?}");
    }
}
