//! Instructions reviewed, alerts, drafts out of performance, distributions and explanations.

use renmen_insight::figure::Why;
use renmen_insight::model::{Limits, MetricSubject, ReviewRow};
use renmen_insight::question::alert::{Alert, AlertRule, AlertState, Scope};
use renmen_insight::question::explain::{ScoredPoint, explain};
use renmen_insight::question::performance::{About, Performance, PerformanceAsk};
use renmen_insight::question::profile::{DraftAsk, ProfileDraft};
use renmen_insight::question::review::{Applied, Change, Review};
use renmen_insight::question::standard::Standard;
use renmen_insight::{Key, Outcome, Row};
use renmen_schema::code::ReviewCycleKind;
use renmen_schema::types::{DateSpan, Localized, Ref, Score, Weight};

use crate::acceptance::is_valid;
use crate::numbers::correlated;
use crate::rows::{ask, at, day, decimal, interview, metric, overall, person, score, year};

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

/// People `from..` with an interview at a time, scores and sales whose correlation is `r`.
fn people(from: u64, n: usize, r: f64, when: &str) -> Vec<Row<'static>> {
    let (sales, scores) = correlated(from + 5, n, r);
    let mut rows = Vec::new();
    for ((n, sales), score) in (from..).zip(sales).zip(scores) {
        let mut held = interview(n);
        held.at = Some(at(when));
        let value = format!("{:.6}", sales * 1000.0);
        rows.extend([person(n), Row::Interview(held), overall(n, score), Row::Metric(metric(n, "sales", &value))]);
    }
    rows
}

#[test]
fn an_instruction_is_reviewed_before_and_after_r52() {
    let mut rows = people(0, 100, 0.2, "2025-04-01T02:00:00Z");
    rows.extend(people(1000, 120, 0.7, "2025-06-30T16:00:00Z"));
    // One person who was interviewed on both sides counts on neither.
    let mut again = interview(50);
    (again.interview, again.at) = (Key(77), Some(at("2025-07-10T00:00:00Z")));
    rows.push(Row::Interview(again));
    rows.push(Row::Result(renmen_insight::model::ResultRow {
        result: Key(78),
        interview: Key(77),
        overall: Some(crate::rows::norm(0.5)),
    }));
    let applied = |text: &str| Applied { instruction: Key(1), on: day(text) };
    let review = Review::new(scope(), vec![applied("2025-07-01"), applied("2025-01-10")], 120, Standard::default());
    let report = ask(review, &rows);
    let [helped, unknown] = &report.effects[..] else { panic!() };
    assert_eq!((helped.before.basis.n, helped.after.basis.n, helped.on_both_sides), (99, 120, 1));
    assert_eq!(helped.change, Change::Better);
    assert_eq!(helped.after.basis.window, Some(DateSpan::new(day("2025-07-01"), day("2025-10-28"))));
    let difference = helped.difference.as_ref().unwrap();
    assert!(difference.interval.unwrap().low > 0.2 && difference.p.unwrap().adjusted < 0.001, "{difference:?}");
    let record = helped.record("metric:sales").unwrap();
    assert_eq!(record.verdict, Some(helped.change.verdict()));
    assert_eq!(record.before_sample.map(u64::from), Some(helped.before.basis.n));
    assert!(record.before.is_some() && record.difference.is_some() && record.p_adjusted.is_some(), "{record:?}");
    assert_eq!(record.method.as_deref(), Some("two_correlations"));
    assert_eq!((record.metric.as_str(), record.sample), ("pearson:metric:sales", 120));
    assert!((record.after.to_string().parse::<f64>().unwrap() - 0.7).abs() < 1e-3);
    assert_eq!((unknown.change, unknown.before.basis.n), (Change::NotJudged, 0));
    assert!(unknown.record("metric:sales").is_some() == unknown.after.value.is_some());
}

#[test]
fn an_instruction_that_changes_nothing_is_not_called_better_r52() {
    let mut rows = people(0, 100, 0.5, "2025-04-01T02:00:00Z");
    rows.extend(people(1000, 100, 0.55, "2025-08-01T02:00:00Z"));
    let applied = Applied { instruction: Key(1), on: day("2025-07-01") };
    let report = ask(Review::new(scope(), vec![applied], 150, Standard::default()), &rows);
    assert_eq!(report.effects[0].change, Change::NoneSeen);
    let mut worse = people(0, 100, 0.8, "2025-04-01T02:00:00Z");
    worse.extend(people(1000, 100, 0.1, "2025-08-01T02:00:00Z"));
    let report = ask(Review::new(scope(), vec![applied], 150, Standard::default()), &worse);
    assert_eq!(report.effects[0].change, Change::Worse);
}

