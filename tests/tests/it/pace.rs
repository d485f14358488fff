//! How long a question about a pay band takes over HTTP while 500 a second are asked, and how long after a vendor's event the
//! candidate's screen shows it; with the real binary on the repository's own connectors.toml.
//!
//! Measures and asserts no time, so it is not part of the usual run. On a quiet machine, with a release build:
//!
//! `RENMEN_BIN=target/release/renmen cargo nextest run --workspace --run-ignored only -E 'test(asked_five_hundred_times_a_second)' --no-capture`
//!
//! `RENMEN_PACE_RATE`, `RENMEN_PACE_SECONDS` and `RENMEN_PACE_INTERVIEWS` make it smaller.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use renmen_tests::interview_vendor::story::Story;
use renmen_tests::interview_vendor::{WEBHOOK_SECRET, send, vendor_of};
use renmen_tests::{dingtalk, feishu};
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_dingtalk, with_feishu, with_interviews};
use crate::harness::{Home, Running};

/// Connections that questions are asked on.
const ASKERS: usize = 32;
/// Between two events that a screen waits for: longer than a screen ever waits to look, so that no event shows the one before.
const EVENT_EVERY: Duration = Duration::from_millis(730);
/// The interview that the screen follows; nothing is asked about it.
const SHOWN: &str = "int-shown";
/// Different amounts that the same interview is asked about, at most.
const AMOUNTS: usize = 90;

struct Size {
    rate: usize,
    seconds: usize,
    interviews: usize,
}

impl Size {
    fn of_env() -> Self {
        let number = |name: &str, default| {
            std::env::var(name)
                .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is not a number")))
        };
        Self {
            rate: number("RENMEN_PACE_RATE", 500),
            seconds: number("RENMEN_PACE_SECONDS", 60),
            interviews: number("RENMEN_PACE_INTERVIEWS", 1_000),
        }
    }

    fn questions(&self) -> usize {
        self.rate * self.seconds
    }
}

/// The repository's deployment, with limits that so many questions stay within.
async fn deployment(size: &Size) -> Home {
    let interview = |id: String, n: usize| {
        json!({ "id": id, "modified_at": "2026-03-02T01:00:00.000Z", "application_id": feishu::application_id(n), "round": 1,
                "kind": "ai", "status": "in_progress" })
    };
    let of_application = |n: usize| interview(format!("int-{n}"), n);
    let all: Vec<Value> =
        (0..size.interviews).map(of_application).chain([interview(SHOWN.into(), size.interviews)]).collect();
    let vendor = vendor_of(0, feishu::application_id);
    Story::keep(&vendor, &json!({ "data": { "interviews": all } }));
    let home = with_dingtalk(example().await, &dingtalk::company(2)).await;
    let home = with_feishu(home, &feishu::tenant(2, size.interviews + 1)).await;
    let mut config = include_str!("../../../connectors.toml").to_owned();
    for (said, wanted) in [
        ("match_asks_per_minute = 600", "match_asks_per_minute = 1000000"),
        ("match_amounts_per_interview = 3", "match_amounts_per_interview = 100"),
        ("match_asks_per_candidate = 6", "match_asks_per_candidate = 1000"),
        ("match_asks_per_band = 1000", "match_asks_per_band = 1000000"),
    ] {
        assert!(config.contains(said), "connectors.toml says `{said}` no more");
        config = config.replace(said, wanted);
    }
    home.configure(&by_hand(&config));
    with_interviews(home, &vendor, "feishu").await
}

/// No stream is pulled but those that the test pulls: nothing else is measured.
fn by_hand(config: &str) -> String {
    let line = |line: &str| match line.split_once(" = { every = ").or_else(|| line.split_once(" = { cron = ")) {
        Some((stream, _)) if !line.starts_with('#') => format!("{stream} = {{ manual = true }}\n"),
        _ => format!("{line}\n"),
    };
    config.lines().map(line).collect()
}

/// A key as the vendor has it.
async fn vendors_key(api: &Api) -> Api {
    let purpose = json!({ "role": "vendor", "connection": "interview", "label": "the interview vendor" });
    let (status, made) = api.post("/v1/keys", &purpose).await;
    assert_eq!(status, 201, "{made}");
    api.with_key(made["key"].as_str().unwrap())
}

/// The n-th question: each third round over the interviews has amounts that are new, the others repeat them.
fn question(n: usize, interviews: usize) -> Value {
    let amount = 1_000 + (n / interviews / 3 % AMOUNTS) * 100;
    json!({ "interview": format!("int-{}", n % interviews),
            "expected": { "amount": amount.to_string(), "currency": "CNY", "per": "MONTH" } })
}

