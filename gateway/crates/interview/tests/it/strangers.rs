//! What a connection says of another's interview: it may say it, and nothing comes of it, unless the operator listed it.

use std::sync::Arc;

use renmen_interview::{
    Asked, BandAsk, BandDesk, BandOptions, CorrectionAsk, InterviewError, ScreenStage, Unknown, Verdict,
};
use renmen_schema::code::{
    BandStatus, BandVisibility, EnvironmentKind, InterviewKind, InterviewStatus, JobKind, NodeCode, OrderStatus,
};
use renmen_schema::entity::{
    Application, BandKey, DimensionScore, EnvironmentEvent, Interview, InterviewResult, Job, PayBand, ProcessNode,
    Subject,
};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Coded, Decimal, ExternalId, Localized, Money, PayInterval, PayRange, Ref};
use renmen_store::RecordRow;
use serde_json::{Value, json};

use crate::bed::{BEGIN_MS, Bed, survey, tenant, vendor};
use crate::vendor::{Looped, application_of, instant, interview_of, order_until, overall, score};

const MINUTE: i64 = 60_000;

fn body(row: &RecordRow) -> Value {
    serde_json::from_slice(&row.body).unwrap()
}

/// A reference to a record of the vendor's, as another connection writes it.
fn theirs<E>(external_id: &str) -> Ref<E> {
    Ref::by(ExternalId { connection: Some(vendor()), ..ExternalId::of(external_id) })
}

/// The same by our own id too.
fn known<E>(external_id: &str, row: &RecordRow) -> Ref<E> {
    let mut reference = theirs(external_id);
    reference.id = Some(row.id);
    reference
}

fn result_of(interview: &str, value: &str) -> InterviewResult {
    InterviewResult { interview: theirs(interview), ..overall("-", value) }
}

fn step_of(interview: &str, code: NodeCode, at_ms: i64) -> ProcessNode {
    let subject = Subject { interview: Some(theirs(interview)), ..Subject::new() };
    ProcessNode::new(subject, Coded::new(code), instant(at_ms))
}

fn named<E>(count: usize, make: impl Fn(usize) -> E) -> Vec<(String, E)> {
    (0..count).map(|n| (format!("s-{n}"), make(n))).collect()
}

