//! Is the candidate there? Reminders before, no-shows after, and who was cut off in between.

use renmen_schema::code::{InterviewStatus, NodeCode};

use super::{WatchOptions, causes, is_recent, node, nodes_of, notification};
use crate::InterviewError;
use crate::dossier::Dossier;
use crate::plan::Plan;

/// Where an interview stands, by its own status and by its steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Presence {
    /// Before.
    Awaited,
    /// Under way.
    Begun,
    /// Over, in whatever way.
    Over,
}

pub(super) fn plan(dossier: &Dossier, options: &WatchOptions, now_ms: i64) -> Result<Plan, InterviewError> {
    match presence(dossier) {
        Presence::Awaited => awaited(dossier, options, now_ms),
        Presence::Begun => begun(dossier, options, now_ms),
        Presence::Over => Ok(Plan::default()),
    }
}

fn presence(dossier: &Dossier) -> Presence {
    let status = dossier.interview.as_ref().map(|read| read.body.status.code);
    let has = |code| nodes_of(dossier, code).next().is_some();
    let over = matches!(
        status,
        Some(
            InterviewStatus::Completed
                | InterviewStatus::NoShow
                | InterviewStatus::Cancelled
                | InterviewStatus::Expired
        )
    );
    // A no-show that we found ourselves is over only until another time is agreed.
    let found = nodes_of(dossier, NodeCode::NoShow).any(|node| node.row.connection == dossier.key.connection);
    if over || found || has(NodeCode::Completed) || has(NodeCode::Cancelled) {
        Presence::Over
    } else if matches!(status, Some(InterviewStatus::InProgress | InterviewStatus::Interrupted))
        || has(NodeCode::Started)
    {
        Presence::Begun
    } else {
        Presence::Awaited
    }
}

fn awaited(dossier: &Dossier, options: &WatchOptions, now_ms: i64) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let Some(start) = dossier.interview.as_ref().and_then(|read| read.body.start.as_ref()) else { return Ok(plan) };
    let start_ms = start.utc.epoch_ms();
    let name = dossier.name();

    let remind_ms = start_ms - options.remind_before_ms;
    let remind = format!("remind/{name}/{start_ms}");
    if now_ms < remind_ms {
        plan.look_at(remind_ms);
    } else if now_ms < start_ms && !has_notification(dossier, &remind) {
        let due = (NodeCode::Started, -options.remind_before_ms / 1000);
        plan.create(remind, &notification(dossier, "interview_reminder", due, options), causes(dossier))?;
    }

    let absent_ms = start_ms + options.no_show_after_ms;
    let absent = format!("no-show/{name}/{start_ms}");
    if now_ms < absent_ms {
        plan.look_at(absent_ms);
    } else if is_recent(absent_ms, options, now_ms) && !has_node(dossier, &absent) {
        plan.create(absent.clone(), &node(dossier, NodeCode::NoShow, absent_ms)?, causes(dossier))?;
        let due = (NodeCode::NoShow, 0);
        plan.create(absent, &notification(dossier, "interview_reschedule", due, options), causes(dossier))?;
        metrics::counter!("renmen_interview_no_show_total").increment(1);
    }
    Ok(plan)
}

fn begun(dossier: &Dossier, options: &WatchOptions, now_ms: i64) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let Some(heard_ms) = last_heard(dossier) else { return Ok(plan) };
    let silent_ms = heard_ms + options.dropped_after_ms;
    if now_ms < silent_ms {
        plan.look_at(silent_ms);
        return Ok(plan);
    }
    let dropped = format!("dropped/{}/{heard_ms}", dossier.name());
    if is_recent(silent_ms, options, now_ms) && !has_node(dossier, &dropped) {
        plan.create(dropped.clone(), &node(dossier, NodeCode::Dropped, silent_ms)?, causes(dossier))?;
        let due = (NodeCode::Dropped, 0);
        plan.create(dropped, &notification(dossier, "interview_dropped", due, options), causes(dossier))?;
        metrics::counter!("renmen_interview_dropped_total").increment(1);
    }
    Ok(plan)
}

/// When anything was last heard of the interview: by the vendor's clock or when we learnt of it, whichever is later, so that
/// what is only read from time to time does not look silent.
fn last_heard(dossier: &Dossier) -> Option<i64> {
    let steps = dossier
        .nodes
        .iter()
        .filter(|node| !matches!(node.body.node.code, NodeCode::Dropped | NodeCode::NoShow | NodeCode::FeedbackLate))
        .map(|node| node.body.at.epoch_ms().max(node.row.created_at_ms));
    let interview = dossier.interview.iter().map(|read| read.row.recorded_at_ms);
    steps.chain(interview).max()
}

fn has_node(dossier: &Dossier, external_id: &str) -> bool {
    dossier.nodes.iter().any(|node| node.row.external_id == external_id)
}

fn has_notification(dossier: &Dossier, external_id: &str) -> bool {
    dossier.notifications.iter().any(|message| message.row.external_id == external_id)
}
