//! Strangers at the door: what they take comes out of their own share, and the vendor's way in stays open.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::Gateway;
use super::vendor::{Sent, updated};

/// A forger: it sends again as soon as it is answered, on a connection of its own.
async fn forge(url: String, number: u32, over: Arc<AtomicBool>) -> (u32, u32, Vec<u16>) {
    let client = reqwest::Client::new();
    let (mut refused, mut turned_away, mut others) = (0, 0, Vec::new());
    let mut count = 0;
    while !over.load(Ordering::Relaxed) {
        count += 1;
        let sent = Sent::new(&format!("forged-{number}-{count}"), &updated("E1", "Nobody", 1_000)).forged();
        match sent.request(&client, &url).send().await.map(|answer| answer.status().as_u16()) {
            Ok(401) => refused += 1,
            Ok(429) => turned_away += 1,
            Ok(other) => others.push(other),
            Err(_) => {}
        }
    }
    (refused, turned_away, others)
}

#[tokio::test(flavor = "multi_thread")]
async fn forged_deliveries_use_up_nothing_of_the_vendors_pace_f09() {
    // A vendor that may send 20 a second, and many times that many forged ones.
    let gateway = Gateway::start("http://127.0.0.1:9", "webhooks_per_second = 20, webhook_deadline = \"30s\"").await;
    let over = Arc::new(AtomicBool::new(false));
    let forgers: Vec<_> =
        (0..8).map(|number| tokio::spawn(forge(gateway.url.clone(), number, Arc::clone(&over)))).collect();
    let mut statuses = Vec::new();
    for n in 0..40 {
        let sent = Sent::new(&format!("genuine-{n}"), &updated(&format!("E{n}"), "Lin Made-Up", 1_000));
        statuses.push(gateway.deliver(&sent).await.status().as_u16());
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    over.store(true, Ordering::Relaxed);
    let (mut refused, mut turned_away) = (0, 0);
    for forger in forgers {
        let (unproved, sent_away, others) = forger.await.unwrap();
        assert!(others.is_empty(), "{others:?}");
        refused += unproved;
        turned_away += sent_away;
    }
    assert!(statuses.iter().all(|status| *status == 200), "{statuses:?} with {refused} and {turned_away}");
    assert_eq!(gateway.inbox().await.len(), 40, "and nothing of a forger's");
    // They came far more often than the pace allows, and most of what they sent was never looked at.
    assert!(refused + turned_away > 400, "{refused} and {turned_away}");
    assert!(turned_away > refused, "{refused} looked at, {turned_away} not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_with_few_files_serves_on_beside_any_number_of_half_sent_requests() {
    let gateway = Gateway::start_with_files("http://127.0.0.1:9", "", 200).await;
    let at = gateway.listen.clone();
    let held = Arc::new(AtomicU32::new(0));
    let mut halves = Vec::new();
    for round in 0..4 {
        for n in 0..150 {
            if let Ok(mut socket) = TcpStream::connect(&at).await {
                let half = [
                    "GET /v1/runs HTTP/1.1\r\nhost: x\r\nx-slow: ",
                    "POST /hooks/events HTTP/1.1\r\nhost: x\r\ncontent-length: 9\r\n\r\n{",
                ];
                let _ = socket.write_all(half[n % 2].as_bytes()).await;
                halves.push(socket);
                held.fetch_add(1, Ordering::Relaxed);
            }
        }
        // A new client each time: an honest one that was away makes a new connection.
        let client = reqwest::Client::new();
        for path in ["/healthz", "/readyz"] {
            assert_eq!(
                client.get(format!("{}{path}", gateway.url)).send().await.unwrap().status(),
                200,
                "{round} {path}"
            );
        }
        let sent = Sent::new(&format!("msg-{round}"), &updated(&format!("E{round}"), "Lin Made-Up", 1_000));
        assert_eq!(sent.request(&client, &gateway.url).send().await.unwrap().status(), 200, "{round}");
        let health = client.get(format!("{}/v1/health", gateway.url)).bearer_auth(&gateway.key).send().await.unwrap();
        let health: serde_json::Value = health.json().await.unwrap();
        assert_eq!(health["limits"][0]["key"], "gateway.limits.connections_max", "{round}: {health}");
    }
    assert_eq!(gateway.inbox().await.len(), 4, "while {} are held", held.load(Ordering::Relaxed));
}
