//! The walk over the department tree. The vendor lists the children of one department at a time, so the cursor carries the
//! departments still to be looked into; the newest found first, so that few wait, and a bounded number a page.

use renmen_plugin::{Failure, Page};
use serde::{Deserialize, Serialize};

/// Departments looked into with one page: so many requests go at once.
const BATCH: usize = 20;

/// The most departments that a cursor carries.
const PENDING_MAX: usize = 4_000;

/// Where the walk is.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Walk {
    /// Departments to look into.
    pending: Vec<i64>,
    /// Departments whose members go on: id and the vendor's cursor.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    open: Vec<(i64, i64)>,
}

impl Walk {
    /// Goes on at the cursor, or begins at the root.
    pub(super) fn resume(cursor: Option<&str>, root: i64) -> Result<Self, Failure> {
        match cursor {
            None => Ok(Self { pending: vec![root], open: Vec::new() }),
            Some(text) => {
                serde_json::from_str(text).map_err(|_| Failure::invalid_input("the cursor is not of this stream"))
            }
        }
    }

    /// The departments of this page, at most `most`.
    pub(super) fn take(&mut self, most: usize) -> Vec<i64> {
        self.pending.split_off(self.pending.len().saturating_sub(most.min(BATCH)))
    }

    /// The member lists that go on with this page, at most `most`.
    pub(super) fn take_open(&mut self, most: usize) -> Vec<(i64, i64)> {
        let rest = self.open.split_off(self.open.len().min(most.min(BATCH)));
        std::mem::replace(&mut self.open, rest)
    }

    /// The members of a department go on there.
    pub(super) fn goes_on(&mut self, department: i64, cursor: i64) {
        self.open.push((department, cursor));
    }

    /// Departments found below those.
    pub(super) fn add(&mut self, found: impl IntoIterator<Item = i64>) -> Result<(), Failure> {
        self.pending.extend(found);
        if self.pending.len() > PENDING_MAX {
            return Err(Failure::upstream_changed(format!("more than {PENDING_MAX} departments wait to be read")));
        }
        Ok(())
    }

    /// The page with its cursor; the last one when the tree is done. A walk lists everything.
    pub(super) fn finish(&self, page: Page) -> Result<Page, Failure> {
        let page = page.everything();
        if self.pending.is_empty() && self.open.is_empty() {
            return Ok(page);
        }
        Ok(page.more(serde_json::to_string(self)?))
    }
}
