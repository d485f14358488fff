//! Carries deliveries to one destination: claims what is due, pushes in parallel, and records the outcomes.
//!
//! Each destination has its own courier, so that one that is slow or unreachable does not hold up the deliveries of
//! others. The store keeps the order: it gives out one delivery of a lane at a time.

mod ahead;
mod attempt;
mod brake;
mod dispatch;
mod ends;

use std::collections::HashMap;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::StoreError;
use renmen_store::outbox::{AttemptEnd, Claim, Claimed, DeliveryState, NewDelivery, Settle};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::{self, JoinSet};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use self::ahead::{Ahead, Waiting};
use self::brake::Brake;
use self::ends::{End, Ends, STORE_WAIT};
use crate::catalogue::DestinationEntry;
use crate::destination::{Failure, Identity};
use crate::engine::FlowEngine;
use crate::error::FlowError;
use crate::evaluation::Evaluation;
use crate::failure_policy::{AttemptPolicy, FlowPolicy};
use crate::options::millis;

/// One destination's courier.
pub(crate) struct Courier {
    engine: Arc<FlowEngine>,
    tenant: TenantId,
    connection: ConnectionName,
    place: Arc<DestinationEntry>,
    brake: Brake,
    ahead: Ahead,
    running: JoinSet<Ended>,
    /// Which attempt is at which delivery.
    running_of: HashMap<task::Id, i64>,
    ends: Ends,
}

type Finished = Result<(task::Id, Ended), task::JoinError>;

/// An attempt that came to its end.
struct Ended {
    end: End,
    failure: Option<Failure>,
    took_ms: i64,
}

impl Courier {
    pub(crate) fn new(
        engine: Arc<FlowEngine>,
        tenant: TenantId,
        connection: ConnectionName,
        place: DestinationEntry,
    ) -> Self {
        let (brake, place) = (Brake::new(place.parallel_max), Arc::new(place));
        let (ahead, running, ends) = (Ahead::default(), JoinSet::new(), Ends::default());
        Self { engine, tenant, connection, place, brake, ahead, running, running_of: HashMap::new(), ends }
    }

    /// Works until it is cancelled or its destination is taken away; then ends what is under way and gives the rest back.
    pub(crate) async fn run(mut self, wake: Arc<Notify>, cancel: CancellationToken) {
        while !cancel.is_cancelled() && self.is_current() {
            self.begin();
            let held = self.brake.held(self.now_ms());
            let wakes = [self.ends.company(!self.running.is_empty()), self.ahead.again()].into_iter().flatten().min();
            tokio::select! {
                () = cancel.cancelled() => break,
                Some(ended) = self.running.join_next_with_id(), if !self.running.is_empty() => self.took(ended),
                written = self.ends.next_written(), if self.ends.is_writing() => {
                    self.ends.settled(written, &self.connection);
                    self.ahead.stir();
                }
                Some(claims) = self.ahead.next_claims(), if self.ahead.is_claiming() => self.take_up(claims),
                () = wake.notified() => self.ahead.stir(),
                () = tokio::time::sleep(held.unwrap_or_default()), if held.is_some() => self.ahead.stir(),
                () = tokio::time::sleep_until(wakes.unwrap_or_else(Instant::now)), if wakes.is_some() => {}
            }
        }
        self.leave().await;
    }

    /// Is its destination still the one of this name? Where it was taken away, or another one is in its place, this courier leaves.
    fn is_current(&self) -> bool {
        let catalogue = self.engine.catalogue(&self.tenant);
        let now = catalogue.entry(&self.connection);
        now.is_some_and(|place| Arc::ptr_eq(&place.destination, &self.place.destination))
    }

    fn now_ms(&self) -> i64 {
        self.engine.clock.now_ms()
    }

    /// Attempts that may begin now.
    fn room(&self) -> u32 {
        let taken = u32::try_from(self.running.len() + self.ends.places()).unwrap_or(u32::MAX);
        if self.ends.have_room() { self.brake.allowed(self.now_ms()).saturating_sub(taken) } else { 0 }
    }

