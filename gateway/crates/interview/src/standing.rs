//! Where an interview stands: one reading of its status, its times and its steps, for the watch, for orders and for
//! screens.
//!
//! Vendors say the same in several ways, not always in all of them, and not in order. An interview that was held stays
//! held, no matter what else is said; one that is said to be missed or called off is so until it is planned again.

use renmen_schema::code::{InterviewStatus, NodeCode};
use renmen_schema::entity::Interview;

use crate::dossier::Read;
use crate::steps::Steps;

/// Candidates come this long before their time at most, in milliseconds: what was done earlier belongs to an appointment before.
const EARLY_MS: i64 = 60 * 60_000;

/// Where an interview stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Standing {
    /// Not begun yet.
    Awaited,
    /// Under way.
    Begun,
    /// Over, and it was held.
    Held,
    /// The vendor says that the candidate did not come; when, where a step says so.
    Missed(Option<i64>),
    /// Called off; when, where a step says so.
    Cancelled(Option<i64>),
}

impl Standing {
    /// Reads it. `has_result`: there is a result of it.
    pub(crate) fn of(interview: Option<&Read<Interview>>, steps: &Steps, has_result: bool) -> Self {
        let status = interview.map(|read| read.body.status.code);
        let ended = interview.is_some_and(|read| read.body.ended_at.is_some());
        let planned_again = interview.is_some_and(|read| is_planned_again(read, steps));
        let step = |code| steps.last_ms(code).filter(|_| !planned_again);
        match status {
            Some(InterviewStatus::Completed) => return Self::Held,
            _ if steps.has(NodeCode::Completed) && !planned_again => return Self::Held,
            Some(InterviewStatus::NoShow | InterviewStatus::Expired) => {
                return Self::Missed(steps.last_ms(NodeCode::NoShow));
            }
            Some(InterviewStatus::Cancelled) => return Self::Cancelled(steps.last_ms(NodeCode::Cancelled)),
            _ => {}
        }
        if (has_result || ended) && !planned_again {
            return Self::Held;
        }
        let (missed, cancelled) = (step(NodeCode::NoShow), step(NodeCode::Cancelled));
        let present = steps.last_present_ms().filter(|_| !planned_again);
        // Who comes after all is there.
        match (missed.max(cancelled), present) {
            (Some(over_ms), present) if present.is_none_or(|ms| ms <= over_ms) => {
                return if missed >= cancelled { Self::Missed(missed) } else { Self::Cancelled(cancelled) };
            }
            _ => {}
        }
        let under_way = matches!(status, Some(InterviewStatus::InProgress | InterviewStatus::Interrupted));
        let began = interview.is_some_and(|read| read.body.started_at.is_some());
        if under_way || present.is_some() || (began && !planned_again) { Self::Begun } else { Self::Awaited }
    }
}

/// When the candidate is known to have begun: the earliest time that any source gives.
pub(crate) fn began_ms(interview: Option<&Read<Interview>>, steps: &Steps) -> Option<i64> {
    let started = interview.and_then(|read| read.body.started_at.as_ref()).map(|at| at.utc.epoch_ms());
    started.into_iter().chain(steps.present_ms()).min()
}

/// Is the candidate known to have been there for an appointment at this time, by a time? Of who was there and left no time at all
/// it is taken for granted.
pub(crate) fn was_there(interview: Option<&Read<Interview>>, steps: &Steps, (start_ms, by_ms): (i64, i64)) -> bool {
    let within = |ms: i64| (start_ms - EARLY_MS..=by_ms).contains(&ms);
    let started = interview.and_then(|read| read.body.started_at.as_ref()).map(|at| at.utc.epoch_ms());
    started.is_some_and(within) || steps.was_present(within) || began_ms(interview, steps).is_none()
}

/// When the source last said something of the interview itself.
pub(crate) fn said_ms(interview: &Read<Interview>) -> i64 {
    interview.row.source_updated_at_ms.unwrap_or(interview.row.recorded_at_ms)
}

/// Is it awaited, and said to be so later than every step that speaks against it? What was done shortly before the time is of this
/// appointment all the same.
fn is_planned_again(interview: &Read<Interview>, steps: &Steps) -> bool {
    if !matches!(interview.body.status.code, InterviewStatus::Scheduled | InterviewStatus::Confirmed) {
        return false;
    }
    let said_ms = said_ms(interview);
    let over = steps.last_ms(NodeCode::NoShow).max(steps.last_ms(NodeCode::Cancelled));
    if steps.last_ms(NodeCode::Rescheduled) > over.max(steps.last_present_ms()) {
        return true;
    }
    let started = interview.body.started_at.as_ref().map(|at| at.utc.epoch_ms());
    match steps.last_present_ms().max(started) {
        None => over.is_some_and(|over_ms| said_ms > over_ms),
        Some(present_ms) => {
            let start_ms = interview.body.start.as_ref().map(|start| start.utc.epoch_ms());
            start_ms.is_some_and(|start_ms| start_ms - EARLY_MS > present_ms)
                && said_ms > present_ms.max(over.unwrap_or(present_ms))
        }
    }
}
