//! What people do about decisions: decide where the rule may not, open a decision again, and put another verdict in its
//! place. Each with a name and a reason; asking for the same thing twice makes one decision.
//!
//! A decision that takes the place of another one, and the end of that other one, are one commit. The first one counts:
//! a person who comes second reads again, and is told which decision is in force.

use renmen_schema::code::{DeciderKind, DecisionStatus, OutcomeReason, PassDecision};
use renmen_schema::entity::{Decider, Decision};
use renmen_schema::id::RecordId;
use renmen_schema::types::{Coded, Localized};
use renmen_store::{AuthoredCommit, AuthoredRecord, RecordRow, StoreError};

use super::series::Series;
use super::superseded;
use crate::children::Shelf;
use crate::dossier::Read;
use crate::{InterviewError, author, subject};

/// Characters of a reason.
pub(super) const REASON_CHARS_MAX: usize = 2_000;
/// Characters of a person's name or id.
pub(crate) const PERSON_CHARS_MAX: usize = 200;
/// Codes of one decision.
const CODES_MAX: usize = 5;
/// How many times a decision is read again when someone else was quicker.
const TRIES: usize = 4;
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

impl PersonVerdict {
    fn outcome(self) -> PassDecision {
        match self {
            Self::Pass => PassDecision::Pass,
            Self::Fail => PassDecision::Fail,
        }
    }
}

/// A person's decision.
#[derive(Debug, Clone)]
pub struct DecisionAsk {
    /// What they say.
    pub verdict: PersonVerdict,
    /// Who they are: the name of the key or link that they came with.
    pub person: String,
    /// Why they decided so.
    pub reason: String,
    /// Why, in codes; only for a verdict that does not pass.
    pub reasons: Vec<OutcomeReason>,
}

/// A person opens a decision again.
#[derive(Debug, Clone)]
pub struct ReopenAsk {
    /// Who they are.
    pub person: String,
    /// Why they open it again.
    pub reason: Localized,
}

