//! Do groups of people fare alike? Selection and scores by group, each against the best group, in the tables that New York City's
//! Local Law 144 asks for and with the four-fifths rule.
//!
//! - Selection: of a group's applications the share that was moved forward. Scoring: of its people with a score the share above the
//!   median of all who have one.
//! - Impact ratio: that share over the share of the group with the highest one. Below the line (0.80) it is flagged.
//! - People whose group is not known are counted apart, and groups of less than 2 % of the others are shown apart: neither is compared.
//! - Fisher's exact test against the best group, corrected by Holm, tells how much of a difference may be chance. It changes no flag.
//!
//! Groups are read for this and nothing else: the stream of groups is open to keys made for audits alone.

use std::collections::{BTreeMap, HashMap};

use renmen_schema::EntityKind;
use renmen_schema::code::InterviewKind;

use super::impact::{Count, table};
pub use super::impact::{GroupFigures, ImpactRule, ImpactTable, RatePart};
use crate::figure::{Ids, LeftOut, Why};
use crate::key::Key;
use crate::model::{Columns, Held, Limits, Names, Need, Overflow, People, Question, Row, Window};
use crate::stats::median;

/// What is asked.
#[derive(Debug, Clone)]
pub struct FairnessAsk {
    /// Applications made, and interviews that ended, in this period.
    pub window: Window,
    /// Only for this job.
    pub job: Option<Key>,
    /// The attributes to compare by. Several at once are their intersection: `["gender", "ethnicity"]`.
    pub attributes: Vec<Vec<String>>,
    /// When a group is flagged, and when it is not compared.
    pub rule: ImpactRule,
    /// How much may be held.
    pub limits: Limits,
}

/// The answer: for each combination of attributes, as asked, both tables.
#[derive(Debug, Clone, PartialEq)]
pub struct FairnessReport {
    /// Selection.
    pub selection: Vec<ImpactTable>,
    /// Scores.
    pub scoring: Vec<ImpactTable>,
    /// The median of all scores, 0 to 1.
    pub median_score: Option<f64>,
    /// Who and what is not counted.
    pub left_out: LeftOut,
}

/// The question.
#[derive(Debug)]
pub struct Fairness {
    ask: FairnessAsk,
    people: People,
    attributes: Vec<String>,
    values: Names,
    /// Of each attribute the value that each person has.
    groups: Vec<HashMap<u32, u32>>,
    applications: Vec<(Key, u32, bool)>,
    scores: Columns,
    over: bool,
}

impl Fairness {
    /// The question asked.
    #[must_use]
    pub fn new(ask: FairnessAsk) -> Self {
        let mut attributes: Vec<String> = ask.attributes.iter().flatten().cloned().collect();
        attributes.sort_unstable();
        attributes.dedup();
        let groups = attributes.iter().map(|_| HashMap::new()).collect();
        Self {
            ask,
            people: People::default(),
            attributes,
            values: Names::default(),
            groups,
            applications: Vec::new(),
            scores: Columns::default(),
            over: false,
        }
    }

    fn add_group(&mut self, person: Key, attribute: &str, value: Option<&str>) {
        let Ok(at) = self.attributes.binary_search_by(|known| known.as_str().cmp(attribute)) else { return };
        let Some((person, value)) = self.people.place_of_joined(Some(person)).zip(value) else { return };
        if let Some(value) = self.values.place(value, &self.ask.limits) {
            self.groups[at].insert(person, value);
        }
    }

    /// The group of a person by a combination of attributes; none where one of them is not known.
    fn group(&self, combination: &[String], person: u32) -> Option<String> {
        let mut group = String::new();
        for attribute in combination {
            let at = self.attributes.binary_search(attribute).ok()?;
            let value = self.values.name(*self.groups[at].get(&person)?);
            if !group.is_empty() {
                group.push('+');
            }
            group.push_str(value);
        }
        Some(group)
    }

    /// One table: entries are a record, a person, whether they passed, and a score.
    fn counted(
        &self,
        combination: &[String],
        entries: &[(Key, u32, bool, Option<f64>)],
        kind: EntityKind,
    ) -> ImpactTable {
        let mut counts: BTreeMap<String, Count> = BTreeMap::new();
        let mut unknown = Ids::new(kind, self.ask.limits.ids_max);
        for (record, person, passed, score) in entries {
            let Some(group) = self.group(combination, *person) else {
                unknown.add(*record);
                continue;
            };
            let count = counts.entry(group).or_insert_with(|| Count::new(Ids::new(kind, self.ask.limits.ids_max)));
            count.add(*record, *passed, *score);
        }
        table(&self.ask.rule, self.ask.window.span(), combination.join("+"), counts, unknown)
    }
}

impl Question for Fairness {
    type Answer = FairnessReport;

    fn needs(&self) -> &'static [Need] {
        &[Need::People, Need::Groups, Need::Applications, Need::Interviews, Need::Results]
    }

    fn take(&mut self, row: &Row<'_>) {
        let limits = self.ask.limits;
        match row {
            Row::Person(row) => self.people.add(row, &limits),
            Row::Group(row) => self.add_group(row.person, row.attribute, row.value),
            Row::Application(row) => {
                if self.ask.job.is_some() && row.job != self.ask.job {
                    self.people.left_out.add(Why::OtherScope);
                } else if !row.applied_at.is_some_and(|at| self.ask.window.has(at)) {
                    self.people.left_out.add(Why::OutsideWindow);
                } else if let Some(person) = self.people.place(row.person) {
                    match row.selected {
                        None => self.people.left_out.add(Why::StillOpen),
                        Some(_) if self.applications.len() as u64 >= limits.entries_max => self.over = true,
                        Some(selected) => self.applications.push((row.application, person, selected)),
                    }
                }
            }
            Row::Interview(row) => self.people.add_interview(row, self.ask.job, &self.ask.window, &limits),
            Row::Result(row) => {
                let held = self.people.interview(row.interview).filter(|held| held.kind == InterviewKind::Ai);
                if let Some((held, overall)) = held.zip(row.overall) {
                    self.scores.push(0, held.person, overall.millionths(), &limits);
                }
            }
            _ => {}
        }
    }

    fn answer(mut self) -> Result<FairnessReport, Overflow> {
        let limits = self.ask.limits;
        self.people.fits()?;
        self.values.fits(&limits)?;
        self.scores.fits(&limits)?;
        if self.over {
            return Err(Overflow { what: Held::Applications, limit: limits.entries_max });
        }
        let scores = self.scores.means(0);
        let of_person: HashMap<u32, f64> = scores.iter().copied().collect();
        let mut sorted: Vec<f64> = scores.iter().map(|(_, score)| *score).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let median_score = median(&sorted);
        let above = |score: f64| median_score.is_some_and(|median| score > median);
        let applications: Vec<_> = self
            .applications
            .iter()
            .map(|(key, person, selected)| (*key, *person, *selected, of_person.get(person).copied()))
            .collect();
        let scored: Vec<_> = scores
            .iter()
            .filter_map(|(person, score)| Some((self.people.key(*person)?, *person, above(*score), Some(*score))))
            .collect();
        let tables = |entries: &[_], kind| {
            self.ask.attributes.iter().map(|combination| self.counted(combination, entries, kind)).collect()
        };
        Ok(FairnessReport {
            selection: tables(&applications, EntityKind::Application),
            scoring: tables(&scored, EntityKind::Person),
            median_score,
            left_out: self.people.left_out,
        })
    }
}
