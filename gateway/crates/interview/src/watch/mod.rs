//! The watch over interviews: who did not come, who was cut off, who is to be reminded, and whether the candidate got
//! their feedback in time.
//!
//! Nothing here waits: a look at an interview says what is to be written now and when to look again, from times of
//! records and the clock alone. So a gateway that was down does at its start what it would have done meanwhile, and
//! looking twice writes nothing twice: the id of everything written is made of what it is about and of the time that it
//! fell due.
//!
//! A step that the watch wrote, and that turns out not to be so, is withdrawn and not deleted: it stays on the timeline
//! with the status WITHDRAWN, because people and other systems were told of it, and an update tells them that it no
//! longer holds.
//!
//! Reading order: `written` (what is there already), `presence`, `silence` and `feedback` (interviews), `order` and
//! `attended` (orders), `messages` (what became of a message).

mod attended;
mod feedback;
mod messages;
mod order;
mod presence;
mod silence;
mod written;

pub(crate) use messages::Messenger;
pub(crate) use order::plan as plan_order;

use renmen_schema::code::{NodeCode, NotificationChannel, NotificationStatus};
use renmen_schema::entity::{Notification, NotificationDue, ProcessNode, Subject};
use renmen_schema::types::{Coded, Ref};
use renmen_store::Cause;

use crate::children::Shelf;
use crate::dossier::{Dossier, Read};
use crate::plan::Plan;
use crate::standing::{self, Standing};
use crate::{InterviewError, author, subject};
use written::Written;

/// The status of a step that the watch wrote and that turned out not to be so.
const WITHDRAWN: &str = "WITHDRAWN";
/// Revisions of an interview in which it is looked for when its status was first said.
const REVISIONS_MAX: u32 = 100;

/// What the watch goes by.
#[derive(Debug, Clone)]
pub struct WatchOptions {
    /// A reminder this long before the start, in milliseconds.
    pub remind_before_ms: i64,
    /// Not begun this long after the time agreed: the candidate did not come. Milliseconds.
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
pub(crate) async fn plan(
    shelf: Shelf<'_>,
    dossier: &Dossier,
    options: &WatchOptions,
    now_ms: i64,
) -> Result<Plan, InterviewError> {
    let standing = Standing::of(dossier.interview.as_ref(), &dossier.steps, !dossier.results.is_empty());
    let written = Written { store: shelf.store, tenant: shelf.tenant };
    let watch = Watch { shelf, written, dossier, options, now_ms, standing };
    Ok(presence::plan(&watch).await?.and(feedback::plan(&watch).await?))
}

/// One look at one interview.
struct Watch<'a> {
    shelf: Shelf<'a>,
    written: Written<'a>,
    dossier: &'a Dossier,
    options: &'a WatchOptions,
    now_ms: i64,
    standing: Standing,
}

impl Watch<'_> {
    /// When it is planned to begin: as it says itself, else as its order says.
    fn start_ms(&self) -> Option<i64> {
        let own = self.dossier.interview.as_ref().and_then(|read| read.body.start.as_ref());
        let ordered = self.dossier.order.as_ref().and_then(|read| read.body.start.as_ref());
        own.or(ordered).map(|start| start.utc.epoch_ms())
    }

    fn began_ms(&self) -> Option<i64> {
        standing::began_ms(self.dossier.interview.as_ref(), &self.dossier.steps)
    }

    /// Since when the interview has said the status that it has: for what no step and no time says.
    async fn status_since_ms(&self) -> Result<Option<i64>, InterviewError> {
        let Some(interview) = &self.dossier.interview else { return Ok(None) };
        let status = interview.body.status.code;
        let Watch { shelf, .. } = self;
        let revisions = shelf.store.revisions(shelf.tenant, interview.row.id, REVISIONS_MAX).await?;
        let same = revisions.into_iter().map_while(|row| {
            Read::<renmen_schema::entity::Interview>::of(row).filter(|read| read.body.status.code == status)
        });
        Ok(Some(same.last().map_or_else(|| standing::said_ms(interview), |first| standing::said_ms(&first))))
    }

    /// A step of the interview that only the watch saw.
    fn node(&self, code: NodeCode, at_ms: i64) -> Result<ProcessNode, InterviewError> {
        let subject = Subject { interview: Some(self.interview()), ..Subject::new() };
        system_node(subject, code, at_ms)
    }

    /// A message to the candidate; who carries it is a flow's business.
    fn notification(&self, template: &str, relative_to: NodeCode, offset_s: i64) -> Notification {
        let Watch { dossier, options, .. } = self;
        let mut made = notification(template, relative_to, offset_s, options);
        let application = dossier.application.as_ref();
        made.candidate = application.map(|read| subject::absolute(&read.body.candidate, &read.row.connection));
        made.application = application.map(|read| subject::to(&read.row));
        made.order = dossier.order.as_ref().map(|read| subject::to(&read.row));
        made.interview = Some(self.interview());
        let language = dossier.interview.as_ref().and_then(|read| read.body.language.clone());
        made.locale = language.or_else(|| dossier.order.as_ref()?.body.language.clone());
        made
    }

    fn interview<E>(&self) -> Ref<E> {
        let Dossier { key, interview, .. } = self.dossier;
        author::reference(&key.connection, &key.external_id, interview.as_ref().map(|read| read.row.id))
    }

    /// The causes of what the watch writes: the interview as it stood, where it is known.
    fn causes(&self) -> Vec<Cause> {
        self.dossier.interview.iter().map(|read| author::cause(&read.row)).collect()
    }

    fn is_recent(&self, due_ms: i64) -> bool {
        is_recent(due_ms, self.options, self.now_ms)
    }
}

/// Did what fell due do so lately enough?
fn is_recent(due_ms: i64, options: &WatchOptions, now_ms: i64) -> bool {
    now_ms - due_ms <= options.catch_up_ms
}

fn system_node(subject: Subject, code: NodeCode, at_ms: i64) -> Result<ProcessNode, InterviewError> {
    let mut node = ProcessNode::new(subject, Coded::new(code), author::instant(at_ms)?);
    node.actor = Some("SYSTEM".into());
    Ok(node)
}

fn notification(template: &str, relative_to: NodeCode, offset_s: i64, options: &WatchOptions) -> Notification {
    let channel = Coded::new(options.channel);
    let mut made = Notification::new(template.to_owned(), channel, Coded::new(NotificationStatus::Scheduled));
    made.due = Some(NotificationDue { relative_to: Some(Coded::new(relative_to)), ..NotificationDue::new(offset_s) });
    made
}

/// Says of a step of the watch's own that it is not so.
fn withdraw(plan: &mut Plan, known: &Read<ProcessNode>, causes: Vec<Cause>) -> Result<(), InterviewError> {
    if known.body.status.as_deref() == Some(WITHDRAWN) {
        return Ok(());
    }
    let mut node = known.body.clone();
    node.status = Some(WITHDRAWN.into());
    node.attrs = None;
    let code = known.body.node.code.as_str();
    metrics::counter!("renmen_interview_steps_withdrawn_total", "step" => code).increment(1);
    rewrite(plan, known, &node, causes)
}

/// Another revision of a record of the watch's own, if it still is as it was read.
fn rewrite<E: renmen_schema::Entity>(
    plan: &mut Plan,
    known: &Read<E>,
    body: &E,
    causes: Vec<Cause>,
) -> Result<(), InterviewError> {
    plan.records.push(author::revised(&known.row, body, causes)?);
    Ok(())
}
