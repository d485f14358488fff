//! Interviews that nobody decided in time: told once, by a message that a flow carries to whoever decides.

use renmen_schema::code::{DecisionStatus, NodeCode, NotificationChannel, NotificationStatus};
use renmen_schema::entity::{Notification, NotificationDue};
use renmen_schema::types::Coded;

use super::{Bounds, is_history};
use crate::dossier::Dossier;
use crate::plan::Plan;
use crate::{InterviewError, author};

/// The kind of the message.
pub(crate) const UNDECIDED: &str = "interview_undecided";

/// Tells of an interview that is over and has no decision, when its time has come.
pub(super) fn plan(plan: &mut Plan, dossier: &Dossier, bounds: Bounds, now_ms: i64) -> Result<(), InterviewError> {
    let ended_ms = dossier.ended_ms().filter(|ended_ms| dossier.is_over() && *ended_ms >= bounds.since_ms);
    let Some(ended_ms) = ended_ms else { return Ok(()) };
    let history = |result| is_history(dossier, result, bounds.since_ms);
    if !dossier.results.is_empty() && dossier.results.iter().all(history) {
        return Ok(());
    }
    if dossier.decisions.iter().any(|decision| decision.body.status == DecisionStatus::Decided) {
        return Ok(());
    }
    let due_ms = ended_ms.saturating_add(bounds.within_ms);
    if now_ms < due_ms {
        plan.look_at(due_ms);
        return Ok(());
    }
    let name = name(dossier, ended_ms);
    if now_ms - due_ms > bounds.catch_up_ms || dossier.written.messages.contains_key(&name) {
        return Ok(());
    }
    let status = Coded::new(NotificationStatus::Scheduled);
    let mut told = Notification::new(UNDECIDED.to_owned(), Coded::new(NotificationChannel::Email), status);
    told.interview = Some(author::reference(
        &dossier.key.connection,
        &dossier.key.external_id,
        dossier.interview.as_ref().map(|read| read.row.id),
    ));
    let offset_s = bounds.within_ms / 1_000;
    told.due =
        Some(NotificationDue { relative_to: Some(Coded::new(NodeCode::Completed)), ..NotificationDue::new(offset_s) });
    plan.create(name, &told, dossier.interview.iter().map(|read| author::cause(&read.row)).collect())?;
    metrics::counter!("renmen_interview_undecided_total").increment(1);
    Ok(())
}

/// The ids under which this is written of an interview as it stands.
pub(crate) fn names(dossier: &Dossier) -> Vec<String> {
    dossier.ended_ms().map(|ended_ms| name(dossier, ended_ms)).into_iter().collect()
}

fn name(dossier: &Dossier, ended_ms: i64) -> String {
    format!("undecided/{}/{ended_ms}", dossier.name())
}
