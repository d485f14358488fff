//! Names as numbers: a stream of a million rows has a few dozen different ones.

use std::collections::HashMap;
use std::sync::Arc;

/// Names in the order in which they came up.
#[derive(Debug, Default)]
pub(super) struct Names {
    places: HashMap<Arc<str>, u32>,
    new: Vec<Arc<str>>,
}

impl Names {
    /// The number of a name, and whether it came up just now.
    pub(super) fn place(&mut self, name: &str) -> (u32, bool) {
        if let Some(place) = self.places.get(name) {
            return (*place, false);
        }
        let place = u32::try_from(self.places.len()).unwrap_or(u32::MAX);
        let name: Arc<str> = name.into();
        self.places.insert(Arc::clone(&name), place);
        self.new.push(name);
        (place, true)
    }

    /// Those that were not given out yet.
    pub(super) fn take_new(&mut self) -> Vec<Arc<str>> {
        std::mem::take(&mut self.new)
    }
}
