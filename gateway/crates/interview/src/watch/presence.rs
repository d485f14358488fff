//! Is the candidate there? Reminders before, no-shows after, and who was cut off in between.

use renmen_schema::code::{InterviewStatus, NodeCode};

use super::{WatchOptions, causes, is_recent, node, notification};
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
    let has = |code| dossier.steps.has(code);
    let over = matches!(
        status,
        Some(
            InterviewStatus::Completed
                | InterviewStatus::NoShow
                | InterviewStatus::Cancelled
                | InterviewStatus::Expired
        )
    );
    // Steps are what was told: a no-show that we found ourselves is over only until another time is agreed.
    if over || has(NodeCode::NoShow) || has(NodeCode::Completed) || has(NodeCode::Cancelled) {
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
    let remind = remind_name(&name, start_ms);
    if now_ms < remind_ms {
        plan.look_at(remind_ms);
    } else if now_ms < start_ms && !has_notification(dossier, &remind) {
        let due = (NodeCode::Started, -options.remind_before_ms / 1000);
        plan.create(remind, &notification(dossier, "interview_reminder", due, options), causes(dossier))?;
    }

    let absent_ms = start_ms + options.no_show_after_ms;
    let absent = absent_name(&name, start_ms);
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
    let dropped = dropped_name(&dossier.name(), heard_ms);
    if is_recent(silent_ms, options, now_ms) && !has_node(dossier, &dropped) {
        plan.create(dropped.clone(), &node(dossier, NodeCode::Dropped, silent_ms)?, causes(dossier))?;
        let due = (NodeCode::Dropped, 0);
        plan.create(dropped, &notification(dossier, "interview_dropped", due, options), causes(dossier))?;
        metrics::counter!("renmen_interview_dropped_total").increment(1);
    }
    Ok(plan)
}

/// The ids under which this is written of an interview as it stands.
pub(super) fn names(dossier: &Dossier) -> Vec<String> {
    let name = dossier.name();
    match presence(dossier) {
        Presence::Awaited => {
            let start = dossier.interview.as_ref().and_then(|read| read.body.start.as_ref());
            let start_ms = start.map(|start| start.utc.epoch_ms());
            start_ms.iter().flat_map(|ms| [remind_name(&name, *ms), absent_name(&name, *ms)]).collect()
        }
        Presence::Begun => last_heard(dossier).iter().map(|ms| dropped_name(&name, *ms)).collect(),
        Presence::Over => Vec::new(),
    }
}

fn remind_name(interview: &str, start_ms: i64) -> String {
    format!("remind/{interview}/{start_ms}")
}

fn absent_name(interview: &str, start_ms: i64) -> String {
    format!("no-show/{interview}/{start_ms}")
}

fn dropped_name(interview: &str, heard_ms: i64) -> String {
    format!("dropped/{interview}/{heard_ms}")
}

/// When anything was last heard of the interview.
fn last_heard(dossier: &Dossier) -> Option<i64> {
    let interview = dossier.interview.as_ref().map(|read| read.row.recorded_at_ms);
    dossier.steps.heard_ms().max(interview)
}

fn has_node(dossier: &Dossier, name: &str) -> bool {
    dossier.written.nodes.contains_key(name)
}

fn has_notification(dossier: &Dossier, name: &str) -> bool {
    dossier.written.messages.contains_key(name)
}
