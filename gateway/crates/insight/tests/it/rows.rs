//! Rows in memory, and how a question is asked over them.

use renmen_insight::figure::Why;
use renmen_insight::model::{
    AnswerRow, ApplicationRow, EmploymentRow, GroupRow, InterviewRow, MetricRow, MetricSubject, PersonRow, ResultRow,
    ScoreRow, StepRow,
};
use renmen_insight::{Key, Need, Norm, Question, Row, Standing, Window};
use renmen_schema::code::{ApplicationStatus, InterviewKind, NodeCode};
use renmen_schema::types::{DateSpan, Decimal, Instant, LocalDate};

pub(crate) fn need_of(row: &Row<'_>) -> Need {
    match row {
        Row::Person(_) => Need::People,
        Row::Group(_) => Need::Groups,
        Row::Application(_) => Need::Applications,
        Row::Step(_) => Need::Steps,
        Row::Interview(_) => Need::Interviews,
        Row::Employment(_) => Need::Employments,
        Row::Review(_) => Need::Reviews,
        Row::Metric(_) => Need::Metrics,
        Row::Result(_) => Need::Results,
        Row::Score(_) => Need::Scores,
        Row::Answer(_) => Need::Answers,
        Row::Offer(_) => Need::Offers,
    }
}

/// Streams what the question needs, in its order, as an adapter does.
pub(crate) fn ask<Q: Question>(mut question: Q, rows: &[Row<'static>]) -> Q::Answer {
    for need in question.needs() {
        rows.iter().filter(|row| need_of(row) == *need).for_each(|row| question.take(row));
    }
    question.answer().unwrap()
}

pub(crate) fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

pub(crate) fn at(text: &str) -> Instant {
    Instant::parse(text).unwrap()
}

pub(crate) fn decimal(text: &str) -> Decimal {
    Decimal::parse(text).unwrap()
}

pub(crate) fn norm(value: f64) -> Norm {
    Norm::from_millionths((value * 1e6).round() as u32).unwrap()
}

/// The year 2025 in China.
pub(crate) fn year() -> Window {
    Window::new(DateSpan::new(day("2025-01-01"), day("2025-12-31")), 480)
}

/// The keys of what belongs to person `n`: each kind of record has numbers of its own.
pub(crate) fn key(kind: u64, n: u64) -> Key {
    Key(kind * 10_000_000 + n)
}

pub(crate) const PERSON: u64 = 1;
pub(crate) const APPLICATION: u64 = 2;
pub(crate) const INTERVIEW: u64 = 3;
pub(crate) const FINAL: u64 = 4;

pub(crate) fn person(n: u64) -> Row<'static> {
    Row::Person(PersonRow { person: key(PERSON, n), standing: Standing::Allowed })
}

pub(crate) fn left_out(n: u64, why: Why) -> Row<'static> {
    Row::Person(PersonRow { person: key(PERSON, n), standing: Standing::LeftOut(why) })
}

pub(crate) fn application(n: u64) -> ApplicationRow<'static> {
    ApplicationRow {
        application: key(APPLICATION, n),
        person: Some(key(PERSON, n)),
        job: Some(Key(7)),
        channel: None,
        applied_at: Some(at("2025-03-01T00:00:00Z")),
        status: ApplicationStatus::Active,
        selected: None,
        reasons: &[],
    }
}

pub(crate) fn step(n: u64, node: NodeCode, minute: i64) -> StepRow {
    let at = at("2025-03-01T00:00:00Z").epoch_ms() + minute * 60_000;
    let step = key(50 + node as u64, n);
    StepRow {
        step,
        application: key(APPLICATION, n),
        node,
        at: Instant::from_epoch_ms(at).unwrap(),
        clicks: None,
        wait_ms: None,
    }
}

pub(crate) fn interview(n: u64) -> InterviewRow {
    InterviewRow {
        interview: key(INTERVIEW, n),
        application: key(APPLICATION, n),
        person: Some(key(PERSON, n)),
        job: Some(Key(7)),
        kind: InterviewKind::Ai,
        round: Some(0),
        at: Some(at("2025-03-02T00:00:00Z")),
    }
}

/// The last round of person `n`, which a person held, with its score.
pub(crate) fn final_round(n: u64, score: f64) -> [Row<'static>; 2] {
    let held = InterviewRow { interview: key(FINAL, n), kind: InterviewKind::Human, round: Some(2), ..interview(n) };
    let result = ResultRow { result: key(6, n), interview: key(FINAL, n), overall: Some(norm(score)) };
    [Row::Interview(held), Row::Result(result)]
}

pub(crate) fn overall(n: u64, score: f64) -> Row<'static> {
    Row::Result(ResultRow { result: key(5, n), interview: key(INTERVIEW, n), overall: Some(norm(score)) })
}

pub(crate) fn score(n: u64, dimension: &'static str, value: f64) -> Row<'static> {
    let score = key(20 + dimension.len() as u64, n);
    Row::Score(ScoreRow { score, interview: key(INTERVIEW, n), dimension, value: norm(value) })
}

pub(crate) fn answer(n: u64, question: &'static str, value: f64) -> Row<'static> {
    let answer = key(30 + question.len() as u64, n);
    Row::Answer(AnswerRow { answer, interview: key(INTERVIEW, n), question, value: norm(value) })
}

pub(crate) fn metric(n: u64, code: &'static str, value: &str) -> MetricRow<'static> {
    MetricRow {
        metric: key(8, n),
        subject: MetricSubject::Person(Some(key(PERSON, n))),
        code,
        objective: true,
        direction: None,
        until: day("2025-12-31"),
        value: decimal(value),
        position: Some(Key(7)),
        unit: Some(Key(9)),
    }
}

pub(crate) fn employment(n: u64) -> EmploymentRow {
    EmploymentRow {
        employment: key(9, n),
        person: Some(key(PERSON, n)),
        start: Some(day("2025-04-01")),
        end: None,
        end_reason: None,
        probation: None,
    }
}

pub(crate) fn group(n: u64, attribute: &'static str, value: Option<&'static str>) -> Row<'static> {
    Row::Group(GroupRow { person: key(PERSON, n), attribute, value })
}
