//! An answer is of all rows or there is none.

use std::time::Duration;

use renmen_analysis::{AnalysisError, Ask, QuestionName, Settings};
use renmen_insight::Limits;

use crate::bed::{Bed, tenant};
use crate::rows::{MadeUp, Mood, hundred};

#[tokio::test]
async fn a_reading_that_breaks_takes_too_long_or_brings_too_much_gives_no_answer() {
    let bed = Bed::new().await;
    let rows = MadeUp::new(hundred());
    let settings = Settings { ask_within: Duration::from_millis(1_000), ..Settings::default() };
    let analysis = bed.analysis(rows.clone(), settings.clone());
    let funnel = Ask::of(QuestionName::Funnel);
    assert!(analysis.ask(&tenant(), &funnel).await.is_ok());
    rows.mood(Mood::Breaks);
    assert!(matches!(analysis.ask(&tenant(), &funnel).await, Err(AnalysisError::Fault(_))));
    rows.mood(Mood::Hangs);
    let late = analysis.ask(&tenant(), &funnel).await.unwrap_err();
    assert!(matches!(late, AnalysisError::TooLong(_)), "{late}");
    assert!(late.text().to_string().contains("insight.ask_within"));
    assert!(matches!(analysis.keep(&tenant(), &funnel).await, Err(AnalysisError::TooLong(_))));
    assert_eq!(bed.records("insight").await.len(), 0, "nothing is kept of what was not answered");
    rows.mood(Mood::Good);
    for (entries_max, fits) in [(100, true), (99, false)] {
        let limits = Limits { entries_max, ..Limits::default() };
        let analysis = bed.analysis(rows.clone(), Settings { limits, ..settings.clone() });
        let answer = analysis.ask(&tenant(), &funnel).await;
        assert_eq!(answer.is_ok(), fits, "{entries_max}");
        assert!(fits || matches!(answer, Err(AnalysisError::Overflow(_))));
    }
}

#[tokio::test]
async fn more_questions_than_may_be_answered_at_once_are_refused_and_places_come_back() {
    let bed = Bed::new().await;
    let rows = MadeUp::new(hundred());
    rows.mood(Mood::Hangs);
    let settings = Settings { asks_at_once: 1, ask_within: Duration::from_millis(1_000), ..Settings::default() };
    let analysis = bed.analysis(rows.clone(), settings);
    let (funnel, of) = (Ask::of(QuestionName::Funnel), tenant());
    let (first, second) = tokio::join!(analysis.ask(&of, &funnel), async {
        tokio::task::yield_now().await;
        analysis.ask(&of, &funnel).await
    });
    assert!(matches!(first, Err(AnalysisError::TooLong(_))));
    assert!(matches!(second, Err(AnalysisError::Busy)));
    rows.mood(Mood::Good);
    assert!(analysis.ask(&of, &funnel).await.is_ok());
}

#[tokio::test]
async fn a_record_that_is_not_there_and_a_parameter_that_is_missing_are_named() {
    let bed = Bed::new().await;
    let analysis = bed.analysis(MadeUp::new(hundred()), Settings::default());
    let nowhere = Ask::read(QuestionName::Funnel, [("position", "018f3c1e-0000-7000-8000-ffffffffffff")]).unwrap();
    assert!(matches!(analysis.ask(&tenant(), &nowhere).await, Err(AnalysisError::NotFound("position"))));
    let missing = analysis.ask(&tenant(), &Ask::of(QuestionName::Profile)).await.unwrap_err();
    assert!(matches!(&missing, AnalysisError::Bad { parameter, .. } if parameter == "metric"), "{missing}");
}
