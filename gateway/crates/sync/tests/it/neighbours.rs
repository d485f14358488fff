//! Connections side by side: one that waits for its vendor everywhere takes nothing from another.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use renmen_plugin_host::{
    Answer, CallError, Coverage, Delivery, Door, Finding, Page, Pull, ReceivedDelivery, Refresh, Usage,
};
use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::manifest::{Deletes, Manifest, StreamMode};
use renmen_store::{RunTrigger, StreamKey};
use renmen_sync::{
    Clock, ConnectionRuntime, Engine, HookLimits, IngestLimits, NoProgress, Puller, Reading, Receiver, Schedule,
    Sender, StreamPlan, SyncOptions,
};
use tokio_util::sync::CancellationToken;

use crate::vendor::{Script, Vendor};
use crate::world::{Hand, open, tenant};

/// A connector whose vendor never answers, unless it is told to: neither a pull nor the check of a delivery.
struct Waits {
    manifest: Manifest,
    answers: bool,
    /// Targeted reads that were answered.
    answered: AtomicUsize,
    under_way: AtomicUsize,
    most: AtomicUsize,
}

struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Waits {
    fn new(streams: usize) -> Arc<Self> {
        let mut manifest = honest(&Vendor::with(0, 1)).manifest().clone();
        let stream = manifest.streams.values().next().unwrap().clone();
        manifest.streams = (0..streams).map(|n| (format!("s{n}").parse().unwrap(), stream.clone())).collect();
        let (under_way, most, answered) = Default::default();
        Arc::new(Self { manifest, answers: false, answered, under_way, most })
    }

    fn that_answers() -> Arc<Self> {
        let mut waits = Self::new(1);
        Arc::get_mut(&mut waits).unwrap().answers = true;
        waits
    }

    async fn wait<T>(&self) -> T {
        let now = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        let _under_way = UnderWay(&self.under_way);
        self.most.fetch_max(now, Ordering::SeqCst);
        std::future::pending().await
    }
}

#[async_trait]
impl Puller for Waits {
    fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    fn digest(&self) -> &str {
        "sha256:2"
    }

    async fn pull(&self, _reading: Reading, pull: Pull) -> Result<Page, CallError> {
        if !self.answers {
            return self.wait().await;
        }
        self.answered.fetch_add(usize::from(!pull.only.is_empty()), Ordering::SeqCst);
        let (records, rejects, exchanges, next) = Default::default();
        let (coverage, usage) = (Coverage::Changes, Usage::default());
        Ok(Page {
            records,
            rejects,
            findings: Vec::new(),
            omissions: Vec::new(),
            total: None,
            next,
            has_more: false,
            coverage,
            memory: None,
            exchanges,
            usage,
        })
    }

    async fn probe(&self, _reading: Reading) -> Result<Vec<Finding>, CallError> {
        Ok(Vec::new())
    }

    fn receiver(&self) -> Option<&dyn Receiver> {
        Some(self)
    }
}

#[async_trait]
impl Receiver for Waits {
    async fn receive(
        &self,
        _reading: Reading,
        _within: Duration,
        delivery: Delivery,
    ) -> Result<ReceivedDelivery, CallError> {
        if delivery.path_and_query == "/wait" {
            return self.wait().await;
        }
        let announces = delivery.path_and_query == "/announce";
        let answer = Answer { status: if announces { 200 } else { 403 }, headers: Vec::new(), body: Bytes::new() };
        let (records, rejects, exchanges) = Default::default();
        let streams = self.manifest.streams.keys().filter(|_| announces);
        let only = vec![String::from_utf8_lossy(&delivery.body).into_owned()];
        let refresh = streams.map(|stream| Refresh { stream: stream.to_string(), only: only.clone() }).collect();
        let (question, usage) = (false, Usage::default());
        Ok(ReceivedDelivery {
            answer,
            delivery_id: None,
            records,
            rejects,
            refresh,
            question,
            exchanges,
            memory: None,
            usage,
        })
    }

    fn redact(&self, bytes: Bytes) -> Bytes {
        bytes
    }
}

fn delivery(path: &str, body: Bytes) -> Delivery {
    Delivery {
        method: "POST".to_owned(),
        path_and_query: path.to_owned(),
        headers: Vec::new(),
        body,
        received_at_ms: 0,
        window: Duration::from_secs(300),
        door: Door::Request,
    }
}

fn honest(vendor: &Arc<Vendor>) -> Script {
    Script::new(vendor, StreamMode::Incremental, Deletes::None)
}

fn runtime(name: &str, source: Arc<dyn Puller>) -> ConnectionRuntime {
    let plan = StreamPlan { schedule: Schedule::every(Duration::from_secs(3600)).unwrap(), enabled: true };
    let streams: BTreeMap<StreamName, StreamPlan> =
        source.manifest().streams.keys().map(|stream| (stream.clone(), plan.clone())).collect();
    ConnectionRuntime::new(tenant(), name.parse().unwrap(), source, streams, IngestLimits::default()).unwrap()
}

struct Beside {
    engine: Arc<Engine>,
    vendor: Arc<Vendor>,
    cancel: CancellationToken,
    _dir: tempfile::TempDir,
}

