//! A table of impact ratios: groups, the share of each, and that share over the best one. The ratios are of whole numbers and are
//! compared as such, so that 0.80 itself is never flagged by a rounding.

use std::collections::BTreeMap;

use renmen_schema::code::AuditMeasure;
use renmen_schema::entity::{AuditExclusion, AuditGroup, AuditScope, BiasAudit, Job};
use renmen_schema::types::{DateSpan, Decimal, Instant, Ref};

use crate::exact::{decimal, share};
use crate::figure::{Basis, Figure, Ids, Method, PValue};
use crate::key::{Key, Millionths};
use crate::stats::{Correction, adjusted, fisher_exact, wilson};

/// When a group is flagged, and when it is not compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ImpactRule {
    /// Below this ratio a group is flagged: 0.80.
    pub flag_below: Decimal,
    /// Groups with a smaller share of the people whose group is known are shown apart: 0.02.
    pub small_below: Decimal,
    /// A group with fewer people is said to be few: 30.
    pub sample_min: u64,
    /// Of the intervals: 0.95.
    pub confidence: f64,
}

impl Default for ImpactRule {
    fn default() -> Self {
        let [flag_below, small_below] =
            [80, 2].map(|hundredths| Decimal::from_minor(hundredths, 2).unwrap_or(Decimal::ZERO));
        Self { flag_below, small_below, sample_min: 30, confidence: 0.95 }
    }
}

/// The groups of one combination of attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct ImpactTable {
    /// The attributes, joined by a plus sign.
    pub attribute: String,
    /// The groups that are compared, by name.
    pub groups: Vec<GroupFigures>,
    /// Groups that are too small a part of all to be compared.
    pub small: Vec<GroupFigures>,
    /// Those whose group is not known.
    pub unknown: Ids,
    /// The lowest ratio; none where there are fewer than two groups or the best share is zero.
    pub lowest_ratio: Option<Decimal>,
    /// Below this a group is flagged.
    pub flag_below: Decimal,
    /// Groups with a smaller share than this are shown apart.
    pub small_below: Decimal,
    window: DateSpan,
}

/// One group.
#[derive(Debug, Clone, PartialEq)]
pub struct GroupFigures {
    /// Its values, joined by a plus sign.
    pub value: String,
    /// How many there are, and how many of them passed.
    pub rate: RatePart,
    /// The share that passed.
    pub share: Figure,
    /// The mean score, where there is one, 0 to 1.
    pub mean_score: Figure,
    /// The share over that of the best group.
    pub ratio: Option<Decimal>,
    /// The same as a figure, with the test against the best group.
    pub impact: Figure,
    /// The ratio is below the line.
    pub flagged: bool,
    /// So few that the figures say little.
    pub few: bool,
}

/// A share as two whole numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatePart {
    /// How many.
    pub n: u64,
    /// How many of them passed.
    pub passed: u64,
}

impl RatePart {
    fn is_above(self, other: Self) -> bool {
        u128::from(self.passed) * u128::from(other.n) > u128::from(other.passed) * u128::from(self.n)
    }

    /// Is this share below `line` (in millionths) times the other one?
    fn is_below(self, line: i128, other: Self) -> bool {
        let own = i128::from(self.passed) * i128::from(other.n) * 1_000_000;
        own < line * i128::from(other.passed) * i128::from(self.n)
    }
}

/// What is counted of one group.
pub(super) struct Count {
    ids: Ids,
    passed: u64,
    scored: u64,
    /// In millionths: whole numbers, so that the order does not show.
    scores: u64,
}

impl Count {
    pub(super) fn new(ids: Ids) -> Self {
        Self { ids, passed: 0, scored: 0, scores: 0 }
    }

    pub(super) fn add(&mut self, record: Key, passed: bool, score: Option<f64>) {
        self.ids.add(record);
        self.passed += u64::from(passed);
        if let Some(score) = score {
            self.scored += 1;
            self.scores += (score * 1e6).round() as u64;
        }
    }

    fn rate(&self) -> RatePart {
        RatePart { n: self.ids.total(), passed: self.passed }
    }
}