/// Asks each question when it is due, and measures from then.
async fn ask_all(vendor: &Arc<Api>, size: &Size) -> (Vec<Duration>, BTreeMap<String, usize>) {
    let (next, begun) = (Arc::new(AtomicUsize::new(0)), Instant::now());
    let (count, rate, interviews) = (size.questions(), size.rate, size.interviews);
    let askers = (0..ASKERS).map(|_| {
        let (vendor, next) = (Arc::clone(vendor), Arc::clone(&next));
        tokio::spawn(async move {
            let (mut took, mut said) = (Vec::new(), BTreeMap::<String, usize>::new());
            loop {
                let n = next.fetch_add(1, Ordering::SeqCst);
                if n >= count {
                    return (took, said);
                }
                let due = begun + Duration::from_secs_f64(n as f64 / rate as f64);
                tokio::time::sleep_until(due.into()).await;
                let (status, answer) = vendor.post("/v1/pay-bands/match", &question(n, interviews)).await;
                took.push(due.elapsed());
                let word = answer["match"].as_str().map_or_else(|| format!("{status}"), str::to_owned);
                *said.entry(word).or_default() += 1;
            }
        })
    });
    let (mut took, mut said) = (Vec::new(), BTreeMap::<String, usize>::new());
    for asker in askers.collect::<Vec<_>>() {
        let (of_one, words) = asker.await.unwrap();
        took.extend(of_one);
        words.into_iter().for_each(|(word, count)| *said.entry(word).or_default() += count);
    }
    (took, said)
}

/// Sends an event again and again, and measures from before it is sent to when the screen has it.
async fn show_all(vendor: &Arc<Api>, count: u32) -> Vec<Duration> {
    let (status, token) = vendor.post(&format!("/v1/interviews/{SHOWN}/screen-tokens"), &json!({})).await;
    assert_eq!(status, 201, "{token}");
    let path = format!("{}?token={}", token["stream_url"].as_str().unwrap(), token["token"].as_str().unwrap());
    let mut stream = vendor.open(&path).await;
    let (hook, begun) = (format!("{}/hooks/interview", vendor.url()), Instant::now());
    let sending = tokio::spawn(async move {
        let mut sent = Vec::new();
        for n in 0..count {
            tokio::time::sleep_until((begun + EVENT_EVERY * n).into()).await;
            let now = now();
            let node = json!({ "id": format!("shown-{n}"), "modified_at": now, "interview_id": SHOWN,
                               "node": "answer_submitted", "at": now, "seq": n, "done": n, "of": count });
            let event = json!({ "type": "interview.node", "timestamp": now, "data": { "process_nodes": [node] } });
            sent.push(Instant::now());
            let answer = send::event(&hook, WEBHOOK_SECRET, &format!("shown-{n}"), &event).await.unwrap();
            assert!((200..300).contains(&answer.status), "{answer:?}");
        }
        sent
    });
    let (mut shown, mut text) = (BTreeMap::<u64, Instant>::new(), String::new());
    while shown.len() < count as usize {
        let chunk = tokio::time::timeout(Duration::from_secs(60), stream.chunk()).await;
        let chunk = chunk.expect("every event comes to the screen").unwrap().expect("the stream goes on");
        text.push_str(&String::from_utf8_lossy(&chunk));
        while let Some(end) = text.find('\n') {
            let line: String = text.drain(..=end).collect();
            let step = line.strip_prefix("data:").and_then(|data| serde_json::from_str::<Value>(data.trim()).ok());
            if let Some(done) = step.and_then(|step| step["done"].as_u64()) {
                shown.entry(done).or_insert_with(Instant::now);
            }
        }
    }
    let sent = sending.await.unwrap();
    sent.into_iter().zip(shown.into_values()).map(|(sent, shown)| shown.duration_since(sent)).collect()
}

/// Now, as objects tell it.
fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    renmen_schema::types::Instant::from_epoch_ms(i64::try_from(since.as_millis()).unwrap()).unwrap().to_string()
}

/// One line of the table in docs/benchmarks.md.
fn line(what: &str, mut took: Vec<Duration>) -> String {
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 1_000).min(took.len() - 1)].as_secs_f64() * 1_000.0;
    let [p50, p95, p99, p999, worst] = [500, 950, 990, 999, 1_000].map(|share| format!("{:.1} ms", at(share)));
    format!("| {what} | {p50} | {p95} | {p99} | {p999} | {worst} |")
}

#[allow(clippy::print_stdout, reason = "a table for docs/benchmarks.md")]
#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures; see the module"]
async fn the_band_is_asked_five_hundred_times_a_second_while_a_screen_follows_an_interview() {
    let size = Size::of_env();
    let home = deployment(&size).await;
    for (connection, stream) in
        [("payroll", "pay_bands"), ("feishu", "jobs"), ("feishu", "applications"), ("interview", "interviews")]
    {
        let done = home.run(&["sync", "--dev", connection, stream]).await;
        // One row of the table of bands is meant to be refused.
        assert!(matches!(done.status.code(), Some(0 | 3)), "{}", crate::harness::said(&done));
    }
    let mut gateway: Running = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let owner = Api::of(&mut gateway).await;
    let vendor = Arc::new(vendors_key(&owner).await);
    let events = u32::try_from(size.seconds).unwrap() * 1_000 / u32::try_from(EVENT_EVERY.as_millis()).unwrap();
    let ((asked, said), shown) = tokio::join!(ask_all(&vendor, &size), show_all(&vendor, events.max(1)));
    println!("{} questions, {} a second: {said:?}; {} events", asked.len(), size.rate, shown.len());
    println!("{}", line("question, SQLite", asked));
    println!("{}", line("event to screen, SQLite", shown));
    let known: usize = ["in", "out"].iter().filter_map(|word| said.get(*word)).sum();
    assert_eq!(known, size.questions(), "every question has an answer: {said:?}");
}