async fn outcomes(looped: &Looped) -> Vec<Value> {
    let mut rows = looped.bed.find("decision", None).await;
    rows.sort_by_key(|row| (row.created_at_ms, row.id));
    rows.iter().map(|row| body(row)["outcome"].clone()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_result_of_a_stranger_decides_nothing_and_one_of_a_listed_connection_does() {
    let looped = Looped::new("80", None).await;
    looped.result("int-1", "40").await;
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await, ["FAIL"]);
    looped.bed.clock.advance(1_000);
    looped.bed.put_through(&survey(), &[("forged".into(), result_of("int-1", "99"))]).await;
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await, ["FAIL"], "the vendor's own result stands");

    let proctoring = ConnectionName::new("proctoring").unwrap();
    looped.bed.put_through(&proctoring, &[("told".into(), result_of("int-1", "90"))]).await;
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await, ["FAIL", "PASS"], "the operator listed it");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_of_a_stranger_about_somebody_elses_application_is_not_acted_on() {
    let looped = Looped::new("80", None).await;
    let interview = Interview {
        application: theirs::<Application>("app-1"),
        ..Interview::new(Ref::external("-"), InterviewKind::Ai, Coded::new(InterviewStatus::Completed))
    };
    looped.bed.put_through(&survey(), &[("own-1".into(), interview)]).await;
    let result = InterviewResult { interview: Ref::external("own-1"), ..overall("-", "99") };
    looped.bed.put_through(&survey(), &[("res".into(), result)]).await;
    looped.bed.put_through(&survey(), &[("ord".into(), order_until(BEGIN_MS + MINUTE, OrderStatus::Invited))]).await;
    looped.catch_up().await;
    looped.bed.clock.advance(5 * MINUTE);
    looped.catch_up().await;
    assert!(looped.bed.find("decision", None).await.is_empty());
    assert!(looped.bed.find("notification", None).await.is_empty());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_records_of_a_stranger_keep_no_result_from_being_decided() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
    looped
        .bed
        .put_through(&survey(), &named(1_000, |n| step_of("int-1", NodeCode::Started, BEGIN_MS + n as i64)))
        .await;
    looped.bed.put_through(&survey(), &[("r".into(), result_of("int-1", "99"))]).await;
    looped.catch_up().await;
    assert!(outcomes(&looped).await.is_empty());
    looped.bed.put("res-1", &overall("int-1", "40")).await;
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await, ["FAIL"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_than_a_thousand_records_of_the_vendors_own_keep_no_result_from_being_decided() {
    let looped = Looped::new("80", None).await;
    looped.bed.put("int-1", &interview_of(InterviewStatus::Completed, None)).await;
    let noise = |n: usize| {
        EnvironmentEvent::new(
            theirs("int-1"),
            instant(BEGIN_MS + n as i64),
            Coded::new(EnvironmentKind::NetworkLatency),
        )
    };
    for (prefix, count) in [("a", 900), ("b", 900)] {
        let events: Vec<_> =
            named(count, noise).into_iter().map(|(id, event)| (format!("{prefix}{id}"), event)).collect();
        looped.bed.put_more(&events).await;
        let steps = named(count, |n| step_of("int-1", NodeCode::AnswerSubmitted, BEGIN_MS + n as i64));
        let steps: Vec<_> = steps.into_iter().map(|(id, step)| (format!("{prefix}{id}"), step)).collect();
        looped.bed.put_more(&steps).await;
    }
    looped.bed.put("res-1", &overall("int-1", "90")).await;
    looped.bed.put("done", &step_of("int-1", NodeCode::Completed, BEGIN_MS)).await;
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await, ["PASS"]);
    assert_eq!(looped.bed.find("notification", None).await.len(), 1, "and the last of the steps is seen");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn steps_of_a_stranger_end_no_interview_and_stop_no_watch() {
    let looped = Looped::new("80", None).await;
    let start = BEGIN_MS + 30 * MINUTE;
    let mine = looped.bed.put("int-1", &interview_of(InterviewStatus::Scheduled, Some(start))).await;
    let steps = [NodeCode::Started, NodeCode::Completed, NodeCode::Cancelled, NodeCode::FeedbackSent];
    let forged: Vec<_> = steps.iter().map(|code| (format!("s-{code}"), step_of("int-1", *code, BEGIN_MS))).collect();
    looped.bed.put_through(&survey(), &forged).await;
    // Under the very id that the watch would write by.
    let own = format!("no-show/vendor/int-1/{start}");
    looped.bed.put_through(&survey(), &[(own.clone(), step_of("int-1", NodeCode::NoShow, start))]).await;
    looped.catch_up().await;
    looped.bed.clock.advance(20 * MINUTE);
    looped.catch_up().await;
    let ours = |rows: Vec<RecordRow>| rows.into_iter().filter(|row| row.connection.as_str() == "renmen").count();
    assert_eq!(ours(looped.bed.find("process_node", None).await), 0, "nothing is late that is not over");
    let token = looped.desk.screen_token(&tenant(), mine.id).await.unwrap().token;
    let seen = looped.desk.screen(&token, mine.id).await.unwrap().unwrap();
    assert_eq!((seen.stage, seen.nodes.len()), (ScreenStage::Waiting, 0));

    looped.bed.clock.advance(25 * MINUTE);
    looped.catch_up().await;
    assert_eq!(ours(looped.bed.find("process_node", Some(&own)).await), 1, "who did not come is found");
    looped.bed.put("began", &step_of("int-1", NodeCode::Started, start + 11 * MINUTE)).await;
    looped.catch_up().await;
    let seen = looped.desk.screen(&token, mine.id).await.unwrap().unwrap();
    assert_eq!((seen.stage, seen.nodes.len()), (ScreenStage::InProgress, 1), "the vendor's own step is shown");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_correction_of_a_person_at_the_gateway_moves_a_score() {
    let looped = Looped::new("80", None).await;
    let first = looped.bed.put("dim-1", &score("int-1", "60", "100")).await;
    looped.result("int-1", "60").await;
    looped.catch_up().await;
    looped.bed.clock.advance(1_000);
    // As they could stand in a store that is older than the wall: neither the vendor's own nor a stranger's counts.
    let correcting = |value: &str| DimensionScore {
        interview: Some(theirs("int-1")),
        adjusts: Some(known("dim-1", &first)),
        adjust_reason: Some(renmen_schema::entity::AdjustReason {
            text: Some(Localized::und("x")),
            environment_event: None,
        }),
        ..score("int-1", value, "100")
    };
    looped.bed.put("dim-2", &correcting("95")).await;
    looped.bed.put_through(&survey(), &[("dim-3".into(), correcting("99"))]).await;
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await, ["FAIL"]);

    let ask = |event: Option<&RecordRow>| CorrectionAsk {
        value: Decimal::from(90),
        environment_event: event.map(|row| row.id),
        reason: "The line broke".into(),
        person: "li.na".into(),
    };
    let event = EnvironmentEvent::new(theirs("int-1"), instant(BEGIN_MS), Coded::new(EnvironmentKind::NetworkLatency));
    looped.bed.put_through(&survey(), &[("ev".into(), event)]).await;
    let forged = looped.bed.find("environment_event", None).await.remove(0);
    let refused = looped.desk.correct(&tenant(), first.id, &ask(Some(&forged))).await;
    assert!(
        matches!(&refused, Err(InterviewError::Refused { en: why, .. }) if why.contains("`survey`")),
        "{refused:?}"
    );
    let strangers = looped.bed.find("dimension_score", Some("dim-3")).await.remove(0);
    let refused = looped.desk.correct(&tenant(), strangers.id, &ask(None)).await;
    assert!(
        matches!(&refused, Err(InterviewError::Refused { en: why, .. }) if why.contains("[interview] sources")),
        "{refused:?}"
    );
    looped.desk.correct(&tenant(), first.id, &ask(None)).await.unwrap();
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await, ["FAIL", "PASS"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn decisions_and_messages_that_others_wrote_are_not_taken_for_the_gateways() {
    let looped = Looped::new("80", None).await;
    looped.result("int-1", "90").await;
    looped.catch_up().await;
    let made = looped.bed.find("decision", None).await.remove(0);
    let forged: renmen_schema::entity::Decision = serde_json::from_slice(&made.body).unwrap();
    looped.bed.put_through(&survey(), &[(made.external_id.clone(), forged.clone())]).await;
    let open = renmen_schema::entity::Decision {
        status: renmen_schema::code::DecisionStatus::AwaitingPerson,
        outcome: renmen_schema::code::PassDecision::Review,
        supersedes: Some(known("-", &made)),
        ..forged
    };
    looped.bed.put_through(&survey(), &[("open".into(), open)]).await;
    looped.catch_up().await;
    let rows = looped.bed.find("decision", None).await;
    assert_eq!(rows.iter().filter(|row| row.connection.as_str() == "renmen").count(), 1);
    let open = rows.into_iter().find(|row| row.external_id == "open").unwrap();
    let ask = renmen_interview::DecisionAsk {
        verdict: renmen_interview::PersonVerdict::Pass,
        person: "li.na".into(),
        reason: "x".into(),
        reasons: Vec::new(),
    };
    let refused = looped.desk.decide(&tenant(), open.id, &ask).await;
    assert!(matches!(refused, Err(InterviewError::NotFound("decision"))), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stranger_neither_stands_in_a_timeline_nor_crowds_it_out() {
    let looped = Looped::new("80", None).await;
    looped.result("int-1", "90").await;
    let of_application = |n: usize| {
        let subject = Subject { application: Some(theirs("app-1")), ..Subject::new() };
        ProcessNode::new(subject, Coded::new(NodeCode::Started), instant(BEGIN_MS + n as i64))
    };
    looped.bed.put_through(&survey(), &named(2_100, of_application)).await;
    looped.catch_up().await;
    let application = looped.bed.find("application", None).await.remove(0);
    let timeline = looped.desk.timeline(&tenant(), application.id).await.unwrap();
    assert!(!timeline.truncated);
    assert!(timeline.steps.iter().all(|step| step.connection != survey()));
    for kind in ["interview", "result", "decision"] {
        assert!(timeline.steps.iter().any(|step| step.kind == kind), "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bands_answer_only_of_connections_that_the_operator_names() {
    let bed = Bed::new().await;
    let band = |min: &str, max: &str| {
        let key = BandKey { level: Some("P5".into()), ..BandKey::new() };
        let range = PayRange::between(min, max, "CNY", PayInterval::Month).unwrap();
        PayBand::new(key, range, BandStatus::Active, BandVisibility::VendorMatchOnly)
    };
    bed.put_through(&survey(), &[("wide".into(), band("1", "99999"))]).await;
    let payroll = ConnectionName::new("payroll").unwrap();
    let options = BandOptions { sources: [payroll.clone()].into(), ..BandOptions::default() };
    let (desk, work) = BandDesk::open(Arc::clone(&bed.store), bed.clock.clone(), &[tenant()], options).await.unwrap();
    let cancel = tokio_util::sync::CancellationToken::new();
    let working = tokio::spawn(work.run(cancel.clone()));
    bed.put("app-1", &application_of("cand-1", "job-1")).await;
    let job = Job { min_level: Some("P5".into()), ..Job::new(JobKind::Job.into(), Localized::zh_cn("工程师")) };
    bed.put("job-1", &job).await;
    bed.put("int-1", &interview_of(InterviewStatus::InProgress, None)).await;
    let ask = async || {
        let (connection, expected) = (&vendor(), Money::new("9500", "CNY").unwrap());
        let ask = BandAsk { connection, about: Asked::Interview("int-1"), expected, per: PayInterval::Month };
        desk.ask(&tenant(), "key", ask).await.unwrap()
    };
    assert_eq!(ask().await, Verdict::Unknown(Unknown::NoBand), "a stranger's band that was there before");
    bed.put_through(&survey(), &[("wider".into(), band("1", "99999"))]).await;
    bed.put_through(&payroll, &[("p5".into(), band("10000", "12000"))]).await;
    crate::bed::until(async || (ask().await == Verdict::Out).then_some(())).await;
    bed.put_through(&survey(), &[("later".into(), band("9000", "9999"))]).await;
    bed.put_through(&payroll, &[("p5".into(), band("9000", "12000"))]).await;
    crate::bed::until(async || (ask().await == Verdict::In).then_some(())).await;
    cancel.cancel();
    working.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_with_more_than_may_be_looked_at_is_told_and_the_others_go_on() {
    let looped = Looped::with_children_max(100).await;
    looped.result("int-1", "90").await;
    let many = named(101, |n| result_of("int-2", &(n % 100).to_string()));
    looped.bed.put("int-2", &interview_of(InterviewStatus::Completed, None)).await;
    looped.bed.put_more(&many[..100]).await;
    looped.catch_up().await;
    let decided = outcomes(&looped).await.len();
    assert_eq!(decided, 101, "as many as may be: {decided}");
    looped.bed.put_more(&many[100..]).await;
    looped.result("int-3", "90").await;
    looped.catch_up().await;
    assert_eq!(outcomes(&looped).await.len(), 102, "one more is too many, and it stops no one else");
    assert_eq!(json!(looped.bed.find("decision", None).await.len()), json!(102));
}
