//! The result of an AI interview, onto the candidate in Hire: an external application, an external interview on it, and
//! its assessment.
//!
//! Hire knows a repeated creation for 24 hours alone, and never gives the `external_id` back that it knows it by. So this looks
//! before it writes: the application is found by its source and job, the interview by the marker in its assessment. The same
//! input twice writes once; a corrected one changes the assessment in its place.

use renmen_plugin::http::path_segment;
use renmen_plugin::schema::types::{Instant, Score};
use renmen_plugin::{Failure, Receipt};
use serde::Deserialize;
use serde_json::json;

use super::done;
use crate::Config;
use crate::api::external::{
    ExternalApplication, ExternalAssessment, ExternalDimension, ExternalInterview, NewApplication, PutInterview,
    all_applications, all_interviews,
};
use crate::api::{ask, data, hire, write};
use crate::marker::{Marker, OVERALL, POINTS};

/// The stage that our external applications are in, as Hire shows it.
const STAGE: &str = "AI 面试";

/// The action's input, as the manifest describes it.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Input {
    /// The application in Hire.
    application_id: String,
    /// The interview by the id that its order gave: what a repeated write is known by.
    interview_id: String,
    status: Status,
    started_at: Option<Instant>,
    ended_at: Option<Instant>,
    conclusion: Option<Conclusion>,
    overall: Option<Score>,
    #[serde(default)]
    dimensions: Vec<Dimension>,
    /// What people read.
    summary: Option<String>,
    /// What is good, and what is not.
    #[serde(default)]
    strengths: Vec<String>,
    #[serde(default)]
    weaknesses: Vec<String>,
    /// Where the whole report is.
    report_url: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Status {
    Scheduled,
    Completed,
    NoShow,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Conclusion {
    Pass,
    Fail,
    Review,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Dimension {
    title: String,
    score: Score,
    explanation: Option<String>,
}

pub(super) fn upsert(config: &Config, input: &Input) -> Result<Receipt, Failure> {
    let assessment = assessment_of(config, input)?;
    let application = external_application(config, input)?;
    let known = all_interviews(config, &application)?;
    let ours = |interview: &&ExternalInterview| position_of(input, interview).is_some();
    let (interview, assessment_id, outcome) = match known.iter().find(ours) {
        None => {
            let made = create(config, input, &application, &assessment)?;
            let id = made.interview_assessments.first().and_then(|assessment| assessment.id.clone());
            (made.id, id, "created")
        }
        Some(interview) => {
            let (id, changed) = update(config, input, &application, interview, &assessment)?;
            (interview.id.clone(), id, if changed { "updated" } else { "unchanged" })
        }
    };
    Ok(done(
        &interview,
        [
            ("external_application_id", json!(application)),
            ("external_interview_id", json!(interview)),
            ("external_interview_assessment_id", json!(assessment_id)),
            ("outcome", json!(outcome)),
        ],
    ))
}

/// Our external application for this candidate and job; made if there is none.
fn external_application(config: &Config, input: &Input) -> Result<String, Failure> {
    let (talent_id, title) = subject(config, &input.application_id)?;
    let ours = |application: &&ExternalApplication| {
        application.resume_source.as_deref() == Some(config.source.as_str())
            && application.job_title.as_deref() == Some(title.as_str())
    };
    if let Some(known) = all_applications(config, &talent_id)?.iter().find(ours) {
        return Ok(known.id.clone());
    }
    #[derive(Deserialize)]
    struct Made {
        external_application: ExternalApplication,
    }
    let new = NewApplication {
        external_id: &format!("renmen-{}", input.application_id),
        talent_id: &talent_id,
        job_title: &title,
        resume_source: &config.source,
        stage: STAGE,
    };
    let made: Made = write(config, "POST", "/open-apis/hire/v1/external_applications", &[], &new)?;
    Ok(made.external_application.id)
}

/// The candidate and the job of an application.
fn subject(config: &Config, application_id: &str) -> Result<(String, String), Failure> {
    #[derive(Deserialize)]
    struct Job {
        job: Title,
    }
    #[derive(Deserialize)]
    struct Title {
        title: String,
    }
    let application = hire::found(config, application_id)?;
    let title = data::<Job>(&ask(hire::job(config, &application.job_id))?)?.job.title;
    Ok((application.talent_id, title))
}

/// Where in an interview our assessment of this one stands.
fn position_of(input: &Input, interview: &ExternalInterview) -> Option<usize> {
    let wanted = marker(input);
    interview.interview_assessments.iter().position(|assessment| Marker::of(assessment).as_ref() == Some(&wanted))
}

fn marker(input: &Input) -> Marker {
    Marker { application_id: input.application_id.clone(), interview_id: input.interview_id.clone() }
}

/// Interview and assessment in one request: between two requests, an interview could be left behind that cannot be
/// found again.
fn create(
    config: &Config,
    input: &Input,
    application_id: &str,
    assessment: &ExternalAssessment,
) -> Result<ExternalInterview, Failure> {
    #[derive(Deserialize)]
    struct Made {
        external_interview: ExternalInterview,
    }
    let new = PutInterview {
        external_id: Some(&input.interview_id),
        interview_assessments: Some(std::slice::from_ref(assessment)),
        ..put(input, application_id)
    };
    let made: Made = write(config, "POST", "/open-apis/hire/v1/external_interviews", &[], &new)?;
    Ok(made.external_interview)
}

/// Changes what differs: the interview, its assessment, both or nothing. The id of the assessment, and whether it wrote.
fn update(
    config: &Config,
    input: &Input,
    application_id: &str,
    known: &ExternalInterview,
    assessment: &ExternalAssessment,
) -> Result<(Option<String>, bool), Failure> {
    let wanted = put(input, application_id);
    let same = known.participate_status == Some(wanted.participate_status)
        && (wanted.begin_time.is_none() || known.begin_time == wanted.begin_time)
        && (wanted.end_time.is_none() || known.end_time == wanted.end_time);
    if !same {
        let path = format!("/open-apis/hire/v1/external_interviews/{}", path_segment(&known.id)?);
        let _: serde_json::Value = write(config, "PUT", &path, &[], &wanted)?;
    }
    let Some(ours) = position_of(input, known).and_then(|at| known.interview_assessments.get(at)) else {
        return Ok((None, !same));
    };
    let unchanged = ExternalAssessment { id: None, ..ours.clone() } == *assessment;
    match &ours.id {
        Some(id) if !unchanged => {
            let path = format!("/open-apis/hire/v1/external_interview_assessments/{}", path_segment(id)?);
            let _: serde_json::Value = write(config, "PATCH", &path, &[], assessment)?;
        }
        _ => {}
    }
    Ok((ours.id.clone(), !same || !unchanged))
}

fn put<'a>(input: &'a Input, application_id: &'a str) -> PutInterview<'a> {
    PutInterview {
        external_id: None,
        external_application_id: application_id,
        participate_status: match input.status {
            Status::Scheduled => 1,
            Status::Completed => 2,
            Status::NoShow => 3,
        },
        begin_time: input.started_at.map(Instant::epoch_ms),
        end_time: input.ended_at.map(Instant::epoch_ms),
        interview_assessments: None,
    }
}

fn assessment_of(config: &Config, input: &Input) -> Result<ExternalAssessment, Failure> {
    let mut dimensions = Vec::with_capacity(input.dimensions.len() + 2);
    if let Some(overall) = &input.overall {
        dimensions.push(points(OVERALL, overall, None)?);
    }
    for dimension in &input.dimensions {
        dimensions.push(points(&dimension.title, &dimension.score, dimension.explanation.as_deref())?);
    }
    dimensions.push(marker(input).dimension());
    let said = |title: &str, texts: &[String]| (!texts.is_empty()).then(|| format!("{title}：{}", texts.join("；")));
    let report = input.report_url.as_ref().map(|url| format!("报告：{url}"));
    let parts = [input.summary.clone(), said("优势", &input.strengths), said("不足", &input.weaknesses), report];
    let content: Vec<String> = parts.into_iter().flatten().collect();
    Ok(ExternalAssessment {
        id: None,
        username: Some(config.interviewer.clone()),
        conclusion: input.conclusion.map(|conclusion| match conclusion {
            Conclusion::Fail => 1,
            Conclusion::Pass => 2,
            Conclusion::Review => 3,
        }),
        content: (!content.is_empty()).then(|| content.join("\n")),
        assessment_dimension_list: dimensions,
    })
}

/// Hire takes whole points but does not state the maximum; here they are always 0 to 100, converted from any scale.
fn points(title: &str, score: &Score, explanation: Option<&str>) -> Result<ExternalDimension, Failure> {
    let norm = score.norm().ok_or_else(|| {
        Failure::invalid_input(format!("the score of `{title}` is outside of its scale, or the scale has no extent"))
    })?;
    let text = norm.to_string();
    Ok(ExternalDimension {
        assessment_type: Some(POINTS),
        title: Some(title.to_owned()),
        description: explanation.filter(|text| !text.is_empty()).map(str::to_owned),
        score: Some(hundredths(&text)),
        content: None,
    })
}

/// `0.825` of one as 83 of a hundred, half up. The text is a decimal from 0 to 1 with at most six digits.
fn hundredths(norm: &str) -> i64 {
    let (whole, fraction) = norm.split_once('.').unwrap_or((norm, ""));
    let digit = |at: usize| fraction.as_bytes().get(at).map_or(0, |byte| i64::from(byte - b'0'));
    let whole: i64 = whole.parse().unwrap_or_default();
    whole * 100 + digit(0) * 10 + digit(1) + i64::from(digit(2) >= 5)
}

#[cfg(test)]
mod tests {
    use super::hundredths;

    #[test]
    fn a_part_of_one_is_a_number_of_hundredths_rounded_half_up() {
        for (norm, points) in [("0", 0), ("1", 100), ("0.825", 83), ("0.8249", 82), ("0.5", 50), ("0.999999", 100)] {
            assert_eq!(hundredths(norm), points, "{norm}");
        }
    }
}
