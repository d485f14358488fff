//! What a person who decides is shown.

use renmen_interview::{By, CorrectionAsk, DecisionAsk, PersonVerdict, Stands};
use renmen_schema::code::JobKind;
use renmen_schema::entity::{Candidate, DimensionScore, Job, Names, PersonDetails};
use renmen_schema::types::{Coded, Decimal, ExternalId, Localized, Ref};

use crate::bed::{survey, tenant, vendor};
use crate::vendor::{Looped, score};

fn named(interview: &str, name: &str, value: &str, weight: &str) -> DimensionScore {
    DimensionScore { dimension: Some(Localized::zh_cn(name)), competency: None, ..score(interview, value, weight) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_has_whom_and_what_was_judged_and_of_a_review_both_decisions() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    let person = PersonDetails { names: Some(Names::new("张伟".into())), ..PersonDetails::new() };
    looped.bed.put("cand-1", &Candidate::new(person)).await;
    looped.bed.put("pos-1", &Job::new(Coded::new(JobKind::ALL[0]), Localized::zh_cn("后端工程师"))).await;
    let algorithms = looped.bed.put("dim-1", &named("int-1", "算法", "60", "50")).await;
    looped.bed.put("dim-2", &named("int-1", "沟通", "94", "50")).await;
    let stranger = DimensionScore {
        interview: Some(Ref::by(ExternalId { connection: Some(vendor()), ..ExternalId::of("int-1") })),
        ..named("int-1", "假的", "100", "50")
    };
    looped.bed.put_through(&survey(), &[("dim-9".into(), stranger)]).await;
    looped.result("int-1", "77").await;
    looped.catch_up().await;
    let first = looped.bed.find("decision", None).await.remove(0);

    let shown = looped.desk.judged(&tenant(), first.id).await.unwrap();
    assert_eq!((shown.candidate.as_deref(), shown.stands.clone()), (Some("张伟"), Stands::Open));
    assert_eq!(shown.position.unwrap().get("zh-CN"), Some("后端工程师"));
    assert_eq!((shown.score, shown.pass), (Some(Decimal::from(77)), Some(Decimal::from(80))));
    assert_eq!(shown.border, Some((Decimal::from(75), Decimal::from(80))));
    let names: Vec<_> = shown.dimensions.iter().filter_map(|one| one.name.as_ref()?.get("zh-CN")).collect();
    assert_eq!(names, ["算法", "沟通"], "a stranger's score is not shown");
    assert_eq!((shown.dimensions[0].value, shown.dimensions[0].weight_bp), (Decimal::from(60), Some(5_000)));
    assert!(shown.before.is_none() && !shown.more_dimensions);

    let ask = |person: &str| DecisionAsk {
        verdict: PersonVerdict::Fail,
        person: person.into(),
        reason: "r".into(),
        reasons: Vec::new(),
    };
    looped.desk.decide(&tenant(), first.id, &ask("li.na")).await.unwrap();
    looped.bed.clock.advance(1_000);
    let correction = CorrectionAsk {
        value: Decimal::from(70),
        environment_event: None,
        reason: "The line broke".into(),
        person: "wang.wei".into(),
    };
    looped.desk.correct(&tenant(), algorithms.id, &correction).await.unwrap();
    looped.catch_up().await;
    let rows = looped.bed.find("decision", None).await;
    let review = rows.into_iter().find(|row| row.external_id.ends_with("/2")).unwrap();
    let shown = looped.desk.judged(&tenant(), review.id).await.unwrap();
    assert_eq!((shown.score, &shown.stands), (Some(Decimal::from(82)), &Stands::Open));
    let corrected = shown.dimensions[0].corrected.as_ref().unwrap();
    assert_eq!((corrected.value, corrected.by.as_deref()), (Decimal::from(70), Some("wang.wei")));
    let before = shown.before.unwrap();
    assert_eq!(before.score, Some(Decimal::from(77)));
    let made = before.made.unwrap();
    assert_eq!((made.passes, made.by), (false, By::Person("li.na".into())));
    assert_eq!(looped.desk.judged(&tenant(), first.id).await.unwrap().stands, Stands::Superseded);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_here_yet_is_left_out_and_a_crowd_of_scores_is_told() {
    let looped = Looped::new("80", Some(("75", "80"))).await;
    let scores: Vec<_> = (0..51).map(|n| (format!("dim-{n:02}"), score("int-1", "77", "1"))).collect();
    looped.bed.put_more(&scores).await;
    looped.result("int-1", "77").await;
    looped.catch_up().await;
    let first = looped.bed.find("decision", None).await.remove(0);
    let shown = looped.desk.judged(&tenant(), first.id).await.unwrap();
    assert!(shown.candidate.is_none() && shown.position.is_none());
    assert_eq!((shown.dimensions.len(), shown.more_dimensions), (50, true));
    assert!(shown.dimensions[0].name.is_none(), "its competency is not here");
}
