//! Cursors that count. Both lose records when the vendor's list grows or shrinks between two pages: take them for
//! lists in a fixed order only, and prefer a vendor's own cursor where it has one.

use serde::{Deserialize, Serialize};

use super::{resume, text_of};
use crate::http::{Request, Response};
use crate::{Failure, ListEnds, Page};

/// `?offset=200&limit=100`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Offset {
    /// Records before this page.
    pub offset: u64,
}

impl Offset {
    /// Where the cursor left off; the beginning if there is none.
    ///
    /// # Errors
    /// [`FailureKind::InvalidInput`](crate::FailureKind::InvalidInput) for a cursor that is not ours.
    pub fn resume(cursor: Option<&str>) -> Result<Self, Failure> {
        resume(cursor)
    }

    /// The page with its cursor: goes on after a full one, and is done, with the next run at the beginning, after a
    /// shorter one.
    #[must_use]
    pub fn finish(self, page: Page, items: usize, limit: usize) -> Page {
        let offset = self.offset.saturating_add(items as u64);
        if items >= limit { page.more(text_of(&Self { offset })) } else { page.done(text_of(&Self::default())) }
    }
}

/// `?page=3&per_page=100`, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageNumber {
    /// The page to ask for, from 1.
    pub page: u64,
}

impl Default for PageNumber {
    fn default() -> Self {
        Self { page: 1 }
    }
}

impl PageNumber {
    /// As [`Offset::resume`].
    ///
    /// # Errors
    /// As [`Offset::resume`].
    pub fn resume(cursor: Option<&str>) -> Result<Self, Failure> {
        resume(cursor)
    }

    /// Names the request for the next page while this one is still to be mapped, if the vendor says that there is one: `list` and
    /// `has_more` are the pointers to the list and to what says so.
    pub fn prefetch(self, answer: &Response, (list, has_more): (&str, &str), ask: impl FnOnce(u64) -> Request) {
        let goes_on = ListEnds::of(answer, list).and_then(|ends| ends.get::<Option<bool>>(has_more)).flatten();
        if goes_on == Some(true) {
            ask(self.page.saturating_add(1)).prefetch();
        }
    }

    /// The page with its cursor: goes on if the vendor says that there is more.
    #[must_use]
    pub fn finish(self, page: Page, has_more: bool) -> Page {
        if has_more {
            page.more(text_of(&Self { page: self.page.saturating_add(1) }))
        } else {
            page.done(text_of(&Self::default()))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_offset_goes_on_after_a_full_page_and_starts_anew_after_a_short_one() {
        let page = Offset::resume(None).unwrap().finish(Page::new(), 100, 100);
        assert!(page.has_more);
        let second = Offset::resume(page.next.as_deref()).unwrap();
        assert_eq!(second.offset, 100);
        let last = second.finish(Page::new(), 7, 100);
        assert!(!last.has_more);
        assert_eq!(Offset::resume(last.next.as_deref()).unwrap().offset, 0);
    }

    #[test]
    fn page_numbers_count_from_one() {
        let page = PageNumber::resume(None).unwrap();
        assert_eq!(page.page, 1);
        let next = page.finish(Page::new(), true);
        assert_eq!(PageNumber::resume(next.next.as_deref()).unwrap().page, 2);
    }

    #[test]
    fn a_cursor_at_the_end_of_all_numbers_does_not_overflow() {
        let cursor = format!("{{\"offset\":{}}}", u64::MAX);
        assert!(Offset::resume(Some(&cursor)).unwrap().finish(Page::new(), 100, 100).has_more);
        let cursor = format!("{{\"page\":{}}}", u64::MAX);
        assert!(PageNumber::resume(Some(&cursor)).unwrap().finish(Page::new(), true).has_more);
    }

    #[test]
    fn a_cursor_that_is_not_ours_is_refused_and_not_taken_for_the_beginning() {
        for cursor in ["", "7", r#"{"page":1}"#, r#"{"offset":-1}"#] {
            assert_eq!(Offset::resume(Some(cursor)).unwrap_err().kind, crate::FailureKind::InvalidInput, "{cursor}");
        }
    }
}
