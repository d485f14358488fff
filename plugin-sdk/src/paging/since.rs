//! "What changed since?", asked so that nothing is lost.
//!
//! Two traps. Several records may carry the same time, so a page may end in the middle of a second; and a record may
//! change again in the second that was just read. Both are met by asking again from the newest time seen, *that time
//! included*: an unchanged record costs the gateway nothing.
//!
//! A list sorted by time is read by moving the time forward after each page, not by the vendor's page cursor: such a
//! cursor is often an offset, and a record that changes meanwhile moves to the end and shifts all others by one. The
//! vendor's cursor is used only to get past a page that is all of one time.

use serde::{Deserialize, Serialize};

use super::{resume, text_of};
use crate::{Failure, Page, clock};

/// Ids remembered for the newest time; with more ties than this they are read again instead.
const TIES_MAX: usize = 64;

/// A time is over, so that nothing can still be added to it, this long after it: clocks differ. Milliseconds.
const SETTLED_MS: i64 = 60_000;

/// The cursor of a modified-since read. Times are kept in the vendor's own words, to be sent back as they came.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Since {
    /// The newest time that was read; the next request asks from here, inclusive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from: Option<Mark>,
    /// The vendor's cursor within one time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The newest time read so far, where the list is in no order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Mark>,
}

/// A time with the records that were read at it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// The vendor's words.
    text: String,
    /// Milliseconds since 1970-01-01T00:00Z.
    at_ms: i64,
    /// The ids read at this time, while the run goes on and if that time was over when it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ids: Vec<String>,
}

impl Since {
    /// Where the cursor left off; the beginning if there is none.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`](crate::FailureKind::InvalidInput) for a cursor that is not ours.
    pub fn resume(cursor: Option<&str>) -> Result<Self, Failure> {
        resume(cursor)
    }

    /// The time to ask from, inclusive, in the vendor's words; `None` asks for everything.
    #[must_use]
    pub fn from(&self) -> Option<&str> {
        self.from.as_ref().map(|mark| mark.text.as_str())
    }

    /// The time to ask from in milliseconds, moved back by an overlap for vendors that show changes late.
    #[must_use]
    pub fn from_ms(&self, overlap_ms: i64) -> Option<i64> {
        self.from.as_ref().map(|mark| mark.at_ms.saturating_sub(overlap_ms))
    }

    /// The vendor's cursor, while a page of a single time is gone past.
    #[must_use]
    pub fn page(&self) -> Option<&str> {
        self.page.as_deref()
    }

    /// Notes a record of the page. False: the page before brought it already, and it cannot have changed since.
    pub fn is_new(&mut self, text: &str, at_ms: i64, id: &str) -> bool {
        match &mut self.newest {
            Some(mark) if mark.at_ms > at_ms => {}
            Some(mark) if mark.at_ms == at_ms => mark.add(id),
            newest => *newest = Some(Mark { text: text.to_owned(), at_ms, ids: vec![id.to_owned()] }),
        }
        !self.from.as_ref().is_some_and(|from| from.at_ms == at_ms && from.ids.iter().any(|known| known == id))
    }

    /// The page of a list sorted by time, with its cursor. `vendor_next` is the vendor's cursor; without one the run is
    /// done.
    #[must_use]
    pub fn finish(self, page: Page, vendor_next: Option<String>) -> Page {
        let Self { from, newest, .. } = self;
        let moved = newest.as_ref().map(|mark| mark.at_ms) > from.as_ref().map(|mark| mark.at_ms);
        let Some(vendor_next) = vendor_next else {
            // The next run reads the newest time again, whole.
            let newest = if moved { newest } else { from };
            let from = newest.map(|mark| Mark { ids: Vec::new(), ..mark });
            return page.done(text_of(&Self { from, page: None, newest: None }));
        };
        let next = if moved {
            Self { from: newest.map(Mark::while_running), page: None, newest: None }
        } else {
            Self { from, page: Some(vendor_next), newest: None }
        };
        page.more(text_of(&next))
    }

    /// As [`Since::finish`] for a list in no order: the vendor's cursor leads through the run, and only its end moves the
    /// time forward.
    #[must_use]
    pub fn finish_unsorted(self, page: Page, vendor_next: Option<String>) -> Page {
        let without_ids = |mark: Mark| Mark { ids: Vec::new(), ..mark };
        let Self { from, newest, .. } = self;
        match vendor_next {
            Some(vendor_next) => {
                let newest = newest.map(without_ids);
                page.more(text_of(&Self { from, page: Some(vendor_next), newest }))
            }
            None => {
                let later = newest.into_iter().chain(from).max_by_key(|mark| mark.at_ms).map(without_ids);
                page.done(text_of(&Self { from: later, page: None, newest: None }))
            }
        }
    }
}

impl Mark {
    fn add(&mut self, id: &str) {
        // One more than can be kept is noted, to know that there were too many.
        if self.ids.len() <= TIES_MAX && !self.ids.iter().any(|known| known == id) {
            self.ids.push(id.to_owned());
        }
    }

    /// Ids may be skipped in the next page only if all of them are known and none of them could change meanwhile.
    fn while_running(mut self) -> Self {
        if self.ids.len() > TIES_MAX || self.at_ms.saturating_add(SETTLED_MS) > clock::now_ms() {
            self.ids.clear();
        }
        self
    }
}
