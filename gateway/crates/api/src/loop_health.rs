//! How the interview loop is, as health shows it: how far behind the change feed it is, and what it had to set aside.

use serde::Serialize;
use utoipa::ToSchema;

/// How the interview loop of the tenant is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoopHealth {
    /// How far it has read the change feed: a position as `GET /v1/changes` gives.
    pub place: i64,
    /// When the oldest change was recorded that it has not looked at; null while it has looked at all.
    #[serde(rename = "behind_since", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub behind_since_ms: Option<i64>,
    /// Which gateway works on it, of those that share the database; null until it has looked, and while no gateway does.
    pub holder: Option<LoopHolder>,
    /// Why it waits, for instance for the store; null while it works.
    pub waits: Option<String>,
    /// How many interviews and orders it could not work on. The others go on; these are tried again when they change, and every ten
    /// minutes.
    pub set_aside: usize,
    /// The first hundred of them.
    pub first_set_aside: Vec<SetAsideSubject>,
    /// The rules that decide, and for how many results each was the rule since the gateway began. One that stays at 0 may name a
    /// position that no application has.
    pub rules: Vec<RuleUse>,
    /// Results that no rule was for, since the gateway began: nothing was decided on them.
    pub results_without_rule: u64,
    /// How many adjust instructions wait for approval, or for their vendor, for longer than `interview.adjust_wait`.
    pub adjustments_waiting: usize,
    /// The first hundred of them, the longest first.
    pub first_adjustments_waiting: Vec<AdjustmentWaiting>,
}

/// The gateway that works on the loop. Another one goes on in its place when it shows no sign of life for `interview.takeover_after`.
/// What was set aside, and how often rules were used, it tells alone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct LoopHolder {
    /// Its name: host, process and start.
    pub gateway: String,
    /// Whether it is the gateway that answers here.
    pub here: bool,
    /// Since when.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub since_ms: i64,
}

/// An adjust instruction that waits too long.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AdjustmentWaiting {
    /// Path.
    pub url: String,
    /// Status.
    pub status: String,
    /// What it waits for, and what to do.
    pub reason: String,
    /// Since when.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub since_ms: i64,
}

/// An interview or an order that could not be worked on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct SetAsideSubject {
    /// `interview` or `interview_order`.
    pub entity: String,
    /// The connection that it came through.
    pub connection: String,
    /// Its id in the source system.
    pub external_id: String,
    /// What is wrong, and what to do.
    pub reason: String,
    /// Since when.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub since_ms: i64,
}

/// How often a rule was used.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RuleUse {
    /// Name.
    pub name: String,
    /// True: it stands in the configuration file. False: a person wrote it.
    pub from_file: bool,
    /// The rule of the configuration file that decides in its place, being for the same position and version; null where none does.
    pub overruled_by: Option<String>,
    /// Looks at results for which it was the rule.
    pub results: u64,
}
