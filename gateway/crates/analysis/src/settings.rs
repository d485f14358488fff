//! What the operator decides about questions. The configuration fills it; each default suits one company.

use std::time::Duration;

use renmen_insight::question::alert::AlertRule;
use renmen_insight::question::fairness::ImpactRule;
use renmen_insight::question::pay::PayRule;
use renmen_insight::question::reweigh::STEP_BP;
use renmen_insight::question::standard::Standard;
use renmen_insight::{Limits, Purpose};
use renmen_schema::code::LegalBasis;
use renmen_schema::id::{ConnectionName, TenantId};

use crate::{Ask, Every};

/// What is asked by itself, and when.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    /// The name of its place in the schedule.
    pub name: String,
    /// The tenant whose records are asked; none: every tenant.
    pub tenant: Option<TenantId>,
    /// The question, without a period.
    pub ask: Ask,
    /// How often.
    pub every: Every,
    /// Over how many days, ended by the last whole one; none: as long as it is until the next time.
    pub window_days: Option<u32>,
}

/// What the operator decides.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What interviews and performance are joined for.
    pub purpose: Purpose,
    /// What groups are compared for.
    pub audit_purpose: Purpose,
    /// Days are those at this offset from UTC, in minutes.
    pub offset_minutes: i32,
    /// Days of a question that says no period.
    pub window_days: u32,
    /// When something counts as a prediction, and how small a sample is not judged.
    pub standard: Standard,
    /// When a group is flagged, and when it is shown apart.
    pub impact: ImpactRule,
    /// When an alert is raised.
    pub alert: AlertRule,
    /// By what groups are compared, where the question does not say.
    pub attributes: Vec<Vec<String>>,
    /// From how many seconds on a wait is slow.
    pub slow_s: u32,
    /// A band is flagged when more than this share refuses for pay.
    pub refusals_above: f64,
    /// The furthest that a weight moves at a time, in basis points.
    pub step_bp: u16,
    /// Days on each side of a change of a model.
    pub review_days: u32,
    /// With fewer figures no distribution of performance is shown, and with fewer people in the best part nothing is drafted.
    pub few: u64,
    /// How pay is suggested.
    pub pay: PayRule,
    /// Levels from the lowest to the highest.
    pub levels: Vec<String>,
    /// The connections whose interviews count for one application.
    pub vendors: Vec<ConnectionName>,
    /// The connections whose pay bands count.
    pub pay_bands: Vec<ConnectionName>,
    /// How much one question may hold.
    pub limits: Limits,
    /// How long one question may read.
    pub ask_within: Duration,
    /// Questions that are answered at once.
    pub asks_at_once: usize,
    /// What is asked by itself.
    pub plans: Vec<Plan>,
    /// This gateway's name, which no other over the same database has.
    pub gateway: String,
    /// How long a gateway may show no sign of life before another works on in its place.
    pub takeover_after: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            purpose: purpose("interview_performance_analysis"),
            audit_purpose: Purpose { without_consent: vec![LegalBasis::LegalObligation], ..purpose("bias_audit") },
            offset_minutes: 0,
            window_days: 365,
            standard: Standard::default(),
            impact: ImpactRule::default(),
            alert: AlertRule::default(),
            attributes: vec![vec!["gender".to_owned()]],
            slow_s: 120,
            refusals_above: 0.2,
            step_bp: STEP_BP,
            review_days: 90,
            few: 10,
            pay: PayRule::default(),
            levels: Vec::new(),
            vendors: Vec::new(),
            pay_bands: Vec::new(),
            limits: Limits::default(),
            ask_within: Duration::from_secs(30),
            asks_at_once: 2,
            plans: Vec::new(),
            gateway: "gateway".to_owned(),
            takeover_after: Duration::from_secs(15),
        }
    }
}

fn purpose(name: &str) -> Purpose {
    Purpose { name: name.to_owned(), without_consent: Vec::new() }
}
