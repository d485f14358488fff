//! What became of people after their interview.

use std::collections::HashMap;
use std::fmt;

use renmen_schema::EntityKind;
use renmen_schema::code::{Direction, EndReason, InterviewKind, ProbationOutcome, ReviewCycleKind};
use renmen_schema::types::LocalDate;

use super::need::Held;
use super::{EmploymentRow, Limits, MetricRow, MetricSubject, Overflow, People, ResultRow, ReviewRow};
use crate::figure::{Ids, Why};
use crate::key::{Key, Millionths};

/// A later outcome. Of all of them higher is better.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// The score of the last round that people held.
    FinalRound,
    /// 1 for a probation that was passed, 0 for one that failed.
    Probation,
    /// The mean rating of reviews of one kind.
    Review(ReviewCycleKind),
    /// The mean of a metric; turned round where lower is better.
    Metric(String),
    /// 1 for people who stayed at least so many days, 0 for those who left earlier.
    Retained {
        /// Days from the first one.
        days: u32,
    },
    /// 0 for people who left for this reason, 1 for all others who were employed.
    NotLeftFor(EndReason),
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::FinalRound => f.write_str("final_round"),
            Self::Probation => f.write_str("probation_passed"),
            Self::Review(cycle) => write!(f, "review:{cycle}"),
            Self::Metric(code) => write!(f, "metric:{code}"),
            Self::Retained { days } => write!(f, "retained_days:{days}"),
            Self::NotLeftFor(reason) => write!(f, "not_left_for:{reason}"),
        }
    }
}

/// The outcomes of people, folded as they come.
#[derive(Debug)]
pub(crate) struct Outcomes {
    asked: Vec<Outcome>,
    means: Vec<HashMap<u32, (Millionths, u32)>>,
    /// For the final round: the highest round so far, and the scores of it.
    rounds: HashMap<u32, (Option<u32>, Millionths, u32)>,
    pub(crate) sources: Vec<Ids>,
    /// The day up to which it is known who is still employed.
    today: LocalDate,
    objective_only: bool,
    cells: u64,
    over: bool,
}

impl Outcomes {
    pub(crate) fn new(asked: Vec<Outcome>, today: LocalDate, objective_only: bool, limits: &Limits) -> Self {
        let kind = |outcome: &Outcome| match outcome {
            Outcome::FinalRound => EntityKind::InterviewResult,
            Outcome::Review(_) => EntityKind::PerformanceReview,
            Outcome::Metric(_) => EntityKind::PerformanceMetric,
            Outcome::Probation | Outcome::Retained { .. } | Outcome::NotLeftFor(_) => EntityKind::Employment,
        };
        Self {
            sources: asked.iter().map(|outcome| Ids::new(kind(outcome), limits.ids_max)).collect(),
            means: asked.iter().map(|_| HashMap::new()).collect(),
            asked,
            rounds: HashMap::new(),
            today,
            objective_only,
            cells: 0,
            over: false,
        }
    }

    pub(crate) fn asked(&self) -> &[Outcome] {
        &self.asked
    }

    /// Who has the outcome, with its value; in any order.
    pub(crate) fn values(&self, outcome: usize) -> Vec<(u32, f64)> {
        if self.asked[outcome] == Outcome::FinalRound {
            return self.rounds.iter().map(|(person, (_, sum, n))| (*person, sum.mean(*n))).collect();
        }
        self.means[outcome].iter().map(|(person, (sum, n))| (*person, sum.mean(*n))).collect()
    }

    fn add(&mut self, outcome: usize, person: u32, value: Millionths, source: Key, limits: &Limits) {
        if self.cells >= limits.cells_max {
            self.over = true;
            return;
        }
        let (sum, n) = self.means[outcome].entry(person).or_insert_with(|| {
            self.cells += 1;
            (Millionths(0), 0)
        });
        *sum += value;
        *n += 1;
        self.sources[outcome].add(source);
    }

