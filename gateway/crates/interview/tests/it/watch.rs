//! Interviews that go wrong or late, under a clock that is moved.

use renmen_schema::code::{InterviewStatus, NodeCode, OrderStatus};
use renmen_schema::entity::{Interview, InterviewResult};
use renmen_schema::types::ZonedInstant;
use serde_json::{Value, json};

use crate::bed::BEGIN_MS;
use crate::vendor::{Looped, MINUTE, instant, interview_of, order_until, overall, own, written};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r38_the_candidate_is_reminded_five_minutes_before_and_once() {
    let looped = Looped::new("80", None).await;
    let start = BEGIN_MS + 30 * MINUTE;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, Some(start))).await;
    looped.catch_up().await;
    looped.bed.clock.advance(25 * MINUTE - 1);
    looped.catch_up().await;
    assert_eq!(written(&looped).await.1, Vec::<String>::new());
    looped.bed.clock.advance(1);
    looped.catch_up().await;
    looped.catch_up().await;
    assert_eq!(written(&looped).await.1, ["interview_reminder"]);
    let message = looped.bed.find("notification", None).await.remove(0);
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!(body["due"], json!({ "relative_to": { "code": "STARTED" }, "offset_s": -300 }));
    assert_eq!(body["candidate"]["external"], json!({ "connection": "vendor", "value": "cand-1" }));

    // Another time is agreed: another reminder.
    looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, Some(start + 60 * MINUTE))).await;
    looped.catch_up().await;
    looped.bed.clock.advance(60 * MINUTE);
    looped.catch_up().await;
    assert_eq!(written(&looped).await, (Vec::new(), vec!["interview_reminder".into(), "interview_reminder".into()]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_who_does_not_come_is_found_even_by_a_gateway_that_was_down() {
    let looped = Looped::new("80", None).await;
    let start = BEGIN_MS + 30 * MINUTE;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Confirmed, Some(start))).await;
    looped.bed.put("int-2", &interview_of(InterviewStatus::Confirmed, Some(start))).await;
    looped.catch_up().await;
    looped.node("int-2", NodeCode::Started, start + MINUTE).await;
    let looped = looped.reopened("80", None).await;
    looped.bed.clock.advance(41 * MINUTE);
    looped.catch_up().await;
    looped.catch_up().await;
    let (steps, messages) = written(&looped).await;
    assert_eq!(steps, [("NO_SHOW".to_owned(), start + 10 * MINUTE)]);
    assert_eq!(messages, ["interview_reschedule"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_who_is_cut_off_is_found_and_may_come_back() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::InProgress, Some(BEGIN_MS))).await;
    looped.bed.clock.advance(10 * MINUTE);
    looped.node("int-1", NodeCode::AnswerSubmitted, BEGIN_MS + 10 * MINUTE).await;
    looped.catch_up().await;
    looped.bed.clock.advance(15 * MINUTE - 1);
    looped.catch_up().await;
    assert!(written(&looped).await.0.is_empty());
    looped.bed.clock.advance(1);
    looped.catch_up().await;
    looped.catch_up().await;
    assert_eq!(written(&looped).await.0, [("DROPPED".to_owned(), BEGIN_MS + 25 * MINUTE)]);

    looped.node("int-1", NodeCode::Resumed, BEGIN_MS + 26 * MINUTE).await;
    looped.catch_up().await;
    looped.bed.clock.advance(60 * MINUTE);
    looped.catch_up().await;
    let (steps, messages) = written(&looped).await;
    assert_eq!(steps.len(), 2, "cut off a second time: {steps:?}");
    assert_eq!(messages, ["interview_dropped", "interview_dropped"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_who_turns_out_to_have_been_there_or_done_was_not_cut_off() {
    let step = |code, minute: i64| (Some((code, BEGIN_MS + minute * MINUTE)), None);
    let ended = |minute: i64| (None, Some(BEGIN_MS + minute * MINUTE));
    for (late, holds) in [
        (step(NodeCode::AnswerSubmitted, 10), false),
        (step(NodeCode::Completed, 14), false),
        (step(NodeCode::Resumed, 16), true),
        (step(NodeCode::FeedbackSent, 10), true),
        (ended(12), false),
        (ended(40), true),
    ] {
        let looped = Looped::new("80", None).await;
        looped.bed.put("int-1", &interview_of(InterviewStatus::InProgress, None)).await;
        looped.node("int-1", NodeCode::Started, BEGIN_MS).await;
        looped.catch_up().await;
        looped.bed.clock.advance(15 * MINUTE);
        looped.catch_up().await;
        assert_eq!(written(&looped).await.0, [("DROPPED".to_owned(), BEGIN_MS + 15 * MINUTE)]);
        looped.bed.clock.advance(45 * MINUTE);
        if let (Some((code, at_ms)), _) = late {
            looped.node("int-1", code, at_ms).await;
        }
        if let (_, Some(ended_ms)) = late {
            let ended = Interview {
                ended_at: Some(ZonedInstant::new(instant(ended_ms))),
                ..interview_of(InterviewStatus::Completed, None)
            };
            looped.bed.put("int-1", &ended).await;
        }
        looped.catch_up().await;
        let dropped = own(&looped, "process_node").await.remove(0);
        assert_eq!(dropped.get("status").is_none(), holds, "{late:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_feedback_in_time_is_not_late_and_late_feedback_is_counted() {
    let looped = Looped::new("80", None).await;
    for interview in ["int-1", "int-2"] {
        looped.bed.put(interview, &interview_of(InterviewStatus::Completed, None)).await;
        looped.node(interview, NodeCode::Completed, BEGIN_MS).await;
        looped.bed.put(&format!("res-{interview}"), &overall(interview, "90")).await;
    }
    looped.catch_up().await;
    assert_eq!(written(&looped).await.1, ["interview_feedback"; 2]);
    looped.bed.clock.advance(9 * MINUTE);
    looped.node("int-1", NodeCode::FeedbackSent, BEGIN_MS + 9 * MINUTE).await;
    looped.catch_up().await;
    looped.bed.clock.advance(MINUTE);
    looped.catch_up().await;
    assert_eq!(written(&looped).await.0, [("FEEDBACK_LATE".to_owned(), BEGIN_MS + 10 * MINUTE)]);

    looped.bed.clock.advance(5 * MINUTE);
    let at = instant(BEGIN_MS + 12 * MINUTE);
    let delivered = InterviewResult { delivered_to_candidate_at: Some(at), ..overall("int-2", "90") };
    looped.bed.put("res-int-2", &delivered).await;
    looped.catch_up().await;
    let late = looped.bed.find("process_node", Some("feedback/vendor/int-2")).await.remove(0);
    let body: Value = serde_json::from_slice(&late.body).unwrap();
    assert_eq!((late.revision, &body["attrs"]["wait_ms"]), (2, &json!(2 * MINUTE)));
    let message = looped.bed.find("notification", Some("feedback/vendor/int-2")).await.remove(0);
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    assert_eq!((&body["status"]["code"], &body["deadline"]), (&json!("DELIVERED"), &json!("2026-03-02T01:10:00.000Z")));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_history_when_it_comes_in_is_left_alone() {
    let looped = Looped::new("80", None).await;
    let long_ago = BEGIN_MS - 8 * 24 * 60 * MINUTE;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, Some(long_ago))).await;
    looped.bed.put("ord-1", &order_until(long_ago, OrderStatus::Invited)).await;
    looped.node("int-2", NodeCode::Completed, long_ago).await;
    looped.bed.put("res-2", &overall("int-2", "90")).await;
    looped.catch_up().await;
    assert_eq!(written(&looped).await, (Vec::new(), Vec::new()));
}
