//! What people do: decide where the rule may not, and correct a score because of what happened around the interview.

use renmen_schema::code::{DeciderKind, DecisionStatus, PassDecision, ScorerKind};
use renmen_schema::entity::{AdjustReason, Decider, Decision, DimensionScore, EnvironmentEvent, ScoredBy};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::types::{Decimal, Localized};
use renmen_store::{AuthoredCommit, RecordRow, Store};

use crate::children::Shelf;
use crate::dossier::Read;
use crate::{InterviewError, author, subject};

/// Characters of a reason.
const REASON_CHARS_MAX: usize = 2_000;
/// Characters of a person's name or id.
const PERSON_CHARS_MAX: usize = 200;
/// The stream that people's work is written by.
const STREAM: &str = "people";

/// What a person says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PersonVerdict {
    /// It passes.
    Pass,
    /// It does not.
    Fail,
}

/// A person's decision.
#[derive(Debug, Clone)]
pub struct DecisionAsk {
    /// What they say.
    pub verdict: PersonVerdict,
    /// Who they are.
    pub person: String,
    /// Why.
    pub reason: String,
}

/// A person's correction of a score.
#[derive(Debug, Clone)]
pub struct CorrectionAsk {
    /// The score as it should have been, on the same scale.
    pub value: Decimal,
    /// What happened around the interview.
    pub environment_event: Option<RecordId>,
    /// Why, in words.
    pub reason: String,
    /// Who corrects.
    pub person: String,
}

/// Decides on what awaits a person. Gives the decision as it stands then.
pub(crate) async fn decide(
    shelf: Shelf<'_>,
    id: RecordId,
    ask: &DecisionAsk,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    check(&ask.person, &ask.reason)?;
    let (store, tenant) = (shelf.store, shelf.tenant);
    let found = store.record(tenant, id).await?.and_then(Read::<Decision>::of);
    let found = found.filter(|found| found.row.connection == author::built_in());
    let Read { row, mut body } = found.ok_or(InterviewError::NotFound("decision"))?;
    if body.status != DecisionStatus::AwaitingPerson {
        return Err(InterviewError::Refused("this decision was made already; look at who made it".into()));
    }
    if is_superseded(shelf, &row).await? {
        return Err(InterviewError::Refused(
            "a later decision took the place of this one after a score was corrected: decide on that one".into(),
        ));
    }
    body.outcome = match ask.verdict {
        PersonVerdict::Pass => PassDecision::Pass,
        PersonVerdict::Fail => PassDecision::Fail,
    };
    body.status = DecisionStatus::Decided;
    body.decided_by = Some(Decider { person: Some(ask.person.clone()), ..Decider::new(DeciderKind::Person) });
    body.decided_at = Some(author::instant(now_ms)?);
    body.reason = Some(Localized::und(ask.reason.as_str()));
    let mut record = author::record(row.external_id.as_str(), &body, vec![author::cause(&row)])?;
    record.expect = Some(row.revision);
    metrics::counter!("renmen_decisions_by_person_total", "outcome" => body.outcome.as_str()).increment(1);
    write(store, tenant, record, now_ms).await
}

async fn is_superseded(shelf: Shelf<'_>, decision: &RecordRow) -> Result<bool, InterviewError> {
    let mut superseded = false;
    for parent in subject::parents(shelf.store, shelf.tenant, decision).await? {
        if parent.entity != "interview" {
            continue;
        }
        let ours = vec![author::built_in()];
        let later = |row| Read::<Decision>::of(row).and_then(|other| other.body.supersedes?.id);
        let all = shelf.each(&parent, ours, &["decision"], |row| {
            superseded |= later(row) == Some(decision.id);
            !superseded
        });
        if !all.await? {
            return Err(InterviewError::Refused(
                "its interview has more decisions than are looked at: raise `interview.children_max`".into(),
            ));
        }
    }
    Ok(superseded)
}

