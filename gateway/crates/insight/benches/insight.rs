//! Every streamed question over 200,000 interviews and 1,000,000 performance figures in memory: what answering costs, without the
//! database. Rows are made one by one as an adapter would send them, and are not kept; making them costs what the first line says.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use renmen_insight::model::{
    AnswerRow, ApplicationRow, EmploymentRow, GroupRow, InterviewRow, Limits, MetricRow, MetricSubject, PersonRow,
    ResultRow, ScoreRow, StepRow,
};
use renmen_insight::question::alert::{Alert, AlertRule, Scope};
use renmen_insight::question::channel::Channels;
use renmen_insight::question::fairness::{Fairness, FairnessAsk, ImpactRule};
use renmen_insight::question::friction::Friction;
use renmen_insight::question::funnel::{Funnel, Path};
use renmen_insight::question::performance::{Performance, PerformanceAsk};
use renmen_insight::question::predict::{Predict, PredictAsk};
use renmen_insight::question::profile::{DraftAsk, ProfileDraft};
use renmen_insight::question::review::{Applied, Review};
use renmen_insight::question::standard::Standard;
use renmen_insight::{Key, Need, Norm, Outcome, Question, Row, Standing, Window};
use renmen_schema::code::{ApplicationStatus, InterviewKind, NodeCode, ProbationOutcome, SourceChannel};
use renmen_schema::types::{DateSpan, Decimal, Instant, LocalDate};

const INTERVIEWS: u64 = 200_000;
const METRICS: u64 = 1_000_000;
const DIMENSIONS: [&str; 6] = ["communication", "logic", "service", "patience", "expertise", "drive"];
const QUESTIONS: [&str; 10] = ["q-0", "q-1", "q-2", "q-3", "q-4", "q-5", "q-6", "q-7", "q-8", "q-9"];
const CODES: [&str; 5] = ["sales", "errors", "tickets", "output", "returns"];
const NODES: [NodeCode; 5] =
    [NodeCode::InviteSent, NodeCode::InviteOpened, NodeCode::Confirmed, NodeCode::Started, NodeCode::Completed];

/// A number that looks like chance, for each person and purpose.
fn chance(n: u64, of: u64) -> u64 {
    let mut z = n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ of.wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 30)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn norm(n: u64, of: u64) -> Norm {
    Norm::from_millionths((chance(n, of) % 101) as u32 * 10_000).unwrap()
}

fn instant(n: u64) -> Instant {
    Instant::from_epoch_ms(1_740_000_000_000 + (chance(n, 1) % 20_000_000_000) as i64).unwrap()
}

fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

/// Every row of a stream.
fn stream(need: Need, mut take: impl FnMut(&Row<'_>)) {
    let key = |kind: u64, n: u64| Key(kind * 100_000_000 + n);
    let all = 0..INTERVIEWS;
    match need {
        Need::People => {
            all.for_each(|n| take(&Row::Person(PersonRow { person: key(1, n), standing: Standing::Allowed })));
        }
        Need::Groups => all.for_each(|n| {
            let value = [None, Some("FEMALE"), Some("MALE"), Some("NON_BINARY")][(chance(n, 2) % 4) as usize];
            take(&Row::Group(GroupRow { person: key(1, n), attribute: "gender", value }));
        }),
        Need::Applications => all.for_each(|n| take(&Row::Application(application(n)))),
        Need::Steps => all.for_each(|n| {
            for (at, node) in (0..1 + chance(n, 3) % 5).zip(NODES) {
                let at_ms = instant(n).epoch_ms() + at as i64 * 60_000;
                take(&Row::Step(StepRow {
                    step: key(3, n * 5 + at),
                    application: key(2, n),
                    node,
                    at: Instant::from_epoch_ms(at_ms).unwrap(),
                    clicks: Some(at as u32),
                    wait_ms: Some(chance(n, 4) % 300_000),
                }));
            }
        }),
        Need::Interviews => all.for_each(|n| take(&Row::Interview(interview(n)))),
        Need::Employments => all.for_each(|n| {
            take(&Row::Employment(EmploymentRow {
                employment: key(5, n),
                person: Some(key(1, n)),
                start: Some(day("2025-06-01")),
                end: (chance(n, 5).is_multiple_of(3)).then(|| day("2026-03-01")),
                end_reason: None,
                probation: Some(if chance(n, 6).is_multiple_of(5) {
                    ProbationOutcome::Failed
                } else {
                    ProbationOutcome::Passed
                }),
            }));
        }),
        Need::Metrics => (0..METRICS).for_each(|n| take(&Row::Metric(metric(n)))),
        Need::Results => all.for_each(|n| {
            take(&Row::Result(ResultRow { result: key(7, n), interview: key(4, n), overall: Some(norm(n, 9)) }));
        }),
        Need::Scores => all.for_each(|n| {
            for (at, dimension) in (0..).zip(DIMENSIONS) {
                let score = key(8, n * 6 + at);
                take(&Row::Score(ScoreRow { score, interview: key(4, n), dimension, value: norm(n, 10 + at) }));
            }
        }),
        Need::Answers => all.for_each(|n| {
            for (at, question) in (0..).zip(QUESTIONS) {
                let answer = key(9, n * 10 + at);
                take(&Row::Answer(AnswerRow { answer, interview: key(4, n), question, value: norm(n, 20 + at) }));
            }
        }),
        Need::Reviews | Need::Offers => {}
    }
}

fn application(n: u64) -> ApplicationRow<'static> {
    let channels = [None, Some(SourceChannel::JobBoard), Some(SourceChannel::Referral), Some(SourceChannel::Campus)];
    ApplicationRow {
        application: Key(200_000_000 + n),
        person: Some(Key(100_000_000 + n)),
        job: Some(Key(7)),
        channel: channels[(chance(n, 7) % 4) as usize],
        applied_at: Some(instant(n)),
        status: ApplicationStatus::Active,
        selected: Some(chance(n, 8).is_multiple_of(3)),
        reasons: &[],
    }
}

