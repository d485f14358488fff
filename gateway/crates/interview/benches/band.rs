//! A question about a pay band among 10,000 of them, and the same through the desk with its limits and the queue behind it; then
//! the 50th and 99th percentile of single questions, which is what an interview feels.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;
use std::sync::Arc;

use criterion::{Criterion, criterion_group, criterion_main};
use renmen_interview::{Asked, BandAsk, BandDesk, BandIndex, BandOptions, JobFacts, SystemClock};
use renmen_schema::Entity;
use renmen_schema::code::{ApplicationStatus, BandStatus, BandVisibility, InterviewKind, InterviewStatus, JobKind};
use renmen_schema::entity::{Application, BandKey, Interview, Job, PayBand};
use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_schema::types::{Coded, Decimal, LocalDate, Localized, Money, PayInterval, PayRange, Ref};
use renmen_store::{AuthoredCommit, AuthoredRecord, BUILT_IN_CONNECTION, StoreOptions};
use tokio_util::sync::CancellationToken;

/// Interviews that are asked about in turn.
const INTERVIEWS: usize = 1_000;
/// Bands that there are.
const BANDS: usize = 10_000;

/// Jobs, an application for each, and as many interviews.
fn records(tenant: &TenantId) -> AuthoredCommit {
    let mut records = Vec::new();
    for n in 0..INTERVIEWS {
        let level = Some(format!("P{}", n % 20));
        let job = Job {
            job_family: Some(format!("family-{}", n % 500)),
            min_level: level.clone(),
            max_level: level,
            ..Job::new(JobKind::Job.into(), Localized::en("Engineer"))
        };
        records.push(record(format!("job-{n}"), &job));
        let (candidate, job) = (Ref::external(format!("cand-{n}")), Ref::external(format!("job-{n}")));
        let application = Application::new(candidate, job, Coded::new(ApplicationStatus::Active));
        records.push(record(format!("app-{n}"), &application));
        let status = Coded::new(InterviewStatus::InProgress);
        let interview = Interview::new(Ref::external(format!("app-{n}")), InterviewKind::Ai, status);
        records.push(record(format!("int-{n}"), &interview));
    }
    for n in 0..BANDS {
        records.push(record(format!("band-{n}"), &band(n)));
    }
    let stream = StreamName::new("bench").unwrap();
    AuthoredCommit { records, ..AuthoredCommit::of(tenant.clone(), stream, 1_772_413_200_000) }
}

fn record<E: Entity>(external_id: String, body: &E) -> AuthoredRecord {
    let (entity, body) = (E::KIND.name().to_owned(), body.to_payload());
    AuthoredRecord { entity, external_id, body, deleted: None, causes: Vec::new(), expect: None, parents: Vec::new() }
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

fn nine_and_a_half() -> (Money, PayInterval) {
    (Money::new("9500", "CNY").unwrap(), PayInterval::Month)
}

fn index(c: &mut Criterion) {
    let mut index = BandIndex::default();
    for n in 0..BANDS {
        index.put(format!("0190a5d0-7b2c-7000-8000-{n:012}").parse().unwrap(), 1, band(n));
    }
    let today = LocalDate::of(2026, 3, 2).unwrap();
    let (expected, per) = nine_and_a_half();
    let mut n = 0;
    c.bench_function("band_match/index_of_10000", |b| {
        b.iter(|| {
            n += 1;
            let job = JobFacts {
                known: true,
                family: Some(format!("family-{}", n % 500)),
                levels: vec![format!("P{}", n % 20)],
                ..JobFacts::default()
            };
            black_box(index.answer(&job, (&expected, per), 2, today))
        });
    });
}

fn desk(c: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("bench.db").display());
    let tenant = TenantId::new("acme").unwrap();
    let connection = ConnectionName::new(BUILT_IN_CONNECTION).unwrap();
    let many = 1_000_000_000;
    let options = BandOptions {
        asks_per_minute: u32::MAX,
        amounts_per_interview: many,
        asks_per_candidate: many,
        asks_per_band: many,
        digits: 15,
        waiting_max: 1_000_000,
        sources: [connection.clone()].into(),
        ..BandOptions::default()
    };
    let (desk, work) = runtime.block_on(async {
        let store = renmen_store::open(StoreOptions::at(url)).await.unwrap();
        store.author(records(&tenant)).await.unwrap();
        BandDesk::open(store, Arc::new(SystemClock), std::slice::from_ref(&tenant), options).await.unwrap()
    });
    let cancel = CancellationToken::new();
    let working = runtime.spawn(work.run(cancel.clone()));
    let one = |n: usize| {
        let (interview, (mut expected, per)) = (format!("int-{}", n % INTERVIEWS), nine_and_a_half());
        // One question in two is a new one.
        expected.amount = Decimal::from(i32::try_from(n / INTERVIEWS / 2).unwrap());
        let ask = BandAsk { connection: &connection, about: Asked::Interview(&interview), expected, per };
        // A full queue is an answer too; it is told at once.
        black_box(runtime.block_on(desk.ask(&tenant, "bench", ask)).ok());
    };
    let mut n = 0;
    c.bench_function("band_match/desk", |b| {
        b.iter(|| {
            n += 1;
            one(n);
        });
    });
    percentiles(one);
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