/// Writes a correction: another score that names the one it corrects, which stays as it was (R21).
pub(crate) async fn correct(
    shelf: Shelf<'_>,
    id: RecordId,
    ask: &CorrectionAsk,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    check(&ask.person, &ask.reason)?;
    let (store, tenant) = (shelf.store, shelf.tenant);
    let found = store.record(tenant, id).await?.and_then(Read::<DimensionScore>::of);
    let Read { row, body } = found.ok_or(InterviewError::NotFound("score"))?;
    counted(shelf, &row, "score").await?;
    let mut score = body.score.clone();
    score.value = ask.value;
    score.label = None;
    if score.norm().is_none() {
        return Err(InterviewError::bad(
            "value",
            format!("within the score's own scale, {} to {}", score.min, score.max),
        ));
    }
    let mut causes = vec![author::cause(&row)];
    let event = match ask.environment_event {
        None => None,
        Some(event) => {
            let found = store.record(tenant, event).await?.and_then(Read::<EnvironmentEvent>::of);
            let found = found.ok_or(InterviewError::NotFound("environment event"))?;
            let here = body.interview.as_ref().map(|of| subject::absolute(of, &row.connection).external);
            if here != Some(subject::absolute(&found.body.interview, &found.row.connection).external) {
                return Err(InterviewError::bad("environment_event", "an event of the same interview"));
            }
            counted(shelf, &found.row, "environment event").await?;
            causes.push(author::cause(&found.row));
            Some(subject::to(&found.row))
        }
    };
    let mut made = DimensionScore::new(score);
    made.interview = body.interview.as_ref().map(|of| subject::absolute(of, &row.connection));
    made.assessment = body.assessment.as_ref().map(|of| subject::absolute(of, &row.connection));
    made.competency = body.competency.as_ref().map(|of| subject::absolute(of, &row.connection));
    made.dimension = body.dimension.clone();
    made.weight_used = body.weight_used.clone();
    made.profile_version = body.profile_version;
    made.scored_by = Some(ScoredBy { person: Some(ask.person.clone()), ..ScoredBy::new(ScorerKind::Human) });
    made.adjusts = Some(subject::to(&row));
    made.adjust_reason =
        Some(AdjustReason { environment_event: event, text: Some(Localized::und(ask.reason.as_str())) });
    let name = match ask.environment_event {
        Some(event) => format!("correction/{id}/{event}"),
        None => format!("correction/{id}/{now_ms}"),
    };
    write(store, tenant, author::record(name, &made, causes)?, now_ms).await
}

/// What a stranger says of an interview is neither corrected nor a reason to correct.
async fn counted(shelf: Shelf<'_>, row: &RecordRow, what: &str) -> Result<(), InterviewError> {
    for parent in subject::parents(shelf.store, shelf.tenant, row).await? {
        if parent.entity == "interview" && !shelf.sources.counts(&parent, &row.connection) {
            return Err(InterviewError::Refused(format!(
                "this {what} came through connection `{}`, which does not count for interviews of `{}`: list it in \
                 `[interview] sources` if it should",
                row.connection, parent.connection
            )));
        }
    }
    Ok(())
}

fn check(person: &str, reason: &str) -> Result<(), InterviewError> {
    for (field, text, max) in [("person", person, PERSON_CHARS_MAX), ("reason", reason, REASON_CHARS_MAX)] {
        let chars = text.chars().count();
        if text.trim().is_empty() || chars > max {
            return Err(InterviewError::bad(field, format!("a text of 1 to {max} characters")));
        }
    }
    Ok(())
}

async fn write(
    store: &dyn Store,
    tenant: &TenantId,
    record: renmen_store::AuthoredRecord,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    let mut commit = AuthoredCommit::of(tenant.clone(), author::stream(STREAM), now_ms);
    commit.records.push(record);
    let done = store.author(commit).await?;
    let id = done.ids.first().copied().ok_or_else(|| InterviewError::Fault("nothing was written".into()))?;
    store.record(tenant, id).await?.ok_or_else(|| InterviewError::Fault("what was written is gone".into()))
}
