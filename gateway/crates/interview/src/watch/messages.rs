//! What became of a message: the notification's record follows the deliveries that were made for it.
//!
//! Deliveries are the outbox's and notifications the loop's; both are rows of the store, which makes a timer due
//! whenever a delivery for a notification ends. The timer's handler writes it down; code that needs it earlier reads
//! the deliveries.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::code::NotificationStatus;
use renmen_schema::entity::{Notification, NotificationAttempt};
use renmen_schema::id::TenantId;
use renmen_schema::types::Coded;
use renmen_store::outbox::{DeliveryQuery, DeliveryRow, DeliveryState};
use renmen_store::{AuthoredCommit, MESSAGES_STREAM, Parent, Store, StoreError, TimerRow, TimerWrite};
use tokio_util::sync::CancellationToken;

use crate::dossier::{self, Read};
use crate::progress::Progress;
use crate::{Clock, InterviewError, adjust, author};
use renmen_seat::{Leave, Seat};

/// The action by which an endpoint is told of a record: it delivers the message to no one.
const EVENT: &str = "event.send";
/// Deliveries of one message that are looked at, the newest.
const DELIVERIES_MAX: u32 = 50;
/// Timers taken at once.
const TIMERS: u32 = 100;
/// How long an end may go unnoticed.
const TICK: Duration = Duration::from_secs(1);
/// How often it is looked for adjust instructions that wait.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Writes down what became of messages, of one tenant.
pub(crate) struct Messenger {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tenant: TenantId,
    /// How long an adjust instruction may wait, in milliseconds.
    pub(crate) adjust_wait_ms: i64,
    pub(crate) progress: Arc<Progress>,
}

