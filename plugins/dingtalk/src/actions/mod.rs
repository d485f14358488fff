//! What can be done at the vendor: messages to employees, approvals.
//!
//! The vendor takes no idempotency key, so each action leaves a mark of its own where the vendor keeps it, and what that
//! guarantees is said with the action. A mark is made of the gateway's key alone: the same for every attempt, and no other
//! action has it.

pub mod approval;
pub mod message;

use renmen_plugin::Failure;
use serde_json::{Map, Value};

/// The gateway's key in ten letters and digits: short enough to stand under a message.
fn mark(key: &str) -> String {
    const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    // FNV-1a of 64 bits. It keeps actions apart and keeps no secret; keys are random enough for 50 of its bits.
    let hash = key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    (0..10).map(|place| char::from(LETTERS[(hash >> (5 * place) & 31) as usize])).collect()
}

/// Facts for a receipt.
fn facts<const N: usize>(facts: [(&str, Value); N]) -> Map<String, Value> {
    facts.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

/// The input cannot be used, and no other attempt will change that.
fn unfit(place: &str, problem: &str) -> Failure {
    Failure::invalid_input(format!("input{place}: {problem}"))
}
