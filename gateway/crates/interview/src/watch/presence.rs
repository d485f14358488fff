//! Is the candidate there? Reminders before, no-shows after, and what the vendor itself found. Who was cut off in between is
//! `silence`'s.

use renmen_schema::code::NodeCode;

use super::{Watch, attended, order, silence, withdraw};
use crate::InterviewError;
use crate::plan::Plan;
use crate::standing::{self, Standing};

pub(super) async fn plan(watch: &Watch<'_>) -> Result<Plan, InterviewError> {
    match watch.standing {
        Standing::Awaited => awaited(watch).await,
        Standing::Begun => {
            Ok(silence::plan(watch).await?.and(came_after_all(watch).await?).and(came_for(watch).await?))
        }
        Standing::Held => {
            Ok(silence::was_not_cut_off(watch).await?.and(came_after_all(watch).await?).and(came_for(watch).await?))
        }
        Standing::Missed(at_ms) => missed(watch, at_ms).await,
        Standing::Cancelled(at_ms) => cancelled(watch, at_ms).await,
    }
}

async fn awaited(watch: &Watch<'_>) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let Some(start_ms) = watch.start_ms() else { return Ok(plan) };
    let (options, now_ms) = (watch.options, watch.now_ms);

    let remind_ms = start_ms - options.remind_before_ms;
    if now_ms < remind_ms {
        plan.look_at(remind_ms);
    } else if now_ms < start_ms && !is_told(watch, "remind", start_ms).await? {
        let message = watch.notification("interview_reminder", NodeCode::Started, -options.remind_before_ms / 1000);
        plan.create(appointment("remind", watch, start_ms), &message, watch.causes())?;
    }

    let absent_ms = start_ms + options.no_show_after_ms;
    let absent = appointment("no-show", watch, start_ms);
    if now_ms < absent_ms {
        plan.look_at(absent_ms);
    } else if watch.is_recent(absent_ms) && watch.written.node(&absent).await?.is_none() {
        plan.create(absent.clone(), &watch.node(NodeCode::NoShow, absent_ms)?, watch.causes())?;
        if !is_told(watch, "no-show", start_ms).await? {
            plan.create(absent, &reschedule(watch), watch.causes())?;
        }
        metrics::counter!("renmen_interview_no_show_total").increment(1);
    }
    Ok(plan)
}

/// The vendor says that the candidate did not come. Told once for an appointment, no matter which side found it first.
async fn missed(watch: &Watch<'_>, at_ms: Option<i64>) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let start_ms = watch.start_ms();
    let at_ms = match at_ms.or(start_ms) {
        Some(at_ms) => Some(at_ms),
        None => watch.status_since_ms().await?,
    };
    if at_ms.is_none_or(|at_ms| !watch.is_recent(at_ms)) {
        return Ok(plan);
    }
    let (name, told) = match start_ms {
        Some(start_ms) => (appointment("no-show", watch, start_ms), is_told(watch, "no-show", start_ms).await?),
        None => {
            let name = format!("no-show/{}", watch.dossier.name());
            let told = watch.written.has_message(&name).await?;
            (name, told)
        }
    };
    if !told {
        plan.create(name, &reschedule(watch), watch.causes())?;
        metrics::counter!("renmen_interview_no_show_total").increment(1);
    }
    Ok(plan)
}

/// It was called off. Who still waits for it is told; who was waited for in vain, or was there, knows.
async fn cancelled(watch: &Watch<'_>, at_ms: Option<i64>) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let at_ms = match at_ms {
        Some(at_ms) => Some(at_ms),
        None => watch.status_since_ms().await?,
    };
    let (Some(at_ms), start_ms) = (at_ms, watch.start_ms()) else { return Ok(plan) };
    if let Some(start_ms) = start_ms {
        let absent_ms = start_ms + watch.options.no_show_after_ms;
        let absent = watch.written.node(&appointment("no-show", watch, start_ms)).await?;
        if let Some(absent) = absent.filter(|_| at_ms <= absent_ms) {
            withdraw(&mut plan, &absent, watch.causes())?;
        }
    }
    let waits = start_ms.is_none_or(|start_ms| at_ms < start_ms && watch.now_ms < start_ms);
    if !waits || watch.began_ms().is_some() || !watch.is_recent(at_ms) {
        return Ok(plan);
    }
    let name = match start_ms {
        Some(start_ms) => appointment("cancelled", watch, start_ms),
        None => format!("cancelled/{}", watch.dossier.name()),
    };
    if !watch.written.has_message(&name).await? {
        let message = watch.notification("interview_cancelled", NodeCode::Cancelled, 0);
        plan.create(name, &message, watch.causes())?;
    }
    Ok(plan)
}

/// The watch wrote a no-show, and the candidate had come after all: the news of them was late.
async fn came_after_all(watch: &Watch<'_>) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let Some(start_ms) = watch.start_ms() else { return Ok(plan) };
    let absent_ms = start_ms + watch.options.no_show_after_ms;
    let interview = watch.dossier.interview.as_ref();
    if watch.now_ms < absent_ms || !standing::was_there(interview, &watch.dossier.steps, (start_ms, absent_ms)) {
        return Ok(plan);
    }
    if let Some(absent) = watch.written.node(&appointment("no-show", watch, start_ms)).await? {
        withdraw(&mut plan, &absent, watch.causes())?;
    }
    Ok(plan)
}

/// The orders for which the candidate seemed not to come, and which an interview that names no order may stand for:
/// each is looked at again, by what is known of all of them.
async fn came_for(watch: &Watch<'_>) -> Result<Plan, InterviewError> {
    let mut plan = Plan::default();
    let Some(interview) = watch.dossier.interview.as_ref().filter(|read| read.body.order.is_none()) else {
        return Ok(plan);
    };
    for order in attended::orders_of(watch.shelf, interview).await? {
        if order::stands_missed(watch.shelf, &order, watch.options, watch.now_ms).await? {
            plan.also.push(order);
        }
    }
    Ok(plan)
}

fn reschedule(watch: &Watch<'_>) -> renmen_schema::entity::Notification {
    watch.notification("interview_reschedule", NodeCode::NoShow, 0)
}

/// The id of what is written about one appointment.
fn appointment(what: &str, watch: &Watch<'_>, start_ms: i64) -> String {
    format!("{what}/{}/{start_ms}", watch.dossier.name())
}

/// Was the candidate told this about the appointment already: of the interview, of its order before there was an interview, or of
/// the interview before its time was known?
async fn is_told(watch: &Watch<'_>, what: &str, start_ms: i64) -> Result<bool, InterviewError> {
    if watch.written.has_message(&appointment(what, watch, start_ms)).await? {
        return Ok(true);
    }
    if let Some(ordered) = &watch.dossier.order
        && watch.written.has_message(&order::appointment(what, &ordered.row, start_ms)).await?
    {
        return Ok(true);
    }
    let earlier = watch.written.kept(&format!("{what}/{}", watch.dossier.name())).await?;
    Ok(earlier.is_some_and(|message| message.row.created_at_ms >= start_ms))
}
