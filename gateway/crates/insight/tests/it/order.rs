//! What holds for all inputs: the order of rows changes nothing, weights add up, and with more than the limits allow nothing is
//! answered.

use proptest::prelude::{Just, Strategy, any, prop};
use proptest::{prop_assert, prop_assert_eq, proptest};
use renmen_insight::exact::largest_remainder;
use renmen_insight::model::{Held, Limits};
use renmen_insight::question::alert::{Alert, AlertRule, Scope};
use renmen_insight::question::channel::Channels;
use renmen_insight::question::fairness::{Fairness, FairnessAsk, ImpactRule};
use renmen_insight::question::friction::Friction;
use renmen_insight::question::funnel::{Funnel, Path};
use renmen_insight::question::predict::{Predict, PredictAsk};
use renmen_insight::question::standard::Standard;
use renmen_insight::{Outcome, Question, Row};
use renmen_schema::code::{NodeCode, SourceChannel};

use crate::acceptance::{fairness, predict};
use crate::rows::{
    application, ask, day, final_round, group, interview, metric, need_of, overall, person, score, step, year,
};

const NODES: [NodeCode; 3] = [NodeCode::InviteSent, NodeCode::Confirmed, NodeCode::Completed];

/// Rows of some people, made up by `draws`: each a reached node, a score, a result, a group.
fn rows(draws: &[(usize, u32, u32, u8)]) -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for (n, (reached, scored, sold, of)) in (0..).zip(draws) {
        let scored = f64::from(scored % 1000) / 1000.0;
        let mut made = application(n);
        made.selected = Some(sold % 3 == 0);
        made.channel = [None, Some(SourceChannel::Referral), Some(SourceChannel::Campus)][usize::from(of % 3)];
        rows.extend([person(n), Row::Application(made), Row::Interview(interview(n)), overall(n, scored)]);
        rows.extend([score(n, "logic", scored), score(n, "patience", f64::from(sold % 777) / 1000.0)]);
        rows.extend(final_round(n, f64::from(sold % 500) / 1000.0));
        let sales = format!("{}.{:06}", sold % 97, sold % 1_000_000);
        rows.push(Row::Metric(metric(n, "sales", &sales)));
        rows.push(group(n, "gender", [None, Some("F"), Some("M"), Some("X")][usize::from(of % 4)]));
        for node in NODES.iter().take(reached % 4) {
            let mut taken = step(n, *node, i64::from(sold % 50));
            (taken.clicks, taken.wait_ms) = (Some(sold % 5), Some(u64::from(sold % 3000)));
            rows.push(Row::Step(taken));
        }
    }
    rows
}

/// Rows of `n` people, always the same ones.
pub(crate) fn made_up(n: u32) -> Vec<Row<'static>> {
    let draw = |n: u32| {
        let z = n.wrapping_mul(2_654_435_761).rotate_left(13);
        ((z % 4) as usize, z, z.wrapping_mul(97) >> 3, (z >> 7) as u8)
    };
    rows(&(0..n).map(draw).collect::<Vec<_>>())
}

fn shuffled() -> impl Strategy<Value = (Vec<Row<'static>>, Vec<Row<'static>>)> {
    let draws = prop::collection::vec((0..4_usize, any::<u32>(), any::<u32>(), any::<u8>()), 0..60);
    draws.prop_map(|draws| rows(&draws)).prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle()))
}

fn outcomes() -> [Outcome; 2] {
    [Outcome::FinalRound, Outcome::Metric("sales".into())]
}

