//! The server on a real loopback socket, and its end.

use std::time::Duration;

use renmen_api::ApiOptions;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::listening::{Served, exchange};
use crate::rig::Rig;
use crate::scripted_control::ScriptedControl;

#[tokio::test]
async fn a_shutdown_ends_open_event_streams_and_the_server() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let server = Served::start(rig.state()).await;
    let mut socket = TcpStream::connect(server.at).await.unwrap();
    let head =
        format!("GET /v1/changes/stream HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {}\r\n\r\n", rig.key.expose());
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut read = String::new();
    while !read.contains("event: created") {
        let mut bytes = [0; 4096];
        let count = socket.read(&mut bytes).await.unwrap();
        assert_ne!(count, 0, "{read}");
        read.push_str(std::str::from_utf8(&bytes[..count]).unwrap());
    }
    server.stop.send(()).unwrap();
    socket.read_to_string(&mut read).await.unwrap();
    server.ended.await.unwrap().unwrap();
    assert!(TcpStream::connect(server.at).await.is_err());
}

#[tokio::test]
async fn a_request_that_is_no_http_does_not_stop_the_server() {
    let rig = Rig::new().await;
    let server = Served::start(rig.state()).await;
    let mut socket = TcpStream::connect(server.at).await.unwrap();
    socket.write_all(b"\x16\x03\x01\x02\x00\x01\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    assert!(exchange(server.at, "GET /healthz HTTP/1.1").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn when_a_key_was_last_used_is_written_down_beside_the_requests_and_at_the_end() {
    let every =
        |key_use_every| Rig::with(ApiOptions { key_use_every, ..ApiOptions::default() }, ScriptedControl::default());
    let last_used = async |rig: &Rig| rig.store.api_key(&rig.key.hash()).await.unwrap().unwrap().last_used_at_ms;
    let ask = |rig: &Rig| format!("GET /v1/runs HTTP/1.1\r\nauthorization: Bearer {}", rig.key.expose());
    // Not within this test: what is known at the end was written at the end.
    let rig = every(Duration::from_secs(3600)).await;
    let server = Served::start(rig.state()).await;
    assert!(exchange(server.at, &ask(&rig)).await.starts_with("HTTP/1.1 200"));
    assert_eq!(last_used(&rig).await, None, "a request waits for no write");
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
    assert!(last_used(&rig).await.is_some());

    let rig = every(Duration::from_millis(10)).await;
    let server = Served::start(rig.state()).await;
    assert!(exchange(server.at, &ask(&rig)).await.starts_with("HTTP/1.1 200"));
    while last_used(&rig).await.is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
}
