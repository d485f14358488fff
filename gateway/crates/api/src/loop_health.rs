//! How the interview loop is, as health shows it: how far behind the change feed it is, and what it had to set aside.

use renmen_interview::LoopProgress;
use serde::Serialize;
use utoipa::ToSchema;

/// How the interview loop of the tenant is.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LoopHealth {
    /// How far it has read the change feed: a position as `GET /v1/changes` gives.
    pub(crate) place: i64,
    /// When the oldest change was recorded that it has not looked at; null while it has looked at all.
    #[serde(rename = "behind_since", serialize_with = "crate::instant::optional")]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) behind_since_ms: Option<i64>,
    /// Which gateway works on it, of those that share the database; null until it has looked, and while no gateway does.
    pub(crate) holder: Option<LoopHolder>,
    /// Why it waits, for instance for the store; null while it works.
    pub(crate) waits: Option<String>,
    /// How many interviews and orders it could not work on. The others go on; these are tried again when they change, and every ten
    /// minutes.
    pub(crate) set_aside: usize,
    /// The first hundred of them.
    pub(crate) first_set_aside: Vec<SetAsideSubject>,
    /// The rules that decide, and for how many results each was the rule since the gateway began. One that stays at 0 may name a
    /// position that no application has.
    pub(crate) rules: Vec<RuleUse>,
    /// Results that no rule was for, since the gateway began: nothing was decided on them.
    pub(crate) results_without_rule: u64,
    /// How many adjust instructions wait for approval, or for their vendor, for longer than `interview.adjust_wait`.
    pub(crate) adjustments_waiting: usize,
    /// The first hundred of them, the longest first.
    pub(crate) first_adjustments_waiting: Vec<AdjustmentWaiting>,
}

/// The gateway that works on the loop. Another one goes on in its place when it shows no sign of life for `interview.takeover_after`.
/// What was set aside, and how often rules were used, it tells alone.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct LoopHolder {
    /// Its name: host, process and start.
    pub(crate) gateway: String,
    /// Whether it is the gateway that answers here.
    pub(crate) here: bool,
    /// Since when.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since_ms: i64,
}

/// An adjust instruction that waits too long.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct AdjustmentWaiting {
    /// Path.
    pub(crate) url: String,
    /// Status.
    pub(crate) status: String,
    /// What it waits for, and what to do.
    pub(crate) reason: String,
    /// Since when.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since_ms: i64,
}

/// An interview or an order that could not be worked on.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct SetAsideSubject {
    /// `interview` or `interview_order`.
    pub(crate) entity: String,
    /// The connection that it came through.
    pub(crate) connection: String,
    /// Its id in the source system.
    pub(crate) external_id: String,
    /// What is wrong, and what to do.
    pub(crate) reason: String,
    /// Since when.
    #[serde(rename = "since", serialize_with = "crate::instant::required")]
    #[schema(value_type = String, format = DateTime)]
    pub(crate) since_ms: i64,
}

/// How often a rule was used.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub(crate) struct RuleUse {
    /// Name.
    pub(crate) name: String,
    /// True: it stands in the configuration file. False: a person wrote it.
    pub(crate) from_file: bool,
    /// The rule of the configuration file that decides in its place, being for the same position and version; null where none does.
    pub(crate) overruled_by: Option<String>,
    /// Looks at results for which it was the rule.
    pub(crate) results: u64,
}

impl From<LoopProgress> for LoopHealth {
    fn from(progress: LoopProgress) -> Self {
        let aside = progress.first_set_aside.into_iter().map(|aside| SetAsideSubject {
            entity: aside.entity,
            connection: aside.connection,
            external_id: aside.external_id,
            reason: aside.reason,
            since_ms: aside.since_ms,
        });
        let waiting = progress.first_adjustments_waiting.into_iter().map(|one| AdjustmentWaiting {
            url: format!("/v1/model-adjustments/{}", one.id),
            status: one.status.as_str().to_owned(),
            reason: one.reason().to_owned(),
            since_ms: one.since_ms,
        });
        let rules = progress.rules.into_iter().map(|rule| RuleUse {
            name: rule.name,
            from_file: rule.from_file,
            overruled_by: rule.overruled_by,
            results: rule.results,
        });
        Self {
            place: progress.place,
            behind_since_ms: progress.behind_since_ms,
            holder: progress.holder.and_then(|holder| {
                let (here, since_ms) = (holder.here, holder.since_ms);
                holder.gateway.map(|gateway| LoopHolder { gateway, here, since_ms })
            }),
            waits: progress.waits,
            set_aside: progress.set_aside,
            first_set_aside: aside.collect(),
            rules: rules.collect(),
            results_without_rule: progress.without_rule,
            adjustments_waiting: progress.adjustments_waiting,
            first_adjustments_waiting: waiting.collect(),
        }
    }
}
