//! Questions over many records as the configuration says them, and the rows that they are asked over.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use renmen_analysis::{Analysis, AnalysisWork, Ask, Every, Plan, QuestionName, Schedule, Settings, StoredRows};
use renmen_config::{Config, Connection, Insight, InsightEvery, InsightPlan, LateProblem};
use renmen_insight::question::alert::AlertRule;
use renmen_insight::question::fairness::ImpactRule;
use renmen_insight::question::pay::PayRule;
use renmen_insight::question::standard::Standard;
use renmen_insight::{Limits, Purpose};
use renmen_interview::SystemClock;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::types::Decimal;
use renmen_schema::{EntityKind, Text, text};
use renmen_store::{InsightStore, Store};
use rust_decimal::prelude::FromPrimitive as _;

use super::{Running, pay_bands, sources};

/// Changes whose rows are made at once.
const MADE_AT_ONCE: u32 = 2_000;
/// How long changes gather before their rows are made.
const TOGETHER: Duration = Duration::from_secs(2);
/// How long to wait for a store that is away.
const AGAIN: Duration = Duration::from_secs(10);

/// What answers questions, and what asks them by itself.
pub(crate) struct Insights {
    pub(crate) analysis: Arc<Analysis>,
    pub(crate) work: AnalysisWork,
    pub(crate) schedules: BTreeMap<TenantId, Arc<Schedule>>,
    pub(crate) tenants: Vec<TenantId>,
}

/// The connections whose records count for one application.
pub(crate) struct Counted {
    vendors: Vec<ConnectionName>,
    pay_bands: Vec<ConnectionName>,
}

impl Counted {
    /// As the file says it, without its plugins: those that it names, or the only one that it lets write.
    pub(crate) fn of_file(config: &Config) -> Self {
        let only = |named: &[ConnectionName], kind: EntityKind| {
            let may = |connection: &Connection| {
                connection.enabled && connection.grant.entities.as_ref().is_some_and(|kinds| kinds.contains(&kind))
            };
            let mut could = config.connections.iter().filter(|(_, connection)| may(connection)).map(|(name, _)| name);
            match (named, could.next(), could.next()) {
                ([], Some(only), None) => vec![only.clone()],
                _ => named.to_vec(),
            }
        };
        let said = &config.interview;
        Self {
            vendors: only(&said.vendors, EntityKind::Interview),
            pay_bands: only(&said.pay_bands, EntityKind::PayBand),
        }
    }
}

/// Opens it for every tenant that has a connection.
pub(crate) fn open_insights(running: &Running) -> anyhow::Result<Insights> {
    let current = running.current();
    let config = &current.deployment.config;
    let mut tenants: Vec<TenantId> = config.connections.values().map(|connection| connection.tenant.clone()).collect();
    tenants.push(config.gateway.tenant.clone());
    tenants.sort();
    tenants.dedup();
    let writers = running.writers();
    let counted = Counted {
        vendors: sources(config, &writers).vendors.into_iter().collect(),
        pay_bands: pay_bands(config, &writers).into_iter().collect(),
    };
    let gateway = current.deployment.gateway_name()?.to_owned();
    let analysis = analysis(config, Arc::clone(&running.store), counted, gateway)?;
    let work = AnalysisWork::new(&analysis, &tenants);
    let schedules = work.schedules();
    Ok(Insights { analysis, work, schedules, tenants })
}

/// Refuses plans that cannot be asked.
pub(super) fn check(config: &Config) -> anyhow::Result<()> {
    plans(&config.path, &config.insight).map(|_| ())
}

/// What answers questions over a store.
pub(crate) fn analysis(
    config: &Config,
    store: Arc<dyn Store>,
    counted: Counted,
    gateway: String,
) -> anyhow::Result<Arc<Analysis>> {
    let settings = Settings {
        vendors: counted.vendors,
        pay_bands: counted.pay_bands,
        gateway,
        takeover_after: config.interview.takeover_after,
        plans: plans(&config.path, &config.insight)?,
        ..settings(&config.insight)
    };
    let rows = StoredRows::new(Arc::clone(&store) as Arc<dyn InsightStore>, settings.limits.entries_max);
    Ok(Analysis::new(store, Arc::new(rows), Arc::new(SystemClock), settings))
}

