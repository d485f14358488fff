//! Deliveries that were refused while none was ever proved: this is what a secret that is wrong or in the wrong form
//! looks like, and otherwise only the vendor would hear of it. Once one was proved, the secret is right, and what is
//! refused comes from other senders.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use renmen_schema::manifest::{KeyForm, Manifest};

/// Between two lines of the log: anybody who knows the address can cause them.
const TOLD_EVERY: Duration = Duration::from_secs(3600);

/// What was refused since the start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedDeliveries {
    /// The number of refused deliveries.
    pub count: u64,
    /// When the first came. Milliseconds since the epoch.
    pub since_ms: i64,
    /// What to look at; names slots, and never what is in them.
    pub message: String,
}

#[derive(Default)]
pub(crate) struct RefusedTally(Mutex<State>);

#[derive(Default)]
struct State {
    proved: bool,
    count: u64,
    since_ms: i64,
    told: Option<Instant>,
}

impl RefusedTally {
    /// One is known to be the vendor's.
    pub(crate) fn proved(&self) {
        *self.0.lock() = State { proved: true, ..State::default() };
    }

    /// One was refused as not proved. True: say so in the log now.
    pub(crate) fn refused(&self, at: Instant, at_ms: i64) -> bool {
        let mut state = self.0.lock();
        if state.proved {
            return false;
        }
        if state.count == 0 {
            state.since_ms = at_ms;
        }
        state.count = state.count.saturating_add(1);
        let due = state.told.is_none_or(|told| at.saturating_duration_since(told) >= TOLD_EVERY);
        if due {
            state.told = Some(at);
        }
        due
    }

    /// None while there is nothing to tell.
    pub(crate) fn told(&self, manifest: &Manifest) -> Option<RefusedDeliveries> {
        let state = self.0.lock();
        (state.count > 0).then(|| RefusedDeliveries {
            count: state.count,
            since_ms: state.since_ms,
            message: message(manifest),
        })
    }
}

/// What to look at, with the form that each slot wants.
fn message(manifest: &Manifest) -> String {
    let mut text = "no delivery has been proved since the start, and some were refused. If the vendor sent them, compare the clocks and \
                    give the vendor's secret again"
        .to_owned();
    let slots = manifest.webhook.iter().flat_map(|webhook| &webhook.slots);
    for (n, slot) in slots.enumerate() {
        let Some(seal) = manifest.slots.get(slot).and_then(|slot| slot.seal) else { continue };
        let form = match seal.scheme.key_form() {
            KeyForm::Base64 => "base64, with or without `whsec_`; plain text must be encoded as base64 first",
            KeyForm::Raw | KeyForm::Sha256 => "the text itself, as the vendor shows it",
        };
        // A text can always be written to.
        let _ = write!(text, "{} slot `{slot}` wants {form}", if n == 0 { ":" } else { ";" });
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn manifest() -> Manifest {
        Manifest::parse(
            r#"
name = "x"
version = "0.1.0"
description = "x"
contract = "0.2.0"
[webhook]
description = "x"
slots = ["secret", "token"]
[slots.secret]
description = "x"
seal = { scheme = "hmac-sha256:base64", use = "verify" }
[slots.token]
description = "x"
seal = { scheme = "hmac-sha256", use = "verify" }
"#,
        )
        .unwrap()
    }

    #[test]
    fn what_is_refused_before_anything_is_proved_is_told_with_the_form_that_each_slot_wants() {
        let refused = RefusedTally::default();
        assert_eq!(refused.told(&manifest()), None);
        let now = Instant::now();
        assert!(refused.refused(now, 5));
        assert!(!refused.refused(now + Duration::from_secs(60), 6), "a line an hour");
        assert!(refused.refused(now + TOLD_EVERY, 7));
        let told = refused.told(&manifest()).unwrap();
        assert_eq!((told.count, told.since_ms), (3, 5));
        assert!(told.message.contains("slot `secret` wants base64, with or without `whsec_`"), "{}", told.message);
        assert!(told.message.contains("slot `token` wants the text itself"), "{}", told.message);
    }

    #[test]
    fn after_one_that_was_proved_the_others_are_not_the_vendors() {
        let refused = RefusedTally::default();
        refused.refused(Instant::now(), 5);
        refused.proved();
        assert_eq!(refused.told(&manifest()), None);
        assert!(!refused.refused(Instant::now(), 6));
        assert_eq!(refused.told(&manifest()), None);
    }
}
