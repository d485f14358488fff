//! The band match over a store that changes.

use std::sync::Arc;

use renmen_interview::{BandAsk, BandDesk, BandKeyAsk, BandOptions, InterviewError, Unknown, Verdict};
use renmen_schema::code::{BandStatus, BandVisibility, InterviewStatus};
use renmen_schema::entity::{BandKey, PayBand};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Money, PayInterval, PayRange};
use tokio_util::sync::CancellationToken;

use crate::bed::{Bed, tenant, until, vendor};
use crate::vendor::interview_of;

fn band(min: &str, max: &str) -> PayBand {
    let key = BandKey { job_family: Some("研发".into()), ..BandKey::new() };
    let range = PayRange::between(min, max, "CNY", PayInterval::Month).unwrap();
    PayBand::new(key, range, BandStatus::Active, BandVisibility::VendorMatchOnly)
}

fn ask(amount: &str) -> BandAsk {
    let key = BandKeyAsk { job_family: Some("研发".into()), ..BandKeyAsk::default() };
    BandAsk { key, expected: Money::new(amount, "CNY").unwrap(), per: PayInterval::Month }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r05_the_answer_follows_the_feed_and_every_question_is_a_step_of_its_interview() {
    let bed = Bed::new().await;
    let first = bed.put("b1", &band("8000", "10000")).await;
    let options = BandOptions { sources: [vendor()].into(), ..BandOptions::default() };
    let (desk, work) = BandDesk::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap();
    let cancel = CancellationToken::new();
    let working = tokio::spawn(work.run(cancel.clone()));
    let asked =
        async |interview: &str, amount: &str| desk.ask(&tenant(), "key", (&vendor(), interview), ask(amount)).await;
    for interview in ["int-1", "int-2"] {
        bed.put(interview, &interview_of(InterviewStatus::InProgress, None)).await;
    }

    assert_eq!(asked("int-1", "9500").await.unwrap(), Verdict::In);
    assert_eq!(asked("int-1", "13000").await.unwrap(), Verdict::Out);
    bed.put("b1", &band("12000", "15000")).await;
    until(async || (asked("int-2", "13000").await.unwrap() == Verdict::In).then_some(())).await;
    bed.put("b1", &PayBand { visibility: BandVisibility::Internal, ..band("12000", "15000") }).await;
    until(async || (asked("int-2", "13000").await.unwrap() == Verdict::Unknown(Unknown::NoBand)).then_some(())).await;

    cancel.cancel();
    working.await.unwrap();
    let steps = bed.find("process_node", None).await;
    let of_first: Vec<_> = steps.iter().filter(|row| String::from_utf8_lossy(&row.body).contains("int-1")).collect();
    assert_eq!(of_first.len(), 2);
    for row in &steps {
        assert_eq!(row.connection.as_str(), "renmen");
        let text = String::from_utf8(row.body.clone()).unwrap();
        assert!(text.contains(r#""node":{"code":"BAND_MATCHED"}"#), "{text}");
        for amount in ["9500", "13000", "8000", "10000", "15000"] {
            assert!(!text.contains(&format!("\"{amount}")), "an amount in {text}");
        }
    }
    let causes = bed.store.causes(&tenant(), of_first[0].id, 1).await.unwrap();
    assert_eq!((causes[0].record, causes[0].revision), (first.id, 1));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_feels_for_the_ends_is_stopped_and_a_full_queue_answers_nobody() {
    let bed = Bed::new().await;
    bed.put("b1", &band("8000", "10000")).await;
    let options = BandOptions { waiting_max: 4, sources: [vendor()].into(), ..BandOptions::default() };
    let (desk, _work) = BandDesk::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap();
    bed.put("int-1", &interview_of(InterviewStatus::InProgress, None)).await;
    let asked = async |amount: &str| desk.ask(&tenant(), "key", (&vendor(), "int-1"), ask(amount)).await;
    for amount in ["9000", "9500", "9900"] {
        assert_eq!(asked(amount).await.unwrap(), Verdict::In);
    }
    assert!(matches!(asked("10200").await, Err(InterviewError::TooMany { .. })));
    assert_eq!(asked("9501").await.unwrap(), Verdict::In, "the same to three digits");
    // Nobody writes: four wait, and the fifth question is not answered.
    assert!(matches!(asked("9500").await, Err(InterviewError::Overloaded)));
    let negative = desk.ask(&tenant(), "key", (&vendor(), "int-2"), ask("-1")).await;
    assert!(matches!(negative, Err(InterviewError::BadInput { field: "expected.amount", .. })));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_that_is_not_there_not_this_connections_or_over_is_not_asked_about_and_leaves_no_step() {
    let bed = Bed::new().await;
    bed.put("b1", &band("8000", "10000")).await;
    for (id, status) in [
        ("to-come", InterviewStatus::Scheduled),
        ("confirmed", InterviewStatus::Confirmed),
        ("under-way", InterviewStatus::InProgress),
        ("cut-off", InterviewStatus::Interrupted),
        ("done", InterviewStatus::Completed),
        ("missed", InterviewStatus::NoShow),
        ("called-off", InterviewStatus::Cancelled),
        ("too-late", InterviewStatus::Expired),
    ] {
        bed.put(id, &interview_of(status, None)).await;
    }
    let options = BandOptions { asks_per_minute: 11, sources: [vendor()].into(), ..BandOptions::default() };
    let (desk, work) = BandDesk::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap();
    let stranger = ConnectionName::new("stranger").unwrap();
    let asked = async |connection: &ConnectionName, interview: &str| {
        desk.ask(&tenant(), "key", (connection, interview), ask("9500")).await
    };
    for open in ["to-come", "confirmed", "under-way", "cut-off"] {
        assert_eq!(asked(&vendor(), open).await.unwrap(), Verdict::In, "{open}");
    }
    for over in ["done", "missed", "called-off", "too-late"] {
        assert!(matches!(asked(&vendor(), over).await, Err(InterviewError::Refused(_))), "{over}");
    }
    for (connection, interview) in [(&vendor(), "made-up"), (&stranger, "under-way"), (&vendor(), "b1")] {
        assert!(matches!(asked(connection, interview).await, Err(InterviewError::NotFound("interview"))));
    }
    // Whoever makes interviews up has no more tries for it.
    assert!(matches!(asked(&vendor(), "made-up").await, Err(InterviewError::TooMany { .. })));

    let cancel = CancellationToken::new();
    cancel.cancel();
    work.run(cancel).await;
    assert_eq!(bed.find("process_node", None).await.len(), 4, "one step for each question that was answered");
}
