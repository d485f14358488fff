//! A connector can neither read a secret nor send one: canaries in every form, an echoing vendor, and the log.

use std::io::{self, Write};
use std::sync::Arc;

use parking_lot::Mutex;
use renmen_egress::{EgressError, NoTape, Request, pack};
use renmen_vault::Secret;
use tracing_subscriber::fmt::MakeWriter;

use crate::support::{Act, Memory, Vendor, connect, get, ok, post, slot, spec, static_slot, to, with_slot};

const CANARY: &str = "canary-7f3a+/secret-c0d24b58";

/// What a curious connector could look for or send, and what vendors make of a text that they print. Every disguise that is
/// promised is in the unit tests of the search; these are the ones that travel.
fn forms() -> Vec<String> {
    use base64::Engine as _;
    let standard = |text: &str| base64::engine::general_purpose::STANDARD.encode(text);
    let each = |write: fn(u8) -> String| CANARY.bytes().map(write).collect::<String>();
    vec![
        CANARY.into(),
        CANARY.to_ascii_uppercase(),
        CANARY.chars().rev().collect(),
        standard(CANARY).trim_end_matches('=').into(),
        standard(&standard(CANARY)),
        hex::encode(CANARY),
        hex::encode_upper(CANARY),
        url::form_urlencoded::byte_serialize(CANARY.as_bytes()).collect(),
        each(|byte| format!("%{byte:02X}")),
        each(|byte| format!("%25{byte:02x}")),
        CANARY.replace('+', "\\u002b").replace('/', "\\/"),
        CANARY.replace('+', "&#x2B;").replace('/', "&sol;"),
        CANARY.replace('-', " - "),
    ]
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
        let body = post(vendor.url("/"), &format!("{{\"a\":\"{form}\"}}"));
        for request in [header, body, get(vendor.url(&format!("/?q={form}")))] {
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
        assert_eq!(exchange.response.body, "[\"[redacted]\"]", "{form}");
        let echo = exchange.response.headers.iter().find(|(name, _)| name == "x-echo");
        assert_eq!(echo.map(|(_, value)| value.as_str()), Some("a [redacted] b"), "{form}");
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
    assert!(text.contains("Request completed") && text.contains("/staff") && text.contains("slot=\"app\""), "{text}");
    for absent in ["13800000000", "a person's data", "canary"] {
        assert!(!text.contains(absent), "{absent} in {text}");
    }
}

#[tokio::test]
async fn refused_requests_are_told_shortly_and_a_flood_of_them_is_counted() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let mut spec = spec(&[vendor.url("")]);
    spec.limits.request_bytes_max = 8 << 20;
    let connection = connect(spec);
    let method = format!("GET\r\nfake: line\u{1b}[2J{}", "A".repeat(4 << 20));
    for _ in 0..100 {
        let error =
            connection.send(Request { method: method.clone(), ..get(vendor.url("/")) }, &NoTape).await.unwrap_err();
        assert!(matches!(&error, EgressError::BadRequest(why) if why.len() < 200), "{error}");
    }
    let text = String::from_utf8(log.0.lock().clone()).unwrap();
    assert!(text.len() < 12 << 10, "{} bytes of log", text.len());
    assert!(text.contains(r#"method="invalid""#) && !text.contains('\u{1b}') && !text.contains("AAAA"), "{text}");
    assert_eq!(text.lines().count(), 20, "{text}");
    assert!(
        text.lines().all(|line| line.contains("Request refused")) && text.contains("refusals_logged_per_minute"),
        "{text}"
    );
    assert_eq!(vendor.connected(), 0);
    // A good request is still sent, and logged.
    assert!(connection.send(get(vendor.url("/")), &NoTape).await.is_ok());
    assert!(String::from_utf8(log.0.lock().clone()).unwrap().contains("Request completed"));
}

#[tokio::test]
async fn the_method_counts_towards_the_size_of_a_request() {
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let connection = connect(spec(&[vendor.url("")]));
    let url = vendor.url("/");
    let method = |bytes: usize| Request { method: "A".repeat(bytes), ..get(url.clone()) };
    let error = connection.send(method(10_001 - url.len()), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::Limit { limit: "request_bytes_max", .. }), "{error}");
    let error = connection.send(method(10_000 - url.len()), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::BadRequest(_)), "{error}");
}

#[tokio::test]
async fn what_a_connector_asks_for_is_escaped_and_cut_in_the_log() {
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt().with_writer(log.clone()).with_ansi(false).finish();
    let _logging = tracing::subscriber::set_default(subscriber);
    let vendor = Vendor::start(vec![ok("{}")]).await;
    let connection = to(&vendor);
    let long = "p".repeat(5_000);
    for request in [
        get(format!("https://elsewhere.test/{long}")),
        get(format!("{}://x/", "s".repeat(5_000))),
        Request { headers: vec![(format!("bad name\u{202e}{long}"), "v".into())], ..get(vendor.url("/")) },
        Request { headers: vec![(format!("proxy-{long}"), "v".into())], ..get(vendor.url("/")) },
        get(format!("https://{}.test/\u{202e}\u{1b}", "h".repeat(60))),
    ] {
        connection.send(request, &NoTape).await.unwrap_err();
    }
    let text = String::from_utf8(log.0.lock().clone()).unwrap();
    assert_eq!(text.lines().count(), 5, "{text}");
    assert!(text.lines().all(|line| line.len() < 1_200) && !text.contains(['\u{202e}', '\u{1b}']), "{text}");
}
