//! Feedback counts by when it was delivered, no matter who delivered it and when we learn of it.

use renmen_schema::code::{InterviewStatus, NodeCode};
use renmen_schema::entity::{Interview, InterviewResult};
use renmen_schema::types::ZonedInstant;
use renmen_store::outbox::AttemptEnd;
use serde_json::{Value, json};

use crate::bed::{BEGIN_MS, arrived};
use crate::vendor::{Looped, MINUTE, instant, interview_of, overall, own, written};

const FEEDBACK: &str = "feedback/vendor/int-1";

/// An interview that ended at the begin of time, with its result and the message about it.
async fn over() -> Looped {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
    looped.node("int-1", NodeCode::Completed, BEGIN_MS).await;
    looped.bed.put("res-1", &overall("int-1", "90")).await;
    looped.catch_up().await;
    assert_eq!(written(&looped).await.1, ["interview_feedback"]);
    looped
}

async fn message(looped: &Looped) -> Value {
    own(looped, "notification").await.remove(0)
}

/// Each attempt as (status, time).
fn attempts(message: &Value) -> Vec<(&str, &str)> {
    let attempts = message["attempts"].as_array().unwrap();
    attempts.iter().map(|one| (one["status"]["code"].as_str().unwrap(), one["at"].as_str().unwrap())).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_feedback_that_a_flow_delivered_in_time_is_not_late() {
    let looped = over().await;
    looped.bed.clock.advance(9 * MINUTE);
    looped.bed.deliver("notification", FEEDBACK, "message.send", arrived()).await;
    looped.catch_up().await;
    let body = message(&looped).await;
    assert_eq!(body["status"]["code"], "DELIVERED");
    assert_eq!(attempts(&body), [("DELIVERED", "2026-03-02T01:09:00.000Z")]);
    looped.bed.clock.advance(60 * MINUTE);
    looped.catch_up().await;
    assert_eq!(own(&looped, "process_node").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_what_was_delivered_at_the_last_moment_counts_though_nobody_wrote_it_down_yet() {
    let looped = over().await;
    looped.bed.clock.advance(10 * MINUTE - 1);
    looped.bed.deliver("notification", FEEDBACK, "message.send", arrived()).await;
    looped.bed.clock.advance(1);
    looped.catch_up().await;
    assert_eq!(own(&looped, "process_node").await, Vec::<Value>::new());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_feedback_that_a_flow_delivered_late_is_late_by_so_much() {
    let looped = over().await;
    looped.bed.clock.advance(13 * MINUTE);
    looped.catch_up().await;
    looped.bed.deliver("notification", FEEDBACK, "message.send", arrived()).await;
    looped.catch_up().await;
    let late = own(&looped, "process_node").await.remove(0);
    assert_eq!((&late["node"]["code"], &late["attrs"]["wait_ms"]), (&json!("FEEDBACK_LATE"), &json!(3 * MINUTE)));
    assert!(late.get("status").is_none());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_lateness_is_withdrawn_when_the_vendor_tells_later_that_it_delivered_in_time() {
    for by_step in [false, true] {
        let looped = over().await;
        looped.bed.clock.advance(11 * MINUTE);
        looped.catch_up().await;
        assert_eq!(written(&looped).await.0, [("FEEDBACK_LATE".to_owned(), BEGIN_MS + 10 * MINUTE)]);
        let at_ms = BEGIN_MS + 10 * MINUTE - 10_000;
        if by_step {
            looped.node("int-1", NodeCode::FeedbackSent, at_ms).await;
        } else {
            let told = InterviewResult { delivered_to_candidate_at: Some(instant(at_ms)), ..overall("int-1", "90") };
            looped.bed.put("res-1", &told).await;
        }
        looped.catch_up().await;
        looped.catch_up().await;
        let step = looped.bed.find("process_node", Some(FEEDBACK)).await.remove(0);
        let body: Value = serde_json::from_slice(&step.body).unwrap();
        assert_eq!((step.revision, &body["status"]), (2, &json!("WITHDRAWN")), "by a step: {by_step}");
        assert_eq!(message(&looped).await["status"]["code"], "DELIVERED");
        let application = looped.bed.find("application", None).await.remove(0);
        let timeline = looped.desk.timeline(&crate::bed::tenant(), application.id).await.unwrap();
        let shown = timeline.steps.iter().find(|step| step.code.as_deref() == Some("FEEDBACK_LATE")).unwrap();
        assert_eq!(shown.status.as_deref(), Some("WITHDRAWN"), "the timeline says that it does not hold");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r38_a_message_that_died_is_failed_and_one_that_is_sent_again_and_arrives_is_delivered() {
    let looped = over().await;
    let dead = AttemptEnd::Dead { error: "refused: +8613900000000 is unknown".into() };
    looped.bed.deliver("notification", FEEDBACK, "message.send", dead).await;
    looped.catch_up().await;
    let body = message(&looped).await;
    assert_eq!((&body["status"]["code"], &body["attempts"][0]["error"]), (&json!("FAILED"), &json!("refused")));
    assert!(!body.to_string().contains("139"), "no address");
    looped.bed.clock.advance(MINUTE);
    looped.bed.deliver("notification", FEEDBACK, "message.send", arrived()).await;
    looped.catch_up().await;
    let body = message(&looped).await;
    let expected = [("FAILED", "2026-03-02T01:00:00.000Z"), ("DELIVERED", "2026-03-02T01:01:00.000Z")];
    assert_eq!((&body["status"]["code"], attempts(&body)), (&json!("DELIVERED"), expected.to_vec()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_endpoint_that_is_told_of_the_record_delivers_no_message() {
    let looped = over().await;
    looped.bed.deliver("notification", FEEDBACK, "event.send", arrived()).await;
    looped.bed.clock.advance(11 * MINUTE);
    looped.catch_up().await;
    assert_eq!(message(&looped).await["status"]["code"], "SCHEDULED");
    assert_eq!(written(&looped).await.0.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_end_that_is_corrected_asks_for_no_second_message() {
    let looped = Looped::new("80", None).await;
    let ended = |ms| Interview {
        ended_at: Some(ZonedInstant::new(instant(ms))),
        ..interview_of(InterviewStatus::Completed, None)
    };
    looped.bed.put("int-1", &ended(BEGIN_MS - 1_000)).await;
    looped.bed.put("res-1", &overall("int-1", "90")).await;
    looped.catch_up().await;
    looped.bed.put("int-1", &ended(BEGIN_MS)).await;
    looped.node("int-1", NodeCode::Completed, BEGIN_MS + 5).await;
    looped.catch_up().await;
    assert_eq!(written(&looped).await.1, ["interview_feedback"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r39_an_interview_that_only_its_status_says_to_be_over_has_its_ten_minutes_from_when_that_was_said() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
    looped.bed.clock.advance(4 * MINUTE);
    // The same status again does not mean another end.
    let again = Interview { round: Some(1), ..interview_of(InterviewStatus::Completed, None) };
    looped.bed.put("int-1", &again).await;
    looped.bed.put("res-1", &overall("int-1", "90")).await;
    looped.catch_up().await;
    assert_eq!(message(&looped).await["deadline"], "2026-03-02T01:10:00.000Z");
    looped.bed.clock.advance(7 * MINUTE);
    looped.catch_up().await;
    assert_eq!(written(&looped).await.0, [("FEEDBACK_LATE".to_owned(), BEGIN_MS + 10 * MINUTE)]);
}
