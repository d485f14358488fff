//! One predictor compared with one outcome, and the verdicts over all of them.

use renmen_schema::EntityKind;
use renmen_schema::types::DateSpan;

use super::standard::{Standard, Verdict};
use crate::figure::{Basis, Figure, Ids, Method, PValue};
use crate::key::Key;
use crate::model::{Outcome, Outcomes, People};
use crate::stats::{Coefficient, Correlation, Paired, Scale, adjusted};

/// Something that an interview gives a score for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Predictor {
    /// The score as a whole.
    Overall,
    /// A dimension, by its competency's code or its name.
    Dimension(String),
    /// A question, by its id in the library.
    Question(String),
}

/// One predictor and one outcome.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// What was scored.
    pub predictor: Predictor,
    /// What came later.
    pub outcome: Outcome,
    /// People who have both.
    pub n: u64,
    /// Pearson's correlation. Its sources are the people counted, and all scores and outcomes that were read for it.
    pub pearson: Figure,
    /// Spearman's correlation.
    pub spearman: Figure,
    /// What may be said.
    pub verdict: Verdict,
}

/// All people in the order of their keys. Sums are made in this order.
pub(super) struct Order {
    ranks: Vec<u32>,
    keys: Vec<Key>,
}

impl Order {
    pub(super) fn of(people: &People) -> Self {
        let (ranks, keys) = people.in_order();
        Self { ranks, keys }
    }
}

/// No value.
const NONE: u32 = u32::MAX;

/// An outcome ready to be compared with many predictors: of each person the place of the value, in order.
pub(super) struct Target {
    outcome: Outcome,
    scale: Scale,
    places: Vec<u32>,
    source: Ids,
}

impl Target {
    pub(super) fn of(outcomes: &Outcomes, at: usize, order: &Order) -> Self {
        let values = outcomes.values(at);
        let scale = Scale::of(values.iter().map(|(_, value)| *value));
        let mut places = vec![NONE; order.ranks.len()];
        for (person, value) in values {
            places[order.ranks[person as usize] as usize] = scale.place(value).unwrap_or(NONE);
        }
        Self { outcome: outcomes.asked()[at].clone(), scale, places, source: outcomes.sources[at].clone() }
    }
}

/// A prediction that is not judged yet.
pub(super) struct Measured {
    prediction: Prediction,
    pearson: Option<Correlation>,
    spearman: Option<Correlation>,
}

/// What a predictor is compared with, and how.
pub(super) struct Compare<'a> {
    pub(super) window: &'a DateSpan,
    pub(super) standard: &'a Standard,
    pub(super) ids_max: usize,
    pub(super) order: &'a Order,
    pub(super) targets: &'a [Target],
}

impl Compare<'_> {
    pub(super) fn with_each(
        &self,
        predictor: &Predictor,
        column: &[(u32, f64)],
        source: &Ids,
        measured: &mut Vec<Measured>,
    ) {
        let scale = Scale::of(column.iter().map(|(_, value)| *value));
        let ranked = |(person, value): &(u32, f64)| Some((self.order.ranks[*person as usize], scale.place(*value)?));
        let mut column: Vec<(u32, u32)> = column.iter().filter_map(ranked).collect();
        column.sort_unstable();
        for target in self.targets {
            let mut paired = Paired::new(&scale, &target.scale);
            let mut people = Ids::new(EntityKind::Person, self.ids_max);
            for (rank, x) in &column {
                let y = target.places[*rank as usize];
                if y != NONE {
                    paired.push(*x, y);
                    people.add(self.order.keys[*rank as usize]);
                }
            }
            if !paired.is_empty() {
                measured.push(self.one(predictor, target, &paired, &[people, source.clone(), target.source.clone()]));
            }
        }
    }

    fn one(&self, predictor: &Predictor, target: &Target, paired: &Paired<'_>, sources: &[Ids]) -> Measured {
        let n = paired.len() as u64;
        let correlation = |of| paired.correlation(of, self.standard.confidence);
        let (pearson, spearman) = (correlation(Coefficient::Pearson), correlation(Coefficient::Spearman));
        let figure = |method, found: Option<Correlation>| Figure {
            value: found.map(|found| found.r),
            interval: found.map(|found| found.interval),
            p: None,
            basis: Basis { n, window: Some(self.window.clone()), method, sources: sources.to_vec() },
        };
        let prediction = Prediction {
            predictor: predictor.clone(),
            outcome: target.outcome.clone(),
            n,
            pearson: figure(Method::Pearson, pearson),
            spearman: figure(Method::Spearman, spearman),
            verdict: Verdict::NoSpread,
        };
        Measured { prediction, pearson, spearman }
    }
}

/// Corrects the p values of those that are large enough to be judged, and judges them.
pub(super) fn judged(mut measured: Vec<Measured>, standard: &Standard) -> (Vec<Prediction>, u64) {
    let mut tests = 0;
    for of in [Coefficient::Pearson, Coefficient::Spearman] {
        let family = |one: &&mut Measured| one.prediction.n >= standard.sample_min && one.found(of).is_some();
        let mut family: Vec<&mut Measured> = measured.iter_mut().filter(family).collect();
        tests = family.len() as u64;
        let alone: Vec<f64> = family.iter().filter_map(|one| one.found(of)).map(|found| found.p).collect();
        let corrected = adjusted(standard.correction, &alone);
        for ((one, alone), adjusted) in family.iter_mut().zip(alone).zip(corrected) {
            one.figure(of).p = Some(PValue { alone, adjusted });
        }
    }
    let predictions = measured.into_iter().map(|mut one| {
        let (found, n) = (one.found(standard.coefficient), one.prediction.n);
        let p = one.figure(standard.coefficient).p;
        Prediction { verdict: standard.verdict(n, found.as_ref(), p), ..one.prediction }
    });
    (predictions.collect(), tests)
}

impl Measured {
    fn found(&self, of: Coefficient) -> Option<Correlation> {
        match of {
            Coefficient::Pearson => self.pearson,
            Coefficient::Spearman => self.spearman,
        }
    }

    fn figure(&mut self, of: Coefficient) -> &mut Figure {
        match of {
            Coefficient::Pearson => &mut self.prediction.pearson,
            Coefficient::Spearman => &mut self.prediction.spearman,
        }
    }
}
