//! Deliveries that are claimed and not begun. The next are claimed while attempts run, so that none waits for the store.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use renmen_store::StoreError;
use renmen_store::outbox::{Claim, Claimed};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::engine::FlowEngine;
use crate::failure_policy::FlowPolicy;

/// A claimed delivery with what its flow says of failures.
pub(super) struct Waiting {
    pub(super) claimed: Claimed,
    pub(super) policy: Arc<FlowPolicy>,
    /// Counted from before the claim, by a clock that does not leap.
    lease_ends: Instant,
}

impl Waiting {
    /// Can it still be done within its lease?
    pub(super) fn has_time(&self, takes: Duration) -> bool {
        Instant::now() + takes <= self.lease_ends
    }
}

/// What a claim gave.
pub(super) struct Claims {
    pub(super) waiting: Vec<Waiting>,
    /// There were fewer than asked for: there is no more for now.
    is_all: bool,
}

/// What one courier has claimed ahead.
#[derive(Default)]
pub(super) struct Ahead {
    waiting: VecDeque<Waiting>,
    claiming: JoinSet<Result<Claims, StoreError>>,
    /// There was nothing more to claim, and nothing happened since that could have changed it.
    idle: bool,
    /// Something happened while a claim was under way, which may not have seen it.
    stirred: bool,
    /// The store is away: not before.
    not_before: Option<Instant>,
}

impl Ahead {
    /// There may be something to claim again.
    pub(super) fn stir(&mut self) {
        (self.idle, self.stirred) = (false, true);
    }

    /// How many more to claim so that there are as many as wanted; none while there are enough, or there is nothing, or a claim is under
    /// way.
    pub(super) fn wanted(&self, want: u32) -> Option<u32> {
        let have = u32::try_from(self.waiting.len()).unwrap_or(u32::MAX);
        let waits = self.not_before.is_some_and(|time| time > Instant::now());
        // Few are left: a claim costs the same for many.
        let few = have <= want / 2 && have < want;
        (few && !waits && !self.idle && self.claiming.is_empty()).then(|| want - have)
    }

    pub(super) fn claim(&mut self, engine: &Arc<FlowEngine>, claim: Claim) {
        self.stirred = false;
        let engine = Arc::clone(engine);
        self.claiming.spawn(async move { claimed(&engine, claim).await });
    }

    pub(super) fn is_claiming(&self) -> bool {
        !self.claiming.is_empty()
    }

    /// What the claim under way gave. Safe to drop while it waits.
    pub(super) async fn next_claims(&mut self) -> Option<Result<Vec<Waiting>, StoreError>> {
        match self.claiming.join_next().await?.ok()? {
            Ok(claims) => {
                self.idle = claims.is_all && !self.stirred;
                self.not_before = None;
                Some(Ok(claims.waiting))
            }
            Err(error) => {
                self.not_before = Some(Instant::now() + super::STORE_WAIT);
                Some(Err(error))
            }
        }
    }

    /// When a store that is away is asked again.
    pub(super) fn again(&self) -> Option<Instant> {
        self.not_before.filter(|time| *time > Instant::now())
    }

    pub(super) fn push(&mut self, waiting: Waiting) {
        self.waiting.push_back(waiting);
    }

    pub(super) fn pop(&mut self) -> Option<Waiting> {
        self.waiting.pop_front()
    }
}

async fn claimed(engine: &FlowEngine, claim: Claim) -> Result<Claims, StoreError> {
    let lease = Duration::from_millis(u64::try_from(claim.lease_ms).unwrap_or(0));
    let (lease_ends, limit) = (Instant::now() + lease, claim.limit as usize);
    let claimed = engine.store.claim(claim).await?;
    let is_all = claimed.len() < limit;
    let policies = engine.failure_policies(&claimed).await;
    let waiting = claimed.into_iter().zip(policies).map(|(claimed, policy)| Waiting { claimed, policy, lease_ends });
    Ok(Claims { waiting: waiting.collect(), is_all })
}
