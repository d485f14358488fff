//! What do the people with the best results have that the others do not? A draft of a position's profile, made out of performance:
//! it is a draft until a person publishes it.
//!
//! People of the position are divided by their mean of one metric. A dimension of their interviews counts by how often one of the best
//! scored above one of the others, as far as that is more than chance; the weights are these shares, exact to the basis point.

use renmen_schema::EntityKind;
use renmen_schema::code::InterviewKind;
use renmen_schema::entity::{Competency, DerivedFrom, Job, PositionProfile, ProfileCompetency};
use renmen_schema::types::{DateSpan, Decimal, LocalDate, Ref, Weight};

use crate::exact::largest_remainder;
use crate::figure::{Basis, Figure, Ids, LeftOut, Method, PValue, Why};
use crate::key::Key;
use crate::model::{Columns, Limits, Names, Need, Outcome, Outcomes, Overflow, People, Question, Row, Window};
use crate::stats::{Correction, adjusted, quantile, rank_sum};

/// What is asked.
#[derive(Debug, Clone)]
pub struct DraftAsk {
    /// The metric's code.
    pub metric: String,
    /// Figures whose period ends in this one.
    pub window: DateSpan,
    /// Interviews that ended in this period.
    pub interviews: Window,
    /// Only figures of people in this position
    pub position: Option<Key>,
    /// and in this unit.
    pub unit: Option<Key>,
    /// Only figures that are measured, not judged.
    pub objective_only: bool,
    /// The best part begins here: 0.9 is the best tenth.
    pub quantile: Decimal,
    /// A corrected p value below this is not chance: 0.05.
    pub alpha: f64,
    /// With fewer people in the best part nothing is drafted: 10.
    pub sample_min: u64,
    /// How much may be held.
    pub limits: Limits,
}

/// One dimension.
#[derive(Debug, Clone, PartialEq)]
pub struct DimensionEvidence {
    /// Its name.
    pub dimension: String,
    /// How often one of the best scored above one of the others.
    pub superiority: Figure,
    /// Its weight in the draft, in basis points; 0 where it does not tell the best from the others.
    pub weight_bp: u16,
}

/// The answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// The best part: from which value on, and how many people.
    pub best: Figure,
    /// Dimension by dimension, by name.
    pub dimensions: Vec<DimensionEvidence>,
    /// Too few people to draft anything.
    pub too_few: bool,
    /// Who and what is not counted.
    pub left_out: LeftOut,
    derived_from: DerivedFrom,
}

impl Draft {
    /// The draft as a record; none where no dimension tells the best from the others.
    #[must_use]
    pub fn record(
        &self,
        position: Ref<Job>,
        version: u32,
        competency: impl Fn(&str) -> Ref<Competency>,
    ) -> Option<PositionProfile> {
        let of =
            |one: &DimensionEvidence| ProfileCompetency::new(competency(&one.dimension), Weight::new(one.weight_bp));
        let competencies: Vec<_> = self.dimensions.iter().filter(|one| one.weight_bp > 0).map(of).collect();
        let complete = Weight::sum(competencies.iter().map(|one| &one.weight)).complete;
        (!competencies.is_empty()).then(|| PositionProfile {
            competencies,
            derived_from: vec![self.derived_from.clone()],
            ..PositionProfile::new(position, version, complete)
        })
    }
}

/// The question.
#[derive(Debug)]
pub struct ProfileDraft {
    ask: DraftAsk,
    people: People,
    outcomes: Outcomes,
    names: Names,
    scores: Columns,
    source: Ids,
}

impl ProfileDraft {
    /// The question asked.
    #[must_use]
    pub fn new(ask: DraftAsk) -> Self {
        let today: LocalDate = ask.window.end;
        let outcomes = Outcomes::new(vec![Outcome::Metric(ask.metric.clone())], today, ask.objective_only, &ask.limits);
        let source = Ids::new(EntityKind::DimensionScore, ask.limits.ids_max);
        let (people, names, scores) = (People::default(), Names::default(), Columns::default());
        Self { ask, people, outcomes, names, scores, source }
    }
}

impl Question for ProfileDraft {
    type Answer = Draft;

