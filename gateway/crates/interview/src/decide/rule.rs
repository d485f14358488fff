//! The rules: what the operator wrote, what people wrote over the API, which one is for a result, and what it says.

use std::sync::Arc;

use renmen_schema::code::PassDecision;
use renmen_schema::entity::{BorderBand, DecisionRule};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::Decimal;
use renmen_store::{AuthoredCommit, FILE_RULES_STREAM, RecordQuery, Store};

use crate::dossier::{Dossier, Read};
use crate::{InterviewError, author};

/// Rules read at once.
const PAGE: u32 = 1_000;
/// Stands for the record of a rule that was not written.
const NO_RECORD: &str = "00000000-0000-7000-8000-000000000000";

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

/// A rule as a record.
#[derive(Debug, Clone)]
pub(super) struct Published {
    pub(super) record: RecordId,
    pub(super) revision: i64,
    pub(super) rule: DecisionRule,
    external_id: String,
    /// It stands in the configuration file; else a person wrote it.
    pub(super) of_file: bool,
}

/// The rule for a result.
#[derive(Debug, Clone)]
pub(super) struct Chosen(Arc<Published>);

impl std::ops::Deref for Chosen {
    type Target = Published;

    fn deref(&self) -> &Published {
        &self.0
    }
}

/// Says what a rule says to a score.
pub(super) trait Decides {
    fn decide(&self, percent: Decimal) -> PassDecision;
}

impl Decides for DecisionRule {
    /// The border band is checked before the pass line: a rule never decides on a score inside the band.
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

/// The rules in force at one time.
#[derive(Debug, Clone, Default)]
pub(super) struct Rules(Vec<Arc<Published>>);

impl Rules {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Published> {
        self.0.iter().map(Arc::as_ref)
    }

    /// The rule that says most of where it is for; of two alike that of the file, then the first by name.
    pub(super) fn choose(&self, dossier: &Dossier) -> Option<Chosen> {
        let positions = positions(dossier);
        let version = profile_version(dossier);
        let fits = |rule: &DecisionRule| {
            let position = rule.position.as_ref().is_none_or(|position| positions.contains(position));
            position && rule.profile_version.is_none_or(|wanted| version == Some(wanted))
        };
        let said = |rule: &DecisionRule| (rule.position.is_some(), rule.profile_version.is_some());
        let mut best: Option<&Arc<Published>> = None;
        for published in self.0.iter().filter(|published| fits(&published.rule)) {
            if best.is_none_or(|best| said(&published.rule) > said(&best.rule)) {
                best = Some(published);
            }
        }
        best.map(|best| Chosen(Arc::clone(best)))
    }

    /// Rules of people that decide nothing, because one of the file is for the same: each with that one.
    pub(super) fn overruled(&self) -> Vec<(&Published, &Published)> {
        let of_file: Vec<&Published> = self.iter().filter(|rule| rule.of_file).collect();
        let same =
            |a: &DecisionRule, b: &DecisionRule| (&a.position, a.profile_version) == (&b.position, b.profile_version);
        let of_people = self.iter().filter(|rule| !rule.of_file);
        of_people.filter_map(|rule| Some((rule, *of_file.iter().find(|file| same(&file.rule, &rule.rule))?))).collect()
    }
}

/// Writes the operator's rules as records, so that a decision can name the version that it was made by; takes out of force
/// what the operator no longer has.
pub(crate) async fn publish(
    store: &dyn Store,
    tenant: &TenantId,
    specs: &[RuleSpec],
    now_ms: i64,
) -> Result<(), InterviewError> {
    let mut commit = AuthoredCommit::of(tenant.clone(), author::stream(FILE_RULES_STREAM), now_ms);
    let known = published(store, tenant).await?;
    for spec in specs {
        // A person may have taken the id before the file had a rule of this name.
        let taken = known.iter().any(|known| known.external_id == spec.name && !known.of_file);
        let id = if taken { format!("{}@file", spec.name) } else { spec.name.clone() };
        commit.records.push(author::record(id, &spec.record(true), Vec::new())?);
    }
    for old in known.into_iter().filter(|old| old.of_file && old.rule.active) {
        if !commit.records.iter().any(|record| record.external_id == old.external_id) {
            let retired = DecisionRule { active: false, ..old.rule };
            commit.records.push(author::record(old.external_id, &retired, Vec::new())?);
        }
    }
    if !commit.records.is_empty() {
        store.author(commit).await?;
    }
    Ok(())
}

/// The rules that are in force now.
pub(super) async fn in_force(store: &dyn Store, tenant: &TenantId) -> Result<Rules, InterviewError> {
    let mut rules: Vec<_> = published(store, tenant).await?.into_iter().filter(|rule| rule.rule.active).collect();
    rules.sort_by(|a, b| (!a.of_file, &a.rule.name, &a.external_id).cmp(&(!b.of_file, &b.rule.name, &b.external_id)));
    let rules = Rules(rules.into_iter().map(Arc::new).collect());
    for (rule, file) in rules.overruled() {
        tracing::warn!(
            rule = %rule.record, tenant = %tenant,
            "A rule that a person wrote decides nothing: `interview.rules.{}` of the configuration file is for the same position and \
             version. Take one of them away",
            file.rule.name
        );
    }
    Ok(rules)
}

/// The rules as they are written, for a look that writes nothing: no record holds those of the file.
pub(super) async fn unpublished(
    store: &dyn Store,
    tenant: &TenantId,
    specs: &[RuleSpec],
) -> Result<Rules, InterviewError> {
    let nil: RecordId = NO_RECORD.parse().expect("a name of ours is well formed");
    let mut rules: Vec<_> = specs
        .iter()
        .map(|spec| Published {
            record: nil,
            revision: 1,
            rule: spec.record(true),
            external_id: spec.name.clone(),
            of_file: true,
        })
        .collect();
    let of_people = in_force(store, tenant).await?.0.into_iter().filter(|rule| !rule.of_file);
    rules.extend(of_people.map(Arc::unwrap_or_clone));
    Ok(Rules(rules.into_iter().map(Arc::new).collect()))
}

async fn published(store: &dyn Store, tenant: &TenantId) -> Result<Vec<Published>, InterviewError> {
    let mut query = RecordQuery {
        entity: Some("decision_rule".into()),
        connection: Some(author::built_in()),
        limit: PAGE,
        ..RecordQuery::default()
    };
    let mut found = Vec::new();
    loop {
        let slice = store.records(tenant, &query).await?;
        found.extend(slice.items.into_iter().filter_map(Read::<DecisionRule>::of).map(|read| Published {
            record: read.row.id,
            revision: read.row.revision,
            of_file: read.row.origin.stream.as_str() == FILE_RULES_STREAM,
            external_id: read.row.external_id,
            rule: read.body,
        }));
        match slice.next {
            Some(next) => query.after = Some(next),
            None => return Ok(found),
        }
    }
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
