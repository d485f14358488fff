//! What comes back from storage, and what a webhook brings to be verified.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{
    Connection, ConnectionSpec, Egress, EgressLimits, Exchange, OperatorGrant, Part, Response, SlotSpec, pack,
    unpack_within,
};
use renmen_schema::id::{ConnectionName, SlotName, TenantId};
use renmen_schema::manifest::HttpWish;
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
    target("sealed", |bytes| {
        // A scheme, a line's end, and what is to be decrypted or verified.
        let end = bytes.iter().position(|b| *b == b'\n').unwrap_or(bytes.len());
        let scheme = String::from_utf8_lossy(&bytes[..end]);
        let rest = bytes.get(end + 1..).unwrap_or_default();
        let parts = [Part::Bytes(rest.to_vec()), Part::Key];
        if let Ok(signed) = seal.sign(&slot, &scheme, &parts) {
            assert!(seal.verify(&slot, &scheme, &parts, &signed).unwrap());
            assert!(!seal.verify(&slot, &scheme, &parts, &signed[1..]).unwrap(), "a part of a signature was taken");
        }
        let _ = seal.decrypt(&slot, &scheme, rest);
        if let Ok(cipher) = seal.encrypt(&slot, &scheme, rest) {
            assert_eq!(seal.decrypt(&slot, &scheme, &cipher).unwrap(), rest);
        }
    });
}

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
            logs: renmen_egress::LogLimits::default(),
        },
        // 32 bytes, and as base64 too: every key form has something to read.
        slots: BTreeMap::from([(
            SlotName::new("key").unwrap(),
            SlotSpec {
                secret: Some(Secret::new("0123456789abcdef0123456789abcdef".into())),
                to: None,
                audience: vec![],
                auth: None,
                public: vec![],
            },
        )]),
        config: serde_json::json!({}),
    };
    Egress::new().unwrap().connect(spec).unwrap()
}
