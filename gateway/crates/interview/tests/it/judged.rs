//! A decision rests on the values that were judged: nothing else asks again, and what people did is not undone.

use renmen_interview::{CorrectionAsk, DecisionAsk, PersonVerdict};
use renmen_schema::code::InterviewStatus;
use renmen_schema::entity::InterviewResult;
use renmen_schema::types::{Decimal, Score};
use renmen_store::RecordRow;
use serde_json::{Value, json};

use crate::bed::{BEGIN_MS, tenant};
use crate::vendor::{Looped, instant, interview_of, overall, score};

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;

fn body(row: &RecordRow) -> Value {
    serde_json::from_slice(&row.body).unwrap()
}

/// Decisions in their order, with outcome, status and who made them.
async fn made(looped: &Looped) -> Vec<(String, String, String)> {
    let mut rows = looped.bed.find("decision", None).await;
    rows.sort_by_key(|row| row.external_id.clone());
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    rows.iter()
        .map(|row| {
            let body = body(row);
            (text(&body["outcome"]), text(&body["status"]), text(&body["decided_by"]["kind"]))
        })
        .collect()
}

async fn numbered(looped: &Looped, number: usize) -> RecordRow {
    let rows = looped.bed.find("decision", None).await;
    rows.into_iter().find(|row| row.external_id.ends_with(&format!("/{number}"))).unwrap()
}

fn own(outcome: &str, status: &str, by: &str) -> (String, String, String) {
    (outcome.into(), status.into(), by.into())
}

fn passes() -> DecisionAsk {
    DecisionAsk {
        verdict: PersonVerdict::Pass,
        person: "li.na".into(),
        reason: "Strong in the second round".into(),
        reasons: Vec::new(),
    }
}

/// The vendor sends its result again, with a change in something that no judgement depends on.
async fn touched(looped: &Looped, value: &str, level: &str) {
    looped.bed.clock.advance(MINUTE);
    let again = InterviewResult {
        suggested_level: Some(level.into()),
        delivered_to_candidate_at: Some(instant(BEGIN_MS + MINUTE)),
        ..overall("int-1", value)
    };
    looped.bed.put("res-int-1", &again).await;
    looped.catch_up().await;
}

