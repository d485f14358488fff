//! Requests that a connector names before it sends them: what is fetched ahead, what is not, and what is left of it (F13, F14).

use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use renmen_egress::{Exchange, PrefetchFigures, Prefetcher, RequestKey, Tape};
use renmen_plugin_host::{Call, CallError, Page, Pull};
use renmen_schema::id::StreamName;

use crate::harness::{Bench, CANARY};

/// Keeps what is recorded; answers from it if it is sealed.
#[derive(Default)]
struct Recorded {
    exchanges: Mutex<Vec<(RequestKey, Arc<Exchange>)>>,
    prefetcher: Option<Prefetcher>,
    is_sealed: bool,
}

impl Tape for Recorded {
    fn recall(&self, key: RequestKey) -> Option<Arc<Exchange>> {
        let exchanges = self.exchanges.lock();
        exchanges.iter().find(|(known, _)| self.is_sealed && *known == key).map(|(_, exchange)| Arc::clone(exchange))
    }

    fn record(&self, key: RequestKey, exchange: Arc<Exchange>) {
        self.exchanges.lock().push((key, exchange));
    }

    fn sealed(&self) -> bool {
        self.is_sealed
    }

    fn prefetcher(&self) -> Option<&Prefetcher> {
        self.prefetcher.as_ref()
    }
}

impl Recorded {
    fn prefetching() -> Arc<Self> {
        Arc::new(Self { prefetcher: Some(Prefetcher::default()), ..Self::default() })
    }

    fn paths(&self) -> Vec<String> {
        let path = |(_, exchange): &(RequestKey, Arc<Exchange>)| exchange.url.rsplit('/').next().unwrap().to_owned();
        self.exchanges.lock().iter().map(path).collect()
    }

    fn end(&self) -> PrefetchFigures {
        self.prefetcher.as_ref().unwrap().end()
    }
}

/// The page with this number, with the tape.
async fn page(bench: &Bench, tape: &Arc<Recorded>, way: &str, number: u64) -> Result<Page, CallError> {
    tape.prefetcher().into_iter().for_each(Prefetcher::next_call);
    let stream = StreamName::new(&format!("ahead_{way}")).unwrap();
    let cursor = (number > 0).then(|| number.to_string());
    let call = Call { tape: Arc::clone(tape) as Arc<dyn Tape>, ..bench.call.clone() };
    bench.plugin.pull(call, Pull { stream, cursor, only: Vec::new() }).await
}

fn figures(used: u64, unused: u64, ignored: u64, refused: u64) -> PrefetchFigures {
    PrefetchFigures { used, unused, ignored, refused }
}

