//! What the vendor itself says about candidates who did not come and interviews that were called off, next to what our
//! own watch finds.

use renmen_schema::code::{AnswerKind, InterviewStatus, NodeCode};
use renmen_schema::entity::{Interview, InterviewAnswer, ProcessNode, Question, Subject};
use renmen_schema::types::{Coded, ExternalId, Localized, Ref, ZonedInstant};
use serde_json::json;

use crate::bed::{BEGIN_MS, vendor};
use crate::vendor::{Looped, MINUTE, instant, interview_of, overall, own, written};

const START: i64 = BEGIN_MS + 30 * MINUTE;

async fn scheduled(start_ms: Option<i64>) -> Looped {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, start_ms)).await;
    looped.catch_up().await;
    looped
}

async fn messages(looped: &Looped) -> Vec<String> {
    looped.catch_up().await;
    looped.catch_up().await;
    written(looped).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_the_vendors_no_show_asks_for_another_time_by_status_and_by_step() {
    for (start_ms, by_step) in [(Some(START), false), (Some(START), true), (None, false), (None, true)] {
        let looped = scheduled(start_ms).await;
        looped.bed.clock.advance(36 * MINUTE);
        // Before our own watch would find it.
        if by_step {
            looped.node("int-1", NodeCode::NoShow, START + 5 * MINUTE).await;
        } else {
            looped.bed.put("int-1", &interview_of(InterviewStatus::NoShow, start_ms)).await;
        }
        assert_eq!(messages(&looped).await, ["interview_reschedule"], "{start_ms:?}, by a step: {by_step}");
        looped.node("int-1", NodeCode::NoShow, START + 6 * MINUTE).await;
        looped.bed.put("int-1", &interview_of(InterviewStatus::NoShow, start_ms)).await;
        looped.bed.clock.advance(60 * MINUTE);
        assert_eq!(messages(&looped).await, ["interview_reschedule"], "once: {start_ms:?}, by a step: {by_step}");
        assert_eq!(written(&looped).await.0, [], "the vendor's own step is enough");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_a_no_show_that_both_find_is_told_once() {
    let looped = scheduled(Some(START)).await;
    looped.bed.clock.advance(40 * MINUTE);
    assert_eq!(messages(&looped).await, ["interview_reschedule"]);
    looped.bed.put("int-1", &interview_of(InterviewStatus::NoShow, Some(START))).await;
    looped.node("int-1", NodeCode::NoShow, START + 12 * MINUTE).await;
    assert_eq!(messages(&looped).await, ["interview_reschedule"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_no_show_another_time_is_reminded_of_and_watched_again() {
    let looped = scheduled(Some(START)).await;
    looped.bed.clock.advance(36 * MINUTE);
    looped.node("int-1", NodeCode::NoShow, START + 5 * MINUTE).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::NoShow, Some(START))).await;
    looped.catch_up().await;
    looped.bed.clock.advance(MINUTE);
    let next = START + 24 * 60 * MINUTE;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, Some(next))).await;
    looped.catch_up().await;
    looped.bed.clock.advance(next - 5 * MINUTE - (BEGIN_MS + 37 * MINUTE));
    assert_eq!(messages(&looped).await, ["interview_reminder", "interview_reschedule"]);
    looped.bed.clock.advance(15 * MINUTE);
    assert_eq!(
        messages(&looped).await,
        ["interview_reminder", "interview_reschedule", "interview_reschedule"],
        "missed a second time"
    );
    assert_eq!(written(&looped).await.0, [("NO_SHOW".to_owned(), next + 10 * MINUTE)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_called_off_is_told_to_who_waits_and_nobody_is_reminded() {
    for by_step in [false, true] {
        let looped = scheduled(Some(START)).await;
        looped.bed.clock.advance(MINUTE);
        if by_step {
            looped.node("int-1", NodeCode::Cancelled, BEGIN_MS + MINUTE).await;
        } else {
            looped.bed.put("int-1", &interview_of(InterviewStatus::Cancelled, Some(START))).await;
        }
        assert_eq!(messages(&looped).await, ["interview_cancelled"], "by a step: {by_step}");
        looped.bed.clock.advance(60 * MINUTE);
        assert_eq!(messages(&looped).await, ["interview_cancelled"], "by a step: {by_step}");
        assert_eq!(written(&looped).await.0, []);
    }
    // Afterwards there is nothing to call off any more: who did not come knows what they missed.
    let looped = scheduled(Some(START)).await;
    looped.bed.clock.advance(45 * MINUTE);
    looped.catch_up().await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Cancelled, Some(START))).await;
    assert_eq!(messages(&looped).await, ["interview_reschedule"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_show_is_withdrawn_when_the_candidate_turns_out_to_have_begun_in_time() {
    for (began_ms, holds) in [(START + 9 * MINUTE, false), (START + 11 * MINUTE, true)] {
        let looped = scheduled(Some(START)).await;
        looped.bed.clock.advance(42 * MINUTE);
        looped.catch_up().await;
        assert_eq!(written(&looped).await.0, [("NO_SHOW".to_owned(), START + 10 * MINUTE)]);
        let began = Interview {
            started_at: Some(ZonedInstant::new(instant(began_ms))),
            ..interview_of(InterviewStatus::InProgress, Some(START))
        };
        looped.bed.put("int-1", &began).await;
        looped.catch_up().await;
        let step = own(&looped, "process_node").await.remove(0);
        assert_eq!(step.get("status").cloned(), (!holds).then(|| json!("WITHDRAWN")), "began at {began_ms}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_who_answers_is_not_cut_off_though_the_vendor_tells_no_steps() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::InProgress, Some(BEGIN_MS))).await;
    looped.catch_up().await;
    looped.bed.clock.advance(12 * MINUTE);
    let question = Question::new(Localized::und("?"), Coded::new(AnswerKind::Open));
    let answer = InterviewAnswer {
        submitted_at: Some(instant(BEGIN_MS + 12 * MINUTE)),
        ..InterviewAnswer::new(Ref::external("int-1"), question)
    };
    looped.bed.put("ans-1", &answer).await;
    looped.bed.clock.advance(15 * MINUTE - 1);
    looped.catch_up().await;
    assert_eq!(written(&looped).await.0, []);
    looped.bed.clock.advance(1);
    looped.catch_up().await;
    assert_eq!(written(&looped).await.0, [("DROPPED".to_owned(), BEGIN_MS + 27 * MINUTE)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_what_ended_or_has_a_result_is_not_cut_off() {
    let ended = Interview {
        ended_at: Some(ZonedInstant::new(instant(BEGIN_MS + MINUTE))),
        ..interview_of(InterviewStatus::InProgress, Some(BEGIN_MS))
    };
    for (interview, has_result) in [(ended, false), (interview_of(InterviewStatus::InProgress, Some(BEGIN_MS)), true)] {
        let looped = Looped::new("80", None).await;
        looped.bed.put("int-1", &interview).await;
        if has_result {
            looped.bed.put("res-1", &overall("int-1", "90")).await;
        }
        looped.catch_up().await;
        looped.bed.clock.advance(20 * MINUTE);
        looped.catch_up().await;
        let (steps, messages) = written(&looped).await;
        assert!(steps.iter().all(|(code, _)| code != "DROPPED"), "{steps:?}");
        assert!(!messages.contains(&"interview_dropped".to_owned()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_approval_about_an_interview_that_is_withdrawn_calls_no_interview_off() {
    let looped = scheduled(Some(START)).await;
    let theirs = || Ref::by(ExternalId { connection: Some(vendor()), ..ExternalId::of("int-1") });
    let subject = Subject { interview: Some(theirs()), ..Subject::new() };
    let ended = Coded::with_raw(NodeCode::Other, "APPROVAL_WITHDRAWN");
    // Through a connection that counts for the interview.
    let withdrawn =
        ProcessNode { status: Some("TERMINATED".into()), ..ProcessNode::new(subject, ended, instant(BEGIN_MS)) };
    let proctoring = renmen_schema::id::ConnectionName::new("proctoring").unwrap();
    looped.bed.put_through(&proctoring, &[("approval/ended".into(), withdrawn)]).await;
    looped.catch_up().await;
    looped.bed.clock.advance(25 * MINUTE);
    assert_eq!(messages(&looped).await, ["interview_reminder"]);
    looped.bed.clock.advance(15 * MINUTE);
    assert_eq!(messages(&looped).await, ["interview_reminder", "interview_reschedule"]);
}
