//! Which deliveries of a connection are looked at: who may have one proved next, how many a second, how large and how old.
//!
//! Owns the bounds and the counters of one connection. It must not know the engine, the store or what a delivery means: `intake`
//! asks it at each step.

mod queue;
mod rate;
mod refused;
mod turnstile;

use std::time::Duration;

pub(crate) use queue::ProofQueue;
pub use queue::Sender;
pub(crate) use rate::DeliveryRate;
pub use refused::RefusedDeliveries;
pub(crate) use refused::RefusedTally;

/// What a vendor may send of its own accord. Each has its key under the connection's `[limits]`.
#[derive(Debug, Clone)]
pub struct HookLimits {
    /// Bytes of one delivery's body.
    pub body_bytes_max: usize,
    /// From the arrival of a delivery to its answer.
    pub deadline: Duration,
    /// How far the vendor's time of a delivery may lie from ours, either way.
    pub window: Duration,
    /// Proved deliveries a second.
    pub per_second: u32,
    /// Deliveries that are proved at the same time; the others wait, by sender in turn.
    pub parallel_max: usize,
}

impl Default for HookLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 1 << 20,
            deadline: Duration::from_millis(1_500),
            window: Duration::from_secs(300),
            per_second: 1_000,
            parallel_max: 8,
        }
    }
}