#[test]
fn top_scorers_who_do_worse_raise_an_alert_r48() {
    let state = |r: f64, n| {
        let report = ask(Alert::new(scope(), AlertRule::default()), &people(0, n, r, "2025-04-01T02:00:00Z"));
        assert_eq!(report.top.basis.n + report.others.basis.n, n as u64);
        assert_eq!(report.state == AlertState::NotJudged, report.superiority.p.is_none());
        report.state
    };
    assert_eq!(state(-0.7, 300), AlertState::Raised);
    assert_eq!(state(0.7, 300), AlertState::Fine);
    assert_eq!(state(-0.7, 60), AlertState::NotJudged, "six people are too few");
    let report = ask(Alert::new(scope(), AlertRule::default()), &people(0, 300, -0.7, "2025-04-01T02:00:00Z"));
    assert_eq!(report.top.basis.n, 30);
    assert!(report.top.value < report.others.value);
    assert!(report.superiority.value.unwrap() < 0.3);
}

#[test]
fn a_draft_profile_weighs_what_tells_the_best_from_the_others_r11_r13() {
    let mut rows = people(0, 200, 0.0, "2025-04-01T02:00:00Z");
    for (name, r) in [("logic", 0.9), ("patience", 0.7), ("hobby", 0.0)] {
        let (_, values) = correlated(40 + name.len() as u64, 200, r);
        rows.extend((0..).zip(values).map(|(n, value)| score(n, name, value)));
    }
    let mut judged = metric(500, "sales", "9");
    (judged.objective, judged.subject) = (false, MetricSubject::Person(Some(crate::rows::key(1, 3))));
    let mut elsewhere = metric(501, "sales", "9");
    elsewhere.position = Some(Key(8));
    rows.extend([Row::Metric(judged), Row::Metric(elsewhere)]);
    let draft = ask(
        ProfileDraft::new(DraftAsk {
            metric: "sales".into(),
            window: year().span().clone(),
            interviews: year(),
            position: Some(Key(7)),
            unit: None,
            objective_only: true,
            quantile: decimal("0.9"),
            alpha: 0.05,
            sample_min: 10,
            limits: Limits::default(),
        }),
        &rows,
    );
    assert_eq!((draft.best.basis.n, draft.too_few), (20, false));
    let weights: Vec<(&str, u16)> =
        draft.dimensions.iter().map(|one| (one.dimension.as_str(), one.weight_bp)).collect();
    let [("hobby", 0), ("logic", logic), ("patience", patience)] = weights[..] else { panic!("{weights:?}") };
    assert!(logic > patience && logic + patience == 10_000);
    assert_eq!([Why::Subjective, Why::OtherScope].map(|why| draft.left_out.count(why)), [1, 1]);
    let record = draft.record(Ref::external("pos-1"), 4, |name| Ref::external(name)).unwrap();
    is_valid(&record);
    assert_eq!((record.complete, record.published_at, record.competencies.len()), (true, None, 2));
    assert_eq!(record.derived_from[0].quantile.unwrap().to_string(), "0.9");
}

