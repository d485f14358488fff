//! Rows that questions of insight are asked over, as the store gives them: plain, with every reference resolved.
//!
//! A key is the number of a record. A person and a unit of the organisation are named by their identity: the oldest of the records that
//! are one. [`UNKNOWN`] stands where a row cannot do without a key and the reference means no live record.

use std::sync::Arc;

use renmen_schema::code::{
    ApplicationStatus, Direction, EndReason, InterviewKind, NodeCode, OfferStatus, OutcomeReason, ProbationOutcome,
    ReviewCycleKind, SourceChannel, StageKind,
};
use renmen_schema::entity::Consent;
use renmen_schema::types::{DataPolicy, Decimal, Instant, LocalDate};

/// The key that no record has.
pub const UNKNOWN: i64 = 0;

/// A stream of rows. Groups of people come another way: see [`crate::InsightStore::audit_rows`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Each person once.
    People,
    Applications,
    /// Steps of applications; those of an interview, an answer or an offer under its application.
    Steps,
    /// Interviews that took place or are planned.
    Interviews,
    /// Employments; of a person without one what their employee record says.
    Employments,
    /// Settled reviews by others, with a rating.
    Reviews,
    Metrics,
    Results,
    /// Scores of interviews that no other score corrects.
    Scores,
    /// Answers with a score to questions with an id.
    Answers,
    Offers,
}

/// What is asked.
#[derive(Debug, Clone)]
pub struct Ask {
    /// The streams, in this order; one that stands twice comes once.
    pub needs: Vec<Need>,
    /// Only metrics with one of these codes; none: all. Nothing else is narrowed here.
    pub metrics: Option<Vec<String>>,
    /// Where a day begins for points in time, in minutes from UTC: 480 for China.
    pub offset_minutes: i32,
    /// Records that others refer to, and names: more than this is an error and never a part of the data. 25 to 60 bytes each.
    pub entries_max: u64,
}

/// Which groups of people an audit is about.
#[derive(Debug, Clone)]
pub struct GroupsAsk {
    /// `gender`, `ethnicity`, `age`; another one gives no rows.
    pub attributes: Vec<String>,
    /// The day on which ages are taken.
    pub today: LocalDate,
}

/// Some rows of one stream.
#[derive(Debug, Clone)]
pub struct Batch {
    /// Names that came up; they are numbered on from those of the batches before, from 0.
    pub names: Vec<Arc<str>>,
    pub rows: Rows,
}

/// Rows of one stream.
#[derive(Debug, Clone)]
pub enum Rows {
    People(Vec<Person>),
    Groups(Vec<Group>),
    Applications(Vec<Application>),
    Steps(Vec<Step>),
    Interviews(Vec<Interview>),
    Employments(Vec<Employment>),
    Reviews(Vec<Review>),
    Metrics(Vec<Metric>),
    Results(Vec<InterviewResult>),
    Scores(Vec<Score>),
    Answers(Vec<Answer>),
    Offers(Vec<Offer>),
}

impl Rows {
    /// How many.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "a batch is never empty")]
    pub fn len(&self) -> usize {
        match self {
            Self::People(rows) => rows.len(),
            Self::Groups(rows) => rows.len(),
            Self::Applications(rows) => rows.len(),
            Self::Steps(rows) => rows.len(),
            Self::Interviews(rows) => rows.len(),
            Self::Employments(rows) => rows.len(),
            Self::Reviews(rows) => rows.len(),
            Self::Metrics(rows) => rows.len(),
            Self::Results(rows) => rows.len(),
            Self::Scores(rows) => rows.len(),
            Self::Answers(rows) => rows.len(),
            Self::Offers(rows) => rows.len(),
        }
    }
}

/// What was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Read {
    /// Rows that were given.
    pub rows: u64,
    /// Rows among them, and records that gave none, because a reference that they cannot do without means no live record.
    pub unresolved: u64,
    /// Records whose body this program cannot read: they gave no row.
    pub unreadable: u64,
    /// Positions of the feed that the rows do not follow yet: what came since is not in the answer.
    pub behind: u64,
}

/// How far the rows of the records are that were there before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RowsMade {
    /// Records that were looked at by this call.
    pub records: u64,
    /// Nothing is left to make.
    pub done: bool,
}

/// A person, and what says what their records may be used for.
#[derive(Debug, Clone)]
pub struct Person {
    pub person: i64,
    /// The policies of their candidate, employee and interview records, each different one once; none for a record without one.
    pub policies: Arc<[Option<DataPolicy>]>,
    /// Their consents; these do not name the person again.
    pub consents: Vec<Consent>,
}

