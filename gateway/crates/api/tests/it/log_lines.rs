//! What of a request reaches the log: nothing that its sender chose, but for an id that cannot do harm.

use std::io::Write;
use std::sync::{Arc, Mutex};

use crate::listening::{Served, rest};
use crate::rig::Rig;

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_request_writes_a_line_of_its_own() {
    let log = Log::default();
    let into = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::INFO)
        .with_ansi(false)
        .with_writer(move || into.clone())
        .finish();
    let _guard = tracing::subscriber::set_default(subscriber);
    let rig = Rig::new().await;
    let served = Served::start(rig.state()).await;
    let long = "a".repeat(7_000);
    let requests = [
        "GET /%1b[2J%0aFORGED%20line HTTP/1.1\r\nhost: x\r\nuser-agent: FORGED\x1b[2J".to_owned(),
        "GET /v1/employees/FORGED?x=FORGED%0a HTTP/1.1\r\nhost: x\r\nx-request-id: FORGED\x0b".to_owned(),
        "FORGED /v1/runs HTTP/1.1\r\nhost: x\r\nx-request-id: FORGED line".to_owned(),
        format!("GET /{long} HTTP/1.1\r\nhost: x\r\nx-request-id: {long}"),
        "GET /healthz HTTP/1.1\r\nhost: FORGED\r\nx-request-id: good-1\r\nx-request-id: FORGED".to_owned(),
    ];
    for request in &requests {
        let answer = rest(served.says(&format!("{request}\r\nconnection: close\r\n\r\n")).await).await;
        assert!(answer.starts_with("HTTP/1.1 "), "{answer}");
        assert!(!answer.contains('\x1b'), "{answer}");
    }
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert!(lines.iter().all(|line| line.contains("Request completed") && line.len() < 400), "{text}");
    assert!(!text.contains("FORGED") && !text.contains('\x1b') && !text.contains(&long[..100]), "{text}");
    assert!(text.contains("good-1") && text.contains("unmatched"), "{text}");
}
