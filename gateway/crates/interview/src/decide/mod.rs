//! Decisions on results (R35, R36), and what becomes of them when a score is corrected (R21).
//!
//! `rule` chooses and applies; `score` counts corrections in; [`plan`] compares what was decided with what would be decided now;
//! `person` is where people come in.

mod person;
mod rule;
mod score;

pub use person::{CorrectionAsk, DecisionAsk, PersonVerdict};
pub(crate) use person::{correct, decide};
pub use rule::RuleSpec;
pub(crate) use rule::{RuleBook, publish};

use renmen_schema::code::{DeciderKind, DecisionStatus, PassDecision};
use renmen_schema::entity::{Decider, Decision, DecisionInput, InterviewResult, PassRule};
use renmen_schema::types::Localized;
use renmen_store::{Cause, RecordRow};

use crate::dossier::{Dossier, Read};
use crate::plan::Plan;
use crate::{InterviewError, author, subject};
use rule::{Chosen, Decides as _};
use score::Effective;

/// What is to be decided on an interview's results now.
pub(crate) fn plan(dossier: &Dossier, rules: &RuleBook, now_ms: i64) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    for result in &dossier.results {
        let Some(effective) = score::effective(dossier, result) else { continue };
        let decided = decisions_on(dossier, result);
        if decided.last().is_some_and(|last| rests_on(&last.body, &effective.inputs)) {
            continue;
        }
        let Some(chosen) = rules.choose(dossier) else {
            tracing::debug!(result = %result.row.id, "No rule is for this result's position: nothing is decided");
            continue;
        };
        let number = decided.len() + 1;
        let decision = decision(dossier, result, &effective, &chosen, decided.last().copied(), now_ms)?;
        let mut causes: Vec<Cause> = effective.inputs.iter().map(|row| author::cause(row)).collect();
        causes.push(Cause { record: chosen.record, revision: chosen.revision });
        causes.extend(decided.last().map(|last| author::cause(&last.row)));
        plan.create(format!("{}/{number}", result.row.id), &decision, causes)?;
        metrics::counter!("renmen_decisions_total", "outcome" => decision.outcome.as_str()).increment(1);
    }
    Ok(plan)
}

/// The decisions on a result, the first first.
fn decisions_on<'a>(dossier: &'a Dossier, result: &Read<InterviewResult>) -> Vec<&'a Read<Decision>> {
    let mut found: Vec<_> =
        dossier.decisions.iter().filter(|decision| decision.body.result.id == Some(result.row.id)).collect();
    found.sort_by_key(|decision| number(&decision.row));
    found
}

/// The number of a decision among those on its result: the end of its id.
fn number(decision: &RecordRow) -> u64 {
    decision.external_id.rsplit('/').next().and_then(|number| number.parse().ok()).unwrap_or(0)
}

/// Was it made from these very revisions? A rule that changed since does not decide again on what was decided.
fn rests_on(decision: &Decision, inputs: &[&RecordRow]) -> bool {
    let before: Vec<_> = decision.inputs.iter().filter(|input| input.entity != "decision_rule").collect();
    before.len() == inputs.len()
        && inputs.iter().all(|row| {
            before.iter().any(|input| input.record == row.id && i64::try_from(input.revision) == Ok(row.revision))
        })
}

fn decision(
    dossier: &Dossier,
    result: &Read<InterviewResult>,
    effective: &Effective<'_>,
    chosen: &Chosen<'_>,
    before: Option<&Read<Decision>>,
    now_ms: i64,
) -> Result<Decision, InterviewError> {
    let said = chosen.rule.decide(effective.percent);
    let (outcome, reason) = if !effective.certain {
        (PassDecision::Review, Some(reason("A corrected score has no weight", "被更正的评分没有权重")))
    } else if before.is_some_and(|before| is_by_person(&before.body)) {
        let why = reason("The score was corrected after a person decided", "人工决定之后评分被更正");
        (PassDecision::Review, Some(why))
    } else if said == PassDecision::Review {
        (said, Some(reason("The score is in the border band", "得分处于边界区间")))
    } else {
        (said, None)
    };
    let open = outcome == PassDecision::Review;
    let rule = PassRule {
        version: u32::try_from(chosen.revision).ok(),
        threshold: Some(chosen.rule.pass),
        ..PassRule::new(chosen.rule.name.clone(), said)
    };
    let status = if open { DecisionStatus::AwaitingPerson } else { DecisionStatus::Decided };
    let interview = author::reference(
        &dossier.key.connection,
        &dossier.key.external_id,
        dossier.interview.as_ref().map(|interview| interview.row.id),
    );
    let mut made = Decision::new(interview, subject::to(&result.row), outcome, status, rule, effective.percent);
    made.application = match (&dossier.application, &dossier.interview) {
        (Some(application), _) => Some(subject::to(&application.row)),
        // Named, and not here yet.
        (None, Some(read)) => Some(subject::absolute(&read.body.application, &read.row.connection)),
        (None, None) => None,
    };
    made.border = chosen.rule.border.clone();
    made.corrections = effective.corrections.iter().map(|row| subject::to(row)).collect();
    if !open {
        made.decided_by = Some(Decider::new(DeciderKind::Rule));
        made.decided_at = Some(author::instant(now_ms)?);
    }
    made.reason = reason;
    made.inputs = effective.inputs.iter().map(|row| input(&row.entity, row.id, row.revision)).collect();
    made.inputs.push(input("decision_rule", chosen.record, chosen.revision));
    made.supersedes = before.map(|before| subject::to(&before.row));
    Ok(made)
}

fn is_by_person(decision: &Decision) -> bool {
    decision.decided_by.as_ref().is_some_and(|by| by.kind == DeciderKind::Person)
}

fn input(entity: &str, record: renmen_schema::id::RecordId, revision: i64) -> DecisionInput {
    DecisionInput::new(entity.to_owned(), record, u64::try_from(revision).unwrap_or(0))
}

/// Why a person must decide, in both languages.
fn reason(en: &str, zh: &str) -> Localized {
    let en_only = Localized::und(en);
    Localized::of("en", en).and_then(|text| text.with("zh-CN", zh)).unwrap_or(en_only)
}
