//! Event streams of a tenant read the feed together: one reader for all, each sees each change once and in order, and one that lags
//! reads for itself and comes back.

use std::time::Duration;

use axum::body::BodyDataStream;
use futures_util::StreamExt;
use metrics_exporter_prometheus::PrometheusBuilder;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renmen_api::ApiOptions;

use crate::rig::{Rig, employee};
use crate::scripted_control::ScriptedControl;

/// Only so that a broken build ends.
const LONG: Duration = Duration::from_secs(60);

/// One open stream.
struct Reader {
    body: BodyDataStream,
    text: String,
    /// The position after which it began.
    from: i64,
    /// Only units, or everything.
    units: bool,
    seen: Vec<i64>,
    last_id: String,
}

impl Reader {
    async fn open(rig: &Rig, query: &str, from: i64, units: bool) -> Self {
        let entity = if units { "&entity=org_unit" } else { "" };
        let response = rig.send("GET", &format!("/v1/changes/stream?{query}{entity}"), Some(&rig.key), &[]).await;
        assert_eq!(response.status(), 200);
        let body = response.into_body().into_data_stream();
        Self { body, text: String::new(), from, units, seen: Vec::new(), last_id: String::new() }
    }

    /// Goes on where it was, on another connection.
    async fn reconnect(&mut self, rig: &Rig) {
        if self.last_id.is_empty() {
            return;
        }
        let entity = if self.units { "?entity=org_unit" } else { "" };
        let headers = [("last-event-id", self.last_id.as_str())];
        let response = rig.send("GET", &format!("/v1/changes/stream{entity}"), Some(&rig.key), &headers).await;
        assert_eq!(response.status(), 200);
        self.body = response.into_body().into_data_stream();
        self.text.clear();
    }

    /// Reads until it has seen so many.
    async fn read_to(&mut self, count: usize) {
        while self.seen.len() < count {
            let frame = tokio::time::timeout(LONG, self.body.next()).await.expect("no event came");
            self.text.push_str(std::str::from_utf8(&frame.expect("the stream ended").unwrap()).unwrap());
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let id = event.lines().find_map(|line| line.strip_prefix("id: "));
                assert!(!event.contains("event: closed"), "{event}");
                if let Some(id) = id {
                    self.seen.push(id.split_once('.').unwrap().0.parse().unwrap());
                    self.last_id = id.to_owned();
                }
                self.text = rest.to_owned();
            }
        }
    }
}

fn options(ring_bytes: usize) -> ApiOptions {
    ApiOptions { streams_max: 2_000, change_ring_bytes_max: ring_bytes, ..ApiOptions::default() }
}

/// How often the store was read for streams: by the reader that they share, and by one of them for itself.
fn reads(rendered: &str) -> (u64, u64) {
    let of = |by: &str| {
        let name = format!("renmen_change_stream_reads_total{{by=\"{by}\"}} ");
        rendered.lines().find_map(|line| line.strip_prefix(&name)).map_or(0, |count| count.parse().unwrap())
    };
    (of("tenant"), of("stream"))
}

#[tokio::test]
async fn a_thousand_readers_are_served_by_one() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recorded = metrics::set_default_local_recorder(&recorder);
    let rig = Rig::with(options(4 << 20), ScriptedControl::default()).await;
    rig.employees(&[("before", "0")]).await;
    let mut readers = Vec::new();
    for _ in 0..1_000 {
        readers.push(Reader::open(&rig, "after=latest", 1, false).await);
    }
    for page in 0..5 {
        rig.employees(&[(&format!("a{page}"), "1"), (&format!("b{page}"), "1")]).await;
    }
    for reader in &mut readers {
        reader.read_to(10).await;
        assert_eq!(reader.seen, (2..=11).collect::<Vec<_>>());
    }
    let (by_tenant, by_stream) = reads(&recorder.handle().render());
    assert!((1..=13).contains(&by_tenant), "{by_tenant} reads for five commits");
    assert_eq!(by_stream, 0, "no stream read the store");
}

