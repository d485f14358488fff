//! Did the candidate get their feedback in time? The message is asked for when there is a result; lateness is written down.

use renmen_schema::code::{InterviewStatus, NodeCode, NotificationStatus};
use renmen_schema::entity::{Notification, NotificationAttempt};
use renmen_schema::types::Coded;

use super::{WatchOptions, causes, is_recent, node, notification};
use crate::dossier::{Dossier, Read};
use crate::plan::Plan;
use crate::{InterviewError, author};

pub(super) fn plan(dossier: &Dossier, options: &WatchOptions, now_ms: i64) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let Some(completed_ms) = completed(dossier) else { return Ok(plan) };
    let due_ms = completed_ms + options.feedback_within_ms;
    if !is_recent(due_ms, options, now_ms) {
        return Ok(plan);
    }
    let name = name(dossier, completed_ms);
    let delivered_ms = delivered(dossier);
    let message = dossier.written.messages.get(&name);
    match (message, delivered_ms) {
        (None, _) if dossier.results.is_empty() => {}
        (None, delivered_ms) => {
            let mut message = notification(dossier, "interview_feedback", (NodeCode::Completed, 0), options);
            message.deadline = Some(author::instant(due_ms)?);
            if let Some(at_ms) = delivered_ms {
                deliver(&mut message, at_ms)?;
            }
            plan.create(name.clone(), &message, causes(dossier))?;
        }
        (Some(message), Some(at_ms)) => note_delivery(&mut plan, message, at_ms)?,
        (Some(_), None) => {}
    }
    lateness(&mut plan, dossier, (due_ms, delivered_ms, now_ms), &name)?;
    Ok(plan)
}

/// The id under which this is written of an interview as it stands.
pub(super) fn names(dossier: &Dossier) -> Vec<String> {
    completed(dossier).map(|completed_ms| name(dossier, completed_ms)).into_iter().collect()
}

fn name(dossier: &Dossier, completed_ms: i64) -> String {
    format!("feedback/{}/{completed_ms}", dossier.name())
}

/// Late is what was delivered after its time, or is not delivered when its time has come.
fn lateness(
    plan: &mut Plan,
    dossier: &Dossier,
    (due_ms, delivered_ms, now_ms): (i64, Option<i64>, i64),
    name: &str,
) -> Result<(), InterviewError> {
    let late_by = match delivered_ms {
        Some(at_ms) if at_ms <= due_ms => return Ok(()),
        Some(at_ms) => Some(at_ms - due_ms),
        None if now_ms < due_ms => {
            plan.look_at(due_ms);
            return Ok(());
        }
        None => None,
    };
    let known = dossier.written.nodes.get(name);
    let mut late = node(dossier, NodeCode::FeedbackLate, due_ms)?;
    // By how much is known once it was delivered; until then the step says that it was due.
    let wait_ms = late_by.and_then(|ms| u64::try_from(ms).ok());
    late.attrs = wait_ms.map(|wait_ms| {
        let mut attrs = renmen_schema::entity::NodeAttributes::new();
        attrs.wait_ms = Some(wait_ms);
        attrs
    });
    match known {
        None => {
            plan.create(name, &late, causes(dossier))?;
            metrics::counter!("renmen_interview_feedback_late_total").increment(1);
        }
        Some(known) if known.body.attrs.is_none() && late.attrs.is_some() => {
            let mut record = author::record(name, &late, causes(dossier))?;
            record.expect = Some(known.row.revision);
            plan.records.push(record);
        }
        Some(_) => {}
    }
    Ok(())
}

fn note_delivery(plan: &mut Plan, message: &Read<Notification>, at_ms: i64) -> Result<(), InterviewError> {
    if message.body.status.code == NotificationStatus::Delivered {
        return Ok(());
    }
    let mut body = message.body.clone();
    deliver(&mut body, at_ms)?;
    let mut record = author::record(message.row.external_id.as_str(), &body, vec![author::cause(&message.row)])?;
    record.expect = Some(message.row.revision);
    plan.records.push(record);
    Ok(())
}

fn deliver(message: &mut Notification, at_ms: i64) -> Result<(), InterviewError> {
    let delivered = Coded::new(NotificationStatus::Delivered);
    message.attempts.push(NotificationAttempt::new(author::instant(at_ms)?, delivered.clone()));
    message.status = delivered;
    Ok(())
}

fn completed(dossier: &Dossier) -> Option<i64> {
    dossier.steps.first_ms(NodeCode::Completed).or_else(|| {
        let interview = &dossier.interview.as_ref()?.body;
        let over = interview.status.code == InterviewStatus::Completed;
        interview.end.as_ref().filter(|_| over).map(|end| end.utc.epoch_ms())
    })
}

fn delivered(dossier: &Dossier) -> Option<i64> {
    let results = dossier.results.iter().filter_map(|result| result.body.delivered_to_candidate_at);
    results.map(renmen_schema::types::Instant::epoch_ms).chain(dossier.steps.first_ms(NodeCode::FeedbackSent)).min()
}
