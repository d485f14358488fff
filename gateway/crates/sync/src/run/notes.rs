//! What a run reports besides its records: findings of the connector, what rules left out, and what the gateway itself
//! found in the listing. Bounded, and what is over the bound is counted.

use renmen_schema::Remedy;
use renmen_schema::id::RunId;
use renmen_store::{CommitOutcome, PageNotes, RunFinding, RunOmission};

use crate::IngestLimits;
use crate::normalize::Payslips;

/// What one page told, as the connector gave it.
pub(super) struct Told {
    pub(super) findings: Vec<RunFinding>,
    pub(super) omissions: Vec<RunOmission>,
    pub(super) total: Option<u64>,
}

/// Follows one run.
pub(super) struct Notes {
    run: RunId,
    max: usize,
    kept: Vec<RunFinding>,
    over: u64,
    omissions: usize,
    listed: u64,
    /// Records that declared rules left out.
    pub(super) omitted: u64,
    /// The newest total that the vendor stated.
    pub(super) total: Option<u64>,
    missing: bool,
    held: u64,
    /// Payslips that came in although they do not add up.
    differing: u64,
}

impl Notes {
    pub(super) fn new(run: RunId, limits: &IngestLimits) -> Self {
        Self {
            run,
            max: limits.findings_max,
            kept: Vec::new(),
            over: 0,
            omissions: 0,
            listed: 0,
            omitted: 0,
            total: None,
            missing: false,
            held: 0,
            differing: 0,
        }
    }

    /// Takes a page's notes in; gives what of them is kept with it. `records` is how many the page listed.
    pub(super) fn page(&mut self, told: Told, records: u64) -> PageNotes {
        self.listed += records;
        self.total = told.total.or(self.total);
        self.missing |= told.findings.iter().any(|finding| finding.missing);
        self.omitted += told.omissions.iter().map(|omission| omission.count).sum::<u64>();
        let room = self.max.saturating_sub(self.kept.len());
        self.over += told.findings.len().saturating_sub(room) as u64;
        let findings: Vec<_> = told.findings.into_iter().take(room).collect();
        self.kept.extend(findings.iter().cloned());
        let room = self.max.saturating_sub(self.omissions);
        self.omissions += told.omissions.len();
        let omissions = fold(told.omissions, room);
        PageNotes { findings, omissions, total: told.total }
    }

    /// May what was not listed be called gone? Not while a part of the source was not read, nor when the listing, `at_end`,
    /// is shorter than the vendor says. `whole`: this run read it from its beginning.
    pub(super) fn is_complete(&self, at_end: bool, whole: bool) -> bool {
        !self.missing && (!at_end || self.short(whole).is_none())
    }

    fn short(&self, whole: bool) -> Option<(u64, u64)> {
        let listed = self.listed + self.omitted;
        self.total.filter(|total| whole && listed < *total).map(|total| (listed, total))
    }

    /// What a commit did that must be told, and how its payslips add up.
    pub(super) fn committed(&mut self, outcome: &CommitOutcome, payslips: Payslips) {
        self.held += outcome.held;
        self.differing += payslips.accepted;
    }

    /// How many findings there are so far.
    pub(super) fn len(&self) -> u64 {
        self.kept.len() as u64 + self.over
    }

    /// What is found at the end of a run that came to its last page. `whole` as for [`Notes::is_complete`].
    pub(super) fn end(&self, whole: bool) -> Vec<RunFinding> {
        let mut found = Vec::new();
        if let Some((listed, total)) = self.short(whole) {
            found.push(own("short_listing", Remedy::Vendor, true, format!(
                "The vendor says that the listing holds {total} records, and {listed} were listed. Nothing that was not listed was \
                 deleted. If this stays, the connector's paging or the account's rights do not reach all of them"
            )));
        }
        if self.held > 0 {
            found.push(own("sweep_held", Remedy::Operator, false, format!(
                "{} records are no longer listed, which is more than deletes_ratio_max and deletes_records_max let go by \
                 themselves: none was deleted. Look at them with `renmen sweep show {run}`. If they are gone, release them with \
                 `renmen sweep approve {run}`; if not, correct the source: the next whole listing takes this one's place",
                self.held, run = self.run
            )));
        }
        if self.differing > 0 {
            found.push(own(
                "payslip_difference",
                Remedy::Source,
                false,
                format!(
                    "{} payslips came in that do not add up: gross less their lines of kind DEDUCTION and TAX is not net. Correct \
                     them or the mapping of their lines; with a section `payslips` (tolerance = \"0.01\") such payslips of the \
                     connection wait in quarantine",
                    self.differing
                ),
            ));
        }
        if self.over > 0 {
            found.push(own(
                "findings_max",
                Remedy::Connector,
                false,
                format!("{} more findings were not kept: findings_max allows {} a run", self.over, self.max),
            ));
        }
        found
    }

