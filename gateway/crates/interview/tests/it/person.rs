//! What people do about decisions: decide, open again, override, correct; each once, with a name and a reason.

use renmen_interview::{CorrectionAsk, DecisionAsk, InterviewError, PersonVerdict, ReopenAsk};
use renmen_schema::code::OutcomeReason;
use renmen_schema::id::TenantId;
use renmen_schema::types::{Decimal, Localized};
use renmen_store::RecordRow;
use serde_json::{Value, json};

use crate::bed::{Bed, tenant};
use crate::vendor::{Looped, score};

fn body(row: &RecordRow) -> Value {
    serde_json::from_slice(&row.body).unwrap()
}

/// Number, outcome and status of each decision, the first first.
async fn story(bed: &Bed) -> Vec<(String, String, String)> {
    let mut rows = bed.find("decision", None).await;
    rows.sort_by_key(|row| row.external_id.clone());
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let number = |row: &RecordRow| row.external_id.rsplit('/').next().unwrap().to_owned();
    rows.iter().map(|row| (number(row), text(&body(row)["outcome"]), text(&body(row)["status"]))).collect()
}

fn steps(of: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    of.iter().map(|(n, outcome, status)| ((*n).into(), (*outcome).into(), (*status).into())).collect()
}

fn by(person: &str, verdict: PersonVerdict, reason: &str) -> DecisionAsk {
    DecisionAsk { verdict, person: person.into(), reason: reason.into(), reasons: Vec::new() }
}

fn reopen(person: &str, reason: &str) -> ReopenAsk {
    ReopenAsk { person: person.into(), reason: Localized::und(reason) }
}

