//! Orders for which the candidate does not come: at the time that they are planned for while there is no interview yet,
//! or until their deadline, though no time was agreed.

use renmen_schema::code::{NodeCode, OrderStatus};
use renmen_schema::entity::{Application, Candidate, InterviewOrder, Notification, Subject};
use renmen_schema::types::Ref;
use renmen_store::{Parent, RecordRow};

use super::attended::{self, Attendance};
use super::{WITHDRAWN, WatchOptions, is_recent, notification, system_node, withdraw, written::Written};
use crate::children::Shelf;
use crate::dossier::{self, Read};
use crate::plan::Plan;
use crate::{InterviewError, author, subject};

/// One look at one order.
struct Ordered<'a> {
    shelf: Shelf<'a>,
    written: Written<'a>,
    order: Read<InterviewOrder>,
    options: &'a WatchOptions,
    now_ms: i64,
}

/// What is to be done about an order now, and when to look again.
pub(crate) async fn plan(
    shelf: Shelf<'_>,
    key: &Parent,
    options: &WatchOptions,
    now_ms: i64,
) -> Result<Plan, InterviewError> {
    let Some(order) = dossier::find::<InterviewOrder>(shelf.store, shelf.tenant, key).await? else {
        return Ok(Plan::default());
    };
    let start_ms = order.body.start.as_ref().map(|start| start.utc.epoch_ms());
    let deadline_ms = order.body.deadline.map(renmen_schema::types::Instant::epoch_ms);
    if start_ms.is_none() && deadline_ms.is_none() {
        return Ok(Plan::default());
    }
    let written = Written { store: shelf.store, tenant: shelf.tenant };
    let ordered = Ordered { shelf, written, order, options, now_ms };
    let appointment = start_ms.map(|start_ms| ordered.missed_start(start_ms));
    let deadline = deadline_ms.map(|deadline_ms| ordered.missed_deadline(deadline_ms));
    let mut plan = Plan::default();
    if !ordered.is_open() && !ordered.has_written(appointment.iter().chain(&deadline)).await? {
        return Ok(plan);
    }
    let attendance = attended::of(shelf, key, &ordered.order).await?;
    if let Some(start_ms) = start_ms {
        ordered.remind(&mut plan, start_ms, &attendance).await?;
    }
    // What is planned for an interview is its own business; before there is one it is the order's.
    if let Some(missed) = appointment {
        ordered.watch(&mut plan, &missed, attendance.has_interview(), &attendance).await?;
    }
    if let Some(missed) = deadline {
        ordered.watch(&mut plan, &missed, attendance.is_settled(), &attendance).await?;
    }
    Ok(plan)
}

