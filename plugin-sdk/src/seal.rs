//! Signatures with a slot's secret, made by the gateway: the key never enters the connector.
//!
//! The manifest says for each slot what it is sealed for, with one scheme: `seal = { scheme = "hmac-sha256", use = "verify" }`. A
//! connector is handed keyed digests (HMAC) at most. Where a vendor signs with a plain digest, or encrypts, the gateway proves,
//! opens and answers as `[webhook.proof]` and `[webhook.answer]` of the manifest say.

use crate::{Failure, host};

/// The HMAC of the parts in order, raw. The slot must be sealed with `use = "sign"`.
///
/// # Errors
/// A slot that is empty or not sealed for this.
pub fn sign(slot: &str, parts: &[&[u8]]) -> Result<Vec<u8>, Failure> {
    host::sign(slot, parts)
}

/// Is this the HMAC of the parts in order? Compared in constant time. The slot must be sealed with `use = "verify"` or
/// `use = "sign"`.
///
/// # Errors
/// As [`sign`]; a signature that differs is `Ok(false)`.
pub fn verify(slot: &str, parts: &[&[u8]], signature: &[u8]) -> Result<bool, Failure> {
    host::verify(slot, parts, signature)
}

/// How much of the hash a pseudonym keeps: 16 bytes, in 32 hexadecimal digits.
const PSEUDONYM_BYTES: usize = 16;

/// A pseudonym: the same value is always the same text, and only who has the key of the slot can find out the value. White space around
/// the value does not count. The slot must be sealed with `use = "sign"`; `limits.seal_calls_max` says how many one call may ask for.
///
/// # Errors
/// As [`sign`].
pub fn pseudonym(slot: &str, value: &str) -> Result<String, Failure> {
    let hash = sign(slot, &[value.trim().as_bytes()])?;
    Ok(hash.iter().take(PSEUDONYM_BYTES).map(|byte| format!("{byte:02x}")).collect())
}
