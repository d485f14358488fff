//! Copies of one interview, application or candidate in several systems.

use renmen_interview::LoopOptions;
use renmen_schema::code::{InterviewKind, InterviewStatus};
use renmen_schema::entity::{Application, Candidate, Interview, InterviewResult, PersonDetails};
use renmen_schema::id::ConnectionName;
use renmen_schema::types::{Coded, ExternalId, Ref};
use renmen_store::RecordRow;

use crate::bed::{Bed, tenant, vendor};
use crate::vendor::{Looped, application_of, options, overall, score, sources};

/// The HR system, which keeps candidates and applications, and copies of the vendor's interviews.
fn hr() -> ConnectionName {
    ConnectionName::new("hr").unwrap()
}

fn at<E>(connection: &ConnectionName, external_id: &str) -> Ref<E> {
    Ref::by(ExternalId { connection: Some(connection.clone()), ..ExternalId::of(external_id) })
}

fn interview(of: &str, names: Option<ExternalId>) -> Interview {
    Interview {
        external_ids: names.into_iter().collect(),
        ..Interview::new(at(&hr(), of), InterviewKind::Ai, Coded::new(InterviewStatus::Completed))
    }
}

/// An id whose connection is not known.
fn of_some_system(value: &str) -> ExternalId {
    ExternalId { object_type: Some("interview".into()), ..ExternalId::of(value) }
}

fn of_the_vendor(value: &str) -> ExternalId {
    ExternalId { connection: Some(vendor()), ..ExternalId::of(value) }
}

async fn put_result(bed: &Bed, through: &ConnectionName, id: &str, interview: &str, value: &str) {
    let result = InterviewResult { interview: Ref::external(interview), ..overall("-", value) };
    bed.put_through(through, &[(id.into(), result)]).await;
}

/// An application of the HR system, interviewed by the vendor with a result of 90.
async fn interviewed(options: LoopOptions) -> Looped {
    let bed = Bed::new().await;
    bed.put_through(&hr(), &[("app-1".into(), application_of("cand-1", "job-1"))]).await;
    bed.put("int-1", &interview("app-1", None)).await;
    bed.put("res-1", &overall("int-1", "90")).await;
    bed.put("dim-1", &score("int-1", "90", "100")).await;
    Looped::with(bed, options).await
}

