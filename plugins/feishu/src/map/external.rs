//! What Hire keeps of hiring elsewhere. An entry with our marker is an AI interview that the gateway wrote; anything
//! else was imported by other means, and belongs to the external application that it is attached to.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{
    ApplicationStatus, AssessmentKind, InterviewKind, InterviewStatus, OrderStatus, Recommendation, ScorerKind,
    StageKind,
};
use renmen_plugin::schema::entity::{
    Application, Assessment, AssessmentResult, DimensionScore, Interview, InterviewResult, Outcome, ScoredBy, Source,
    Stage,
};
use renmen_plugin::schema::types::{Coded, Ext, ExtField, ExternalId, Localized, Ref, ZonedInstant};

use super::interview::points;
use super::{Reasons, instant};
use crate::Config;
use crate::api::external::{BackgroundCheck, ExternalApplication, ExternalAssessment, ExternalInterview};
use crate::api::loose::filled;
use crate::marker::{Marker, OVERALL, POINTS};

/// An application in another system. Its job is a title and nothing more.
///
/// # Errors
/// [`Unfit`] for one without a candidate.
pub(crate) fn external_application(from: &ExternalApplication, config: &Config) -> Result<Application, Unfit> {
    let talent = filled(from.talent_id.as_ref()).ok_or_else(|| Unfit::field("talent_id", "absent"))?;
    let title = filled(from.job_title.as_ref()).unwrap_or(from.id.as_str());
    let job = ExternalId { object_type: Some("external_job".to_owned()), ..ExternalId::of(title) };
    let ended = filled(from.termination_type.as_ref()).or_else(|| filled(from.termination_reason.as_ref()));
    let status = match ended {
        None => ApplicationStatus::Active.into(),
        Some(text) => Coded::with_raw(ApplicationStatus::Other, text),
    };
    let reason = filled(from.termination_reason.as_ref());
    let outcome =
        reason.map(|reason| Outcome { reasons: vec![Reasons::worded(config, reason)], ..Outcome::new(status.clone()) });
    let stage = filled(from.stage.as_ref());
    let source = filled(from.resume_source.as_ref());
    Ok(Application {
        stage: stage.map(|name| Stage::new(Localized::und(name), Coded::with_raw(StageKind::Other, name))),
        source: source.map(|name| {
            let channel = Coded::with_raw(renmen_plugin::schema::code::SourceChannel::Other, name);
            Source { detail: Some(name.to_owned()), ..Source::new(channel) }
        }),
        applied_at: instant("create_time", from.create_time)?,
        outcome,
        ..Application::new(Ref::external(talent), Ref::by(job), status)
    })
}

/// An interview in another system.
///
/// # Errors
/// [`Unfit`] for one that belongs to no application.
pub(crate) fn external_interview(from: &ExternalInterview) -> Result<Interview, Unfit> {
    let ours = from.interview_assessments.iter().find_map(Marker::of);
    let kind = if ours.is_some() { InterviewKind::Ai } else { InterviewKind::Human };
    let application = match &ours {
        Some(marker) => marker.application_id.as_str(),
        None => filled(from.external_application_id.as_ref())
            .ok_or_else(|| Unfit::field("external_application_id", "absent"))?,
    };
    let status = from.participate_status.unwrap_or_default();
    let status = Coded::from_raw(&status.to_string(), |_| match status {
        1 => Some(InterviewStatus::Scheduled),
        2 => Some(InterviewStatus::Completed),
        3 => Some(InterviewStatus::NoShow),
        _ => None,
    });
    let order = ours.as_ref().map(|marker| ExternalId {
        object_type: Some("interview".to_owned()),
        ..ExternalId::of(marker.interview_id.as_str())
    });
    Ok(Interview {
        started_at: instant("begin_time", from.begin_time)?.map(ZonedInstant::new),
        ended_at: instant("end_time", from.end_time)?.map(ZonedInstant::new),
        external_ids: order.into_iter().collect(),
        ..Interview::new(Ref::external(application), kind, status)
    })
}

/// The verdict of an assessment.
///
/// # Errors
/// [`Unfit`] for points of ours outside of 0 to 100.
pub(crate) fn external_result(
    interview: &ExternalInterview,
    from: &ExternalAssessment,
) -> Result<InterviewResult, Unfit> {
    let ours = Marker::of(from).is_some();
    let overall = from.assessment_dimension_list.iter().find(|dimension| dimension.title.as_deref() == Some(OVERALL));
    // The scale is known only for points that the gateway wrote.
    let overall = overall.filter(|_| ours).and_then(|dimension| dimension.score);
    let mut ext = Ext::default();
    if let Some(content) = filled(from.content.as_ref()) {
        ext.set("feishu", "content", ExtField::text(content));
    }
    if let Some(username) = filled(from.username.as_ref()) {
        ext.set("feishu", "username", ExtField::text(username));
    }
    Ok(InterviewResult {
        overall: overall.map(|score| points("assessment_dimension_list.score", score)).transpose()?,
        recommendation: from.conclusion.map(|conclusion| {
            Coded::from_raw(&conclusion.to_string(), |_| match conclusion {
                1 => Some(Recommendation::No),
                2 => Some(Recommendation::Yes),
                3 => Some(Recommendation::NoDecision),
                _ => None,
            })
        }),
        completed_at: instant("end_time", interview.end_time)?,
        ext: (ext != Ext::default()).then_some(ext),
        ..InterviewResult::new(Ref::external(interview.id.as_str()))
    })
}

/// The points of an assessment of ours by dimension, with their ids.
///
/// # Errors
/// [`Unfit`] for points outside of 0 to 100.
pub(crate) fn external_scores(
    interview: &ExternalInterview,
    assessment_id: &str,
    from: &ExternalAssessment,
) -> Result<Vec<(String, DimensionScore)>, Unfit> {
    if Marker::of(from).is_none() {
        return Ok(Vec::new());
    }
    let mut scores = Vec::new();
    for (index, dimension) in from.assessment_dimension_list.iter().enumerate() {
        let title = dimension.title.as_deref().unwrap_or_default();
        let Some(score) = dimension.score.filter(|_| dimension.assessment_type == Some(POINTS)) else { continue };
        if title == OVERALL || Marker::is_in(dimension) {
            continue;
        }
        scores.push((
            format!("{assessment_id}/{index}"),
            DimensionScore {
                interview: Some(Ref::external(interview.id.as_str())),
                dimension: Some(Localized::und(title)),
                explanation: filled(dimension.description.as_ref()).map(Localized::und),
                scored_by: Some(ScoredBy::new(ScorerKind::Model)),
                ..DimensionScore::new(points("assessment_dimension_list.score", score)?)
            },
        ));
    }
    Ok(scores)
}

/// A background check in another system.
///
/// # Errors
/// [`Unfit`] for a day that is not valid.
pub(crate) fn background_check(application_id: &str, from: &BackgroundCheck) -> Result<Assessment, Unfit> {
    let result = filled(from.result.as_ref());
    Ok(Assessment {
        name: filled(from.name.as_ref()).map(Localized::und),
        overall: result.map(|text| AssessmentResult { comment: Some(Localized::und(text)), ..AssessmentResult::new() }),
        completed_at: instant("date", from.date)?,
        ..Assessment::new(
            Ref::external(application_id),
            AssessmentKind::BackgroundCheck.into(),
            OrderStatus::Completed.into(),
        )
    })
}
