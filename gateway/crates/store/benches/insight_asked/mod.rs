//! Every streamed question over what is stored: rows come on one thread and are taken by the question on another.

use std::sync::Arc;
use std::time::Instant;

use renmen_insight::model::{
    AnswerRow, ApplicationRow, EmploymentRow, GroupRow, InterviewRow, Limits, MetricRow, MetricSubject, OfferRow,
    PersonRow, ResultRow, ReviewRow, ScoreRow, StepRow,
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
use renmen_insight::{Key, Need as Wanted, Norm, Outcome, Purpose, Question, Row, Window};
use renmen_schema::code::{LegalBasis, ReviewCycleKind};
use renmen_schema::types::{DateSpan, Decimal, Instant as At, LocalDate};
use renmen_store::Store;
use renmen_store::insight::{Ask, Batch, GroupsAsk, Need, Rows, Subject};
use tokio::sync::mpsc;

use crate::insight_filled::{CODES, tenant};
use crate::insight_read::ask;

fn key(of: i64) -> Key {
    Key(of as u64)
}

fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

fn need(of: Wanted) -> Option<Need> {
    Some(match of {
        Wanted::People => Need::People,
        Wanted::Groups => return None,
        Wanted::Applications => Need::Applications,
        Wanted::Steps => Need::Steps,
        Wanted::Interviews => Need::Interviews,
        Wanted::Employments => Need::Employments,
        Wanted::Reviews => Need::Reviews,
        Wanted::Metrics => Need::Metrics,
        Wanted::Results => Need::Results,
        Wanted::Scores => Need::Scores,
        Wanted::Answers => Need::Answers,
        Wanted::Offers => Need::Offers,
    })
}

/// Hands a batch to a question.
fn take_all(question: &mut impl Question, names: &[Arc<str>], rows: &Rows, purpose: &Purpose) {
    let name = |at: u32| &*names[at as usize];
    let norm = |millionths| Norm::from_millionths(millionths).unwrap();
    let (now, today) = (At::parse("2026-11-30T00:00:00Z").unwrap(), day("2026-11-30"));
    match rows {
        Rows::People(rows) => rows.iter().for_each(|row| {
            let policies = row.policies.iter().map(Option::as_ref);
            let standing = purpose.standing(policies, &row.consents, now, today);
            question.take(&Row::Person(PersonRow { person: key(row.person), standing }));
        }),
        Rows::Groups(rows) => rows.iter().for_each(|row| {
            let (attribute, value) = (name(row.attribute), row.value.map(name));
            question.take(&Row::Group(GroupRow { person: key(row.person), attribute, value }));
        }),
        Rows::Applications(rows) => rows.iter().for_each(|row| {
            question.take(&Row::Application(ApplicationRow {
                application: key(row.application),
                person: row.person.map(key),
                job: row.job.map(key),
                channel: row.channel,
                applied_at: row.applied_at,
                status: row.status,
                selected: row.selected(None),
                reasons: &row.reasons,
            }));
        }),
        Rows::Steps(rows) => rows.iter().for_each(|row| {
            let (step, application) = (key(row.step), key(row.application));
            let (node, at, clicks, wait_ms) = (row.node, row.at, row.clicks, row.wait_ms);
            question.take(&Row::Step(StepRow { step, application, node, at, clicks, wait_ms }));
        }),
        Rows::Interviews(rows) => rows.iter().for_each(|row| {
            question.take(&Row::Interview(InterviewRow {
                interview: key(row.interview),
                application: key(row.application),
                person: row.person.map(key),
                job: row.job.map(key),
                kind: row.kind,
                round: row.round,
                at: row.at,
            }));
        }),
        Rows::Employments(rows) => rows.iter().for_each(|row| {
            question.take(&Row::Employment(EmploymentRow {
                employment: key(row.employment),
                person: row.person.map(key),
                start: row.start,
                end: row.end,
                end_reason: row.end_reason,
                probation: row.probation,
            }));
        }),
        Rows::Reviews(rows) => rows.iter().for_each(|row| {
            question.take(&Row::Review(ReviewRow {
                review: key(row.review),
                person: row.person.map(key),
                cycle: row.cycle,
                until: row.until,
                rating: norm(row.rating),
                position: row.position.map(key),
                unit: row.unit.map(key),
            }));
        }),
        Rows::Metrics(rows) => rows.iter().for_each(|row| {
            question.take(&Row::Metric(MetricRow {
                metric: key(row.metric),
                subject: match row.subject {
                    Subject::Person(person) => MetricSubject::Person(person.map(key)),
                    Subject::Unit(unit) => MetricSubject::Unit(key(unit)),
                    Subject::Position(position) => MetricSubject::Position(key(position)),
                },
                code: name(row.code),
                objective: row.objective,
                direction: row.direction,
                until: row.until,
                value: row.value,
                position: row.position.map(key),
                unit: row.unit.map(key),
            }));
        }),
        Rows::Results(rows) => rows.iter().for_each(|row| {
            let (result, interview) = (key(row.result), key(row.interview));
            question.take(&Row::Result(ResultRow { result, interview, overall: row.overall.map(norm) }));
        }),
        Rows::Scores(rows) => rows.iter().for_each(|row| {
            let (score, interview, dimension) = (key(row.score), key(row.interview), name(row.dimension));
            question.take(&Row::Score(ScoreRow { score, interview, dimension, value: norm(row.value) }));
        }),
        Rows::Answers(rows) => rows.iter().for_each(|row| {
            let (answer, interview) = (key(row.answer), key(row.interview));
            let (question_id, value) = (name(row.question), norm(row.value));
            question.take(&Row::Answer(AnswerRow { answer, interview, question: question_id, value }));
        }),
        Rows::Offers(rows) => rows.iter().for_each(|row| {
            question.take(&Row::Offer(OfferRow {
                offer: key(row.offer),
                band: row.band.map(key),
                band_position: row.band_position,
                status: row.status,
                closed_at: row.closed_at,
                reasons: &row.reasons,
            }));
        }),
    }
}

async fn asked<Q>(store: &Arc<dyn Store>, name: &str, mut question: Q, codes: Option<&[&str]>) -> Q::Answer
where
    Q: Question + Send + 'static,
    Q::Answer: Send + 'static,
{
    let began = Instant::now();
    let needs: Vec<Need> = question.needs().iter().filter_map(|of| need(*of)).collect();
    let metrics = codes.map(|codes| codes.iter().map(|code| (*code).to_owned()).collect());
    let asks = Ask { metrics, ..ask(&needs) };
    let groups = question.needs().contains(&Wanted::Groups);
    let (to, mut batches) = mpsc::channel::<Batch>(4);
    let taking = tokio::task::spawn_blocking(move || {
        let purpose =
            Purpose { name: "interview_performance_analysis".into(), without_consent: vec![LegalBasis::HrManagement] };
        let mut names: Vec<Arc<str>> = Vec::new();
        while let Some(batch) = batches.blocking_recv() {
            names.extend(batch.names);
            take_all(&mut question, &names, &batch.rows, &purpose);
        }
        let rows_taken = Instant::now();
        (question.answer().unwrap(), rows_taken)
    });
    let read = if groups {
        let ask = GroupsAsk { attributes: vec!["gender".into()], today: day("2026-11-30") };
        store.audit_rows(&tenant(), &asks, &ask, to).await.unwrap()
    } else {
        store.insight_rows(&tenant(), &asks, to).await.unwrap()
    };
    let (answer, rows_taken) = taking.await.unwrap();
    let (all, rows) = (began.elapsed().as_secs_f64(), rows_taken.duration_since(began).as_secs_f64());
    println!("{name}: {all:.2} s, of it {rows:.2} s for {} rows; peak {} MB", read.rows, crate::peak_mb());
    answer
}

fn window() -> Window {
    Window::new(DateSpan::new(day("2025-01-01"), day("2026-12-31")), 480)
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

pub(crate) async fn every_question(store: &Arc<dyn Store>) {
    let path = || Path::of_interview(window());
    let funnel = asked(store, "funnel", Funnel::new(path()), None).await;
    println!("  began {}, conversion {:?}", funnel.began, funnel.conversion.value);
    asked(store, "channels", Channels::new(path(), 30), None).await;
    asked(store, "friction", Friction::new(path(), 120_000), None).await;
    let metrics = CODES.map(|code| Outcome::Metric(code.into()));
    let more = [Outcome::Probation, Outcome::Retained { days: 180 }, Outcome::Review(ReviewCycleKind::HalfYear)];
    let predict = PredictAsk {
        window: window(),
        job: None,
        outcomes: more.into_iter().chain(metrics).collect(),
        today: day("2026-11-30"),
        objective_only: true,
        standard: Standard::default(),
        limits: Limits::default(),
    };
    let report = asked(store, "predict: 10 predictors, 8 outcomes", Predict::new(predict), None).await;
    let sales = Outcome::Metric("sales".into()).to_string();
    let overall = report.predictions.iter().find(|one| {
        one.outcome.to_string() == sales
            && matches!(one.predictor, renmen_insight::question::predict::Predictor::Overall)
    });
    println!(
        "  overall against sales: n {:?}, Pearson {:?}",
        overall.map(|one| one.pearson.basis.n),
        overall.and_then(|one| one.pearson.value)
    );
    asked(store, "alert", Alert::new(scope(), AlertRule::default()), Some(&["sales"])).await;
    let applied = ["2025-05-01", "2025-07-01"].map(|text| Applied { instruction: Key(1), on: day(text) });
    let review = Review::new(scope(), applied.to_vec(), 60, Standard::default());
    asked(store, "review of 2 instructions", review, Some(&["sales"])).await;
    let draft = DraftAsk {
        metric: "sales".into(),
        window: window().span().clone(),
        interviews: window(),
        position: None,
        unit: None,
        objective_only: true,
        quantile: Decimal::parse("0.9").unwrap(),
        alpha: 0.05,
        sample_min: 10,
        limits: Limits::default(),
    };
    asked(store, "profile draft", ProfileDraft::new(draft), Some(&["sales"])).await;
    let performance = PerformanceAsk {
        window: window(),
        position: None,
        unit: None,
        objective_only: true,
        quantiles: vec![0.1, 0.5, 0.9],
        sample_min: 5,
        limits: Limits::default(),
    };
    let report = asked(store, "performance", Performance::new(performance), None).await;
    for one in report.distributions.iter().take(CODES.len()) {
        let quantiles: Vec<Option<f64>> = one.quantiles.iter().map(|figure| figure.value).collect();
        println!("  {}: {quantiles:?}", one.metric);
    }
    let fairness = FairnessAsk {
        window: window(),
        job: None,
        attributes: vec![vec!["gender".into()]],
        rule: ImpactRule::default(),
        limits: Limits::default(),
    };
    asked(store, "fairness", Fairness::new(fairness), None).await;
}
