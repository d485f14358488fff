//! F01, F02: lives that end anywhere. Each life has its own runtime, store and engine; only the files survive.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll};

use proptest::prelude::*;
use renmen_schema::manifest::{Deletes, StreamMode};
use renmen_store::RunTrigger;
use renmen_sync::{IngestLimits, NoProgress, Schedule};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor, unit};
use crate::world::{Hand, changes_match_revisions, engine, live, open, units};

/// A future that is given up after so many polls.
struct Cut<F> {
    inner: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Cut<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.inner.as_mut().poll(context).map(Some)
    }
}

/// When a life ends before its run does.
enum Death {
    Never,
    AfterPolls(usize),
    /// When a request waits for ever.
    WhenHung,
}

/// One life: runs the stream until its end or its death. True: a run has reached its last page, now or in an earlier life.
fn life(vendor: &Arc<Vendor>, script: Script, dir: &std::path::Path, clock: &Arc<Hand>, death: &Death) -> bool {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let ended = runtime.block_on(async {
        let store = open(dir).await;
        // A life may have ended between the commit of the last page and the answer: then there is nothing left to do.
        let rows = store.runs(&units().tenant, None, 100).await.unwrap();
        if rows.iter().any(|row| row.pages > 0) && !store.stream_state(&units()).await.unwrap().mid_run {
            return true;
        }
        let engine = engine(&store, Arc::new(script), dir, clock, IngestLimits::default(), Schedule::Manual);
        let key = units();
        let run = engine.runs().run(&key, RunTrigger::Manual, CancellationToken::new(), &NoProgress);
        let ended = match death {
            Death::Never => Some(run.await),
            Death::AfterPolls(polls) => Cut { inner: Box::pin(run), polls: *polls }.await,
            Death::WhenHung => tokio::select! {
                ended = run => Some(ended),
                () = async { while !vendor.hung.load(Ordering::SeqCst) { tokio::task::yield_now().await; } } => None,
            },
        };
        changes_match_revisions(store.as_ref()).await;
        ended.is_some_and(|report| report.unwrap().completed())
    });
    runtime.shutdown_timeout(std::time::Duration::from_secs(10));
    ended
}

fn stored(dir: &std::path::Path) -> BTreeMap<String, String> {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async { live(open(dir).await.as_ref()).await })
}

fn asked_twice(vendor: &Vendor) -> usize {
    let mut counts = BTreeMap::<String, usize>::new();
    for url in vendor.asked.lock().iter() {
        // A page that is begun again after a restart has another clock in its URL: only the page counts.
        *counts.entry(url.split(['&', '?']).filter(|part| !part.starts_with("at=")).collect()).or_default() += 1;
    }
    counts.values().map(|count| count - 1).sum()
}

fn lives(full: bool, cuts: &[usize]) -> Result<(), TestCaseError> {
    let vendor = Vendor::with(120, 10);
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::at(1_000_000);
    let (mode, deletes) =
        if full { (StreamMode::Full, Deletes::Diff) } else { (StreamMode::Incremental, Deletes::None) };
    let mut killed = 0;
    for death in cuts.iter().map(|polls| Death::AfterPolls(*polls)).chain([Death::Never]) {
        if life(&vendor, Script::new(&vendor, mode, deletes), dir.path(), &clock, &death) {
            break;
        }
        killed += 1;
        clock.forward(10);
    }
    // Two requests are a page; what was under way when a life ended is all that may be asked for again.
    let again = asked_twice(&vendor);
    prop_assert!(again <= 2 * killed, "{again} requests again after {killed} kills");
    prop_assert_eq!(stored(dir.path()), vendor.truth());
    Ok(())
}

/// PROPTEST_CASES asks for the long form.
fn cases() -> u32 {
    if std::env::var_os("PROPTEST_CASES").is_some() { ProptestConfig::default().cases } else { 24 }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(), ..ProptestConfig::default() })]

    #[test]
    fn a_run_cut_anywhere_any_number_of_times_ends_with_exactly_what_the_vendor_has(
        cuts in proptest::collection::vec(1..40_usize, 1..5),
        full in any::<bool>(),
    ) {
        lives(full, &cuts)?;
    }
}

/// A life ends while the second request of the first page waits. How many requests does the next life make?
fn asked_after_a_kill(age_ms: i64, digest: &'static str) -> usize {
    let vendor = Vendor::with(5, 10);
    let dir = tempfile::tempdir().unwrap();
    let clock = Hand::at(1_000_000);
    let script = || Script::new(&vendor, StreamMode::Full, Deletes::None);
    vendor.hang_after.store(1, Ordering::SeqCst);
    assert!(!life(&vendor, script(), dir.path(), &clock, &Death::WhenHung));
    vendor.hang_after.store(usize::MAX, Ordering::SeqCst);
    clock.forward(age_ms);
    assert!(life(&vendor, script().mapping(digest, unit), dir.path(), &clock, &Death::Never));
    assert_eq!(stored(dir.path()), vendor.truth());
    vendor.asked.lock().len() - 1
}

#[test]
fn what_a_killed_page_had_read_is_not_asked_for_again() {
    assert_eq!(asked_after_a_kill(10, "sha256:1"), 1);
}

#[test]
fn old_answers_and_answers_to_other_code_are_asked_for_again() {
    assert_eq!(asked_after_a_kill(3_600_001, "sha256:1"), 2);
    assert_eq!(asked_after_a_kill(10, "sha256:2"), 2);
}

#[test]
fn a_clock_that_was_set_back_makes_no_old_answer_young() {
    assert_eq!(asked_after_a_kill(-10, "sha256:1"), 2);
}
