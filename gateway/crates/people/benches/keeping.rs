//! How fast the records of a store become people: the first pass over a million records of five connections, and one changed record.
//!
//! `cargo bench -p renmen-people --bench keeping` on a quiet machine: on SQLite in the folder for temporary files, or on the fresh PostgreSQL database
//! that `RENMEN_KEEPING_URL` names. `RENMEN_KEEPING_PEOPLE` says of how many people with five records each (200,000).
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use renmen_people::{People, PeopleOptions, SystemClock};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{
    Content, NewRun, PageCommit, PageNotes, PluginRef, RecordWrite, RunTrigger, Store, StoreOptions, StreamKey, open,
};

/// Records of one page.
const PAGE: u64 = 5_000;
/// Changed records that are timed.
const CHANGES: u64 = 200;

fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// What five systems say of a person: of some not everything.
fn body(system: usize, person: u64) -> (&'static str, String) {
    let name = format!("Name{} Family{}", person % 5_000, person % 977);
    let phone = format!(r#"[{{"e164":"+8613{person:09}","kind":"MOBILE"}}]"#);
    let mail = format!(r#"[{{"address":"p{person}@acme.example","kind":"WORK"}}]"#);
    let names = format!(r#"{{"formatted":"{name}"}}"#);
    match system {
        0 => (
            "employee",
            format!(
                r#"{{"number":"E{person}","person":{{"emails":{mail},"names":{names},"phones":{phone}}},"work":{{"hire_date":"2020-03-02","title":"Engineer"}}}}"#
            ),
        ),
        1 => ("employee", format!(r#"{{"person":{{"emails":{mail},"names":{names}}}}}"#)),
        2 => ("employee", format!(r#"{{"number":"E{person}","person":{{"names":{names}}}}}"#)),
        3 => ("candidate", format!(r#"{{"person":{{"names":{names},"phones":{phone}}}}}"#)),
        _ => (
            "candidate",
            format!(
                r#"{{"person":{{"birth_date":"19{}-01-{:02}","names":{names},"phones":{phone}}}}}"#,
                60 + person % 40,
                1 + person % 28
            ),
        ),
    }
}

struct Writer {
    store: Arc<dyn Store>,
    key: StreamKey,
    run: renmen_schema::id::RunId,
    cursor: Option<String>,
}

impl Writer {
    async fn begin(store: &Arc<dyn Store>, system: usize) -> Self {
        let key = StreamKey {
            tenant: tenant(),
            connection: ConnectionName::new(&format!("system{system}")).unwrap(),
            stream: StreamName::new("people").unwrap(),
        };
        let plugin = PluginRef { name: "x".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
        let run =
            NewRun { key: key.clone(), plugin, trigger: RunTrigger::Manual, now_ms: 0, lease_ms: 3_600_000_000_000 };
        let run = store.begin_run(run).await.unwrap();
        Self { store: Arc::clone(store), key, run, cursor: None }
    }

    async fn put(&mut self, records: Vec<RecordWrite>) {
        let next = self.cursor.as_ref().map_or(0_u64, |cursor| cursor.parse().unwrap()) + 1;
        let page = PageCommit {
            key: self.key.clone(),
            run: self.run,
            cursor_before: self.cursor.clone(),
            cursor_after: Some(next.to_string()),
            has_more: true,
            sweep: None,
            records,
            unchanged: Vec::new(),
            quarantine: Vec::new(),
            notes: PageNotes::default(),
            exchanges: Vec::new(),
            clock_ms: 0,
            now_ms: 0,
        };
        self.store.commit_page(page).await.unwrap();
        self.cursor = Some(next.to_string());
    }
}

fn record(person: u64, entity: &str, body: String) -> RecordWrite {
    RecordWrite {
        external_id: person.to_string(),
        content: Content::of(entity, body.into_bytes()),
        updated_at_ms: None,
        exchange_no: 0,
        pointer: String::new(),
        deleted: None,
    }
}

fn memory_mib(what: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(what)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1_024
}

fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let ticks: Vec<f64> =
        stat.rsplit(") ").next().unwrap().split(' ').skip(11).take(2).map(|t| t.parse().unwrap()).collect();
    (ticks[0] + ticks[1]) / 100.0
}

async fn measure(store: Arc<dyn Store>, people: u64) {
    let mut writers = Vec::new();
    for system in 0..5 {
        let mut writer = Writer::begin(&store, system).await;
        for from in (0..people).step_by(PAGE as usize) {
            let page = (from..people.min(from + PAGE)).map(|person| {
                let (entity, body) = body(system, person);
                record(person, entity, body)
            });
            writer.put(page.collect()).await;
        }
        writers.push(writer);
    }
    let open = || People::open(Arc::clone(&store), Arc::new(SystemClock), &[tenant()], PeopleOptions::default());
    let (_, work) = open();
    let (before, cpu, began) = (memory_mib("VmRSS"), cpu_seconds(), Instant::now());
    work.catch_up().await.unwrap();
    let (seconds, cpu) = (began.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let records = people * 5;
    let stand = store.identity_stand(&tenant()).await.unwrap().unwrap();
    println!(
        "first pass on {}: {records} records in {seconds:.1} s ({:.0} records/s), {cpu:.1} s of CPU ({:.0} records a CPU second); {} links; \
         the process grew by {} MiB",
        store.backend(),
        records as f64 / seconds,
        records as f64 / cpu,
        stand.links,
        memory_mib("VmHWM").saturating_sub(before),
    );
    let mut took: Vec<Duration> = Vec::new();
    for change in 0..CHANGES {
        let person = change * 7_919 % people;
        let said = format!(
            r#"{{"number":"E{}","person":{{"names":{{"formatted":"Changed {change}"}}}}}}"#,
            (person + 1) % people
        );
        writers[2].put(vec![record(person, "employee", said)]).await;
        let began = Instant::now();
        work.catch_up().await.unwrap();
        took.push(began.elapsed());
    }
    took.sort_unstable();
    let at = |share: usize| took[took.len() * share / 100].as_secs_f64() * 1_000.0;
    println!("one changed record on {}: {:.1} ms (median), {:.1} ms (99 %)", store.backend(), at(50), at(99));
}

fn main() {
    let people = std::env::var("RENMEN_KEEPING_PEOPLE").map_or(200_000, |people| people.parse().unwrap());
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let folder = tempfile::tempdir().unwrap();
        let options = match std::env::var("RENMEN_KEEPING_URL") {
            Ok(url) => StoreOptions::at(url),
            Err(_) => StoreOptions::at(format!("sqlite:{}", folder.path().join("data").join("renmen.db").display())),
        };
        measure(open(options).await.unwrap(), people).await;
    });
}