pub(super) fn table(
    rule: &ImpactRule,
    window: &DateSpan,
    attribute: String,
    counts: BTreeMap<String, Count>,
    unknown: Ids,
) -> ImpactTable {
    let known: u64 = counts.values().map(|count| count.ids.total()).sum();
    let small_line = Millionths::of(rule.small_below).0 * i128::from(known);
    let is_small = |count: &Count| i128::from(count.ids.total()) * 1_000_000 < small_line;
    let (small, large): (Vec<_>, Vec<_>) = counts.into_iter().partition(|(_, count)| is_small(count));
    let best =
        large.iter().map(|(_, count)| count.rate()).reduce(|best, one| if one.is_above(best) { one } else { best });
    let best = best.filter(|best| best.passed > 0 && large.len() > 1);
    let mut groups: Vec<GroupFigures> =
        large.iter().map(|(value, count)| figures(rule, window, value, count, best)).collect();
    let mut family: Vec<&mut PValue> = groups.iter_mut().filter_map(|group| group.impact.p.as_mut()).collect();
    let alone: Vec<f64> = family.iter().map(|p| p.alone).collect();
    for (p, adjusted) in family.iter_mut().zip(adjusted(Correction::Holm, &alone)) {
        p.adjusted = adjusted;
    }
    ImpactTable {
        attribute,
        lowest_ratio: groups.iter().filter_map(|group| group.ratio).min(),
        groups,
        small: small.iter().map(|(value, count)| figures(rule, window, value, count, None)).collect(),
        unknown,
        flag_below: rule.flag_below,
        small_below: rule.small_below,
        window: window.clone(),
    }
}

fn figures(rule: &ImpactRule, window: &DateSpan, value: &str, count: &Count, best: Option<RatePart>) -> GroupFigures {
    let rate = count.rate();
    let figure = |method, n, value| {
        let (window, sources) = (Some(window.clone()), vec![count.ids.clone()]);
        Figure { value, interval: None, p: None, basis: Basis { n, window, method, sources } }
    };
    let share_of_group = figure(Method::Share, rate.n, Some(rate.passed as f64 / rate.n as f64));
    let mean = (count.scored > 0).then(|| count.scores as f64 / count.scored as f64 / 1e6);
    let ratio_to = |best: RatePart| rate.passed as f64 * best.n as f64 / (rate.n as f64 * best.passed as f64);
    // The best group itself, and others with the same share, are not tested against themselves.
    let tested = best.filter(|best| best.is_above(rate));
    let p = tested.and_then(|best| fisher_exact(rate.passed, rate.n - rate.passed, best.passed, best.n - best.passed));
    let exact = |best: RatePart| {
        let (part, whole) = (rate.passed.checked_mul(best.n)?, rate.n.checked_mul(best.passed)?);
        share(part, whole)
    };
    GroupFigures {
        value: value.to_owned(),
        rate,
        share: Figure { interval: wilson(rate.passed, rate.n, rule.confidence), ..share_of_group },
        mean_score: figure(Method::Mean, count.scored, mean),
        ratio: best.and_then(exact),
        impact: Figure {
            p: p.map(|alone| PValue { alone, adjusted: alone }),
            ..figure(Method::ImpactRatio, rate.n, best.map(ratio_to))
        },
        flagged: best.is_some_and(|best| rate.is_below(Millionths::of(rule.flag_below).0, best)),
        few: rate.n < rule.sample_min,
    }
}

impl ImpactTable {
    /// The table as the record of an audit. `median_score` is what scores were compared with, in a table of scores.
    #[must_use]
    pub fn record(
        &self,
        measure: AuditMeasure,
        position: Option<Ref<Job>>,
        median_score: Option<f64>,
        made_at: Instant,
    ) -> BiasAudit {
        let small_groups = self.small.iter().map(|group| group.value.clone()).collect();
        let excluded = AuditExclusion { small_groups, ..AuditExclusion::new(count(self.unknown.total())) };
        let compared = self.groups.iter().map(|group| self.group(group, false));
        BiasAudit {
            measure: Some(measure),
            attribute: Some(self.attribute.clone()),
            groups: compared.chain(self.small.iter().map(|group| self.group(group, true))).collect(),
            impact_ratio: self.lowest_ratio,
            small_below: Some(self.small_below),
            median_score: median_score.filter(|_| measure == AuditMeasure::Scoring).and_then(decimal),
            excluded: Some(excluded),
            made_at: Some(made_at),
            ..BiasAudit::new(AuditScope { position, ..AuditScope::new(self.window.clone()) }, self.flag_below)
        }
    }

    fn group(&self, group: &GroupFigures, small: bool) -> AuditGroup {
        let (value, rate) = (group.value.clone(), group.rate);
        AuditGroup {
            rate: share(rate.passed, rate.n),
            impact_ratio: group.ratio,
            flagged: (!small).then_some(group.flagged),
            small: Some(small),
            few: Some(group.few),
            p_adjusted: group.impact.p.and_then(|p| decimal(p.adjusted)),
            mean_score: group.mean_score.value.and_then(decimal),
            ..AuditGroup::new(self.attribute.clone(), value, count(rate.n), count(rate.passed))
        }
    }
}

fn count(n: u64) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
