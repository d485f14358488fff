//! Answers that are fetched before they are asked for: same budget, same errors, same limits as if they were sent.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_egress::{EgressError, Exchange, PrefetchFigures, Prefetcher, RequestKey, Tape};
use renmen_schema::manifest::{CallBudget, Rate};

use crate::support::{Act, Vendor, connect, get, ok, post, spec, to};

#[derive(Default)]
struct Ahead {
    recorded: Mutex<Vec<Arc<Exchange>>>,
    prefetcher: Prefetcher,
}

impl Tape for Ahead {
    fn recall(&self, _key: RequestKey) -> Option<Arc<Exchange>> {
        None
    }
    fn record(&self, _key: RequestKey, exchange: Arc<Exchange>) {
        self.recorded.lock().push(exchange);
    }
    fn prefetcher(&self) -> Option<&Prefetcher> {
        Some(&self.prefetcher)
    }
}

#[tokio::test]
async fn one_request_leaves_for_a_prefetch_and_its_sending_and_it_is_recorded_when_it_is_sent() {
    let vendor = Vendor::start(vec![ok("ahead"), ok("again")]).await;
    let (connection, tape) = (to(&vendor), Ahead::default());
    connection.prefetch(get(vendor.url("/a")), &tape, 1 << 20);
    let exchange = connection.send(get(vendor.url("/a")), &tape).await.unwrap();
    assert_eq!((&exchange.response.body[..], vendor.hits(), tape.recorded.lock().len()), (&b"ahead"[..], 1, 1));
    let again = connection.send(get(vendor.url("/a")), &tape).await.unwrap();
    assert_eq!((&again.response.body[..], vendor.hits()), (&b"again"[..], 2), "an answer serves once");
    assert_eq!(tape.prefetcher.end(), PrefetchFigures { used: 1, ..PrefetchFigures::default() });
}

#[tokio::test]
async fn another_request_does_not_get_the_answer() {
    let vendor = Vendor::start(vec![Act::Echo]).await;
    let (connection, tape) = (to(&vendor), Ahead::default());
    connection.prefetch(get(vendor.url("/a")), &tape, 1 << 20);
    let exchange = connection.send(get(vendor.url("/b")), &tape).await.unwrap();
    assert!(exchange.response.body.starts_with(b"GET /b "));
    let posted = connection.send(post(vendor.url("/a"), "x"), &tape).await.unwrap();
    assert!(posted.response.body.starts_with(b"POST /a "));
    assert_eq!(tape.prefetcher.end(), PrefetchFigures { unused: 1, ..PrefetchFigures::default() });
}

#[tokio::test]
async fn it_counts_in_the_month_and_waits_for_the_rate_once() {
    let vendor = Vendor::start(vec![ok("x")]).await;
    let mut spec = spec(&[vendor.url("")]);
    spec.limits.budget = Some(CallBudget {
        calls: 2,
        per: renmen_schema::manifest::BudgetPeriod::Month,
        zone: "UTC".into(),
        except: vec![],
    });
    spec.limits.rate = Some(Rate { requests: 2, per_ms: 60_000, burst: Some(2) });
    spec.limits.request_timeout = Duration::from_millis(200);
    let (connection, tape) = (connect(spec), Ahead::default());
    connection.send(get(vendor.url("/0")), &tape).await.unwrap();
    connection.prefetch(get(vendor.url("/1")), &tape, 1 << 20);
    connection.send(get(vendor.url("/1")), &tape).await.unwrap();
    connection.prefetch(get(vendor.url("/2")), &tape, 1 << 20);
    let refused = connection.send(get(vendor.url("/2")), &tape).await.unwrap_err();
    assert!(matches!(&refused, EgressError::RateLimited { message, .. } if message.contains("month")), "{refused}");
    assert_eq!(vendor.hits(), 2);
}

#[tokio::test]
async fn what_went_wrong_ahead_is_told_when_the_request_is_sent_and_not_tried_again() {
    let vendor = Vendor::start(vec![Act::Reset]).await;
    let mut spec = spec(&[vendor.url("")]);
    spec.limits.retries_max = 0;
    let (connection, tape) = (connect(spec), Ahead::default());
    connection.prefetch(get(vendor.url("/a")), &tape, 1 << 20);
    let error = connection.send(get(vendor.url("/a")), &tape).await.unwrap_err();
    assert!(matches!(error, EgressError::Unavailable(_)), "{error}");
    assert_eq!((vendor.hits(), tape.recorded.lock().len()), (1, 0));
}

#[tokio::test]
async fn a_limit_is_met_by_the_request_itself_and_by_the_account_of_its_call() {
    let vendor = Vendor::start(vec![ok(&"x".repeat(50_000))]).await;
    let (connection, tape) = (to(&vendor), Ahead::default());
    // Too little for the answer: it is fetched again, with the account of the call.
    connection.prefetch(get(vendor.url("/a")), &tape, 1_000);
    let roomy = renmen_egress::CallMemory::new(connection.memory(), 100_000);
    connection.send_within(get(vendor.url("/a")), &tape, &roomy).await.unwrap();
    assert_eq!(vendor.hits(), 2);
    // And one that the call has no room for ends it, fetched ahead or not.
    connection.prefetch(get(vendor.url("/a")), &tape, 100_000);
    let narrow = renmen_egress::CallMemory::new(connection.memory(), 1_000);
    let error = connection.send_within(get(vendor.url("/a")), &tape, &narrow).await.unwrap_err();
    assert!(matches!(error, EgressError::Limit { limit: "memory_bytes_max", .. }), "{error}");
    let counted = roomy.counted();
    assert!((50_000..51_000).contains(&counted), "{counted}");
    drop((roomy, narrow));
    tape.prefetcher.end();
    assert_eq!(connection.memory().held(), 0);
}

#[tokio::test]
async fn a_run_that_is_over_gives_up_what_is_under_way() {
    let vendor = Vendor::start(vec![Act::Hang(Vec::new())]).await;
    let (connection, tape) = (to(&vendor), Ahead::default());
    connection.prefetch(get(vendor.url("/a")), &tape, 1 << 20);
    while vendor.hits() == 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!(tape.prefetcher.end(), PrefetchFigures { unused: 1, ..PrefetchFigures::default() });
    while connection.memory().held() > 0 {
        tokio::task::yield_now().await;
    }
}