impl Messenger {
    /// Until cancelled.
    pub(crate) async fn run(self, seat: Arc<Seat>, cancel: CancellationToken) {
        let leave = Leave::of(cancel.clone(), Arc::clone(&seat));
        let mut looked: Option<tokio::time::Instant> = None;
        loop {
            if looked.is_none_or(|at| at.elapsed() >= LOOK_EVERY) {
                looked = Some(tokio::time::Instant::now());
                if let Err(error) = self.look_for_waiting().await {
                    tracing::warn!(%error, tenant = %self.tenant, "Failed to list waiting adjust instructions; trying again");
                }
            }
            if seat.holds()
                && let Err(error) = self.catch_up(&leave).await
            {
                tracing::warn!(%error, tenant = %self.tenant, "Failed to record the results of messages; trying again");
            }
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(TICK) => {}
            }
        }
    }

    /// Adjust instructions that wait too long.
    pub(crate) async fn look_for_waiting(&self) -> Result<(), InterviewError> {
        let waiting = adjust::waiting(&*self.store, &self.tenant, self.adjust_wait_ms, self.clock.now_ms()).await?;
        metrics::gauge!("renmen_model_adjustments_waiting", "tenant" => self.tenant.to_string())
            .set(waiting.len() as f64);
        self.progress.adjustments_wait(waiting);
        Ok(())
    }

    /// Every message of which something was learnt by now.
    pub(crate) async fn catch_up(&self, leave: &Leave) -> Result<(), InterviewError> {
        while !leave.is_due() {
            let due = self.store.due_timers(&self.tenant, MESSAGES_STREAM, self.clock.now_ms(), TIMERS).await?;
            let mut noted = 0;
            for timer in &due {
                match self.note(timer).await {
                    Ok(()) => noted += 1,
                    // Someone else wrote it in the meantime: the timer stays, and the next look sees how it stands.
                    Err(InterviewError::Store(StoreError::Fenced(why))) => {
                        tracing::debug!(why, "Looking at a message again");
                    }
                    Err(error) => return Err(error),
                }
            }
            if noted == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    async fn note(&self, timer: &TimerRow) -> Result<(), InterviewError> {
        let stream = author::stream(MESSAGES_STREAM);
        let mut commit = AuthoredCommit::of(self.tenant.clone(), stream, self.clock.now_ms());
        if let Some(record) = adjust::followed(&*self.store, &self.tenant, &timer.name).await? {
            // The timer stays: what the vendor said while this was worked out is seen by the next look.
            commit.records.push(record);
            self.store.author(commit).await?;
            return Ok(());
        }
        commit.timers.push(TimerWrite::Done { name: timer.name.clone(), due_ms: timer.due_ms });
        let key = Parent {
            connection: author::built_in(),
            entity: "notification".to_owned(),
            external_id: timer.name.clone(),
        };
        if let Some(kept) = dossier::find::<Notification>(&*self.store, &self.tenant, &key).await? {
            let now = followed(&*self.store, &self.tenant, &kept).await?;
            if now != kept.body {
                match author::revised(&kept.row, &now, vec![author::cause(&kept.row)]) {
                    Ok(record) => commit.records.push(record),
                    // One that cannot be written must not keep the others waiting.
                    Err(error) => {
                        tracing::error!(%error, record = %kept.row.id, "The result of a message cannot be recorded");
                        metrics::counter!("renmen_interview_messages_failed_total").increment(1);
                    }
                }
            }
        }
        self.store.author(commit).await?;
        Ok(())
    }
}

/// A message as its deliveries stand.
pub(super) async fn followed(
    store: &dyn Store,
    tenant: &TenantId,
    kept: &Read<Notification>,
) -> Result<Notification, InterviewError> {
    if kept.body.status.code == NotificationStatus::Delivered {
        return Ok(kept.body.clone());
    }
    let query = DeliveryQuery { record: Some(kept.row.id), limit: DELIVERIES_MAX, ..DeliveryQuery::default() };
    follow(&kept.body, &store.deliveries(tenant, &query).await?)
}

/// The message with an attempt for each delivery that ended, and with the status that they come to together: one that arrived is
/// enough.
fn follow(message: &Notification, deliveries: &[DeliveryRow]) -> Result<Notification, InterviewError> {
    // What tells an operator that a delivery died names that one as its cause, and carries no message.
    let all: BTreeSet<i64> = deliveries.iter().map(|row| row.id).collect();
    let carries = |row: &&DeliveryRow| row.action != EVENT && row.caused_by.is_none_or(|id| !all.contains(&id));
    let mut now = message.clone();
    // In the order of their making; they come newest first.
    let mut stand = Vec::new();
    for row in deliveries.iter().rev().filter(carries) {
        let status = status_of(row.state);
        stand.push(status);
        if status == NotificationStatus::Scheduled {
            continue;
        }
        let attempt = attempt(row, status)?;
        if !now.attempts.contains(&attempt) {
            now.attempts.push(attempt);
        }
    }
    now.attempts.sort_by_key(|attempt| attempt.at);
    let arrived = now.attempts.iter().any(|attempt| attempt.status.code == NotificationStatus::Delivered);
    let best = [NotificationStatus::Sent, NotificationStatus::Scheduled].into_iter().find(|one| stand.contains(one));
    let status = match (arrived, best, stand.last()) {
        (true, ..) => NotificationStatus::Delivered,
        (_, Some(best), _) => best,
        (_, None, Some(last)) => *last,
        (_, None, None) => return Ok(now),
    };
    if status != now.status.code {
        now.status = Coded::new(status);
    }
    Ok(now)
}

fn status_of(state: DeliveryState) -> NotificationStatus {
    match state {
        DeliveryState::Pending | DeliveryState::InFlight => NotificationStatus::Scheduled,
        DeliveryState::Unconfirmed => NotificationStatus::Sent,
        DeliveryState::Delivered => NotificationStatus::Delivered,
        DeliveryState::Dead | DeliveryState::Expired => NotificationStatus::Failed,
        DeliveryState::Withheld => NotificationStatus::Skipped,
    }
}

fn attempt(row: &DeliveryRow, status: NotificationStatus) -> Result<NotificationAttempt, InterviewError> {
    let mut made = NotificationAttempt::new(author::instant(row.updated_at_ms)?, Coded::new(status));
    made.reference = row.receipt.as_ref().and_then(|receipt| receipt.reference.clone());
    let failed = matches!(status, NotificationStatus::Failed | NotificationStatus::Skipped);
    // The kind of the failure alone: what stands behind it may quote the receiver.
    let kind = row.error.as_deref().filter(|_| failed).and_then(|error| error.split(':').next());
    made.error = kind.map(|kind| kind.chars().take(60).collect());
    Ok(made)
}