    /// Begins all that can be begun: attempts, the next claim, the writing of ends.
    fn begin(&mut self) {
        let mut room = self.room();
        while room > 0 {
            let Some(next) = self.ahead.pop() else { break };
            // Too late to be done within its lease: the next claim takes it.
            if next.has_time(self.place.push_timeout) {
                self.attempt(next);
                room -= 1;
            } else {
                self.ends.let_go(next.claimed.delivery.id);
            }
        }
        let want = if self.ends.have_room() { self.brake.ahead(room) } else { 0 };
        if let Some(limit) = self.ahead.wanted(want) {
            let (tenant, connection) = (self.tenant.clone(), self.connection.clone());
            let lease_ms = millis(self.place.push_timeout).saturating_add(millis(self.engine.options.lease_margin));
            let claim = Claim { tenant, connection, limit, now_ms: self.now_ms(), lease_ms };
            self.ahead.claim(&self.engine, claim);
        }
        self.ends.write(&self.engine, &self.connection, !self.running.is_empty());
    }

    fn attempt(&mut self, next: Waiting) {
        let (engine, place) = (Arc::clone(&self.engine), Arc::clone(&self.place));
        let delivery = next.claimed.delivery.id;
        let task = self.running.spawn(async move { attempt(&engine, &place, next.claimed, &next.policy).await });
        self.running_of.insert(task.id(), delivery);
    }

    fn take_up(&mut self, claims: Result<Vec<Waiting>, StoreError>) {
        match claims {
            Ok(claims) => {
                for one in claims {
                    if self.ends.hold(one.claimed.delivery.id, one.claimed.token) {
                        self.ahead.push(one);
                    }
                }
            }
            Err(error) => tracing::warn!(connection = %self.connection, %error, "Failed to claim deliveries"),
        }
    }

    /// Takes the end of an attempt, and of all others that ended meanwhile.
    fn took(&mut self, first: Finished) {
        let now_ms = self.now_ms();
        let mut next = Some(first);
        while let Some(finished) = next {
            let task = finished.as_ref().map_or_else(task::JoinError::id, |(id, _)| *id);
            let delivery = self.running_of.remove(&task);
            match finished {
                Ok((_, Ended { end, failure, took_ms })) => {
                    match &failure {
                        None => self.brake.answered(took_ms),
                        Some(failure) => self.brake.failed(failure, now_ms, rand::random()),
                    }
                    self.ends.add(end);
                }
                // It broke: it is tried again when its lease is over.
                Err(_) => delivery.into_iter().for_each(|delivery| self.ends.let_go(delivery)),
            }
            next = self.running.try_join_next_with_id();
        }
    }

    async fn leave(mut self) {
        while self.ahead.is_claiming() {
            if let Some(claims) = self.ahead.next_claims().await {
                self.take_up(claims);
            }
        }
        while let Some(Waiting { claimed, .. }) = self.ahead.pop() {
            let now_ms = self.now_ms();
            let end = match claimed.confirm {
                true => AttemptEnd::AskAgain { at_ms: now_ms, error: None },
                false => AttemptEnd::Released,
            };
            let settle = Settle { delivery: claimed.delivery.id, token: claimed.token, end, notice: None, now_ms };
            self.ends.add(End { settle, holds_place: false });
        }
        while !self.running.is_empty() || !self.ends.are_written() {
            self.ends.write(&self.engine, &self.connection, false);
            tokio::select! {
                Some(ended) = self.running.join_next_with_id(), if !self.running.is_empty() => self.took(ended),
                written = self.ends.next_written(), if self.ends.is_writing() => {
                    self.ends.settled(written, &self.connection);
                }
            }
        }
    }
}