async fn decided(looped: &Looped) -> Vec<String> {
    let rows = looped.bed.find("decision", None).await;
    let outcome = |row: &RecordRow| {
        let body: serde_json::Value = serde_json::from_slice(&row.body).unwrap();
        format!(
            "{} {}",
            body["interview"]["external"]["connection"].as_str().unwrap(),
            body["outcome"].as_str().unwrap()
        )
    };
    let mut outcomes: Vec<_> = rows.iter().map(outcome).collect();
    outcomes.sort();
    outcomes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_interview_that_was_written_back_is_told_once_with_its_copy_beside_it() {
    let looped = interviewed(options("80", None)).await;
    looped.bed.put_through(&hr(), &[("ext-1".into(), interview("app-1", Some(of_some_system("int-1"))))]).await;
    looped.bed.put_through(&hr(), &[("human-1".into(), interview("app-1", Some(of_some_system("int-7"))))]).await;
    put_result(&looped.bed, &hr(), "ext-res-1", "ext-1", "90").await;
    put_result(&looped.bed, &hr(), "human-res-1", "human-1", "70").await;
    looped.catch_up().await;
    let application = looped.bed.find("application", Some("app-1")).await.remove(0);
    let timeline = looped.desk.timeline(&tenant(), application.id).await.unwrap();
    let of = |kind: &str| {
        let mut steps: Vec<_> = timeline.steps.iter().filter(|step| step.kind == kind).collect();
        steps.sort_by(|a, b| b.external_id.cmp(&a.external_id));
        steps
    };
    let ids: Vec<_> = of("interview").iter().map(|step| step.external_id.as_str()).collect();
    assert_eq!(ids, ["int-1", "human-1"], "what names an interview that is not there is one of its own");
    let mut copies: Vec<_> = of("interview")[0].copies.iter().map(|copy| copy.external_id.as_str()).collect();
    copies.sort_unstable();
    assert_eq!(copies, ["ext-1", "ext-res-1"]);
    let results: Vec<_> = of("result").iter().map(|step| step.external_id.as_str()).collect();
    assert_eq!(results, ["res-1", "human-res-1"], "the copy's result repeats the original's");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_name_that_fits_two_interviews_is_no_name() {
    let looped = interviewed(options("80", None)).await;
    let proctoring = ConnectionName::new("proctoring").unwrap();
    let sources = renmen_interview::Sources { vendors: [vendor(), proctoring.clone()].into(), ..sources() };
    let looped = looped.reopened_with(LoopOptions { sources, ..options("80", None) }).await;
    looped.bed.put_through(&proctoring, &[("int-1".into(), interview("app-1", None))]).await;
    looped.bed.put_through(&hr(), &[("ext-1".into(), interview("app-1", Some(of_some_system("int-1"))))]).await;
    looped.bed.put_through(&hr(), &[("ext-2".into(), interview("app-1", Some(of_the_vendor("int-1"))))]).await;
    looped.catch_up().await;
    let application = looped.bed.find("application", Some("app-1")).await.remove(0);
    let timeline = looped.desk.timeline(&tenant(), application.id).await.unwrap();
    let told = timeline.steps.iter().filter(|step| step.kind == "interview").map(|step| step.external_id.as_str());
    let mut told: Vec<_> = told.collect();
    told.sort_unstable();
    assert_eq!(told, ["ext-1", "int-1", "int-1"], "ext-2 says whose int-1 it means");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_candidate_is_seen_with_what_the_vendor_keeps_of_them_r25() {
    let looped = interviewed(options("80", None)).await;
    let bed = &looped.bed;
    bed.put_through(&hr(), &[("cand-1".into(), Candidate::new(PersonDetails::new()))]).await;
    let known = Candidate {
        external_ids: vec![ExternalId { connection: Some(hr()), ..ExternalId::of("cand-1") }],
        ..Candidate::new(PersonDetails::new())
    };
    bed.put("c-9", &known).await;
    let applied = Application {
        external_ids: vec![ExternalId { connection: Some(hr()), ..ExternalId::of("app-1") }],
        ..application_of("c-9", "pos-1")
    };
    bed.put("a-9", &applied).await;
    bed.put("a-10", &application_of("c-9", "pos-2")).await;
    looped.catch_up().await;
    let candidate = looped.bed.find("candidate", Some("cand-1")).await.remove(0);
    let timeline = looped.desk.candidate_timeline(&tenant(), candidate.id).await.unwrap();
    let applications: Vec<_> = timeline
        .steps
        .iter()
        .filter(|step| step.kind == "application")
        .map(|step| {
            (step.external_id.as_str(), step.copies.iter().map(|copy| copy.external_id.as_str()).collect::<Vec<_>>())
        })
        .collect();
    assert!(applications.contains(&("app-1", vec!["a-9"])), "{applications:?}");
    assert!(applications.contains(&("a-10", vec![])), "{applications:?}");
    assert_eq!(applications.len(), 2, "{applications:?}");
    assert_eq!(timeline.steps.iter().filter(|step| step.kind == "candidate").count(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_is_not_decided_again_though_its_system_is_acted_on() {
    let both = renmen_interview::Sources { vendors: [vendor(), hr()].into(), ..sources() };
    let looped = interviewed(LoopOptions { sources: both, ..options("80", None) }).await;
    for (id, names) in [("ext-1", Some(of_some_system("int-1"))), ("ext-2", Some(of_the_vendor("int-1")))] {
        looped.bed.put_through(&hr(), &[(id.into(), interview("app-1", names))]).await;
        put_result(&looped.bed, &hr(), &format!("res-{id}"), id, "40").await;
    }
    looped.catch_up().await;
    assert_eq!(decided(&looped).await, ["vendor PASS"], "written back once, never in a circle");
    for (id, names) in [("own-1", None), ("own-2", Some(of_some_system("int-7")))] {
        looped.bed.put_through(&hr(), &[(id.into(), interview("app-1", names))]).await;
        put_result(&looped.bed, &hr(), &format!("res-{id}"), id, "40").await;
    }
    looped.catch_up().await;
    assert_eq!(decided(&looped).await, ["hr FAIL", "hr FAIL", "vendor PASS"], "what is not a copy is decided");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_interviews_that_name_each_other_are_decided_once() {
    let both = renmen_interview::Sources { vendors: [vendor(), hr()].into(), ..sources() };
    let looped = interviewed(LoopOptions { sources: both, ..options("80", None) }).await;
    let back = ExternalId { connection: Some(hr()), ..ExternalId::of("ext-1") };
    looped.bed.put("int-1", &interview("app-1", Some(back))).await;
    looped.bed.clock.advance(1);
    looped.bed.put_through(&hr(), &[("ext-1".into(), interview("app-1", Some(of_the_vendor("int-1"))))]).await;
    put_result(&looped.bed, &hr(), "res-ext-1", "ext-1", "40").await;
    looped.catch_up().await;
    assert_eq!(decided(&looped).await, ["vendor PASS"]);
}