    /// Everything that was kept of the connector's findings.
    pub(super) fn into_kept(self) -> Vec<RunFinding> {
        self.kept
    }
}

/// As many omissions as there is room for, and one that stands for the rest, so that their sum stays right.
fn fold(mut omissions: Vec<RunOmission>, room: usize) -> Vec<RunOmission> {
    let rest: u64 = omissions.drain(room.min(omissions.len())..).map(|omission| omission.count).sum();
    let rest = (rest > 0).then(|| RunOmission {
        part: String::new(),
        rule: "findings_max".to_owned(),
        count: rest,
        places: Vec::new(),
    });
    omissions.into_iter().chain(rest).collect()
}

fn own(code: &str, needs: Remedy, missing: bool, message: String) -> RunFinding {
    RunFinding { part: String::new(), code: code.to_owned(), message, needs, missing }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn notes(max: usize) -> Notes {
        Notes::new(RunId(7), &IngestLimits { findings_max: max, ..IngestLimits::default() })
    }

    fn told(findings: usize, missing: bool, total: Option<u64>) -> Told {
        let finding = RunFinding {
            part: "2025-03.xlsx".to_owned(),
            code: "unreadable_file".to_owned(),
            message: "it is not a workbook".to_owned(),
            needs: Remedy::Source,
            missing,
        };
        Told { findings: vec![finding; findings], omissions: Vec::new(), total }
    }

    fn codes(notes: &Notes, whole: bool) -> Vec<String> {
        notes.end(whole).into_iter().map(|finding| finding.code).collect()
    }

    #[test]
    fn a_part_that_was_not_read_leaves_the_listing_incomplete_and_a_notice_does_not() {
        let mut run = notes(10);
        run.page(told(1, false, None), 5);
        assert!(run.is_complete(true, true));
        run.page(told(1, true, None), 5);
        assert!(!run.is_complete(true, true));
        run.page(told(0, false, None), 5);
        assert!(!run.is_complete(true, true), "for the rest of the run");
    }

    #[test]
    fn a_listing_that_is_shorter_than_the_vendor_says_is_told_and_not_swept() {
        let mut run = notes(10);
        run.page(told(0, false, Some(8)), 5);
        let omission =
            |count| RunOmission { part: String::new(), rule: "total_rows".to_owned(), count, places: Vec::new() };
        run.page(Told { omissions: vec![omission(2)], ..told(0, false, None) }, 0);
        assert!(!run.is_complete(true, true));
        assert_eq!(codes(&run, true), ["short_listing"]);
        assert!(
            run.is_complete(true, false) && codes(&run, false).is_empty(),
            "a run that was cut before knows no whole"
        );
        run.page(told(0, false, None), 1);
        assert!(run.is_complete(true, true) && codes(&run, true).is_empty(), "5 and 1 listed, 2 left out");
    }

    #[test]
    fn findings_over_their_number_are_counted_and_omissions_keep_their_sum() {
        let mut run = notes(3);
        assert_eq!(run.page(told(2, false, None), 0).findings.len(), 2);
        assert_eq!(run.page(told(4, false, None), 0).findings.len(), 1);
        assert_eq!((run.len(), codes(&run, true)), (6, vec!["findings_max".to_owned()]));
        let omission =
            |count| RunOmission { part: String::new(), rule: "total_rows".to_owned(), count, places: Vec::new() };
        let kept = run.page(Told { omissions: (1..=5).map(omission).collect(), ..told(0, false, None) }, 0).omissions;
        assert_eq!(kept.len(), 4);
        assert_eq!(kept.iter().map(|omission| omission.count).sum::<u64>(), 15);
    }
}
