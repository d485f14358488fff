//! What the API asks of the interview loop. The API owns this trait so that it needs to know neither how a band is found nor how
//! a decision is made: the binary puts them together.

use async_trait::async_trait;
use renmen_schema::code::OutcomeReason;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::{Decimal, Localized, Money, PayInterval};
use renmen_store::{Cause, RecordRow, StoreError};

use crate::loop_health::LoopHealth;

/// The interview loop as the API sees it.
#[async_trait]
pub trait Interviews: Send + Sync {
    /// Is what a candidate expects within the pay band? Asked about an interview or an order that is there and not over.
    ///
    /// # Errors
    /// [`InterviewsError`]: `NotFound` for what this connection does not have, `Refused` for what is over, `TooMany` over a limit,
    /// `Overloaded` when too much waits to be written down.
    async fn match_band(
        &self,
        tenant: &TenantId,
        caller: &str,
        question: BandQuestion,
    ) -> Result<BandVerdict, InterviewsError>;

    /// A person decides on what awaits a person.
    ///
    /// # Errors
    /// [`InterviewsError`]: `Refused` when it was decided otherwise, `Superseded` when a later decision took its place.
    async fn decide(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        by: PersonDecision,
    ) -> Result<RecordRow, InterviewsError>;

    /// A person opens a decision again; gives the open one that took its place.
    ///
    /// # Errors
    /// [`InterviewsError`]: `Refused` for one that is open, `Superseded` when a later decision took its place.
    async fn reopen(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        by: PersonReopening,
    ) -> Result<RecordRow, InterviewsError>;

    /// A person puts another verdict in the place of one that was reached; gives the decision in force.
    ///
    /// # Errors
    /// [`InterviewsError`]: `Refused` for one that is open or has that outcome, `Superseded` when a later one took its place.
    async fn overrule(
        &self,
        tenant: &TenantId,
        decision: RecordId,
        by: PersonDecision,
    ) -> Result<RecordRow, InterviewsError>;

    /// A person corrects a score; gives the correction.
    ///
    /// # Errors
    /// [`InterviewsError`].
    async fn correct(
        &self,
        tenant: &TenantId,
        score: RecordId,
        by: ScoreCorrection,
    ) -> Result<RecordRow, InterviewsError>;

    /// Everything that happened to an application, in order; true when there is more than is shown.
    ///
    /// # Errors
    /// [`InterviewsError`].
    async fn timeline(
        &self,
        tenant: &TenantId,
        application: RecordId,
    ) -> Result<(Vec<TimelineStep>, bool), InterviewsError>;

    /// Everything that happened to a candidate in all their applications, in order; true when there is more than is shown.
    ///
    /// # Errors
    /// [`InterviewsError`].
    async fn candidate_timeline(
        &self,
        tenant: &TenantId,
        candidate: RecordId,
    ) -> Result<(Vec<TimelineStep>, bool), InterviewsError>;

    /// A token with which a screen can follow one interview, and when it ends in milliseconds since the epoch.
    ///
    /// # Errors
    /// [`InterviewsError`].
    async fn screen_token(&self, tenant: &TenantId, interview: RecordId) -> Result<(String, i64), InterviewsError>;

    /// What the holder of a token may see; none for a token that is wrong, over, or another interview's.
    ///
    /// # Errors
    /// [`InterviewsError`].
    async fn screen(&self, token: &str, interview: RecordId) -> Result<Option<ScreenSteps>, InterviewsError>;

    /// How the loop of a tenant is; none for one that it does not serve.
    fn health(&self, tenant: &TenantId) -> Option<LoopHealth>;
}

/// Why the loop did not do as asked. Messages hold no secret and nobody's data.
#[derive(Debug, thiserror::Error)]
pub enum InterviewsError {
    /// There is no such record for this tenant: its name in English.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// A value cannot be used.
    #[error("`{field}` must be {expected}")]
    Invalid {
        /// Which.
        field: &'static str,
        /// What it should be, in English.
        expected: String,
        /// The same in Chinese.
        expected_zh: String,
    },
    /// It cannot be done as things stand.
    #[error("refused: {en}")]
    Refused {
        /// Why, in English.
        en: String,
        /// The same in Chinese.
        zh: String,
    },
    /// Another decision took the place of the one that was asked about.
    #[error("refused: a later decision took the place of this one")]
    Superseded {
        /// The newest on the same result.
        by: RecordId,
    },
    /// Asked too often.
    #[error("asked too often")]
    TooMany {
        /// Seconds until it may be asked again.
        after_s: u32,
    },
    /// Too much waits to be written.
    #[error("too much waits to be written")]
    Overloaded,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A fault.
    #[error("fault: {0}")]
    Failed(String),
}

