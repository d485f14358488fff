//! The score that counts: what the vendor gave, with every correction of people at the gateway that came after it. A score of a
//! vendor corrects nothing: what the vendor makes of it stands in its result.

use std::collections::BTreeMap;

use renmen_schema::entity::{DimensionScore, InterviewResult};
use renmen_schema::id::RecordId;
use renmen_schema::types::Decimal;
use renmen_store::RecordRow;
use rust_decimal::Decimal as Number;

use crate::dossier::{Dossier, Read};

/// Corrections of corrections that are followed.
const CHAIN_MAX: usize = 16;

/// A score with what it was made from.
#[derive(Debug)]
pub(super) struct Effective<'a> {
    /// In per cent of its scale, to two digits.
    pub(super) percent: Decimal,
    /// False: a correction could not be counted in.
    pub(super) certain: bool,
    /// The result first, then the corrections in force.
    pub(super) inputs: Vec<&'a RecordRow>,
    /// The corrections that were counted in.
    pub(super) corrections: Vec<&'a RecordRow>,
}

/// The result's overall score, moved by what each correction moves it: its weight times its difference. None without a score.
pub(super) fn effective<'a>(dossier: &'a Dossier, result: &'a Read<InterviewResult>) -> Option<Effective<'a>> {
    let norm = result.body.overall.as_ref()?.norm()?;
    let mut percent = norm.value() * Number::ONE_HUNDRED;
    let mut made =
        Effective { percent: Decimal::ZERO, certain: true, inputs: vec![&result.row], corrections: Vec::new() };
    for (original, correction) in corrections(dossier) {
        // A result that changed after a correction has it in already.
        if result.row.recorded_at_ms > correction.row.recorded_at_ms {
            continue;
        }
        made.inputs.push(&correction.row);
        made.corrections.push(&correction.row);
        match moved(&original.body, &correction.body) {
            Some(by) => percent += by,
            None => made.certain = false,
        }
    }
    let percent = percent.clamp(Number::ZERO, Number::ONE_HUNDRED);
    made.percent = Decimal::rounded(percent, 2)?;
    Some(made)
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

fn order(score: &Read<DimensionScore>) -> (i64, RecordId) {
    (score.row.created_at_ms, score.row.id)
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
