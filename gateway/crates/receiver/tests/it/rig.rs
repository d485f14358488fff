//! What the tests push and through what: connections to the loopback, a switch, a delivery.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use parking_lot::Mutex;
use renmen_egress::{Connection, ConnectionSpec, Egress, EgressLimits, OperatorGrant, SlotSpec};
use renmen_flow::{Cause, Push};
use renmen_receiver::endpoint::{ENDPOINT_SEAL, Switch};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::HttpWish;
use renmen_store::{ChangeKind, EndpointOff};
use renmen_vault::Secret;
use serde_json::Value;

/// 2026-11-22T01:20:00Z.
pub(crate) const NOW_MS: i64 = 1_795_310_400_000;

pub(crate) fn push(action: &str, input: &Value) -> Push {
    Push {
        tenant: TenantId::new("acme").unwrap(),
        delivery: 7,
        cause: Cause {
            flow: "endpoint-hr".into(),
            flow_version: 1,
            seq: 42,
            kind: ChangeKind::Updated,
            record: "0192e5c0-0000-7000-8000-000000000001".parse().unwrap(),
            entity: "employee".into(),
            connection: "people".into(),
            revision: 3,
            at_ms: NOW_MS - 2_000,
        },
        action: action.into(),
        idempotency_key: "00112233445566778899aabbccddeeff".into(),
        attempt: 1,
        input: serde_json::to_vec(input).unwrap().into(),
        now_ms: NOW_MS,
    }
}

/// A way to these origins on the loopback, in plain http.
pub(crate) fn spec(origins: &[String], slots: &[(&str, &str)]) -> ConnectionSpec {
    let slot = |(name, secret): &(&str, &str)| {
        let secret = Some(Secret::new((*secret).to_owned()));
        let spec =
            SlotSpec { secret, to: None, audience: vec![], auth: None, public: vec![], seal: Some(ENDPOINT_SEAL) };
        (SlotName::new(name).unwrap(), spec)
    };
    ConnectionSpec {
        tenant: TenantId::new("acme").unwrap(),
        connection: ConnectionName::new("hr").unwrap(),
        wish: HttpWish { hosts: origins.to_vec(), methods: vec!["POST".into(), "GET".into()], ..HttpWish::default() },
        grant: OperatorGrant {
            hosts: None,
            methods: None,
            plaintext: true,
            addresses: vec!["127.0.0.0/8".parse().unwrap()],
            drop: None,
        },
        limits: EgressLimits {
            request_timeout: Duration::from_millis(500),
            response_bytes_max: 1_000,
            request_bytes_max: 100_000,
            retries_max: 0,
            retry_wait_max: Duration::ZERO,
            parallel_max: 4,
            rate: None,
            budget: None,
            logs: renmen_egress::LogLimits::default(),
        },
        slots: slots.iter().map(slot).collect(),
        config: serde_json::json!({}),
    }
}

pub(crate) fn connect(spec: ConnectionSpec) -> Arc<Connection> {
    Egress::new().unwrap().connect(spec).unwrap()
}

/// A switch in memory.
#[derive(Default)]
pub(crate) struct Lever(pub(crate) Mutex<Option<EndpointOff>>);

#[async_trait]
impl Switch for Lever {
    async fn off(&self) -> Result<Option<EndpointOff>, String> {
        Ok(self.0.lock().clone())
    }
    async fn switch_off(&self, off: EndpointOff) -> Result<(), String> {
        *self.0.lock() = Some(off);
        Ok(())
    }
}