async fn corrected(looped: &Looped, row: &RecordRow, value: i32) {
    looped.bed.clock.advance(MINUTE);
    let ask = CorrectionAsk {
        value: Decimal::from(value),
        environment_event: None,
        reason: "Misheard".into(),
        person: "li.na".into(),
    };
    looped.desk.correct(&tenant(), row.id, &ask).await.unwrap();
    looped.catch_up().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_link_and_a_delivery_time_decide_nothing_again_r39() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    looped.result("int-1", "90").await;
    looped.catch_up().await;
    for level in ["P5", "P6", "P7"] {
        touched(&looped, "90", level).await;
    }
    assert_eq!(made(&looped).await, [own("PASS", "DECIDED", "RULE")]);
    let inputs = body(&numbered(&looped, 1).await)["inputs"].clone();
    assert_eq!((&inputs[0]["score"]["value"], &inputs[0]["revision"]), (&json!("90"), &json!(1)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_decided_stays_when_the_vendor_sends_the_result_again() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    looped.result("int-1", "77").await;
    looped.catch_up().await;
    let open = numbered(&looped, 1).await;
    looped.desk.decide(&tenant(), open.id, &passes()).await.unwrap();
    touched(&looped, "77", "P6").await;
    assert_eq!(made(&looped).await, [own("PASS", "DECIDED", "PERSON")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_score_that_changes_after_a_person_decided_opens_a_review_and_the_decision_stands() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    looped.result("int-1", "77").await;
    looped.catch_up().await;
    let first = numbered(&looped, 1).await;
    looped.desk.decide(&tenant(), first.id, &passes()).await.unwrap();
    touched(&looped, "40", "P6").await;
    assert_eq!(made(&looped).await, [own("PASS", "DECIDED", "PERSON"), own("REVIEW", "AWAITING_PERSON", "-")]);
    let review = body(&numbered(&looped, 2).await);
    assert_eq!(review["supersedes"]["id"], json!(first.id.to_string()));
    let why = review["reason"].to_string();
    assert!(why.contains("77") && why.contains("40"), "it shows both: {why}");
    // It changes once more: one open review, about what stands now.
    touched(&looped, "95", "P6").await;
    let now = made(&looped).await;
    assert_eq!(now[0], own("PASS", "DECIDED", "PERSON"));
    assert_eq!(now[1..], [own("REVIEW", "SUPERSEDED", "-"), own("REVIEW", "AWAITING_PERSON", "-")]);
    assert_eq!(body(&numbered(&looped, 3).await)["supersedes"]["id"], json!(first.id.to_string()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_correction_stays_in_force_when_the_vendor_adds_a_report_r21() {
    let looped = Looped::new("80", None).await;
    let dimension = looped.bed.put("dim-1", &score("int-1", "50", "30")).await;
    looped.result("int-1", "74").await;
    looped.catch_up().await;
    corrected(&looped, &dimension, 90).await;
    let after = [own("FAIL", "SUPERSEDED", "RULE"), own("PASS", "DECIDED", "RULE")];
    assert_eq!(made(&looped).await, after);
    assert_eq!(body(&numbered(&looped, 2).await)["score"], "86");
    let closed = body(&numbered(&looped, 1).await);
    assert_eq!(closed["superseded_by"]["external"]["value"], json!(numbered(&looped, 2).await.external_id));
    touched(&looped, "74", "P6").await;
    looped.bed.put("dim-1", &score("int-1", "50", "30")).await;
    looped.catch_up().await;
    assert_eq!(made(&looped).await, after);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_score_that_a_vendor_changes_after_a_person_corrected_one_goes_to_a_person() {
    let looped = Looped::new("80", None).await;
    let dimension = looped.bed.put("dim-1", &score("int-1", "50", "30")).await;
    looped.result("int-1", "74").await;
    looped.catch_up().await;
    corrected(&looped, &dimension, 90).await;
    // Is the correction in it already? No program can know.
    touched(&looped, "86", "P6").await;
    let last = made(&looped).await.pop().unwrap();
    assert_eq!(last, own("REVIEW", "AWAITING_PERSON", "-"));
    assert_eq!(body(&numbered(&looped, 3).await)["rule"]["decision"], "PASS", "what the rule would say is shown");
    // And it stays with people, no matter what the vendor sends next.
    touched(&looped, "60", "P6").await;
    assert_eq!(made(&looped).await.pop().unwrap(), own("REVIEW", "AWAITING_PERSON", "-"));
    let open = made(&looped).await.into_iter().filter(|one| one.1 == "AWAITING_PERSON").count();
    assert_eq!(open, 1, "one is open; those before are closed as superseded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_score_that_changes_before_any_person_came_is_decided_by_the_rule_again() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    looped.result("int-1", "90").await;
    looped.catch_up().await;
    touched(&looped, "77", "P6").await;
    touched(&looped, "60", "P6").await;
    assert_eq!(
        made(&looped).await,
        [own("PASS", "SUPERSEDED", "RULE"), own("REVIEW", "SUPERSEDED", "-"), own("FAIL", "DECIDED", "RULE")]
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_without_an_overall_score_goes_to_a_person_when_the_interview_is_over() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::InProgress, None)).await;
    let matched = InterviewResult {
        overall: None,
        matching: Some(Score::raw("0.85", "0", "1").unwrap()),
        ..overall("int-1", "0")
    };
    looped.bed.put("res-int-1", &matched).await;
    looped.catch_up().await;
    assert!(made(&looped).await.is_empty(), "more may come while it goes on");
    looped.bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
    looped.catch_up().await;
    assert_eq!(made(&looped).await, [own("REVIEW", "AWAITING_PERSON", "-")]);
    let open = body(&numbered(&looped, 1).await);
    assert!(open["score"].is_null() && open["reason"].to_string().contains("no overall score"), "{open}");
    touched(&looped, "91", "P6").await;
    assert_eq!(made(&looped).await, [own("REVIEW", "SUPERSEDED", "-"), own("PASS", "DECIDED", "RULE")]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_that_nobody_decides_in_time_is_told_of_once() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    for (interview, value) in [("int-1", "77"), ("int-2", "90")] {
        looped.result(interview, value).await;
        looped.node(interview, renmen_schema::code::NodeCode::Completed, BEGIN_MS).await;
    }
    // No result at all.
    looped.bed.put("int-3", &interview_of(InterviewStatus::Completed, None)).await;
    looped.node("int-3", renmen_schema::code::NodeCode::Completed, BEGIN_MS).await;
    looped.catch_up().await;
    let told = async || {
        let rows = looped.bed.find("notification", None).await;
        let of = |row: &RecordRow| body(row)["interview"]["external"]["value"].as_str().unwrap().to_owned();
        let undecided = rows.iter().filter(|row| body(row)["template"] == "interview_undecided");
        undecided.map(of).collect::<Vec<_>>()
    };
    looped.bed.clock.advance(2 * DAY - 1);
    looped.catch_up().await;
    assert!(told().await.is_empty());
    looped.bed.clock.advance(1);
    looped.catch_up().await;
    looped.catch_up().await;
    let mut names = told().await;
    names.sort();
    assert_eq!(names, ["int-1", "int-3"]);
}
