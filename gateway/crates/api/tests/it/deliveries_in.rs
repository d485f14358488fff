//! Deliveries at the API's door: whose they are, and what they may take while they come.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use axum::body::{Body, Bytes};
use axum::extract::ConnectInfo;
use axum::http::Request;
use renmen_api::{ApiOptions, AppState, HookAnswer, HookDelivery, HookRefusal, Hooks, router};
use renmen_schema::id::ConnectionName;
use tower::ServiceExt;

use crate::listening::{Served, exchange, rest};
use crate::rig::{Answer, Rig};
use crate::scripted_control::ScriptedControl;

/// Takes what comes to `people`, and remembers who sent it.
#[derive(Default)]
struct Taken(Mutex<Vec<String>>);

#[async_trait]
impl Hooks for Taken {
    fn body_bytes_max(&self, connection: &ConnectionName) -> Option<usize> {
        (connection.as_str() == "people").then_some(32 << 10)
    }

    fn reserve(&self, _: u64) -> Result<Box<dyn Send>, HookRefusal> {
        Ok(Box::new(()))
    }

    async fn take_in(&self, _: &ConnectionName, delivery: HookDelivery) -> Result<HookAnswer, HookRefusal> {
        self.0.lock().unwrap().push(format!("{:?}", delivery.sender));
        Ok(HookAnswer { status: 200, headers: Vec::new(), body: Bytes::from_static(b"taken") })
    }
}

async fn state(options: ApiOptions) -> (Rig, Arc<Taken>, AppState) {
    let taken = Arc::new(Taken::default());
    let hooks = Arc::clone(&taken) as Arc<dyn Hooks>;
    let rig = Rig::with_parts(options, ScriptedControl::default(), |parts| parts.hooks = hooks).await;
    let state = rig.state();
    (rig, taken, state)
}

#[tokio::test]
async fn a_delivery_is_its_peers_or_whom_a_named_proxy_names() {
    let options = ApiOptions { proxies: vec!["10.0.0.0/8".parse().unwrap()], ..ApiOptions::default() };
    let (_rig, taken, state) = state(options).await;
    for (peer, forwarded) in [
        ("203.0.113.9:5", None),
        ("203.0.113.9:5", Some("198.51.100.7")),
        ("10.1.1.1:5", Some("6.6.6.6, 198.51.100.7")),
        ("10.1.1.1:5", None),
        ("127.0.0.1:5", Some("198.51.100.7")),
    ] {
        let peer: SocketAddr = peer.parse().unwrap();
        let mut request = Request::post("/hooks/people").extension(ConnectInfo(peer));
        if let Some(forwarded) = forwarded {
            request = request.header("x-forwarded-for", forwarded);
        }
        let answer = router(state.clone()).oneshot(request.body(Body::from("{}")).unwrap()).await.unwrap();
        assert_eq!(answer.status(), 200);
    }
    let seen = taken.0.lock().unwrap().clone();
    assert_eq!(
        seen,
        [
            "Address(203.0.113.9)",
            "Address(203.0.113.9)",
            "Address(198.51.100.7)",
            "Socket(10.1.1.1:5)",
            "Socket(127.0.0.1:5)",
        ]
    );
}

#[tokio::test]
async fn half_sent_bodies_fill_no_memory_and_keep_no_small_delivery_out() {
    let options =
        ApiOptions { delivery_bytes_max: 64 << 10, deadline: Duration::from_secs(60), ..ApiOptions::default() };
    let (rig, _taken, state) = state(options).await;
    let served = Served::start(state).await;
    let half = "a".repeat(20 << 10);
    let mut halves = Vec::new();
    for _ in 0..12 {
        let head = format!("POST /hooks/people HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{half}", 30 << 10);
        halves.push(served.says(&head).await);
    }
    for _ in 0..20 {
        let answer = exchange(served.at, "POST /hooks/people HTTP/1.1\r\ncontent-length: 0").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    // Twelve times twenty KiB have no place in 64: some of them were turned away.
    let (first, _, _) = futures_util::future::select_all(halves.into_iter().map(|half| Box::pin(rest(half)))).await;
    assert!(first.starts_with("HTTP/1.1 503") && first.contains("gateway.limits.delivery_bytes_max"), "{first}");
    let health = rig.get("/v1/health").await.json();
    assert_eq!(health["limits"][0]["key"], "gateway.limits.delivery_bytes_max", "{health}");
}

#[tokio::test]
async fn a_body_that_does_not_come_costs_its_deadline_and_a_whole_one_is_taken() {
    let (_rig, taken, state) = state(ApiOptions { deadline: Duration::from_millis(60), ..ApiOptions::default() }).await;
    let served = Served::start(state).await;
    let head = "POST /hooks/people HTTP/1.1\r\nhost: x\r\ncontent-length: 3\r\nconnection: close\r\n\r\n";
    let slow = rest(served.says(&format!("{head}ab")).await).await;
    assert!(slow.starts_with("HTTP/1.1 503") && slow.contains("deadline_exceeded"), "{slow}");
    assert!(rest(served.says(&format!("{head}abc")).await).await.ends_with("taken"));
    assert_eq!(taken.0.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_body_has_the_connections_own_length() {
    let (_rig, _taken, state) = state(ApiOptions::default()).await;
    for (bytes, status) in [(32 << 10, 200), ((32 << 10) + 1, 413)] {
        for streamed in [false, true] {
            let text = "a".repeat(bytes);
            let body = if streamed {
                Body::from_stream(futures_util::stream::iter([Ok::<_, std::io::Error>(text)]))
            } else {
                Body::from(text)
            };
            let request = Request::post("/hooks/people").body(body).unwrap();
            let answer = Answer::read(router(state.clone()).oneshot(request).await.unwrap()).await;
            assert_eq!(answer.status, status, "{bytes} {streamed}");
        }
    }
}
