//! The band match over a store that changes.

use std::sync::Arc;

use renmen_interview::{BandAsk, BandDesk, BandKeyAsk, BandOptions, InterviewError, Unknown, Verdict};
use renmen_schema::code::{BandStatus, BandVisibility};
use renmen_schema::entity::{BandKey, PayBand};
use renmen_schema::types::{Money, PayInterval, PayRange};
use tokio_util::sync::CancellationToken;

use crate::bed::{Bed, tenant, until, vendor};

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
    let options = BandOptions::default();
    let (desk, work) = BandDesk::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap();
    let cancel = CancellationToken::new();
    let working = tokio::spawn(work.run(cancel.clone()));
    let asked = |interview: &str, amount: &str| desk.ask(&tenant(), "key", (&vendor(), interview), ask(amount));

    assert_eq!(asked("int-1", "9500").unwrap(), Verdict::In);
    assert_eq!(asked("int-1", "13000").unwrap(), Verdict::Out);
    bed.put("b1", &band("12000", "15000")).await;
    until(async || (asked("int-2", "13000").unwrap() == Verdict::In).then_some(())).await;
    bed.put("b1", &PayBand { visibility: BandVisibility::Internal, ..band("12000", "15000") }).await;
    until(async || (asked("int-2", "13000").unwrap() == Verdict::Unknown(Unknown::NoBand)).then_some(())).await;

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
    let options = BandOptions { waiting_max: 4, ..BandOptions::default() };
    let (desk, _work) = BandDesk::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap();
    let asked = |amount: &str| desk.ask(&tenant(), "key", (&vendor(), "int-1"), ask(amount));
    for amount in ["9000", "9500", "9900"] {
        assert_eq!(asked(amount).unwrap(), Verdict::In);
    }
    assert!(matches!(asked("10200"), Err(InterviewError::TooMany { .. })));
    assert_eq!(asked("9501").unwrap(), Verdict::In, "the same to three digits");
    // Nobody writes: four wait, and the fifth question is not answered.
    assert!(matches!(asked("9500"), Err(InterviewError::Overloaded)));
    let negative = desk.ask(&tenant(), "key", (&vendor(), "int-2"), ask("-1"));
    assert!(matches!(negative, Err(InterviewError::BadInput { field: "expected.amount", .. })));
}
