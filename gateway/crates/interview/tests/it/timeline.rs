//! One application's story, and what its candidate's screen sees of it.

use renmen_interview::{InterviewError, ScreenStage};
use renmen_schema::code::{InterviewStatus, NodeCode, OrderStatus};

use crate::bed::{BEGIN_MS, tenant};
use crate::vendor::{Looped, interview_of, order_until};

const MINUTE: i64 = 60_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_timeline_tells_every_step_in_order_with_its_source_whatever_came_first() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    // The result before the interview, the steps before both: the order of arrival tells nothing.
    looped.node("int-1", NodeCode::Started, BEGIN_MS + MINUTE).await;
    looped.bed.clock.advance(5 * MINUTE);
    looped.result("int-1", "77").await;
    looped.bed.put("ord-1", &order_until(BEGIN_MS + 60 * MINUTE, OrderStatus::Completed)).await;
    looped.catch_up().await;
    let application = looped.bed.find("application", None).await.remove(0);
    let timeline = looped.desk.timeline(&tenant(), application.id).await.unwrap();
    assert!(!timeline.truncated);
    let told: Vec<_> = timeline
        .steps
        .iter()
        .map(|step| (step.kind, step.code.as_deref().unwrap_or(""), step.connection.as_str()))
        .collect();
    assert_eq!(told[0], ("application", "", "vendor"));
    assert_eq!(told[1], ("node", "STARTED", "vendor"));
    for expected in [("order", "", "vendor"), ("result", "", "vendor"), ("decision", "REVIEW", "renmen")] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    let decision = timeline.steps.iter().find(|step| step.kind == "decision").unwrap();
    let result = looped.bed.find("interview_result", None).await.remove(0);
    assert!(decision.causes.iter().any(|cause| cause.record == result.id && cause.revision == 1));
    assert!(timeline.steps.windows(2).all(|pair| pair[0].at_ms <= pair[1].at_ms));

    let other = renmen_schema::id::TenantId::new("globex").unwrap();
    let unseen = looped.desk.timeline(&other, application.id).await;
    assert!(matches!(unseen, Err(InterviewError::NotFound("application"))));
    let no_application = looped.desk.timeline(&tenant(), result.id).await;
    assert!(matches!(no_application, Err(InterviewError::NotFound("application"))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r33_r40_a_screen_sees_the_steps_of_its_interview_until_its_token_ends() {
    let looped = Looped::new("80", None).await;
    let mine = looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, None)).await;
    let theirs = looped.bed.put("int-2", &interview_of(InterviewStatus::Scheduled, None)).await;
    let made = looped.desk.screen_token(&tenant(), mine.id).await.unwrap();
    assert!(made.token.starts_with("rs_") && made.token.len() == 67);
    assert!(!format!("{made:?}").contains(&made.token));
    let seen = looped.desk.screen(&made.token, mine.id).await.unwrap().unwrap();
    assert_eq!((seen.stage, seen.nodes.len()), (ScreenStage::Waiting, 0));

    looped.node("int-1", NodeCode::Started, BEGIN_MS).await;
    looped.node("int-1", NodeCode::BandMatched, BEGIN_MS + 1).await;
    looped.node("int-2", NodeCode::Completed, BEGIN_MS).await;
    looped.catch_up().await;
    let seen = looped.desk.screen(&made.token, mine.id).await.unwrap().unwrap();
    let codes: Vec<_> = seen.nodes.iter().map(|node| node.code).collect();
    assert_eq!((seen.stage, codes), (ScreenStage::InProgress, vec!["STARTED"]), "what the vendor asked is not shown");

    assert_eq!(looped.desk.screen(&made.token, theirs.id).await.unwrap(), None, "good for one interview alone");
    assert_eq!(looped.desk.screen("rs_0", mine.id).await.unwrap(), None);
    looped.bed.clock.advance(2 * 3_600_000 - 1);
    assert!(looped.desk.screen(&made.token, mine.id).await.unwrap().is_some());
    looped.bed.clock.advance(1);
    assert_eq!(looped.desk.screen(&made.token, mine.id).await.unwrap(), None);
    let application = looped.bed.find("application", None).await.remove(0);
    let refused = looped.desk.screen_token(&tenant(), application.id).await;
    assert!(matches!(refused, Err(InterviewError::NotFound("interview"))));
}
