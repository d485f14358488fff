//! Decisions on results, and what becomes of them when what was judged changes.
//!
//! `book` has the rules in force, `rule` chooses and applies; `score` says what is judged; [`plan`] compares what was
//! judged with what would be judged now; `person` and `correct` are where people come in, `judged` is what they are
//! shown; `overdue` tells of decisions that were not made in time.
//!
//! What a person decided or corrected is never undone by a vendor: where a vendor changes a score after it, the
//! decision stands and a review is opened that says what changed.

mod book;
mod correct;
mod judged;
mod overdue;
mod person;
mod rule;
mod score;
mod series;

pub(crate) use book::RuleBook;
pub use book::RuleUse;
pub use correct::CorrectionAsk;
pub(crate) use correct::correct;
pub(crate) use judged::judged;
pub use judged::{Before, By, Dimension, Judged, JudgedCorrection, Made, Stands};
pub(crate) use overdue::plan as tell_overdue;
pub use person::{DecisionAsk, PersonVerdict, ReopenAsk};
pub(crate) use person::{PERSON_CHARS_MAX, decide, overrule, reopen};
pub use rule::RuleSpec;
pub(crate) use rule::publish;

use renmen_schema::code::{DeciderKind, DecisionStatus, PassDecision};
use renmen_schema::entity::{Decider, Decision, DecisionInput, InterviewResult, PassRule};
use renmen_schema::types::{Decimal, Localized};
use renmen_store::{AuthoredRecord, Cause};

use crate::dossier::{Dossier, Read};
use crate::plan::Plan;
use crate::{InterviewError, author, subject};
use rule::{Chosen, Decides as _};
use score::Basis;
use series::Series;

/// What the decisions of an interview go by, besides the rules.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// What ended before this was there when the gateway came, and is left alone. Milliseconds.
    pub(crate) since_ms: i64,
    /// An interview that is not decided this long after its end is told of. Milliseconds.
    pub(crate) within_ms: i64,
    /// What fell due longer ago than this is not told of any more. Milliseconds.
    pub(crate) catch_up_ms: i64,
}

/// What is to be decided on an interview's results now.
pub(crate) fn plan(dossier: &Dossier, rules: &RuleBook, bounds: Bounds, now_ms: i64) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    if rules.is_empty() {
        return Ok(plan);
    }
    for result in &dossier.results {
        let decided = decisions_on(dossier, result);
        let judged = score::basis(dossier, result);
        if decided.last().is_some_and(|last| rests_on(&last.body, &judged)) {
            continue;
        }
        if decided.is_empty() && is_history(dossier, result, bounds.since_ms) {
            continue;
        }
        if judged.percent.is_none() && !dossier.is_over() {
            // More may come: a score is asked for when the interview is over.
            continue;
        }
        let Some(chosen) = rules.choose(dossier) else {
            tracing::debug!(result = %result.row.id, "No rule covers this result's position: nothing is decided");
            continue;
        };
        plan.decides |= decide_again(&mut plan, dossier, result, &judged, &chosen, &decided, now_ms)?;
    }
    Ok(plan)
}

/// Was it over before the gateway came?
pub(super) fn is_history(dossier: &Dossier, result: &Read<InterviewResult>, since_ms: i64) -> bool {
    let said = result.body.completed_at.map(renmen_schema::types::Instant::epoch_ms);
    let ended_ms = said.or_else(|| dossier.ended_ms()).or(result.row.source_updated_at_ms);
    ended_ms.is_some_and(|ended_ms| ended_ms < since_ms)
}

/// One more decision, with what becomes of those before. False: it awaits a person.
fn decide_again(
    plan: &mut Plan,
    dossier: &Dossier,
    result: &Read<InterviewResult>,
    judged: &Basis<'_>,
    chosen: &Chosen,
    decided: &[&Read<Decision>],
    now_ms: i64,
) -> Result<bool, InterviewError> {
    let last = decided.last().copied();
    let reopened = last.and_then(|last| last.body.opened_by.clone().filter(|_| is_open(&last.body)));
    let by_person = decided.iter().copied().rev().find(|decision| stands_by_person(&decision.body));
    let name = format!("{}/{}", result.row.id, decided.len() + 1);
    let (outcome, reason) = outcome(chosen, judged, last, by_person);
    let mut made = decision(dossier, result, judged, chosen, outcome);
    made.reason = reason;
    made.opened_by = reopened;
    if made.status == DecisionStatus::Decided {
        made.decided_by = Some(Decider::new(DeciderKind::Rule));
        made.decided_at = Some(author::instant(now_ms)?);
    }
    // What a person decided stands until a person has decided again: then that is what is superseded.
    made.supersedes = by_person.or(last).map(|before| subject::to(&before.row));
    let mut causes: Vec<Cause> = judged.inputs.iter().map(|input| author::cause(input.row)).collect();
    causes.push(Cause { record: chosen.record, revision: chosen.revision });
    causes.extend(last.map(|last| author::cause(&last.row)));
    plan.create(name.clone(), &made, causes)?;
    if let Some(last) = last.filter(|last| !stands_by_person(&last.body)) {
        plan.records.push(superseded(last, &name, vec![author::cause(&result.row)])?);
    }
    metrics::counter!("renmen_decisions_total", "outcome" => made.outcome.as_str()).increment(1);
    Ok(made.status == DecisionStatus::Decided)
}

/// Marks a decision as superseded by another one, the one with this id; refused when someone else changed it in the
/// meantime.
fn superseded(before: &Read<Decision>, by: &str, causes: Vec<Cause>) -> Result<AuthoredRecord, InterviewError> {
    let mut body = before.body.clone();
    body.status = DecisionStatus::Superseded;
    body.superseded_by = Some(author::reference(&author::built_in(), by, None));
    author::revised(&before.row, &body, causes)
}

