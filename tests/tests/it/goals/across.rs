//! How long after a commit on one gateway a reader of the change feed on another has it, over HTTP, with PostgreSQL.
//!
//! `RENMEN_BIN=target/release/renmen RENMEN_TEST_POSTGRES=postgres://… cargo nextest run --workspace --run-ignored only -E 'test(a_reader_on_another_gateway)' --no-capture`
//!
//! `RENMEN_GOAL_COMMITS` (1,000), one every 20 ms.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{number, spread};
use crate::api::Api;
use crate::cluster::Database;
use crate::harness::{Home, Running, plugin};

const EVERY: Duration = Duration::from_millis(20);

async fn gateway(store: &str) -> (Home, Running, Api) {
    let connection = format!(
        "[connections.staff]\nplugin = \"{}\"\nconfig = {{ base_url = \"http://127.0.0.1:9/v1\" }}\n\
         grant = {{ hosts = [\"{{base_url}}\"], methods = [\"GET\"], entities = [\"employee\"], plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n",
        plugin("staff-api").display()
    );
    let home = Home::new(&format!("[store]\nurl = \"{store}\"\n{connection}"));
    let mut running = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut running).await;
    (home, running, api)
}

/// When the reader had the record with each id.
type Seen = Arc<Mutex<HashMap<String, Instant>>>;

/// Follows the feed for as long as the test's runtime lives.
fn follow(answer: reqwest::Response, seen: Seen) {
    tokio::spawn(async move {
        let (mut answer, mut text) = (answer, String::new());
        while let Ok(Some(piece)) = answer.chunk().await {
            let now = Instant::now();
            text.push_str(std::str::from_utf8(&piece).unwrap());
            while let Some((event, rest)) = text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let change: Value = data.map_or(Value::Null, |data| serde_json::from_str(data).unwrap());
                if let Some(id) = change["record_id"].as_str() {
                    seen.lock().unwrap().entry(id.to_owned()).or_insert(now);
                }
                text = rest.to_owned();
            }
        }
    });
}

#[ignore = "measures; see the head of this file"]
#[allow(clippy::print_stderr, reason = "figures for whoever asked for them")]
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_on_another_gateway_sees_a_commit() {
    let Some(database) = Database::new().await else { return };
    let (writes, reads) = (gateway(&database.url()).await, gateway(&database.url()).await);
    let key = writes.2.post("/v1/keys", &json!({ "role": "owner", "label": "a person" })).await.1["key"].clone();
    let key = key.as_str().unwrap();
    let (person, reader, seen) = (writes.2.with_key(key), reads.2.with_key(key), Seen::default());
    follow(reader.follow("/v1/changes/stream?after=latest").await, Arc::clone(&seen));
    let (count, mut written) = (number("RENMEN_GOAL_COMMITS", 1_000), Vec::new());
    for n in 0..count {
        let due = Instant::now() + EVERY;
        let body = json!({ "external_id": format!("skill-{n}"), "reason": "r", "body": { "name": { "en": format!("Skill {n}") } } });
        let (status, made) = person.post("/v1/competencies", &body).await;
        assert_eq!(status, 201, "{made}");
        written.push((made["id"].as_str().unwrap().to_owned(), Instant::now()));
        tokio::time::sleep_until(due.into()).await;
    }
    for _ in 0..100 {
        if seen.lock().unwrap().len() >= count {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let seen = std::mem::take(&mut *seen.lock().unwrap());
    let mut took: Vec<Duration> = written.iter().map(|(id, at)| seen[id].saturating_duration_since(*at)).collect();
    eprintln!("{count} commits, from the answer on one gateway to the event on the other: {}", spread(&mut took));
    drop((writes, reads));
    database.end().await;
}
