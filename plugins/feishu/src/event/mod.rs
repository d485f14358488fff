//! Events: opened and proven in [`open`], understood in [`meaning`].

mod meaning;
mod open;

use renmen_plugin::{Delivery, Failure, Outcome};
use serde_json::json;

use crate::Config;
use open::Opened;

/// # Errors
/// `AuthRequired` for what the vendor did not send, or not lately.
pub(crate) fn receive(config: &Config, delivery: &Delivery) -> Result<Outcome, Failure> {
    match open::open(config, delivery)? {
        // Asked once, when an address is entered in the vendor's console.
        Opened::Challenge(challenge) => Ok(Outcome::json(json!({ "challenge": challenge }).to_string())),
        Opened::Event(event) => {
            let Outcome { records, rejects, refresh, .. } = meaning::of(&event);
            let answered = Outcome::json(r#"{"msg":"success"}"#).with_id(event.id);
            Ok(Outcome { records, rejects, refresh, ..answered })
        }
    }
}
