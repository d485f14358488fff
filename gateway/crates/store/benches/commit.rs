//! How many records a second a store takes in: `cargo bench -p renmen-store [-- RECORDS [URL]]`.
//!
//! Three loads of the same records of 500 bytes with three alternate keys each, 1,000 a page, ids in random order: the first, one in which nothing changed, one
//! in which every hundredth changed. As sync does: what is known is asked first, and only what differs is written. FULL and NORMAL on a
//! new SQLite file each, or the store that the URL names.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{
    Content, ExchangeWrite, NewRun, PageCommit, PluginRef, RecordWrite, RunEnd, RunState, Store, StoreOptions,
    StreamKey, Sweep, open,
};

const PAGE: usize = 1_000;

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let records = arguments.first().map_or(200_000, |count| count.parse().unwrap());
    if let Some(url) = arguments.get(1) {
        measure("given", StoreOptions::at(url.as_str()), records).await;
        return;
    }
    for full in [true, false] {
        let folder = tempfile::tempdir().unwrap();
        let mut options = StoreOptions::at(format!("sqlite:{}", folder.path().join("bench.db").display()));
        options.synchronous_full = full;
        measure(if full { "synchronous FULL" } else { "synchronous NORMAL" }, options, records).await;
    }
}

async fn measure(name: &str, options: StoreOptions, records: usize) {
    let store = open(options).await.unwrap();
    let key = StreamKey {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("bench").unwrap(),
        stream: StreamName::new("employees").unwrap(),
    };
    println!("{} {name}, {records} records", store.backend());
    for (load, changed) in [("first load", usize::MAX), ("nothing changed", 0), ("1 % changed", 100)] {
        let pages: Vec<_> = (0..records / PAGE)
            .map(|page| made(page, records, if changed == usize::MAX { 0 } else { changed }))
            .collect();
        let (began, used) = (Instant::now(), processor_s());
        let looking = pull(&store, &key, pages, load == "first load").await.as_secs_f64();
        let (took, used) = (began.elapsed().as_secs_f64(), processor_s() - used);
        println!(
            "  {load:16} {:>9.0} records/s  {took:.2} s, of it {looking:.2} s to ask what is known; {:.1} us of a processor for each",
            records as f64 / took,
            used * 1e6 / records as f64
        );
    }
    let slip = r#"{"employee":{"key":{"scheme":"employee_number","value":"000000000007"}}}"#;
    let slip = RecordWrite {
        content: Content::of("payroll_record", slip.into()),
        external_id: "slip".into(),
        updated_at_ms: None,
        exchange_no: 0,
        pointer: String::new(),
        deleted: None,
    };
    let began = Instant::now();
    pull(&store, &key, vec![vec![slip]], true).await;
    println!("  the first reference by a key, with which all keys are sorted: {:.2} s", began.elapsed().as_secs_f64());
}

/// Processor time of this process so far: user and system.
fn processor_s() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

/// A page of records: 500 bytes each, ids spread over all of them.
fn made(page: usize, records: usize, changed_every: usize) -> Vec<RecordWrite> {
    (page * PAGE..(page + 1) * PAGE)
        .map(|at| {
            // An odd multiplier visits every number once: a fixed shuffle.
            let id = at.wrapping_mul(7_919) % records;
            let version = u8::from(changed_every > 0 && at % changed_every == 0);
            let phone = id.wrapping_mul(2_654_435_761) % 100_000_000;
            let mut body = format!(
                "{{\"number\":\"{id:012}\",\"version\":{version},\"work\":{{\"work_email\":\"wei.wang.{id}@acme.example\"}},\
                 \"person\":{{\"phones\":[{{\"kind\":\"MOBILE\",\"e164\":\"+86138{phone:08}\"}}]}},\"text\":\""
            );
            body.extend(std::iter::repeat_n('x', 498 - body.len()));
            body.push_str("\"}");
            RecordWrite {
                external_id: format!("{:016x}", (id as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15)),
                content: Content::of("employee", body.into_bytes()),
                updated_at_ms: Some(1_760_000_000_000),
                exchange_no: 0,
                pointer: format!("/result/list/{}", at % PAGE),
                deleted: None,
            }
        })
        .collect()
}

async fn pull(store: &Arc<dyn Store>, key: &StreamKey, pages: Vec<Vec<RecordWrite>>, first: bool) -> Duration {
    let plugin = PluginRef { name: "bench".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let new = NewRun { key: key.clone(), plugin, trigger: renmen_store::RunTrigger::Manual, now_ms, lease_ms: 60_000 };
    let run = store.begin_run(new).await.unwrap();
    let mut cursor = store.stream_state(key).await.unwrap().cursor;
    let count = pages.len();
    let mut looking = Duration::ZERO;
    for (at, records) in pages.into_iter().enumerate() {
        let began = Instant::now();
        let (records, unchanged) = if first { (records, Vec::new()) } else { split(store, key, records).await };
        looking += began.elapsed();
        let after = Some(format!("{run}-{at}"));
        let exchange = ExchangeWrite {
            no: 0,
            method: "GET".into(),
            url: "http://127.0.0.1/employees".into(),
            status: 200,
            key: [1; 16],
            body_hash: [2; 32],
            packed: vec![7; 40_000],
            body_at: None,
            at_ms: now_ms,
        };
        let page = PageCommit {
            key: key.clone(),
            run,
            cursor_before: cursor,
            cursor_after: after.clone(),
            has_more: at + 1 < count,
            sweep: Some(Sweep { begins: at == 0, ends: at + 1 == count, partial: false, brake: None }),
            records,
            unchanged,
            quarantine: Vec::new(),
            notes: renmen_store::PageNotes::default(),
            exchanges: vec![exchange],
            clock_ms: now_ms,
            now_ms,
        };
        store.commit_page(page).await.unwrap();
        cursor = after;
    }
    let end = RunEnd { findings: Vec::new(), state: RunState::Completed, error: None, retry_at_ms: None, now_ms };
    store.finish_run(run, end).await.unwrap();
    looking
}

async fn split(
    store: &Arc<dyn Store>,
    key: &StreamKey,
    records: Vec<RecordWrite>,
) -> (Vec<RecordWrite>, Vec<(String, String)>) {
    let asked: Vec<_> = records.iter().map(|record| (record.entity().to_owned(), record.external_id.clone())).collect();
    let known = store.known(&key.tenant, &key.connection, &asked).await.unwrap();
    let mut changed = Vec::new();
    let mut unchanged = Vec::new();
    for ((record, known), name) in records.into_iter().zip(known).zip(asked) {
        if known.is_some_and(|known| !known.deleted && known.hash == record.hash()) {
            unchanged.push(name);
        } else {
            changed.push(record);
        }
    }
    (changed, unchanged)
}
