//! When may what was not listed be called gone? Only after a listing that was complete, and of which nothing that it listed
//! is unknown to us.

use renmen_plugin_host::Coverage;
use renmen_store::{Brake, Sweep};

/// Follows the listing of one run on a stream whose deletes are found by diff.
pub(crate) struct Sweeping {
    active: bool,
    begun: bool,
    seen: u64,
    resumed: bool,
    /// A record without an id was listed: it could be any record, so none may be called gone in this run.
    unidentified: bool,
    brake: Brake,
}

/// What one page means for the listing.
pub(crate) struct Listed {
    /// Records that the page listed, good or refused.
    pub(crate) records: u64,
    /// One of them has no id.
    pub(crate) unidentified: bool,
    /// No part of the source is known to be missing from the listing.
    pub(crate) complete: bool,
    pub(crate) has_more: bool,
    pub(crate) coverage: Coverage,
}

impl Sweeping {
    /// `diff`: the stream's deletes are found so. `resumed`: the run goes on where one was cut; `under_way`: the cut one was
    /// sweeping and every page of the sweep is committed.
    pub(crate) fn new(diff: bool, resumed: bool, under_way: bool, brake: Brake) -> Self {
        Self { active: diff && (!resumed || under_way), begun: resumed, seen: 0, resumed, unidentified: false, brake }
    }

    /// What to commit the page with.
    pub(crate) fn page(&mut self, listed: &Listed) -> Option<Sweep> {
        if !self.active {
            return None;
        }
        self.unidentified |= listed.unidentified;
        self.seen += listed.records;
        let begins = !std::mem::replace(&mut self.begun, true);
        // A vendor that lists nothing at all has more often taken a right away than lost everybody.
        let empty = self.seen == 0 && !self.resumed;
        let partial = !listed.complete || self.unidentified;
        let ends = !listed.has_more && !partial && listed.coverage == Coverage::Everything && !empty;
        // What is partial is noted all the same: a sweep that is held must not delete what came again since.
        Some(Sweep { begins, ends, partial, brake: Some(self.brake) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BRAKE: Brake = Brake { records: 10, ratio: 0.2 };

    fn page(records: u64, has_more: bool) -> Listed {
        Listed { records, unidentified: false, complete: true, has_more, coverage: Coverage::Everything }
    }

    fn sweep(begins: bool, ends: bool) -> Option<Sweep> {
        Some(Sweep { begins, ends, partial: false, brake: Some(BRAKE) })
    }

    fn partial(begins: bool) -> Option<Sweep> {
        Some(Sweep { begins, ends: false, partial: true, brake: Some(BRAKE) })
    }

    #[test]
    fn a_complete_listing_begins_with_its_first_page_and_ends_with_its_last() {
        let mut sweeping = Sweeping::new(true, false, false, BRAKE);
        assert_eq!(sweeping.page(&page(2, true)), sweep(true, false));
        assert_eq!(sweeping.page(&page(2, true)), sweep(false, false));
        assert_eq!(sweeping.page(&page(0, false)), sweep(false, true));
    }

    #[test]
    fn a_run_that_read_only_changes_ends_nothing() {
        let mut sweeping = Sweeping::new(true, false, false, BRAKE);
        assert_eq!(sweeping.page(&Listed { coverage: Coverage::Changes, ..page(2, false) }), sweep(true, false));
    }

    #[test]
    fn a_cut_listing_goes_on_only_when_every_page_of_it_is_there() {
        assert_eq!(Sweeping::new(true, true, true, BRAKE).page(&page(0, false)), sweep(false, true));
        assert_eq!(Sweeping::new(true, true, false, BRAKE).page(&page(2, false)), None);
    }

    #[test]
    fn a_record_without_an_id_ends_the_hope_of_knowing_what_is_gone() {
        let mut sweeping = Sweeping::new(true, false, false, BRAKE);
        sweeping.page(&page(2, true));
        assert_eq!(sweeping.page(&Listed { unidentified: true, ..page(2, true) }), partial(false));
        assert_eq!(sweeping.page(&page(2, false)), partial(false));
    }

    #[test]
    fn a_listing_that_lacks_a_part_ends_nothing_and_notes_what_it_listed() {
        let mut sweeping = Sweeping::new(true, false, false, BRAKE);
        assert_eq!(sweeping.page(&Listed { complete: false, ..page(2, true) }), partial(true));
        assert_eq!(sweeping.page(&Listed { complete: false, ..page(2, false) }), partial(false));
    }

    #[test]
    fn a_listing_of_nothing_deletes_nobody() {
        assert_eq!(Sweeping::new(true, false, false, BRAKE).page(&page(0, false)), sweep(true, false));
    }

    #[test]
    fn other_streams_are_never_swept() {
        assert_eq!(Sweeping::new(false, false, false, BRAKE).page(&page(2, false)), None);
    }
}