#[tokio::test]
async fn an_answer_that_was_fetched_ahead_is_recorded_when_it_is_asked_for_and_asked_for_once() {
    let (bench, tape) = (Bench::new().await, Recorded::prefetching());
    for number in 0..5 {
        let page = page(&bench, &tape, "next", number).await.unwrap();
        assert_eq!(page.records[0].payload, format!(r#"{{"path":"/page-{number}"}}"#).as_bytes());
        assert_eq!((page.exchanges.len(), page.usage.http_calls), (1, 1));
    }
    assert_eq!(tape.paths(), ["page-0", "page-1", "page-2", "page-3", "page-4"]);
    // The sixth may have arrived or not; the others came once each.
    assert_eq!(tape.end(), figures(4, 1, 0, 0));
    assert!((5..=6).contains(&bench.server.requests()), "{}", bench.server.requests());
}

#[tokio::test]
async fn a_page_is_the_same_with_what_is_fetched_ahead_without_it_and_from_its_recording() {
    let bench = Bench::new().await;
    let bytes = |page: &Page| (page.records[0].payload.clone(), page.next.clone(), page.usage.fuel);
    let tape = Recorded::prefetching();
    let ahead = bytes(&page(&bench, &tape, "next", 0).await.unwrap());
    let (plain, served) = (Arc::new(Recorded::default()), bench.server.requests());
    assert_eq!(bytes(&page(&bench, &plain, "next", 0).await.unwrap()), ahead);
    tape.end();
    let exchanges = Mutex::new(tape.exchanges.lock().clone());
    let sealed = Arc::new(Recorded { exchanges, is_sealed: true, prefetcher: None });
    assert_eq!(bytes(&page(&bench, &sealed, "next", 0).await.unwrap()), ahead);
    assert!(served >= 1);
}

#[tokio::test]
async fn without_a_place_for_it_nothing_is_fetched_ahead() {
    let (bench, tape) = (Bench::new().await, Arc::new(Recorded::default()));
    page(&bench, &tape, "next", 0).await.unwrap();
    assert_eq!(bench.server.requests(), 1);
}

#[tokio::test]
async fn what_may_not_be_sent_ahead_is_refused_without_a_word_to_the_connector_and_nothing_leaves() {
    for way in ["elsewhere", "post", "secret"] {
        let (bench, tape) = (Bench::new().await, Recorded::prefetching());
        let page = page(&bench, &tape, way, 0).await.unwrap_or_else(|error| panic!("{way}: {error}"));
        assert_eq!(page.records.len(), 1, "{way}");
        assert_eq!((tape.end(), bench.server.requests()), (figures(0, 0, 0, 1), 1), "{way}");
        assert!(!format!("{:?}", tape.paths()).contains(CANARY), "{way}");
    }
    let (bench, tape) = (Bench::new().await, Recorded::prefetching());
    page(&bench, &tape, "bad_slot", 0).await.unwrap();
    assert_eq!((tape.end(), bench.server.requests()), (figures(0, 0, 0, 0), 1));
}

#[tokio::test]
async fn there_is_one_at_a_time() {
    let (bench, tape) = (Bench::new().await, Recorded::prefetching());
    page(&bench, &tape, "twice", 0).await.unwrap();
    page(&bench, &tape, "plain", 1).await.unwrap();
    assert_eq!(tape.end(), figures(1, 0, 1, 0));
    assert_eq!(bench.server.requests(), 2);
}

#[tokio::test]
async fn what_is_not_asked_for_is_thrown_away_after_the_next_call_counted_and_not_recorded() {
    let (bench, tape) = (Bench::new().await, Recorded::prefetching());
    for number in 0..3 {
        page(&bench, &tape, "other", number).await.unwrap();
    }
    // Named by the first call and by the third; the one of the second found the place taken.
    assert_eq!(tape.paths(), ["page-0", "page-1", "page-2"]);
    assert_eq!(tape.end(), figures(0, 2, 1, 0));
    // What is given up lets go of its memory when its task is next scheduled, which is after this one has waited.
    let released = async {
        while bench.call.egress.memory().held() > 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let held = || format!("{} bytes still held", bench.call.egress.memory().held());
    tokio::time::timeout(Duration::from_secs(10), released).await.unwrap_or_else(|_| panic!("{}", held()));
}

#[tokio::test]
async fn an_answer_without_end_and_one_that_never_comes_cost_the_page_nothing() {
    for way in ["heavy", "silent"] {
        let (bench, tape) = (Bench::new().await, Recorded::prefetching());
        drop(page(&bench, &tape, way, 0).await.unwrap());
        drop(page(&bench, &tape, "plain", 1).await.unwrap());
        assert_eq!(tape.end(), figures(0, 1, 0, 0), "{way}");
    }
}

#[tokio::test]
async fn naming_requests_without_end_is_stopped_by_http_calls_max() {
    let (mut bench, tape) = (Bench::new().await, Recorded::prefetching());
    let mut limits = (*bench.call.limits).clone();
    limits.http_calls_max = 5;
    bench.call.limits = Arc::new(limits);
    let error = page(&bench, &tape, "flood", 0).await.err().unwrap();
    assert_eq!(error.outcome(), "limit:http_calls_max");
    assert!(error.to_string().contains("named 6 requests ahead"), "{error}");
    bench.assert_healthy().await;
}
