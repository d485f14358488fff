//! The watch over interviews: who did not come, who was cut off, who is to be reminded, and whether the candidate got their
//! feedback in time (R34, R38, R39).
//!
//! Nothing here waits: a look at an interview says what is to be written now and when to look again, from times of records and
//! the clock alone. So a gateway that was down does at its start what it would have done meanwhile, and looking twice
//! writes nothing twice: the id of everything written is made of what it is about and of the time that it fell due.

mod feedback;
mod order;
mod presence;

pub(crate) use order::plan as plan_order;

use renmen_schema::code::{NodeCode, NotificationChannel, NotificationStatus};
use renmen_schema::entity::{Notification, NotificationDue, ProcessNode, Subject};
use renmen_schema::types::{Coded, Ref};

use crate::dossier::Dossier;
use crate::plan::Plan;
use crate::{InterviewError, author, subject};

/// What the watch goes by.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// A reminder this long before the begin, in milliseconds.
    pub remind_before_ms: i64,
    /// Not begun this long after the time agreed: nobody came. Milliseconds.
    pub no_show_after_ms: i64,
    /// Begun, not ended, and nothing heard for this long: cut off. Milliseconds.
    pub dropped_after_ms: i64,
    /// The candidate's feedback within this time of the end. Milliseconds.
    pub feedback_within_ms: i64,
    /// What fell due longer ago than this is history, and nothing is done about it. Milliseconds.
    pub catch_up_ms: i64,
    /// By which way candidates are told; a flow may choose another.
    pub channel: NotificationChannel,
}

impl Default for WatchOptions {
    fn default() -> Self {
        const MINUTE: i64 = 60_000;
        Self {
            remind_before_ms: 5 * MINUTE,
            no_show_after_ms: 10 * MINUTE,
            dropped_after_ms: 15 * MINUTE,
            feedback_within_ms: 10 * MINUTE,
            catch_up_ms: 7 * 24 * 60 * MINUTE,
            channel: NotificationChannel::Sms,
        }
    }
}

/// What is to be done about an interview now, and when to look again.
pub(crate) fn plan(dossier: &Dossier, options: &WatchOptions, now_ms: i64) -> Result<Plan, InterviewError> {
    Ok(presence::plan(dossier, options, now_ms)?.and(feedback::plan(dossier, options, now_ms)?))
}

/// The ids under which the watch may have written of an interview as it stands.
pub(crate) fn names(dossier: &Dossier) -> Vec<String> {
    [presence::names(dossier), feedback::names(dossier)].concat()
}

/// Did what fell due do so lately enough?
fn is_recent(due_ms: i64, options: &WatchOptions, now_ms: i64) -> bool {
    now_ms - due_ms <= options.catch_up_ms
}

/// A step of the interview that nobody but the watch saw.
fn node(dossier: &Dossier, code: NodeCode, at_ms: i64) -> Result<ProcessNode, InterviewError> {
    let subject = Subject { interview: Some(interview(dossier)), ..Subject::new() };
    let mut node = ProcessNode::new(subject, Coded::new(code), author::instant(at_ms)?);
    node.actor = Some("SYSTEM".into());
    Ok(node)
}

/// A message to the candidate; who carries it is a flow's business.
fn notification(dossier: &Dossier, template: &str, due: (NodeCode, i64), options: &WatchOptions) -> Notification {
    let channel = Coded::new(options.channel);
    let mut made = Notification::new(template.to_owned(), channel, Coded::new(NotificationStatus::Scheduled));
    let application = dossier.application.as_ref();
    made.candidate = application.map(|read| subject::absolute(&read.body.candidate, &read.row.connection));
    made.interview = Some(interview(dossier));
    made.locale = dossier.interview.as_ref().and_then(|read| read.body.language.clone());
    let (relative_to, offset_s) = due;
    made.due = Some(NotificationDue { relative_to: Some(Coded::new(relative_to)), ..NotificationDue::new(offset_s) });
    made
}

fn interview<E>(dossier: &Dossier) -> Ref<E> {
    let id = dossier.interview.as_ref().map(|read| read.row.id);
    author::reference(&dossier.key.connection, &dossier.key.external_id, id)
}

/// The causes of what the watch writes: the interview as it stood, where it is known.
fn causes(dossier: &Dossier) -> Vec<renmen_store::Cause> {
    dossier.interview.iter().map(|read| author::cause(&read.row)).collect()
}
