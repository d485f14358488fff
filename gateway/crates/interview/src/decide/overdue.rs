//! Interviews that were not decided in time: told once, by a message that a flow carries to the people who decide.

use renmen_schema::code::{DecisionStatus, NodeCode, NotificationChannel, NotificationStatus};
use renmen_schema::entity::{Decision, Notification, NotificationDue};
use renmen_schema::types::Coded;
use renmen_store::Parent;

use super::{Bounds, is_history};
use crate::children::Shelf;
use crate::dossier::{Dossier, Read};
use crate::plan::Plan;
use crate::{InterviewError, author, subject};

/// The kind of the message.
pub(crate) const UNDECIDED: &str = "interview_undecided";

/// Tells of an interview that is over and has no decision, when its time has come.
pub(crate) async fn plan(
    plan: &mut Plan,
    shelf: Shelf<'_>,
    dossier: &Dossier,
    bounds: Bounds,
    now_ms: i64,
) -> Result<(), InterviewError> {
    let ended_ms = dossier.ended_ms().filter(|ended_ms| dossier.is_over() && *ended_ms >= bounds.since_ms);
    let Some(ended_ms) = ended_ms else { return Ok(()) };
    let history = |result| is_history(dossier, result, bounds.since_ms);
    if !dossier.results.is_empty() && dossier.results.iter().all(history) {
        return Ok(());
    }
    let is_decided = |decision: &Read<Decision>| decision.body.status == DecisionStatus::Decided;
    if plan.decides || dossier.decisions.iter().any(is_decided) {
        return Ok(());
    }
    let due_ms = ended_ms.saturating_add(bounds.within_ms);
    if now_ms < due_ms {
        plan.look_at(due_ms);
        return Ok(());
    }
    let name = format!("undecided/{}/{ended_ms}", dossier.name());
    let key = Parent { connection: author::built_in(), entity: "notification".into(), external_id: name.clone() };
    let told = subject::row(shelf.store, shelf.tenant, &key).await?.is_some();
    if told || now_ms - due_ms > bounds.catch_up_ms {
        return Ok(());
    }
    let status = Coded::new(NotificationStatus::Scheduled);
    let mut told = Notification::new(UNDECIDED.to_owned(), Coded::new(NotificationChannel::Email), status);
    told.interview = Some(author::reference(
        &dossier.key.connection,
        &dossier.key.external_id,
        dossier.interview.as_ref().map(|read| read.row.id),
    ));
    if let Some(application) = &dossier.application {
        told.application = Some(subject::to(&application.row));
        told.candidate = Some(subject::absolute(&application.body.candidate, &application.row.connection));
    }
    let offset_s = bounds.within_ms / 1_000;
    told.due =
        Some(NotificationDue { relative_to: Some(Coded::new(NodeCode::Completed)), ..NotificationDue::new(offset_s) });
    plan.create(name, &told, dossier.interview.iter().map(|read| author::cause(&read.row)).collect())?;
    metrics::counter!("renmen_interview_undecided_total").increment(1);
    Ok(())
}
