//! A person corrects a score because of what happened around the interview. The score stays as it was; each correction
//! is a record of its own that names it.

use renmen_schema::code::ScorerKind;
use renmen_schema::entity::{AdjustReason, DimensionScore, EnvironmentEvent, ScoredBy};
use renmen_schema::id::RecordId;
use renmen_schema::types::{Decimal, Localized, Ref};
use renmen_store::{Cause, RecordRow, StoreError};

use super::person::{PERSON_CHARS_MAX, REASON_CHARS_MAX, check_text, write};
use super::series::Series;
use crate::children::Shelf;
use crate::dossier::Read;
use crate::{InterviewError, author, subject};

/// How often it is read again when another correction was quicker.
const TRIES: usize = 4;

/// A person's correction of a score.
#[derive(Debug, Clone)]
pub struct CorrectionAsk {
    /// The score as it should have been, on the same scale.
    pub value: Decimal,
    /// What happened around the interview.
    pub environment_event: Option<RecordId>,
    /// Why, in words.
    pub reason: String,
    /// Who corrects: the name of the key that they came with.
    pub person: String,
}

/// Writes a correction. The same one again, while it is the last, is the one that is there.
pub(crate) async fn correct(
    shelf: Shelf<'_>,
    id: RecordId,
    ask: &CorrectionAsk,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    check_text("person", &ask.person, PERSON_CHARS_MAX)?;
    check_text("reason", &ask.reason, REASON_CHARS_MAX)?;
    let (store, tenant) = (shelf.store, shelf.tenant);
    let found = store.record(tenant, id).await?.and_then(Read::<DimensionScore>::of);
    let original = found.ok_or(InterviewError::NotFound("score"))?;
    counted(shelf, &original.row, ("score", "评分")).await?;
    let mut causes = vec![author::cause(&original.row)];
    let event = match ask.environment_event {
        None => None,
        Some(event) => Some(event_of(shelf, &original, event, &mut causes).await?),
    };
    let made = correction(&original, ask, event)?;
    let series = Series::named(format!("correction/{id}"));
    let mut last = None;
    for _ in 0..TRIES {
        let newest = series.newest::<DimensionScore>(store, tenant, 0).await?;
        if let Some((_, newest)) = newest.as_ref().filter(|(_, newest)| newest.body == made) {
            return Ok(newest.row.clone());
        }
        let number = newest.map_or(1, |(number, _)| number + 1);
        let mut record = author::record(series.id(number), &made, causes.clone())?;
        record.expect = Some(0);
        match write(shelf, vec![record], now_ms).await {
            Err(InterviewError::Store(StoreError::Fenced(why))) => last = Some(why),
            other => return other,
        }
    }
    Err(StoreError::Fenced(last.unwrap_or_default()).into())
}

fn correction(
    original: &Read<DimensionScore>,
    ask: &CorrectionAsk,
    event: Option<Ref<EnvironmentEvent>>,
) -> Result<DimensionScore, InterviewError> {
    let (row, body) = (&original.row, &original.body);
    let mut score = body.score.clone();
    score.value = ask.value;
    score.label = None;
    if score.norm().is_none() {
        let (min, max) = (score.min, score.max);
        return Err(InterviewError::bad(
            "value",
            format!("within the score's own scale, {min} to {max}"),
            format!("该评分量表（{min} 到 {max}）之内的值"),
        ));
    }
    let mut made = DimensionScore::new(score);
    made.interview = body.interview.as_ref().map(|of| subject::absolute(of, &row.connection));
    made.assessment = body.assessment.as_ref().map(|of| subject::absolute(of, &row.connection));
    made.competency = body.competency.as_ref().map(|of| subject::absolute(of, &row.connection));
    made.dimension = body.dimension.clone();
    made.weight_used = body.weight_used.clone();
    made.profile_version = body.profile_version;
    made.scored_by = Some(ScoredBy { person: Some(ask.person.clone()), ..ScoredBy::new(ScorerKind::Human) });
    made.adjusts = Some(subject::to(row));
    let text = Some(Localized::und(ask.reason.as_str()));
    made.adjust_reason = Some(AdjustReason { environment_event: event, text });
    Ok(made)
}

/// What happened around the same interview.
async fn event_of(
    shelf: Shelf<'_>,
    original: &Read<DimensionScore>,
    event: RecordId,
    causes: &mut Vec<Cause>,
) -> Result<Ref<EnvironmentEvent>, InterviewError> {
    let found = shelf.store.record(shelf.tenant, event).await?.and_then(Read::<EnvironmentEvent>::of);
    let found = found.ok_or(InterviewError::NotFound("environment event"))?;
    let of = original.body.interview.as_ref();
    let here = of.map(|of| subject::absolute(of, &original.row.connection).external);
    if here != Some(subject::absolute(&found.body.interview, &found.row.connection).external) {
        return Err(InterviewError::bad("environment_event", "an event of the same interview", "同一面试的环境事件"));
    }
    counted(shelf, &found.row, ("environment event", "环境事件")).await?;
    causes.push(author::cause(&found.row));
    Ok(subject::to(&found.row))
}

/// What a stranger says of an interview is neither corrected nor a reason to correct.
async fn counted(shelf: Shelf<'_>, row: &RecordRow, (en, zh): (&str, &str)) -> Result<(), InterviewError> {
    for parent in subject::parents(shelf.store, shelf.tenant, row).await? {
        if parent.entity == "interview" && !shelf.sources.counts(&parent, &row.connection) {
            let (from, of) = (&row.connection, &parent.connection);
            return Err(InterviewError::refused(
                format!(
                    "this {en} came through connection `{from}`, which does not count for interviews of `{of}`: list it in \
                     `[interview] sources` if it should"
                ),
                format!("该{zh}来自连接 `{from}`，不计入 `{of}` 的面试：如应计入，请将其列入 `[interview] sources`"),
            ));
        }
    }
    Ok(())
}
