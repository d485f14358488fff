//! The server on a real loopback socket.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use metrics_exporter_prometheus::PrometheusBuilder;
use renmen_api::{ApiOptions, AppState, serve};
use renmen_store::Store;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::rig::Rig;
use crate::scripted_control::ScriptedControl;

struct Served {
    at: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), renmen_api::ServeError>>,
}

async fn served(store: &Arc<dyn Store>, options: ApiOptions) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let metrics = PrometheusBuilder::new().build_recorder().handle();
    let state = AppState::new(Arc::clone(store), Arc::new(ScriptedControl::default()), metrics, options);
    let (stop, stopped) = oneshot::channel();
    let ended = tokio::spawn(serve(listener, state, async {
        let _ = stopped.await;
    }));
    Served { at, stop, ended }
}

/// Sends one request as bytes and reads until the server closes.
async fn exchange(at: SocketAddr, head: &str) -> String {
    let mut socket = TcpStream::connect(at).await.unwrap();
    socket.write_all(format!("{head}\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await.unwrap();
    let mut text = String::new();
    socket.read_to_string(&mut text).await.unwrap();
    text
}

#[tokio::test]
async fn metrics_are_open_to_this_machine_but_not_through_a_proxy_nor_when_switched_off() {
    let rig = Rig::new().await;
    let open = served(&rig.store, ApiOptions::default()).await;
    let direct = exchange(open.at, "GET /metrics HTTP/1.1").await;
    assert!(direct.starts_with("HTTP/1.1 200"), "{direct}");
    let proxied = exchange(open.at, "GET /metrics HTTP/1.1\r\nx-forwarded-for: 203.0.113.9").await;
    assert!(proxied.starts_with("HTTP/1.1 401"), "{proxied}");
    let closed = served(&rig.store, ApiOptions { metrics_open_on_loopback: false, ..ApiOptions::default() }).await;
    assert!(exchange(closed.at, "GET /metrics HTTP/1.1").await.starts_with("HTTP/1.1 401"));
    let key = format!("GET /metrics HTTP/1.1\r\nauthorization: Bearer {}", rig.key.expose());
    assert!(exchange(closed.at, &key).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn a_shutdown_ends_open_event_streams_and_the_server() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let server = served(&rig.store, ApiOptions::default()).await;
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
    let server = served(&rig.store, ApiOptions::default()).await;
    let mut socket = TcpStream::connect(server.at).await.unwrap();
    socket.write_all(b"\x16\x03\x01\x02\x00\x01\r\n\r\n").await.unwrap();
    let mut bytes = Vec::new();
    socket.read_to_end(&mut bytes).await.unwrap();
    assert!(exchange(server.at, "GET /healthz HTTP/1.1").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn when_a_key_was_last_used_is_written_down_beside_the_requests_and_at_the_end() {
    let rig = Rig::new().await;
    let last_used = async || rig.store.api_key(&rig.key.hash()).await.unwrap().unwrap().last_used_at_ms;
    let ask = format!("GET /v1/runs HTTP/1.1\r\nauthorization: Bearer {}", rig.key.expose());
    // Not within this test: what is known at the end was written at the end.
    let server =
        served(&rig.store, ApiOptions { key_use_every: Duration::from_secs(3600), ..ApiOptions::default() }).await;
    assert!(exchange(server.at, &ask).await.starts_with("HTTP/1.1 200"));
    assert_eq!(last_used().await, None, "a request waits for no write");
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
    let first = last_used().await.unwrap();

    let server =
        served(&rig.store, ApiOptions { key_use_every: Duration::from_millis(10), ..ApiOptions::default() }).await;
    assert!(exchange(server.at, &ask).await.starts_with("HTTP/1.1 200"));
    while last_used().await.unwrap() == first {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.stop.send(()).unwrap();
    server.ended.await.unwrap().unwrap();
}