/// A question about a pay band, asked within an interview.
#[derive(Debug, Clone)]
pub struct BandQuestion {
    /// The connection that asks.
    pub connection: ConnectionName,
    /// Which of its interviews or orders.
    pub about: AskedAbout,
    /// What the candidate expects.
    pub expected: Money,
    /// The pay interval.
    pub per: PayInterval,
}

/// What a question names, by the ids of its connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedAbout {
    /// An interview.
    Interview(String),
    /// An order of an interview.
    Order(String),
}

/// The answer: never the band.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BandVerdict {
    /// `in`, `out`, `unknown`.
    pub answer: &'static str,
    /// Why it is unknown: a word such as `no_band`, and what is missing in a sentence.
    pub unknown: Option<(&'static str, &'static str)>,
}

/// What a person decides.
#[derive(Debug, Clone)]
pub struct PersonDecision {
    /// True: it passes.
    pub pass: bool,
    /// Who decides: the name of the key or of the link.
    pub person: String,
    /// Reason for the decision.
    pub reason: String,
    /// Why, in codes; only for what does not pass.
    pub reasons: Vec<OutcomeReason>,
}

/// A person opens a decision again.
#[derive(Debug, Clone)]
pub struct PersonReopening {
    /// Who: the name of the key or of the link.
    pub person: String,
    /// Reason for reopening it.
    pub reason: Localized,
}

/// A person's correction of a score.
#[derive(Debug, Clone)]
pub struct ScoreCorrection {
    /// On the score's own scale.
    pub value: Decimal,
    /// What happened around the interview.
    pub environment_event: Option<RecordId>,
    /// Reason for the correction.
    pub reason: String,
    /// Who corrects: the name of the key.
    pub person: String,
}

/// One thing that happened to an application.
#[derive(Debug, Clone)]
pub struct TimelineStep {
    /// When, by the source's clock where it says; milliseconds since the epoch.
    pub at_ms: i64,
    /// When the gateway learnt of it.
    pub recorded_at_ms: i64,
    /// Kind of step.
    pub kind: &'static str,
    /// Code of the step.
    pub code: Option<String>,
    /// Where it stood then.
    pub status: Option<String>,
    /// The record.
    pub record: RecordId,
    /// Entity of the record.
    pub entity: String,
    /// Revision.
    pub revision: i64,
    /// The connection that it came through or went to.
    pub connection: ConnectionName,
    /// The id there.
    pub external_id: String,
    /// What it was made from.
    pub causes: Vec<Cause>,
    /// The delivery's number.
    pub delivery: Option<i64>,
    /// What other systems keep of the same.
    pub copies: Vec<TimelineCopy>,
}

/// A record that another system keeps of what a step is about.
#[derive(Debug, Clone)]
pub struct TimelineCopy {
    /// The record.
    pub record: RecordId,
    /// Entity of the record.
    pub entity: String,
    /// The connection that it came through.
    pub connection: ConnectionName,
    /// The id there.
    pub external_id: String,
}

/// What a screen may see of its interview.
#[derive(Debug, Clone)]
pub struct ScreenSteps {
    /// The tenant that owns the interview.
    pub tenant: TenantId,
    /// `waiting`, `in_progress`, `done`.
    pub stage: &'static str,
    /// In the order of their times.
    pub nodes: Vec<ScreenStep>,
}

/// One step as a candidate sees it.
#[derive(Debug, Clone)]
pub struct ScreenStep {
    /// What tells it from others.
    pub id: RecordId,
    /// Code of the step.
    pub code: &'static str,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// How much is done.
    pub done: Option<u32>,
    /// Total number of steps.
    pub of: Option<u32>,
}
