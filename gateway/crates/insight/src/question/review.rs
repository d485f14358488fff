//! Did an instruction to the vendor's model help? The accuracy of the scores before it was applied is compared with that after, over
//! other people: those interviewed in a period of the same length on each side.
//!
//! Accuracy is Pearson's correlation of the score as a whole with the outcome. What comes out is a figure, not a decision: to take an
//! instruction back is another instruction, which a person makes.

use std::collections::BTreeSet;
use std::time::Duration;

use renmen_schema::code::AdjustmentVerdict;
use renmen_schema::entity::AdjustmentEffect;
use renmen_schema::types::{DateSpan, LocalDate};

pub use super::scored_outcomes::Scope;
use super::scored_outcomes::{NEEDS, ScoredInterview, ScoredOutcomes, joined};
use super::standard::Standard;
use crate::exact::decimal;
use crate::figure::{Basis, Figure, LeftOut, Method, PValue};
use crate::key::Key;
use crate::model::{Need, Overflow, Question, Row};
use crate::stats::{Correlation, adjusted, difference_of_correlations, pearson};

/// An instruction that was applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Applied {
    /// The instruction.
    pub instruction: Key,
    /// The first day on which the changed model scored.
    pub on: LocalDate,
}

/// What may be said of an instruction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Too few people on one side, or no spread.
    NotJudged,
    /// The scores say more than before.
    Better,
    /// They say less.
    Worse,
    /// The difference may be chance.
    NoneSeen,
}

/// One instruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Effect {
    /// Which.
    pub applied: Applied,
    /// Accuracy before,
    pub before: Figure,
    /// and after.
    pub after: Figure,
    /// After less before; none where one of them is not known.
    pub difference: Option<Figure>,
    /// People interviewed on both sides, who are counted on neither.
    pub on_both_sides: u64,
    /// What may be said.
    pub change: Change,
}

impl Effect {
    /// What the instruction's record keeps of it; none while the accuracy after it is not known.
    #[must_use]
    pub fn record(&self, outcome: &str) -> Option<AdjustmentEffect> {
        let after = decimal(self.after.value?)?;
        let sample = |figure: &Figure| u32::try_from(figure.basis.n).unwrap_or(u32::MAX);
        let compared = self.difference.as_ref();
        let interval = compared.and_then(|figure| figure.interval);
        Some(AdjustmentEffect {
            window: self.after.basis.window.clone(),
            before: self.before.value.and_then(decimal),
            before_sample: Some(sample(&self.before)),
            before_window: self.before.basis.window.clone(),
            difference: compared.and_then(|figure| decimal(figure.value?)),
            low: interval.and_then(|interval| decimal(interval.low)),
            high: interval.and_then(|interval| decimal(interval.high)),
            p_adjusted: compared.and_then(|figure| decimal(figure.p?.adjusted)),
            method: compared.map(|figure| figure.basis.method.to_string()),
            verdict: Some(self.change.verdict()),
            ..AdjustmentEffect::new(format!("pearson:{outcome}"), after, sample(&self.after))
        })
    }
}

impl Change {
    /// The same as a code of the schema.
    #[must_use]
    pub fn verdict(self) -> AdjustmentVerdict {
        match self {
            Self::NotJudged => AdjustmentVerdict::NotJudged,
            Self::Better => AdjustmentVerdict::Better,
            Self::Worse => AdjustmentVerdict::Worse,
            Self::NoneSeen => AdjustmentVerdict::NoChange,
        }
    }
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct ReviewReport {
    /// Instruction by instruction, as asked.
    pub effects: Vec<Effect>,
    /// Who and what is not counted.
    pub left_out: LeftOut,
}

/// The question.
#[derive(Debug)]
pub struct Review {
    data: ScoredOutcomes,
    applied: Vec<Applied>,
    days: u32,
    standard: Standard,
}

impl Review {
    /// Over `days` days on each side. The scope's window must reach over all of them.
    #[must_use]
    pub fn new(scope: Scope, applied: Vec<Applied>, days: u32, standard: Standard) -> Self {
        Self { data: ScoredOutcomes::new(scope), applied, days, standard }
    }

