//! Scores and results.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::ScorerKind;
use renmen_plugin::schema::entity::{AdjustReason, DimensionScore, Evidence, InterviewResult, ScoredBy};
use renmen_plugin::schema::types::{Ext, ExtField, Localized, Ref, Weight};

use super::{coded, localized, media, score, some_score, time};
use crate::vendor;

/// Custom fields of this connector.
const NAMESPACE: &str = "interview-vendor";
/// The custom field with the id of the score that this one was scored again for.
const RESTATES: &str = "restates";

/// `dimension_scores`. A score that the vendor gives again is a separate score with its reason; the first stays as it
/// was. It changes nothing by itself: its effect on the outcome is in the result that the vendor sends, and only a
/// person at the gateway makes corrections.
///
/// # Errors
/// [`Unfit`] for a score outside its scale or a weight that is not a percentage.
pub fn dimension_score(from: &vendor::DimensionScore) -> Result<DimensionScore, Unfit> {
    let weight = from.weight_percent.as_deref().map(Weight::from_percent).transpose();
    let evidence = from.evidence.iter().map(|part| Evidence {
        from: part.from,
        to: part.to,
        ..Evidence::new(Ref::external(part.answer_id.as_str()))
    });
    let adjust_reason = (from.adjust_reason.is_some() || from.environment_event_id.is_some()).then(|| AdjustReason {
        environment_event: from.environment_event_id.as_deref().map(Ref::external),
        text: from.adjust_reason.as_deref().map(Localized::und),
    });
    Ok(DimensionScore {
        interview: Some(Ref::external(from.interview_id.as_str())),
        competency: Some(Ref::external(from.competency.id.as_str())),
        dimension: from.competency.name.as_ref().map(|name| localized("competency.name", name)).transpose()?,
        weight_used: weight.map_err(|e| Unfit::field("weight_percent", e))?,
        profile_version: from.profile_version,
        evidence: evidence.collect(),
        explanation: from.explanation.as_ref().map(|text| localized("explanation", text)).transpose()?,
        scored_by: Some(ScoredBy { model_version: from.model_version.clone(), ..ScoredBy::new(ScorerKind::Model) }),
        adjust_reason,
        ext: from.adjusts_id.as_deref().map(|id| Ext::default().with(NAMESPACE, RESTATES, ExtField::code(id))),
        ..DimensionScore::new(score("score", &from.score)?)
    })
}

/// `results`.
///
/// # Errors
/// [`Unfit`] for a score outside its scale.
pub fn result(from: &vendor::Outcome) -> Result<InterviewResult, Unfit> {
    let texts = |field: &str, list: &[vendor::Text]| -> Result<Vec<Localized>, Unfit> {
        list.iter().map(|text| localized(field, text)).collect()
    };
    Ok(InterviewResult {
        overall: some_score("overall", from.overall.as_ref())?,
        recommendation: from.recommendation.as_deref().map(coded),
        matching: some_score("match", from.r#match.as_ref())?,
        strengths: texts("strengths", &from.strengths)?,
        weaknesses: texts("weaknesses", &from.weaknesses)?,
        suggested_level: from.suggested_level.clone(),
        report: media(&from.report)?,
        delivered_to_candidate_at: time("delivered_to_candidate_at", from.delivered_to_candidate_at.as_deref())?,
        ..InterviewResult::new(Ref::external(from.interview_id.as_str()))
    })
}