/// What a person may ask about a decision.
enum Ask<'a> {
    Decide(&'a DecisionAsk),
    Reopen(&'a ReopenAsk),
    Override(&'a DecisionAsk),
}

/// Decides on what awaits a person. Gives the decision as it stands then.
pub(crate) async fn decide(
    shelf: Shelf<'_>,
    id: RecordId,
    ask: &DecisionAsk,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    check_decision(ask)?;
    until_written(shelf, id, &Ask::Decide(ask), now_ms).await
}

/// Opens a decision again. Gives the open one that took its place.
pub(crate) async fn reopen(
    shelf: Shelf<'_>,
    id: RecordId,
    ask: &ReopenAsk,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    check_text("person", &ask.person, PERSON_CHARS_MAX)?;
    for (_, text) in ask.reason.iter() {
        check_text("reason", text, REASON_CHARS_MAX)?;
    }
    until_written(shelf, id, &Ask::Reopen(ask), now_ms).await
}

/// Puts another verdict in the place of one that was reached. Gives the decision that is in force then.
pub(crate) async fn overrule(
    shelf: Shelf<'_>,
    id: RecordId,
    ask: &DecisionAsk,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    check_decision(ask)?;
    until_written(shelf, id, &Ask::Override(ask), now_ms).await
}

async fn until_written(
    shelf: Shelf<'_>,
    id: RecordId,
    ask: &Ask<'_>,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    let mut last = None;
    for _ in 0..TRIES {
        match once(shelf, id, ask, now_ms).await {
            Err(InterviewError::Store(StoreError::Fenced(why))) => last = Some(why),
            other => return other,
        }
    }
    Err(StoreError::Fenced(last.unwrap_or_default()).into())
}

async fn once(shelf: Shelf<'_>, id: RecordId, ask: &Ask<'_>, now_ms: i64) -> Result<RecordRow, InterviewError> {
    let found = shelf.store.record(shelf.tenant, id).await?.and_then(Read::<Decision>::of);
    let found = found.filter(|found| found.row.connection == author::built_in());
    let found = found.ok_or(InterviewError::NotFound("decision"))?;
    let (series, number) = Series::of(&found.row.external_id)
        .ok_or_else(|| InterviewError::Fault(format!("decision {id} has an id without a number")))?;
    let newest = series.newest::<Decision>(shelf.store, shelf.tenant, number).await?;
    let (newest_number, newest) = newest.ok_or(InterviewError::NotFound("decision"))?;
    let standing = Standing { shelf, now_ms, series, found, newest_number, newest };
    if standing.newest.row.id == id {
        return standing.amend(ask).await;
    }
    // The same ask again: what it made is there already.
    let next = standing.series.get::<Decision>(shelf.store, shelf.tenant, number + 1).await?;
    match next {
        Some(next) if is_made_by(&next.body, ask) => Ok(next.row),
        _ => Err(InterviewError::Superseded { by: standing.newest.row.id }),
    }
}

/// Would this ask have made just this decision?
fn is_made_by(decision: &Decision, ask: &Ask<'_>) -> bool {
    match ask {
        Ask::Decide(_) => false,
        Ask::Reopen(ask) => {
            is_person(decision.opened_by.as_ref(), &ask.person) && decision.reason.as_ref() == Some(&ask.reason)
        }
        Ask::Override(ask) => is_verdict_of(decision, ask),
    }
}

fn is_person(by: Option<&Decider>, person: &str) -> bool {
    by.is_some_and(|by| by.kind == DeciderKind::Person && by.person.as_deref() == Some(person))
}

fn is_verdict_of(decision: &Decision, ask: &DecisionAsk) -> bool {
    decision.outcome == ask.verdict.outcome()
        && is_person(decision.decided_by.as_ref(), &ask.person)
        && decision.reason == Some(Localized::und(ask.reason.as_str()))
        && decision.reasons == coded(&ask.reasons)
}

/// The decision that was asked about, which is the newest on its result.
struct Standing<'a> {
    shelf: Shelf<'a>,
    now_ms: i64,
    series: Series,
    found: Read<Decision>,
    newest_number: u64,
    newest: Read<Decision>,
}

impl Standing<'_> {
    async fn amend(self, ask: &Ask<'_>) -> Result<RecordRow, InterviewError> {
        let status = self.found.body.status;
        match (ask, status) {
            (Ask::Decide(ask), DecisionStatus::AwaitingPerson) => self.close(ask).await,
            (Ask::Decide(ask) | Ask::Override(ask), DecisionStatus::Decided)
                if is_verdict_of(&self.found.body, ask) =>
            {
                Ok(self.found.row)
            }
            (Ask::Decide(_), DecisionStatus::Decided) => Err(InterviewError::refused(
                "this decision was made already: to change it, reopen it or override it",
                "该决定已作出：如需更改，请重新打开或推翻",
            )),
            (Ask::Reopen(ask), DecisionStatus::Decided) => self.open_again(ask).await,
            (Ask::Override(ask), DecisionStatus::Decided) if self.found.body.outcome == ask.verdict.outcome() => {
                Err(InterviewError::refused(
                    "this decision has that outcome already: there is nothing to override",
                    "该决定已是此结论，无需推翻",
                ))
            }
            (Ask::Override(ask), DecisionStatus::Decided) => self.replace(ask).await,
            (Ask::Reopen(_) | Ask::Override(_), DecisionStatus::AwaitingPerson) => {
                Err(InterviewError::refused("this decision is open: decide it", "该决定尚待作出：请直接决定"))
            }
            (_, DecisionStatus::Superseded) => Err(InterviewError::Fault(format!(
                "decision {} is superseded, and none is there that supersedes it",
                self.found.row.id
            ))),
        }
    }

    /// The open decision is made; where it is a review of one that a person made, that one ends with it.
    async fn close(self, ask: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        let mut body = self.found.body.clone();
        self.decide_by(&mut body, ask)?;
        let row = &self.found.row;
        let mut records = vec![author::revised(row, &body, vec![author::cause(row)])?];
        if let Some(before) = self.before().await? {
            records.push(superseded(&before, &row.external_id, vec![author::cause(&before.row)])?);
        }
        count("decided", body.outcome);
        self.write(records).await
    }

    /// The decision that this one reviews, where that still stands.
    async fn before(&self) -> Result<Option<Read<Decision>>, InterviewError> {
        // Not always the one before: reviews that were superseded lie between, where a vendor changed a score more than once.
        let Some(id) = self.found.body.supersedes.as_ref().and_then(|of| of.id) else { return Ok(None) };
        let before = self.shelf.store.record(self.shelf.tenant, id).await?.and_then(Read::<Decision>::of);
        Ok(before.filter(|before| before.body.status != DecisionStatus::Superseded))
    }

    async fn open_again(self, ask: &ReopenAsk) -> Result<RecordRow, InterviewError> {
        let mut body = self.next();
        body.outcome = PassDecision::Review;
        body.status = DecisionStatus::AwaitingPerson;
        body.reason = Some(ask.reason.clone());
        body.opened_by = Some(person(&ask.person));
        count("reopened", body.outcome);
        self.follow(&body).await
    }

    async fn replace(self, ask: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        let mut body = self.next();
        self.decide_by(&mut body, ask)?;
        count("overridden", body.outcome);
        self.follow(&body).await
    }

    /// The next decision on the same result, resting on the same values.
    fn next(&self) -> Decision {
        let mut body = self.newest.body.clone();
        body.decided_by = None;
        body.decided_at = None;
        body.reason = None;
        body.reasons = Vec::new();
        body.opened_by = None;
        body.superseded_by = None;
        body.supersedes = Some(subject::to(&self.newest.row));
        body
    }

    fn decide_by(&self, body: &mut Decision, ask: &DecisionAsk) -> Result<(), InterviewError> {
        body.outcome = ask.verdict.outcome();
        body.status = DecisionStatus::Decided;
        body.decided_by = Some(person(&ask.person));
        body.decided_at = Some(author::instant(self.now_ms)?);
        body.reason = Some(Localized::und(ask.reason.as_str()));
        body.reasons = coded(&ask.reasons);
        Ok(())
    }

    /// Writes the next one and ends the one before, or neither.
    async fn follow(self, body: &Decision) -> Result<RecordRow, InterviewError> {
        let next_id = self.series.id(self.newest_number + 1);
        let mut next = author::record(next_id.as_str(), body, vec![author::cause(&self.newest.row)])?;
        next.expect = Some(0);
        let before = superseded(&self.newest, &next_id, vec![author::cause(&self.newest.row)])?;
        self.write(vec![next, before]).await
    }

    async fn write(&self, records: Vec<AuthoredRecord>) -> Result<RecordRow, InterviewError> {
        write(self.shelf, records, self.now_ms).await
    }
}

