//! The connection of a test: the grant is what the manifest asks for, on this machine.

use std::time::Duration;

use renmen_egress::{ConnectionSpec, EgressLimits, OperatorGrant};
use renmen_plugin_host::Plugin;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{ConformanceError, secrets};

/// The connection of a test: canaries in its slots, and plain http on this machine.
pub(super) fn spec_of(
    plugin: &Plugin,
    config: &serde_json::Value,
    request_timeout: Duration,
) -> Result<ConnectionSpec, ConformanceError> {
    let manifest = plugin.manifest();
    let loopback = ["127.0.0.0/8".parse(), "::1/128".parse()];
    Ok(ConnectionSpec {
        tenant: TenantId::new("conformance").map_err(|bad| ConformanceError::Usage(bad.to_string()))?,
        connection: ConnectionName::new("conformance").map_err(|bad| ConformanceError::Usage(bad.to_string()))?,
        wish: manifest.http.clone(),
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: true,
            addresses: loopback.into_iter().flatten().collect(),
            drop: None,
        },
        limits: EgressLimits {
            request_timeout,
            response_bytes_max: 16 << 20,
            request_bytes_max: 4 << 20,
            // The first answer is the one that is judged.
            retries_max: 0,
            retry_wait_max: Duration::from_millis(1),
            parallel_max: 8,
            rate: None,
            budget: None,
            logs: renmen_egress::LogLimits::default(),
        },
        slots: secrets::slots(manifest),
        config: config.clone(),
    })
}
