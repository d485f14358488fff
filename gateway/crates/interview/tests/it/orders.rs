//! Orders: planned times before there is an interview, deadlines, and which interviews stand for which order.

use renmen_schema::code::{ApplicationStatus, InterviewStatus, NodeCode, OrderStatus};
use renmen_schema::entity::{Application, Interview, InterviewOrder};
use renmen_schema::types::{Coded, Ref, ZonedInstant};
use serde_json::json;

use crate::bed::BEGIN_MS;
use crate::vendor::{Looped, MINUTE, instant, interview_of, order_until, own, written};

fn at(ms: i64) -> Option<ZonedInstant> {
    Some(ZonedInstant::new(instant(ms)))
}

/// An interview for this order, or for none.
fn of_order(order: Option<&str>, status: InterviewStatus) -> Interview {
    Interview { order: order.map(Ref::external), ..interview_of(status, None) }
}

async fn after_the_deadline(looped: &Looped) -> Vec<String> {
    looped.catch_up().await;
    looped.bed.clock.advance(MINUTE);
    looped.catch_up().await;
    looped.catch_up().await;
    written(looped).await.1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_order_whose_deadline_passes_without_an_interview_is_a_no_show() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("ord-1", &order_until(BEGIN_MS + MINUTE, OrderStatus::Invited)).await;
    looped.bed.put("ord-2", &order_until(BEGIN_MS + MINUTE, OrderStatus::Completed)).await;
    assert_eq!(after_the_deadline(&looped).await, ["interview_deadline_missed"]);
    assert_eq!(written(&looped).await.0.len(), 1);
    assert_eq!(own(&looped, "notification").await[0]["candidate"]["external"]["value"], "cand-1");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deadline_makes_no_no_show_of_who_finished_an_interview_that_names_no_order() {
    for (order, status, step) in [
        (None, InterviewStatus::Completed, None),
        (None, InterviewStatus::InProgress, None),
        // By its own steps, regardless of its status.
        (None, InterviewStatus::Scheduled, Some(NodeCode::Completed)),
        (Some("ord-1"), InterviewStatus::Scheduled, Some(NodeCode::Started)),
    ] {
        let looped = Looped::new("80", None).await;
        looped.bed.put("ord-1", &order_until(BEGIN_MS + MINUTE, OrderStatus::Invited)).await;
        looped.bed.put("int-1", &of_order(order, status)).await;
        if let Some(step) = step {
            looped.node("int-1", step, BEGIN_MS).await;
        }
        assert_eq!(after_the_deadline(&looped).await, Vec::<String>::new(), "{order:?} {status:?} {step:?}");
    }
    let looped = Looped::new("80", None).await;
    looped.bed.put("ord-1", &order_until(BEGIN_MS + MINUTE, OrderStatus::Invited)).await;
    looped.bed.put("int-1", &of_order(None, InterviewStatus::Scheduled)).await;
    assert_eq!(after_the_deadline(&looped).await, ["interview_deadline_missed"], "who is only awaited did not come");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_interview_without_an_order_stands_for_one_order() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("ord-2", &order_until(BEGIN_MS + MINUTE, OrderStatus::Invited)).await;
    looped.bed.put("ord-1", &order_until(BEGIN_MS + MINUTE / 2, OrderStatus::Invited)).await;
    looped.bed.put("int-1", &of_order(None, InterviewStatus::Completed)).await;
    assert_eq!(after_the_deadline(&looped).await, ["interview_deadline_missed"]);
    let rows = looped.bed.find("process_node", Some(&format!("deadline/vendor/ord-2/{}", BEGIN_MS + MINUTE))).await;
    assert_eq!(rows.len(), 1, "the earlier order is the one that they came for");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_on_another_application_of_the_candidate_stands_for_the_order_if_nothing_was_ordered_there() {
    for ordered in [false, true] {
        let looped = Looped::new("80", None).await;
        let status = Coded::new(ApplicationStatus::Active);
        let other = Application::new(Ref::external("cand-1"), Ref::external("pos-1"), status);
        looped.bed.put("app-2", &other).await;
        looped.bed.put("ord-1", &order_until(BEGIN_MS + MINUTE, OrderStatus::Invited)).await;
        let there =
            |id: &str| Interview { application: Ref::external(id), ..interview_of(InterviewStatus::Completed, None) };
        looped.bed.put("int-1", &there("app-2")).await;
        if ordered {
            let theirs = InterviewOrder {
                application: Ref::external("app-2"),
                ..order_until(BEGIN_MS + MINUTE, OrderStatus::Completed)
            };
            looped.bed.put("ord-2", &theirs).await;
        }
        let expected: &[&str] = if ordered { &["interview_deadline_missed"] } else { &[] };
        assert_eq!(after_the_deadline(&looped).await, expected, "ordered there: {ordered}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_show_of_an_order_is_withdrawn_when_somebody_turns_out_to_have_come_in_time() {
    for (began_ms, holds) in [(BEGIN_MS + MINUTE / 2, false), (BEGIN_MS + 2 * MINUTE, true)] {
        let looped = Looped::new("80", None).await;
        looped.bed.put("ord-1", &order_until(BEGIN_MS + MINUTE, OrderStatus::Invited)).await;
        assert_eq!(after_the_deadline(&looped).await, ["interview_deadline_missed"]);
        let came = Interview { started_at: at(began_ms), ..of_order(Some("ord-1"), InterviewStatus::InProgress) };
        looped.bed.put("int-1", &came).await;
        looped.catch_up().await;
        let step = own(&looped, "process_node").await.remove(0);
        let status = step.get("status").cloned();
        assert_eq!(status, (!holds).then(|| json!("WITHDRAWN")), "began at {began_ms}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_no_show_of_an_order_is_withdrawn_by_an_interview_that_names_no_order_too() {
    for (application, began_ms, holds) in [
        ("app-1", BEGIN_MS + MINUTE / 2, false),
        ("app-1", BEGIN_MS + 2 * MINUTE, true),
        ("app-2", BEGIN_MS + MINUTE / 2, false),
        ("app-9", BEGIN_MS + MINUTE / 2, true),
    ] {
        let looped = Looped::new("80", None).await;
        let of = |candidate: &str| {
            Application::new(Ref::external(candidate), Ref::external("pos-1"), Coded::new(ApplicationStatus::Active))
        };
        looped.bed.put("app-2", &of("cand-1")).await;
        looped.bed.put("app-9", &of("cand-9")).await;
        looped.bed.put("ord-1", &order_until(BEGIN_MS + MINUTE, OrderStatus::Invited)).await;
        assert_eq!(after_the_deadline(&looped).await, ["interview_deadline_missed"]);
        let came = Interview {
            application: Ref::external(application),
            started_at: at(began_ms),
            ..of_order(None, InterviewStatus::InProgress)
        };
        looped.bed.put("int-1", &came).await;
        looped.catch_up().await;
        let step = own(&looped, "process_node").await.remove(0);
        let status = step.get("status").cloned();
        assert_eq!(status, (!holds).then(|| json!("WITHDRAWN")), "{application} began at {began_ms}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r38_an_order_with_a_planned_time_reminds_before_there_is_an_interview_and_only_once() {
    let looped = Looped::new("80", None).await;
    let start = BEGIN_MS + 30 * MINUTE;
    let order = InterviewOrder {
        start: at(start),
        language: Some("en".into()),
        deadline: None,
        ..order_until(BEGIN_MS, OrderStatus::Scheduled)
    };
    looped.bed.put("ord-1", &order).await;
    looped.catch_up().await;
    looped.bed.clock.advance(25 * MINUTE);
    looped.catch_up().await;
    let told = own(&looped, "notification").await;
    assert_eq!((told.len(), &told[0]["template"], &told[0]["locale"]), (1, &json!("interview_reminder"), &json!("en")));
    // The interview comes now, and names no time of its own.
    looped.bed.put("int-1", &of_order(Some("ord-1"), InterviewStatus::Scheduled)).await;
    looped.catch_up().await;
    assert_eq!(written(&looped).await.1, ["interview_reminder"]);
    looped.bed.clock.advance(15 * MINUTE);
    looped.catch_up().await;
    let (steps, messages) = written(&looped).await;
    assert_eq!(steps, [("NO_SHOW".to_owned(), start + 10 * MINUTE)], "by the order's time");
    assert_eq!(messages, ["interview_reminder", "interview_reschedule"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r34_nobody_comes_at_the_planned_time_of_an_order_without_an_interview() {
    let looped = Looped::new("80", None).await;
    let order = |status| InterviewOrder { start: at(BEGIN_MS), deadline: None, ..order_until(BEGIN_MS, status) };
    looped.bed.put("ord-1", &order(OrderStatus::Scheduled)).await;
    looped.bed.put("ord-2", &order(OrderStatus::Cancelled)).await;
    looped.catch_up().await;
    looped.bed.clock.advance(10 * MINUTE);
    looped.catch_up().await;
    looped.catch_up().await;
    let (steps, messages) = written(&looped).await;
    assert_eq!((steps.len(), messages), (1, vec!["interview_reschedule".to_owned()]));
}
