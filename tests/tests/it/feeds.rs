//! Systems that are only read, through the gateway, by connectors without code: training, market pay, peer review.

use renmen_tests::feeds::{self, Feeds};
use renmen_tests::office;
use serde_json::json;

use crate::declared::Trial;
use crate::harness::serve;

async fn of(name: &'static str, stream: &'static str, rows: usize) -> (office::Shared<Feeds>, Trial) {
    let feeds = office::open(Feeds::of(rows));
    let url = serve(office::router(feeds.clone())).await;
    let config = format!("{{ base_url = \"{url}/api\" }}");
    (feeds, Trial::new(name, &config, &[("key", feeds::API_KEY)], &[stream]))
}

/// Told to slow down once and for long, then with a wrong key.
async fn refusals(feeds: &office::Shared<Feeds>, trial: Trial, stream: &str) {
    feeds.lock().unwrap().busy = 1;
    assert_eq!(trial.counts(stream).await, [0, 0, 0]);
    feeds.lock().unwrap().busy = 100;
    assert_eq!(trial.failure(stream).await, "rate-limited");
    feeds.lock().unwrap().busy = 0;
    trial.keeps(&[feeds::API_KEY]);
    let trial = trial.secret("key", "another");
    assert_eq!(trial.failure(stream).await, "auth-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn s19_completed_courses_are_figures_of_an_employee_and_a_revoked_one_is_gone() {
    let (feeds, trial) = of("training", "completions", 230).await;
    assert_eq!(trial.counts("completions").await, [207, 0, 0], "who failed has completed nothing");
    let metric = &trial.bodies("performance-metrics").await["done-9"];
    assert_eq!(
        (&metric["metric"]["code"], &metric["value"], &metric["employee"]["key"]["value"]),
        (&json!("training.SEC-1"), &json!("87.5"), &json!("E9")),
        "{metric}"
    );
    {
        let mut office = feeds.lock().unwrap();
        let rows = &mut office.vendor.completions;
        (rows[2]["status"], rows[2]["updated_at"]) = (json!("revoked"), json!("2026-01-07T09:00:00Z"));
        (rows[3]["score"]["value"], rows[3]["updated_at"]) = (json!("90"), json!("2026-01-07T09:00:00Z"));
    }
    assert_eq!(trial.counts("completions").await, [0, 1, 1]);
    refusals(&feeds, trial, "completions").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s11_r07_market_pay_comes_in_as_distributions_with_their_source_and_one_without_a_time_is_set_aside() {
    let (feeds, trial) = of("market-pay", "figures", 430).await;
    assert_eq!(trial.counts("figures").await, [430, 0, 0]);
    let pay = &trial.bodies("market-pay").await["fig-7"];
    assert_eq!(
        (&pay["stat"]["p50"], &pay["stat"]["per"], &pay["source"]["published_on"]),
        (&json!("22000.5"), &json!("MONTH"), &json!("2026-01-31")),
        "{pay}"
    );
    {
        let mut office = feeds.lock().unwrap();
        office.vendor.figures.remove(0);
        office.vendor.figures[8]["p50"] = json!("23000");
    }
    assert_eq!(trial.counts("figures").await, [0, 1, 1]);
    feeds.lock().unwrap().vendor.figures[9]["per"] = json!("fortnight");
    let run = trial.pull("figures").await;
    assert_eq!((&run["failure"], &run["quarantined"], &run["deleted"]), (&json!(null), &json!(1), &json!(0)), "{run}");
    feeds.lock().unwrap().vendor.figures[9]["per"] = json!("month");
    refusals(&feeds, trial, "figures").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s10_r10_feedback_comes_in_without_its_reviewer_and_withdrawn_feedback_is_gone() {
    let (feeds, trial) = of("peer-review", "feedback", 430).await;
    assert_eq!(trial.counts("feedback").await, [430, 0, 0]);
    let piece = &trial.bodies("peer-feedback").await["fb-9"];
    assert_eq!(
        (&piece["anonymous"], &piece["from_hash"], &piece["from"], &piece["score"]["value"]),
        (&json!(true), &json!("5f3c0a"), &json!(null), &json!("4")),
        "{piece}"
    );
    {
        let mut office = feeds.lock().unwrap();
        let rows = &mut office.vendor.feedback;
        (rows[2]["withdrawn"], rows[2]["updated_at"]) = (json!(true), json!("2026-01-07T09:00:00Z"));
    }
    assert_eq!(trial.counts("feedback").await, [0, 0, 1]);
    // Neither a record nor a recorded answer names who wrote.
    trial.keeps(&["canary-reviewer", "canary-R", "E999"]);
    refusals(&feeds, trial, "feedback").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn s10_r10_a_reviewer_of_whom_only_the_number_is_known_is_a_keyed_hash_made_in_the_gateway() {
    let feeds = office::open(Feeds::of(7));
    let url = serve(office::router(feeds.clone())).await;
    let config = format!("{{ base_url = \"{url}/api\", reviewer = \"number\" }}");
    let slots = [("key", feeds::API_KEY), ("pseudonyms", "made-up-key-of-32-bytes-and-more")];
    let of = |slots: &[(&str, &str)]| Trial::new("peer-review", &config, slots, &["feedback"]);
    let trial = of(&slots).with("\n[gateway]\nkeep_exchanges = false\n", &[]);
    assert_eq!(trial.counts("feedback").await, [7, 0, 0]);
    let pieces = trial.bodies("peer-feedback").await;
    let hash = |id: &str| pieces[id]["from_hash"].as_str().unwrap().to_owned();
    assert_eq!(hash("fb-1").len(), 32);
    assert_eq!(hash("fb-1"), hash("fb-4"), "the same author");
    assert_ne!(hash("fb-1"), hash("fb-2"), "another one");
    assert!(pieces.values().all(|piece| piece["anonymous"] == true && piece["from"].is_null()));
    trial.keeps(&["canary-R", "made-up-key"]);

    let other = of(&[slots[0], ("pseudonyms", "another-key-of-32-bytes-and-more")]);
    assert_eq!(other.counts("feedback").await, [7, 0, 0]);
    assert_ne!(other.bodies("peer-feedback").await["fb-1"]["from_hash"], hash("fb-1").as_str(), "by another key");
    // Without a key nothing comes in under a name or a hash that can be guessed.
    let without = of(&slots[..1]).pull("feedback").await;
    assert_eq!(without["created"], 0, "{without}");
    assert!(without["quarantined"] == 7 || !without["failure"].is_null(), "{without}");
}
