//! What a person who decides is shown: who was judged and for what, by which scores, against which line, what was
//! corrected since, and which decision came before.
//!
//! Read for one decision at a time, when a person opens its page. Only scores that count for the interview are shown
//! ([`crate::Sources`]): a stranger cannot put a score in front of the person who decides.

use std::collections::BTreeMap;

use renmen_schema::Entity;
use renmen_schema::code::{DeciderKind, DecisionStatus, PassDecision};
use renmen_schema::entity::{Application, Candidate, Competency, Decider, Decision, DimensionScore, Interview, Job};
use renmen_schema::id::{ConnectionName, RecordId};
use renmen_schema::types::{Decimal, Localized, Ref};
use renmen_store::{Parent, StoreError};

use super::series::Series;
use crate::children::Shelf;
use crate::dossier::{Read, find};
use crate::{InterviewError, author, subject};

/// Dimensions that are shown.
const DIMENSIONS_MAX: usize = 50;

/// What was judged, and how the decision on it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    /// The candidate's name; none while it is not here.
    pub candidate: Option<String>,
    /// The position; none while it is not here.
    pub position: Option<Localized>,
    /// The score in per cent of its scale, corrections counted in; none where the result has no overall score.
    pub score: Option<Decimal>,
    /// The pass line of the rule, in per cent.
    pub pass: Option<Decimal>,
    /// The band whose scores a person decides on: from, and below.
    pub border: Option<(Decimal, Decimal)>,
    /// What the rule said: none where it left it to a person.
    pub rule_passes: Option<bool>,
    /// Why a person must decide, or why a person decided so.
    pub reason: Option<Localized>,
    /// The same in codes.
    pub reasons: Vec<&'static str>,
    /// How it stands.
    pub stands: Stands,
    /// Who opened it again, where a person did.
    pub opened_by: Option<String>,
    /// The scores that the result was made of.
    pub dimensions: Vec<Dimension>,
    /// True: there are more of them than are shown.
    pub more_dimensions: bool,
    /// The decision before this one on the same result.
    pub before: Option<Before>,
}

/// How a decision stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stands {
    /// It waits for a person.
    Open,
    /// It was made.
    Made(Made),
    /// Another one took its place.
    Superseded,
}

/// A verdict, and who made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// Does it pass?
    pub passes: bool,
    /// Who decided.
    pub by: By,
    /// When, in milliseconds since the epoch.
    pub at_ms: Option<i64>,
}

/// Who decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// A rule.
    Rule,
    /// A person of this name.
    Person(String),
}

/// The score of one dimension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dimension {
    /// Its name; none for a competency that is not here.
    pub name: Option<Localized>,
    /// The score as it was given.
    pub value: Decimal,
    /// The highest of its scale.
    pub max: Decimal,
    /// How much it counted, in basis points.
    pub weight_bp: Option<u16>,
    /// The correction in force.
    pub corrected: Option<JudgedCorrection>,
}

/// What a person made of a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JudgedCorrection {
    /// The score as it should have been.
    pub value: Decimal,
    /// Who corrected it.
    pub by: Option<String>,
    /// Why they corrected it.
    pub reason: Option<Localized>,
}

/// The decision before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Before {
    /// The score that it used.
    pub score: Option<Decimal>,
    /// What was decided; none where no one had decided.
    pub made: Option<Made>,
}

/// What a person who decides on this is shown.
pub(crate) async fn judged(shelf: Shelf<'_>, id: RecordId) -> Result<Judged, InterviewError> {
    let found = shelf.store.record(shelf.tenant, id).await?.and_then(Read::<Decision>::of);
    let found = found.filter(|found| found.row.connection == author::built_in());
    let Read { row, body } = found.ok_or(InterviewError::NotFound("decision"))?;
    let (candidate, position) = whom(shelf, &body, &row.connection).await?;
    let (dimensions, more_dimensions) = dimensions(shelf, &body, &row.connection).await?;
    let stands = match body.status {
        DecisionStatus::Superseded => Stands::Superseded,
        _ if is_taken_over(shelf, &row.external_id).await? => Stands::Superseded,
        _ => made(&body).map_or(Stands::Open, Stands::Made),
    };
    Ok(Judged {
        candidate,
        position,
        score: body.score,
        pass: body.rule.threshold,
        border: body.border.as_ref().map(|border| (border.from, border.below)),
        rule_passes: passes(body.rule.decision),
        reasons: body.reasons.iter().map(|reason| reason.code.as_str()).collect(),
        stands,
        opened_by: body.opened_by.as_ref().and_then(|by| by.person.clone()),
        dimensions,
        more_dimensions,
        before: before(shelf, &body, &row.connection).await?,
        reason: body.reason,
    })
}

/// Is there a later one, though this one does not say so? A decision that a person made stands while it is reviewed.
async fn is_taken_over(shelf: Shelf<'_>, external_id: &str) -> Result<bool, StoreError> {
    let Some((series, number)) = Series::of(external_id) else { return Ok(false) };
    Ok(series.get::<Decision>(shelf.store, shelf.tenant, number + 1).await?.is_some())
}

fn passes(decision: PassDecision) -> Option<bool> {
    match decision {
        PassDecision::Pass => Some(true),
        PassDecision::Fail => Some(false),
        _ => None,
    }
}

fn made(decision: &Decision) -> Option<Made> {
    let by = match decision.decided_by.as_ref()? {
        Decider { kind: DeciderKind::Person, person, .. } => By::Person(person.clone().unwrap_or_default()),
        _ => By::Rule,
    };
    let at_ms = decision.decided_at.as_ref().map(|at| at.epoch_ms());
    Some(Made { passes: passes(decision.outcome)?, by, at_ms })
}