/// An attribute of a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    pub person: i64,
    /// A name.
    pub attribute: u32,
    /// A name; none where it is not known or was not disclosed.
    pub value: Option<u32>,
}

/// An application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Application {
    pub application: i64,
    pub person: Option<i64>,
    pub job: Option<i64>,
    pub channel: Option<SourceChannel>,
    pub applied_at: Option<Instant>,
    pub status: ApplicationStatus,
    /// Why it ended.
    pub reasons: Vec<OutcomeReason>,
    /// The kinds of stages that it is or was in.
    pub stages: Vec<StageKind>,
}

impl Application {
    /// Did it come as far as a stage? One without stages may have.
    #[must_use]
    pub fn reached(&self, stage: StageKind) -> bool {
        self.stages.is_empty()
            || self.stages.iter().any(|one| rank(*one) >= rank(stage))
            || self.status == ApplicationStatus::Hired
    }

    /// Was it moved forward: by a stage, or, without one, to being hired? None while that is open, and for one that the candidate withdrew:
    /// there was no decision on it.
    #[must_use]
    pub fn selected(&self, stage: Option<StageKind>) -> Option<bool> {
        let beyond = |stage| self.stages.iter().any(|one| rank(*one) > rank(stage));
        if self.status == ApplicationStatus::Hired || stage.is_some_and(beyond) {
            return Some(true);
        }
        (self.status == ApplicationStatus::Rejected).then_some(false)
    }
}

/// The place of a stage in the order of hiring; nothing for one of the source's own.
fn rank(stage: StageKind) -> Option<usize> {
    StageKind::ALL.iter().filter(|one| **one != StageKind::Other).position(|one| *one == stage)
}

/// A step of an application.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    pub step: i64,
    pub application: i64,
    pub node: NodeCode,
    pub at: Instant,
    pub clicks: Option<u32>,
    pub wait_ms: Option<u64>,
}

/// An interview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interview {
    pub interview: i64,
    pub application: i64,
    pub person: Option<i64>,
    /// Its own job, else that of its application.
    pub job: Option<i64>,
    pub kind: InterviewKind,
    pub round: Option<u32>,
    /// When it ended; else was planned to end, started, or was planned to.
    pub at: Option<Instant>,
}

/// An employment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Employment {
    /// An employment, or an employee record where there is none.
    pub employment: i64,
    pub person: Option<i64>,
    /// The first day of work, else the day of hiring.
    pub start: Option<LocalDate>,
    pub end: Option<LocalDate>,
    pub end_reason: Option<EndReason>,
    pub probation: Option<ProbationOutcome>,
}

/// A review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Review {
    pub review: i64,
    pub person: Option<i64>,
    pub cycle: ReviewCycleKind,
    /// The last day of the period, else the day on which it was settled.
    pub until: Option<LocalDate>,
    /// In millionths of the scale.
    pub rating: u32,
    /// On that day.
    pub position: Option<i64>,
    pub unit: Option<i64>,
}

/// What a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// None where it is not known who.
    Person(Option<i64>),
    Unit(i64),
    Position(i64),
}

/// A performance figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    pub metric: i64,
    pub subject: Subject,
    /// A name.
    pub code: u32,
    pub objective: bool,
    pub direction: Option<Direction>,
    pub until: LocalDate,
    pub value: Decimal,
    /// Of a person, on that day.
    pub position: Option<i64>,
    pub unit: Option<i64>,
}

/// A result of an interview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InterviewResult {
    pub result: i64,
    pub interview: i64,
    /// In millionths of the scale.
    pub overall: Option<u32>,
}

/// The score of a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Score {
    pub score: i64,
    pub interview: i64,
    /// A name: the competency's code, else the vendor's name of the dimension.
    pub dimension: u32,
    /// In millionths of the scale.
    pub value: u32,
}

/// The score of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    pub answer: i64,
    pub interview: i64,
    /// A name: the id of the question; before it its connection and a slash, where it is not of the gateway's own library.
    pub question: u32,
    /// In millionths of the scale.
    pub value: u32,
}

/// An offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub offer: i64,
    pub band: Option<i64>,
    pub band_position: Option<Decimal>,
    pub status: OfferStatus,
    pub closed_at: Option<Instant>,
    pub reasons: Vec<OutcomeReason>,
}
