//! Scores of interviews as a whole, with a later outcome of the same people: what the alert and the review of instructions both
//! rest on.

use renmen_schema::EntityKind;
use renmen_schema::code::InterviewKind;
use renmen_schema::types::LocalDate;

use crate::figure::Ids;
use crate::key::Key;
use crate::model::{Held, Limits, Need, Outcome, Outcomes, Overflow, People, Row, Window};

/// Which interviews, and which outcome.
#[derive(Debug, Clone)]
pub struct Scope {
    /// Interviews that ended in this period.
    pub window: Window,
    /// Only for this job.
    pub job: Option<Key>,
    /// The outcome.
    pub outcome: Outcome,
    /// The day up to which it is known who is still employed.
    pub today: LocalDate,
    /// Only metrics that are measured, not judged.
    pub objective_only: bool,
    /// How much may be held.
    pub limits: Limits,
}

/// People with the value of their outcome.
pub(super) type Values = Vec<(u32, f64)>;

/// The score of one interview.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct ScoredInterview {
    pub(super) person: u32,
    pub(super) day: LocalDate,
    pub(super) millionths: u32,
}

#[derive(Debug)]
pub(super) struct ScoredOutcomes {
    pub(super) scope: Scope,
    pub(super) people: People,
    outcomes: Outcomes,
    scores: Vec<ScoredInterview>,
    results: Ids,
    over: bool,
}

pub(super) const NEEDS: &[Need] =
    &[Need::People, Need::Interviews, Need::Employments, Need::Reviews, Need::Metrics, Need::Results];

impl ScoredOutcomes {
    pub(super) fn new(scope: Scope) -> Self {
        let outcomes = Outcomes::new(vec![scope.outcome.clone()], scope.today, scope.objective_only, &scope.limits);
        let results = Ids::new(EntityKind::InterviewResult, scope.limits.ids_max);
        Self { scope, people: People::default(), outcomes, scores: Vec::new(), results, over: false }
    }

    pub(super) fn take(&mut self, row: &Row<'_>) {
        let limits = self.scope.limits;
        match row {
            Row::Person(row) => self.people.add(row, &limits),
            Row::Interview(row) => self.people.add_interview(row, self.scope.job, &self.scope.window, &limits),
            Row::Employment(row) => self.outcomes.add_employment(row, &mut self.people, &limits),
            Row::Review(row) => self.outcomes.add_review(row, &mut self.people, &limits),
            Row::Metric(row) => self.outcomes.add_metric(row, &mut self.people, &limits),
            Row::Result(row) => {
                self.outcomes.add_result(row, &self.people);
                let held = self.people.interview(row.interview).filter(|held| held.kind == InterviewKind::Ai);
                let Some((held, overall)) = held.zip(row.overall) else { return };
                let Some(day) = held.day else { return };
                if self.scores.len() as u64 >= limits.cells_max {
                    self.over = true;
                    return;
                }
                self.scores.push(ScoredInterview { person: held.person, day, millionths: overall.millionths() });
                self.results.add(row.result);
            }
            _ => {}
        }
    }

    /// All scores, sorted by person and day, and the outcome of each person who has it.
    pub(super) fn finish(&mut self) -> Result<(Vec<ScoredInterview>, Values), Overflow> {
        self.people.fits()?;
        self.outcomes.fits(&self.scope.limits)?;
        if self.over {
            return Err(Overflow { what: Held::Scores, limit: self.scope.limits.cells_max });
        }
        let mut scores = std::mem::take(&mut self.scores);
        scores.sort_unstable();
        let mut outcomes = self.outcomes.values(0);
        outcomes.sort_unstable_by_key(|(person, _)| *person);
        Ok((scores, outcomes))
    }

    /// The records behind what is said of these people.
    pub(super) fn sources(&self, people: impl Iterator<Item = u32>) -> Vec<Ids> {
        let mut ids = Ids::new(EntityKind::Person, self.scope.limits.ids_max);
        people.filter_map(|person| self.people.key(person)).for_each(|key| ids.add(key));
        vec![ids, self.results.clone(), self.outcomes.sources[0].clone()]
    }
}

/// The mean of the scores that `counts`, of each person who has an outcome: person, score, outcome; by person.
pub(super) fn joined(
    scores: &[ScoredInterview],
    outcomes: &[(u32, f64)],
    counts: impl Fn(&ScoredInterview) -> bool,
) -> Vec<(u32, f64, f64)> {
    let mut joined = Vec::new();
    for of_person in scores.chunk_by(|a, b| a.person == b.person) {
        let person = of_person[0].person;
        let Ok(at) = outcomes.binary_search_by_key(&person, |(person, _)| *person) else { continue };
        let (sum, n) = of_person
            .iter()
            .filter(|score| counts(score))
            .fold((0_u64, 0_u32), |(sum, n), score| (sum + u64::from(score.millionths), n + 1));
        if n > 0 {
            joined.push((person, sum as f64 / f64::from(n) / 1e6, outcomes[at].1));
        }
    }
    joined
}
