//! When to be bad: faults with the requests that they hit, and the seed that decides what is left open.

use thiserror::Error;

use crate::answer::Answer;
use crate::fault::{ALWAYS, FAULTS, Fault};

/// One fault with its schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Which.
    pub fault: Fault,
    /// The first data request that it hits, from 1.
    pub first: u64,
    /// How many it hits, one after the other.
    pub count: u64,
    /// Only requests to this path are counted and hit.
    pub path: Option<String>,
}

/// Which faults hit which requests. Data requests are counted: token requests and other side paths of a model are not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// In the order in which they are applied.
    pub faults: Vec<Planned>,
    /// Decides which row, which member and which byte.
    pub seed: u64,
    /// Given to every data request instead of the source's answer: an error in the vendor's own words.
    pub instead: Option<Answer>,
    /// The only paths that get it; none means all.
    pub instead_paths: Vec<String>,
    /// Every answer repeats what it was asked with, credentials too, in a header and in its JSON.
    pub echo: bool,
}

/// A plan that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum PlanError {
    /// No such fault.
    #[error("unknown fault `{name}`; there are: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// All names.
        known: String,
    },
    /// Not `NAME`, `NAME@FIRST` or `NAME@FIRSTxCOUNT`.
    #[error("`{0}` is not a schedule: write NAME, NAME@3 (the third data request) or NAME@3x2 (the third and fourth)")]
    Schedule(String),
}

impl Planned {
    /// A fault with its usual schedule.
    #[must_use]
    pub fn usual(fault: Fault) -> Self {
        let facts = fault.facts();
        Self { fault, first: facts.first, count: facts.count, path: None }
    }

    /// A fault that hits every data request of a path; of all paths if there is none.
    #[must_use]
    pub fn always(fault: Fault, path: Option<&str>) -> Self {
        Self { fault, first: 1, count: ALWAYS, path: path.map(str::to_owned) }
    }

    /// Reads `NAME`, `NAME@FIRST` or `NAME@FIRSTxCOUNT`.
    ///
    /// # Errors
    /// [`PlanError`], which says what can be written.
    pub fn parse(text: &str) -> Result<Self, PlanError> {
        let (name, schedule) = text.split_once('@').map_or((text, None), |(name, schedule)| (name, Some(schedule)));
        let Some(fault) = Fault::named(name) else {
            let known = FAULTS.iter().map(|facts| facts.name).collect::<Vec<_>>().join(", ");
            return Err(PlanError::Unknown { name: name.to_owned(), known });
        };
        let mut planned = Self::usual(fault);
        let Some(schedule) = schedule else { return Ok(planned) };
        let (first, count) = schedule.split_once('x').map_or((schedule, "1"), |(first, count)| (first, count));
        let number = |text: &str| text.parse::<u64>().ok().filter(|&n| n > 0);
        match (number(first), number(count)) {
            (Some(first), Some(count)) => (planned.first, planned.count) = (first, count),
            _ => return Err(PlanError::Schedule(text.to_owned())),
        }
        Ok(planned)
    }

    fn hits(&self, number: u64) -> bool {
        number >= self.first && number - self.first < self.count
    }
}

impl Plan {
    /// A plan of faults alone.
    #[must_use]
    pub fn of(faults: Vec<Planned>, seed: u64) -> Self {
        Self { faults, seed, ..Self::default() }
    }

    /// What a data request of this path gets instead of its answer.
    pub(crate) fn instead_of(&self, path: &str) -> Option<Answer> {
        let hit = self.instead_paths.is_empty() || self.instead_paths.iter().any(|own| own == path);
        self.instead.clone().filter(|_| hit)
    }

    /// The faults that hit the data request with this number (from 1) among all, and this number among those of its path.
    pub(crate) fn due(&self, number: u64, path: &str, number_of_path: u64) -> Vec<Fault> {
        let hit = |planned: &&Planned| match &planned.path {
            None => planned.hits(number),
            Some(own) => own == path && planned.hits(number_of_path),
        };
        self.faults.iter().filter(hit).map(|planned| planned.fault).collect()
    }

    /// Numbers that the seed and a request decide.
    pub(crate) fn dice(&self, number: u64) -> Dice {
        Dice(self.seed ^ number.wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}

/// A row of numbers that is the same for the same beginning (SplitMix64).
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`; 0 for a bound of 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        if bound == 0 { 0 } else { (self.next() % bound as u64) as usize }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_schedule_names_the_first_request_and_how_many() {
        let planned = Planned::parse("rate_limited@3x2").unwrap();
        assert_eq!((planned.fault, planned.first, planned.count), (Fault::RateLimited, 3, 2));
        assert_eq!(Planned::parse("cut_body@4").unwrap().count, 1);
        assert_eq!(Planned::parse("cursor_loops").unwrap(), Planned::usual(Fault::CursorLoops));
        let plan = Plan::of(vec![planned], 0);
        let hit: Vec<u64> = (1..8).filter(|&n| !plan.due(n, "/a", n).is_empty()).collect();
        assert_eq!(hit, [3, 4]);
    }

    #[test]
    fn a_schedule_that_is_none_is_refused_with_what_can_be_written() {
        for text in ["rate_limited@", "rate_limited@0", "rate_limited@2x", "rate_limited@x2", "rate_limited@2x0"] {
            assert_eq!(Planned::parse(text), Err(PlanError::Schedule(text.into())));
        }
        assert!(Planned::parse("rain").unwrap_err().to_string().contains("cut_body"));
    }

    #[test]
    fn a_fault_of_one_path_leaves_the_others_alone() {
        let plan = Plan::of(vec![Planned::always(Fault::CutBody, Some("/b"))], 0);
        assert_eq!(plan.due(1, "/a", 1), []);
        assert_eq!(plan.due(2, "/b", 1), [Fault::CutBody]);
    }

    #[test]
    fn the_same_seed_throws_the_same_dice() {
        let thrown = |seed| {
            let mut dice = Plan::of(vec![], seed).dice(7);
            [dice.below(1000), dice.below(1000), dice.below(1000)]
        };
        assert_eq!(thrown(1), thrown(1));
        assert_ne!(thrown(1), thrown(2));
    }
}