async fn before(
    shelf: Shelf<'_>,
    decision: &Decision,
    from: &ConnectionName,
) -> Result<Option<Before>, InterviewError> {
    let Some(reference) = &decision.supersedes else { return Ok(None) };
    let before = follow(shelf, reference, from).await?;
    Ok(before.map(|before| Before { score: before.body.score, made: made(&before.body) }))
}

/// The candidate's name and the position's.
async fn whom(
    shelf: Shelf<'_>,
    decision: &Decision,
    from: &ConnectionName,
) -> Result<(Option<String>, Option<Localized>), InterviewError> {
    let interview: Option<Read<Interview>> = follow(shelf, &decision.interview, from).await?;
    let application: Option<Read<Application>> = match (&decision.application, &interview) {
        (Some(application), _) => follow(shelf, application, from).await?,
        (None, Some(interview)) => follow(shelf, &interview.body.application, &interview.row.connection).await?,
        (None, None) => None,
    };
    let Some(Read { row, body }) = application else { return Ok((None, None)) };
    let candidate: Option<Read<Candidate>> = follow(shelf, &body.candidate, &row.connection).await?;
    let name = candidate.and_then(|read| read.body.person.names).map(|names| names.formatted);
    let job: Option<Read<Job>> = follow(shelf, &body.job, &row.connection).await?;
    let title = job.map(|read| read.body.title);
    let own = match interview.as_ref().and_then(|read| Some((read.body.job.as_ref()?, &read.row.connection))) {
        Some((job, from)) if title.is_none() => follow::<Job>(shelf, job, from).await?.map(|read| read.body.title),
        _ => None,
    };
    Ok((name, title.or(own)))
}

/// The scores of the interview through the connections that count, each with the last correction of it.
async fn dimensions(
    shelf: Shelf<'_>,
    decision: &Decision,
    from: &ConnectionName,
) -> Result<(Vec<Dimension>, bool), InterviewError> {
    let Some(key) = key_of(shelf, &decision.interview, from).await? else { return Ok((Vec::new(), false)) };
    let mut scores: Vec<Read<DimensionScore>> = Vec::new();
    let mut more = false;
    let all = shelf.each(&key, shelf.sources.of(&key), &["dimension_score"], |row| {
        more = scores.len() >= DIMENSIONS_MAX;
        if !more {
            scores.extend(Read::of(row));
        }
        !more
    });
    more |= !all.await?;
    let corrections = corrections(shelf, &key).await?;
    let mut shown = Vec::with_capacity(scores.len());
    for Read { row, body } in scores {
        let name = match (&body.dimension, &body.competency) {
            (Some(name), _) => Some(name.clone()),
            (None, Some(competency)) => {
                follow::<Competency>(shelf, competency, &row.connection).await?.map(|read| read.body.name)
            }
            (None, None) => None,
        };
        shown.push(Dimension {
            name,
            value: body.score.value,
            max: body.score.max,
            weight_bp: body.weight_used.as_ref().map(|weight| weight.bp),
            corrected: corrections.get(&row.id).cloned(),
        });
    }
    Ok((shown, more))
}

/// The last correction of each score, wherever in a chain of them it stands.
async fn corrections(shelf: Shelf<'_>, key: &Parent) -> Result<BTreeMap<RecordId, JudgedCorrection>, InterviewError> {
    let mut all: Vec<Read<DimensionScore>> = Vec::new();
    let whole = shelf.each(key, vec![author::built_in()], &["dimension_score"], |row| {
        all.extend(Read::of(row));
        true
    });
    whole.await?;
    all.sort_by_key(super::score::order);
    let mut first_of: BTreeMap<RecordId, RecordId> = BTreeMap::new();
    let mut last = BTreeMap::new();
    for Read { row, body } in all {
        let Some(adjusts) = body.adjusts.as_ref().and_then(|of| of.id) else { continue };
        let original = first_of.get(&adjusts).copied().unwrap_or(adjusts);
        first_of.insert(row.id, original);
        let made = JudgedCorrection {
            value: body.score.value,
            by: body.scored_by.and_then(|by| by.person),
            reason: body.adjust_reason.and_then(|why| why.text),
        };
        last.insert(original, made);
    }
    Ok(last)
}

/// The live record that a reference means.
async fn follow<E: Entity>(
    shelf: Shelf<'_>,
    reference: &Ref<E>,
    from: &ConnectionName,
) -> Result<Option<Read<E>>, StoreError> {
    if let Some(id) = reference.id {
        return Ok(shelf.store.record(shelf.tenant, id).await?.and_then(Read::of));
    }
    match external(reference, from) {
        Some(key) => find(shelf.store, shelf.tenant, &key).await,
        None => Ok(None),
    }
}

async fn key_of<E: Entity>(
    shelf: Shelf<'_>,
    reference: &Ref<E>,
    from: &ConnectionName,
) -> Result<Option<Parent>, StoreError> {
    match external(reference, from) {
        Some(key) => Ok(Some(key)),
        None => Ok(follow(shelf, reference, from).await?.map(|read| subject::key_of(&read.row))),
    }
}

/// The key that a reference carries.
fn external<E: Entity>(reference: &Ref<E>, from: &ConnectionName) -> Option<Parent> {
    let external = reference.external.as_ref()?;
    Some(Parent {
        connection: external.connection.clone().unwrap_or_else(|| from.clone()),
        entity: E::KIND.name().to_owned(),
        external_id: external.value.clone(),
    })
}
