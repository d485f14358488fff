//! `[insight]`: what is asked of many records, for whom, how it is judged, and what is asked by itself.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::code::LegalBasis;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};

use crate::error::ConfigError;
use crate::limits::within_range;
use crate::places::{LateProblem, Places};
use crate::section::{Node, Section};

/// Plans in one file.
pub const PLANS_MAX: usize = 100;
/// What a plan may ask.
pub const PLAN_QUESTIONS: [&str; 9] =
    ["funnel", "channels", "friction", "predict", "alert", "review", "performance", "refusals", "fairness"];

const DAY: Duration = Duration::from_secs(86_400);
const SECOND: Duration = Duration::from_secs(1);
/// The highest offset from UTC, in minutes.
const OFFSET_MAX: i32 = 14 * 60;

/// What is asked of many records.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight {
    /// `purpose`: what people's records are joined for, as consents and policies name it.
    pub purpose: String,
    /// `without_consent`: legal bases on which a record that names the purpose needs no consent. Default none.
    pub without_consent: Vec<LegalBasis>,
    /// `audit_purpose`: the same for comparing groups.
    pub audit_purpose: String,
    /// `audit_without_consent`. Default `LEGAL_OBLIGATION`.
    pub audit_without_consent: Vec<LegalBasis>,
    /// `utc_offset`: where a day begins, in minutes from UTC. Default `+08:00`.
    pub offset_minutes: i32,
    /// `window`: days of a question that says no period. Default `365d`.
    pub window: Duration,
    /// `review_window`: days on each side of a change of a model. Default `90d`.
    pub review_window: Duration,
    /// `slow`: from how long on a wait is slow. Default `2m`.
    pub slow: Duration,
    /// `sample_min`: with fewer people nothing is judged. Default 30.
    pub sample_min: u32,
    /// `few`: distributions of fewer figures are not shown, nothing is drafted or flagged from fewer. Default 10.
    pub few: u32,
    /// `confidence`: of intervals. Default 0.95.
    pub confidence: f64,
    /// `alpha`: a corrected p value below this is not chance. Default 0.05.
    pub alpha: f64,
    /// `relevant`: from here on a correlation matters. Default 0.3.
    pub relevant: f64,
    /// `top`: the part of people with the best scores that an alert looks at. Default 0.1.
    pub top: f64,
    /// `flag_below`: a group with a lower impact ratio is flagged. Default 0.8.
    pub flag_below: f64,
    /// `small_below`: groups with a smaller share are shown apart. Default 0.02.
    pub small_below: f64,
    /// `audit_attributes`: by what groups are compared. Default `gender`.
    pub audit_attributes: Vec<String>,
    /// `refusals_above`: a band is flagged when it is certain that more than this share refuses for pay. Default 0.2.
    pub refusals_above: f64,
    /// `step_percent`: the furthest that a weight moves at a time. Default 10.
    pub step_percent: f64,
    /// `levels`: from the lowest to the highest. Default none.
    pub levels: Vec<String>,
    /// `use_prior_pay`: false where the law forbids to ask what someone earned. Default true.
    pub use_prior_pay: bool,
    /// `raise`: how much more than before a change of job pays. Default 0.15.
    pub raise: f64,
    /// `match_low`: a match from here down stands at the lower end of the band. Default 0.7.
    pub match_low: f64,
    /// `pay_round_to`: amounts are rounded to a multiple of this. Default 100.
    pub pay_round_to: u32,
    /// `ask_within`: how long one question may read. Default `30s`.
    pub ask_within: Duration,
    /// `asks_at_once`: questions that are answered at once. Default 2.
    pub asks_at_once: u32,
    /// `entries_max`: people, applications and interviews, each, of one question. Default 2000000.
    pub entries_max: u32,
    /// `cells_max`: scores and outcomes of one question. Default 20000000.
    pub cells_max: u32,
    /// `names_max`: different dimensions, questions, metrics and groups of one question. Default 20000.
    pub names_max: u32,
    /// `ids_max`: ids that a figure names of the records behind it. Default 20.
    pub ids_max: u32,
    /// `default_plans`: the review of instructions and the alert each week, the audit of groups each quarter. Default true.
    pub default_plans: bool,
    /// `[insight.plans.NAME]`, by name.
    pub plans: BTreeMap<ConnectionName, InsightPlan>,
}

/// `[insight.plans.NAME]`: a question that is asked by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct InsightPlan {
    /// `question`.
    pub question: String,
    /// `every`.
    pub every: InsightEvery,
    /// `window`: days that it asks over; none: as long as it is until the next time.
    pub window: Option<Duration>,
    /// `tenant`: whose records; none: every tenant's.
    pub tenant: Option<TenantId>,
    /// `parameters`: what is said with the question, by name.
    pub parameters: BTreeMap<String, String>,
    /// `enabled`.
    pub enabled: bool,
    places: Places,
}

/// How often a plan asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InsightEvery {
    /// Each so many days.
    Days(u32),
    /// `month`
    Month,
    /// `quarter`
    Quarter,
}

