//! Is this page still worth committing? One bad record is the record's fault; most of a page is the connector's or the
//! vendor's, and then the cursor must not move past it.

use std::collections::BTreeMap;

use renmen_store::QuarantineWrite;

use crate::IngestLimits;
use crate::failure::{FailureClass, RunFailure};
use crate::normalize::NOT_GRANTED;

/// Counts one run.
pub(super) struct Ratio {
    seen: u64,
    refused: u64,
    max: f64,
    min: u64,
}

impl Ratio {
    pub(super) fn new(limits: &IngestLimits) -> Self {
        Self { seen: 0, refused: 0, max: limits.quarantine_ratio_max, min: limits.quarantine_records_min.max(1) }
    }

    /// Judges a page before it is committed, alone and together with those before it.
    pub(super) fn page(&mut self, number: u64, records: u64, quarantine: &[QuarantineWrite]) -> Option<RunFailure> {
        // What the operator did not grant is refused as it should be: it says nothing of the connector or the vendor.
        let not_granted = quarantine.iter().filter(|item| item.code == NOT_GRANTED).count() as u64;
        let refused = quarantine.len() as u64 - not_granted;
        let records = records.saturating_sub(not_granted);
        let (seen, all) = (self.seen + records, self.refused + refused);
        if self.over(records, refused) || self.over(seen, all) {
            return Some(too_many(number, records, refused, self.max, quarantine));
        }
        (self.seen, self.refused) = (seen, all);
        None
    }

    #[allow(clippy::cast_precision_loss)]
    fn over(&self, seen: u64, refused: u64) -> bool {
        seen >= self.min && refused as f64 > self.max * seen as f64
    }
}

fn too_many(number: u64, records: u64, refused: u64, max: f64, quarantine: &[QuarantineWrite]) -> RunFailure {
    let mut by_code = BTreeMap::<&str, (u64, &str)>::new();
    for item in quarantine {
        by_code.entry(&item.code).or_insert((0, item.reason.english())).0 += 1;
    }
    let (code, (count, reason)) = by_code.into_iter().max_by_key(|(_, (count, _))| *count).unwrap_or(("none", (0, "")));
    RunFailure::new(
        "quarantine_ratio_max",
        FailureClass::Connector,
        format!(
            "{refused} of the {records} records of page {} were refused, quarantine_ratio_max allows a share of {max}. The page was \
             not committed and the cursor stays, so nothing is lost. Most often ({count}): `{code}`, {reason}. Correct the \
             connector's mapping or raise quarantine_ratio_max",
            number + 1
        ),
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn refused(count: usize) -> Vec<QuarantineWrite> {
        let item = QuarantineWrite {
            entity: "employee".to_owned(),
            external_id: None,
            exchange_no: 0,
            pointer: String::new(),
            code: "schema".to_owned(),
            reason: renmen_schema::Text::verbatim("/hire_date: expected a date"),
            raw: Vec::new(),
        };
        vec![item; count]
    }

    #[test]
    fn half_of_a_page_may_be_bad_and_one_more_may_not() {
        assert!(Ratio::new(&IngestLimits::default()).page(0, 20, &refused(10)).is_none());
        let failure = Ratio::new(&IngestLimits::default()).page(0, 20, &refused(11)).unwrap();
        assert_eq!(failure.code, "quarantine_ratio_max");
        assert!(failure.message.contains("11 of the 20 records of page 1") && failure.message.contains("/hire_date"));
    }

    #[test]
    fn what_is_not_granted_does_not_count_for_or_against_a_page() {
        let mut not_granted = refused(300);
        not_granted.iter_mut().for_each(|item| item.code = NOT_GRANTED.to_owned());
        let page = |bad: usize| [not_granted.clone(), refused(bad)].concat();
        assert!(Ratio::new(&IngestLimits::default()).page(0, 320, &page(10)).is_none());
        assert!(Ratio::new(&IngestLimits::default()).page(0, 320, &page(11)).is_some(), "nor does it hide what is bad");
    }

    #[test]
    fn few_records_are_not_judged_until_their_pages_add_up() {
        let mut ratio = Ratio::new(&IngestLimits::default());
        assert!(ratio.page(0, 10, &refused(10)).is_none());
        assert!(ratio.page(1, 10, &refused(10)).is_some());
    }

    #[test]
    fn a_long_good_run_does_not_hide_a_bad_page() {
        let mut ratio = Ratio::new(&IngestLimits::default());
        assert!(ratio.page(0, 1_000_000, &refused(0)).is_none());
        assert!(ratio.page(1, 100, &refused(60)).is_some());
    }
}
