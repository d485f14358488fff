//! Names as numbers, and what is known of many people under many names.

use std::collections::HashMap;

use super::need::Held;
use super::{Limits, Overflow};

/// Names in the order in which they were met.
#[derive(Debug, Default)]
pub(crate) struct Names {
    places: HashMap<Box<str>, u32>,
    names: Vec<Box<str>>,
    over: bool,
}

impl Names {
    /// The number of a name; a new one where it is new, none where there are too many.
    pub(crate) fn place(&mut self, name: &str, limits: &Limits) -> Option<u32> {
        if let Some(place) = self.places.get(name) {
            return Some(*place);
        }
        if self.names.len() as u64 >= limits.names_max {
            self.over = true;
            return None;
        }
        let place = u32::try_from(self.names.len()).ok()?;
        self.places.insert(name.into(), place);
        self.names.push(name.into());
        Some(place)
    }

    pub(crate) fn name(&self, place: u32) -> &str {
        self.names.get(place as usize).map_or("", |name| name)
    }

    /// Numbers in the order of their names, which does not depend on the order of rows.
    pub(crate) fn in_order(&self) -> Vec<u32> {
        let mut order: Vec<u32> = (0..).take(self.names.len()).collect();
        order.sort_unstable_by(|a, b| self.name(*a).cmp(self.name(*b)));
        order
    }

    pub(crate) fn fits(&self, limits: &Limits) -> Result<(), Overflow> {
        if self.over { Err(Overflow { what: Held::Names, limit: limits.names_max }) } else { Ok(()) }
    }
}

/// For each name a list of people and numbers: eight bytes an entry, however few people a name has.
#[derive(Debug, Default)]
pub(crate) struct Columns {
    columns: Vec<Vec<(u32, u32)>>,
    cells: u64,
    over: bool,
}

impl Columns {
    pub(crate) fn push(&mut self, name: u32, person: u32, millionths: u32, limits: &Limits) {
        if self.cells >= limits.cells_max {
            self.over = true;
            return;
        }
        self.cells += 1;
        let name = name as usize;
        if self.columns.len() <= name {
            self.columns.resize_with(name + 1, Vec::new);
        }
        self.columns[name].push((person, millionths));
    }

    /// The mean of each person under one name. Sums are of whole numbers, so the order of entries does not show.
    pub(crate) fn means(&mut self, name: u32) -> Vec<(u32, f64)> {
        let Some(column) = self.columns.get_mut(name as usize) else { return Vec::new() };
        column.sort_unstable();
        let people = column.chunk_by(|a, b| a.0 == b.0);
        let mean = |entries: &[(u32, u32)]| {
            let sum: u64 = entries.iter().map(|(_, value)| u64::from(*value)).sum();
            (entries[0].0, sum as f64 / entries.len() as f64 / 1e6)
        };
        people.map(mean).collect()
    }

    pub(crate) fn fits(&self, limits: &Limits) -> Result<(), Overflow> {
        if self.over { Err(Overflow { what: Held::Scores, limit: limits.cells_max }) } else { Ok(()) }
    }
}
