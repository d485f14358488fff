//! The numbers that the requirements give as examples. Those about pay are in `offers`.

use renmen_insight::Outcome;
use renmen_insight::model::Limits;
use renmen_insight::question::fairness::{Fairness, FairnessAsk, ImpactRule};
use renmen_insight::question::funnel::{Funnel, Path};
use renmen_insight::question::predict::{Predict, PredictAsk, PredictReport, Predictor};
use renmen_insight::question::reweigh::{STEP_BP, reweigh};
use renmen_insight::question::standard::{Standard, Verdict};
use renmen_insight::{Row, Window};
use renmen_schema::Validate;
use renmen_schema::check::Walk;
use renmen_schema::code::{AuditMeasure, NodeCode};
use renmen_schema::entity::AdjustmentTarget;
use renmen_schema::types::{Ref, Weight};

use crate::numbers::correlated;
use crate::rows::{
    answer, application, ask, at, day, decimal, final_round, group, interview, overall, person, score, step, year,
};

#[test]
fn of_100_invited_40_finish_and_the_node_that_loses_most_is_named_with_its_wait_r31_r32() {
    let mut rows = Vec::new();
    for n in 0..100 {
        rows.push(Row::Application(application(n)));
        rows.push(Row::Step(step(n, NodeCode::InviteSent, 0)));
        rows.push(Row::Step(step(n, NodeCode::InviteOpened, 5)));
        if n < 50 {
            let mut confirmed = step(n, NodeCode::Confirmed, 8);
            (confirmed.clicks, confirmed.wait_ms) = (Some(3), Some(121_000 + n * 1000));
            rows.push(Row::Step(confirmed));
            rows.push(Row::Step(step(n, NodeCode::Started, 10)));
        }
        if n < 40 {
            rows.push(Row::Step(step(n, NodeCode::AnswerSubmitted, 20)));
            rows.push(Row::Step(step(n, NodeCode::Completed, 30)));
        }
    }
    let report = ask(Funnel::new(Path::of_interview(year())), &rows);
    assert_eq!((report.began, report.conversion.value), (100, Some(0.4)));
    assert_eq!(report.conversion.basis.n, 100);
    assert_eq!(report.conversion.basis.window.as_ref(), Some(year().span()));
    let sources = &report.conversion.basis.sources[0];
    assert_eq!((sources.total(), sources.kept().count(), sources.beyond()), (100, 20, 80));
    let worst = report.worst().unwrap();
    assert_eq!((worst.from, worst.to), (NodeCode::InviteOpened, NodeCode::Confirmed));
    assert_eq!((worst.entered, worst.passed, worst.lost.total()), (100, 50, 50));
    assert_eq!((worst.clicks.value, worst.clicks.basis.n), (Some(3.0), 50));
    assert!(worst.wait_ms.value.unwrap() > 120_000.0);
    assert_eq!(worst.duration_s.value, Some(180.0));
}

/// 200 people with a final round; what their scores say about it is given.
pub(crate) fn interviews(dimensions: &[(&'static str, f64)], questions: &[(&'static str, f64)]) -> Vec<Row<'static>> {
    let (outcome, _) = correlated(1, 200, 0.0);
    let mut rows = Vec::new();
    for (n, value) in (0..).zip(&outcome) {
        rows.extend([person(n), Row::Interview(interview(n))]);
        rows.extend(final_round(n, *value));
        rows.push(overall(n, *value));
    }
    for (at, (name, r)) in dimensions.iter().enumerate() {
        let (_, values) = correlated(10 + at as u64, 200, *r);
        rows.extend((0..).zip(values).map(|(n, value)| score(n, name, value)));
    }
    for (at, (name, r)) in questions.iter().enumerate() {
        let (_, values) = correlated(90 + at as u64, 200, *r);
        rows.extend((0..).zip(values).map(|(n, value)| answer(n, name, value)));
    }
    rows
}

pub(crate) fn predict(window: Window, outcomes: &[Outcome]) -> Predict {
    Predict::new(PredictAsk {
        window,
        job: None,
        outcomes: outcomes.to_vec(),
        today: day("2026-12-31"),
        objective_only: true,
        standard: Standard::default(),
        limits: Limits::default(),
    })
}

pub(crate) fn found<'r>(
    report: &'r PredictReport,
    predictor: &Predictor,
) -> &'r renmen_insight::question::predict::Prediction {
    report.predictions.iter().find(|one| one.predictor == *predictor).unwrap()
}