fn person(name: &str) -> Decider {
    Decider { person: Some(name.to_owned()), ..Decider::new(DeciderKind::Person) }
}

fn coded(reasons: &[OutcomeReason]) -> Vec<Coded<OutcomeReason>> {
    reasons.iter().copied().map(Coded::new).collect()
}

fn count(what: &'static str, outcome: PassDecision) {
    metrics::counter!("renmen_decisions_by_person_total", "what" => what, "outcome" => outcome.as_str()).increment(1);
}

fn check_decision(ask: &DecisionAsk) -> Result<(), InterviewError> {
    check_text("person", &ask.person, PERSON_CHARS_MAX)?;
    check_text("reason", &ask.reason, REASON_CHARS_MAX)?;
    let twice = ask.reasons.iter().enumerate().any(|(at, reason)| ask.reasons[..at].contains(reason));
    if ask.reasons.len() > CODES_MAX || twice {
        return Err(InterviewError::bad(
            "reasons",
            format!("at most {CODES_MAX} codes, each once"),
            format!("最多 {CODES_MAX} 个互不重复的代码"),
        ));
    }
    if ask.verdict == PersonVerdict::Pass && !ask.reasons.is_empty() {
        return Err(InterviewError::bad(
            "reasons",
            "empty for a decision that passes: they say why a person did not",
            "空（通过的决定不填写原因代码）",
        ));
    }
    Ok(())
}

pub(super) fn check_text(field: &'static str, text: &str, max: usize) -> Result<(), InterviewError> {
    if text.trim().is_empty() || text.chars().count() > max {
        return Err(InterviewError::bad(
            field,
            format!("a text of 1 to {max} characters"),
            format!("1 到 {max} 个字符的文本"),
        ));
    }
    Ok(())
}

/// Writes records of one commit; gives the first as it stands then.
pub(super) async fn write(
    shelf: Shelf<'_>,
    records: Vec<AuthoredRecord>,
    now_ms: i64,
) -> Result<RecordRow, InterviewError> {
    let mut commit = AuthoredCommit::of(shelf.tenant.clone(), author::stream(STREAM), now_ms);
    commit.records = records;
    let done = shelf.store.author(commit).await?;
    let id = done.ids.first().copied().ok_or_else(|| InterviewError::Fault("nothing was written".into()))?;
    let row = shelf.store.record(shelf.tenant, id).await?;
    row.ok_or_else(|| InterviewError::Fault("what was written is gone".into()))
}
