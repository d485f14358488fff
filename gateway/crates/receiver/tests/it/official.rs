//! The official libraries of both standards, from PyPI, take what we send. They run where a Python with them is named in
//! RENMEN_TEST_PYTHON, as `cargo xtask test --all` does; elsewhere this test says that it was left out.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use renmen_flow::Destination as _;
use renmen_receiver::endpoint::{Endpoint, EndpointOptions, SEND};
use serde_json::json;

use crate::rig::{Lever, connect, push, spec};

/// Made up: 32 bytes.
const SECRET: &str = "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE=";
const OTHER: &str = "whsec_b3RoZXItb3RoZXItb3RoZXItb3RoZXItb3RoZXItMDE=";

/// A receiver in Python; ended when it is dropped.
struct Receiver(Child, String);

impl Receiver {
    fn start(python: &str, secret: &str) -> Self {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../tests/official/receiver.py");
        let mut child = Command::new(python).arg(script).arg(secret).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        Self(child, format!("http://127.0.0.1:{}", line.trim()))
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.0.kill().unwrap_or_default();
        self.0.wait().map(drop).unwrap_or_default();
    }
}

#[tokio::test]
async fn the_official_libraries_take_an_event_and_refuse_a_wrong_one() {
    let Ok(python) = std::env::var("RENMEN_TEST_PYTHON") else {
        eprintln!("skipped: RENMEN_TEST_PYTHON names no Python with standardwebhooks and cloudevents");
        return;
    };
    let now_ms = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_millis()).unwrap();
    let event = |now_ms| renmen_flow::Push { now_ms, ..push(SEND, &json!({ "name": { "full": "张伟" } })) };
    let outcome = async |known: &str, now_ms: i64| {
        let receiver = Receiver::start(&python, known);
        let slots = [("secret", OTHER), ("previous_secret", SECRET)];
        let options = EndpointOptions { url: format!("{}/events", receiver.1), previous_until_ms: Some(i64::MAX) };
        let endpoint = Endpoint::new(
            connect(spec(std::slice::from_ref(&receiver.1), &slots)),
            Arc::new(Lever::default()),
            options,
        )
        .unwrap();
        endpoint.push(event(now_ms)).await.map(drop).map_err(|failure| failure.message)
    };
    // During a rotation a receiver that knows either secret is content.
    assert_eq!(outcome(SECRET, now_ms).await, Ok(()));
    assert_eq!(outcome(OTHER, now_ms).await, Ok(()));
    let stranger = "whsec_c3RyYW5nZXItc3RyYW5nZXItc3RyYW5nZXItMDE=";
    assert!(outcome(stranger, now_ms).await.unwrap_err().contains("401"));
    assert!(outcome(SECRET, now_ms - 600_000).await.unwrap_err().contains("401"), "ten minutes old");
}
