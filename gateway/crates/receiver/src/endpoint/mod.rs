//! Outgoing events: every change of the records that an endpoint may have, each as one CloudEvent: sent to its URL by the Standard
//! Webhooks specification, or written to a topic of its Kafka cluster.
//!
//! Owns the event, its signatures, the times of its attempts, what the receiver's answer means, and the life of the endpoints that
//! are made over the API ([`EndpointRegistry`]). Order, durability and the dead letter are the outbox's: an endpoint is a [`Destination`](renmen_flow::Destination) like any other, fed by a flow of its own.

mod definition;
mod destination;
mod error;
mod event;
mod registry;
mod signature;
mod signing;
mod switch;
mod topic;

use std::time::Duration;

use renmen_flow::{Retries, RetrySchedule};

pub use definition::EndpointDefinition;
pub use destination::{Endpoint, EndpointOptions};
pub use error::EndpointError;
pub use renmen_vault::Secret as SigningSecret;

pub use registry::{ConfiguredEndpoint, EndpointNames, EndpointParts, EndpointRegistry, EndpointView, OpenVault};
pub use signature::ENDPOINT_SEAL;
pub use switch::{StoredSwitch, Switch};
pub use topic::{EventMode, TopicEndpoint, TopicOptions};

/// The action of every endpoint. Its input is the record, reduced to what the endpoint may have.
pub const SEND: &str = "event.send";

/// The slot of the secret that signs.
pub const SECRET: &str = "secret";

/// The slot of the secret before it, while that still signs too.
pub const PREVIOUS_SECRET: &str = "previous_secret";

/// Seconds before the second, third, … attempt: quickly first, for a receiver that restarts; then for as long as an
/// operator needs to notice, over a night and a morning (at least 8 attempts over at least 27 hours, even when every
/// wait is drawn a tenth shorter).
const WAITS_S: [u64; 9] = [5, 60, 5 * 60, 30 * 60, 2 * 3_600, 4 * 3_600, 6 * 3_600, 8 * 3_600, 10 * 3_600];

/// When an event that was not taken is sent again.
#[must_use]
pub fn retries() -> Retries {
    let waits = WAITS_S.map(Duration::from_secs).to_vec();
    Retries { attempts_max: u32::try_from(waits.len()).unwrap_or(u32::MAX) + 1, schedule: RetrySchedule::Steps(waits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_attempts_go_on_for_more_than_27_hours_f10() {
        let Retries { attempts_max, schedule: RetrySchedule::Steps(waits) } = retries() else { panic!() };
        assert!(attempts_max >= 8 && waits.len() as u32 == attempts_max - 1);
        let shortest: Duration = waits.iter().sum::<Duration>() * 9 / 10;
        assert!(shortest >= Duration::from_secs(27 * 3_600), "{shortest:?}");
        assert!(waits.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
