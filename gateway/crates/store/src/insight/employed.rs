//! Employments of people whose sources have no record of them: what the employee record says, once a person.

use renmen_schema::code::EndReason;
use renmen_schema::types::LocalDate;

use super::shapes::Employee;
use super::targets::{Map, Set};
use crate::model::insight::Employment;

#[derive(Debug, Clone, Copy)]
struct Says {
    record: i64,
    start: Option<LocalDate>,
    end: Option<LocalDate>,
    end_reason: Option<EndReason>,
}

/// Who has an employment record, and what is said of the others.
#[derive(Debug, Default)]
pub(super) struct Employed {
    with: Set<i64>,
    says: Map<i64, Says>,
}

impl Employed {
    pub(super) fn has_employment(&mut self, person: i64) {
        self.with.insert(person);
    }

    /// What an employee record says. Of several of a person the oldest one that names a day counts.
    pub(super) fn says(&mut self, person: i64, record: i64, row: &Employee<'_>) {
        if row.start.is_none() && row.end.is_none() {
            return;
        }
        let says = Says { record, start: row.start, end: row.end, end_reason: row.end_reason };
        let known = self.says.entry(person).or_insert(says);
        if record < known.record {
            *known = says;
        }
    }

    /// In the order of people. How a probation ended, such a record does not tell.
    pub(super) fn into_rows(self) -> impl Iterator<Item = Employment> + Send {
        let mut all: Vec<(i64, Says)> = self.says.into_iter().collect();
        all.sort_unstable_by_key(|(person, _)| *person);
        let others = all.into_iter().filter(move |(person, _)| !self.with.contains(person));
        others.map(|(person, Says { record, start, end, end_reason })| Employment {
            employment: record,
            person: Some(person),
            start,
            end,
            end_reason,
            probation: None,
        })
    }
}
