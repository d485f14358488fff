//! Events: read in [`open`], understood in [`meaning`]. The gateway has proved and opened them before.

mod meaning;
mod open;

use renmen_plugin::{Delivery, Failure, Outcome};
use serde_json::json;

use open::Opened;

/// # Errors
/// `AuthRequired` for what the gateway did not open, `InvalidInput` for an event of an unknown shape.
pub(crate) fn receive(delivery: &Delivery) -> Result<Outcome, Failure> {
    match open::open(delivery)? {
        // Asked once, when an address is entered in the vendor's console.
        Opened::Challenge(challenge) => Ok(Outcome::json(json!({ "challenge": challenge }).to_string())),
        Opened::Event(event) => {
            let Outcome { records, rejects, refresh, .. } = meaning::of(&event);
            let answered = Outcome::json(r#"{"msg":"success"}"#).with_id(event.id);
            Ok(Outcome { records, rejects, refresh, ..answered })
        }
    }
}
