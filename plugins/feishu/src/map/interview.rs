//! Interviews by people, what each interviewer concluded, and the points they gave.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{InterviewKind, InterviewStatus, Recommendation, ScorerKind};
use renmen_plugin::schema::entity::{DimensionScore, Interview, InterviewResult, ScoredBy};
use renmen_plugin::schema::types::{Coded, Ext, ExtField, Localized, Ref, Score, ZonedInstant};

use super::{by_open_id, instant};
use crate::api::hire::{self, Evaluation, InterviewRecord};
use crate::api::loose::filled;
use crate::api::text::{I18n, IdName};

/// `dimension_type`: points by choice.
const POINTS_BY_CHOICE: i64 = 6;
/// `dimension_type`: points.
const POINTS: i64 = 7;

/// An interview.
///
/// # Errors
/// [`Unfit`] for a time that is not valid.
pub(crate) fn interview(from: &hire::Interview) -> Result<Interview, Unfit> {
    let zone = from.talent_time_zone.as_ref().and_then(|zone| zone.name.as_ref()?.en_us.as_deref());
    let at = |field: &str, ms: Option<i64>| -> Result<Option<ZonedInstant>, Unfit> {
        let Some(utc) = instant(field, ms)? else { return Ok(None) };
        // The zone is the vendor's text: if it is not an IANA zone, the time is kept without a zone.
        let zoned = zone.and_then(|zone| ZonedInstant::from_epoch_ms_in(utc.epoch_ms(), zone).ok());
        Ok(Some(zoned.unwrap_or_else(|| ZonedInstant::new(utc))))
    };
    let interviewers =
        from.interview_record_list.iter().filter_map(|record| interviewer_id(record.interviewer.as_ref()));
    Ok(Interview {
        round: from.round.and_then(|round| u32::try_from(round).ok()),
        start: at("begin_time", from.begin_time)?,
        end: at("end_time", from.end_time)?,
        interviewers: interviewers.map(by_open_id).collect(),
        ..Interview::new(
            Ref::external(from.application_id.as_str()),
            InterviewKind::Human,
            status_of(from.interview_round_summary.unwrap_or_default()),
        )
    })
}

/// From 3 on the interview is over, and the number tells how it was assessed.
fn status_of(summary: i64) -> Coded<InterviewStatus> {
    Coded::from_raw(&summary.to_string(), |_| match summary {
        2 => Some(InterviewStatus::Scheduled),
        6 => Some(InterviewStatus::NoShow),
        3..=18 => Some(InterviewStatus::Completed),
        _ => None,
    })
}

fn interviewer_id(from: Option<&IdName>) -> Option<&str> {
    filled(from?.id.as_ref())
}

/// What one interviewer concluded; none before it is handed in.
///
/// # Errors
/// [`Unfit`] for points outside their scale.
pub(crate) fn interview_result(interview_id: &str, from: &InterviewRecord) -> Result<Option<InterviewResult>, Unfit> {
    if from.commit_status != Some(1) {
        return Ok(None);
    }
    let points = from.assessment_score.as_ref();
    let overall = match points.and_then(|points| points.score.as_ref().zip(points.full_score.as_ref())) {
        Some((score, full)) => Some(
            Score::raw(&score.to_string(), "0", &full.to_string()).map_err(|e| Unfit::field("assessment_score", e))?,
        ),
        None => None,
    };
    let mut ext = Ext::default();
    if let Some(content) = filled(from.content.as_ref()) {
        ext.set("feishu", "content", ExtField::text(content));
    }
    if let Some(id) = interviewer_id(from.interviewer.as_ref()) {
        ext.set("feishu", "interviewer", ExtField::code(id));
    }
    Ok(Some(InterviewResult {
        overall,
        recommendation: from.conclusion.map(|conclusion| {
            Coded::from_raw(&conclusion.to_string(), |_| match conclusion {
                1 => Some(Recommendation::Yes),
                2 => Some(Recommendation::No),
                6 => Some(Recommendation::NoDecision),
                _ => None,
            })
        }),
        completed_at: instant("feedback_submit_time", from.feedback_submit_time)?,
        ext: (ext != Ext::default()).then_some(ext),
        ..InterviewResult::new(Ref::external(interview_id))
    }))
}

/// The points of an interviewer's form, with the ids of their dimensions.
///
/// # Errors
/// [`Unfit`] for points outside 0 to 100.
pub(crate) fn dimension_scores(interview_id: &str, from: &Evaluation) -> Result<Vec<(String, DimensionScore)>, Unfit> {
    let mut scores = Vec::new();
    let dimensions = from.module_assessments.iter().flat_map(|module| &module.dimension_assessments);
    for (index, dimension) in dimensions.enumerate() {
        let points = match dimension.kind {
            Some(POINTS_BY_CHOICE) => dimension.option.as_ref().and_then(|choice| choice.score_val),
            Some(POINTS) => dimension.score,
            _ => None,
        };
        let Some(points) = points else { continue };
        let mut score =
            Score::raw(&points.to_string(), "0", "100").map_err(|e| Unfit::field("dimension_assessments.score", e))?;
        score.label = dimension.option.as_ref().and_then(|choice| choice.name.as_ref()?.localized());
        let name = dimension.name.as_ref().and_then(I18n::localized);
        let id = filled(dimension.id.as_ref()).map_or_else(|| index.to_string(), str::to_owned);
        scores.push((
            format!("{}/{id}", from.id),
            DimensionScore {
                interview: Some(Ref::external(interview_id)),
                dimension: Some(name.unwrap_or_else(|| Localized::und(id.as_str()))),
                explanation: filled(dimension.content.as_ref()).map(Localized::und),
                scored_by: Some(ScoredBy {
                    person: interviewer_id(from.interviewer.as_ref()).map(str::to_owned),
                    ..ScoredBy::new(ScorerKind::Human)
                }),
                ..DimensionScore::new(score)
            },
        ));
    }
    Ok(scores)
}

/// A whole number of points as a score of 0 to 100.
///
/// # Errors
/// [`Unfit`] for points outside of it.
pub(super) fn points(field: &str, points: i64) -> Result<Score, Unfit> {
    Score::raw(&points.to_string(), "0", "100").map_err(|e| Unfit::field(field, e))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use renmen_plugin::schema::types::Decimal;

    #[test]
    fn points_have_the_ends_of_their_scale() {
        assert_eq!(points("p", 0).unwrap().norm(), Some(Decimal::ZERO));
        assert_eq!(points("p", 100).unwrap().norm(), Some(Decimal::from(1)));
        assert!(points("p", 101).is_err() && points("p", -1).is_err());
    }
}
