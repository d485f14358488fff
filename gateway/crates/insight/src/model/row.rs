//! The rows of the streams. They borrow their names and are passed by reference: nothing is copied that is not kept.

use renmen_schema::code::{
    ApplicationStatus, Direction, EndReason, InterviewKind, NodeCode, OfferStatus, OutcomeReason, ProbationOutcome,
    ReviewCycleKind, SourceChannel,
};
use renmen_schema::types::{Decimal, Instant, LocalDate};

use crate::key::{Key, Norm};
use crate::purpose::Standing;

/// A row of any stream.
#[derive(Debug, Clone, Copy)]
pub enum Row<'r> {
    /// Of [`Need::People`](super::Need::People).
    Person(PersonRow),
    /// Of [`Need::Groups`](super::Need::Groups).
    Group(GroupRow<'r>),
    /// Of [`Need::Applications`](super::Need::Applications).
    Application(ApplicationRow<'r>),
    /// Of [`Need::Steps`](super::Need::Steps).
    Step(StepRow),
    /// Of [`Need::Interviews`](super::Need::Interviews).
    Interview(InterviewRow),
    /// Of [`Need::Employments`](super::Need::Employments).
    Employment(EmploymentRow),
    /// Of [`Need::Reviews`](super::Need::Reviews).
    Review(ReviewRow),
    /// Of [`Need::Metrics`](super::Need::Metrics).
    Metric(MetricRow<'r>),
    /// Of [`Need::Results`](super::Need::Results).
    Result(ResultRow),
    /// Of [`Need::Scores`](super::Need::Scores).
    Score(ScoreRow<'r>),
    /// Of [`Need::Answers`](super::Need::Answers).
    Answer(AnswerRow<'r>),
    /// Of [`Need::Offers`](super::Need::Offers).
    Offer(OfferRow<'r>),
}

/// A person, and whether their records may be joined for this purpose.
#[derive(Debug, Clone, Copy)]
pub struct PersonRow {
    /// The person that spans connections.
    pub person: Key,
    /// May their records be joined?
    pub standing: Standing,
}

/// One attribute of a person.
#[derive(Debug, Clone, Copy)]
pub struct GroupRow<'r> {
    /// The person.
    pub person: Key,
    /// By what: `gender`, `ethnicity`, `age`.
    pub attribute: &'r str,
    /// The group; none where it is unknown or was not disclosed.
    pub value: Option<&'r str>,
}

/// An application.
#[derive(Debug, Clone, Copy)]
pub struct ApplicationRow<'r> {
    /// The application.
    pub application: Key,
    /// The person who applied, where the identity is known.
    pub person: Option<Key>,
    /// The job applied for.
    pub job: Option<Key>,
    /// The channel that it came through.
    pub channel: Option<SourceChannel>,
    /// When it was made.
    pub applied_at: Option<Instant>,
    /// Where it stands.
    pub status: ApplicationStatus,
    /// Was it moved forward by the stage in question? None while that is open.
    pub selected: Option<bool>,
    /// Why it ended.
    pub reasons: &'r [OutcomeReason],
}

/// A step of an application.
#[derive(Debug, Clone, Copy)]
pub struct StepRow {
    /// The step's own record.
    pub step: Key,
    /// The application that took it.
    pub application: Key,
    /// Which step.
    pub node: NodeCode,
    /// When, by the source's clock.
    pub at: Instant,
    /// How many clicks it took.
    pub clicks: Option<u32>,
    /// How long it waited, in milliseconds.
    pub wait_ms: Option<u64>,
}

/// An interview.
#[derive(Debug, Clone, Copy)]
pub struct InterviewRow {
    /// The interview.
    pub interview: Key,
    /// Its application.
    pub application: Key,
    /// The person interviewed, where the identity is known.
    pub person: Option<Key>,
    /// The job that it was for.
    pub job: Option<Key>,
    /// Who asked the questions.
    pub kind: InterviewKind,
    /// Round, from 0.
    pub round: Option<u32>,
    /// When it ended, or was planned to.
    pub at: Option<Instant>,
}

/// An employment.
#[derive(Debug, Clone, Copy)]
pub struct EmploymentRow {
    /// The employment.
    pub employment: Key,
    /// The person employed.
    pub person: Option<Key>,
    /// The first day.
    pub start: Option<LocalDate>,
    /// The last day; none while it goes on.
    pub end: Option<LocalDate>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// How the probation ended.
    pub probation: Option<ProbationOutcome>,
}

/// A review that is settled.
#[derive(Debug, Clone, Copy)]
pub struct ReviewRow {
    /// The review.
    pub review: Key,
    /// The person reviewed.
    pub person: Option<Key>,
    /// What it covers.
    pub cycle: ReviewCycleKind,
    /// The last day that it covers.
    pub until: Option<LocalDate>,
    /// The rating.
    pub rating: Norm,
    /// The position that the person held then.
    pub position: Option<Key>,
    /// The unit that the person belonged to then.
    pub unit: Option<Key>,
}

/// What a figure is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricSubject {
    /// A person, by their employee record; none where the identity is not known.
    Person(Option<Key>),
    /// A unit of the organisation.
    Unit(Key),
    /// A position.
    Position(Key),
}

/// A performance figure.
#[derive(Debug, Clone, Copy)]
pub struct MetricRow<'r> {
    /// The figure's own record.
    pub metric: Key,
    /// About whom or what.
    pub subject: MetricSubject,
    /// The metric's code.
    pub code: &'r str,
    /// Measured, not judged.
    pub objective: bool,
    /// Which way is better; higher where the source does not say.
    pub direction: Option<Direction>,
    /// The last day that it covers.
    pub until: LocalDate,
    /// The value.
    pub value: Decimal,
    /// The position that the person held then.
    pub position: Option<Key>,
    /// The unit that the person belonged to then.
    pub unit: Option<Key>,
}

/// A result of an interview.
#[derive(Debug, Clone, Copy)]
pub struct ResultRow {
    /// The result.
    pub result: Key,
    /// Its interview.
    pub interview: Key,
    /// The score as a whole.
    pub overall: Option<Norm>,
}

/// The score of a dimension.
#[derive(Debug, Clone, Copy)]
pub struct ScoreRow<'r> {
    /// The score's own record.
    pub score: Key,
    /// Its interview.
    pub interview: Key,
    /// The competency's code, or the vendor's name of the dimension.
    pub dimension: &'r str,
    /// Its place on the scale.
    pub value: Norm,
}

/// The score of an answer.
#[derive(Debug, Clone, Copy)]
pub struct AnswerRow<'r> {
    /// The answer.
    pub answer: Key,
    /// Its interview.
    pub interview: Key,
    /// The question's id in the library.
    pub question: &'r str,
    /// Its place on the scale.
    pub value: Norm,
}

/// An offer.
#[derive(Debug, Clone, Copy)]
pub struct OfferRow<'r> {
    /// The offer.
    pub offer: Key,
    /// The band that it is in.
    pub band: Option<Key>,
    /// Its place in the band: 0 at the lowest, 1 at the highest; it may lie outside.
    pub band_position: Option<Decimal>,
    /// Where it stands.
    pub status: OfferStatus,
    /// When it was answered.
    pub closed_at: Option<Instant>,
    /// Why it was declined.
    pub reasons: &'r [OutcomeReason],
}
