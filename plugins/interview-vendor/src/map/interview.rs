//! Interviews, answers, and what happened around them.

use renmen_plugin::Unfit;
use renmen_plugin::schema::code::{AnswerKind, EnvironmentUnit, InterviewKind, Severity};
use renmen_plugin::schema::entity::{
    Device, EnvironmentEvent, Interview, InterviewAnswer, Measured, NodeAttributes, Observation, ProcessNode, Prompt,
    Question, Subject,
};
use renmen_plugin::schema::types::{Coded, Decimal, Instant, Ref};

use super::{coded, localized, media, score, some_score, time, zoned};
use crate::vendor;

/// `interviews`. Rounds are counted from 1 there and from 0 here.
///
/// # Errors
/// [`Unfit`] for a time or zone that is not valid, or a kind that is neither ai nor human.
pub fn interview(from: &vendor::Interview) -> Result<Interview, Unfit> {
    let kind = match from.kind.as_str() {
        "ai" => InterviewKind::Ai,
        "human" => InterviewKind::Human,
        _ => return Err(Unfit::field("kind", "a word that is neither ai nor human")),
    };
    let at = |field: &str, text: Option<&str>| zoned(field, text, from.time_zone.as_deref());
    Ok(Interview {
        order: from.order_id.as_deref().map(Ref::external),
        round: from.round.map(|round| round.saturating_sub(1)),
        start: at("start_at", from.start_at.as_deref())?,
        end: at("end_at", from.end_at.as_deref())?,
        started_at: at("started_at", from.started_at.as_deref())?,
        ended_at: at("ended_at", from.ended_at.as_deref())?,
        device: from.device.as_ref().map(|device| Device {
            camera: device.camera,
            mic: device.microphone,
            os: device.os.clone(),
            ..Device::new()
        }),
        recording: media(&from.recordings)?,
        ..Interview::new(Ref::external(from.application_id.as_str()), kind, coded(&from.status))
    })
}

/// `answers`.
///
/// # Errors
/// [`Unfit`] naming the member that cannot be read.
pub fn answer(from: &vendor::Answer) -> Result<InterviewAnswer, Unfit> {
    let asked = &from.question;
    let kind: Coded<AnswerKind> = asked.kind.as_deref().map_or_else(|| AnswerKind::Open.into(), coded);
    let question = Question {
        id: asked.id.clone(),
        competencies: asked.competency_ids.iter().map(|id| Ref::external(id.as_str())).collect(),
        prep_s: asked.prep_s,
        max_s: asked.max_s,
        ..Question::new(localized("question.text", &asked.text)?, kind)
    };
    let prompts = from.prompts.iter().map(|prompt| {
        let at = Instant::parse(&prompt.at).map_err(|e| Unfit::field("prompts.at", e))?;
        Ok(Prompt::new(at, localized("prompts.text", &prompt.text)?))
    });
    Ok(InterviewAnswer {
        answer_text: from.text.clone(),
        choice: from.choice.iter().cloned().collect(),
        media: media(&from.recordings)?,
        shown_at: time("shown_at", from.shown_at.as_deref())?,
        first_response_at: time("first_response_at", from.first_response_at.as_deref())?,
        submitted_at: time("submitted_at", from.submitted_at.as_deref())?,
        observations: from.observations.iter().map(observation).collect::<Result<_, _>>()?,
        prompts: prompts.collect::<Result<_, Unfit>>()?,
        score: some_score("score", from.score.as_ref())?,
        ..InterviewAnswer::new(Ref::external(from.interview_id.as_str()), question)
    })
}

/// With the ends of its scale a value is a figure; without them it is a word.
fn observation(from: &vendor::Observation) -> Result<Observation, Unfit> {
    let mut seen = Observation::new(coded(&from.r#type));
    seen.at = time("observations.at", from.at.as_deref())?;
    let confidence = from.confidence.as_deref().map(Decimal::parse).transpose();
    seen.confidence = confidence.map_err(|e| Unfit::field("observations.confidence", e))?;
    match (&from.value, &from.min, &from.max) {
        (Some(value), Some(min), Some(max)) => {
            let scale = vendor::Scale { value: value.clone(), min: min.clone(), max: max.clone() };
            seen.score = Some(score("observations", &scale)?);
        }
        (Some(word), None, None) => seen.code = Some(word.clone()),
        (None, ..) => return Err(Unfit::field("observations.value", "missing")),
        _ => return Err(Unfit::field("observations", "one end of the scale without the other")),
    }
    Ok(seen)
}

/// `environment_events`.
///
/// # Errors
/// [`Unfit`] for a value without a unit that is known.
pub fn environment_event(from: &vendor::EnvironmentEvent) -> Result<EnvironmentEvent, Unfit> {
    let at = Instant::parse(&from.at).map_err(|e| Unfit::field("at", e))?;
    let value = from.value.as_deref().map(|text| {
        let unit = from.unit.as_deref().and_then(EnvironmentUnit::from_code);
        let unit = unit.ok_or_else(|| Unfit::field("unit", "a value without a unit of ms, percent, dB or lux"))?;
        Ok(Measured::new(Decimal::parse(text).map_err(|e| Unfit::field("value", e))?, unit))
    });
    let severity = match from.severity.as_deref() {
        None => None,
        Some("info") => Some(Severity::Low),
        Some("warning") => Some(Severity::Medium),
        Some("critical") => Some(Severity::High),
        Some(_) => return Err(Unfit::field("severity", "a word that is not one of info, warning, critical")),
    };
    Ok(EnvironmentEvent {
        value: value.transpose().map_err(|unfit: Unfit| unfit)?,
        severity,
        remedy: from.remedy.as_ref().map(|text| localized("remedy", text)).transpose()?,
        ..EnvironmentEvent::new(Ref::external(from.interview_id.as_str()), at, coded(&from.r#type))
    })
}

/// `process_nodes`. A step of an interview belongs to the interview, any other to the application.
///
/// # Errors
/// [`Unfit`] for a step that belongs to nothing.
pub fn process_node(from: &vendor::ProcessNode) -> Result<ProcessNode, Unfit> {
    let subject = match (&from.interview_id, &from.application_id) {
        (Some(id), _) => Subject { interview: Some(Ref::external(id.as_str())), ..Subject::new() },
        (None, Some(id)) => Subject { application: Some(Ref::external(id.as_str())), ..Subject::new() },
        (None, None) => return Err(Unfit::field("interview_id", "missing, and application_id too")),
    };
    let at = Instant::parse(&from.at).map_err(|e| Unfit::field("at", e))?;
    let attrs = NodeAttributes {
        clicks: from.clicks,
        wait_ms: from.wait_ms,
        channel: from.channel.clone(),
        question: from.question_id.clone(),
        done: from.done,
        of: from.of,
    };
    Ok(ProcessNode { seq: from.seq, attrs: Some(attrs), ..ProcessNode::new(subject, coded(&from.node), at) })
}
