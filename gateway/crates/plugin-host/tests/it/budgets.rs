//! Each limit of a call: what goes beyond it is stopped and the failure names the limit; what stays within it passes.

use std::time::Duration;

use renmen_plugin_host::CallError;

use crate::harness::Bench;

fn budget(result: Result<renmen_plugin_host::Page, CallError>) -> (&'static str, String) {
    match result {
        Err(CallError::Budget { budget, message, .. }) => (budget, message),
        Err(other) => panic!("no budget but {other}"),
        Ok(page) => panic!("a page of {} records", page.records.len()),
    }
}

#[tokio::test]
async fn an_endless_loop_is_stopped_by_fuel_max() {
    let bench = Bench::new().await;
    let (name, message) = budget(bench.pull("loop", |limits| limits.fuel_max = 50_000_000).await);
    assert_eq!(name, "fuel_max");
    assert!(message.contains("50000000"), "{message}");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn an_endless_loop_with_much_fuel_is_stopped_by_wall_clock() {
    let bench = Bench::new().await;
    let result = bench.pull("loop", |limits| {
        limits.fuel_max = u64::MAX;
        limits.wall_clock = Duration::from_millis(100);
    });
    let (name, message) = budget(result.await);
    assert_eq!(name, "wall_clock");
    assert!(message.contains("100 ms"), "{message}");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn waiting_for_an_answer_is_stopped_by_wall_clock_costs_no_fuel_and_is_the_vendors_fault() {
    let bench = Bench::new().await;
    let error = bench.pull("slow", |limits| limits.wall_clock = Duration::from_millis(500)).await.err().unwrap();
    assert_eq!(error.outcome(), "failure:upstream-unavailable");
    let told = error.to_string();
    assert!(told.contains("the vendor did not answer in time") && told.contains("raise wall_clock"), "{told}");
    assert_eq!(error.usage().http_calls, 1);
    assert!(error.usage().fuel < 50_000_000, "{}", error.usage().fuel);
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_memory_bomb_is_stopped_by_memory_bytes_max_and_not_called_a_crash() {
    let bench = Bench::new().await;
    let error = bench.pull("memory", |limits| limits.memory_bytes_max = 16 << 20).await.err().unwrap();
    assert_eq!(error.outcome(), "limit:memory_bytes_max", "{error}");
    assert!(error.usage().memory_peak_bytes <= 16 << 20);
    assert!(error.usage().memory_peak_bytes > 8 << 20);
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_connector_that_lives_with_denied_memory_gives_its_page() {
    let bench = Bench::new().await;
    let page = bench.pull("memory_kept_small", |limits| limits.memory_bytes_max = 32 << 20).await.unwrap();
    assert_eq!(page.records.len(), 1);
}

#[tokio::test]
async fn answers_that_pile_up_on_the_host_are_stopped_by_memory_bytes_max() {
    let bench = Bench::new().await;
    // Room for six answers of a mebibyte with their heads.
    let (name, message) =
        budget(bench.pull("http_hoard", |limits| limits.memory_bytes_max = (6 << 20) + (64 << 10)).await);
    assert_eq!(name, "memory_bytes_max");
    assert!(message.contains("answers"), "{message}");
    assert_eq!(bench.server.requests(), 7);
}

#[tokio::test]
async fn a_page_that_may_not_cross_is_stopped_by_hostcall_bytes_max() {
    let bench = Bench::new().await;
    let result = bench.pull("output_huge", |limits| {
        limits.memory_bytes_max = 256 << 20;
        limits.hostcall_bytes_max = 8 << 20;
    });
    assert_eq!(budget(result.await).0, "hostcall_bytes_max");
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_page_that_is_too_heavy_is_stopped_by_page_bytes_max() {
    let bench = Bench::new().await;
    let (name, message) = budget(bench.pull("output_bytes", |limits| limits.page_bytes_max = 1 << 20).await);
    assert_eq!(name, "page_bytes_max");
    assert!(message.contains("2097") && message.contains("1048576"), "{message}");
    assert!(bench.pull("output_bytes", |limits| limits.page_bytes_max = 4 << 20).await.is_ok());
}

#[tokio::test]
async fn one_record_more_than_asked_for_is_stopped_by_page_records_max() {
    let bench = Bench::new().await;
    let (name, message) = budget(bench.pull("output_records", |limits| limits.page_records_max = 20).await);
    assert_eq!(name, "page_records_max");
    assert!(message.contains("21") && message.contains("20"), "{message}");
    assert!(bench.pull("bulk", |limits| limits.page_records_max = 1_000).await.is_ok());
    assert_eq!(budget(bench.pull("bulk", |limits| limits.page_records_max = 999).await).0, "page_records_max");
}

#[tokio::test]
async fn a_chatty_connector_loses_lines_but_keeps_its_page() {
    let bench = Bench::new().await;
    let page = bench.pull("log_chatty", |limits| limits.log_lines_max = 10).await.unwrap();
    assert_eq!((page.usage.log_lines, page.usage.log_lines_dropped), (10, 490));
}

#[tokio::test]
async fn a_log_flood_is_stopped_by_log_lines_max() {
    let bench = Bench::new().await;
    let error = bench.pull("log_flood", |limits| limits.log_lines_max = 10).await.err().unwrap();
    assert_eq!(error.outcome(), "limit:log_lines_max");
    assert_eq!((error.usage().log_lines, error.usage().log_lines_dropped), (10, 991));
    bench.assert_healthy().await;
}

#[tokio::test]
async fn a_request_too_many_is_stopped_by_http_calls_max_before_it_is_sent() {
    let bench = Bench::new().await;
    let (name, message) = budget(bench.pull("http_flood", |limits| limits.http_calls_max = 5).await);
    assert_eq!(name, "http_calls_max");
    assert!(message.contains('6') && message.contains('5'), "{message}");
    assert_eq!(bench.server.requests(), 5);
}

#[tokio::test]
async fn a_thousand_requests_at_once_are_counted_before_the_first_is_sent() {
    let bench = Bench::new().await;
    assert_eq!(budget(bench.pull("http_burst", |_| ()).await).0, "http_calls_max");
    assert_eq!(bench.server.requests(), 0);
}

#[tokio::test]
async fn healthy_calls_go_on_beside_a_busy_one() {
    let bench = Bench::new().await;
    let busy = bench.pull("loop", |limits| {
        limits.fuel_max = u64::MAX;
        limits.wall_clock = Duration::from_millis(300);
    });
    let healthy = async {
        for _ in 0..5 {
            bench.assert_healthy().await;
        }
    };
    // One thread: were it not for the epoch, the loop would never let the others run.
    let (busy, ()) = tokio::join!(busy, healthy);
    assert_eq!(budget(busy).0, "wall_clock");
}
