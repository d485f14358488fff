//! Examples of signatures that vendors and specifications publish, against the mappings of the connectors.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use renmen_declarative::author::read;
use renmen_plugin::testing::Host;
use renmen_plugin::{Delivery, Failure, FailureKind, Outcome};
use serde_json::json;
use sha1::Sha1;
use sha2::Sha256;

use crate::world::{Declared, embed, told};

fn connector(name: &str) {
    let file = format!("{}/../connectors/{name}/mapping.toml", env!("CARGO_MANIFEST_DIR"));
    let checked =
        read(&std::fs::read_to_string(file).unwrap(), None).unwrap_or_else(|wrong| panic!("{}", told(&wrong)));
    embed(&checked.embedded);
}

/// What the vendor published: headers, body, and when that was.
fn delivery(headers: &[(&str, &str)], body: &str, seconds: i64) -> Delivery {
    Delivery {
        method: "POST".into(),
        headers: headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        body: body.as_bytes().to_vec(),
        received_at_ms: seconds * 1000,
        ..Delivery::default()
    }
}

/// The delivery as published is taken; with another body it is not.
fn only_as_published(host: &Host, published: &Delivery) {
    taken(host, published.clone()).unwrap();
    let mut forged = published.clone();
    forged.body.push(b' ');
    assert_eq!(taken(host, forged).unwrap_err().kind, FailureKind::AuthRequired);
}

/// Nor is it a year later, where the signature covers a time.
fn only_in_time(host: &Host, published: &Delivery) {
    let late = Delivery { received_at_ms: published.received_at_ms + 31_536_000_000, ..published.clone() };
    assert_eq!(taken(host, late).unwrap_err().kind, FailureKind::AuthRequired);
}

fn taken(host: &Host, delivery: Delivery) -> Result<Outcome, Failure> {
    host.receive::<Declared>(&json!({ "base_url": "https://hr.example" }), delivery)
}

#[test]
fn the_example_of_standard_webhooks_is_proved_by_the_portals_mapping() {
    connector("portal");
    let host = Host::new().on_seal(|call| {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&STANDARD.decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap()).unwrap();
        call.parts.iter().for_each(|part| mac.update(part));
        Ok(mac.finalize().into_bytes().to_vec())
    });
    let headers = [
        ("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek"),
        ("webhook-timestamp", "1614265330"),
        ("webhook-signature", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    ];
    let published = delivery(&headers, r#"{"test": 2432232314}"#, 1_614_265_330);
    only_as_published(&host, &published);
    only_in_time(&host, &published);
}

#[test]
fn the_example_of_showmebug_is_proved_by_its_mapping() {
    connector("showmebug");
    let host = Host::new().on_seal(|call| {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"secret").unwrap();
        call.parts.iter().for_each(|part| mac.update(part));
        Ok(mac.finalize().into_bytes().to_vec())
    });
    let headers = [("Smb-Signature", "9B3EF6548095106634DA41E326747C0251761C62")];
    let body = r#"{"event":"interview_ended","ts":1593676655,"payload":{"uid":"ABCDEF","rate":5}}"#;
    let published = delivery(&headers, body, 1_593_676_655);
    only_as_published(&host, &published);
    only_in_time(&host, &published);
}

#[test]
fn the_example_of_moka_is_proved_by_its_mapping() {
    connector("moka");
    let host = Host::new().on_seal(|call| {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"qwer").unwrap();
        call.parts.iter().for_each(|part| mac.update(part));
        Ok(mac.finalize().into_bytes().to_vec())
    });
    let mut published = delivery(&[], r#"{"name":"test","email":"test@mokahr.com"}"#, 1_712_102_400);
    published.path_and_query = "?sign=7d6981ccf0d789e29e4f5940fe9a7e9385d8a211ad44ecaaba335fb14dd2a32d".into();
    only_as_published(&host, &published);
}
