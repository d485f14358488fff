//! What an interview measured next to what came later, a line for each person, for an analysis elsewhere.
//!
//! A line names no one: it has no id and no day, and lines stand in the order of their numbers, which says nothing of who they are. Only
//! people are in it who may be joined for the purpose. With few lines there are none: they would be recognised.

use std::collections::HashMap;

use renmen_schema::code::InterviewKind;
use renmen_schema::types::LocalDate;

use crate::figure::LeftOut;
use crate::key::Key;
use crate::model::{Columns, Limits, Names, Need, Outcome, Outcomes, Overflow, People, Question, Row, Window};

/// What is asked.
#[derive(Debug, Clone)]
pub struct JoinedAsk {
    /// Interviews that ended in this period.
    pub window: Window,
    /// Only for this job.
    pub job: Option<Key>,
    /// The outcomes.
    pub outcomes: Vec<Outcome>,
    /// The day up to which it is known who is still employed.
    pub today: LocalDate,
    /// Only metrics that are measured, not judged.
    pub objective_only: bool,
    /// Fewer lines are not given: 10.
    pub sample_min: u64,
    /// How much may be held.
    pub limits: Limits,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedReport {
    /// The dimensions, by name.
    pub dimensions: Vec<String>,
    /// The outcomes, as asked.
    pub outcomes: Vec<Outcome>,
    /// A line for each person who has a score and an outcome; none where there are too few.
    pub lines: Vec<JoinedLine>,
    /// How many people have both.
    pub people: u64,
    /// Who and what is not counted.
    pub left_out: LeftOut,
}

/// One person.
#[derive(Debug, Clone, PartialEq)]
pub struct JoinedLine {
    /// The mean of the scores as a whole, 0 to 1.
    pub overall: Option<f64>,
    /// The mean of each dimension, 0 to 1.
    pub scores: Vec<Option<f64>>,
    /// Each outcome.
    pub outcomes: Vec<Option<f64>>,
}

/// The question.
#[derive(Debug)]
pub struct Joined {
    ask: JoinedAsk,
    people: People,
    outcomes: Outcomes,
    names: Names,
    scores: Columns,
    overall: Columns,
}

impl Joined {
    /// The question asked.
    #[must_use]
    pub fn new(ask: JoinedAsk) -> Self {
        let outcomes = Outcomes::new(ask.outcomes.clone(), ask.today, ask.objective_only, &ask.limits);
        let (people, names) = (People::default(), Names::default());
        Self { ask, people, outcomes, names, scores: Columns::default(), overall: Columns::default() }
    }

    fn person(&self, interview: Key) -> Option<u32> {
        self.people.interview(interview).filter(|held| held.kind == InterviewKind::Ai).map(|held| held.person)
    }
}

impl Question for Joined {
    type Answer = JoinedReport;

    fn needs(&self) -> &'static [Need] {
        &[Need::People, Need::Interviews, Need::Employments, Need::Reviews, Need::Metrics, Need::Results, Need::Scores]
    }

    fn take(&mut self, row: &Row<'_>) {
        let limits = self.ask.limits;
        match row {
            Row::Person(row) => self.people.add(row, &limits),
            Row::Interview(row) => self.people.add_interview(row, self.ask.job, &self.ask.window, &limits),
            Row::Employment(row) => self.outcomes.add_employment(row, &mut self.people, &limits),
            Row::Review(row) => self.outcomes.add_review(row, &mut self.people, &limits),
            Row::Metric(row) => self.outcomes.add_metric(row, &mut self.people, &limits),
            Row::Result(row) => {
                self.outcomes.add_result(row, &self.people);
                if let (Some(person), Some(overall)) = (self.person(row.interview), row.overall) {
                    self.overall.push(0, person, overall.millionths(), &limits);
                }
            }
            Row::Score(row) => {
                let person = self.person(row.interview);
                if let Some((person, name)) = person.zip(self.names.place(row.dimension, &limits)) {
                    self.scores.push(name, person, row.value.millionths(), &limits);
                }
            }
            _ => {}
        }
    }

    fn answer(mut self) -> Result<JoinedReport, Overflow> {
        let limits = self.ask.limits;
        self.people.fits()?;
        self.outcomes.fits(&limits)?;
        self.names.fits(&limits)?;
        self.scores.fits(&limits)?;
        self.overall.fits(&limits)?;
        let (order, asked) = (self.names.in_order(), self.outcomes.asked().len());
        let empty = || JoinedLine { overall: None, scores: vec![None; order.len()], outcomes: vec![None; asked] };
        let mut lines: HashMap<u32, JoinedLine> = HashMap::new();
        for (person, value) in self.overall.means(0) {
            lines.entry(person).or_insert_with(empty).overall = Some(value);
        }
        for (at, name) in order.iter().enumerate() {
            for (person, value) in self.scores.means(*name) {
                lines.entry(person).or_insert_with(empty).scores[at] = Some(value);
            }
        }
        for outcome in 0..asked {
            for (person, value) in self.outcomes.values(outcome) {
                if let Some(line) = lines.get_mut(&person) {
                    line.outcomes[outcome] = Some(value);
                }
            }
        }
        let mut lines: Vec<JoinedLine> =
            lines.into_values().filter(|line| line.outcomes.iter().any(Option::is_some)).collect();
        let people = lines.len() as u64;
        if people < self.ask.sample_min {
            lines.clear();
        }
        let numbers = |line: &JoinedLine| {
            let all =
                std::iter::once(line.overall).chain(line.scores.iter().copied()).chain(line.outcomes.iter().copied());
            all.map(|number| number.unwrap_or(f64::NEG_INFINITY)).collect::<Vec<f64>>()
        };
        lines.sort_by(|a, b| {
            let pairs = numbers(a).into_iter().zip(numbers(b)).map(|(a, b)| a.total_cmp(&b));
            pairs.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
        });
        let dimensions = order.iter().map(|name| self.names.name(*name).to_owned()).collect();
        let outcomes = self.outcomes.asked().to_vec();
        Ok(JoinedReport { dimensions, outcomes, lines, people, left_out: self.people.left_out })
    }
}
