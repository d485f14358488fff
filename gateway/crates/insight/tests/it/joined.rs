//! Scores next to outcomes, person by person: who is in it, and that no one can be told.

use renmen_insight::figure::Why;
use renmen_insight::model::Limits;
use renmen_insight::question::joined::{Joined, JoinedAsk, JoinedReport};
use renmen_insight::{Outcome, Row};

use crate::rows::{ask, day, final_round, interview, left_out, overall, person, score, year};

fn joined(rows: &[Row<'static>], sample_min: u64) -> JoinedReport {
    let question = Joined::new(JoinedAsk {
        window: year(),
        job: None,
        outcomes: vec![Outcome::FinalRound],
        today: day("2026-12-31"),
        objective_only: true,
        sample_min,
        limits: Limits::default(),
    });
    ask(question, rows)
}

/// Twenty people with a score and a final round, one without a final round, and one who may not be joined.
fn rows() -> Vec<Row<'static>> {
    let mut rows = Vec::new();
    for n in 0..22 {
        rows.push(if n == 21 { left_out(n, Why::Withdrawn) } else { person(n) });
        rows.push(Row::Interview(interview(n)));
        rows.extend([overall(n, n as f64 / 100.0), score(n, "logic", 0.5)]);
        if n != 20 {
            rows.extend(final_round(n, 1.0 - n as f64 / 100.0));
        }
    }
    rows
}

#[test]
fn a_line_for_each_person_who_may_be_joined_and_has_both_r42() {
    let report = joined(&rows(), 10);
    assert_eq!((report.people, report.lines.len(), report.left_out.count(Why::Withdrawn)), (20, 20, 1));
    assert_eq!(report.dimensions, ["logic"]);
    let first = &report.lines[0];
    assert_eq!(
        (first.overall, &first.scores[..], &first.outcomes[..]),
        (Some(0.0), &[Some(0.5)][..], &[Some(1.0)][..])
    );
    for line in &report.lines {
        assert!((line.overall.unwrap() + line.outcomes[0].unwrap() - 1.0).abs() < 1e-9, "a line is of one person");
    }
}

#[test]
fn the_order_of_lines_says_nothing_of_who_they_are() {
    let mut turned = rows();
    turned.reverse();
    assert_eq!(joined(&rows(), 10), joined(&turned, 10));
}

#[test]
fn few_lines_are_not_given() {
    for (sample_min, lines) in [(20, 20), (21, 0)] {
        let report = joined(&rows(), sample_min);
        assert_eq!((report.people, report.lines.len()), (20, lines));
    }
}