impl Default for Insight {
    fn default() -> Self {
        Self {
            purpose: "interview_performance_analysis".to_owned(),
            without_consent: Vec::new(),
            audit_purpose: "bias_audit".to_owned(),
            audit_without_consent: vec![LegalBasis::LegalObligation],
            offset_minutes: 480,
            window: 365 * DAY,
            review_window: 90 * DAY,
            slow: 120 * SECOND,
            sample_min: 30,
            few: 10,
            confidence: 0.95,
            alpha: 0.05,
            relevant: 0.3,
            top: 0.1,
            flag_below: 0.8,
            small_below: 0.02,
            audit_attributes: vec!["gender".to_owned()],
            refusals_above: 0.2,
            step_percent: 10.0,
            levels: Vec::new(),
            use_prior_pay: true,
            raise: 0.15,
            match_low: 0.7,
            pay_round_to: 100,
            ask_within: 30 * SECOND,
            asks_at_once: 2,
            entries_max: 2_000_000,
            cells_max: 20_000_000,
            names_max: 20_000,
            ids_max: 20,
            default_plans: true,
            plans: BTreeMap::new(),
        }
    }
}

impl Insight {
    pub(crate) fn read(section: Option<Section<'_>>, text: &Arc<str>) -> Self {
        let mut read = Self::default();
        let Some(mut section) = section else { return read };
        read.joined(&mut section);
        read.judged(&mut section);
        read.bounded(&mut section);
        if let Some(found) = section.get("default_plans").and_then(|node| node.flag()) {
            read.default_plans = found;
        }
        if let Some(plans) = section.table("plans") {
            read.plans = read_plans(plans, text);
        }
        section.finish();
        read
    }

    /// For what records are joined, and over which days.
    fn joined(&mut self, section: &mut Section<'_>) {
        for (key, place) in [("purpose", &mut self.purpose), ("audit_purpose", &mut self.audit_purpose)] {
            if let Some(read) = section.get(key).and_then(|node| node.filled()) {
                *place = read.value;
            }
        }
        for (key, place) in
            [("without_consent", &mut self.without_consent), ("audit_without_consent", &mut self.audit_without_consent)]
        {
            if let Some(node) = section.get(key) {
                *place = node.list().unwrap_or_default().iter().filter_map(basis).collect();
            }
        }
        let offset = section.get("utc_offset");
        let help = || text!("write `+08:00`", "请写 `+08:00`");
        if let Some(read) = offset.and_then(|node| node.parsed(offset_of, help())) {
            self.offset_minutes = read;
        }
        for (key, (least, most), place) in [
            ("window", (DAY, 3_660 * DAY), &mut self.window),
            ("review_window", (DAY, 3_660 * DAY), &mut self.review_window),
            ("slow", (SECOND, DAY), &mut self.slow),
            ("ask_within", (SECOND, 600 * SECOND), &mut self.ask_within),
        ] {
            if let Some(read) = section.get(key).and_then(|node| within_range::duration(&node, least, most)) {
                *place = read;
            }
        }
    }

    /// When something is said.
    fn judged(&mut self, section: &mut Section<'_>) {
        for (key, (least, most), place) in [
            ("confidence", (0.5, 0.999), &mut self.confidence),
            ("alpha", (0.0001, 0.5), &mut self.alpha),
            ("relevant", (0.01, 0.99), &mut self.relevant),
            ("top", (0.01, 0.5), &mut self.top),
            ("flag_below", (0.01, 1.0), &mut self.flag_below),
            ("small_below", (0.0, 0.5), &mut self.small_below),
            ("refusals_above", (0.0, 1.0), &mut self.refusals_above),
            ("step_percent", (0.01, 100.0), &mut self.step_percent),
            ("raise", (0.0, 1.0), &mut self.raise),
            ("match_low", (0.0, 0.99), &mut self.match_low),
        ] {
            if let Some(read) = section.get(key).and_then(|node| number(&node, least, most)) {
                *place = read;
            }
        }
        for (key, (least, most), place) in [
            ("sample_min", (2_u32, 100_000), &mut self.sample_min),
            ("few", (2, 100_000), &mut self.few),
            ("pay_round_to", (1, 1_000_000), &mut self.pay_round_to),
        ] {
            if let Some(read) = section.get(key).and_then(|node| within_range::count(&node, least, most)) {
                *place = read;
            }
        }
        for (key, place) in [("levels", &mut self.levels), ("audit_attributes", &mut self.audit_attributes)] {
            if let Some(node) = section.get(key) {
                let items = node.list().unwrap_or_default();
                *place = items.iter().filter_map(|item| item.filled().map(|text| text.value)).collect();
            }
        }
        if let Some(read) = section.get("use_prior_pay").and_then(|node| node.flag()) {
            self.use_prior_pay = read;
        }
    }

    /// How much one question may hold.
    fn bounded(&mut self, section: &mut Section<'_>) {
        for (key, (least, most), place) in [
            ("asks_at_once", (1_u32, 64), &mut self.asks_at_once),
            ("entries_max", (1_000, 50_000_000), &mut self.entries_max),
            ("cells_max", (1_000, 500_000_000), &mut self.cells_max),
            ("names_max", (100, 1_000_000), &mut self.names_max),
            ("ids_max", (1, 1_000), &mut self.ids_max),
        ] {
            if let Some(read) = section.get(key).and_then(|node| within_range::count(&node, least, most)) {
                *place = read;
            }
        }
    }
}

