//! Which dimensions and questions of an interview say something about what came later, and which do not?
//!
//! Each predictor is compared with each outcome over the people who have both. Only people who were employed have most outcomes, so
//! a correlation is one among those who were chosen. A sample that is too small is not judged. All tests of the question are
//! corrected for their number.

use renmen_schema::EntityKind;
use renmen_schema::code::InterviewKind;
use renmen_schema::types::LocalDate;

use super::prediction::{Compare, Order, Target, judged};
pub use super::prediction::{Prediction, Predictor};
use super::standard::{Standard, Verdict};
use crate::figure::{Ids, LeftOut};
use crate::key::Key;
use crate::model::{Columns, Limits, Names, Need, Outcome, Outcomes, Overflow, People, Question, Row, Window};

/// What is asked.
#[derive(Debug, Clone)]
pub struct PredictAsk {
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
    /// When something counts as a prediction.
    pub standard: Standard,
    /// How much may be held.
    pub limits: Limits,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictReport {
    /// Every predictor with every outcome that anyone has both of.
    pub predictions: Vec<Prediction>,
    /// How many tests the p values are corrected for.
    pub tests: u64,
    /// People who may be joined.
    pub people: u64,
    /// Who and what is not counted.
    pub left_out: LeftOut,
}

impl PredictReport {
    /// The predictors that do not predict an outcome.
    pub fn not_predictive<'r>(&'r self, outcome: &'r Outcome) -> impl Iterator<Item = &'r Prediction> {
        let named = |one: &&Prediction| one.verdict == Verdict::NotPredictive && one.outcome == *outcome;
        self.predictions.iter().filter(named)
    }
}

/// The question.
#[derive(Debug)]
pub struct Predict {
    ask: PredictAsk,
    people: People,
    outcomes: Outcomes,
    overall: Scored,
    dimensions: Scored,
    questions: Scored,
}

/// Scores of one kind, and the records that they are from.
#[derive(Debug)]
struct Scored {
    names: Names,
    columns: Columns,
    source: Ids,
}

impl Scored {
    fn new(kind: EntityKind, limits: &Limits) -> Self {
        Self { names: Names::default(), columns: Columns::default(), source: Ids::new(kind, limits.ids_max) }
    }

    fn add(&mut self, name: &str, person: u32, millionths: u32, record: Key, limits: &Limits) {
        if let Some(place) = self.names.place(name, limits) {
            self.columns.push(place, person, millionths, limits);
            self.source.add(record);
        }
    }

    fn fits(&self, limits: &Limits) -> Result<(), Overflow> {
        self.names.fits(limits)?;
        self.columns.fits(limits)
    }
}

impl Predict {
    /// The question asked.
    #[must_use]
    pub fn new(ask: PredictAsk) -> Self {
        let limits = ask.limits;
        let outcomes = Outcomes::new(ask.outcomes.clone(), ask.today, ask.objective_only, &limits);
        Self {
            ask,
            people: People::default(),
            outcomes,
            overall: Scored::new(EntityKind::InterviewResult, &limits),
            dimensions: Scored::new(EntityKind::DimensionScore, &limits),
            questions: Scored::new(EntityKind::InterviewAnswer, &limits),
        }
    }

    /// The person of an interview that a model held.
    fn person(&self, interview: Key) -> Option<u32> {
        self.people.interview(interview).filter(|held| held.kind == InterviewKind::Ai).map(|held| held.person)
    }
}

impl Question for Predict {
    type Answer = PredictReport;

    fn needs(&self) -> &'static [Need] {
        &[
            Need::People,
            Need::Interviews,
            Need::Employments,
            Need::Reviews,
            Need::Metrics,
            Need::Results,
            Need::Scores,
            Need::Answers,
        ]
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
                    self.overall.add("", person, overall.millionths(), row.result, &limits);
                }
            }
            Row::Score(row) => {
                if let Some(person) = self.person(row.interview) {
                    self.dimensions.add(row.dimension, person, row.value.millionths(), row.score, &limits);
                }
            }
            Row::Answer(row) => {
                if let Some(person) = self.person(row.interview) {
                    self.questions.add(row.question, person, row.value.millionths(), row.answer, &limits);
                }
            }
            _ => {}
        }
    }

    fn answer(mut self) -> Result<PredictReport, Overflow> {
        let limits = self.ask.limits;
        self.people.fits()?;
        self.outcomes.fits(&limits)?;
        let order = Order::of(&self.people);
        let asked = 0..self.outcomes.asked().len();
        let targets: Vec<Target> = asked.map(|at| Target::of(&self.outcomes, at, &order)).collect();
        let mut measured = Vec::new();
        let of_name: [fn(&str) -> Predictor; 3] = [
            |_| Predictor::Overall,
            |name| Predictor::Dimension(name.to_owned()),
            |name| Predictor::Question(name.to_owned()),
        ];
        let kinds = [&mut self.overall, &mut self.dimensions, &mut self.questions];
        let compare = Compare {
            window: self.ask.window.span(),
            standard: &self.ask.standard,
            ids_max: limits.ids_max,
            order: &order,
            targets: &targets,
        };
        for (scored, predictor) in kinds.into_iter().zip(of_name) {
            scored.fits(&limits)?;
            for place in scored.names.in_order() {
                let column = scored.columns.means(place);
                compare.with_each(&predictor(scored.names.name(place)), &column, &scored.source, &mut measured);
            }
        }
        let (predictions, tests) = judged(measured, &self.ask.standard);
        Ok(PredictReport { predictions, tests, people: self.people.len() as u64, left_out: self.people.left_out })
    }
}
