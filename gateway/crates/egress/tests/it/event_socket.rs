//! The connection on which a vendor sends its events: opened by the rules of every request, answered frame by frame.

use std::sync::Arc;

use futures_util::{SinkExt, StreamExt};
use renmen_egress::{Connection, ConnectionSpec, EgressError, EventVerdict, SlotSpec};
use renmen_schema::manifest::{AuthRecipe, EventSocketManifest};
use renmen_vault::Secret;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;

use crate::support::{Act, Vendor, connect, ok, reply, shipped_socket, slot, spec};

const SECRET: &str = "canary-app-secret-77";

type Server = WebSocketStream<TcpStream>;

/// A vendor whose open call names a WebSocket of its own.
async fn vendor() -> (Vendor, TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("ws://{}/connect", listener.local_addr().unwrap());
    let vendor = Vendor::start(vec![opens(&endpoint)]).await;
    (vendor, listener, endpoint.replace("ws:", "http:").replace("/connect", ""))
}

fn opens(endpoint: &str) -> Act {
    ok(&json!({ "endpoint": endpoint, "ticket": "ticket+of/canary" }).to_string())
}

fn wish(vendor: &Vendor, hosts: &[String]) -> EventSocketManifest {
    EventSocketManifest {
        open_url: vendor.url("/v1.0/gateway/connections/open"),
        hosts: [&[vendor.url("")], hosts].concat(),
        ..shipped_socket()
    }
}

fn app_spec(vendor: &Vendor) -> ConnectionSpec {
    let mut spec = spec(&[vendor.url("")]);
    let secret = json!({ "client_id": "dingapp", "client_secret": SECRET }).to_string();
    let auth = AuthRecipe::Basic {};
    let secret = Some(Secret::new(secret));
    let slot_spec =
        SlotSpec { secret, to: None, audience: vec![vendor.url("")], auth: Some(auth), public: vec![], seal: None };
    spec.slots.insert(slot("app"), slot_spec);
    spec
}

fn app(vendor: &Vendor) -> Arc<Connection> {
    connect(app_spec(vendor))
}

async fn accept(listener: &TcpListener) -> Server {
    let (tcp, _) = listener.accept().await.unwrap();
    tokio_tungstenite::accept_async(tcp).await.unwrap()
}

fn event(id: &str) -> Message {
    let headers = json!({ "messageId": id, "eventType": "user_add_org", "eventId": "e", "topic": "*" });
    Message::text(
        json!({ "specVersion": "1.0", "type": "EVENT", "headers": headers, "data": "{\"userId\":[\"u1\"]}" })
            .to_string(),
    )
}

async fn said(server: &mut Server) -> Value {
    serde_json::from_str(server.next().await.unwrap().unwrap().to_text().unwrap()).unwrap()
}