    fn effect(&self, applied: Applied, scores: &[ScoredInterview], outcomes: &[(u32, f64)]) -> Effect {
        let (before, after) = self.sides(applied.on);
        let within = |span: &DateSpan, score: &ScoredInterview| span.start <= score.day && score.day <= span.end;
        let mut first = joined(scores, outcomes, |score| within(&before, score));
        let mut second = joined(scores, outcomes, |score| within(&after, score));
        let firsts: BTreeSet<u32> = first.iter().map(|(person, ..)| *person).collect();
        let both: BTreeSet<u32> = second.iter().map(|(person, ..)| *person).filter(|p| firsts.contains(p)).collect();
        first.retain(|(person, ..)| !both.contains(person));
        second.retain(|(person, ..)| !both.contains(person));
        let (was, is) = (self.accuracy(&first), self.accuracy(&second));
        let figure = |method, value, interval, span: &DateSpan, people: &[(u32, f64, f64)]| {
            let (n, window) = (people.len() as u64, Some(span.clone()));
            let sources = self.data.sources(people.iter().map(|(person, ..)| *person));
            Figure { value, interval, p: None, basis: Basis { n, window, method, sources } }
        };
        let of = |found: Option<Correlation>, span: &DateSpan, people: &[(u32, f64, f64)]| {
            figure(Method::Pearson, found.map(|found| found.r), found.map(|found| found.interval), span, people)
        };
        let difference = was.zip(is).and_then(|(was, is)| {
            let found = difference_of_correlations(&was, &is, self.standard.confidence)?;
            let all: Vec<_> = first.iter().chain(&second).copied().collect();
            let span = DateSpan::new(before.start, after.end);
            let figure = figure(Method::TwoCorrelations, Some(found.value), Some(found.interval), &span, &all);
            Some(Figure { p: Some(PValue { alone: found.p, adjusted: found.p }), ..figure })
        });
        Effect {
            applied,
            before: of(was, &before, &first),
            after: of(is, &after, &second),
            difference,
            on_both_sides: both.len() as u64,
            change: Change::NotJudged,
        }
    }

    fn accuracy(&self, people: &[(u32, f64, f64)]) -> Option<Correlation> {
        let (x, y): (Vec<f64>, Vec<f64>) = people.iter().map(|(_, score, outcome)| (*score, *outcome)).unzip();
        pearson(&x, &y, self.standard.confidence)
    }

    /// The days before an instruction was applied, and those after.
    fn sides(&self, on: LocalDate) -> (DateSpan, DateSpan) {
        let length = i64::from(self.days.max(1));
        let before = DateSpan::new(shifted(on, -length), shifted(on, -1));
        let after = DateSpan::new(on, shifted(on, length - 1).min(self.data.scope.today).max(on));
        (before, after)
    }

    fn change(&self, effect: &Effect) -> Change {
        let few = |figure: &Figure| figure.basis.n < self.standard.sample_min;
        let Some(difference) = effect.difference.as_ref().filter(|_| !few(&effect.before) && !few(&effect.after))
        else {
            return Change::NotJudged;
        };
        let by_chance = difference.p.is_none_or(|p| p.adjusted >= self.standard.alpha);
        match difference.value {
            _ if by_chance => Change::NoneSeen,
            Some(value) if value > 0.0 => Change::Better,
            _ => Change::Worse,
        }
    }
}

/// A day some days later, or earlier; the day itself at the ends of the calendar.
fn shifted(day: LocalDate, days: i64) -> LocalDate {
    let length = Duration::from_secs(days.unsigned_abs() * 86_400);
    let civil = if days < 0 { day.civil().checked_sub(length) } else { day.civil().checked_add(length) };
    civil.ok().and_then(|civil| LocalDate::of(civil.year(), civil.month(), civil.day()).ok()).unwrap_or(day)
}

impl Question for Review {
    type Answer = ReviewReport;

    fn needs(&self) -> &'static [Need] {
        NEEDS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.data.take(row);
    }

    fn answer(mut self) -> Result<ReviewReport, Overflow> {
        let (scores, outcomes) = self.data.finish()?;
        let mut effects: Vec<Effect> =
            self.applied.iter().map(|applied| self.effect(*applied, &scores, &outcomes)).collect();
        let judged = |effect: &&mut Effect| effect.before.basis.n.min(effect.after.basis.n) >= self.standard.sample_min;
        let mut family: Vec<&mut PValue> = effects
            .iter_mut()
            .filter(judged)
            .filter_map(|effect| effect.difference.as_mut().and_then(|figure| figure.p.as_mut()))
            .collect();
        let alone: Vec<f64> = family.iter().map(|p| p.alone).collect();
        for (p, adjusted) in family.iter_mut().zip(adjusted(self.standard.correction, &alone)) {
            p.adjusted = adjusted;
        }
        for effect in &mut effects {
            effect.change = self.change(effect);
        }
        Ok(ReviewReport { effects, left_out: self.data.people.left_out })
    }
}
