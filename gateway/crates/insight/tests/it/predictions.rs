//! Predictions beyond the example: what is not judged, each kind of outcome, who is left out.

use renmen_insight::figure::Why;
use renmen_insight::model::ReviewRow;
use renmen_insight::question::predict::Predictor;
use renmen_insight::question::reweigh::{STEP_BP, reweigh};
use renmen_insight::question::standard::Verdict;
use renmen_insight::{Outcome, Row};
use renmen_schema::code::{Direction, EndReason, ProbationOutcome, ReviewCycleKind};
use renmen_schema::types::Weight;

use crate::acceptance::{found, interviews, predict};
use crate::rows::{ask, day, employment, interview, key, left_out, metric, norm, person, score, year};

fn dimension(name: &str) -> Predictor {
    Predictor::Dimension(name.to_owned())
}

#[test]
fn a_small_sample_is_said_to_be_small_and_not_judged_r44() {
    let mut rows: Vec<_> = interviews(&[("logic", 0.85)], &[]);
    rows.retain(|row| !matches!(row, Row::Score(score) if score.interview.0 % 10_000_000 >= 29));
    let report = ask(predict(year(), &[Outcome::FinalRound]), &rows);
    let logic = found(&report, &dimension("logic"));
    assert_eq!((logic.n, logic.verdict), (29, Verdict::TooFew { needed: 30 }));
    assert!(logic.pearson.value.is_some() && logic.pearson.p.is_none(), "shown, without a p value");
    assert_eq!(report.tests, 1, "the score as a whole alone is tested");
    let weights = [("logic", Weight::new(4000)), ("service", Weight::new(5000))];
    let kept = reweigh(&weights, &report, &Outcome::FinalRound, STEP_BP);
    assert_eq!((kept.changes.len(), kept.not_judged.len(), kept.sum_bp, kept.complete), (0, 2, 9000, false));
}

#[test]
fn verdicts_tell_reversed_and_unclear_from_not_predictive() {
    let report =
        ask(predict(year(), &[Outcome::FinalRound]), &interviews(&[("a", -0.6), ("bb", 0.25), ("ccc", 0.05)], &[]));
    assert_eq!(found(&report, &dimension("a")).verdict, Verdict::Reversed);
    let Verdict::Unclear { needed: Some(needed) } = found(&report, &dimension("bb")).verdict else { panic!() };
    assert!(needed > 200, "{needed} people would tell 0.25 from 0.3");
    assert_eq!(found(&report, &dimension("ccc")).verdict, Verdict::NotPredictive);
    let weights = [("a", Weight::new(5000)), ("bb", Weight::new(3000)), ("ccc", Weight::new(2000))];
    let kept = reweigh(&weights, &report, &Outcome::FinalRound, STEP_BP);
    assert!(kept.changes.is_empty(), "nothing that predicts is there to gain what the others would lose");
    assert_eq!(kept.not_judged, ["bb"]);
}

#[test]
fn scores_without_spread_are_not_a_correlation_of_zero() {
    let mut rows = interviews(&[], &[]);
    rows.extend((0..200).map(|n| score(n, "flat", 0.5)));
    let report = ask(predict(year(), &[Outcome::FinalRound]), &rows);
    let flat = found(&report, &dimension("flat"));
    assert_eq!((flat.verdict, flat.pearson.value), (Verdict::NoSpread, None));
}

