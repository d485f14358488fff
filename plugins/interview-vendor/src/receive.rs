//! Signed events: Standard Webhooks (headers `webhook-id`, `webhook-timestamp`, `webhook-signature`, HMAC-SHA256 over
//! `id.timestamp.body`), with the objects themselves inside.
//!
//! An event carries objects of the protocol's own collections, so nothing has to be read again; one that names ids alone starts
//! a read of just those. Of types and collections that we do not know nothing is taken, and the vendor is told that it came.

use renmen_plugin::schema::types::Instant;
use renmen_plugin::seal;
use renmen_plugin::{Delivery, Failure, Outcome, Page, word};
use serde::Deserialize;
use serde_json::value::RawValue;
use std::collections::BTreeMap;

use crate::{Config, collection};

/// The slot that holds the signing key; the manifest says how it signs.
const SLOT: &str = "webhook_secret";
/// Signatures in one header: an old and a new secret while the vendor changes it, and some room.
const SIGNATURES_MAX: usize = 8;
/// Ids in one event.
const IDS_MAX: usize = 500;

#[derive(Deserialize)]
struct Event<'a> {
    r#type: String,
    #[serde(default)]
    timestamp: Option<String>,
    /// Collection to its objects.
    #[serde(default, borrow)]
    data: BTreeMap<String, &'a RawValue>,
    /// Collection to ids of objects that changed and are not inside.
    #[serde(default)]
    changed: BTreeMap<String, Vec<String>>,
}

pub(crate) fn receive(config: &Config, delivery: &Delivery) -> Result<Outcome, Failure> {
    let id = verify(delivery)?;
    let event: Event<'_> = serde_json::from_slice(&delivery.body).map_err(|_| {
        Failure::upstream_changed(
            "the event is signed, but is not a JSON object with a `type`: does it speak version 1?",
        )
    })?;
    if let Some(time) = &event.timestamp {
        Instant::parse(time).map_err(|_| Failure::upstream_changed("the event's `timestamp` is not a time"))?;
    }
    let response = delivery.as_response();
    let mut page = Page::new();
    let mut outcome = Outcome::status(204).with_id(id);
    for name in event.data.keys() {
        let mut all = |_: &str, _: i64, _: &str| true;
        let pointer = format!("/data/{}", name.replace('~', "~0").replace('/', "~1"));
        match collection::take(config, &mut page, (name, &pointer), &response, &mut all) {
            Some(taken) => drop(taken?),
            None => renmen_plugin::warn!("an event carries an unknown collection: {}", word(name)),
        }
    }
    for (name, ids) in event.changed {
        if collection::NAMES.contains(&name.as_str()) && ids.len() <= IDS_MAX {
            outcome = outcome.refresh(&name, ids);
        } else if collection::NAMES.contains(&name.as_str()) {
            // Too many to name: the whole collection from its cursor brings them too.
            outcome = outcome.refresh(&name, Vec::new());
        }
    }
    if event.data.is_empty() && outcome.refresh.is_empty() {
        renmen_plugin::info!("an event of type {} carries no records", word(&event.r#type));
    }
    Ok(outcome.with_page(page))
}

/// Proves the delivery; gives its id.
fn verify(delivery: &Delivery) -> Result<String, Failure> {
    let missing = |name: &str| Failure::auth_required(format!("the delivery has no `{name}`")).with_code("unsigned");
    let header = |name: &str| delivery.header(name).filter(|text| !text.is_empty()).ok_or_else(|| missing(name));
    let (id, time, signatures) = (header("webhook-id")?, header("webhook-timestamp")?, header("webhook-signature")?);
    let mut good = false;
    for signature in signatures.split(' ').take(SIGNATURES_MAX) {
        let Some(digest) = signature.strip_prefix("v1,").and_then(base64) else { continue };
        let parts = [id.as_bytes(), b".", time.as_bytes(), b".", &delivery.body];
        good |= seal::verify(SLOT, &parts, &digest)?;
    }
    if !good {
        return Err(Failure::auth_required("no signature of the delivery is right").with_code("bad_signature"));
    }
    // Seconds; only now is it known that the vendor wrote them.
    let seconds: i64 = time.parse().map_err(|_| missing("webhook-timestamp"))?;
    delivery.check_age(seconds.saturating_mul(1000))?;
    Ok(id.to_owned())
}

/// Standard base64, padded or not; none for any other text.
fn base64(text: &str) -> Option<Vec<u8>> {
    let text = text.trim_end_matches('=');
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for byte in text.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // What is left over must be padding of zeros, and less than a character's worth.
    (held < 6 && bits == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_read_with_and_without_padding_and_nothing_else_is() {
        assert_eq!(base64("").as_deref(), Some(&b""[..]));
        for (text, bytes) in [("Zg==", "f"), ("Zg", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            assert_eq!(base64(text).as_deref(), Some(bytes.as_bytes()), "{text}");
        }
        assert_eq!(base64("//79").as_deref(), Some(&[0xff, 0xfe, 0xfd][..]));
        for wrong in ["Z", "Zh", "Zm9v Zg", "Zm9-", "é"] {
            assert_eq!(base64(wrong), None, "{wrong}");
        }
    }
}