#[tokio::test]
async fn events_come_and_each_is_answered_by_its_message() {
    let (vendor, listener, endpoint) = vendor().await;
    let server = tokio::spawn(async move {
        let mut server = accept(&listener).await;
        let ping =
            json!({ "type": "SYSTEM", "headers": { "topic": "ping", "messageId": "p" }, "data": "{\"opaque\":1}" });
        server.send(Message::text(ping.to_string())).await.unwrap();
        let pong = said(&mut server).await;
        server.send(Message::text("no frame at all")).await.unwrap();
        server.send(event("m1")).await.unwrap();
        server.send(event("m2")).await.unwrap();
        let answers = [said(&mut server).await, said(&mut server).await];
        let bye = json!({ "type": "SYSTEM", "headers": { "topic": "disconnect", "messageId": "d" }, "data": "" });
        server.send(Message::text(bye.to_string())).await.unwrap();
        (pong, answers, said(&mut server).await)
    });
    let connection = app(&vendor);
    let mut socket = connection.open_events(&wish(&vendor, &[endpoint])).await.unwrap();
    for verdict in [EventVerdict::Taken, EventVerdict::Later] {
        let event = socket.next().await.unwrap().unwrap();
        assert_eq!(&event.body[..], br#"{"userId":["u1"]}"#);
        socket.answer(&event, verdict, br#"{"status":"SUCCESS"}"#).await.unwrap();
    }
    assert!(socket.next().await.unwrap().is_none(), "the vendor wants another connection");
    let (pong, [first, second], bye) = server.await.unwrap();
    assert_eq!(
        (&pong["code"], &pong["headers"]["messageId"], &pong["data"]),
        (&json!(200), &json!("p"), &json!("{\"opaque\":1}"))
    );
    assert_eq!((&first["code"], &first["headers"]["messageId"]), (&json!(200), &json!("m1")));
    assert_eq!((&second["code"], &second["headers"]["messageId"]), (&json!(500), &json!("m2")));
    assert_eq!((&bye["code"], &bye["headers"]["messageId"]), (&json!(200), &json!("d")));
    let asked = vendor.requests.lock()[0].clone();
    assert!(asked.contains(SECRET) && asked.contains(r#""type":"EVENT""#), "the app opens it with its secret");
    assert!(!connection.redact("x ticket+of/canary y").contains("canary"), "a ticket is a secret");
}

#[tokio::test]
async fn a_secret_that_an_event_repeats_is_taken_out_before_the_connector_sees_it_f14() {
    let (vendor, listener, endpoint) = vendor().await;
    let server = tokio::spawn(async move {
        let mut server = accept(&listener).await;
        let headers = json!({ "messageId": "m", "eventType": "e", "note": format!("for {SECRET}") });
        let data = json!({ "echo": SECRET, "ticket": "ticket+of/canary" }).to_string();
        server
            .send(Message::text(json!({ "type": "EVENT", "headers": headers, "data": data }).to_string()))
            .await
            .unwrap();
        server
    });
    let mut socket = app(&vendor).open_events(&wish(&vendor, &[endpoint])).await.unwrap();
    let event = socket.next().await.unwrap().unwrap();
    assert_eq!(&event.body[..], br#"{"echo":"[redacted]","ticket":"[redacted]"}"#);
    assert!(event.headers.contains(&("note".into(), "for [redacted]".into())), "{:?}", event.headers);
    drop(server.await.unwrap());
}

async fn denied(connection: &Connection, wish: &EventSocketManifest) -> EgressError {
    let error = connection.open_events(wish).await.unwrap_err();
    let text = error.to_string();
    assert!(!text.contains(SECRET) && !text.contains("ticket"), "{text}");
    error
}

#[tokio::test]
async fn a_place_that_is_not_granted_is_not_connected_to_wherever_the_vendor_points() {
    let (vendor, listener, endpoint) = vendor().await;
    // The manifest does not wish it.
    let error = denied(&app(&vendor), &wish(&vendor, &[])).await;
    assert!(matches!(&error, EgressError::NotGranted(why) if why.contains("http.hosts")), "{error}");
    // The operator does not allow it.
    let mut narrow = app_spec(&vendor);
    narrow.grant.hosts = Some(vec![vendor.url("")]);
    let error = denied(&connect(narrow), &wish(&vendor, std::slice::from_ref(&endpoint))).await;
    assert!(matches!(&error, EgressError::NotGranted(why) if why.contains("grant.hosts")), "{error}");
    // The address is special, and no grant opens it.
    let mut public = app_spec(&vendor);
    public.grant.addresses.clear();
    let hits = vendor.hits();
    let error = denied(&connect(public), &wish(&vendor, &[endpoint])).await;
    assert!(matches!(&error, EgressError::NotGranted(why) if why.contains("loopback")), "{error}");
    assert_eq!(vendor.hits(), hits, "not even asked for");
    let waited = tokio::time::timeout(std::time::Duration::from_millis(50), listener.accept()).await;
    assert!(waited.is_err(), "no connection was made");
}

#[tokio::test]
async fn plain_text_needs_the_operators_word_and_the_slot_its_audience() {
    let (vendor, _listener, endpoint) = vendor().await;
    let mut tls_only = app_spec(&vendor);
    tls_only.grant.plaintext = false;
    let error = denied(&connect(tls_only), &wish(&vendor, std::slice::from_ref(&endpoint))).await;
    assert!(matches!(&error, EgressError::NotGranted(why) if why.contains("plaintext")), "{error}");
    let mut elsewhere = app_spec(&vendor);
    elsewhere.slots.get_mut(&slot("app")).unwrap().audience = vec!["https://a.test".into()];
    let error = denied(&connect(elsewhere), &wish(&vendor, &[endpoint])).await;
    assert!(matches!(error, EgressError::NotGranted(_)), "{error}");
    assert_eq!(vendor.hits(), 0, "the secret went nowhere");
}

#[tokio::test]
async fn what_is_no_websocket_and_what_refuses_says_so() {
    let plain = Vendor::start(vec![ok("{}")]).await;
    let endpoint = format!("ws://{}/connect", plain.address);
    for (act, wanted) in [
        (opens(&endpoint), "status 200 where a WebSocket"),
        (reply(401, "", r#"{"code":"authFailed","message":"x"}"#), "code `authFailed`"),
        (ok("{}"), "names no event connection"),
        (opens("https://a.test/"), "neither wss nor ws"),
    ] {
        let vendor = Vendor::start(vec![act]).await;
        let error = denied(&app(&vendor), &wish(&vendor, &[plain.url("")])).await.to_string();
        assert!(error.contains(wanted), "{wanted}: {error}");
    }
}

#[tokio::test]
async fn a_message_within_the_cap_is_taken_and_one_over_it_ends_the_connection_by_name() {
    let (vendor, listener, endpoint) = vendor().await;
    tokio::spawn(async move {
        let mut server = accept(&listener).await;
        let sized = |bytes: usize| {
            let frame =
                |data: &str| json!({ "type": "EVENT", "headers": { "messageId": "m" }, "data": data }).to_string();
            let empty = frame("").len();
            frame(&"x".repeat(bytes - empty))
        };
        server.send(Message::text(sized(100_000))).await.unwrap();
        server.send(Message::text(sized(100_001))).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut socket = app(&vendor).open_events(&wish(&vendor, &[endpoint])).await.unwrap();
    assert!(socket.next().await.unwrap().is_some());
    let error = socket.next().await.unwrap_err();
    assert!(matches!(error, EgressError::Limit { limit: "response_bytes_max", .. }), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_is_quiet_is_asked_and_one_that_does_not_answer_is_dead() {
    let (vendor, listener, endpoint) = vendor().await;
    let connection = app(&vendor);
    let wish = wish(&vendor, &[endpoint]);
    let (mut socket, mut server) =
        tokio::join!(async { connection.open_events(&wish).await.unwrap() }, async { accept(&listener).await });
    // Nothing reads at the other end, so the ping stays unanswered; the paused clock runs ahead.
    let error = socket.next().await.unwrap_err();
    assert!(error.to_string().contains("no answer to a ping"), "{error}");
    assert!(matches!(server.next().await, Some(Ok(Message::Ping(_)))), "it was asked");
}
