//! The loop goes on despite what lies before it: a backlog, small batches, another gateway, a subject that cannot be
//! worked on.

use renmen_interview::{LoopOptions, LoopProgress};
use renmen_schema::code::{InterviewStatus, NodeCode};
use renmen_schema::id::StreamName;
use renmen_store::{AuthoredCommit, AuthoredRecord, RecordRow, StreamKey, TimerWrite};
use serde_json::Value;

use crate::bed::{BEGIN_MS, Bed, tenant};
use crate::vendor::{Looped, interview_of, options, overall};

const MINUTE: i64 = 60_000;

fn small_batches() -> LoopOptions {
    LoopOptions { batch: 1, ..options("80", None) }
}

async fn decisions(bed: &Bed) -> Vec<RecordRow> {
    bed.find("decision", None).await
}

fn progress(looped: &Looped) -> LoopProgress {
    looped.desk.progress(&tenant()).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_that_is_met_again_before_its_own_decision_was_read_holds_nothing_up() {
    let bed = Bed::new().await;
    bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
    bed.put("res-1", &overall("int-1", "90")).await;
    let looped = Looped::with(bed, small_batches()).await;
    for minute in 0..3 {
        looped.node("int-1", NodeCode::Completed, BEGIN_MS - minute * MINUTE).await;
    }
    // Behind all of that, another one.
    looped.result("int-2", "50").await;
    looped.catch_up().await;
    let made: Vec<Value> =
        decisions(&looped.bed).await.iter().map(|row| serde_json::from_slice::<Value>(&row.body).unwrap()).collect();
    let mut outcomes: Vec<_> = made.iter().map(|body| body["outcome"].as_str().unwrap()).collect();
    outcomes.sort_unstable();
    assert_eq!(outcomes, ["FAIL", "PASS"]);
    let progress = progress(&looped);
    assert_eq!((progress.behind_since_ms, progress.set_aside), (None, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_that_an_older_release_wrote_without_linking_them_are_found() {
    let looped = Looped::new("80", None).await;
    looped.result("int-1", "90").await;
    looped.catch_up().await;
    let made = decisions(&looped.bed).await.remove(0);
    // As it was: the record is there, and nothing says to which interview it belongs.
    let record = AuthoredRecord {
        entity: "decision".into(),
        external_id: made.external_id.clone(),
        body: made.body.clone(),
        deleted: None,
        causes: Vec::new(),
        expect: None,
        parents: Vec::new(),
    };
    let other = Looped::with(Bed::new().await, small_batches()).await;
    let result = {
        other.bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
        other.bed.put("res-int-1", &overall("int-1", "90")).await
    };
    let body = String::from_utf8(record.body).unwrap();
    let old = serde_json::from_slice::<Value>(&made.body).unwrap()["result"]["id"].as_str().unwrap().to_owned();
    let record = AuthoredRecord {
        external_id: format!("{}/1", result.id),
        body: body.replace(&old, &result.id.to_string()).into_bytes(),
        ..record
    };
    let stream = StreamName::new("interview-loop").unwrap();
    let commit = AuthoredCommit { records: vec![record], ..AuthoredCommit::of(tenant(), stream, BEGIN_MS) };
    other.bed.store.author(commit).await.unwrap();
    other.result("int-2", "90").await;
    other.catch_up().await;
    assert_eq!(decisions(&other.bed).await.len(), 2, "the one that was there, and the other interview's");
    assert_eq!(progress(&other).set_aside, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_worked_on_is_set_aside_with_its_reason_and_the_others_go_on() {
    let looped = Looped::with(Bed::new().await, LoopOptions { children_max: 2, ..options("80", None) }).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
    for n in 0..3 {
        looped.bed.put(&format!("res-1-{n}"), &overall("int-1", "90")).await;
    }
    looped.result("int-2", "90").await;
    looped.catch_up().await;
    assert_eq!(decisions(&looped.bed).await.len(), 1);
    let aside = progress(&looped).first_set_aside;
    assert_eq!((aside.len(), aside[0].external_id.as_str(), aside[0].entity.as_str()), (1, "int-1", "interview"));
    assert!(aside[0].reason.contains("interview.children_max"), "{}", aside[0].reason);
    assert_eq!(aside[0].since_ms, BEGIN_MS);

    // The operator raises the limit: it is looked at again by itself.
    let looped = looped.reopened_with(LoopOptions { children_max: 3, ..options("80", None) }).await;
    looped.catch_up().await;
    assert_eq!(decisions(&looped.bed).await.len(), 1, "its time has not come");
    looped.bed.clock.advance(10 * MINUTE);
    looped.catch_up().await;
    assert_eq!(decisions(&looped.bed).await.len(), 4);
    assert_eq!(progress(&looped).set_aside, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn timers_of_a_connection_that_is_no_longer_acted_on_and_of_another_release_do_not_come_for_ever() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, Some(BEGIN_MS + 30 * MINUTE))).await;
    looped.catch_up().await;
    let stream = StreamName::new("interview-loop").unwrap();
    let mut strange = AuthoredCommit::of(tenant(), stream, BEGIN_MS);
    strange.timers = vec![TimerWrite::Set { name: "something/else".into(), due_ms: 1 }];
    looped.bed.store.author(strange).await.unwrap();
    let nobody = LoopOptions { sources: renmen_interview::Sources::default(), ..options("80", None) };
    let looped = looped.reopened_with(nobody).await;
    looped.bed.clock.advance(60 * MINUTE);
    looped.catch_up().await;
    assert!(looped.bed.store.due_timers(&tenant(), "interview-loop", i64::MAX, 10).await.unwrap().is_empty());
    assert!(looped.bed.find("notification", None).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_over_one_store_come_to_the_same_records_once() {
    let looped = Looped::with(Bed::new().await, small_batches()).await;
    let other = looped.beside(small_batches()).await;
    for n in 0..8 {
        looped.result(&format!("int-{n}"), if n % 2 == 0 { "90" } else { "10" }).await;
    }
    let (a, b) = tokio::join!(looped.try_catch_up(), other.catch_up());
    a.unwrap();
    b.unwrap();
    let made = decisions(&looped.bed).await;
    assert_eq!((made.len(), made.iter().filter(|row| row.revision != 1).count()), (8, 0));
    let key = StreamKey {
        tenant: tenant(),
        connection: "renmen".parse().unwrap(),
        stream: StreamName::new("interview-loop").unwrap(),
    };
    let place: i64 = looped.bed.store.stream_state(&key).await.unwrap().cursor.unwrap().parse().unwrap();
    assert!(looped.bed.store.changes(&tenant(), place, None, 10).await.unwrap().is_empty(), "both read to the end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_the_loop_stands_is_told_while_it_is_behind() {
    let looped = Looped::new("80", None).await;
    looped.result("int-1", "90").await;
    looped.catch_up().await;
    let caught = progress(&looped);
    assert_eq!((caught.behind_since_ms, caught.waits), (None, None));
    assert!(caught.place > 0);
    assert_eq!((caught.rules[0].name.as_str(), caught.without_rule), ("default", 0));
    assert!(caught.rules[0].results >= 1);
}