/// What the configuration says of questions.
fn settings(said: &Insight) -> Settings {
    let exact = |number: f64| rust_decimal::Decimal::from_f64(number).unwrap_or_default();
    let decimal = |number: f64| Decimal::rounded(exact(number), 6).unwrap_or(Decimal::ZERO);
    let (sample_min, few) = (u64::from(said.sample_min), u64::from(said.few));
    let defaults = Settings::default();
    Settings {
        purpose: Purpose { name: said.purpose.clone(), without_consent: said.without_consent.clone() },
        audit_purpose: Purpose {
            name: said.audit_purpose.clone(),
            without_consent: said.audit_without_consent.clone(),
        },
        offset_minutes: said.offset_minutes,
        window_days: days(said.window),
        standard: Standard {
            alpha: said.alpha,
            relevant: said.relevant,
            sample_min,
            confidence: said.confidence,
            ..defaults.standard
        },
        impact: ImpactRule {
            flag_below: decimal(said.flag_below),
            small_below: decimal(said.small_below),
            sample_min,
            confidence: said.confidence,
        },
        alert: AlertRule { top: said.top, alpha: said.alpha, sample_min: few },
        attributes: said.audit_attributes.iter().map(|one| one.split('+').map(str::to_owned).collect()).collect(),
        slow_s: u32::try_from(said.slow.as_secs()).unwrap_or(u32::MAX),
        refusals_above: said.refusals_above,
        step_bp: basis_points(said.step_percent),
        review_days: days(said.review_window),
        few,
        pay: PayRule {
            match_low: exact(said.match_low),
            raise: said.use_prior_pay.then(|| exact(said.raise)),
            round_to: said.pay_round_to.into(),
            ..PayRule::default()
        },
        levels: said.levels.clone(),
        limits: Limits {
            entries_max: said.entries_max.into(),
            cells_max: said.cells_max.into(),
            names_max: said.names_max.into(),
            ids_max: said.ids_max as usize,
        },
        ask_within: said.ask_within,
        asks_at_once: said.asks_at_once as usize,
        ..defaults
    }
}

