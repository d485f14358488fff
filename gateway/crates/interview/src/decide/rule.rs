//! The rules: what the operator wrote, the records that they are published as, which one is for a result, and what it says.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use renmen_schema::code::PassDecision;
use renmen_schema::entity::{BorderBand, DecisionRule};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::Decimal;
use renmen_store::{AuthoredCommit, RecordQuery, Store};

use crate::dossier::{Dossier, Read};
use crate::{InterviewError, author};

/// Rules in one deployment.
const RULES_MAX: u32 = 1_000;
/// Stands for the record of a rule that was not written.
const NO_RECORD: &str = "00000000-0000-7000-8000-000000000000";
/// The stream that rules are written by.
const STREAM: &str = "decision-rules";

/// A rule as the operator wrote it. Scores are in per cent of their scale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleSpec {
    /// Its name.
    pub name: String,
    /// The position's id: of the job that the interview's application is for, as the system that it comes from names it, or as the
    /// interview itself does. None: every position that no other rule is for.
    pub position: Option<String>,
    /// Only for this version of the position's profile.
    pub profile_version: Option<u32>,
    /// From here on it passes.
    pub pass: Decimal,
    /// From the first up to, and without, the second a person decides.
    pub border: Option<(Decimal, Decimal)>,
}

/// The rules of one tenant with their versions.
#[derive(Debug, Clone, Default)]
pub(crate) struct RuleBook {
    rules: Arc<[Published]>,
    /// How often each rule was chosen since the gateway began, in the same order; the last: how often there was none.
    chosen: Arc<[AtomicU64]>,
}

/// How often a rule was used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleUse {
    /// Its name.
    pub name: String,
    /// For how many results it was the rule, since the gateway began.
    pub results: u64,
}

#[derive(Debug, Clone)]
struct Published {
    record: RecordId,
    revision: i64,
    rule: DecisionRule,
}

/// The rule for a result.
#[derive(Debug)]
pub(crate) struct Chosen<'a> {
    pub(super) record: RecordId,
    /// The rule's version.
    pub(super) revision: i64,
    pub(super) rule: &'a Rule,
}

/// A rule that can be applied.
pub(super) type Rule = DecisionRule;

/// Says what a rule says to a score.
pub(super) trait Decides {
    fn decide(&self, percent: Decimal) -> PassDecision;
}

impl Decides for DecisionRule {
    /// The border before the line: what is in the band is never decided by a rule (R36).
    fn decide(&self, percent: Decimal) -> PassDecision {
        if self.border.as_ref().is_some_and(|band| band.from <= percent && percent < band.below) {
            PassDecision::Review
        } else if percent >= self.pass {
            PassDecision::Pass
        } else {
            PassDecision::Fail
        }
    }
}

/// Writes the operator's rules as records, so that a decision can name the version that it was made by; takes out of force
/// what the operator no longer has.
pub(crate) async fn publish(
    store: &dyn Store,
    tenant: &TenantId,
    specs: &[RuleSpec],
    now_ms: i64,
) -> Result<RuleBook, InterviewError> {
    let mut commit = AuthoredCommit::of(tenant.clone(), author::stream(STREAM), now_ms);
    for spec in specs {
        commit.records.push(author::record(spec.name.as_str(), &spec.record(true), Vec::new())?);
    }
    for old in published(store, tenant).await? {
        if old.rule.active && !specs.iter().any(|spec| spec.name == old.rule.name) {
            let retired = DecisionRule { active: false, ..old.rule };
            commit.records.push(author::record(retired.name.clone(), &retired, Vec::new())?);
        }
    }
    if !commit.records.is_empty() {
        store.author(commit).await?;
    }
    let rules: Vec<_> = published(store, tenant).await?.into_iter().filter(|rule| rule.rule.active).collect();
    let chosen = (0..=rules.len()).map(|_| AtomicU64::new(0)).collect();
    Ok(RuleBook { rules: rules.into(), chosen })
}

async fn published(store: &dyn Store, tenant: &TenantId) -> Result<Vec<Published>, InterviewError> {
    let query = RecordQuery {
        entity: Some("decision_rule".into()),
        connection: Some(author::built_in()),
        limit: RULES_MAX,
        ..RecordQuery::default()
    };
    let rows = store.records(tenant, &query).await?.items;
    Ok(rows
        .into_iter()
        .filter_map(Read::<DecisionRule>::of)
        .map(|read| Published { record: read.row.id, revision: read.row.revision, rule: read.body })
        .collect())
}

