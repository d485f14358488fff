//! Deliveries of many tenants' vendors, each verified in the sandbox and durable before its answer.
//!
//! `RENMEN_BIN=target/release/renmen cargo nextest run --workspace --run-ignored only -E 'test(deliveries_of_many_tenants)' --no-capture`
//!
//! `RENMEN_GOAL_TENANTS` (64), `RENMEN_GOAL_SENDERS` (256), `RENMEN_GOAL_DELIVERIES` (40,000).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::{number, processor_s, spread};
use crate::api::Api;
use crate::cluster::Database;
use crate::harness::{Home, plugin};
use crate::hooks::vendor::{SECRET, Sent, updated};

/// One connection a tenant, all with the same connector and secret.
fn config(tenants: usize, store: &str) -> String {
    let connection = |n: usize| {
        format!(
            r#"
[connections.events-{n}]
tenant = "tenant-{n}"
plugin = "{}"
config = {{ base_url = "http://127.0.0.1:9" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.events = {{ env = "EVENTS_SECRET" }}
limits = {{ webhooks_per_second = 1000000, webhook_deadline = "30s", webhook_window = "30m" }}
"#,
            plugin("signed-events").display()
        )
    };
    let connections: String = (0..tenants).map(connection).collect();
    format!("[gateway]\nlimits = {{ requests_max = 4096 }}\n{store}\n{connections}")
}

/// The whole request as it goes over the wire: making it costs nothing while it is measured.
fn request(n: usize, tenants: usize) -> Vec<u8> {
    let event = updated(&format!("E{}", n % 5_000), &format!("Person {n}"), 1_000_000 + n as i64);
    let sent = Sent::new(&format!("m{n}"), &event);
    format!(
        "POST /hooks/events-{} HTTP/1.1\r\nhost: gateway\r\nwebhook-id: {}\r\nwebhook-timestamp: {}\r\nwebhook-signature: {}\r\ncontent-length: {}\r\n\r\n{}",
        n % tenants, sent.id, sent.seconds, sent.signature, sent.body.len(), sent.body
    )
    .into_bytes()
}

/// Sends what is next until nothing is left, one after the other on one connection.
async fn sender(address: String, requests: Arc<Vec<Vec<u8>>>, next: Arc<AtomicUsize>) -> Vec<Duration> {
    let mut stream = TcpStream::connect(&address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    let (mut took, mut answer) = (Vec::new(), Vec::with_capacity(4096));
    while let Some(request) = requests.get(next.fetch_add(1, Ordering::Relaxed)) {
        let began = Instant::now();
        stream.write_all(request).await.unwrap();
        answer.clear();
        while !whole(&answer) {
            assert_ne!(stream.read_buf(&mut answer).await.unwrap(), 0, "the gateway hung up");
        }
        took.push(began.elapsed());
        assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    }
    took
}

/// Whether an answer is there with its body.
fn whole(answer: &[u8]) -> bool {
    let Some(head) = answer.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let text = String::from_utf8_lossy(&answer[..head]).to_lowercase();
    let length = text.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    answer.len() >= head + 4 + length.unwrap_or(0)
}

#[allow(clippy::print_stderr, clippy::cast_precision_loss, reason = "figures for whoever asked for them")]
async fn measure(what: &str, store: &str) {
    let (tenants, senders) = (number("RENMEN_GOAL_TENANTS", 64), number("RENMEN_GOAL_SENDERS", 256));
    let count = number("RENMEN_GOAL_DELIVERIES", 40_000);
    let home = Home::new(&config(tenants, store)).env("EVENTS_SECRET", SECRET);
    let mut running = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut running).await;
    let address = api.url().trim_start_matches("http://").to_owned();
    let requests: Arc<Vec<_>> = Arc::new((0..count).map(|n| request(n, tenants)).collect());
    let (next, used, began) = (Arc::new(AtomicUsize::new(0)), processor_s(running.0.id()), Instant::now());
    let one = |_| tokio::spawn(sender(address.clone(), Arc::clone(&requests), Arc::clone(&next)));
    let mut took = Vec::with_capacity(count);
    for sender in (0..senders).map(one).collect::<Vec<_>>() {
        took.extend(sender.await.unwrap());
    }
    let seconds = began.elapsed().as_secs_f64();
    let gateway = processor_s(running.0.id()) - used;
    eprintln!(
        "{what}: {count} deliveries of {tenants} tenants by {senders} senders in {seconds:.1} s: {:.0} a second; {}; the gateway used {:.0} us of a processor for each",
        count as f64 / seconds,
        spread(&mut took),
        gateway * 1e6 / count as f64
    );
}

#[ignore = "measures; see the head of this file"]
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_many_tenants_on_sqlite() {
    measure("SQLite", "").await;
}

#[ignore = "measures; see the head of this file"]
#[tokio::test(flavor = "multi_thread")]
async fn deliveries_of_many_tenants_on_postgresql() {
    let Some(database) = Database::new().await else { return };
    measure("PostgreSQL", &format!("[store]\nurl = \"{}\"\n", database.url())).await;
    database.end().await;
}
