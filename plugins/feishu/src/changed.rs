//! "What changed since?", for lists whose order is not ours to choose.
//!
//! Hire lists talents newest first and says nothing of the order of the others. A record that changes while a run goes through
//! such a list may move to where the run has been already, and one may show up later than its own time says. So the next run
//! asks from an overlap before the newest time that this one saw, and from no later than an overlap before this one began: a time
//! in the future moves nothing. Unchanged records cost the gateway nothing.

use renmen_plugin::{Failure, Page, clock, locate, warn};
use serde::{Deserialize, Serialize};

/// Clocks differ, and the vendor shows changes late. Milliseconds.
const OVERLAP_MS: i64 = 5 * 60_000;
/// A time further ahead of the gateway's clock than this is not believed. Milliseconds.
const SKEW_MS: i64 = 15 * 60_000;

/// The cursor.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Changed {
    /// This run asks from here, inclusive. Milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    from_ms: Option<i64>,
    /// The vendor's page token, while a run is under way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    page: Option<String>,
    /// The newest time that this run saw.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest_ms: Option<i64>,
    /// When this run began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    began_ms: Option<i64>,
}

impl Changed {
    /// Where the cursor left off; the beginning if there is none.
    ///
    /// # Errors
    /// `InvalidInput` for a cursor that is not ours.
    pub(crate) fn resume(cursor: Option<&str>) -> Result<Self, Failure> {
        let mut cursor: Self = match cursor {
            None => Self::default(),
            Some(text) => locate::parse(text.as_bytes())
                .map_err(|fault| Failure::invalid_input(format!("the cursor is not of this stream: {fault}")))?,
        };
        let now_ms = clock::now_ms();
        if cursor.from_ms.is_some_and(|from_ms| from_ms > now_ms.saturating_add(SKEW_MS)) {
            warn!(
                "the cursor lies ahead of the gateway's clock: changes before that time would never be requested. The list is \
                 read from its beginning. Check the gateway's clock"
            );
            cursor = Self::default();
        }
        if cursor.page.is_none() {
            cursor.began_ms = Some(now_ms);
        }
        Ok(cursor)
    }

    /// The time to ask from, inclusive, in milliseconds; `None` asks for everything.
    pub(crate) fn since_ms(&self) -> Option<i64> {
        self.from_ms
    }

    /// The vendor's page token.
    pub(crate) fn page(&self) -> Option<&str> {
        self.page.as_deref()
    }

    /// Notes when a record of the page was changed. A time that lies in the future moves nothing.
    pub(crate) fn saw(&mut self, changed_ms: Option<i64>) {
        let ceiling_ms = clock::now_ms().saturating_add(SKEW_MS);
        self.newest_ms = self.newest_ms.max(changed_ms.filter(|changed_ms| *changed_ms <= ceiling_ms));
    }

    /// The page with its cursor; without a further page token the run is done.
    pub(crate) fn finish(mut self, page: Page, next: Option<String>) -> Result<Page, Failure> {
        if next.is_some() {
            self.page = next;
            return Ok(page.more(serde_json::to_string(&self)?));
        }
        let now_ms = clock::now_ms();
        // The vendor's clock at the begin of this run: no later than ours then, nor than the newest time less what the run took.
        let safe = self.newest_ms.zip(self.began_ms).map(|(newest, began)| {
            newest.saturating_sub((now_ms - began).max(0)).min(began).saturating_sub(OVERLAP_MS).max(0)
        });
        // The run before this one has seen everything before the time that this run asked from.
        let done = Self { from_ms: self.from_ms.max(safe), ..Self::default() };
        Ok(page.done(serde_json::to_string(&done)?))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use renmen_plugin::testing::{Host, NOW_MS};

    fn finished(cursor: Option<&str>, now_ms: i64, seen_ms: &[i64], next: Option<&str>) -> Page {
        Host::new().at_ms(now_ms).run(|| {
            let mut changed = Changed::resume(cursor).unwrap();
            for &ms in seen_ms {
                changed.saw(Some(ms));
            }
            changed.finish(Page::new(), next.map(str::to_owned)).unwrap()
        })
    }

    fn from_ms(page: &Page) -> Option<i64> {
        Changed::resume(page.next.as_deref()).unwrap().since_ms()
    }

    #[test]
    fn the_next_run_asks_from_an_overlap_before_the_newest_time() {
        let old = NOW_MS - 86_400_000;
        assert_eq!(from_ms(&finished(None, NOW_MS, &[5, old, 7], None)), Some(old - OVERLAP_MS));
        let fresh = finished(None, NOW_MS, &[NOW_MS], None);
        assert_eq!(from_ms(&fresh), Some(NOW_MS - OVERLAP_MS), "what changed while the run went is asked for again");
    }

    #[test]
    fn a_run_of_several_pages_counts_from_when_its_first_page_began() {
        let first = finished(None, NOW_MS, &[NOW_MS - 1], Some("token"));
        assert!(first.has_more);
        let later = NOW_MS + 3_600_000;
        let last = finished(first.next.as_deref(), later, &[later], None);
        assert_eq!(from_ms(&last), Some(NOW_MS - OVERLAP_MS));
    }

    #[test]
    fn a_run_that_saw_nothing_leaves_the_time_where_it_was_and_none_moves_it_back() {
        let old = NOW_MS - 86_400_000;
        let first = finished(None, NOW_MS, &[old], None);
        let empty = finished(first.next.as_deref(), NOW_MS, &[], None);
        assert_eq!(from_ms(&empty), Some(old - OVERLAP_MS));
        let again = finished(empty.next.as_deref(), NOW_MS, &[old], None);
        assert_eq!(from_ms(&again), Some(old - OVERLAP_MS));
        let back = finished(again.next.as_deref(), NOW_MS, &[3], None);
        assert_eq!(from_ms(&back), Some(old - OVERLAP_MS));
    }

    #[test]
    fn a_time_in_the_future_moves_no_cursor_past_now_and_a_cursor_that_lies_there_is_given_up() {
        const IN_2062_MS: i64 = 2_914_000_000_000;
        let first = finished(None, NOW_MS, &[NOW_MS - 1, IN_2062_MS], None);
        assert_eq!(from_ms(&first), Some(NOW_MS - 1 - OVERLAP_MS));
        assert_eq!(from_ms(&finished(None, NOW_MS, &[IN_2062_MS], None)), None);
        let ahead = format!("{{\"from_ms\":{IN_2062_MS}}}");
        let resumed = |now_ms| Host::new().at_ms(now_ms).run(|| Changed::resume(Some(&ahead)).unwrap().since_ms());
        assert_eq!((resumed(NOW_MS), resumed(IN_2062_MS)), (None, Some(IN_2062_MS)));
    }

    #[test]
    fn a_cursor_of_somebody_else_is_refused() {
        let failure = Host::new().run(|| Changed::resume(Some(r#"{"offset":3}"#))).unwrap_err();
        assert_eq!(failure.kind, renmen_plugin::FailureKind::InvalidInput);
    }
}