fn basis(node: &Node<'_>) -> Option<LegalBasis> {
    let known = LegalBasis::ALL.iter().filter(|basis| **basis != LegalBasis::Other).map(|basis| basis.as_str());
    let known = known.collect::<Vec<_>>().join(", ");
    let read = |code: &str| {
        let found = LegalBasis::from_code(code).filter(|basis| *basis != LegalBasis::Other);
        found.ok_or_else(|| text!("this is not a legal basis", "不是法律依据"))
    };
    node.parsed(read, text!("use some of {known}", "请使用其中之一：{known}"))
}

fn offset_of(text: &str) -> Result<i32, Text> {
    let bad = || text!("this is not an offset from UTC", "不是与 UTC 的时差");
    let (sign, rest) = match text.split_at_checked(1) {
        Some(("+", rest)) => (1, rest),
        Some(("-", rest)) => (-1, rest),
        _ => return Err(bad()),
    };
    let (hours, minutes) = rest.split_once(':').ok_or_else(bad)?;
    let part = |part: &str, most: i32| {
        let fits = part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
        part.parse::<i32>().ok().filter(|read| fits && *read <= most).ok_or_else(bad)
    };
    let read = sign * (part(hours, 14)? * 60 + part(minutes, 59)?);
    if read.abs() > OFFSET_MAX { Err(bad()) } else { Ok(read) }
}

fn number(node: &Node<'_>, least: f64, most: f64) -> Option<f64> {
    let read = node.number()?;
    if (least..=most).contains(&read) {
        return Some(read);
    }
    node.problem(
        text!("this is outside of its range", "超出范围"),
        text!("write a number from {least} to {most}", "请写 {least} 到 {most} 的数字"),
    );
    None
}

fn read_plans(section: Section<'_>, text: &Arc<str>) -> BTreeMap<ConnectionName, InsightPlan> {
    let mut plans = BTreeMap::new();
    for (name, node) in section.named::<ConnectionName>() {
        if plans.len() == PLANS_MAX {
            node.problem(
                text!("more than {PLANS_MAX} plans", "计划超过 {PLANS_MAX} 个"),
                text!("ask further questions over the API", "其余问题请通过 API 提问"),
            );
            break;
        }
        if name.as_str().len() > 48 {
            node.problem_at_key(
                text!("a plan's name has at most 48 characters", "计划名称最多 48 个字符"),
                text!("give it a shorter name", "请取更短的名称"),
            );
            continue;
        }
        if let Some(plan) = InsightPlan::read(&node, text) {
            plans.insert(name, plan);
        }
    }
    plans
}

impl InsightPlan {
    /// The error of a plan that cannot be asked, with its place in the file.
    #[must_use]
    pub fn refuse(&self, path: &Path, problem: LateProblem) -> ConfigError {
        self.places.refuse(path, &[problem], |_| None)
    }

    fn read(node: &Node<'_>, text: &Arc<str>) -> Option<Self> {
        let mut section = node.section()?;
        let known = PLAN_QUESTIONS.join(", ");
        let wanted = || text!("use one of {known}", "请使用其中之一：{known}");
        let question = section.require("question", wanted()).and_then(|node| {
            let read = |text: &str| {
                let found = PLAN_QUESTIONS.iter().find(|known| **known == text);
                found
                    .map(|found| (*found).to_owned())
                    .ok_or_else(|| text!("this is not a question that a plan may ask", "不是计划可以提出的问题"))
            };
            node.parsed(read, wanted())
        });
        let often = || {
            text!("write `quarter`, `month` or whole days, such as `7d`", "请写 `quarter`、`month` 或整天数，例如 `7d`")
        };
        let every = section.require("every", often()).and_then(|node| node.parsed(every_of, often()));
        let window = section.get("window").and_then(|node| within_range::duration(&node, DAY, 3_660 * DAY));
        let tenant = section.get("tenant").and_then(|node| node.named());
        let mut parameters = BTreeMap::new();
        if let Some(table) = section.table("parameters") {
            for (name, node) in table.nodes() {
                if let Some(value) = node.filled() {
                    parameters.insert(name.to_owned(), value.value);
                }
            }
        }
        let enabled = section.get("enabled").and_then(|node| node.flag()).unwrap_or(true);
        section.finish();
        let places = Places::of(node, text);
        Some(Self { question: question?, every: every?, window, tenant, parameters, enabled, places })
    }
}

fn every_of(text: &str) -> Result<InsightEvery, Text> {
    match text {
        "quarter" => return Ok(InsightEvery::Quarter),
        "month" => return Ok(InsightEvery::Month),
        _ => {}
    }
    let days = text.strip_suffix('d').and_then(|days| days.parse::<u32>().ok());
    let days = days.filter(|days| (1..=366).contains(days));
    days.map(InsightEvery::Days).ok_or_else(|| text!("this is not how often a plan may ask", "不是计划的提问频率"))
}
