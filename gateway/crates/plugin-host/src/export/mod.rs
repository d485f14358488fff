//! The exports of the contract, one file each: how a guest is entered, and what of its answer may leave.

mod probe;
mod pull;
mod push;
mod receive;

pub(crate) use probe::ProbeExport;
pub(crate) use pull::PullExport;
pub(crate) use push::PushExport;
pub(crate) use receive::ReceiveExport;

use crate::failure::CallError;
use crate::usage::Usage;

/// One bound of an answer: what was seen of what, against what is allowed.
struct Bound {
    /// The key under `[limits]`.
    budget: &'static str,
    /// What is bounded: `the page holds`.
    what: &'static str,
    /// `records`, `bytes`.
    unit: &'static str,
    allowed: u64,
}

impl Bound {
    fn check(&self, seen: u64, usage: &Usage) -> Result<(), CallError> {
        if seen <= self.allowed {
            return Ok(());
        }
        let message = format!("{} {seen} {}, allowed are {}", self.what, self.unit, self.allowed);
        Err(CallError::Budget { budget: self.budget, message, usage: usage.clone() })
    }
}
