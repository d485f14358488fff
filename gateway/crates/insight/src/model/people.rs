//! Who may be joined, and which interviews are theirs. What cannot be joined is counted by its reason.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use renmen_schema::code::InterviewKind;
use renmen_schema::types::LocalDate;

use super::need::Held;
use super::{InterviewRow, Limits, Overflow, PersonRow, Window};
use crate::figure::{LeftOut, Why};
use crate::key::Key;
use crate::purpose::Standing;

/// Where an interview belongs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Belongs {
    pub(crate) person: u32,
    pub(crate) kind: InterviewKind,
    pub(crate) round: Option<u32>,
    pub(crate) day: Option<LocalDate>,
}

/// People and their interviews.
#[derive(Debug, Default)]
pub(crate) struct People {
    places: HashMap<Key, u32>,
    keys: Vec<Key>,
    /// Who may not be joined, and why; without a reason once they were counted.
    left: HashMap<Key, Option<Why>>,
    /// Of each person the day of the first interview of the window.
    first_day: Vec<Option<LocalDate>>,
    interviews: HashMap<Key, Belongs>,
    pub(crate) left_out: LeftOut,
    over: Option<Overflow>,
}

impl People {
    pub(crate) fn add(&mut self, row: &PersonRow, limits: &Limits) {
        if !self.has_room(self.places.len() + self.left.len(), Held::People, limits) {
            return;
        }
        match row.standing {
            Standing::Allowed => {
                let Ok(next) = u32::try_from(self.places.len()) else { return };
                if let Entry::Vacant(entry) = self.places.entry(row.person) {
                    entry.insert(next);
                    self.first_day.push(None);
                    self.keys.push(row.person);
                }
            }
            Standing::LeftOut(why) => {
                self.left.entry(row.person).or_insert(Some(why));
            }
        }
    }

    /// The place of the person of a record that the question is about. Who is left out is counted once, with the first such record of
    /// theirs: of who has none, nothing was left out. A record without a person is counted, and so is one of a person that the stream
    /// of people did not have.
    pub(crate) fn place(&mut self, person: Option<Key>) -> Option<u32> {
        if let Some(why) = person.and_then(|key| self.left.get_mut(&key)).and_then(Option::take) {
            self.left_out.add(why);
        }
        self.place_of_joined(person)
    }

    /// The place of the person of a record that is joined to those: an outcome, a group. Of who is left out it leaves out nothing more.
    pub(crate) fn place_of_joined(&mut self, person: Option<Key>) -> Option<u32> {
        let place = person.and_then(|key| self.places.get(&key).copied());
        if place.is_none() && person.is_none_or(|key| !self.left.contains_key(&key)) {
            self.left_out.add(Why::NoPerson);
        }
        place
    }

    /// Takes an interview of the window and, where one is asked for, of the job.
    pub(crate) fn add_interview(&mut self, row: &InterviewRow, job: Option<Key>, window: &Window, limits: &Limits) {
        if job.is_some() && row.job != job {
            self.left_out.add(Why::OtherScope);
            return;
        }
        if !row.at.is_some_and(|at| window.has(at)) {
            self.left_out.add(Why::OutsideWindow);
            return;
        }
        if !self.has_room(self.interviews.len(), Held::Interviews, limits) {
            return;
        }
        let Some(person) = self.place(row.person) else { return };
        let day = row.at.and_then(|at| window.day(at));
        self.interviews.insert(row.interview, Belongs { person, kind: row.kind, round: row.round, day });
        if let (Some(day), Some(first)) = (day, self.first_day.get_mut(person as usize)) {
            *first = Some(first.map_or(day, |first| first.min(day)));
        }
    }

    pub(crate) fn interview(&self, interview: Key) -> Option<Belongs> {
        self.interviews.get(&interview).copied()
    }

    /// The key of a place.
    pub(crate) fn key(&self, place: u32) -> Option<Key> {
        self.keys.get(place as usize).copied()
    }

    /// For each place its place among all people in the order of their keys, which does not depend on the order of rows; and the
    /// keys in that order.
    pub(crate) fn in_order(&self) -> (Vec<u32>, Vec<Key>) {
        let mut order: Vec<u32> = (0..).take(self.keys.len()).collect();
        order.sort_unstable_by_key(|place| self.keys[*place as usize]);
        let mut ranks = vec![0; order.len()];
        for (rank, place) in (0..).zip(&order) {
            ranks[*place as usize] = rank;
        }
        (ranks, order.into_iter().map(|place| self.keys[place as usize]).collect())
    }

    /// The day of a person's first interview.
    pub(crate) fn first_interview(&self, person: u32) -> Option<LocalDate> {
        self.first_day.get(person as usize).copied().flatten()
    }

    pub(crate) fn len(&self) -> usize {
        self.places.len()
    }

    fn has_room(&mut self, held: usize, what: Held, limits: &Limits) -> bool {
        if (held as u64) < limits.entries_max {
            return true;
        }
        self.over.get_or_insert(Overflow { what, limit: limits.entries_max });
        false
    }

    pub(crate) fn fits(&self) -> Result<(), Overflow> {
        self.over.map_or(Ok(()), Err)
    }
}
