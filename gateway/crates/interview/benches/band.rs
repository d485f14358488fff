//! A question about a pay band among 10,000 of them, and the same through the desk with its limits and the queue behind it; then
//! the 50th and 99th percentile of single questions, which is what an interview feels.
#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use renmen_interview::{BandAsk, BandDesk, BandIndex, BandKeyAsk, BandOptions, SystemClock};
use renmen_schema::Entity as _;
use renmen_schema::code::{BandStatus, BandVisibility, InterviewKind, InterviewStatus};
use renmen_schema::entity::{BandKey, Interview, PayBand};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_schema::types::{Coded, LocalDate, Money, PayInterval, PayRange, Ref};
use renmen_store::{AuthoredCommit, AuthoredRecord, BUILT_IN_CONNECTION, StoreOptions};
use tokio_util::sync::CancellationToken;

/// Interviews that are asked about in turn.
const INTERVIEWS: usize = 1_000;

fn open_interviews(tenant: &TenantId) -> AuthoredCommit {
    let status = Coded::new(InterviewStatus::InProgress);
    let body = Interview::new(Ref::external("app"), InterviewKind::Ai, status).to_payload();
    let records = (0..INTERVIEWS).map(|n| AuthoredRecord {
        entity: "interview".into(),
        external_id: format!("int-{n}"),
        body: body.clone(),
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    });
    let stream = StreamName::new("bench").unwrap();
    AuthoredCommit { records: records.collect(), ..AuthoredCommit::of(tenant.clone(), stream, 1_772_413_200_000) }
}

fn band(n: usize) -> PayBand {
    let key = BandKey {
        job_family: Some(format!("family-{}", n / 20)),
        level: Some(format!("P{}", n % 20)),
        ..BandKey::new()
    };
    let range = PayRange::between("8000", "10000", "CNY", PayInterval::Month).unwrap();
    PayBand::new(key, range, BandStatus::Active, BandVisibility::VendorMatchOnly)
}

fn ask(n: usize) -> BandAsk {
    let key = BandKeyAsk {
        job_family: Some(format!("family-{}", n % 500)),
        level: Some(format!("P{}", n % 20)),
        ..BandKeyAsk::default()
    };
    BandAsk { key, expected: Money::new("9500", "CNY").unwrap(), per: PayInterval::Month }
}

fn index(c: &mut Criterion) {
    let mut index = BandIndex::default();
    for n in 0..10_000 {
        index.put(format!("0190a5d0-7b2c-7000-8000-{n:012}").parse().unwrap(), 1, band(n));
    }
    let today = LocalDate::of(2026, 3, 2).unwrap();
    let mut n = 0;
    c.bench_function("band_match/index_of_10000", |b| {
        b.iter(|| {
            n += 1;
            black_box(index.answer(&ask(n), today))
        });
    });
}

fn desk(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let tenant = TenantId::new("acme").unwrap();
    let options = BandOptions { asks_per_minute: u32::MAX, waiting_max: 1_000_000, ..BandOptions::default() };
    let (desk, work) = runtime.block_on(async {
        let store = renmen_store::open(StoreOptions::at(url)).await.unwrap();
        store.author(open_interviews(&tenant)).await.unwrap();
        BandDesk::open(store, Arc::new(SystemClock), std::slice::from_ref(&tenant), options).await.unwrap()
    });
    let cancel = CancellationToken::new();
    let working = runtime.spawn(work.run(cancel.clone()));
    let connection = ConnectionName::new(BUILT_IN_CONNECTION).unwrap();
    let mut n = 0;
    c.bench_function("band_match/desk", |b| {
        b.iter(|| {
            n += 1;
            // A full queue is an answer too; it is told at once.
            let interview = format!("int-{}", n % INTERVIEWS);
            black_box(runtime.block_on(desk.ask(&tenant, "bench", (&connection, &interview), ask(n))).ok())
        });
    });
    percentiles(|n| {
        let interview = format!("int-{}", n % INTERVIEWS);
        black_box(runtime.block_on(desk.ask(&tenant, "bench", (&connection, &interview), ask(n))).ok());
    });
    cancel.cancel();
    runtime.block_on(working).unwrap();
}

/// Of 100,000 single questions.
fn percentiles(mut one: impl FnMut(usize)) {
    let mut took: Vec<_> = (0..100_000)
        .map(|n| {
            let begin = std::time::Instant::now();
            one(n);
            begin.elapsed()
        })
        .collect();
    took.sort_unstable();
    let at = |share: usize| took[took.len() * share / 1_000];
    println!("band_match/desk: p50 {:?}, p99 {:?}, p99.9 {:?}", at(500), at(990), at(999));
}

criterion_group!(benches, index, desk);
criterion_main!(benches);
