//! What comes back from storage, and what a webhook brings to be verified.

use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{
    Connection, ConnectionSpec, Egress, EgressLimits, Exchange, Incoming, OperatorGrant, Response, SlotSpec, pack,
    unpack_within,
};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::{HttpWish, Manifest};
use renmen_vault::Secret;

use crate::{target, target_from};

/// What a small packed exchange may unpack to. Bytes.
const UNPACKED_BYTES_MAX: u64 = 1 << 20;

#[test]
fn packed_exchange() {
    let body = br#"{"data":[{"id":"1"}]}"#;
    let exchange = Exchange {
        method: "POST".into(),
        url: "https://vendor.example/list?page=1".into(),
        request_headers: vec![("accept".into(), "application/json".into())],
        request_body: Some(body.to_vec().into()),
        response: Response { status: 200, headers: vec![("link".into(), "<x>".into())], body: body.to_vec().into() },
        at_ms: 1_767_225_600_000,
        took_ms: 7,
    };
    target_from(&[pack(&exchange)], |bytes| {
        if let Ok(exchange) = unpack_within(bytes, UNPACKED_BYTES_MAX) {
            assert!(exchange.response.body.len() as u64 <= UNPACKED_BYTES_MAX);
            let again = unpack_within(&pack(&exchange), UNPACKED_BYTES_MAX * 4).unwrap();
            assert_eq!((again.url, again.response.body), (exchange.url, exchange.response.body));
        }
    });
}

#[test]
fn sealed_text_and_signature() {
    let connection = connection();
    let slot = SlotName::new("key").unwrap();
    let seal = connection.seal();
    let proof = Manifest::parse(SEALED).unwrap().webhook.unwrap().proof.unwrap();
    let config = serde_json::json!({});
    target("sealed", |bytes| {
        // A query, a line's end, and a body.
        let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
        let query = String::from_utf8_lossy(&bytes[..end]);
        let rest = bytes.get(end + 1..).unwrap_or_default();
        let signed = seal.sign(&slot, &[rest]).unwrap();
        let matches = |signature: &[u8]| {
            let mut verifying = seal.verifying(&slot).unwrap();
            verifying.update(rest);
            verifying.matches(signature)
        };
        assert!(matches(&signed) && !matches(&signed[1..]), "a part of a signature was taken");
        let incoming = Incoming {
            path_and_query: &query,
            headers: &[],
            body: rest,
            received_at_ms: 1_445_827_045_067,
            window_ms: 1,
        };
        assert!(seal.prove(&proof, &config, &incoming).is_err(), "something made up was taken for the vendor's");
    });
}

/// Slots in the order of their secrets below.
const SEALED: &str = r#"
name = "sealed"
version = "1.0.0"
description = "x"
contract = "0.2.0"
[slots.key]
description = "x"
seal = { scheme = "hmac-sha256", use = "sign" }
[slots.token]
description = "x"
seal = { scheme = "sha1-sorted", use = "host" }
[slots.window]
description = "x"
seal = { scheme = "aes-256-cbc-key-iv:base64", use = "host" }
[webhook]
description = "x"
[webhook.proof]
slot = "token"
signature = { query = ["signature"] }
signed = [{ is = "time_ms", at = { query = ["timestamp"] } }, { is = "nonce", at = { query = ["nonce"] } }, { is = "cipher" }]
open = { slot = "window", cipher = "/encrypt" }
"#;

fn connection() -> Arc<Connection> {
    let spec = ConnectionSpec {
        tenant: TenantId::new("default").unwrap(),
        connection: ConnectionName::new("fuzz").unwrap(),
        wish: HttpWish { hosts: vec!["https://vendor.example".into()], ..HttpWish::default() },
        grant: OperatorGrant { hosts: None, methods: None, plaintext: false, addresses: vec![], drop: None },
        limits: EgressLimits {
            request_timeout: Duration::from_secs(1),
            response_bytes_max: 1 << 20,
            request_bytes_max: 1 << 20,
            retries_max: 0,
            retry_wait_max: Duration::from_millis(1),
            parallel_max: 1,
            rate: None,
            budget: None,
            logs: renmen_egress::LogLimits::default(),
        },
        slots: Manifest::parse(SEALED)
            .unwrap()
            .slots
            .into_iter()
            .zip(["a key of its own", "a token of its own", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="])
            .map(|((name, wish), secret)| {
                let secret = Some(Secret::new(secret.into()));
                (name, SlotSpec { secret, to: None, audience: vec![], auth: None, seal: wish.seal, public: vec![] })
            })
            .collect(),
        config: serde_json::json!({}),
    };
    Egress::new().unwrap().connect(spec).unwrap()
}