async fn attempt(engine: &FlowEngine, place: &DestinationEntry, mut claimed: Claimed, policy: &FlowPolicy) -> Ended {
    let row = &claimed.delivery;
    let begun_ms = engine.clock.now_ms();
    let (end, failure) = if row.deadline_ms.is_some_and(|deadline| begun_ms > deadline) && !claimed.confirm {
        let error = "expired: its deadline passed before it could be sent".to_owned();
        (AttemptEnd::Expired { error }, None)
    } else {
        match fill(engine, &policy.attempt, &mut claimed).await {
            Err(end) => (end, None),
            Ok(()) => {
                let result = attempt::push(place, &claimed, begun_ms).await;
                let failure = result.as_ref().err().cloned();
                (attempt::end(place, &policy.attempt, &claimed, result, engine.clock.now_ms()), failure)
            }
        }
    };
    let row = &claimed.delivery;
    let now_ms = engine.clock.now_ms();
    let word = word(&end);
    metrics::counter!("renmen_delivery_attempts_total", "connection" => row.connection.to_string(), "end" => word)
        .increment(1);
    if let AttemptEnd::Dead { error } | AttemptEnd::Expired { error } = &end {
        tracing::warn!(delivery = row.id, flow = %row.flow, connection = %row.connection, %error, "Delivery abandoned");
    }
    let dead = matches!(end, AttemptEnd::Dead { .. } | AttemptEnd::Expired { .. });
    let notice = policy.on_failure.as_ref().filter(|_| dead).map(|to| notice(&claimed, to, &end, now_ms));
    let settle = Settle { delivery: row.id, token: claimed.token, end, notice, now_ms };
    let identity = place.actions.get(&row.action).map(|action| action.identity).unwrap_or_default();
    let holds_place = identity == Identity::None && !claimed.confirm;
    Ended { end: End { settle, holds_place }, failure, took_ms: now_ms - begun_ms }
}

/// Works out the input of a delivery that had to wait for a record, and keeps it before it is sent.
async fn fill(engine: &FlowEngine, policy: &AttemptPolicy, claimed: &mut Claimed) -> Result<(), AttemptEnd> {
    let row = &mut claimed.delivery;
    if !row.input.is_empty() || claimed.confirm {
        return Ok(());
    }
    let later = |error: String| attempt::wait_for(policy, row, error, engine.clock.now_ms());
    let input = match engine.work_out(row).await {
        Ok(Evaluation::Send(sending)) => sending.input.to_string().into_bytes(),
        Ok(Evaluation::Wait(why, _)) => return Err(later(format!("waits: {why}"))),
        Ok(Evaluation::Pass(why)) => {
            return Err(AttemptEnd::Dead { error: format!("changed: the flow would send nothing now: {why}") });
        }
        Ok(Evaluation::Fault(why)) => return Err(AttemptEnd::Dead { error: why.to_string() }),
        Err(FlowError::Store(error)) => return Err(later(format!("the store is away: {error}"))),
        Err(error) => return Err(AttemptEnd::Dead { error: error.to_string() }),
    };
    match engine.store.fill_delivery(row.id, claimed.token, input.clone()).await {
        Ok(true) => row.input = input,
        Ok(false) => return Err(AttemptEnd::Released),
        Err(error) => return Err(later(format!("the store is away: {error}"))),
    }
    Ok(())
}

fn word(end: &AttemptEnd) -> &'static str {
    match end {
        AttemptEnd::Delivered(_) => "delivered",
        AttemptEnd::Unconfirmed { .. } | AttemptEnd::AskAgain { .. } => "unconfirmed",
        AttemptEnd::Retry { .. } => "retry",
        AttemptEnd::Dead { .. } => "dead",
        AttemptEnd::Expired { .. } => "expired",
        AttemptEnd::Released => "released",
    }
}

/// A delivery that tells of another one's death: names and reasons, nothing of the record.
fn notice(claimed: &Claimed, to: &crate::Target, end: &AttemptEnd, now_ms: i64) -> NewDelivery {
    let row = &claimed.delivery;
    let (AttemptEnd::Dead { error } | AttemptEnd::Expired { error }) = end else {
        unreachable!("only the end of a delivery makes a notice")
    };
    let input = json!({
        "event": "delivery.failed", "delivery": row.id, "flow": row.flow, "flow_version": row.flow_version,
        "connection": row.connection, "action": row.action, "entity": row.change.entity, "record": row.change.id,
        "attempts": row.attempts, "error": error,
    });
    let input = input.to_string().into_bytes();
    let of = |text: &str| {
        renmen_store::ContentHash::of(format!("notice {text} {} {}", hex::encode(row.key), row.attempts).as_bytes()).0
    };
    NewDelivery {
        seq: row.change.seq,
        record: row.change.id,
        connection: to.connection.clone(),
        action: to.action.clone(),
        key: of("key"),
        // Each for itself: a notice waits for no other.
        lane: of("lane"),
        not_before_ms: now_ms,
        deadline_ms: None,
        state: DeliveryState::Pending,
        input_hash: renmen_store::ContentHash::of(&input).0,
        input,
        hops: row.hops.saturating_add(1),
        caused_by: Some(row.id),
        error: None,
    }
}
