//! Where an interview stands for its candidate: by its status as well as by its steps.

use renmen_interview::ScreenStage;
use renmen_schema::code::{InterviewStatus, NodeCode};

use crate::bed::{BEGIN_MS, tenant};
use crate::vendor::{Looped, interview_of};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r33_a_screen_shows_where_the_interview_stands_by_status_and_by_steps() {
    let cases: [(InterviewStatus, &[NodeCode], ScreenStage); 11] = [
        (InterviewStatus::Scheduled, &[], ScreenStage::Waiting),
        (InterviewStatus::Scheduled, &[NodeCode::InviteSent], ScreenStage::Waiting),
        (InterviewStatus::InProgress, &[], ScreenStage::InProgress),
        (InterviewStatus::Scheduled, &[NodeCode::Started], ScreenStage::InProgress),
        (InterviewStatus::InProgress, &[NodeCode::Started, NodeCode::Completed], ScreenStage::Done),
        (InterviewStatus::Completed, &[], ScreenStage::Done),
        (InterviewStatus::Completed, &[NodeCode::Started], ScreenStage::Done),
        (InterviewStatus::NoShow, &[NodeCode::Started], ScreenStage::Done),
        (InterviewStatus::Scheduled, &[NodeCode::NoShow], ScreenStage::Done),
        (InterviewStatus::Cancelled, &[], ScreenStage::Done),
        (InterviewStatus::Expired, &[], ScreenStage::Done),
    ];
    let looped = Looped::new("80", None).await;
    for (number, (status, steps, stage)) in cases.into_iter().enumerate() {
        let id = format!("int-{number}");
        let row = looped.bed.put(&id, &interview_of(status, None)).await;
        for step in steps {
            looped.node(&id, *step, BEGIN_MS).await;
        }
        looped.catch_up().await;
        let token = looped.desk.screen_token(&tenant(), row.id).await.unwrap().token;
        let seen = looped.desk.screen(&token, row.id).await.unwrap().unwrap();
        assert_eq!(seen.stage, stage, "{status:?} with {steps:?}");
    }
}