#[test]
fn performance_is_told_by_position_and_metric_objective_only_where_asked_r11_r12() {
    let mut rows: Vec<Row<'static>> = (0..11).map(|n| Row::Metric(metric(n, "sales", &(n * 10).to_string()))).collect();
    let mut judged = metric(20, "attitude", "5");
    judged.objective = false;
    let mut whole = metric(21, "sales", "900");
    whole.subject = MetricSubject::Unit(Key(9));
    let mut old = metric(22, "sales", "1");
    old.until = day("2024-12-31");
    rows.extend([judged, whole, old].map(Row::Metric));
    let performance = |objective_only, unit| {
        Performance::new(PerformanceAsk {
            window: year(),
            position: Some(Key(7)),
            unit,
            objective_only,
            quantiles: vec![0.5, 0.9],
            sample_min: 5,
            limits: Limits::default(),
        })
    };
    let report = ask(performance(true, None), &rows);
    let [one] = &report.distributions[..] else { panic!("{report:?}") };
    assert_eq!((one.about, one.metric.as_str(), one.objective), (About::People, "sales", true));
    assert_eq!(one.quantiles.iter().map(|figure| figure.value.unwrap()).collect::<Vec<_>>(), [50.0, 90.0]);
    assert_eq!(report.too_few, 1, "the unit's own figure is one alone");
    assert_eq!([Why::Subjective, Why::OutsideWindow].map(|why| report.left_out.count(why)), [1, 1]);
    rows.extend((0..6).map(|n| {
        Row::Review(ReviewRow {
            review: crate::rows::key(11, n),
            person: None,
            cycle: ReviewCycleKind::Annual,
            until: Some(day("2025-12-31")),
            rating: crate::rows::norm(n as f64 / 10.0),
            position: Some(Key(7)),
            unit: Some(Key(9)),
        })
    }));
    assert_eq!(ask(performance(true, None), &rows).left_out.count(Why::Subjective), 7, "a review is never objective");
    let with_reviews = ask(performance(false, None), &rows);
    assert_eq!(with_reviews.too_few, 2);
    let reviews = with_reviews.distributions.iter().find(|one| one.metric == "review:ANNUAL").unwrap();
    assert_eq!((reviews.quantiles[0].value, reviews.objective), (Some(0.25), false));
    assert_eq!(ask(performance(false, Some(Key(1))), &rows).left_out.count(Why::OtherScope), 20);
}

#[test]
fn an_explanation_says_criterion_evidence_and_match_in_both_languages_r74() {
    let name = Localized::en("Communication").with("zh-CN", "沟通").unwrap();
    let question = Localized::en("Tell us about a conflict").with("zh-CN", "请讲一次冲突").unwrap();
    let reason = Localized::en("the connection broke").with("zh-CN", "网络中断").unwrap();
    let (score, before, required) =
        (Score::percent("82").unwrap(), Score::percent("60").unwrap(), Score::raw("3", "1", "5").unwrap());
    let weight = Weight::new(1250);
    let point = ScoredPoint {
        criterion: &name,
        weight: Some(&weight),
        score: &score,
        corrected: Some((&before, Some(&reason))),
        required: Some(&required),
        remark: None,
        answers: (0..5).map(|n| (Ref::external(format!("answer-{n}")), &question)).collect(),
    };
    let bare = ScoredPoint { weight: None, corrected: None, required: None, answers: Vec::new(), ..point.clone() };
    let made =
        explain(Ref::external("app-1"), Some(Ref::external("res-1")), &[point, bare], at("2025-06-01T00:00:00Z"));
    is_valid(&made);
    let [full, short] = &made.points[..] else { panic!() };
    let text = |text: &Option<Localized>, tag: &str| text.as_ref().unwrap().get(tag).unwrap().to_owned();
    assert_eq!(full.criterion.get("en"), Some("Communication (12.5% of the whole)"));
    assert_eq!(full.criterion.get("zh-CN"), Some("沟通（占总分 12.5%）"));
    let asked = "\"Tell us about a conflict\"";
    assert_eq!(
        text(&full.evidence, "en"),
        format!(
            "Answers to {asked}, {asked}, {asked} and 2 more. Score: 82 of 100. \
             A person corrected it from 60 of 100: the connection broke."
        )
    );
    assert_eq!(
        text(&full.evidence, "zh-CN"),
        "依据对“请讲一次冲突”、“请讲一次冲突”、“请讲一次冲突”等 5 题的回答。得分：82（满分 100）。由人工从60（满分 100）更正：网络中断。"
    );
    assert_eq!(text(&full.match_to_requirement, "en"), "At least 3 on a scale of 1 to 5 was asked for: exceeded.");
    assert_eq!(text(&full.match_to_requirement, "zh-CN"), "要求至少 3（量表 1 至 5）：已超过。");
    assert_eq!(full.answer, Some(Ref::external("answer-0")));
    assert_eq!((short.criterion.get("en"), &short.match_to_requirement), (Some("Communication"), &None));
    assert_eq!(text(&short.evidence, "en"), "Score: 82 of 100.");
}