/// 40 people with a score that rises with their number, and what became of them.
fn people(rows: impl Fn(u64) -> Vec<Row<'static>>) -> Vec<Row<'static>> {
    let of = |n: u64| {
        let mut all = vec![person(n), Row::Interview(interview(n)), score(n, "logic", n as f64 / 100.0)];
        all.extend(rows(n));
        all
    };
    (0..40).flat_map(of).collect()
}

#[test]
fn each_outcome_is_compared_in_the_direction_in_which_higher_is_better_r43_r45_r46() {
    let review = |n: u64, cycle, rating: f64| {
        Row::Review(ReviewRow {
            review: key(11, n),
            person: Some(key(1, n)),
            cycle,
            until: Some(day("2025-06-30")),
            rating: norm(rating),
            position: None,
            unit: None,
        })
    };
    let rows = people(|n| {
        let mut work = employment(n);
        work.probation = Some(if n >= 10 { ProbationOutcome::Passed } else { ProbationOutcome::Failed });
        (work.end, work.end_reason) = match n {
            0..15 => (Some(day("2025-08-01")), Some(EndReason::Pay)),
            15..20 => (Some(day("2026-10-01")), Some(EndReason::Career)),
            _ => (None, None),
        };
        let mut errors = metric(n, "errors", &(100 - n).to_string());
        errors.direction = Some(Direction::Lower);
        vec![
            Row::Employment(work),
            review(n, ReviewCycleKind::Probation, n as f64 / 50.0),
            review(n, ReviewCycleKind::Annual, 0.5),
            Row::Metric(errors),
            Row::Metric(metric(n, "sales", &(n * 1000).to_string())),
        ]
    });
    let outcomes = [
        Outcome::Probation,
        Outcome::Review(ReviewCycleKind::Probation),
        Outcome::Metric("errors".into()),
        Outcome::Metric("sales".into()),
        Outcome::Retained { days: 365 },
        Outcome::NotLeftFor(EndReason::Pay),
    ];
    let report = ask(predict(year(), &outcomes), &rows);
    for outcome in &outcomes {
        let one = report.predictions.iter().find(|one| one.outcome == *outcome).unwrap();
        assert_eq!((one.n, one.verdict), (40, Verdict::Predicts), "{outcome}");
    }
    let r =
        |at: usize| report.predictions.iter().find(|one| one.outcome == outcomes[at]).unwrap().pearson.value.unwrap();
    assert!((r(2) - 1.0).abs() < 1e-12 && (r(3) - 1.0).abs() < 1e-12, "{} {}", r(2), r(3));
    assert_eq!(report.tests, 6);
}

#[test]
fn only_people_whose_purpose_allows_it_are_joined_and_the_others_are_counted_r42() {
    let mut rows = people(|n| vec![Row::Metric(metric(n, "sales", &n.to_string()))]);
    for row in &mut rows {
        if let Row::Person(held) = *row {
            match held.person.0 % 10_000_000 {
                n @ 0..3 => *row = left_out(n, Why::NoConsent),
                n @ 3..5 => *row = left_out(n, Why::Withdrawn),
                _ => {}
            }
        }
    }
    let mut stray = metric(99, "sales", "5");
    stray.subject = renmen_insight::model::MetricSubject::Person(None);
    rows.push(Row::Metric(stray));
    let report = ask(predict(year(), &[Outcome::Metric("sales".into())]), &rows);
    assert_eq!((report.people, report.predictions[0].n), (35, 35));
    let counts = [Why::NoConsent, Why::Withdrawn, Why::NoPerson].map(|why| report.left_out.count(why));
    assert_eq!(counts, [3, 2, 1]);
    let people = &report.predictions[0].pearson.basis.sources[0];
    assert_eq!((people.total(), people.kept().next()), (35, Some(key(1, 5))));
}

#[test]
fn what_lies_before_the_interview_is_not_judged_and_is_open_what_is_not_known_yet() {
    let rows = people(|n| {
        let mut old = metric(n, "sales", "1");
        old.until = day("2025-03-01");
        let mut soft = metric(n + 100, "sales", "2");
        (soft.subject, soft.objective) = (renmen_insight::model::MetricSubject::Person(Some(key(1, n))), false);
        vec![Row::Metric(old), Row::Metric(soft), Row::Employment(employment(n))]
    });
    let outcomes = [Outcome::Metric("sales".into()), Outcome::Retained { days: 1000 }];
    let report = ask(predict(year(), &outcomes), &rows);
    assert!(report.predictions.is_empty());
    let counts = [Why::BeforeInterview, Why::Subjective, Why::StillOpen].map(|why| report.left_out.count(why));
    assert_eq!(counts, [40, 40, 40]);
}
