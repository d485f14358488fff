//! What a page showed of the times of its records: are they in order, are they all one time, does one lie in the future?

use crate::Failure;

/// What one page showed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Shown {
    first: Option<(i64, String)>,
    /// The time of the record that was noted last.
    pub(super) last_ms: Option<i64>,
    /// Two times at least.
    pub(super) rises: bool,
    /// A record lies beyond the ceiling.
    pub(super) ahead: bool,
    count: usize,
    /// The first record, counted from 1, that changed before the one in front of it.
    disorder: Option<usize>,
}

impl Shown {
    /// Notes a record. A page with a bad item is read a second time from its beginning, and its first record says so.
    pub(super) fn note(&mut self, at_ms: i64, id: &str, ahead: bool) {
        let again = self.first.as_ref().is_some_and(|(first_ms, first)| *first_ms == at_ms && first == id);
        if again {
            (self.last_ms, self.count) = (None, 0);
        }
        self.first.get_or_insert_with(|| (at_ms, id.to_owned()));
        self.count += 1;
        if let Some(last_ms) = self.last_ms.filter(|last_ms| *last_ms != at_ms) {
            self.rises |= at_ms > last_ms;
            if at_ms < last_ms {
                self.disorder.get_or_insert(self.count);
            }
        }
        self.last_ms = Some(at_ms);
        self.ahead |= ahead;
    }

    /// Is the page in ascending order, and not behind the page before, where that one led here?
    ///
    /// # Errors
    /// `UpstreamChanged`, which names the place.
    pub(super) fn in_order(&self, after_ms: Option<i64>) -> Result<(), Failure> {
        let behind = after_ms.zip(self.first.as_ref()).is_some_and(|(after_ms, (first_ms, _))| *first_ms < after_ms);
        let place = match (self.disorder, behind) {
            (Some(number), _) => format!("record {number} of the page changed before the one in front of it"),
            (None, true) => "the page begins with a change from before the end of the page in front of it".to_owned(),
            (None, false) => return Ok(()),
        };
        Err(Failure::upstream_changed(format!(
            "the list is not in the order that the connector asks for, which is by time of change, oldest first: {place}. Nothing \
             of this page is taken in and the cursor stays where it was, so that no change is skipped. Ask the vendor for that \
             order, or have the connector read the list as one in no order (paging::Since::finish_unsorted)"
        )))
    }
}