    pub(crate) fn add_employment(&mut self, row: &EmploymentRow, people: &mut People, limits: &Limits) {
        let Some(person) = people.place_of_joined(row.person) else { return };
        // One that began before the interview did not come of it.
        if !follows(row.start.or(row.end), person, people) {
            return;
        }
        for outcome in 0..self.asked.len() {
            let value = match &self.asked[outcome] {
                Outcome::Probation => match row.probation {
                    Some(ProbationOutcome::Passed) => Some(true),
                    Some(ProbationOutcome::Failed) => Some(false),
                    _ => None,
                },
                Outcome::Retained { days } => retained(row, *days, self.today),
                Outcome::NotLeftFor(reason) => Some(row.end_reason != Some(*reason)),
                _ => continue,
            };
            match value {
                Some(value) => {
                    let value = Millionths(i128::from(value) * 1_000_000);
                    self.add(outcome, person, value, row.employment, limits);
                }
                None => people.left_out.add(Why::StillOpen),
            }
        }
    }

    pub(crate) fn add_review(&mut self, row: &ReviewRow, people: &mut People, limits: &Limits) {
        let wanted = |outcome: &Outcome| matches!(outcome, Outcome::Review(cycle) if *cycle == row.cycle);
        let Some(outcome) = self.asked.iter().position(wanted) else { return };
        let Some(person) = people.place_of_joined(row.person) else { return };
        if follows(row.until, person, people) {
            let value = Millionths(i128::from(row.rating.millionths()));
            self.add(outcome, person, value, row.review, limits);
        }
    }

    pub(crate) fn add_metric(&mut self, row: &MetricRow<'_>, people: &mut People, limits: &Limits) {
        let wanted = |outcome: &Outcome| matches!(outcome, Outcome::Metric(code) if code == row.code);
        let Some(outcome) = self.asked.iter().position(wanted) else { return };
        let MetricSubject::Person(person) = row.subject else { return };
        if self.objective_only && !row.objective {
            people.left_out.add(Why::Subjective);
            return;
        }
        let Some(person) = people.place_of_joined(person) else { return };
        if follows(Some(row.until), person, people) {
            let value = Millionths::of(row.value);
            let better = if row.direction == Some(Direction::Lower) { Millionths(-value.0) } else { value };
            self.add(outcome, person, better, row.metric, limits);
        }
    }

    /// A result of an interview that a person held.
    pub(crate) fn add_result(&mut self, row: &ResultRow, people: &People) {
        let Some(outcome) = self.asked.iter().position(|outcome| *outcome == Outcome::FinalRound) else { return };
        let held = people.interview(row.interview).filter(|held| held.kind == InterviewKind::Human);
        let (Some(held), Some(overall)) = (held, row.overall) else { return };
        let value = Millionths(i128::from(overall.millionths()));
        let (round, sum, n) = self.rounds.entry(held.person).or_insert((held.round, Millionths(0), 0));
        if held.round > *round {
            (*round, *sum, *n) = (held.round, Millionths(0), 0);
        }
        if held.round == *round {
            *sum += value;
            *n += 1;
        }
        self.sources[outcome].add(row.result);
    }

    pub(crate) fn fits(&self, limits: &Limits) -> Result<(), Overflow> {
        if self.over { Err(Overflow { what: Held::Outcomes, limit: limits.cells_max }) } else { Ok(()) }
    }
}

/// Does an outcome follow an interview of the person? One that covers only a time before it cannot have been predicted, and is
/// counted. People without an interview are not part of the question.
fn follows(until: Option<LocalDate>, person: u32, people: &mut People) -> bool {
    let Some(first) = people.first_interview(person) else { return false };
    let before = until.is_some_and(|until| until < first);
    if before {
        people.left_out.add(Why::BeforeInterview);
    }
    !before
}

fn retained(row: &EmploymentRow, days: u32, today: LocalDate) -> Option<bool> {
    let start = row.start?.civil();
    let until = row.end.map_or(today, |end| end.min(today)).civil();
    let stayed = start.until(until).ok()?.get_days();
    if stayed >= i32::try_from(days).ok()? {
        return Some(true);
    }
    // Someone who is still there and has not had the time to stay that long: that is not known yet.
    row.end.filter(|end| *end <= today).map(|_| false)
}
