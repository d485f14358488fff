//! Which weights of a model should change, given what predicts? What comes out is a proposal: it becomes an instruction when a person
//! approves it.
//!
//! Competencies that were judged share the weight that they have together, in proportion to their correlations; none moves further
//! than a step at a time, and what some gain the others lose to the last basis point. A competency that was not judged keeps its
//! weight. The sum stays what it was: a profile that is not complete is not completed in silence.

use renmen_schema::code::AdjustmentStatus;
use renmen_schema::entity::{AdjustOp, AdjustmentEvidence, AdjustmentTarget, Competency, ModelAdjustment};
use renmen_schema::types::{ExternalId, Ref, Weight};

use super::predict::PredictReport;
use super::prediction::{Prediction, Predictor};
use super::standard::Verdict;
use crate::exact::{decimal, largest_remainder};
use crate::model::Outcome;

/// The furthest that a weight moves at a time, in basis points.
pub const STEP_BP: u16 = 1_000;

/// A weight that should change.
#[derive(Debug, Clone, PartialEq)]
pub struct WeightChange {
    /// The dimension, as the scores name it.
    pub dimension: String,
    /// What it is now, in basis points.
    pub from_bp: u16,
    /// What it should be.
    pub to_bp: u16,
    /// Its correlation with the outcome.
    pub r: f64,
    /// From how many people.
    pub n: u64,
}

/// The proposal.
#[derive(Debug, Clone, PartialEq)]
pub struct Reweighing {
    /// The outcome that it follows.
    pub outcome: Outcome,
    /// Weights that should change, in the order of the profile.
    pub changes: Vec<WeightChange>,
    /// Dimensions that keep their weight because they were not judged.
    pub not_judged: Vec<String>,
    /// The sum of all weights, before and after, in basis points.
    pub sum_bp: u64,
    /// It is a whole.
    pub complete: bool,
    /// The questions that do not predict the outcome.
    pub questions: Vec<Prediction>,
}

/// What to change, for one outcome. `weights` are those of the profile, in its order; `step_bp` is usually [`STEP_BP`].
#[must_use]
pub fn reweigh(weights: &[(&str, Weight)], report: &PredictReport, outcome: &Outcome, step_bp: u16) -> Reweighing {
    let of_dimension = |name: &str| {
        let wanted = |one: &&Prediction| {
            one.outcome == *outcome && matches!(&one.predictor, Predictor::Dimension(found) if found == name)
        };
        report.predictions.iter().find(wanted).filter(|one| is_judged(one.verdict))
    };
    let found: Vec<Option<&Prediction>> = weights.iter().map(|(name, _)| of_dimension(name)).collect();
    let now: Vec<u64> = weights.iter().map(|(_, weight)| u64::from(weight.bp)).collect();
    let then = moved(&now, &found, u64::from(step_bp));
    let changed = (0..weights.len()).filter(|at| now[*at] != then[*at]);
    let bp = |value: u64| u16::try_from(value).unwrap_or(u16::MAX);
    let changes = changed.filter_map(|at| {
        let (r, n) = (found[at]?.pearson.value?, found[at]?.n);
        let dimension = weights[at].0.to_owned();
        Some(WeightChange { dimension, from_bp: bp(now[at]), to_bp: bp(then[at]), r, n })
    });
    let sum = Weight::sum(weights.iter().map(|(_, weight)| weight));
    let not_judged = weights.iter().zip(&found).filter(|(_, found)| found.is_none());
    let questions = report.not_predictive(outcome).filter(|one| matches!(one.predictor, Predictor::Question(_)));
    Reweighing {
        outcome: outcome.clone(),
        changes: changes.collect(),
        not_judged: not_judged.map(|((name, _), _)| (*name).to_owned()).collect(),
        sum_bp: sum.bp,
        complete: sum.complete,
        questions: questions.cloned().collect(),
    }
}

fn is_judged(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Predicts | Verdict::NotPredictive | Verdict::Reversed)
}

/// New weights with the same sum.
fn moved(now: &[u64], found: &[Option<&Prediction>], step: u64) -> Vec<u64> {
    let judged: Vec<usize> = (0..now.len()).filter(|at| found[*at].is_some()).collect();
    // Correlations in millionths, so that the shares are whole numbers; one below zero counts as zero.
    let share = |at: &usize| {
        let r = found[*at].and_then(|one| one.pearson.value).unwrap_or(0.0);
        (r.max(0.0) * 1e6).round() as u64
    };
    let pool = judged.iter().map(|at| now[*at]).sum();
    let targets = largest_remainder(pool, &judged.iter().map(share).collect::<Vec<_>>());
    // Only what predicts gains weight; what it gains comes from those that have more than their share.
    let predicts = |at: usize| found[at].is_some_and(|one| one.verdict == Verdict::Predicts);
    let gain = |(at, target): (&usize, &u64)| if predicts(*at) { target.saturating_sub(now[*at]).min(step) } else { 0 };
    let loss = |(at, target): (&usize, &u64)| now[*at].saturating_sub(*target).min(step);
    let gains: Vec<u64> = judged.iter().zip(&targets).map(gain).collect();
    let losses: Vec<u64> = judged.iter().zip(&targets).map(loss).collect();
    let moving = gains.iter().sum::<u64>().min(losses.iter().sum());
    let (gains, losses) = (largest_remainder(moving, &gains), largest_remainder(moving, &losses));
    let mut then = now.to_vec();
    for ((at, gain), loss) in judged.iter().zip(gains).zip(losses) {
        then[*at] = then[*at] + gain - loss;
    }
    then
}

impl Reweighing {
    /// The proposal as a record; none where nothing should change. `accuracy` is what the model's scores as a whole say about the
    /// outcome now: what a later review is compared with. `competency` says which one a dimension is.
    #[must_use]
    pub fn proposal(
        &self,
        target: AdjustmentTarget,
        accuracy: &Prediction,
        competency: impl Fn(&str) -> Ref<Competency>,
    ) -> Option<ModelAdjustment> {
        let weight = |change: &WeightChange| AdjustOp {
            competency: Some(competency(&change.dimension)),
            from_bp: Some(change.from_bp),
            to_bp: Some(change.to_bp),
            ..AdjustOp::new("SET_WEIGHT".to_owned())
        };
        let question = |one: &Prediction| match &one.predictor {
            Predictor::Question(id) => {
                let question = Some(ExternalId::of(id.clone()));
                Some(AdjustOp { question, ..AdjustOp::new("DROP_QUESTION".to_owned()) })
            }
            _ => None,
        };
        let ops: Vec<AdjustOp> =
            self.changes.iter().map(weight).chain(self.questions.iter().filter_map(question)).collect();
        if ops.is_empty() {
            return None;
        }
        let sample = u32::try_from(accuracy.n).unwrap_or(u32::MAX);
        let metric = format!("pearson:{}", self.outcome);
        let before = accuracy.pearson.value.and_then(decimal);
        let evidence = before.map(|before| AdjustmentEvidence {
            method: Some(accuracy.pearson.basis.method.to_string()),
            window: accuracy.pearson.basis.window.clone(),
            ..AdjustmentEvidence::new(metric, before, sample)
        });
        Some(ModelAdjustment { ops, evidence, ..ModelAdjustment::new(target, AdjustmentStatus::Proposed) })
    }
}
