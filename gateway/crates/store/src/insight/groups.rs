//! Which groups people belong to. Read from the bodies each time: nothing of it is kept apart from them.

use renmen_schema::code::Gender;
use renmen_schema::types::{Coded, LocalDate};
use serde::Deserialize;

use super::names::Names;
use super::targets::Map;
use crate::model::insight::{Group, GroupsAsk};

/// The attributes that there are.
const ATTRIBUTES: [&str; 3] = ["gender", "ethnicity", "age"];

#[derive(Deserialize)]
struct Body {
    person: Option<Details>,
}

#[derive(Deserialize)]
struct Details {
    birth_date: Option<LocalDate>,
    gender: Option<Coded<Gender>>,
    ethnicity: Option<String>,
}

/// Of each person and attribute the record that tells it, and what it says.
type Told = [Option<(i64, u32)>; ATTRIBUTES.len()];

/// What is told of people.
#[derive(Debug)]
pub(super) struct Groups {
    asked: [bool; ATTRIBUTES.len()],
    today: LocalDate,
    people: Map<i64, Told>,
}

impl Groups {
    pub(super) fn of(ask: &GroupsAsk) -> Self {
        let asked = ATTRIBUTES.map(|attribute| ask.attributes.iter().any(|asked| asked == attribute));
        Self { asked, today: ask.today, people: Map::default() }
    }

    /// Takes what a record of a person says. The oldest record that tells something counts. False: it cannot be read.
    pub(super) fn take(&mut self, person: i64, record: i64, body: &[u8], names: &mut Names) -> bool {
        let told = self.people.entry(person).or_default();
        let Ok(body) = serde_json::from_slice::<Body>(body) else { return false };
        let Some(details) = body.person else { return true };
        let gender = details.gender.map(|gender| gender.code).filter(|code| *code != Gender::NotDisclosed);
        let ethnicity = details.ethnicity.filter(|ethnicity| !ethnicity.trim().is_empty());
        let age = details.birth_date.and_then(|born| age_group(born, self.today));
        let says = [gender.map(|gender| gender.as_str().to_owned()), ethnicity, age];
        for ((told, says), asked) in told.iter_mut().zip(says).zip(self.asked) {
            let Some(says) = says.filter(|_| asked && told.is_none_or(|(other, _)| record < other)) else { continue };
            *told = Some((record, names.place(&says).0));
        }
        true
    }

    /// A row for each person and each attribute that is asked for, in the order of people.
    pub(super) fn into_rows(self, names: &mut Names) -> impl Iterator<Item = Group> + Send + use<> {
        let attributes = ATTRIBUTES.map(|attribute| names.place(attribute).0);
        let asked = self.asked;
        let mut people: Vec<(i64, Told)> = self.people.into_iter().collect();
        people.sort_unstable_by_key(|(person, _)| *person);
        people.into_iter().flat_map(move |(person, told)| {
            let rows = attributes.into_iter().zip(told).zip(asked);
            rows.filter(|(_, asked)| *asked).map(move |((attribute, told), _)| Group {
                person,
                attribute,
                value: told.map(|(_, value)| value),
            })
        })
    }
}

/// Ten years each. None for a day of birth that is still to come.
fn age_group(born: LocalDate, today: LocalDate) -> Option<String> {
    if born > today {
        return None;
    }
    let years = born.civil().until((jiff::Unit::Year, today.civil())).ok()?.get_years();
    match years {
        ..20 => Some("under 20".to_owned()),
        60.. => Some("60 and over".to_owned()),
        years => {
            let from = years / 10 * 10;
            Some(format!("{from} to {}", from + 9))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_age_changes_its_group_on_a_birthday() {
        let day = |text| LocalDate::parse(text).unwrap();
        let on = |today| age_group(day("1986-05-20"), day(today));
        assert_eq!(on("2026-05-19").as_deref(), Some("30 to 39"));
        assert_eq!(on("2026-05-20").as_deref(), Some("40 to 49"));
        assert_eq!(on("2000-01-01").as_deref(), Some("under 20"));
        assert_eq!(on("2046-05-20").as_deref(), Some("60 and over"));
        assert_eq!(on("1986-05-19"), None);
    }
}
