//! What ended before the gateway came is history: taken in, and left alone.

use renmen_interview::LoopOptions;
use renmen_schema::code::InterviewStatus;
use renmen_schema::entity::{Interview, InterviewResult};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::ZonedInstant;
use serde_json::Value;

use crate::bed::{BEGIN_MS, Bed};
use crate::vendor::{Looped, instant, interview_of, options, overall, sources};

const HOUR: i64 = 3_600_000;

fn ended(at_ms: i64) -> Interview {
    Interview {
        ended_at: Some(ZonedInstant::from_epoch_ms_in(at_ms, "Asia/Shanghai").unwrap()),
        ..interview_of(InterviewStatus::Completed, None)
    }
}

async fn decided(bed: &Bed) -> Vec<String> {
    let rows = bed.find("decision", None).await;
    let interview = |body: Value| body["interview"]["external"]["value"].as_str().unwrap().to_owned();
    rows.iter().map(|row| interview(serde_json::from_slice(&row.body).unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_first_start_decides_nothing_that_ended_before_it_and_what_ends_after_it() {
    let bed = Bed::new().await;
    for (interview, end_ms) in [("old", BEGIN_MS - 240 * 24 * HOUR), ("just-before", BEGIN_MS - 1), ("new", BEGIN_MS)] {
        bed.put(interview, &ended(end_ms)).await;
        bed.put(&format!("res-{interview}"), &overall(interview, "90")).await;
    }
    // Its own time is all that a result may have.
    let said = InterviewResult { completed_at: Some(instant(BEGIN_MS - HOUR)), ..overall("alone", "90") };
    bed.put("alone", &interview_of(InterviewStatus::Completed, None)).await;
    bed.put("res-alone", &said).await;
    let looped = Looped::with(bed, options("80", None)).await;
    looped.catch_up().await;
    assert_eq!(decided(&looped.bed).await, ["new"]);

    // The vendor touches an old one: it stays what it was.
    looped.bed.clock.advance(HOUR);
    let report = InterviewResult { suggested_level: Some("P6".into()), ..overall("old", "90") };
    looped.bed.put("res-old", &report).await;
    looped.catch_up().await;
    let looped = looped.reopened("80", None).await;
    looped.catch_up().await;
    assert_eq!(decided(&looped.bed).await, ["new"]);
    let messages = looped.bed.find("notification", None).await;
    assert!(messages.iter().all(|row| !row.external_id.contains("old")), "no one is told of what is history");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_what_would_be_decided_on_history_and_then_has_it_decided() {
    let bed = Bed::new().await;
    for (interview, days, value) in [("long-ago", 300, "90"), ("spring", 30, "50"), ("border", 20, "77")] {
        bed.put(interview, &ended(BEGIN_MS - days * 24 * HOUR)).await;
        bed.put(&format!("res-{interview}"), &overall(interview, value)).await;
    }
    let with_border = || options("80", Some(("75", "80")));
    let looped = Looped::with(bed, with_border()).await;
    looped.catch_up().await;
    let past = async |connection: &str, apply| {
        let from = (&connection.parse::<ConnectionName>().unwrap(), BEGIN_MS - 60 * 24 * HOUR);
        let (store, clock) = (std::sync::Arc::clone(&looped.bed.store), looped.bed.clock.clone());
        renmen_interview::decide_past(store, clock, &crate::bed::tenant(), with_border(), from, apply).await
    };
    assert!(past("elsewhere", false).await.is_err(), "nothing of that connection is acted on");
    let mut listed = past("vendor", false).await.unwrap();
    listed.sort_by_key(|one| one.ended_ms);
    let outcomes: Vec<_> = listed.iter().map(|one| one.outcome.as_str()).collect();
    assert_eq!(outcomes, ["FAIL", "REVIEW"]);
    assert_eq!((listed[0].rule.as_str(), listed[0].score), ("default", Some(renmen_schema::types::Decimal::from(50))));
    assert!(decided(&looped.bed).await.is_empty(), "a list writes nothing");

    assert_eq!(past("vendor", true).await.unwrap().len(), 2);
    let mut made = decided(&looped.bed).await;
    made.sort();
    assert_eq!(made, ["border", "spring"]);
    assert!(past("vendor", true).await.unwrap().is_empty(), "once is enough");
    // It holds for what is sent again, and for the next start.
    let looped = looped.reopened_with(with_border()).await;
    looped.bed.put("res-spring", &overall("spring", "85")).await;
    looped.bed.put("res-long-ago", &overall("long-ago", "85")).await;
    looped.catch_up().await;
    assert_eq!(decided(&looped.bed).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_is_new_has_a_history_of_its_own() {
    let looped = Looped::new("80", None).await;
    looped.bed.clock.advance(24 * HOUR);
    let second = ConnectionName::new("second").unwrap();
    let old = [("int-9".to_owned(), ended(BEGIN_MS + HOUR))];
    looped.bed.put_through(&second, &old).await;
    looped.bed.put_through(&second, &[("res-9".to_owned(), overall("int-9", "90"))]).await;
    let mut both = sources();
    both.vendors.insert(second.clone());
    let looped = looped.reopened_with(LoopOptions { sources: both, ..options("80", None) }).await;
    looped.catch_up().await;
    assert!(decided(&looped.bed).await.is_empty(), "it ended before the gateway acted on its connection");
    // The first connection has served since the first start.
    looped.bed.put("int-1", &ended(BEGIN_MS + HOUR)).await;
    looped.bed.put("res-1", &overall("int-1", "90")).await;
    looped.catch_up().await;
    assert_eq!(decided(&looped.bed).await, ["int-1"]);
}