impl Beside {
    /// Serves a healthy connection along with others.
    async fn serve(others: Vec<ConnectionRuntime>, parallel_runs: usize, run_turn: Duration) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let vendor = Vendor::with(30, 10);
        let mut all = others;
        all.push(runtime("zz-healthy", Arc::new(honest(&vendor))));
        let clock = Hand::at(1_000_000) as Arc<dyn Clock>;
        let options = SyncOptions { parallel_runs, run_turn, clock, ..SyncOptions::in_dir(dir.path().to_owned()) };
        let engine = Engine::new(open(dir.path()).await, all, options);
        let cancel = CancellationToken::new();
        tokio::spawn({
            let (engine, cancel) = (Arc::clone(&engine), cancel.clone());
            async move { engine.serve(cancel).await }
        });
        Self { engine, vendor, cancel, _dir: dir }
    }

    /// Runs of the healthy connection, one after the other.
    async fn run(&self, runs: usize) {
        let key =
            StreamKey { tenant: tenant(), connection: "zz-healthy".parse().unwrap(), stream: "units".parse().unwrap() };
        for run in 0..runs {
            self.vendor.put(&format!("new-{run}"), "new");
            loop {
                match self.engine.runs().run(&key, RunTrigger::Manual, CancellationToken::new(), &NoProgress).await {
                    Ok(report) => break assert!(report.completed(), "{:?}", report.failure),
                    // The one that it was served with.
                    Err(error) => assert!(error.passes(), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

impl Drop for Beside {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    for _ in 0..60_000 {
        if holds() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn sixteen_streams_that_wait_for_their_vendor_have_a_quarter_of_the_runs_and_stop_nobody() {
    let slow = Waits::new(16);
    let beside = Beside::serve(vec![runtime("slow", slow.clone())], 16, Duration::from_secs(3600)).await;
    until("four wait", || slow.under_way.load(Ordering::SeqCst) == 4).await;
    beside.run(5).await;
    assert_eq!(slow.most.load(Ordering::SeqCst), 4, "of 16 places");
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_wait_for_their_vendors_give_their_places_back_to_those_that_need_them() {
    // As many as there are places, and more: no bound of one connection helps.
    let slow: Vec<_> = (0..8).map(|_| Waits::new(1)).collect();
    let others = slow.iter().enumerate().map(|(n, slow)| runtime(&format!("slow-{n}"), slow.clone())).collect();
    let beside = Beside::serve(others, 2, Duration::from_millis(100)).await;
    let wait = || slow.iter().map(|slow| slow.under_way.load(Ordering::SeqCst)).sum::<usize>();
    until("all of them wait at the same time", || wait() == 8).await;
    beside.run(5).await;
    assert_eq!(wait(), 8, "and none was cut for it");
}

#[tokio::test(flavor = "multi_thread")]
async fn deliveries_beyond_webhooks_parallel_max_wait_their_turn_and_those_of_others_do_not() {
    let (slow, other) = (Waits::new(1), Waits::new(1));
    let hooks = HookLimits { parallel_max: 2, deadline: Duration::from_secs(600), ..HookLimits::default() };
    let connections = vec![
        runtime("slow", slow.clone()).with_hooks(hooks.clone()),
        runtime("other", other.clone()).with_hooks(hooks),
    ];
    let dir = tempfile::tempdir().unwrap();
    let engine = Engine::new(open(dir.path()).await, connections, SyncOptions::in_dir(dir.path().to_owned()));
    let deliver = |connection: &str, path: &str| {
        let (engine, connection): (_, ConnectionName) = (Arc::clone(&engine), connection.parse().unwrap());
        let delivery = delivery(path, Bytes::new());
        async move { engine.deliveries().take_in(&tenant(), &connection, Sender::Unknown, delivery).await }
    };
    let waiting = [tokio::spawn(deliver("slow", "/wait")), tokio::spawn(deliver("slow", "/wait"))];
    until("two wait", || slow.under_way.load(Ordering::SeqCst) == 2).await;
    let behind: Vec<_> = (0..20).map(|_| tokio::spawn(deliver("slow", "/quick"))).collect();
    for _ in 0..20 {
        assert!(deliver("other", "/quick").await.is_ok());
    }
    assert!(behind.iter().all(|waits| !waits.is_finished()), "no more than two are looked at");
    waiting.iter().for_each(tokio::task::JoinHandle::abort);
    for waits in behind {
        assert!(waits.await.unwrap().is_ok(), "their places go to those behind them");
    }
    assert_eq!(slow.most.load(Ordering::SeqCst), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn announced_records_of_a_healthy_connection_are_read_beside_one_whose_vendor_never_answers() {
    let (slow, quick) = (Waits::new(16), Waits::that_answers());
    let others = vec![runtime("slow", slow.clone()), runtime("quick", quick.clone())];
    let beside = Beside::serve(others, 16, Duration::from_secs(3600)).await;
    let announce = |connection: &str, id: String| {
        let (engine, connection): (_, ConnectionName) = (Arc::clone(&beside.engine), connection.parse().unwrap());
        let delivery = delivery("/announce", Bytes::from(id));
        async move { engine.deliveries().take_in(&tenant(), &connection, Sender::Unknown, delivery).await.unwrap() }
    };
    // More groups than reads may stand in line.
    for id in 0..10 {
        assert_eq!(announce("slow", id.to_string()).await.refreshes, 16);
    }
    for id in 0..5 {
        announce("quick", id.to_string()).await;
        until("it is read", || quick.answered.load(Ordering::SeqCst) > id).await;
    }
}