fn is_open(decision: &Decision) -> bool {
    decision.status == DecisionStatus::AwaitingPerson
}

/// Made by a person, and in force.
fn stands_by_person(decision: &Decision) -> bool {
    let by_person = decision.decided_by.as_ref().is_some_and(|by| by.kind == DeciderKind::Person);
    by_person && decision.status == DecisionStatus::Decided
}

/// The decisions on a result, the first first.
fn decisions_on<'a>(dossier: &'a Dossier, result: &Read<InterviewResult>) -> Vec<&'a Read<Decision>> {
    let mut found: Vec<_> =
        dossier.decisions.iter().filter(|decision| decision.body.result.id == Some(result.row.id)).collect();
    found.sort_by_key(|decision| Series::number(&decision.row.external_id));
    found
}

/// What a decision was made from, without the rule: a rule that changes does not decide again on what was decided.
fn inputs(decision: &Decision) -> impl Iterator<Item = &DecisionInput> {
    decision.inputs.iter().filter(|input| input.entity != "decision_rule")
}

/// Was the decision made from these very values?
fn rests_on(decision: &Decision, judged: &Basis<'_>) -> bool {
    inputs(decision).count() == judged.inputs.len()
        && judged.inputs.iter().zip(inputs(decision)).all(|(input, before)| input.is(before))
}

/// Did the vendor change a value that the decision was made from?
fn vendor_changed(decision: &Decision, judged: &Basis<'_>) -> bool {
    judged.inputs.iter().filter(|input| input.of_vendor).any(|input| {
        let known = inputs(decision).find(|before| before.record == input.row.id);
        known.is_some_and(|before| !input.is(before))
    })
}

/// What comes out, and why where that is for a person.
fn outcome(
    chosen: &Chosen,
    judged: &Basis<'_>,
    last: Option<&Read<Decision>>,
    by_person: Option<&Read<Decision>>,
) -> (PassDecision, Option<Localized>) {
    let review = |why| (PassDecision::Review, Some(why));
    let Some(percent) = judged.percent else {
        return review(reason("The result has no overall score", "结果没有总分"));
    };
    if !judged.certain {
        return review(reason("A corrected score has no weight", "被更正的评分没有权重"));
    }
    if let Some(before) = by_person {
        return review(changed_since("after a person decided", "人工决定之后", before.body.score, percent));
    }
    let last = last.map(|last| &last.body);
    if let Some(open) = last.filter(|last| is_open(last) && last.opened_by.is_some()) {
        return review(changed_since(
            "after a person opened the decision again",
            "人工重新打开决定之后",
            open.score,
            percent,
        ));
    }
    if !judged.corrections.is_empty() && last.is_some_and(|last| vendor_changed(last, judged) || is_forced(last)) {
        let before = last.and_then(|last| last.score);
        return review(changed_since("after a person corrected one", "人工更正之后", before, percent));
    }
    match chosen.rule.decide(percent) {
        PassDecision::Review => review(reason("The score is in the border band", "得分处于边界区间")),
        said => (said, None),
    }
}

/// A review that the rule itself would not have asked for: it stays one until a person decides.
fn is_forced(decision: &Decision) -> bool {
    is_open(decision) && decision.rule.decision != PassDecision::Review && !decision.corrections.is_empty()
}

fn decision(
    dossier: &Dossier,
    result: &Read<InterviewResult>,
    judged: &Basis<'_>,
    chosen: &Chosen,
    outcome: PassDecision,
) -> Decision {
    let said = judged.percent.map_or(PassDecision::Review, |percent| chosen.rule.decide(percent));
    let rule = PassRule {
        version: u32::try_from(chosen.revision).ok(),
        threshold: Some(chosen.rule.pass),
        ..PassRule::new(chosen.rule.name.clone(), said)
    };
    let open = outcome == PassDecision::Review;
    let status = if open { DecisionStatus::AwaitingPerson } else { DecisionStatus::Decided };
    let interview = author::reference(
        &dossier.key.connection,
        &dossier.key.external_id,
        dossier.interview.as_ref().map(|interview| interview.row.id),
    );
    let mut made = Decision::new(interview, subject::to(&result.row), outcome, status, rule);
    made.score = judged.percent;
    made.application = match (&dossier.application, &dossier.interview) {
        (Some(application), _) => Some(subject::to(&application.row)),
        // Named, and not here yet.
        (None, Some(read)) => Some(subject::absolute(&read.body.application, &read.row.connection)),
        (None, None) => None,
    };
    made.border = chosen.rule.border.clone();
    made.corrections = judged.corrections.iter().map(|row| subject::to(row)).collect();
    made.inputs = judged.inputs.iter().map(score::Input::written).collect();
    let revision = u64::try_from(chosen.revision).unwrap_or(0);
    made.inputs.push(DecisionInput::new("decision_rule".to_owned(), chosen.record, revision));
    made
}

/// Why a person must decide, in both languages.
fn reason(en: &str, zh: &str) -> Localized {
    let en_only = Localized::und(en);
    Localized::of("en", en).and_then(|text| text.with("zh-CN", zh)).unwrap_or(en_only)
}

/// A score that changed, with both values.
fn changed_since(en: &str, zh: &str, before: Option<Decimal>, now: Decimal) -> Localized {
    match before.filter(|before| *before != now) {
        Some(before) => reason(
            &format!("The score changed from {before} to {now} {en}"),
            &format!("{zh}得分由 {before} 变为 {now}"),
        ),
        None => reason(&format!("A score changed {en}"), &format!("{zh}评分有变化")),
    }
}