fn days(length: Duration) -> u32 {
    u32::try_from(length.as_secs() / 86_400).unwrap_or(u32::MAX).max(1)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0.01 to 100 per cent")]
fn basis_points(percent: f64) -> u16 {
    (percent * 100.0).round() as u16
}

/// What is asked by itself: the default plans, and those of the file, which take the place of a default one of their name.
fn plans(path: &Path, said: &Insight) -> anyhow::Result<Vec<Plan>> {
    let mut plans = BTreeMap::new();
    if said.default_plans {
        for (question, every, window_days) in [
            (QuestionName::Alert, Every::Days(7), Some(days(said.window))),
            (QuestionName::Review, Every::Days(7), None),
            (QuestionName::Fairness, Every::Quarter, None),
        ] {
            let name = question.to_string();
            let plan = Plan { name: name.clone(), tenant: None, ask: Ask::of(question), every, window_days };
            plans.insert(name, plan);
        }
    }
    for (name, plan) in &said.plans {
        if plan.enabled {
            plans.insert(name.to_string(), read(path, name, plan)?);
        } else {
            plans.remove(name.as_str());
        }
    }
    Ok(plans.into_values().collect())
}

fn read(path: &Path, name: &ConnectionName, plan: &InsightPlan) -> anyhow::Result<Plan> {
    let question = QuestionName::from_name(&plan.question).context("a question of the configuration")?;
    let refuse = |key: &str, message: Text, help: Text| {
        let key = format!("parameters.{key}");
        plan.refuse(path, LateProblem { key, at: None, message, help })
    };
    if let Some(fixed) = ["from", "to"].into_iter().find(|fixed| plan.parameters.contains_key(*fixed)) {
        return Err(refuse(
            fixed,
            text!("each time has its own period", "每次提问有各自的期间"),
            text!("take it out; `window` says how long the period is", "请删除；期间的长度由 `window` 决定"),
        )
        .into());
    }
    let mut ask = Ask::of(question);
    for (parameter, value) in &plan.parameters {
        ask.say(parameter, value).map_err(|error| {
            let known = question.parameter_names().join(", ");
            refuse(parameter, error.text(), text!("`{question}` takes {known}", "`{question}` 的参数为 {known}"))
        })?;
    }
    let every = match plan.every {
        InsightEvery::Days(days) => Every::Days(days),
        InsightEvery::Month => Every::Month,
        InsightEvery::Quarter => Every::Quarter,
    };
    let window_days = plan.window.map(days);
    Ok(Plan { name: name.to_string(), tenant: plan.tenant.clone(), ask, every, window_days })
}

impl Insights {
    /// Has rows follow what is committed, for as long as it is polled, so that a question finds little to take up.
    pub(crate) async fn follow(store: Arc<dyn Store>, tenants: Vec<TenantId>) {
        let mut following = tokio::task::JoinSet::new();
        for tenant in tenants {
            following.spawn(follow(Arc::clone(&store), tenant));
        }
        while following.join_next().await.is_some() {}
    }
}

async fn follow(store: Arc<dyn Store>, tenant: TenantId) {
    let mut feed = store.watch(&tenant);
    loop {
        feed.mark_unchanged();
        match store.make_insight_rows(&tenant, MADE_AT_ONCE).await {
            Ok(made) if made.done => {
                if feed.changed().await.is_err() {
                    return;
                }
                // What comes together is taken up together.
                tokio::time::sleep(TOGETHER).await;
            }
            Ok(made) if made.records > 0 => {}
            Ok(_) => tokio::time::sleep(TOGETHER).await,
            Err(error) => {
                tracing::debug!(%error, %tenant, "Failed to have rows for questions follow; trying again");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use renmen_config::PLAN_QUESTIONS;

    use super::*;

    #[test]
    fn what_a_plan_may_ask_are_questions_over_many_records() {
        for name in PLAN_QUESTIONS {
            let question = QuestionName::from_name(name);
            assert!(question.is_some_and(|question| !question.is_about_one()), "{name}");
        }
    }

    #[test]
    fn the_defaults_of_the_file_are_those_of_the_crate() {
        let (read, own) = (settings(&Insight::default()), Settings::default());
        assert_eq!((read.standard, read.impact, read.alert), (own.standard, own.impact, own.alert));
        assert_eq!((&read.pay, read.limits, read.step_bp), (&own.pay, own.limits, own.step_bp));
        assert_eq!((&read.purpose, &read.audit_purpose), (&own.purpose, &own.audit_purpose));
        assert_eq!((read.window_days, read.review_days, read.few), (own.window_days, own.review_days, own.few));
    }

    fn read(text: &str) -> Insight {
        let options = renmen_config::LoadOptions { dev: true, env: &|_| None };
        Config::parse(text, file(), options).expect("a good file").insight
    }

    fn file() -> &'static Path {
        Path::new("/etc/renmen/connectors.toml")
    }

    #[test]
    fn a_plan_of_the_file_takes_the_place_of_a_default_one_and_may_switch_it_off() {
        let named = |text: &str| -> Vec<String> {
            plans(file(), &read(text)).expect("good plans").into_iter().map(|plan| plan.name).collect()
        };
        assert_eq!(named(""), ["alert", "fairness", "review"]);
        let funnel = "[insight.plans.funnel]\nquestion = \"funnel\"\nevery = \"7d\"\n";
        let off = "[insight.plans.fairness]\nquestion = \"fairness\"\nevery = \"quarter\"\nenabled = false\n";
        assert_eq!(named(&format!("{funnel}{off}")), ["alert", "funnel", "review"]);
        assert_eq!(named("[insight]\ndefault_plans = false\n"), [""; 0]);
    }

    #[test]
    fn what_a_plan_cannot_say_is_told_with_its_place() {
        let refused = |parameters: &str| {
            let plan = "[insight.plans.funnel]\nquestion = \"funnel\"\nevery = \"7d\"\n";
            let said = read(&format!("{plan}parameters = {{ {parameters} }}\n"));
            plans(file(), &said).err().map(|error| error.to_string()).unwrap_or_default()
        };
        for (parameters, told) in [
            ("from = \"2026-01-01\"", "each time has its own period"),
            ("outcome = \"final_round\"", "`funnel` takes from, to, position"),
            ("position = \"the best\"", "the id of a record"),
        ] {
            let error = refused(parameters);
            assert!(error.contains(told) && error.contains("connectors.toml:4:"), "{parameters}: {error}");
        }
    }
}
