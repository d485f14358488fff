//! Why the scores of an application are what they are, for the applicant in Chinese and English.

use std::collections::BTreeMap;

use renmen_insight::question::explain::{ScoredPoint, explain};
use renmen_schema::entity::{
    Competency, DimensionScore, Explanation, InterviewAnswer, InterviewResult, PositionProfile, ProfileCompetency,
};
use renmen_schema::id::RecordId;
use renmen_schema::types::{Instant, Localized, Ref, Score};
use renmen_schema::{Entity, text};

use super::case::{Case, cause};
use crate::answer::{Body, Finding};
use crate::engine::Asking;
use crate::shelf::{Read, built_in};
use crate::{AnalysisError, Answer};

/// A score that stands, with what is told of it.
struct Point {
    score: Read<DimensionScore>,
    before: Option<(Score, Option<Localized>)>,
    criterion: Localized,
    required: Option<Score>,
    answers: Vec<(RecordId, Localized)>,
}

/// The explanation of one result.
pub(super) async fn explanation(asking: &Asking<'_>) -> Result<Answer, AnalysisError> {
    let case = Case::open(asking).await?;
    let result = case.result(asking.ask.result).await?;
    let mut answer = asking.begun();
    answer.causes = vec![cause(&case.application.row), cause(&result.row)];
    let points = points(&case, &result, &mut answer).await?;
    if points.is_empty() {
        return Err(AnalysisError::Refused(text!(
            "the interview has no scores of dimensions that could be explained",
            "该面试没有可解释的维度评分"
        )));
    }
    let scored: Vec<ScoredPoint<'_>> = points.iter().map(Point::scored).collect();
    // The same whenever it is asked: when the newest of what it is made from was recorded.
    let newest = points.iter().map(|point| point.score.row.recorded_at_ms).max();
    let made_at = newest.unwrap_or_default().max(result.row.recorded_at_ms);
    let made_at = Instant::from_epoch_ms(made_at).map_err(|error| AnalysisError::Fault(error.to_string()))?;
    let made = explain(Ref::to(case.application.row.id), Some(Ref::to(result.row.id)), &scored, made_at);
    let body = serde_json::to_value(&made).map_err(|error| AnalysisError::Fault(error.to_string()))?;
    for point in &points {
        let named = point.criterion.best("en").unwrap_or_default();
        let told = Finding { record: Some(point.score.row.id), ..Finding::of("EXPLAINED", named) };
        answer.findings.push(told.with(point.score.body.score.value));
    }
    answer.records.push(Body { kind: Explanation::KIND, about: result.row.id.to_string(), body });
    Ok(answer)
}

impl Point {
    fn scored(&self) -> ScoredPoint<'_> {
        ScoredPoint {
            criterion: &self.criterion,
            weight: self.score.body.weight_used.as_ref(),
            score: &self.score.body.score,
            corrected: self.before.as_ref().map(|(before, why)| (before, why.as_ref())),
            required: self.required.as_ref(),
            remark: self.score.body.explanation.as_ref(),
            answers: self.answers.iter().map(|(id, question)| (Ref::to(*id), question)).collect(),
        }
    }
}

async fn points(
    case: &Case<'_>,
    result: &Read<InterviewResult>,
    answer: &mut Answer,
) -> Result<Vec<Point>, AnalysisError> {
    let from = &result.row.connection;
    let Some(interview) = case.shelf.meant(&result.body.interview, from).await? else { return Ok(Vec::new()) };
    // The vendor's own scores, and corrections that people made here.
    let of = [from.clone(), built_in()];
    let rows = case.children(&interview.row, DimensionScore::KIND.name(), &of).await?;
    let mut all: BTreeMap<RecordId, Read<DimensionScore>> =
        rows.into_iter().filter_map(Read::of).map(|read: Read<DimensionScore>| (read.row.id, read)).collect();
    let mut corrected: BTreeMap<RecordId, RecordId> = BTreeMap::new();
    for (id, score) in &all {
        if let Some(before) = &score.body.adjusts
            && let Some(before) = case.shelf.meant(before, &score.row.connection).await?
        {
            corrected.insert(before.row.id, *id);
        }
    }
    let standing: Vec<RecordId> = all.keys().filter(|id| !corrected.contains_key(id)).copied().collect();
    let mut points = Vec::with_capacity(standing.len());
    for id in standing {
        let before = corrected.iter().find(|(_, by)| **by == id).and_then(|(before, _)| all.get(before));
        let before = before.map(|before| before.body.score.clone());
        let Some(score) = all.remove(&id) else { continue };
        let why = || score.body.adjust_reason.as_ref().and_then(|reason| reason.text.clone());
        let before = before.map(|before| (before, why()));
        answer.causes.push(cause(&score.row));
        points.push(point(case, score, before).await?);
    }
    Ok(points)
}

async fn point(
    case: &Case<'_>,
    score: Read<DimensionScore>,
    before: Option<(Score, Option<Localized>)>,
) -> Result<Point, AnalysisError> {
    let from = score.row.connection.clone();
    let competency = match &score.body.competency {
        Some(competency) => case.shelf.meant::<Competency>(competency, &from).await?,
        None => None,
    };
    let named = competency.as_ref().map(|known| known.body.name.clone()).or_else(|| score.body.dimension.clone());
    let criterion = named.unwrap_or_else(|| Localized::en(score.row.external_id.clone()));
    let required = match (&score.body.profile, &competency) {
        (Some(profile), Some(competency)) => {
            let profile = case.shelf.meant::<PositionProfile>(profile, &from).await?;
            let wanted =
                |one: &&ProfileCompetency| one.competency.id == Some(competency.row.id) || named_as(one, competency);
            profile.and_then(|profile| profile.body.competencies.iter().find(wanted)?.required_level.clone())
        }
        _ => None,
    };
    let mut answers = Vec::new();
    for evidence in &score.body.evidence {
        if let Some(known) = case.shelf.meant::<InterviewAnswer>(&evidence.answer, &from).await? {
            answers.push((known.row.id, known.body.question.text));
        }
    }
    answers.dedup_by_key(|(id, _)| *id);
    Ok(Point { score, before, criterion, required, answers })
}

fn named_as(one: &ProfileCompetency, competency: &Read<Competency>) -> bool {
    one.competency.external.as_ref().is_some_and(|external| external.value == competency.row.external_id)
}
