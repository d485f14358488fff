//! What questions of insight cost over a stored tenant: `cargo bench -p renmen-store --bench insight [-- INTERVIEWS METRICS [FOLDER]]`.
//!
//! Fills a SQLite file with made-up records through the commits that a pull makes, follows its feed, reads every stream, and asks every
//! streamed question. With a folder the file stays there, is taken up again, and the rows of three streams are written next to it as CSV, for
//! another database to be asked the same.
#![allow(clippy::unwrap_used, clippy::print_stdout)]

mod insight_asked;
mod insight_filled;
mod insight_read;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use renmen_store::insight::Need;
use renmen_store::{Store, StoreOptions, open};

use insight_filled::{fill, link, tenant};

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let number = |at: usize, default: u64| arguments.get(at).map_or(default, |count| count.parse().unwrap());
    let (interviews, metrics) = (number(0, 200_000), number(1, 1_000_000));
    let scratch = tempfile::tempdir().unwrap();
    let folder = arguments.get(2).map_or(scratch.path().to_owned(), PathBuf::from);
    let file = folder.join("insight.db");
    let filled = file.exists();
    let mut options = StoreOptions::at(format!("sqlite:{}", file.display()));
    options.synchronous_full = false;
    let store = open(options).await.unwrap();
    if !filled {
        let began = Instant::now();
        let records = fill(&store, interviews, metrics).await;
        let took = began.elapsed().as_secs_f64();
        println!("{records} records committed in {took:.1} s, {:.0} a second", records as f64 / took);
        link(&file, interviews);
    }
    follow(&store).await;
    println!("peak memory before a question: {} MB", peak_mb());
    insight_read::bodies(&file);
    insight_read::plans(&file);
    let all = [
        Need::People,
        Need::Applications,
        Need::Steps,
        Need::Interviews,
        Need::Employments,
        Need::Reviews,
        Need::Metrics,
        Need::Results,
        Need::Scores,
        Need::Answers,
        Need::Offers,
    ];
    for need in all {
        insight_read::one(&store, need).await;
    }
    insight_asked::every_question(&store).await;
    println!("peak memory: {} MB", peak_mb());
    if arguments.len() > 2 {
        insight_read::export(&store, &folder).await;
    }
}

async fn follow(store: &Arc<dyn Store>) {
    let (began, mut records) = (Instant::now(), 0);
    loop {
        let made = store.make_insight_rows(&tenant(), 5_000).await.unwrap();
        records += made.records;
        if made.done {
            break;
        }
    }
    let took = began.elapsed().as_secs_f64();
    println!("rows of {records} records made in {took:.1} s, {:.0} a second", records as f64 / took.max(0.001));
}

/// The most memory that this process had so far.
pub(crate) fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    peak.and_then(|peak| peak.trim().split(' ').next()?.parse::<u64>().ok()).unwrap_or(0) / 1024
}