impl RuleSpec {
    fn record(&self, active: bool) -> DecisionRule {
        DecisionRule {
            position: self.position.clone(),
            profile_version: self.profile_version,
            border: self.border.map(|(from, below)| BorderBand::new(from, below)),
            ..DecisionRule::new(self.name.clone(), self.pass, active)
        }
    }
}

impl RuleBook {
    /// The rules as they are written, for a look that writes nothing: no record holds them.
    pub(crate) fn unpublished(specs: &[RuleSpec]) -> Self {
        let nil: RecordId = NO_RECORD.parse().expect("a name of ours is well formed");
        let rules: Vec<_> =
            specs.iter().map(|spec| Published { record: nil, revision: 1, rule: spec.record(true) }).collect();
        Self { chosen: (0..=rules.len()).map(|_| AtomicU64::new(0)).collect(), rules: rules.into() }
    }

    /// Does the operator have rules at all?
    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// The rule that says most of where it is for; of two alike the first by name.
    pub(crate) fn choose(&self, dossier: &Dossier) -> Option<Chosen<'_>> {
        let positions = positions(dossier);
        let version = profile_version(dossier);
        let fits = |rule: &DecisionRule| {
            let position = rule.position.as_ref().is_none_or(|position| positions.contains(position));
            position && rule.profile_version.is_none_or(|wanted| version == Some(wanted))
        };
        let said = |rule: &DecisionRule| (rule.position.is_some(), rule.profile_version.is_some());
        let mut best: Option<(usize, &Published)> = None;
        for (at, published) in self.rules.iter().enumerate().filter(|(_, published)| fits(&published.rule)) {
            if best.is_none_or(|(_, best)| said(&published.rule) > said(&best.rule)) {
                best = Some((at, published));
            }
        }
        let counter = best.map_or(self.rules.len(), |(at, _)| at);
        if let Some(counter) = self.chosen.get(counter) {
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if best.is_none() {
            metrics::counter!("renmen_decisions_without_rule_total").increment(1);
        }
        best.map(|(_, best)| Chosen { record: best.record, revision: best.revision, rule: &best.rule })
    }

    /// How often each rule was used, and for how many results there was none.
    pub(crate) fn uses(&self) -> (Vec<RuleUse>, u64) {
        let count = |at: usize| self.chosen.get(at).map_or(0, |counter| counter.load(Ordering::Relaxed));
        let rules = self.rules.iter().enumerate();
        let uses = rules.map(|(at, rule)| RuleUse { name: rule.rule.name.clone(), results: count(at) });
        (uses.collect(), count(self.rules.len()))
    }
}

/// The ids by which the interview's position is known.
fn positions(dossier: &Dossier) -> Vec<String> {
    let of_application = dossier.application.as_ref().map(|application| &application.body.job);
    let of_interview = dossier.interview.as_ref().and_then(|interview| interview.body.job.as_ref());
    let mut ids = Vec::new();
    for job in of_application.into_iter().chain(of_interview) {
        ids.extend(job.external.as_ref().map(|external| external.value.clone()));
        ids.extend(job.id.map(|id| id.to_string()));
    }
    ids
}

fn profile_version(dossier: &Dossier) -> Option<u32> {
    let of_order = dossier.order.as_ref().and_then(|order| order.body.profile_version);
    of_order.or(dossier.scored_against)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn r35_r36_80_passes_and_a_score_in_the_border_band_goes_to_a_person() {
        let amount = |text| Decimal::parse(text).unwrap();
        let spec = RuleSpec {
            name: "default".into(),
            position: None,
            profile_version: None,
            pass: amount("80"),
            border: Some((amount("75"), amount("80"))),
        };
        let rule = spec.record(true);
        let said = |text| rule.decide(amount(text));
        assert_eq!([said("100"), said("80")], [PassDecision::Pass; 2]);
        assert_eq!([said("79.99"), said("75")], [PassDecision::Review; 2]);
        assert_eq!([said("74.99"), said("0")], [PassDecision::Fail; 2]);
        let around = RuleSpec { border: Some((amount("78"), amount("82"))), ..spec.clone() }.record(true);
        assert_eq!(around.decide(amount("81")), PassDecision::Review);
        assert_eq!(around.decide(amount("82")), PassDecision::Pass);
        let none = RuleSpec { border: None, ..spec }.record(true);
        assert_eq!(none.decide(amount("79.99")), PassDecision::Fail);
    }
}
