//! One application's story, and what its candidate's screen sees of it.

use renmen_interview::{InterviewError, ScreenStage};
use renmen_schema::code::{ApplicationStatus, InterviewStatus, NodeCode, OrderStatus};
use renmen_schema::entity::{Application, Candidate, PersonDetails};
use renmen_schema::types::{Coded, Ref};

use crate::bed::{BEGIN_MS, tenant};
use crate::vendor::{Looped, interview_of, order_until, score};

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
async fn a_candidates_timeline_tells_of_all_their_applications_with_answers_and_scores_r25_r28() {
    let looped = Looped::new("80", None).await;
    let candidate = Candidate::new(PersonDetails::new());
    let row = looped.bed.put("cand-1", &candidate).await;
    let job =
        |id: &str| Application::new(Ref::external("cand-1"), Ref::external(id), Coded::new(ApplicationStatus::Active));
    looped.bed.put("app-1", &job("pos-1")).await;
    looped.bed.put("app-2", &job("pos-2")).await;
    looped
        .bed
        .put(
            "app-9",
            &Application::new(Ref::external("cand-9"), Ref::external("pos-1"), Coded::new(ApplicationStatus::Active)),
        )
        .await;
    looped.result("int-1", "90").await;
    looped.bed.put("dim-1", &score("int-1", "90", "50")).await;
    looped.catch_up().await;
    let timeline = looped.desk.candidate_timeline(&tenant(), row.id).await.unwrap();
    let told: Vec<_> = timeline.steps.iter().map(|step| (step.kind, step.external_id.as_str())).collect();
    for expected in [("candidate", "cand-1"), ("application", "app-1"), ("application", "app-2"), ("score", "dim-1")] {
        assert!(told.contains(&expected), "{expected:?} in {told:?}");
    }
    assert!(told.iter().any(|(kind, _)| *kind == "decision"));
    assert!(!told.contains(&("application", "app-9")), "another candidate's");
    let application = looped.bed.find("application", Some("app-1")).await.remove(0);
    let of_one = looped.desk.timeline(&tenant(), application.id).await.unwrap();
    assert!(of_one.steps.iter().all(|step| step.kind != "score" && step.external_id != "app-2"));
    let no_candidate = looped.desk.candidate_timeline(&tenant(), application.id).await;
    assert!(matches!(no_candidate, Err(InterviewError::NotFound("candidate"))));
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
