//! From when to when.

use super::{Instant, LocalDate};
use crate::check::Walk;
use crate::shape::shape;
use crate::text;

shape! {
    /// The days on which something holds, and when the source learnt of it.
    pub struct Validity {
        /// The first day.
        pub valid_from: LocalDate,
        /// The last day; none while it holds.
        pub valid_to: Option<LocalDate>,
        /// When the source wrote it down.
        pub recorded_at: Option<Instant>,
    }
    rules validity_rules
}

shape! {
    /// A period of days, both ends included.
    pub struct DateSpan {
        /// The first day.
        pub start: LocalDate,
        /// The last day.
        pub end: LocalDate,
    }
    rules span_rules
}

fn validity_rules(validity: &Validity, walk: &mut Walk<'_>) {
    rising("valid_to", validity.valid_from, validity.valid_to, walk);
}

fn span_rules(span: &DateSpan, walk: &mut Walk<'_>) {
    rising("end", span.start, Some(span.end), walk);
}

fn rising(field: &'static str, first: LocalDate, last: Option<LocalDate>, walk: &mut Walk<'_>) {
    if last.is_some_and(|last| last < first) {
        walk.defect_in(
            field,
            "bad_period",
            text!("a day before the first one; expected the same day or a later one", "早于开始日期；应为同一天或之后"),
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{DateSpan, LocalDate, Validity};
    use crate::check::Walk;

    #[test]
    fn a_period_that_ends_before_it_begins_is_a_defect() {
        let day = |text| LocalDate::parse(text).unwrap();
        let span = |start, end| Walk::over(&DateSpan::new(day(start), day(end))).len();
        assert_eq!((span("2025-01-01", "2025-01-01"), span("2025-01-02", "2025-01-01")), (0, 1));
        let validity = |to| Walk::over(&Validity { valid_to: to, ..Validity::new(day("2025-01-02")) }).len();
        assert_eq!((validity(None), validity(Some(day("2025-01-01")))), (0, 1));
    }
}
