//! Results come in, decisions come out; a correction makes another one.

use renmen_interview::{CorrectionAsk, DecisionAsk, InterviewError, PersonVerdict};
use renmen_schema::code::{InterviewKind, InterviewStatus};
use renmen_schema::entity::{Decision, Interview};
use renmen_schema::types::Decimal;
use renmen_store::{RecordRow, StoreError};
use serde_json::{Value, json};

use crate::bed::{Bed, tenant};
use crate::vendor::{Looped, interview_of, overall, score};

fn body(row: &RecordRow) -> Value {
    serde_json::from_slice(&row.body).unwrap()
}

async fn decisions(bed: &Bed) -> Vec<RecordRow> {
    let mut rows = bed.find("decision", None).await;
    rows.sort_by_key(|row| row.created_at_ms);
    rows
}

fn ask(verdict: PersonVerdict) -> DecisionAsk {
    DecisionAsk { verdict, person: "li.na".into(), reason: "Strong in the second round".into(), reasons: Vec::new() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r35_a_result_is_decided_once_with_the_version_of_its_rule_and_its_inputs() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    let result = looped.result("int-1", "82").await;
    looped.catch_up().await;
    let rows = decisions(&looped.bed).await;
    assert_eq!(rows.len(), 1);
    let decided = body(&rows[0]);
    assert_eq!((&decided["outcome"], &decided["status"]), (&json!("PASS"), &json!("DECIDED")));
    assert_eq!(decided["rule"], json!({ "rule_id": "default", "version": 1, "threshold": "80", "decision": "PASS" }));
    assert_eq!(decided["decided_by"], json!({ "kind": "RULE" }));
    assert_eq!(decided["application"]["external"], json!({ "connection": "vendor", "value": "app-1" }));
    assert_eq!(decided["inputs"][0]["record"], json!(result.id.to_string()));
    assert_eq!(decided["inputs"][1]["entity"], "decision_rule");
    let causes = looped.bed.store.causes(&tenant(), rows[0].id, 1).await.unwrap();
    assert_eq!((causes[0].record, causes[0].revision, causes.len()), (result.id, 1, 2));
    looped.catch_up().await;
    assert_eq!(decisions(&looped.bed).await.len(), 1, "looking again decides nothing again");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r36_the_border_goes_to_a_person_who_decides_once() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    looped.result("int-1", "77").await;
    looped.catch_up().await;
    let open = decisions(&looped.bed).await.remove(0);
    assert_eq!((&body(&open)["outcome"], &body(&open)["status"]), (&json!("REVIEW"), &json!("AWAITING_PERSON")));

    let nobody = DecisionAsk { person: " ".into(), ..ask(PersonVerdict::Pass) };
    let refused = looped.desk.decide(&tenant(), open.id, &nobody).await;
    assert!(matches!(refused, Err(InterviewError::BadInput { field: "person", .. })));
    let other = renmen_schema::id::TenantId::new("globex").unwrap();
    let unseen = looped.desk.decide(&other, open.id, &ask(PersonVerdict::Pass)).await;
    assert!(matches!(unseen, Err(InterviewError::NotFound("decision"))));

    let made = looped.desk.decide(&tenant(), open.id, &ask(PersonVerdict::Pass)).await.unwrap();
    let decided = body(&made);
    assert_eq!((made.revision, &decided["outcome"]), (2, &json!("PASS")));
    assert_eq!(decided["decided_by"], json!({ "kind": "PERSON", "person": "li.na" }));
    assert_eq!(decided["rule"]["decision"], "REVIEW", "what the rule said stays");
    let again = looped.desk.decide(&tenant(), open.id, &ask(PersonVerdict::Fail)).await;
    assert!(matches!(again, Err(InterviewError::Refused { .. })));
    looped.catch_up().await;
    assert_eq!(decisions(&looped.bed).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_people_at_once_are_one_decision() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    looped.result("int-1", "77").await;
    looped.catch_up().await;
    let open = decisions(&looped.bed).await.remove(0);
    let (yes, no) = (ask(PersonVerdict::Pass), ask(PersonVerdict::Fail));
    let tenant = tenant();
    let (a, b) = tokio::join!(looped.desk.decide(&tenant, open.id, &yes), looped.desk.decide(&tenant, open.id, &no));
    assert_eq!([a.is_ok(), b.is_ok()].iter().filter(|ok| **ok).count(), 1);
    let lost = a.err().or(b.err()).unwrap();
    assert!(matches!(lost, InterviewError::Refused { .. } | InterviewError::Store(StoreError::Fenced(_))), "{lost}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_a_correction_keeps_the_first_score_and_the_decision_is_made_again_and_linked() {
    let looped = Looped::new("80", None).await;
    let first = looped.bed.put("dim-1", &score("int-1", "60", "50")).await;
    looped.bed.put("dim-2", &score("int-1", "90", "50")).await;
    let event = looped.environment_event("int-1", "env-1").await;
    let elsewhere = looped.environment_event("int-2", "env-2").await;
    looped.result("int-1", "75").await;
    looped.catch_up().await;
    assert_eq!(body(&decisions(&looped.bed).await[0])["outcome"], "FAIL");

    let correction = |value: &str, event| CorrectionAsk {
        value: Decimal::parse(value).unwrap(),
        environment_event: Some(event),
        reason: "The line broke for twenty seconds".into(),
        person: "li.na".into(),
    };
    let over = looped.desk.correct(&tenant(), first.id, &correction("100.01", event.id)).await;
    assert!(matches!(over, Err(InterviewError::BadInput { field: "value", .. })));
    let foreign = looped.desk.correct(&tenant(), first.id, &correction("80", elsewhere.id)).await;
    assert!(matches!(foreign, Err(InterviewError::BadInput { field: "environment_event", .. })));

    looped.bed.clock.advance(1_000);
    let made = looped.desk.correct(&tenant(), first.id, &correction("72", event.id)).await.unwrap();
    assert_eq!(body(&made)["adjusts"]["id"], json!(first.id.to_string()));
    assert_eq!(body(&made)["adjust_reason"]["environment_event"]["id"], json!(event.id.to_string()));
    looped.catch_up().await;

    let kept = looped.bed.store.record(&tenant(), first.id).await.unwrap().unwrap();
    assert_eq!((kept.revision, &body(&kept)["score"]["value"]), (1, &json!("60")));
    let rows = decisions(&looped.bed).await;
    assert_eq!(rows.len(), 2);
    // 75 of 100, and half of the 12 points more.
    let again: Decision = serde_json::from_slice(&rows[1].body).unwrap();
    assert_eq!((again.score, &body(&rows[1])["outcome"]), (Some(Decimal::from(81)), &json!("PASS")));
    assert_eq!(again.supersedes.unwrap().id, Some(rows[0].id));
    assert_eq!(again.corrections[0].id, Some(made.id));
    let causes = looped.bed.store.causes(&tenant(), rows[1].id, 1).await.unwrap();
    assert!(causes.iter().any(|cause| cause.record == made.id));
    assert!(causes.iter().any(|cause| cause.record == rows[0].id));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_decided_is_not_overturned_by_a_rule() {
    let looped = Looped::new("80", Some(("70", "80"))).await;
    let first = looped.bed.put("dim-1", &score("int-1", "60", "100")).await;
    looped.result("int-1", "75").await;
    looped.catch_up().await;
    let open = decisions(&looped.bed).await.remove(0);
    looped.desk.decide(&tenant(), open.id, &ask(PersonVerdict::Fail)).await.unwrap();
    let correction = CorrectionAsk {
        value: Decimal::from(90),
        environment_event: None,
        reason: "Misheard".into(),
        person: "li.na".into(),
    };
    looped.bed.clock.advance(1_000);
    looped.desk.correct(&tenant(), first.id, &correction).await.unwrap();
    looped.catch_up().await;
    let rows = decisions(&looped.bed).await;
    let again = body(&rows[1]);
    assert_eq!((&again["outcome"], &again["rule"]["decision"]), (&json!("REVIEW"), &json!("PASS")));
    let late = looped.desk.decide(&tenant(), rows[0].id, &ask(PersonVerdict::Pass)).await;
    assert!(matches!(late, Err(InterviewError::Superseded { by }) if by == rows[1].id));
    looped.desk.decide(&tenant(), rows[1].id, &ask(PersonVerdict::Pass)).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_rule_that_changes_is_another_version_and_leaves_what_was_decided() {
    let looped = Looped::new("80", None).await;
    looped.result("int-1", "82").await;
    looped.catch_up().await;
    let looped = looped.reopened("85", None).await;
    looped.bed.put("dim-9", &score("int-1", "60", "50")).await;
    looped.catch_up().await;
    assert_eq!(decisions(&looped.bed).await.len(), 1);
    looped.bed.clock.advance(1_000);
    looped.result("int-2", "82").await;
    looped.catch_up().await;
    let rows = decisions(&looped.bed).await;
    assert_eq!((&body(&rows[1])["outcome"], &body(&rows[1])["rule"]["version"]), (&json!("FAIL"), &json!(2)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_before_its_interview_is_decided_when_that_comes_and_one_of_people_never_is() {
    let looped = Looped::new("80", None).await;
    for (interview, kind) in [("int-7", InterviewKind::Ai), ("int-8", InterviewKind::Human)] {
        looped.bed.put(&format!("res-{interview}"), &overall(interview, "90")).await;
        looped.catch_up().await;
        assert!(decisions(&looped.bed).await.len() <= 1);
        let held = Interview { kind, ..interview_of(InterviewStatus::Completed, None) };
        looped.bed.put(interview, &held).await;
        looped.catch_up().await;
    }
    let rows = decisions(&looped.bed).await;
    assert_eq!(rows.len(), 1, "people decide on their own interviews");
    assert_eq!(body(&rows[0])["interview"]["external"]["value"], "int-7");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_id_that_no_reference_can_name_holds_nobody_up() {
    let looped = Looped::new("80", None).await;
    let long = "x".repeat(600);
    looped.bed.put(&long, &interview_of(InterviewStatus::Completed, None)).await;
    looped.result("int-1", "90").await;
    looped.catch_up().await;
    assert_eq!(decisions(&looped.bed).await.len(), 1);
}