fn scope(limits: Limits) -> Scope {
    let outcome = Outcome::Metric("sales".into());
    Scope { window: year(), job: None, outcome, today: day("2026-12-31"), objective_only: true, limits }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 48, failure_persistence: None, ..Default::default() })]

    /// Not within a tolerance: the same, to the last digit and to the last id.
    #[test]
    fn the_order_of_rows_changes_nothing((given, other) in shuffled()) {
        let limits = Limits::default();
        prop_assert_eq!(ask(predict(year(), &outcomes()), &given), ask(predict(year(), &outcomes()), &other));
        let path = || Path::of_interview(year());
        prop_assert_eq!(ask(Funnel::new(path()), &given), ask(Funnel::new(path()), &other));
        prop_assert_eq!(ask(Channels::new(path(), 5), &given), ask(Channels::new(path(), 5), &other));
        prop_assert_eq!(ask(Friction::new(path(), 1000), &given), ask(Friction::new(path(), 1000), &other));
        prop_assert_eq!(ask(fairness(&["gender"]), &given), ask(fairness(&["gender"]), &other));
        let alert = || Alert::new(scope(limits), AlertRule::default());
        prop_assert_eq!(ask(alert(), &given), ask(alert(), &other));
    }

    #[test]
    fn parts_add_up_and_none_is_further_than_one_from_its_share(
        total in 0..1_000_000_u64,
        shares in prop::collection::vec(0..1_000_000_u64, 1..30),
    ) {
        let parts = largest_remainder(total, &shares);
        let sum: u64 = shares.iter().sum();
        prop_assert_eq!(parts.iter().sum::<u64>(), if sum == 0 { 0 } else { total });
        for (part, share) in parts.iter().zip(&shares) {
            let exact = u128::from(total) * u128::from(*share);
            let low = exact.checked_div(u128::from(sum)).unwrap_or(0);
            prop_assert!(u128::from(*part) == low || u128::from(*part) == low + 1 && exact % u128::from(sum) != 0);
        }
    }
}

#[test]
fn with_more_than_the_limits_allow_nothing_is_answered() {
    let rows = rows(&(0..50).map(|n| (3, n * 7, n * 13, n as u8)).collect::<Vec<_>>());
    let stream = |mut question: Predict| {
        for need in question.needs() {
            rows.iter().filter(|row| need_of(row) == *need).for_each(|row| question.take(row));
        }
        question.answer().map_err(|over| over.what)
    };
    let of = |limits| {
        let standard = Standard::default();
        let today = day("2026-12-31");
        let ask = PredictAsk {
            window: year(),
            job: None,
            outcomes: outcomes().into(),
            today,
            objective_only: true,
            standard,
            limits,
        };
        stream(Predict::new(ask))
    };
    let limits = Limits::default();
    assert!(of(limits).is_ok());
    assert_eq!(of(Limits { entries_max: 49, ..limits }).unwrap_err(), Held::People);
    assert_eq!(of(Limits { entries_max: 50, ..limits }).unwrap_err(), Held::Interviews, "each person has two");
    assert!(of(Limits { entries_max: 100, ..limits }).is_ok());
    assert_eq!(of(Limits { cells_max: 49, ..limits }).unwrap_err(), Held::Outcomes);
    assert_eq!(of(Limits { cells_max: 99, ..limits }).unwrap_err(), Held::Scores);
    assert_eq!(of(Limits { names_max: 1, ..limits }).unwrap_err(), Held::Names);

    let mut funnel = Funnel::new(Path { limits: Limits { entries_max: 49, ..limits }, ..Path::of_interview(year()) });
    rows.iter().for_each(|row| funnel.take(row));
    let over = funnel.answer().unwrap_err();
    assert_eq!((over.what, over.limit), (Held::Applications, 49));
    assert_eq!(
        over.to_string(),
        "more than 49 applications; choose a shorter period or one position, or raise the limit"
    );

    let ask = FairnessAsk {
        window: year(),
        job: None,
        attributes: vec![vec!["gender".into()]],
        rule: ImpactRule::default(),
        limits: Limits { names_max: 2, ..limits },
    };
    let mut audit = Fairness::new(ask);
    for need in audit.needs() {
        rows.iter().filter(|row| need_of(row) == *need).for_each(|row| audit.take(row));
    }
    assert_eq!(audit.answer().unwrap_err().what, Held::Names);
}
