//! Signatures by Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one for each secret that is good now. The key stays in
//! egress.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_egress::{EgressError, Seal};
use renmen_schema::id::SlotName;
use renmen_schema::manifest::{SealManifest, SealScheme, SealUse};

/// What an endpoint's slots are sealed for: the key stands in base64 behind `whsec_`.
pub const ENDPOINT_SEAL: SealManifest = SealManifest { scheme: SealScheme::HmacSha256Base64, used: SealUse::Sign };

/// The value of `webhook-signature`: `v1,…`, one for each slot, a space between.
///
/// # Errors
/// As [`Seal::sign`]: an empty slot, a secret that is not base64, a body beyond the limit.
pub(super) fn signatures(
    seal: &Seal,
    slots: &[SlotName],
    id: &str,
    timestamp_s: i64,
    body: &[u8],
) -> Result<String, EgressError> {
    let head = format!("{id}.{timestamp_s}.");
    let mut all = Vec::with_capacity(slots.len());
    for slot in slots {
        all.push(format!("v1,{}", STANDARD.encode(seal.sign(slot, &[head.as_bytes(), body])?)));
    }
    Ok(all.join(" "))
}
