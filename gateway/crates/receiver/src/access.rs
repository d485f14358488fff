//! Which hosts a receiver may reach, and how much of it: those of its own URLs and nothing else. Nothing is repeated here, because
//! the delivery is; and little is read of an answer, because what a receiver has to say is in its status.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ipnet::IpNet;
use renmen_egress::{ConnectionSpec, EgressLimits, LogLimits, OperatorGrant, SlotSpec};
use renmen_flow::{Destination, DestinationEntry};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::{HttpWish, Rate};
use url::Url;

/// Bytes read of an answer.
const ANSWER_BYTES_MAX: u64 = 64 * 1024;

/// What one attempt may take beyond its request: signing, waiting for its turn.
const PUSH_MARGIN: Duration = Duration::from_secs(5);

/// What an operator opens for a receiver. By default public addresses over https alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReceiverGrant {
    /// Plain http too.
    pub plaintext: bool,
    /// Address ranges that are otherwise refused.
    pub addresses: Vec<IpNet>,
}

/// The limits of a receiver, each with its key under `[limits]`.
#[derive(Debug, Clone)]
pub struct ReceiverLimits {
    /// For one request, from its start to the last byte of the answer.
    pub request_timeout: Duration,
    /// Bytes of one answer.
    pub response_bytes_max: u64,
    /// Bytes of one request.
    pub request_bytes_max: u64,
    /// Attempts at the same time.
    pub parallel_max: u32,
    /// Requests in a period; none: no limit.
    pub rate: Option<Rate>,
    /// What may be written about it into the log.
    pub logs: LogLimits,
}

impl ReceiverLimits {
    /// A destination under these limits, as flows see it.
    #[must_use]
    pub fn entry(&self, destination: Arc<dyn Destination>) -> DestinationEntry {
        let mut entry = DestinationEntry::new(destination);
        entry.parallel_max = self.parallel_max;
        entry.push_timeout = self.request_timeout.saturating_mul(2).saturating_add(PUSH_MARGIN);
        entry
    }
}

/// What egress must know of a receiver.
///
/// # Errors
/// A URL whose host cannot be read. Of a URL with templates the part before the first one counts.
pub fn connection_spec(
    (tenant, name): (&TenantId, &ConnectionName),
    urls: &[&str],
    grant: &ReceiverGrant,
    limits: &ReceiverLimits,
    slots: BTreeMap<SlotName, SlotSpec>,
) -> Result<ConnectionSpec, url::ParseError> {
    let origin = |url: &&str| {
        let url = Url::parse(url.split("{{").next().unwrap_or_default())?;
        Ok(url.origin().ascii_serialization())
    };
    Ok(ConnectionSpec {
        tenant: tenant.clone(),
        connection: name.clone(),
        wish: HttpWish {
            hosts: urls.iter().map(origin).collect::<Result<_, url::ParseError>>()?,
            methods: ["POST", "PUT", "GET"].map(str::to_owned).into(),
            ..HttpWish::default()
        },
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: grant.plaintext,
            addresses: grant.addresses.clone(),
            drop: None,
        },
        limits: EgressLimits {
            request_timeout: limits.request_timeout,
            response_bytes_max: limits.response_bytes_max.min(ANSWER_BYTES_MAX),
            request_bytes_max: limits.request_bytes_max,
            retries_max: 0,
            retry_wait_max: Duration::ZERO,
            parallel_max: limits.parallel_max,
            rate: limits.rate,
            budget: None,
            logs: limits.logs,
        },
        slots,
        config: serde_json::json!({}),
    })
}
