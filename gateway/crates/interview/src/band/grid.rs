//! The amounts that answers can tell apart: those with at most so many significant digits. 8,000 and 8,100 are
//! neighbours to two digits, and so are 10,000 and 11,000.
//!
//! Both ends of a band are moved inwards to the grid, once and independent of what is asked; an amount is then compared
//! as it is. So an amount of the grid is always answered exactly, every amount between two neighbours has the same
//! answer, and no number of questions tells more of an end than the pair of neighbours that it lies between.

use renmen_schema::types::{Currency, Decimal, Money, PayInterval, PayRange};
use rust_decimal::Decimal as Number;
use rust_decimal::prelude::{RoundingStrategy, ToPrimitive};

/// A band's ends on the grid; `None` for an open end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Span {
    from: Option<Number>,
    to: Option<Number>,
}

/// What amounts have in common that are answered alike: a point of the grid, or the space behind it up to the next; with the unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Cell {
    point: Number,
    behind: bool,
    currency: Currency,
    per: PayInterval,
}

impl Span {
    pub(super) fn of(range: &PayRange, digits: u32) -> Self {
        let (from, to) = (range.min.map(|min| above(min, digits)), range.max.map(|max| below(max, digits)));
        Self { from, to }
    }

    /// From the lower of the lower ends to the higher of the higher ones.
    pub(super) fn with(self, other: Self) -> Self {
        let both = |ends: (Option<Number>, Option<Number>)| ends.0.zip(ends.1);
        Self {
            from: both((self.from, other.from)).map(|(a, b)| a.min(b)),
            to: both((self.to, other.to)).map(|(a, b)| a.max(b)),
        }
    }

    /// No amount of the grid lies within.
    pub(super) fn is_empty(self) -> bool {
        self.from.zip(self.to).is_some_and(|(from, to)| from > to)
    }

    pub(super) fn holds(self, amount: Decimal) -> bool {
        let amount = amount.value();
        self.from.is_none_or(|from| amount >= from) && self.to.is_none_or(|to| amount <= to)
    }
}

impl Cell {
    pub(super) fn of(money: &Money, per: PayInterval, digits: u32) -> Self {
        let point = below(money.amount, digits);
        Self { point, behind: money.amount.value() != point, currency: money.currency, per }
    }
}

/// The greatest amount of the grid that is not above this one.
fn below(amount: Decimal, digits: u32) -> Number {
    to_grid(amount.value(), digits, RoundingStrategy::ToZero)
}

/// The least amount of the grid that is not below this one.
fn above(amount: Decimal, digits: u32) -> Number {
    to_grid(amount.value(), digits, RoundingStrategy::AwayFromZero)
}

fn to_grid(value: Number, digits: u32, strategy: RoundingStrategy) -> Number {
    let whole = value.trunc().abs().to_u64().unwrap_or(u64::MAX);
    let has = whole.checked_ilog10().map_or(0, |log| log + 1);
    let rounded = if has <= digits {
        value.round_dp_with_strategy(digits - has, strategy)
    } else {
        let unit = Number::from(10_u64.pow(has - digits));
        (value / unit).round_dp_with_strategy(0, strategy) * unit
    };
    rounded.normalize()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn amount(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    fn span(min: &str, max: &str, digits: u32) -> Span {
        Span::of(&PayRange::between(min, max, "CNY", PayInterval::Month).unwrap(), digits)
    }

    #[test]
    fn ends_move_inwards_to_so_many_significant_digits() {
        let said = |text, digits| (below(amount(text), digits).to_string(), above(amount(text), digits).to_string());
        let pair = |low: &str, high: &str| (low.to_owned(), high.to_owned());
        assert_eq!(said("9567", 2), pair("9500", "9600"));
        assert_eq!(said("10049.99", 3), pair("10000", "10100"));
        assert_eq!(said("9950", 2), pair("9900", "10000"));
        assert_eq!(said("13000", 2), pair("13000", "13000"));
        assert_eq!(said("85.55", 3), pair("85.5", "85.6"));
        assert_eq!(said("0.456", 2), pair("0.45", "0.46"));
        assert_eq!(said("0", 2), pair("0", "0"));
        assert_eq!(said("999999999999999", 3), pair("999000000000000", "1000000000000000"));
    }

    #[test]
    fn amounts_of_one_cell_are_one_question() {
        let cell = |text: &str| Cell::of(&Money::new(text, "CNY").unwrap(), PayInterval::Month, 2);
        assert_eq!(cell("10000"), cell("10000.00"));
        assert_eq!(cell("10000.01"), cell("10999.99"));
        assert_ne!(cell("10000"), cell("10000.01"));
        assert_ne!(cell("10000.01"), cell("11000"));
        assert_ne!(cell("9500"), Cell::of(&Money::new("9500", "USD").unwrap(), PayInterval::Month, 2));
        assert_ne!(cell("9500"), Cell::of(&Money::new("9500", "CNY").unwrap(), PayInterval::Year, 2));
    }

    /// Every pair of a band and an amount with few digits, and amounts around each of them.
    #[test]
    fn an_amount_of_the_grid_is_answered_exactly_and_a_cell_has_one_answer() {
        let points: Vec<u32> = (80..100).map(|n| n * 100).chain((10..20).map(|n| n * 1_000)).collect();
        for (min, max) in [(8_000, 10_000), (8_015, 10_030), (8_100, 12_500), (9_999, 10_001), (8_001, 17_999)] {
            let band = span(&min.to_string(), &max.to_string(), 2);
            for pair in points.windows(2) {
                let (point, next) = (pair[0], pair[1]);
                assert_eq!(band.holds(amount(&point.to_string())), min <= point && point <= max, "{min} {max} {point}");
                let within = [format!("{point}.01"), format!("{}", point + 1), format!("{}.99", next - 1)];
                let said: Vec<bool> = within.iter().map(|text| band.holds(amount(text))).collect();
                assert!(said.iter().all(|one| *one == said[0]), "{min} {max} {point}");
                assert!(!said[0] || (min <= point && next <= max), "`in` is never said of what is outside");
            }
        }
    }

    #[test]
    fn a_band_between_two_neighbours_holds_nothing_and_says_so() {
        assert!(span("12100", "12400", 2).is_empty());
        assert!(!span("12100", "12400", 3).is_empty());
        assert!(!span("12000", "12400", 2).is_empty());
    }

    #[test]
    fn two_spans_reach_from_the_lowest_to_the_highest_and_an_open_end_stays_open() {
        let both = span("8000", "10000", 2).with(span("12000", "15000", 2));
        assert_eq!(both, span("8000", "15000", 2));
        let open = Span { to: None, ..span("8000", "10000", 2) };
        assert!(open.with(both).holds(amount("99999")));
        assert!(!open.with(both).holds(amount("7999")));
    }
}
