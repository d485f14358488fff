//! What is judged: the score that the vendor gave, with every correction of people at the gateway. A score of a vendor corrects
//! nothing: what the vendor makes of it stands in its result.

use std::collections::BTreeMap;

use renmen_schema::entity::{DecisionInput, DimensionScore, InterviewResult};
use renmen_schema::id::RecordId;
use renmen_schema::types::{Decimal, Score, Weight};
use renmen_store::RecordRow;
use rust_decimal::Decimal as Number;

use super::series::Series;
use crate::dossier::{Dossier, Read};

/// Corrections of corrections that are followed.
const CHAIN_MAX: usize = 16;

/// What a decision on a result rests on.
#[derive(Debug)]
pub(super) struct Basis<'a> {
    /// The score that counts, in per cent of its scale, to two digits; none where the result has no overall score.
    pub(super) percent: Option<Decimal>,
    /// False: a correction could not be counted in.
    pub(super) certain: bool,
    /// The result first, then each correction in force with the score that it corrects, in the order of those scores' ids.
    pub(super) inputs: Vec<Input<'a>>,
    /// The corrections in force.
    pub(super) corrections: Vec<&'a RecordRow>,
}

/// A record, and of it what is judged.
#[derive(Debug, Clone, Copy)]
pub(super) struct Input<'a> {
    /// False: a person's, of which the value alone counts. The same value once more changes nothing.
    pub(super) of_vendor: bool,
    pub(super) row: &'a RecordRow,
    pub(super) score: Option<&'a Score>,
    pub(super) weight: Option<&'a Weight>,
}

impl Input<'_> {
    /// Is it what was judged then? Words on the scale and another revision change nothing.
    pub(super) fn is(&self, before: &DecisionInput) -> bool {
        let ends = |score: &Score| (score.value, score.min, score.max);
        (!self.of_vendor || before.record == self.row.id)
            && before.score.as_ref().map(ends) == self.score.map(ends)
            && before.weight.as_ref() == self.weight
    }

    pub(super) fn written(&self) -> DecisionInput {
        let revision = u64::try_from(self.row.revision).unwrap_or(0);
        let mut made = DecisionInput::new(self.row.entity.clone(), self.row.id, revision);
        made.score = self.score.map(|score| Score { label: None, level_options: Vec::new(), ..score.clone() });
        made.weight = self.weight.cloned();
        made
    }
}

/// The result's overall score, moved by what each correction moves it: its weight times its difference.
pub(super) fn basis<'a>(dossier: &'a Dossier, result: &'a Read<InterviewResult>) -> Basis<'a> {
    let overall = result.body.overall.as_ref();
    let mut percent = overall.and_then(Score::norm).map(|norm| norm.value() * Number::ONE_HUNDRED);
    let mut made = Basis {
        percent: None,
        certain: true,
        inputs: vec![Input { of_vendor: true, row: &result.row, score: overall, weight: None }],
        corrections: Vec::new(),
    };
    for (original, correction) in corrections(dossier) {
        let weight = original.body.weight_used.as_ref();
        made.inputs.push(Input {
            of_vendor: false,
            row: &correction.row,
            score: Some(&correction.body.score),
            weight: None,
        });
        made.inputs.push(Input { of_vendor: true, row: &original.row, score: Some(&original.body.score), weight });
        made.corrections.push(&correction.row);
        match moved(&original.body, &correction.body) {
            Some(by) => percent = percent.map(|percent| percent + by),
            None => made.certain = false,
        }
    }
    made.percent = percent
        .map(|percent| percent.clamp(Number::ZERO, Number::ONE_HUNDRED).normalize())
        .and_then(|percent| Decimal::rounded(percent, 2));
    made
}

/// By how many per cent a correction moves the whole.
fn moved(original: &DimensionScore, correction: &DimensionScore) -> Option<Number> {
    let weight = original.weight_used.as_ref()?;
    let difference = correction.score.norm()?.value() - original.score.norm()?.value();
    Some(difference * Number::from(weight.bp) / Number::ONE_HUNDRED)
}

/// Each score that was corrected, with the last correction of it.
fn corrections(dossier: &Dossier) -> Vec<(&Read<DimensionScore>, &Read<DimensionScore>)> {
    let mut last: BTreeMap<RecordId, &Read<DimensionScore>> = BTreeMap::new();
    for correction in &dossier.corrections {
        let Some(original) = original_of(dossier, correction) else { continue };
        let newer = last.get(&original).is_none_or(|known| order(known) < order(correction));
        if newer {
            last.insert(original, correction);
        }
    }
    last.into_iter().filter_map(|(id, correction)| Some((dossier.originals.get(&id)?, correction))).collect()
}

/// Corrections of one score are numbered, so that the last one stays the last one even if a clock was set back.
pub(super) fn order(score: &Read<DimensionScore>) -> (u64, i64, RecordId) {
    (Series::number(&score.row.external_id), score.row.created_at_ms, score.row.id)
}

/// The score at the end of a chain of corrections.
fn original_of(dossier: &Dossier, correction: &Read<DimensionScore>) -> Option<RecordId> {
    let mut current = correction;
    for _ in 0..CHAIN_MAX {
        let adjusts = current.body.adjusts.as_ref()?.id?;
        if dossier.originals.contains_key(&adjusts) {
            return Some(adjusts);
        }
        current = dossier.corrections.iter().find(|other| other.row.id == adjusts)?;
    }
    None
}
