//! From which day what a row says holds: an older state that is read later does not take the place of a newer one.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use renmen_schema::check::Validate;
use serde::de::DeserializeOwned;

use super::{Mapping, Problem};
use crate::config::{AsOf, DayFrom, Parse};
use crate::sheet::Row;
use renmen_vocabulary::day::{self, Days};

/// Where the day of a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) enum Standing<'a> {
    /// The file's name says it for all of its rows.
    File(Date),
    /// A column says it.
    Column(usize, &'a Parse),
}

/// What another file says of a key: from which day on, in which file, and the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rival {
    day: Date,
    file: String,
    body: String,
}

/// What other files say, by key.
pub type Rivals = BTreeMap<String, Rival>;

/// What becomes of a row whose key another file has as well.
pub(super) enum Verdict {
    /// It is the newer one, or the only one.
    Stands,
    /// Another file has a newer one.
    Older,
    /// Another file says something else for the same day.
    Tie(String),
}

static DAY: Parse = Parse::Date { formats: Vec::new(), serials: false };

impl<'a> Mapping<'a> {
    /// The declared place of the day; else the column of the record's own first day.
    pub(super) fn standing(&self, file: &str) -> Result<Option<Standing<'a>>, String> {
        match &self.stream.as_of {
            Some(AsOf::From { from: DayFrom::Name }) => {
                let day = day_of_name(file).ok_or(
                    "no date in the name of the file, which `as_of` takes it from; name it as 2025-03 or 2025-03-15",
                )?;
                Ok(Some(Standing::File(day)))
            }
            Some(AsOf::Column { column }) => {
                let index = self.table.column(column)?;
                let bound = self.columns.iter().filter(|bound| bound.index == index);
                let parse = bound.map(|bound| &bound.column.parse).find(|parse| parse.is_day());
                Ok(Some(Standing::Column(index, parse.unwrap_or(&DAY))))
            }
            None => {
                let own = self.columns.iter().find(|bound| bound.column.to == "/validity/valid_from");
                Ok(own.map(|bound| Standing::Column(bound.index, &bound.column.parse)))
            }
        }
    }

    /// The day of a row; none where it has none that can be read, which its record tells of.
    fn day(&self, row: &Row, standing: Standing<'_>) -> Option<Date> {
        let (index, parse) = match standing {
            Standing::File(day) => return Some(day),
            Standing::Column(index, parse) => (index, parse),
        };
        let cell = &row.cell(index);
        let days = |serials| Days { serials, from_1904: self.table.from_1904, years: self.years };
        match parse {
            Parse::Date { formats, serials } => day::day(cell, formats, days(*serials)).ok(),
            Parse::Month { serials } => day::month(cell, days(*serials)).ok().map(|(first, _)| first),
            _ => day::month(cell, days(false)).ok().map(|(first, _)| first),
        }
    }

    /// The first and the last day of rows of the table.
    pub(super) fn days(&self, rows: std::ops::Range<usize>, standing: Standing<'_>) -> Option<(Date, Date)> {
        let days = self.table.rows[rows].iter().filter_map(|row| self.day(row, standing));
        days.fold(None, |found: Option<(Date, Date)>, day| {
            Some(found.map_or((day, day), |(first, last)| (first.min(day), last.max(day))))
        })
    }

    /// Adds what this table says of keys, where it is newer than what is known.
    pub(super) fn rival<E>(&self, file: &str, standing: Standing<'_>, keys: &BTreeSet<String>, rivals: &mut Rivals)
    where
        E: DeserializeOwned + Validate + serde::Serialize,
    {
        for row in &self.table.rows {
            let (Ok(id), Some(day), None) = (self.id(row), self.day(row, standing), row.fault()) else { continue };
            if !keys.contains(&id) || rivals.get(&id).is_some_and(|known| known.day > day) {
                continue;
            }
            let Ok(record) = self.record::<E>(row) else { continue };
            let body = serde_json::to_string(&record).unwrap_or_default();
            rivals.insert(id, Rival { day, file: file.to_owned(), body });
        }
    }

    pub(super) fn verdict<E: serde::Serialize>(
        &self,
        row: &Row,
        (id, record): (&str, &E),
        standing: Option<Standing<'_>>,
        rivals: &Rivals,
    ) -> Verdict {
        let Some((rival, day)) = rivals.get(id).zip(standing.and_then(|standing| self.day(row, standing))) else {
            return Verdict::Stands;
        };
        match day.cmp(&rival.day) {
            std::cmp::Ordering::Less => Verdict::Older,
            std::cmp::Ordering::Greater => Verdict::Stands,
            std::cmp::Ordering::Equal if serde_json::to_string(record).is_ok_and(|body| body == rival.body) => {
                Verdict::Stands
            }
            std::cmp::Ordering::Equal => Verdict::Tie(rival.file.clone()),
        }
    }
}

impl Problem {
    pub(super) fn of_tie(file: &str) -> Self {
        Self::of_row(format!(
            "the same key holds from the same day in {file}, with something else; correct one of the files, or let the dates in \
             their names decide with `as_of = {{ from = \"name\" }}`"
        ))
    }
}

/// The date in a file's name: `2025-03-15`, `20250315`, `2025-03`, `202503`, `2025年3月`; of a month its first day.
#[must_use]
pub fn day_of_name(name: &str) -> Option<Date> {
    let runs: Vec<&str> = name.split(|c: char| !c.is_ascii_digit()).filter(|run| !run.is_empty()).collect();
    let number = |text: &str| text.parse::<i16>().ok();
    let made = |year: &str, month: &str, day: &str| {
        let (year, month, day) = (number(year)?, number(month)?, number(day)?);
        let date = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        (1900..=2200).contains(&date.year()).then_some(date)
    };
    for (index, run) in runs.iter().enumerate() {
        let next = |ahead: usize| runs.get(index + ahead).copied().filter(|run| run.len() <= 2);
        let found = match run.len() {
            8 => made(&run[..4], &run[4..6], &run[6..]),
            6 => made(&run[..4], &run[4..], "1"),
            4 => next(1)
                .and_then(|month| next(2).and_then(|day| made(run, month, day)).or_else(|| made(run, month, "1"))),
            _ => None,
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::day_of_name;

    #[test]
    fn a_date_is_found_in_the_name_of_a_file() {
        for (name, day) in [
            ("pay-2025-03.csv", Some("2025-03-01")),
            ("工资表2025年3月.xlsx", Some("2025-03-01")),
            ("pay_20250315_v2.csv", Some("2025-03-15")),
            ("2025.03.15 pay.csv", Some("2025-03-15")),
            ("pay-202503.csv", Some("2025-03-01")),
            ("pay-2025-03-v99.csv", Some("2025-03-01")),
            ("pay-2025.csv", None),
            ("pay-2025-13.csv", None),
            ("pay-1.csv", None),
        ] {
            assert_eq!(day_of_name(name).map(|day| day.to_string()).as_deref(), day, "{name}");
        }
    }
}