/// Did the watch write that the candidate did not come for this order, and does that stand? Then the order is looked at
/// again when the candidate turns out to have come to an interview that does not name it.
pub(super) async fn stands_missed(
    shelf: Shelf<'_>,
    key: &Parent,
    options: &WatchOptions,
    now_ms: i64,
) -> Result<bool, InterviewError> {
    let Some(order) = dossier::find::<InterviewOrder>(shelf.store, shelf.tenant, key).await? else { return Ok(false) };
    let written = Written { store: shelf.store, tenant: shelf.tenant };
    let start_ms = order.body.start.as_ref().map(|start| start.utc.epoch_ms());
    let deadline_ms = order.body.deadline.map(renmen_schema::types::Instant::epoch_ms);
    let ordered = Ordered { shelf, written, order, options, now_ms };
    let appointment = start_ms.map(|start_ms| ordered.missed_start(start_ms));
    let deadline = deadline_ms.map(|deadline_ms| ordered.missed_deadline(deadline_ms));
    for missed in appointment.iter().chain(&deadline) {
        let known = ordered.written.node(&missed.name).await?;
        if known.is_some_and(|known| known.body.status.as_deref() != Some(WITHDRAWN)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// A time by which the candidate should have come.
struct Missed {
    /// The id of what is written when they did not.
    name: String,
    at_ms: i64,
    template: &'static str,
}

/// The id of what is written about the appointment of an order.
pub(super) fn appointment(what: &str, order: &RecordRow, start_ms: i64) -> String {
    format!("{what}/order/{}/{}/{start_ms}", order.connection, order.external_id)
}

impl Ordered<'_> {
    fn missed_start(&self, start_ms: i64) -> Missed {
        Missed {
            name: appointment("no-show", &self.order.row, start_ms),
            at_ms: start_ms + self.options.no_show_after_ms,
            template: "interview_reschedule",
        }
    }

    fn missed_deadline(&self, at_ms: i64) -> Missed {
        let RecordRow { connection, external_id, .. } = &self.order.row;
        let name = format!("deadline/{connection}/{external_id}/{at_ms}");
        Missed { name, at_ms, template: "interview_deadline_missed" }
    }

    async fn has_written(&self, all: impl Iterator<Item = &Missed>) -> Result<bool, InterviewError> {
        for missed in all {
            if missed.at_ms <= self.now_ms && self.written.node(&missed.name).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    async fn remind(&self, plan: &mut Plan, start_ms: i64, attendance: &Attendance) -> Result<(), InterviewError> {
        if attendance.has_interview() || !self.is_open() {
            return Ok(());
        }
        let before_ms = self.options.remind_before_ms;
        let name = appointment("remind", &self.order.row, start_ms);
        if self.now_ms < start_ms - before_ms {
            plan.look_at(start_ms - before_ms);
        } else if self.now_ms < start_ms && !self.written.has_message(&name).await? {
            let message = self.message("interview_reminder", NodeCode::Started, -before_ms / 1000).await?;
            plan.create(name, &message, self.causes())?;
        }
        Ok(())
    }

    /// The candidate did not come by a time: written down and told once, and taken back when they turn out to have
    /// come. `is_others`: an interview takes care of it by now.
    async fn watch(
        &self,
        plan: &mut Plan,
        missed: &Missed,
        is_others: bool,
        attendance: &Attendance,
    ) -> Result<(), InterviewError> {
        if self.now_ms < missed.at_ms {
            if self.is_open() && !is_others {
                plan.look_at(missed.at_ms);
            }
            return Ok(());
        }
        let known = self.written.node(&missed.name).await?;
        match known {
            Some(known) if attendance.was_there_by(missed.at_ms) => withdraw(plan, &known, self.causes()),
            None if !is_others && self.is_open() && is_recent(missed.at_ms, self.options, self.now_ms) => {
                self.nobody_came(plan, missed).await
            }
            _ => Ok(()),
        }
    }

    async fn nobody_came(&self, plan: &mut Plan, missed: &Missed) -> Result<(), InterviewError> {
        let Missed { name, at_ms, template } = missed;
        let application = subject::absolute(&self.order.body.application, &self.order.row.connection);
        let of = Subject { application: Some(application), ..Subject::new() };
        plan.create(name, &system_node(of, NodeCode::NoShow, *at_ms)?, self.causes())?;
        plan.create(name, &self.message(template, NodeCode::NoShow, 0).await?, self.causes())?;
        metrics::counter!("renmen_interview_no_show_total").increment(1);
        Ok(())
    }

    async fn message(&self, template: &str, to: NodeCode, offset_s: i64) -> Result<Notification, InterviewError> {
        let mut made = notification(template, to, offset_s, self.options);
        made.candidate = self.candidate().await?;
        made.application = Some(subject::absolute(&self.order.body.application, &self.order.row.connection));
        made.order = Some(subject::to(&self.order.row));
        made.locale.clone_from(&self.order.body.language);
        Ok(made)
    }

    async fn candidate(&self) -> Result<Option<Ref<Candidate>>, InterviewError> {
        let Shelf { store, tenant, .. } = self.shelf;
        for parent in subject::parents(store, tenant, &self.order.row).await? {
            if parent.entity == "application"
                && let Some(application) = dossier::find::<Application>(store, tenant, &parent).await?
            {
                return Ok(Some(subject::absolute(&application.body.candidate, &application.row.connection)));
            }
        }
        Ok(None)
    }

    fn causes(&self) -> Vec<renmen_store::Cause> {
        vec![author::cause(&self.order.row)]
    }

    fn is_open(&self) -> bool {
        use OrderStatus::{Acknowledged, Invited, Requested, Scheduled};
        matches!(self.order.body.status.code, Requested | Acknowledged | Invited | Scheduled)
    }
}