    fn needs(&self) -> &'static [Need] {
        &[Need::People, Need::Interviews, Need::Metrics, Need::Scores]
    }

    fn take(&mut self, row: &Row<'_>) {
        let limits = self.ask.limits;
        match row {
            Row::Person(row) => self.people.add(row, &limits),
            Row::Interview(row) => self.people.add_interview(row, None, &self.ask.interviews, &limits),
            Row::Metric(row) if row.code == self.ask.metric => {
                let elsewhere = |asked: Option<Key>, found: Option<Key>| asked.is_some() && asked != found;
                if elsewhere(self.ask.position, row.position) || elsewhere(self.ask.unit, row.unit) {
                    self.people.left_out.add(Why::OtherScope);
                } else if row.until < self.ask.window.start || row.until > self.ask.window.end {
                    self.people.left_out.add(Why::OutsideWindow);
                } else {
                    self.outcomes.add_metric(row, &mut self.people, &limits);
                }
            }
            Row::Score(row) => {
                let held = self.people.interview(row.interview).filter(|held| held.kind == InterviewKind::Ai);
                if let Some((held, name)) = held.zip(self.names.place(row.dimension, &limits)) {
                    self.scores.push(name, held.person, row.value.millionths(), &limits);
                    self.source.add(row.score);
                }
            }
            _ => {}
        }
    }

    fn answer(mut self) -> Result<Draft, Overflow> {
        let limits = self.ask.limits;
        self.people.fits()?;
        self.outcomes.fits(&limits)?;
        self.names.fits(&limits)?;
        self.scores.fits(&limits)?;
        let mut values = self.outcomes.values(0);
        values.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
        let sorted: Vec<f64> = values.iter().map(|(_, value)| *value).collect();
        // The quantile as a number between 0 and 1 that six digits hold exactly enough.
        let at = crate::key::Millionths::of(self.ask.quantile).mean(1);
        let from = quantile(&sorted, at);
        let mut is_best: Vec<(u32, bool)> =
            values.iter().map(|(person, value)| (*person, from.is_some_and(|from| *value >= from))).collect();
        is_best.sort_unstable();
        let mut best = Ids::new(EntityKind::Person, limits.ids_max);
        let chosen = is_best.iter().filter(|(_, best)| *best).filter_map(|(person, _)| self.people.key(*person));
        chosen.for_each(|key| best.add(key));
        let too_few = best.total() < self.ask.sample_min;
        let figure = |method, n, value, sources| {
            let window = Some(self.ask.window.clone());
            Figure { value, interval: None, p: None, basis: Basis { n, window, method, sources } }
        };
        let mut dimensions = Vec::new();
        for name in self.names.in_order() {
            let (mut of_best, mut of_others) = (Vec::new(), Vec::new());
            let mut people = Ids::new(EntityKind::Person, limits.ids_max);
            for (person, score) in self.scores.means(name) {
                let Ok(found) = is_best.binary_search_by_key(&person, |(person, _)| *person) else { continue };
                let part = if is_best[found].1 { &mut of_best } else { &mut of_others };
                part.push(score);
                self.people.key(person).into_iter().for_each(|key| people.add(key));
            }
            let n = (of_best.len() + of_others.len()) as u64;
            let compared = rank_sum(&of_best, &of_others).filter(|_| of_best.len() as u64 >= self.ask.sample_min);
            let p = compared.map(|compared| PValue { alone: compared.p, adjusted: compared.p });
            let sources = vec![people, self.source.clone(), self.outcomes.sources[0].clone()];
            let superiority = figure(Method::RankSum, n, compared.map(|compared| compared.superiority), sources);
            let dimension = self.names.name(name).to_owned();
            dimensions.push(DimensionEvidence { dimension, superiority: Figure { p, ..superiority }, weight_bp: 0 });
        }
        weigh(&mut dimensions, self.ask.alpha);
        let people = |n: u64| u32::try_from(n).ok();
        let derived_from = DerivedFrom {
            quantile: Some(self.ask.quantile),
            sample: people(best.total()),
            others: people(is_best.len() as u64 - best.total()),
            method: Some(Method::RankSum.to_string()),
            ..DerivedFrom::new(self.ask.metric.clone(), self.ask.window.clone())
        };
        let sources = vec![best.clone(), self.outcomes.sources[0].clone()];
        let best = figure(Method::Quantile, best.total(), from, sources);
        Ok(Draft { best, dimensions, too_few, left_out: self.people.left_out, derived_from })
    }
}

/// Corrects the p values and gives each dimension its weight.
fn weigh(dimensions: &mut [DimensionEvidence], alpha: f64) {
    let mut family: Vec<&mut PValue> = dimensions.iter_mut().filter_map(|one| one.superiority.p.as_mut()).collect();
    let alone: Vec<f64> = family.iter().map(|p| p.alone).collect();
    for (p, adjusted) in family.iter_mut().zip(adjusted(Correction::BenjaminiHochberg, &alone)) {
        p.adjusted = adjusted;
    }
    let share = |one: &DimensionEvidence| {
        let counts = one.superiority.p.is_some_and(|p| p.adjusted < alpha);
        let above = one.superiority.value.filter(|_| counts).map_or(0.0, |value| (value - 0.5).max(0.0));
        (above * 1e6).round() as u64
    };
    let shares: Vec<u64> = dimensions.iter().map(share).collect();
    for (one, bp) in dimensions.iter_mut().zip(largest_remainder(10_000, &shares)) {
        one.weight_bp = u16::try_from(bp).unwrap_or(u16::MAX);
    }
}
