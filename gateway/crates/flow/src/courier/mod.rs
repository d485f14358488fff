//! Carries deliveries to one destination: claims what is due, pushes in parallel, and records the outcomes.
//!
//! Each destination has its own courier, so that one that is slow or unreachable does not hold up the deliveries of
//! others. The store keeps the order: it gives out one delivery of a lane at a time.

mod attempt;
mod brake;
mod dispatch;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::StoreError;
use renmen_store::outbox::{AttemptEnd, Claim, Claimed, DeliveryState, NewDelivery, Settle};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use self::brake::Brake;
use crate::catalogue::DestinationEntry;
use crate::destination::Failure;
use crate::engine::FlowEngine;
use crate::error::FlowError;
use crate::evaluation::Evaluation;
use crate::failure_policy::AttemptPolicy;
use crate::options::millis;

/// How long to wait for a store that is away.
const STORE_WAIT: Duration = Duration::from_secs(1);
/// Ends written in one transaction at most.
const ENDS_MAX: usize = 256;

/// One destination's courier.
pub(crate) struct Courier {
    engine: Arc<FlowEngine>,
    tenant: TenantId,
    connection: ConnectionName,
    place: DestinationEntry,
    brake: Brake,
    /// Claimed, not begun.
    ahead: VecDeque<(Claimed, i64)>,
    running: JoinSet<Ended>,
}

/// An attempt that came to its end.
struct Ended {
    settle: Settle,
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
        let brake = Brake::new(place.parallel_max);
        Self { engine, tenant, connection, place, brake, ahead: VecDeque::new(), running: JoinSet::new() }
    }

    /// Works until it is cancelled or its destination is taken away; then ends what is under way and gives the rest back.
    pub(crate) async fn run(mut self, wake: Arc<Notify>, cancel: CancellationToken) {
        let mut idle = false;
        while !cancel.is_cancelled() && self.is_current() {
            if let Err(error) = self.fill(&mut idle).await {
                tracing::warn!(connection = %self.connection, %error, "Failed to claim deliveries");
                tokio::select! {
                    () = cancel.cancelled() => break,
                    () = tokio::time::sleep(STORE_WAIT) => {}
                }
            }
            let held = self.brake.held(self.now_ms()).unwrap_or(Duration::MAX);
            tokio::select! {
                () = cancel.cancelled() => break,
                Some(ended) = self.running.join_next(), if !self.running.is_empty() => {
                    self.take(ended).await;
                    idle = false;
                }
                () = wake.notified() => idle = false,
                () = tokio::time::sleep(held), if held < Duration::MAX => idle = false,
                // Nothing to wait for: there is room and there may be work.
                () = std::future::ready(()), if !idle && self.room() > 0 => {}
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

    fn room(&self) -> u32 {
        let running = u32::try_from(self.running.len()).unwrap_or(u32::MAX);
        self.brake.allowed(self.now_ms()).saturating_sub(running)
    }

    /// Claims and begins as much as there is room for. `idle` is set when there is nothing to claim.
    async fn fill(&mut self, idle: &mut bool) -> Result<(), StoreError> {
        let mut room = self.room();
        if room > 0 && self.ahead.is_empty() && !*idle {
            let claim = Claim {
                tenant: self.tenant.clone(),
                connection: self.connection.clone(),
                limit: self.brake.ahead(room),
                now_ms: self.now_ms(),
                lease_ms: self.lease_ms(),
            };
            let lease_ends = claim.now_ms + claim.lease_ms;
            let claimed = self.engine.store.claim(claim).await?;
            *idle = claimed.is_empty();
            self.ahead.extend(claimed.into_iter().map(|one| (one, lease_ends)));
        }
        while room > 0 {
            let Some((claimed, lease_ends)) = self.ahead.pop_front() else { break };
            // Too late to be done within its lease: the next claim takes it.
            if lease_ends - self.now_ms() < millis(self.place.push_timeout) {
                continue;
            }
            self.begin(claimed);
            room -= 1;
        }
        Ok(())
    }

    fn lease_ms(&self) -> i64 {
        millis(self.place.push_timeout).saturating_add(millis(self.engine.options.lease_margin))
    }

    fn begin(&mut self, claimed: Claimed) {
        let (engine, place) = (Arc::clone(&self.engine), self.place.clone());
        self.running.spawn(async move { attempt(&engine, &place, claimed).await });
    }

    /// Writes down the end of an attempt, and of all others that ended meanwhile.
    async fn take(&mut self, first: Result<Ended, tokio::task::JoinError>) {
        let mut ended: Vec<Ended> = first.into_iter().collect();
        while ended.len() < ENDS_MAX {
            match self.running.try_join_next() {
                Some(Ok(one)) => ended.push(one),
                Some(Err(_)) => {}
                None => break,
            }
        }
        let now_ms = self.now_ms();
        for one in &ended {
            match &one.failure {
                None => self.brake.answered(one.took_ms),
                Some(failure) => self.brake.failed(failure, now_ms, rand::random()),
            }
        }
        self.settle(ended.into_iter().map(|one| one.settle).collect()).await;
    }

    /// A store that is away is tried again: what was sent must be known to be sent, or it is sent twice.
    async fn settle(&self, ends: Vec<Settle>) {
        if ends.is_empty() {
            return;
        }
        for _ in 0..60 {
            match self.engine.store.settle(ends.clone()).await {
                Ok(taken) => {
                    let late = taken.iter().filter(|taken| !**taken).count();
                    if late > 0 {
                        tracing::warn!(connection = %self.connection, late, "Attempts finished after their lease expired");
                    }
                    if ends.iter().any(|end| end.notice.is_some()) {
                        self.engine.wake_couriers();
                    }
                    return;
                }
                Err(error) => {
                    tracing::warn!(connection = %self.connection, %error, "Failed to record the results of deliveries");
                    tokio::time::sleep(STORE_WAIT).await;
                }
            }
        }
    }

    async fn leave(mut self) {
        let now_ms = self.now_ms();
        let back = |(claimed, _): (Claimed, i64)| Settle {
            delivery: claimed.delivery.id,
            token: claimed.token,
            end: match claimed.confirm {
                true => AttemptEnd::AskAgain { at_ms: now_ms, error: None },
                false => AttemptEnd::Released,
            },
            notice: None,
            now_ms,
        };
        let back = std::mem::take(&mut self.ahead).into_iter().map(back).collect();
        self.settle(back).await;
        while let Some(ended) = self.running.join_next().await {
            self.take(ended).await;
        }
    }
}

async fn attempt(engine: &FlowEngine, place: &DestinationEntry, mut claimed: Claimed) -> Ended {
    let row = &claimed.delivery;
    let begun_ms = engine.clock.now_ms();
    let policy = engine.failure_policy(row).await;
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
    let notice = policy.on_failure.filter(|_| dead).map(|to| notice(&claimed, &to, &end, now_ms));
    let settle = Settle { delivery: row.id, token: claimed.token, end, notice, now_ms };
    Ended { settle, failure, took_ms: now_ms - begun_ms }
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
