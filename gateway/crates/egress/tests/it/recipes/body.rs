//! A secret in a body: put there by the gateway, and neither seen nor recorded elsewhere.

use renmen_egress::{EgressError, NoTape};

use super::with;
use crate::support::{Act, Memory, Vendor, connect, get, ok, post, with_slot};

const SECRET: &str = "canary-s3cret";
const JSON: &str = "type = \"static\"\nplace = { in = \"json\", at = \"/params/args/2\" }";
const FORM: &str = "type = \"static\"\nplace = { in = \"form\", name = \"key\" }";

fn body_of(request: &str) -> &str {
    request.split_once("\r\n\r\n").unwrap().1
}

#[tokio::test]
async fn the_vendor_gets_the_secret_and_the_recording_its_mark() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let connection = connect(with(&api, &api, JSON, SECRET));
    let tape = Memory::default();
    let sent = r#"{"params":{"args":["db",2,"<secret>","res.partner"]}}"#;
    let exchange = connection.send(with_slot(post(api.url("/jsonrpc"), sent), "app"), &tape).await.unwrap();
    let seen = api.requests.lock()[0].clone();
    assert_eq!(body_of(&seen), r#"{"params":{"args":["db",2,"canary-s3cret","res.partner"]}}"#);
    assert_eq!(exchange.request_body.as_deref(), Some(sent.as_bytes()));
    let recorded = tape.recorded.lock()[0].1.clone();
    assert_eq!(recorded.request_body.as_deref(), Some(sent.as_bytes()));

    let connection = connect(with(&api, &api, FORM, SECRET));
    connection.send(with_slot(post(api.url("/x"), "a=1&key=%3Csecret%3E"), "app"), &tape).await.unwrap();
    assert_eq!(body_of(&api.requests.lock()[1]), "a=1&key=canary-s3cret");
}

#[tokio::test]
async fn a_vendor_that_repeats_the_body_does_not_show_the_connector_the_secret() {
    let api = Vendor::start(vec![Act::Echo]).await;
    let connection = connect(with(&api, &api, JSON, SECRET));
    let sent = r#"{"params":{"args":["db",2,"<secret>"]}}"#;
    let exchange = connection.send(with_slot(post(api.url("/x"), sent), "app"), &NoTape).await.unwrap();
    let shown = String::from_utf8_lossy(&exchange.response.body).into_owned();
    assert!(shown.contains("params") && !shown.contains(SECRET), "{shown}");
}

#[tokio::test]
async fn a_body_without_the_mark_in_its_place_is_not_sent() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let (json, form) = (connect(with(&api, &api, JSON, SECRET)), connect(with(&api, &api, FORM, SECRET)));
    let refused = [
        (&json, r#"{"params":{"args":["<secret>",2,"mine"]}}"#),
        (&json, r#"{"other":"<secret>"}"#),
        (&json, "params=<secret>"),
        (&form, "other=%3Csecret%3E"),
        (&form, "key=mine"),
        (&form, "key=%3Csecret%3E&key=%3Csecret%3E"),
    ];
    for (connection, body) in refused {
        let error = connection.send(with_slot(post(api.url("/x"), body), "app"), &NoTape).await.unwrap_err();
        assert!(matches!(&error, EgressError::BadRequest(why) if why.contains("`<secret>`")), "{body}: {error}");
        assert!(!error.to_string().contains(SECRET), "{error}");
    }
    let error = json.send(with_slot(get(api.url("/x")), "app"), &NoTape).await.unwrap_err();
    assert!(matches!(error, EgressError::BadRequest(_)), "{error}");
    // What a connector has learned elsewhere it cannot send either.
    let leak = json.send(post(api.url("/x"), r#"{"params":{"args":[0,0,"canary-s3cret"]}}"#), &NoTape).await;
    assert!(matches!(leak, Err(EgressError::NotGranted(_))));
    assert_eq!(api.hits(), 0);
}

#[tokio::test]
async fn the_mark_stays_where_no_slot_is_named() {
    let api = Vendor::start(vec![ok("{}")]).await;
    let connection = connect(with(&api, &api, JSON, SECRET));
    connection.send(post(api.url("/x"), r#"{"params":{"args":[0,0,"<secret>"]}}"#), &NoTape).await.unwrap();
    assert_eq!(body_of(&api.requests.lock()[0]), r#"{"params":{"args":[0,0,"<secret>"]}}"#);
}
