//! A connector can neither read a secret nor send one (F14): canaries in every form, an echoing vendor, and the log.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_egress::{EgressError, NoTape, Request, pack};
use renmen_vault::Secret;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Act, Memory, Vendor, connect, get, ok, post, slot, spec, static_slot, with_slot};

const CANARY: &str = "canary-7f3a+/secret";

/// What a curious connector could look for or send.
fn forms() -> Vec<String> {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD.encode(CANARY);
    let url: String = url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect();
    vec![CANARY.into(), base64.trim_end_matches('=').into(), hex::encode(CANARY), hex::encode_upper(CANARY), url]
}

fn with_canary(vendor: &Vendor) -> Arc<renmen_egress::Connection> {
    let mut spec = spec(&[vendor.url("")]);
    spec.slots.insert(slot("app"), static_slot(CANARY, "x-api-key"));
    connect(spec)
}

#[tokio::test]
async fn a_secret_in_what_a_connector_sends_is_refused_by_slot_f14() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let connection = with_canary(&vendor);
    for form in forms() {
        let header = Request { headers: vec![("x-note".into(), form.clone())], ..get(vendor.url("/")) };
        for request in
            [header, post(vendor.url("/"), &format!("{{\"a\":\"{form}\"}}")), get(vendor.url(&format!("/?q={form}")))]
        {
            let error = connection.send(request, &NoTape).await.unwrap_err();
            assert!(
                matches!(&error, EgressError::NotGranted(why) if why.contains("`app`") && !why.contains("canary")),
                "{error}"
            );
        }
    }
    assert_eq!(vendor.connected(), 0);
    assert!(connection.send(get(vendor.url("/?q=canary")), &NoTape).await.is_ok());
}

#[tokio::test]
async fn an_echoed_secret_is_taken_out_of_answer_exchange_and_storage_f14() {
    let vendor = Vendor::start(vec![Act::Echo]).await;
    let tape = Memory::default();
    let exchange = with_canary(&vendor).send(with_slot(get(vendor.url("/")), "app"), &tape).await.unwrap();
    assert!(vendor.requests.lock()[0].contains(CANARY));
    let body = String::from_utf8(exchange.response.body.to_vec()).unwrap();
    assert!(body.contains("x-api-key: [redacted]\r\n"), "{body}");
    assert!(!format!("{exchange:?}").contains("canary"));
    assert!(!String::from_utf8_lossy(&pack(&exchange)).contains("canary"));
}

#[tokio::test]
async fn every_form_in_an_answers_headers_and_body_is_taken_out_f14() {
    for form in forms() {
        let vendor = Vendor::start(vec![crate::support::reply(
            200,
            &format!("x-echo: a {form} b\r\n"),
            &format!("[\"{form}\"]"),
        )])
        .await;
        let exchange = with_canary(&vendor).send(get(vendor.url("/")), &NoTape).await.unwrap();
        assert_eq!(exchange.response.body, "[\"[redacted]\"]");
        assert!(exchange.response.headers.contains(&("x-echo".into(), "a [redacted] b".into())));
    }
}

#[tokio::test]
async fn redact_debug_and_errors_show_no_secret_f14() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let connection = with_canary(&vendor);
    for form in forms() {
        assert_eq!(connection.redact(&format!("panicked at {form}!")), "panicked at [redacted]!");
    }
    let mut spec = spec(&[vendor.url("")]);
    spec.slots.insert(slot("app"), static_slot(CANARY, "x-api-key"));
    let shown = format!("{connection:?} {:?} {spec:?}", connection.seal());
    assert!(!shown.contains("canary"), "{shown}");
}

#[tokio::test]
async fn a_secret_that_is_no_header_fails_without_being_shown() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let mut spec = spec(&[vendor.url("")]);
    let broken =
        renmen_egress::SlotSpec { secret: Some(Secret::new("canary\nbroken".into())), ..static_slot("", "x-api-key") };
    spec.slots.insert(slot("app"), broken);
    let error = connect(spec).send(with_slot(get(vendor.url("/")), "app"), &NoTape).await.unwrap_err();
    assert!(matches!(&error, EgressError::Auth(why) if !why.contains("canary")), "{error}");
    assert_eq!(vendor.hits(), 0);
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().extend_from_slice(bytes);
        Ok(bytes.len())
    }
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;
    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn the_log_tells_of_each_request_and_holds_no_secret_query_or_body_f14() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_writer(log.clone())
        .with_ansi(false)
        .finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let vendor = Vendor::start(vec![Act::Echo]).await;
    let connection = with_canary(&vendor);
    connection
        .send(with_slot(post(vendor.url("/staff?phone=13800000000"), "a person's data"), "app"), &NoTape)
        .await
        .unwrap();
    connection.send(get(vendor.url(&format!("/?q={CANARY}"))), &NoTape).await.unwrap_err();
    let text = String::from_utf8(log.0.lock().clone()).unwrap();
    assert!(text.contains("Request answered") && text.contains("/staff") && text.contains("slot=\"app\""), "{text}");
    for absent in ["13800000000", "a person's data", "canary"] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
}