#[test]
fn a_question_with_correlation_0_1_is_named_and_0_85_raises_15_to_25_per_cent_r44() {
    let rows = interviews(
        &[("communication", 0.85), ("expression", 0.1), ("logic", 0.45), ("service", 0.45)],
        &[("q-hobby", 0.1), ("q-pitch", 0.85)],
    );
    let report = ask(predict(year(), &[Outcome::FinalRound]), &rows);
    let named: Vec<&Predictor> = report.not_predictive(&Outcome::FinalRound).map(|one| &one.predictor).collect();
    assert_eq!(named, [&Predictor::Dimension("expression".into()), &Predictor::Question("q-hobby".into())]);
    let pitch = found(&report, &Predictor::Question("q-pitch".into()));
    assert_eq!((pitch.verdict, pitch.n), (Verdict::Predicts, 200));
    assert!((pitch.pearson.value.unwrap() - 0.85).abs() < 1e-4);
    let hobby = found(&report, &Predictor::Question("q-hobby".into()));
    assert!((hobby.pearson.value.unwrap() - 0.1).abs() < 1e-4, "{:?}", hobby.pearson.value);
    assert!(hobby.pearson.p.unwrap().adjusted > 0.05);

    let weights = [("communication", 15), ("expression", 30), ("logic", 25), ("service", 30)];
    let weights = weights.map(|(name, percent)| (name, Weight::from_percent(&percent.to_string()).unwrap()));
    let proposed = reweigh(&weights, &report, &Outcome::FinalRound, STEP_BP);
    let raised = &proposed.changes[0];
    assert_eq!((raised.dimension.as_str(), raised.from_bp, raised.to_bp, raised.n), ("communication", 1500, 2500, 200));
    assert!((raised.r - 0.85).abs() < 1e-4);
    let moved: i32 = proposed.changes.iter().map(|one| i32::from(one.to_bp) - i32::from(one.from_bp)).sum();
    assert_eq!((moved, proposed.sum_bp, proposed.complete), (0, 10_000, true));

    let target = AdjustmentTarget::new("interviews".into(), 3);
    let accuracy = found(&report, &Predictor::Overall);
    let record = proposed.proposal(target, accuracy, |name| Ref::external(name)).unwrap();
    assert!(Walk::over(&record).is_empty(), "{:?}", Walk::over(&record));
    assert_eq!(record.ops.last().unwrap().question.as_ref().unwrap().value, "q-hobby");
    let evidence = record.evidence.unwrap();
    assert_eq!((evidence.metric.as_str(), evidence.sample), ("pearson:final_round", 200));
    assert_eq!(record.status.as_str(), "PROPOSED", "a person makes it an instruction");
}

#[test]
fn a_ratio_under_0_80_is_flagged_and_a_group_under_2_per_cent_stands_apart_r71() {
    let mut rows = Vec::new();
    // 200 men of whom 100 are selected, 200 women of whom 79 are, 7 others of whom none is, and 13 who did not say.
    for n in 0..420 {
        let (value, selected) = match n {
            0..200 => (Some("MALE"), n < 100),
            200..400 => (Some("FEMALE"), n < 279),
            400..407 => (Some("NON_BINARY"), false),
            _ => (None, true),
        };
        rows.extend([person(n), group(n, "gender", value)]);
        let mut made = application(n);
        made.selected = Some(selected);
        rows.push(Row::Application(made));
    }
    let table = ask(fairness(&["gender"]), &rows).selection.remove(0);
    let [women, men] = &table.groups[..] else { panic!("{table:?}") };
    assert_eq!((women.value.as_str(), women.rate.n, women.rate.passed), ("FEMALE", 200, 79));
    assert_eq!((women.ratio.unwrap().to_string().as_str(), women.flagged), ("0.79", true));
    assert_eq!((men.ratio.unwrap().to_string().as_str(), men.flagged), ("1", false));
    assert_eq!(
        (table.small[0].value.as_str(), table.small[0].ratio, table.small[0].flagged),
        ("NON_BINARY", None, false)
    );
    assert_eq!(table.unknown.total(), 13);

    let record = table.record(AuditMeasure::Selection, None, None, at("2026-01-01T00:00:00Z"));
    assert!(Walk::over(&record).is_empty());
    assert_eq!(record.impact_ratio.unwrap().to_string(), "0.79");
    let excluded = record.excluded.clone().unwrap();
    assert_eq!((excluded.n_missing, excluded.small_groups), (13, vec!["NON_BINARY".to_owned()]));
    assert_eq!(record.groups.iter().map(|group| group.n).collect::<Vec<_>>(), [200, 200, 7]);
    let [women, men, others] = &record.groups[..] else { panic!("{record:?}") };
    assert_eq!((women.flagged, men.flagged, others.flagged), (Some(true), Some(false), None));
    assert_eq!((women.small, others.small, others.impact_ratio), (Some(false), Some(true), None));
    assert_eq!((women.rate, women.impact_ratio), (Some(decimal("0.395")), Some(decimal("0.79"))));
    assert_eq!((record.measure, record.attribute.as_deref()), (Some(AuditMeasure::Selection), Some("gender")));
}

pub(crate) fn fairness(attributes: &[&str]) -> Fairness {
    Fairness::new(FairnessAsk {
        window: year(),
        job: None,
        attributes: vec![attributes.iter().map(|attribute| (*attribute).to_owned()).collect()],
        rule: ImpactRule::default(),
        limits: Limits::default(),
    })
}

#[track_caller]
pub(crate) fn is_valid(record: &impl Validate) {
    assert!(Walk::over(record).is_empty(), "{:?}", Walk::over(record));
}
