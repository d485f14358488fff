//! Is this run getting anywhere? Cursors that come round again, pages without end, pages without records.

use std::collections::HashSet;

use crate::IngestLimits;
use crate::failure::{FailureClass, RunFailure};

/// What to do with a page.
#[derive(Debug)]
pub(crate) enum PageVerdict {
    /// Commit it and go on (or end, when it is the last).
    Fine,
    /// Commit it, then end the run.
    Last(RunFailure),
    /// Do not commit it: its cursor cannot be kept. End the run.
    Refuse(RunFailure),
}

/// What a page said of where it goes on.
pub(crate) struct Step<'a> {
    pub(crate) next: Option<&'a str>,
    pub(crate) has_more: bool,
    pub(crate) empty: bool,
}

/// Watches one run.
pub(crate) struct Guard {
    used: HashSet<[u8; 16]>,
    repeats: u64,
    empty_in_row: u64,
    pages: u64,
    limits: IngestLimits,
}

impl Guard {
    pub(crate) fn new(limits: &IngestLimits) -> Self {
        Self { used: HashSet::new(), repeats: 0, empty_in_row: 0, pages: 0, limits: limits.clone() }
    }

    /// A page that was asked with `cursor` said this.
    pub(crate) fn judge(&mut self, cursor: Option<&str>, step: &Step<'_>) -> PageVerdict {
        self.pages += 1;
        self.used.insert(mark(cursor));
        if let Some(next) = step.next.filter(|next| next.len() > self.limits.cursor_bytes_max || next.contains('\0')) {
            return PageVerdict::Refuse(connector_failure(
                "bad_cursor",
                format!(
                    "page {} leaves a cursor of {} bytes; cursor_bytes_max allows {} and no NUL character",
                    self.pages,
                    next.len(),
                    self.limits.cursor_bytes_max
                ),
            ));
        }
        if !step.has_more {
            return PageVerdict::Fine;
        }
        if step.next.is_none() {
            return PageVerdict::Refuse(connector_failure(
                "bad_cursor",
                format!(
                    "page {} says that there is more but leaves no cursor to ask with; the connector must set `next`",
                    self.pages
                ),
            ));
        }
        self.repeats += u64::from(self.used.contains(&mark(step.next)));
        if self.repeats > self.limits.cursor_repeats_max {
            return PageVerdict::Last(connector_failure(
                "cursor_loop",
                format!(
                    "{} of {} pages led back to a cursor that this run had used before: the source goes round in circles. What was \
                 read is kept. Look at the connector's paging; to read the stream from its beginning, reset it",
                    self.repeats, self.pages
                ),
            ));
        }
        self.empty_in_row = if step.empty { self.empty_in_row + 1 } else { 0 };
        if self.empty_in_row > self.limits.empty_pages_max {
            return PageVerdict::Last(connector_failure(
                "empty_pages_max",
                format!(
                    "{} pages in a row had no record and promised more; empty_pages_max allows {}. The next run goes on from here",
                    self.empty_in_row, self.limits.empty_pages_max
                ),
            ));
        }
        if self.pages >= self.limits.pages_max {
            return PageVerdict::Last(connector_failure(
                "pages_max",
                format!(
                    "the run has read {} pages and more remain; `pages_max` does not allow more in one run. The next run continues from here",
                    self.pages
                ),
            ));
        }
        PageVerdict::Fine
    }
}

fn connector_failure(code: &str, message: String) -> RunFailure {
    RunFailure::new(code, FailureClass::Connector, message)
}

/// A cursor can be long and a run have very many.
fn mark(cursor: Option<&str>) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(&[u8::from(cursor.is_some())]);
    hasher.update(cursor.unwrap_or_default().as_bytes());
    let mut mark = [0; 16];
    mark.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    mark
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn step(next: Option<&str>) -> Step<'_> {
        Step { next, has_more: true, empty: false }
    }

    fn code(verdict: &PageVerdict) -> &str {
        match verdict {
            PageVerdict::Fine => "fine",
            PageVerdict::Last(failure) | PageVerdict::Refuse(failure) => &failure.code,
        }
    }

    #[test]
    fn a_cursor_that_stands_still_is_found_within_three_repeats_and_what_was_read_is_kept() {
        // F08
        let mut guard = Guard::new(&IngestLimits::default());
        assert_eq!(code(&guard.judge(None, &step(Some("a")))), "fine");
        assert_eq!(code(&guard.judge(Some("a"), &step(Some("a")))), "fine");
        assert_eq!(code(&guard.judge(Some("a"), &step(Some("a")))), "fine");
        assert!(
            matches!(guard.judge(Some("a"), &step(Some("a"))), PageVerdict::Last(failure) if failure.code == "cursor_loop")
        );
    }

    #[test]
    fn a_longer_circle_is_found_as_well_and_a_last_page_may_repeat_its_cursor() {
        let mut guard = Guard::new(&IngestLimits::default());
        guard.judge(Some("a"), &step(Some("b")));
        guard.judge(Some("b"), &step(Some("c")));
        assert_eq!(code(&guard.judge(Some("c"), &step(Some("a")))), "fine");
        let done = Step { next: Some("c"), has_more: false, empty: true };
        assert_eq!(code(&guard.judge(Some("c"), &done)), "fine");
        assert_eq!(code(&guard.judge(Some("a"), &step(Some("b")))), "fine");
        assert_eq!(code(&guard.judge(Some("b"), &step(Some("c")))), "cursor_loop");
    }

    #[test]
    fn a_page_that_cannot_be_gone_on_from_is_not_committed() {
        let mut guard = Guard::new(&IngestLimits { cursor_bytes_max: 4, ..IngestLimits::default() });
        assert!(matches!(guard.judge(None, &step(None)), PageVerdict::Refuse(_)));
        assert!(matches!(guard.judge(None, &step(Some("12345"))), PageVerdict::Refuse(_)));
        assert!(matches!(guard.judge(None, &step(Some("1\0"))), PageVerdict::Refuse(_)));
        assert!(matches!(guard.judge(None, &step(Some("1234"))), PageVerdict::Fine));
    }

    #[test]
    fn empty_pages_are_fine_up_to_their_number_and_a_record_begins_the_count_again() {
        let limits = IngestLimits { empty_pages_max: 2, ..IngestLimits::default() };
        let mut guard = Guard::new(&limits);
        let mut verdicts = Vec::new();
        for (at, empty) in [true, true, false, true, true, true].into_iter().enumerate() {
            let (cursor, next) = (at.to_string(), (at + 1).to_string());
            let step = Step { next: Some(&next), has_more: true, empty };
            verdicts.push(code(&guard.judge(Some(&cursor), &step)).to_owned());
        }
        assert_eq!(verdicts, ["fine", "fine", "fine", "fine", "fine", "empty_pages_max"]);
    }

    #[test]
    fn a_run_that_never_ends_is_cut() {
        let mut guard = Guard::new(&IngestLimits { pages_max: 2, ..IngestLimits::default() });
        assert_eq!(code(&guard.judge(None, &step(Some("1")))), "fine");
        assert_eq!(code(&guard.judge(Some("1"), &step(Some("2")))), "pages_max");
    }
}