fn interview(n: u64) -> InterviewRow {
    InterviewRow {
        interview: Key(400_000_000 + n),
        application: Key(200_000_000 + n),
        person: Some(Key(100_000_000 + n)),
        job: Some(Key(7)),
        kind: InterviewKind::Ai,
        round: Some(0),
        at: Some(instant(n)),
    }
}

fn metric(n: u64) -> MetricRow<'static> {
    MetricRow {
        metric: Key(600_000_000 + n),
        subject: MetricSubject::Person(Some(Key(100_000_000 + n % INTERVIEWS))),
        code: CODES[(n / INTERVIEWS) as usize],
        objective: true,
        direction: None,
        until: day("2026-06-30"),
        value: Decimal::from_minor((chance(n, 11) % 10_000_000) as i64, 2).unwrap(),
        position: Some(Key(7)),
        unit: Some(Key(9)),
    }
}

fn answered<Q: Question>(mut question: Q) -> Q::Answer {
    for need in question.needs() {
        stream(*need, |row| question.take(row));
    }
    question.answer().unwrap()
}

fn window() -> Window {
    Window::new(DateSpan::new(day("2025-01-01"), day("2026-12-31")), 480)
}

fn outcomes() -> Vec<Outcome> {
    let metrics = CODES.map(|code| Outcome::Metric(code.into()));
    [Outcome::Probation, Outcome::Retained { days: 180 }].into_iter().chain(metrics).collect()
}

fn predict() -> Predict {
    Predict::new(PredictAsk {
        window: window(),
        job: None,
        outcomes: outcomes(),
        today: day("2026-11-30"),
        objective_only: true,
        standard: Standard::default(),
        limits: Limits::default(),
    })
}

fn scope() -> Scope {
    Scope {
        window: window(),
        job: None,
        outcome: Outcome::Metric("sales".into()),
        today: day("2026-11-30"),
        objective_only: true,
        limits: Limits::default(),
    }
}

fn draft() -> ProfileDraft {
    ProfileDraft::new(DraftAsk {
        metric: "sales".into(),
        window: window().span().clone(),
        interviews: window(),
        position: Some(Key(7)),
        unit: None,
        objective_only: true,
        quantile: Decimal::parse("0.9").unwrap(),
        alpha: 0.05,
        sample_min: 10,
        limits: Limits::default(),
    })
}

fn performance() -> Performance {
    Performance::new(PerformanceAsk {
        window: window(),
        position: None,
        unit: None,
        objective_only: true,
        quantiles: vec![0.1, 0.5, 0.9],
        sample_min: 5,
        limits: Limits::default(),
    })
}

fn fairness() -> Fairness {
    Fairness::new(FairnessAsk {
        window: window(),
        job: None,
        attributes: vec![vec!["gender".into()]],
        rule: ImpactRule::default(),
        limits: Limits::default(),
    })
}

fn questions(c: &mut Criterion) {
    let mut group = c.benchmark_group("200,000 interviews, 1,000,000 figures");
    group.sample_size(10);
    let path = || Path::of_interview(window());
    let applied = ["2025-05-01", "2025-07-01"].map(|text| Applied { instruction: Key(1), on: day(text) });
    group.bench_function("rows alone", |b| {
        b.iter(|| {
            let mut rows = 0_u64;
            predict().needs().iter().for_each(|need| {
                stream(*need, |row| {
                    black_box(row);
                    rows += 1;
                });
            });
            rows
        });
    });
    group.bench_function("funnel", |b| b.iter(|| answered(Funnel::new(path()))));
    group.bench_function("channels", |b| b.iter(|| answered(Channels::new(path(), 30))));
    group.bench_function("friction", |b| b.iter(|| answered(Friction::new(path(), 120_000))));
    group.bench_function("predict: 17 predictors, 7 outcomes", |b| b.iter(|| answered(predict())));
    group.bench_function("alert", |b| b.iter(|| answered(Alert::new(scope(), AlertRule::default()))));
    group.bench_function("review of 2 instructions", |b| {
        b.iter(|| answered(Review::new(scope(), applied.to_vec(), 60, Standard::default())));
    });
    group.bench_function("profile draft", |b| b.iter(|| answered(draft())));
    group.bench_function("performance", |b| b.iter(|| answered(performance())));
    group.bench_function("fairness", |b| b.iter(|| answered(fairness())));
    group.finish();
}

criterion_group!(benches, questions);
criterion_main!(benches);