#[tokio::test]
async fn a_reader_that_the_ring_left_behind_reads_the_store_and_comes_back() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _recorded = metrics::set_default_local_recorder(&recorder);
    let rig = Rig::with(options(2_000), ScriptedControl::default()).await;
    let (mut late, mut quick) =
        (Reader::open(&rig, "after=0", 0, false).await, Reader::open(&rig, "after=0", 0, false).await);
    for page in 0..20 {
        rig.employees(&[(&format!("a{page}"), "1"), (&format!("b{page}"), "1")]).await;
        quick.read_to(2 * (page + 1)).await;
    }
    let (_, before) = reads(&recorder.handle().render());
    late.read_to(40).await;
    assert_eq!((late.seen.as_slice(), &quick.seen), ((1..=40).collect::<Vec<_>>().as_slice(), &late.seen));
    let (_, after) = reads(&recorder.handle().render());
    assert!(after > before, "it could not have it from the ring");
    let fallbacks = "renmen_change_stream_fallbacks_total ";
    assert!(recorder.handle().render().lines().any(|line| line.starts_with(fallbacks)), "and that is counted");
    rig.employees(&[("c", "1")]).await;
    late.read_to(41).await;
    assert_eq!(reads(&recorder.handle().render()).1, after, "it is back at the ring");
}

#[derive(Debug, Clone)]
enum Step {
    /// A page of so many employees, and perhaps a unit.
    Commit(u8, bool),
    /// From the beginning, or from here on; units alone or everything.
    Join {
        latest: bool,
        units: bool,
    },
    /// One of the readers reads some more; the others lag.
    Read(u8, u8),
    Reconnect(u8),
    Leave(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => (0..5_u8, any::<bool>()).prop_map(|(employees, unit)| Step::Commit(employees, unit)),
        3 => (any::<bool>(), any::<bool>()).prop_map(|(latest, units)| Step::Join { latest, units }),
        5 => (any::<u8>(), 1..6_u8).prop_map(|(which, count)| Step::Read(which, count)),
        2 => any::<u8>().prop_map(Step::Reconnect),
        1 => any::<u8>().prop_map(Step::Leave),
        1 => Just(Step::Commit(4, true)),
    ];
    proptest::collection::vec(step, 1..60)
}

/// What a reader is to have seen by now.
fn wanted(feed: &[(i64, bool)], reader: &Reader) -> Vec<i64> {
    let wanted = feed.iter().filter(|(seq, unit)| *seq > reader.from && (*unit || !reader.units));
    wanted.map(|(seq, _)| *seq).collect()
}

async fn play(schedule: Vec<Step>, ring_bytes: usize) {
    let rig = Rig::with(options(ring_bytes), ScriptedControl::default()).await;
    let (mut feed, mut readers): (Vec<(i64, bool)>, Vec<Reader>) = (Vec::new(), Vec::new());
    for step in schedule {
        let at = |which: u8| usize::from(which) % readers.len().max(1);
        match step {
            Step::Commit(employees, unit) => {
                let mut records = Vec::new();
                for _ in 0..employees {
                    records.push((format!("e{:05}", feed.len() + records.len()), "employee", false));
                }
                if unit {
                    records.push((format!("u{:05}", feed.len()), "org_unit", true));
                }
                // In the order in which a page writes them.
                for (seq, (_, _, unit)) in (feed.len() as i64 + 1..).zip(&records) {
                    feed.push((seq, *unit));
                }
                let write = |(id, entity, _): (String, &str, bool)| {
                    let write = employee(&id, "1");
                    let content = renmen_store::Content::of(entity, write.body().to_vec());
                    renmen_store::RecordWrite { content, ..write }
                };
                rig.commit(records.into_iter().map(write).collect(), Vec::new()).await;
            }
            Step::Join { latest, units } => {
                let (query, from) = if latest { ("after=latest", feed.len() as i64) } else { ("after=0", 0) };
                readers.push(Reader::open(&rig, query, from, units).await);
            }
            Step::Read(which, count) => {
                let at = at(which);
                if let Some(reader) = readers.get_mut(at) {
                    let all = wanted(&feed, reader).len();
                    reader.read_to((reader.seen.len() + usize::from(count)).min(all)).await;
                }
            }
            Step::Reconnect(which) => {
                let at = at(which);
                if let Some(reader) = readers.get_mut(at) {
                    reader.reconnect(&rig).await;
                }
            }
            Step::Leave(which) => {
                let at = at(which);
                if at < readers.len() {
                    readers.swap_remove(at);
                }
            }
        }
    }
    for mut reader in readers {
        let all = wanted(&feed, &reader);
        reader.read_to(all.len()).await;
        assert_eq!(reader.seen, all);
    }
}

#[test]
fn every_reader_sees_each_change_once_and_in_order_however_it_joins_lags_and_comes_back() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config::default());
    for case in 0..16 {
        let schedule = steps().new_tree(&mut runner).unwrap().current();
        let ring_bytes = [1_usize, 1_500, 6_000, 4 << 20][case % 4];
        eprintln!("schedule {case}, a ring of {ring_bytes} bytes: {schedule:?}");
        runtime.block_on(play(schedule, ring_bytes));
    }
}
