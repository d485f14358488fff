//! What is promised of every figure of every answer, to each of the questions.

use renmen_insight::figure::{Method, Why};
use renmen_insight::model::{Limits, OfferRow};
use renmen_insight::question::alert::{Alert, AlertRule, Scope};
use renmen_insight::question::channel::Channels;
use renmen_insight::question::friction::Friction;
use renmen_insight::question::funnel::{Funnel, Path};
use renmen_insight::question::performance::{Performance, PerformanceAsk};
use renmen_insight::question::profile::{DraftAsk, ProfileDraft};
use renmen_insight::question::refusal::{RefusalAsk, Refusals};
use renmen_insight::question::review::{Applied, Review};
use renmen_insight::question::standard::Standard;
use renmen_insight::table::Table;
use renmen_insight::{Key, Outcome, Row};
use renmen_schema::code::{OfferStatus, OutcomeReason};
use renmen_schema::types::DateSpan;

use crate::acceptance::{fairness, predict};
use crate::order::made_up;
use crate::rows::{ask, at, day, decimal, key, year};

fn scope() -> Scope {
    Scope {
        window: year(),
        job: None,
        outcome: Outcome::Metric("sales".into()),
        today: day("2026-12-31"),
        objective_only: true,
        limits: Limits::default(),
    }
}

fn draft() -> ProfileDraft {
    ProfileDraft::new(DraftAsk {
        metric: "sales".into(),
        window: year().span().clone(),
        interviews: year(),
        position: None,
        unit: None,
        objective_only: true,
        quantile: decimal("0.9"),
        alpha: 0.05,
        sample_min: 5,
        limits: Limits::default(),
    })
}

fn performance() -> Performance {
    Performance::new(PerformanceAsk {
        window: year(),
        position: None,
        unit: None,
        objective_only: true,
        quantiles: vec![0.5],
        sample_min: 5,
        limits: Limits::default(),
    })
}

fn refusals() -> Refusals {
    let limits = Limits::default();
    Refusals::new(RefusalAsk { window: year(), flag_above: 0.2, sample_min: 5, confidence: 0.95, limits })
}

/// Offers in four bands; every third is refused for pay.
fn offers(n: u64) -> impl Iterator<Item = Row<'static>> {
    (0..n).map(|n| {
        let refused = n % 3 == 0;
        Row::Offer(OfferRow {
            offer: key(7, n),
            band: Some(Key(n % 4)),
            band_position: Some(decimal(&format!("0.{}", n % 10))),
            status: if refused { OfferStatus::Declined } else { OfferStatus::Accepted },
            closed_at: Some(at("2025-05-01T00:00:00Z")),
            reasons: if refused { &[OutcomeReason::PayTooLow] } else { &[] },
        })
    })
}

fn tables(rows: &[Row<'static>]) -> Vec<(&'static str, Box<dyn Table>)> {
    let path = || Path::of_interview(year());
    let applied = Applied { instruction: Key(1), on: day("2025-03-03") };
    vec![
        ("funnel", Box::new(ask(Funnel::new(path()), rows))),
        ("channels", Box::new(ask(Channels::new(path(), 5), rows))),
        ("friction", Box::new(ask(Friction::new(path(), 1000), rows))),
        ("predict", Box::new(ask(predict(year(), &[Outcome::FinalRound, Outcome::Metric("sales".into())]), rows))),
        ("alert", Box::new(ask(Alert::new(scope(), AlertRule::default()), rows))),
        ("review", Box::new(ask(Review::new(scope(), vec![applied], 30, Standard::default()), rows))),
        ("draft", Box::new(ask(draft(), rows))),
        ("performance", Box::new(ask(performance(), rows))),
        ("refusals", Box::new(ask(refusals(), rows))),
        ("fairness", Box::new(ask(fairness(&["gender"]), rows))),
    ]
}

#[test]
fn every_figure_has_its_sample_its_period_and_the_records_behind_it() {
    let mut rows = made_up(80);
    rows.extend(offers(60));
    for (question, table) in tables(&rows) {
        let figures = table.figures();
        assert!(!figures.is_empty(), "{question}");
        let mut names: Vec<&String> = figures.iter().map(|(name, _)| name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), figures.len(), "{question}: two figures under one name");
        for (name, figure) in &figures {
            let (what, basis) = (format!("{question}/{name}"), &figure.basis);
            assert!(basis.window.as_ref().is_some_and(|span: &DateSpan| span.start <= span.end), "{what}");
            let counted = basis.sources.first().unwrap_or_else(|| panic!("{what} has no sources"));
            assert!(counted.total() >= basis.n, "{what}: {} of {}", basis.n, counted.total());
            assert_eq!(counted.beyond(), counted.total() - counted.kept().count() as u64);
            assert!(counted.kept().count() <= Limits::default().ids_max, "{what}");
            assert!(figure.value.is_none_or(f64::is_finite), "{what}");
            let ends = figure.interval.zip(figure.value);
            assert!(ends.is_none_or(|(ends, value)| ends.low <= value && value <= ends.high), "{what}: {figure:?}");
            assert!(figure.p.is_none_or(|p| p.alone <= p.adjusted && p.adjusted <= 1.0), "{what}: {:?}", figure.p);
        }
    }
}

#[test]
fn no_answer_is_made_of_nothing() {
    for (question, table) in tables(&[]) {
        for (name, figure) in table.figures() {
            assert_eq!((figure.value, figure.basis.n), (None, 0), "{question}/{name}");
        }
        assert_eq!(table.left_out().iter().count(), 0, "{question}");
    }
}

#[test]
fn methods_and_reasons_have_a_code_and_a_text_in_both_languages() {
    let all = Method::ALL.iter().map(|one| (one.as_str(), one.text()));
    for (code, text) in all.chain(Why::ALL.iter().map(|one| (one.as_str(), one.text()))) {
        assert!(code.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'), "{code}");
        let chinese = text.in_language(renmen_schema::Language::Chinese);
        assert!(!text.english().is_empty() && chinese != text.english(), "{code}");
    }
}