/// A loop with one decision, by the rule or left to a person.
async fn decided(score: &str) -> (Looped, RecordRow) {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    looped.result("int-1", score).await;
    looped.catch_up().await;
    let first = looped.bed.find("decision", None).await.remove(0);
    (looped, first)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b6_a_persons_own_misclick_is_opened_again_and_decided_otherwise() {
    let (looped, first) = decided("77").await;
    let desk = &looped.desk;
    desk.decide(&tenant(), first.id, &by("li.na", PersonVerdict::Fail, "too short")).await.unwrap();
    let open = desk.reopen(&tenant(), first.id, &reopen("li.na", "misclick")).await.unwrap();
    assert_eq!(story(&looped.bed).await, steps(&[("1", "FAIL", "SUPERSEDED"), ("2", "REVIEW", "AWAITING_PERSON")]));
    let before = looped.bed.store.record(&tenant(), first.id).await.unwrap().unwrap();
    assert_eq!(body(&before)["superseded_by"]["external"]["value"], open.external_id);
    assert_eq!(body(&before)["decided_by"]["person"], "li.na", "what was decided stays");
    let now = body(&open);
    assert_eq!(now["supersedes"]["id"], first.id.to_string());
    assert_eq!(now["opened_by"], json!({ "kind": "PERSON", "person": "li.na" }));
    assert_eq!((&now["reason"]["und"], now.get("decided_by")), (&json!("misclick"), None));

    desk.decide(&tenant(), open.id, &by("li.na", PersonVerdict::Pass, "as meant")).await.unwrap();
    looped.catch_up().await;
    let end = steps(&[("1", "FAIL", "SUPERSEDED"), ("2", "PASS", "DECIDED")]);
    assert_eq!(story(&looped.bed).await, end, "the loop has nothing to add");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn b6_a_rules_fail_is_overridden_and_stays_so_because_it_rests_on_the_same_values() {
    let (looped, first) = decided("60").await;
    let desk = &looped.desk;
    let same = desk.overrule(&tenant(), first.id, &by("li.na", PersonVerdict::Fail, "x")).await;
    assert!(matches!(same, Err(InterviewError::Refused { .. })), "{same:?}");
    let made = desk.overrule(&tenant(), first.id, &by("li.na", PersonVerdict::Pass, "knows the domain")).await.unwrap();
    let (before, after) = (body(&first), body(&made));
    for copied in ["inputs", "score", "rule", "result", "interview", "application", "border"] {
        assert_eq!(after[copied], before[copied], "{copied}");
    }
    assert_eq!(after["decided_by"], json!({ "kind": "PERSON", "person": "li.na" }));
    looped.catch_up().await;
    assert_eq!(story(&looped.bed).await, steps(&[("1", "FAIL", "SUPERSEDED"), ("2", "PASS", "DECIDED")]));
    let causes = looped.bed.store.causes(&tenant(), made.id, 1).await.unwrap();
    assert!(causes.iter().any(|cause| cause.record == first.id));

    // A person's verdict is overridden the same way.
    let other = desk.overrule(&tenant(), made.id, &by("wang.wei", PersonVerdict::Fail, "second look")).await.unwrap();
    assert_eq!(body(&other)["outcome"], "FAIL");
    assert_eq!(story(&looped.bed).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_ask_twice_is_one_decision() {
    let (looped, first) = decided("77").await;
    let (desk, tenant) = (&looped.desk, tenant());
    let pass = by("li.na", PersonVerdict::Pass, "convincing");
    let once = desk.decide(&tenant, first.id, &pass).await.unwrap();
    let again = desk.decide(&tenant, first.id, &pass).await.unwrap();
    assert_eq!((again.id, again.revision), (once.id, once.revision));
    for other in [
        by("li.na", PersonVerdict::Fail, "convincing"),
        by("wang.wei", PersonVerdict::Pass, "convincing"),
        by("li.na", PersonVerdict::Pass, "another reason"),
    ] {
        let refused = desk.decide(&tenant, first.id, &other).await;
        assert!(
            matches!(&refused, Err(InterviewError::Refused { en, zh }) if en.contains("reopen") && zh.contains("重新打开")),
            "{refused:?}"
        );
    }

    let misclick = reopen("li.na", "misclick");
    let (a, b) = tokio::join!(desk.reopen(&tenant, first.id, &misclick), desk.reopen(&tenant, first.id, &misclick));
    let (a, b) = (a.unwrap(), b.unwrap());
    assert_eq!(a.id, b.id, "two at once are one");
    assert_eq!(desk.reopen(&tenant, first.id, &misclick).await.unwrap().id, a.id);
    desk.decide(&tenant, a.id, &pass).await.unwrap();
    let fail = by("li.na", PersonVerdict::Fail, "after all");
    let one = desk.overrule(&tenant, a.id, &fail).await.unwrap();
    assert_eq!(desk.overrule(&tenant, a.id, &fail).await.unwrap().id, one.id);
    assert_eq!(desk.overrule(&tenant, one.id, &fail).await.unwrap().revision, 1, "it is that one already");
    assert_eq!(story(&looped.bed).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_decision_that_was_superseded_is_refused_with_the_one_in_force() {
    let (looped, first) = decided("60").await;
    let (desk, tenant) = (&looped.desk, tenant());
    let second = desk.overrule(&tenant, first.id, &by("li.na", PersonVerdict::Pass, "a")).await.unwrap();
    let third = desk.reopen(&tenant, second.id, &reopen("wang.wei", "b")).await.unwrap();
    let in_force = |asked: Result<RecordRow, InterviewError>| match asked {
        Err(InterviewError::Superseded { by }) => by,
        other => panic!("{other:?}"),
    };
    for late in [first.id, second.id] {
        assert_eq!(in_force(desk.decide(&tenant, late, &by("li.na", PersonVerdict::Fail, "c")).await), third.id);
        assert_eq!(in_force(desk.reopen(&tenant, late, &reopen("li.na", "c")).await), third.id);
        assert_eq!(in_force(desk.overrule(&tenant, late, &by("li.na", PersonVerdict::Fail, "c")).await), third.id);
    }
    for refused in [
        desk.reopen(&tenant, third.id, &reopen("li.na", "d")).await,
        desk.overrule(&tenant, third.id, &by("li.na", PersonVerdict::Fail, "d")).await,
    ] {
        assert!(
            matches!(&refused, Err(InterviewError::Refused { en: why, .. }) if why.contains("open")),
            "{refused:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_decision_and_an_override_at_once_one_is_in_force_and_the_other_is_told() {
    let (looped, first) = decided("60").await;
    let tenant = tenant();
    let asks: Vec<_> = (0..4).map(|n| by(&format!("person-{n}"), PersonVerdict::Pass, "at once")).collect();
    let (a, b, c, d) = tokio::join!(
        looped.desk.overrule(&tenant, first.id, &asks[0]),
        looped.desk.overrule(&tenant, first.id, &asks[1]),
        looped.desk.overrule(&tenant, first.id, &asks[2]),
        looped.desk.overrule(&tenant, first.id, &asks[3]),
    );
    let (made, told): (Vec<_>, Vec<_>) = [a, b, c, d].into_iter().partition(Result::is_ok);
    assert_eq!((made.len(), story(&looped.bed).await.len()), (1, 2));
    let in_force = made[0].as_ref().unwrap().id;
    for told in told {
        assert!(matches!(told, Err(InterviewError::Superseded { by }) if by == in_force), "{told:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deciding_a_review_ends_the_persons_decision_before_it() {
    let (looped, first) = decided("77").await;
    let score = looped.bed.put("dim-1", &score("int-1", "60", "100")).await;
    looped.desk.decide(&tenant(), first.id, &by("li.na", PersonVerdict::Fail, "a")).await.unwrap();
    looped.bed.clock.advance(1_000);
    let correction = CorrectionAsk {
        value: Decimal::from(90),
        environment_event: None,
        reason: "Misheard".into(),
        person: "li.na".into(),
    };
    looped.desk.correct(&tenant(), score.id, &correction).await.unwrap();
    looped.catch_up().await;
    let found = looped.bed.find("decision", None).await;
    let review = found.into_iter().find(|row| row.external_id.ends_with("/2")).unwrap();
    assert_eq!(body(&review)["status"], "AWAITING_PERSON");
    looped.desk.decide(&tenant(), review.id, &by("wang.wei", PersonVerdict::Pass, "b")).await.unwrap();
    assert_eq!(story(&looped.bed).await, steps(&[("1", "FAIL", "SUPERSEDED"), ("2", "PASS", "DECIDED")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_person_opened_again_no_rule_decides() {
    let (looped, first) = decided("60").await;
    let score = looped.bed.put("dim-1", &score("int-1", "60", "100")).await;
    looped.desk.reopen(&tenant(), first.id, &reopen("li.na", "look at it again")).await.unwrap();
    for (value, number) in [(90, "3"), (95, "4")] {
        looped.bed.clock.advance(1_000);
        let correction = CorrectionAsk {
            value: Decimal::from(value),
            environment_event: None,
            reason: "Misheard".into(),
            person: "li.na".into(),
        };
        looped.desk.correct(&tenant(), score.id, &correction).await.unwrap();
        looped.catch_up().await;
        let last = story(&looped.bed).await.pop().unwrap();
        assert_eq!([last.0, last.1, last.2], [number, "REVIEW", "AWAITING_PERSON"], "{value} would pass by the rule");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r41_codes_say_why_somebody_does_not_pass_and_nothing_else() {
    let (looped, first) = decided("77").await;
    let ask =
        |verdict, reasons: &[OutcomeReason]| DecisionAsk { reasons: reasons.to_vec(), ..by("li.na", verdict, "r") };
    let (no_show, pay) = (OutcomeReason::NoShow, OutcomeReason::PayTooLow);
    for bad in [
        ask(PersonVerdict::Pass, &[no_show]),
        ask(PersonVerdict::Fail, &[no_show, no_show]),
        ask(PersonVerdict::Fail, &OutcomeReason::ALL[..6]),
    ] {
        let refused = looped.desk.decide(&tenant(), first.id, &bad).await;
        assert!(matches!(refused, Err(InterviewError::BadInput { field: "reasons", .. })), "{refused:?}");
    }
    let made = looped.desk.decide(&tenant(), first.id, &ask(PersonVerdict::Fail, &[no_show, pay])).await.unwrap();
    assert_eq!(body(&made)["reasons"], json!([{ "code": "NO_SHOW" }, { "code": "PAY_TOO_LOW" }]));
    let open = looped.desk.reopen(&tenant(), first.id, &reopen("li.na", "x")).await.unwrap();
    assert_eq!(body(&open).get("reasons"), None, "a reason belongs to its verdict");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_act_needs_a_name_and_a_reason_and_a_decision_of_the_own_tenant() {
    let (looped, first) = decided("60").await;
    let (desk, long) = (&looped.desk, "x".repeat(2_001));
    for (person, reason, field) in [(" ", "r", "person"), ("li.na", " ", "reason"), ("li.na", long.as_str(), "reason")]
    {
        let asked = by(person, PersonVerdict::Pass, reason);
        for refused in [
            desk.decide(&tenant(), first.id, &asked).await,
            desk.overrule(&tenant(), first.id, &asked).await,
            desk.reopen(&tenant(), first.id, &reopen(person, reason)).await,
        ] {
            assert!(matches!(refused, Err(InterviewError::BadInput { field: of, .. }) if of == field));
        }
    }
    let other = TenantId::new("globex").unwrap();
    for unseen in [
        desk.overrule(&other, first.id, &by("li.na", PersonVerdict::Pass, "r")).await,
        desk.reopen(&other, first.id, &reopen("li.na", "r")).await,
    ] {
        assert!(matches!(unseen, Err(InterviewError::NotFound("decision"))));
    }
    assert_eq!(story(&looped.bed).await, steps(&[("1", "FAIL", "DECIDED")]));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r21_the_same_correction_twice_is_one_and_an_earlier_value_can_be_taken_again() {
    let (looped, _) = decided("77").await;
    let first = looped.bed.put("dim-1", &score("int-1", "60", "50")).await;
    let correct = async |value: i32| {
        let ask = CorrectionAsk {
            value: Decimal::from(value),
            environment_event: None,
            reason: "The line broke".into(),
            person: "li.na".into(),
        };
        looped.bed.clock.advance(1);
        looped.desk.correct(&tenant(), first.id, &ask).await.unwrap().id
    };
    let (seventy, again, eighty, back) = (correct(70).await, correct(70).await, correct(80).await, correct(70).await);
    assert_eq!(seventy, again);
    assert!(eighty != seventy && back != seventy && back != eighty, "the last word counts");
}
