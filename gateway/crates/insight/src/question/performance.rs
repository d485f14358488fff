//! How do people in a position, or a unit of the organisation, perform? Distributions by metric and by kind of review, objective
//! ones only where that is asked: what a position's profile is made from.

use std::borrow::Cow;
use std::collections::HashMap;

use renmen_schema::EntityKind;
use renmen_schema::types::LocalDate;

use crate::figure::{Basis, Figure, Ids, LeftOut, Method, Why};
use crate::key::{Key, Millionths};
use crate::model::{Held, Limits, MetricRow, MetricSubject, Names, Need, Overflow, Question, ReviewRow, Row, Window};
use crate::stats::quantile;

/// What is asked.
#[derive(Debug, Clone)]
pub struct PerformanceAsk {
    /// Figures whose period ends in this one.
    pub window: Window,
    /// Only of people in this position, or about the position.
    pub position: Option<Key>,
    /// Only of people in this unit, or about the unit.
    pub unit: Option<Key>,
    /// Only metrics that are measured, not judged; no reviews.
    pub objective_only: bool,
    /// The quantiles, 0 to 1.
    pub quantiles: Vec<f64>,
    /// A distribution of fewer figures is not shown: it would tell what single people did. 5.
    pub sample_min: u64,
    /// How much may be held.
    pub limits: Limits,
}

/// What figures are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// People.
    People,
    /// Units as a whole.
    Units,
    /// Positions as a whole.
    Positions,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct PerformanceReport {
    /// By what the figures are about, position and metric.
    pub distributions: Vec<Distribution>,
    /// Distributions that are not shown because they are of too few figures.
    pub too_few: u64,
    /// What is not counted.
    pub left_out: LeftOut,
}

/// A metric in a position.
#[derive(Debug, Clone, PartialEq)]
pub struct Distribution {
    /// What the figures are about.
    pub about: About,
    /// The position; none where it is not known.
    pub position: Option<Key>,
    /// The metric's code, or `review:` and the kind of review.
    pub metric: String,
    /// Measured, not judged.
    pub objective: bool,
    /// Quantile by quantile, as asked.
    pub quantiles: Vec<Figure>,
}

type Group = (About, Option<Key>, u32, bool);

/// The question.
#[derive(Debug)]
pub struct Performance {
    ask: PerformanceAsk,
    names: Names,
    groups: HashMap<Group, (Ids, Vec<Millionths>)>,
    held: u64,
    left_out: LeftOut,
}

impl Performance {
    /// The question asked.
    #[must_use]
    pub fn new(ask: PerformanceAsk) -> Self {
        Self { ask, names: Names::default(), groups: HashMap::new(), held: 0, left_out: LeftOut::default() }
    }

    fn why_not(&self, one: &Measured<'_>) -> Option<Why> {
        let (position, unit) = (one.position, one.unit);
        if self.ask.position.is_some() && position != self.ask.position
            || self.ask.unit.is_some() && unit != self.ask.unit
        {
            Some(Why::OtherScope)
        } else if !one.until.is_some_and(|until| self.ask.window.has_day(until)) {
            Some(Why::OutsideWindow)
        } else if self.ask.objective_only && !one.objective {
            Some(Why::Subjective)
        } else {
            None
        }
    }
}

/// A figure or the rating of a review, and where it belongs.
struct Measured<'r> {
    record: Key,
    kind: EntityKind,
    about: About,
    position: Option<Key>,
    unit: Option<Key>,
    name: Cow<'r, str>,
    objective: bool,
    until: Option<LocalDate>,
    value: Millionths,
}

impl<'r> Measured<'r> {
    fn metric(row: &MetricRow<'r>) -> Self {
        let (about, position, unit) = match row.subject {
            MetricSubject::Person(_) => (About::People, row.position, row.unit),
            MetricSubject::Unit(unit) => (About::Units, row.position, Some(unit)),
            MetricSubject::Position(position) => (About::Positions, Some(position), row.unit),
        };
        Self {
            record: row.metric,
            kind: EntityKind::PerformanceMetric,
            about,
            position,
            unit,
            name: Cow::Borrowed(row.code),
            objective: row.objective,
            until: Some(row.until),
            value: Millionths::of(row.value),
        }
    }

    /// A rating is a judgement: never objective.
    fn review(row: &ReviewRow) -> Self {
        Self {
            record: row.review,
            kind: EntityKind::PerformanceReview,
            about: About::People,
            position: row.position,
            unit: row.unit,
            name: Cow::Owned(format!("review:{}", row.cycle)),
            objective: false,
            until: row.until,
            value: Millionths(i128::from(row.rating.millionths())),
        }
    }
}

impl Question for Performance {
    type Answer = PerformanceReport;

    fn needs(&self) -> &'static [Need] {
        &[Need::Metrics, Need::Reviews]
    }

    fn take(&mut self, row: &Row<'_>) {
        let one = match row {
            Row::Metric(row) => Measured::metric(row),
            Row::Review(row) => Measured::review(row),
            _ => return,
        };
        if let Some(why) = self.why_not(&one) {
            self.left_out.add(why);
            return;
        }
        self.held += 1;
        if self.held > self.ask.limits.cells_max {
            return;
        }
        let Some(name) = self.names.place(&one.name, &self.ask.limits) else { return };
        let ids_max = self.ask.limits.ids_max;
        let new = || (Ids::new(one.kind, ids_max), Vec::new());
        let (ids, values) = self.groups.entry((one.about, one.position, name, one.objective)).or_insert_with(new);
        ids.add(one.record);
        values.push(one.value);
    }

    fn answer(self) -> Result<PerformanceReport, Overflow> {
        let limit = self.ask.limits.cells_max;
        if self.held > limit {
            return Err(Overflow { what: Held::Outcomes, limit });
        }
        self.names.fits(&self.ask.limits)?;
        let (mut distributions, mut too_few) = (Vec::new(), 0);
        for ((about, position, name, objective), (ids, mut values)) in self.groups {
            if ids.total() < self.ask.sample_min {
                too_few += 1;
                continue;
            }
            values.sort_unstable();
            let values: Vec<f64> = values.into_iter().map(|value| value.mean(1)).collect();
            let figure = |q: &f64| Figure {
                value: quantile(&values, *q),
                interval: None,
                p: None,
                basis: Basis {
                    n: ids.total(),
                    window: Some(self.ask.window.span().clone()),
                    method: Method::Quantile,
                    sources: vec![ids.clone()],
                },
            };
            let quantiles = self.ask.quantiles.iter().map(figure).collect();
            let metric = self.names.name(name).to_owned();
            distributions.push(Distribution { about, position, metric, objective, quantiles });
        }
        let order = |one: &Distribution| (one.about, one.position, one.metric.clone(), one.objective);
        distributions.sort_by_cached_key(order);
        Ok(PerformanceReport { distributions, too_few, left_out: self.left_out })
    }
}
