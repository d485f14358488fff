//! Did the candidate get their feedback in time? The message is asked for when there is a result; lateness is written
//! down, and taken back when it turns out that the feedback had come in time.
//!
//! Feedback counts by when it was delivered, no matter who delivered it and when we learn of it: the vendor (in its
//! result, or by a step), or a delivery of our own for the message.

use renmen_schema::code::{InterviewStatus, NodeCode, NotificationStatus};
use renmen_schema::entity::{NodeAttributes, Notification, NotificationAttempt};
use renmen_schema::types::{Coded, Instant};

use super::{Watch, rewrite, withdraw, written::Message};
use crate::plan::Plan;
use crate::standing::Standing;
use crate::{InterviewError, author};

pub(super) async fn plan(watch: &Watch<'_>) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    if watch.standing != Standing::Held {
        return Ok(plan);
    }
    let Some(completed_ms) = completed(watch).await? else { return Ok(plan) };
    let due_ms = completed_ms + watch.options.feedback_within_ms;
    if !watch.is_recent(due_ms) {
        return Ok(plan);
    }
    // One message of an interview, also when its end is corrected afterwards.
    let name = format!("feedback/{}", watch.dossier.name());
    let message = watch.written.message(&name).await?;
    let theirs = delivered_by_vendor(watch);
    let ours = message.as_ref().and_then(|message| arrived(&message.now));
    match &message {
        None if watch.dossier.results.is_empty() => {}
        None => {
            let mut made = watch.notification("interview_feedback", NodeCode::Completed, 0);
            made.deadline = Some(author::instant(due_ms)?);
            if let Some(at_ms) = theirs {
                deliver(&mut made, at_ms)?;
            }
            plan.create(name.clone(), &made, watch.causes())?;
        }
        Some(message) => note(&mut plan, message, theirs)?,
    }
    let delivered_ms = theirs.into_iter().chain(ours).min();
    lateness(&mut plan, watch, (due_ms, delivered_ms), &name).await?;
    Ok(plan)
}

/// Late is what was delivered after its time, or is not delivered when its time has come.
async fn lateness(
    plan: &mut Plan,
    watch: &Watch<'_>,
    (due_ms, delivered_ms): (i64, Option<i64>),
    name: &str,
) -> Result<(), InterviewError> {
    let late_by = match delivered_ms {
        None if watch.now_ms < due_ms => {
            plan.look_at(due_ms);
            return Ok(());
        }
        None => None,
        Some(at_ms) => Some(at_ms - due_ms),
    };
    let known = watch.written.node(name).await?;
    if late_by.is_some_and(|late_by| late_by <= 0) {
        if let Some(known) = known {
            withdraw(plan, &known, watch.causes())?;
        }
        return Ok(());
    }
    let mut late = watch.node(NodeCode::FeedbackLate, due_ms)?;
    // By how much is known once it was delivered; until then the step says that it was due.
    late.attrs = late_by.and_then(|ms| u64::try_from(ms).ok()).map(|wait_ms| {
        let mut attrs = NodeAttributes::new();
        attrs.wait_ms = Some(wait_ms);
        attrs
    });
    match known {
        None => {
            plan.create(name, &late, watch.causes())?;
            metrics::counter!("renmen_interview_feedback_late_total").increment(1);
        }
        Some(known) if known.body != late => rewrite(plan, &known, &late, watch.causes())?,
        Some(_) => {}
    }
    Ok(())
}

/// The record says what is known of its message, from our own deliveries and from the vendor.
fn note(plan: &mut Plan, message: &Message, theirs: Option<i64>) -> Result<(), InterviewError> {
    let mut now = message.now.clone();
    if let Some(at_ms) = theirs
        && now.status.code != NotificationStatus::Delivered
    {
        deliver(&mut now, at_ms)?;
    }
    if now == message.kept.body {
        return Ok(());
    }
    rewrite(plan, &message.kept, &now, vec![author::cause(&message.kept.row)])
}

fn deliver(message: &mut Notification, at_ms: i64) -> Result<(), InterviewError> {
    let delivered = Coded::new(NotificationStatus::Delivered);
    message.attempts.push(NotificationAttempt::new(author::instant(at_ms)?, delivered.clone()));
    message.status = delivered;
    Ok(())
}

/// When a message first arrived.
fn arrived(message: &Notification) -> Option<i64> {
    let arrived = message.attempts.iter().filter(|attempt| attempt.status.code == NotificationStatus::Delivered);
    arrived.map(|attempt| attempt.at.epoch_ms()).min()
}

/// When it was over: by a step, by its own times, by its result, and at last by when its status was first said.
async fn completed(watch: &Watch<'_>) -> Result<Option<i64>, InterviewError> {
    let dossier = watch.dossier;
    let told = dossier.said_ended_ms();
    if told.is_some() {
        return Ok(told);
    }
    let status = dossier.interview.as_ref().map(|read| read.body.status.code);
    if status == Some(InterviewStatus::Completed) {
        return watch.status_since_ms().await;
    }
    // A result of an interview that was never said to be over.
    let said = dossier.results.iter().map(|result| result.row.source_updated_at_ms.unwrap_or(result.row.created_at_ms));
    Ok(said.min())
}

fn delivered_by_vendor(watch: &Watch<'_>) -> Option<i64> {
    let results = watch.dossier.results.iter().filter_map(|result| result.body.delivered_to_candidate_at);
    let steps = watch.dossier.steps.first_ms(NodeCode::FeedbackSent);
    results.map(Instant::epoch_ms).chain(steps).min()
}
