//! What the page for a person who decides asks of the interview loop. As [`Interviews`](crate::Interviews), the API owns this
//! trait: how a link is sealed and where what was judged comes from is not known here.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::{Decimal, Localized};

use crate::interviews::InterviewsError;

/// Links to decisions, and what stands behind them.
#[async_trait]
pub trait DecisionDesk: Send + Sync {
    /// What a link's token says.
    ///
    /// # Errors
    /// [`LinkRefusal`].
    fn open(&self, token: &str) -> Result<OpenedLink, LinkRefusal>;

    /// The token of a link for the same person and with the same end, to another decision of the same tenant.
    fn onward(&self, link: &OpenedLink, decision: RecordId) -> Option<String>;

    /// What was judged, and how the decision on it stands.
    ///
    /// # Errors
    /// [`InterviewsError`].
    async fn judged(&self, tenant: &TenantId, decision: RecordId) -> Result<JudgedView, InterviewsError>;
}

/// What a link says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedLink {
    /// The tenant that owns the decision.
    pub tenant: TenantId,
    /// The decision.
    pub decision: RecordId,
    /// The person for whom the link was made.
    pub person: String,
    /// From when on it is no longer good, milliseconds since the epoch.
    pub expires_at_ms: i64,
}

/// Why a link opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LinkRefusal {
    /// No gateway of this deployment made it.
    NotOurs,
    /// It was good once.
    Expired,
}

/// What a person who decides is shown.
#[derive(Debug, Clone)]
pub struct JudgedView {
    /// The candidate's name.
    pub candidate: Option<String>,
    /// The position.
    pub position: Option<Localized>,
    /// In per cent of the scale, corrections counted in; none where the result has no overall score.
    pub score: Option<Decimal>,
    /// The pass line.
    pub pass: Option<Decimal>,
    /// The band of scores that a person decides on.
    pub border: Option<(Decimal, Decimal)>,
    /// What the rule said; none where it left it to a person.
    pub rule_passes: Option<bool>,
    /// Why a person must decide, or decided so.
    pub reason: Option<Localized>,
    /// The same in codes.
    pub reasons: Vec<&'static str>,
    /// Its current state.
    pub stands: StandsView,
    /// Who opened it again.
    pub opened_by: Option<String>,
    /// The scores that it was made of.
    pub dimensions: Vec<DimensionView>,
    /// True: there are more than are shown.
    pub more_dimensions: bool,
    /// The decision before: the score that it used, and the verdict where there was one.
    pub before: Option<(Option<Decimal>, Option<VerdictView>)>,
}

/// How a decision stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StandsView {
    /// It waits for a person.
    Open,
    /// It was made.
    Made(VerdictView),
    /// Another one took its place.
    Superseded,
}

/// A verdict, and whose.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictView {
    /// Does it pass?
    pub passes: bool,
    /// The person who decided; none for a rule.
    pub person: Option<String>,
    /// When, in milliseconds since the epoch.
    pub at_ms: Option<i64>,
}

/// One dimension.
#[derive(Debug, Clone)]
pub struct DimensionView {
    /// Name.
    pub name: Option<Localized>,
    /// As it was given.
    pub value: Decimal,
    /// The highest of its scale.
    pub max: Decimal,
    /// How much it counted, in basis points.
    pub weight_bp: Option<u16>,
    /// The correction in force: the score, who corrected, and why.
    pub corrected: Option<(Decimal, Option<String>, Option<Localized>)>,
}
