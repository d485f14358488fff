//! Do the people with the best interviews do worse at work than the others? Then the interview measures the wrong thing, and someone
//! must be told.

use std::cmp::Ordering;

pub use super::scored_outcomes::Scope;
use super::scored_outcomes::{NEEDS, ScoredOutcomes, joined};
use crate::figure::{Basis, Figure, LeftOut, Method, PValue};
use crate::model::{Need, Overflow, Question, Row};
use crate::stats::{median, quantile, rank_sum};

/// When it is said.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlertRule {
    /// The part of the people with the best scores that is looked at: 0.1. Equal scores at its edge belong to it.
    pub top: f64,
    /// A p value below this is not chance: 0.05.
    pub alpha: f64,
    /// With fewer people in the top part nothing is judged: 10.
    pub sample_min: u64,
}

impl Default for AlertRule {
    fn default() -> Self {
        Self { top: 0.1, alpha: 0.05, sample_min: 10 }
    }
}

/// What is said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlertState {
    /// Too few people in the top part, or all outcomes are the same.
    NotJudged,
    /// The top part does as well as the others, or better.
    Fine,
    /// It does worse, which may be chance.
    Suspected,
    /// It does worse.
    Raised,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertReport {
    /// What is said.
    pub state: AlertState,
    /// From which score on (0 to 1) people belong to the top part.
    pub from_score: Option<f64>,
    /// The median outcome of the top part
    pub top: Figure,
    /// and of the others.
    pub others: Figure,
    /// How often one of the top part does better than one of the others; its p value is that the top part does worse.
    pub superiority: Figure,
    /// Who and what is not counted.
    pub left_out: LeftOut,
}

/// The question.
#[derive(Debug)]
pub struct Alert {
    data: ScoredOutcomes,
    rule: AlertRule,
}

impl Alert {
    /// The question asked.
    #[must_use]
    pub fn new(scope: Scope, rule: AlertRule) -> Self {
        Self { data: ScoredOutcomes::new(scope), rule }
    }
}

impl Question for Alert {
    type Answer = AlertReport;

    fn needs(&self) -> &'static [Need] {
        NEEDS
    }

    fn take(&mut self, row: &Row<'_>) {
        self.data.take(row);
    }

    fn answer(mut self) -> Result<AlertReport, Overflow> {
        let (scores, outcomes) = self.data.finish()?;
        let people = joined(&scores, &outcomes, |_| true);
        let mut by_score: Vec<f64> = people.iter().map(|(_, score, _)| *score).collect();
        by_score.sort_unstable_by(f64::total_cmp);
        let from_score = quantile(&by_score, 1.0 - self.rule.top);
        let (top, others): (Vec<_>, Vec<_>) =
            people.iter().partition(|(_, score, _)| from_score.is_some_and(|from| *score >= from));
        let sorted = |part: &[(u32, f64, f64)]| {
            let mut values: Vec<f64> = part.iter().map(|(_, _, outcome)| *outcome).collect();
            values.sort_unstable_by(f64::total_cmp);
            values
        };
        let (top_values, other_values) = (sorted(&top), sorted(&others));
        let compared = rank_sum(&top_values, &other_values);
        let state = match &compared {
            None => AlertState::NotJudged,
            Some(_) if (top.len() as u64) < self.rule.sample_min => AlertState::NotJudged,
            Some(compared) if compared.p_below < self.rule.alpha => AlertState::Raised,
            Some(compared) if compared.superiority.total_cmp(&0.5) == Ordering::Less => AlertState::Suspected,
            Some(_) => AlertState::Fine,
        };
        let figure = |method, value, p: Option<f64>, part: &[(u32, f64, f64)]| Figure {
            value,
            interval: None,
            p: p.map(|p| PValue { alone: p, adjusted: p }),
            basis: Basis {
                n: part.len() as u64,
                window: Some(self.data.scope.window.span().clone()),
                method,
                sources: self.data.sources(part.iter().map(|(person, ..)| *person)),
            },
        };
        let p = compared.filter(|_| state != AlertState::NotJudged).map(|compared| compared.p_below);
        let superiority = figure(Method::RankSum, compared.map(|compared| compared.superiority), p, &people);
        Ok(AlertReport {
            state,
            from_score,
            top: figure(Method::Median, median(&top_values), None, &top),
            others: figure(Method::Median, median(&other_values), None, &others),
            superiority,
            left_out: self.data.people.left_out,
        })
    }
}
