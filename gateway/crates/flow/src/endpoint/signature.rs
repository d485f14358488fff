//! Signatures by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one for each secret that is good now. The key stays in
//! egress.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_egress::{EgressError, Part, Seal};
use renmen_schema::id::SlotName;

/// The key stands in base64 behind `whsec_`.
const SCHEME: &str = "hmac-sha256:base64";

/// The value of `webhook-signature`: `v1,…`, one for each slot, a space between.
///
/// # Errors
/// As [`Seal::sign`]: an empty slot, a secret that is no base64, a body beyond the limit.
pub(super) fn signatures(
    seal: &Seal,
    slots: &[SlotName],
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> Result<String, EgressError> {
    let head = format!("{id}.{timestamp_s}.");
    let parts = [Part::Bytes(head.into_bytes()), Part::Bytes(body.to_vec())];
    let mut all = Vec::with_capacity(slots.len());
    for slot in slots {
        all.push(format!("v1,{}", STANDARD.encode(seal.sign(slot, SCHEME, &parts)?)));
    }
    Ok(all.join(" "))
}
