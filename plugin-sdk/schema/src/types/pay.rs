//! Pay: an amount for a time, and a range of amounts. Neither exists without its unit.

use super::{Currency, Decimal, Money};
use crate::check::{BadValue, Walk};
use crate::shape::{codes, shape};
use crate::text;

codes! {
    /// The time that a rate is for. `OTHER` needs the source's text in `per_raw`.
    pub closed enum PayInterval {
        Hour "HOUR",
        Day "DAY",
        Week "WEEK",
        TwoWeeks "TWO_WEEKS",
        HalfMonth "HALF_MONTH",
        FourWeeks "FOUR_WEEKS",
        Month "MONTH",
        TwoMonths "TWO_MONTHS",
        Quarter "QUARTER",
        HalfYear "HALF_YEAR",
        Year "YEAR",
        Once "ONCE",
        Piece "PIECE",
        Other "OTHER",
    }
}

codes! {
    /// What an amount of pay includes.
    pub closed enum PayBasis {
        Base "BASE",
        TotalCash "TOTAL_CASH",
    }
}

shape! {
    /// An amount of money for a time: 9,500 CNY a month.
    pub struct PayRate {
        /// The amount.
        pub money: Money,
        /// For which time. How often it is paid is another question.
        pub per: PayInterval,
        /// The source's own word when `per` is OTHER.
        pub per_raw: Option<String>,
        /// How many months are paid a year, where it is not 12: 13 for a thirteenth month.
        pub months_per_year: Option<Decimal>,
    }
    rules rate_rules
}

shape! {
    /// A range of pay, with the currency and the time that it is for. A source that counts in thousands (8-10K) is converted by
    /// its connector; a range without a declared unit is refused.
    pub struct PayRange {
        /// The lowest amount.
        pub min: Option<Decimal>,
        /// The reference point.
        pub mid: Option<Decimal>,
        /// The highest amount.
        pub max: Option<Decimal>,
        /// ISO 4217.
        pub currency: Currency,
        /// The pay interval.
        pub per: PayInterval,
        /// The source's own word when `per` is OTHER.
        pub per_raw: Option<String>,
        /// How many months are paid a year, where it is not 12.
        pub months_per_year: Option<Decimal>,
        /// What the amounts include, where the source says.
        pub basis: Option<PayBasis>,
    }
    rules range_rules
}

/// Why a rate and a range cannot be compared. They are never converted in silence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Incomparable {
    /// Two currencies.
    Currency,
    /// Two intervals, or one that is `OTHER`.
    Interval,
}

impl PayRange {
    /// From texts: `PayRange::between("8000", "10000", "CNY", PayInterval::Month)`.
    ///
    /// # Errors
    /// `bad_decimal`, `bad_currency`, `bad_range`.
    pub fn between(min: &str, max: &str, currency: &str, per: PayInterval) -> Result<Self, BadValue> {
        let (min, max) = (Decimal::parse(min)?, Decimal::parse(max)?);
        if min > max {
            return Err(BadValue::new("bad_range", text!("expected min <= max", "应为 min <= max")));
        }
        Ok(Self { min: Some(min), max: Some(max), ..Self::new(Currency::parse(currency)?, per) })
    }

    /// Is the rate within the range, its ends included? An open end has no limit.
    ///
    /// # Errors
    /// [`Incomparable`] when currency or interval differ.
    pub fn contains(&self, money: &Money, per: PayInterval) -> Result<bool, Incomparable> {
        if money.currency != self.currency {
            return Err(Incomparable::Currency);
        }
        if per != self.per || per == PayInterval::Other {
            return Err(Incomparable::Interval);
        }
        Ok(self.min.is_none_or(|min| money.amount >= min) && self.max.is_none_or(|max| money.amount <= max))
    }
}

fn interval_rule(per: PayInterval, raw: Option<&str>, walk: &mut Walk<'_>) {
    if per == PayInterval::Other && raw.is_none_or(str::is_empty) {
        walk.defect_in(
            "per_raw",
            "missing_raw",
            text!(
                "nothing; the interval OTHER needs the source's own text here",
                "缺少内容；周期为 OTHER 时此处需要来源的原文"
            ),
        );
    }
}

fn months_rule(months: Option<Decimal>, walk: &mut Walk<'_>) {
    if months.is_some_and(|m| m < Decimal::from(1) || m > Decimal::from(36)) {
        walk.defect_in(
            "months_per_year",
            "bad_months",
            text!("a number of months that is not within 1 to 36", "月数不在 1 到 36 之间"),
        );
    }
}

fn rate_rules(rate: &PayRate, walk: &mut Walk<'_>) {
    interval_rule(rate.per, rate.per_raw.as_deref(), walk);
    months_rule(rate.months_per_year, walk);
}

fn range_rules(range: &PayRange, walk: &mut Walk<'_>) {
    interval_rule(range.per, range.per_raw.as_deref(), walk);
    months_rule(range.months_per_year, walk);
    let amounts = [("min", range.min), ("mid", range.mid), ("max", range.max)];
    let mut lowest = None;
    for (name, amount) in amounts.into_iter().filter_map(|(name, amount)| Some((name, amount?))) {
        if amount.is_negative() {
            walk.defect_in(
                name,
                "bad_range",
                text!("an amount below zero; expected zero or more", "金额为负；应为零或正数"),
            );
        }
        if lowest.is_some_and(|lowest| amount < lowest) {
            walk.defect_in(
                name,
                "bad_range",
                text!(
                    "an amount below the one before it; expected min <= mid <= max",
                    "金额小于前一个；应为 min <= mid <= max"
                ),
            );
        }
        lowest = Some(amount);
    }
    if lowest.is_none() {
        walk.defect(
            "empty_range",
            text!("a range without any amount; expected min, mid or max", "范围中没有金额；应有 min、mid 或 max"),
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Incomparable, PayInterval, PayRange};
    use crate::check::Walk;
    use crate::types::{Currency, Decimal, Money};

    fn cny(amount: &str) -> Money {
        Money::new(amount, "CNY").unwrap()
    }

    #[test]
    fn band_match_knows_in_from_out_r05() {
        let band = PayRange::between("8000", "10000", "CNY", PayInterval::Month).unwrap();
        assert_eq!(band.contains(&cny("9500"), PayInterval::Month), Ok(true));
        assert_eq!(band.contains(&cny("10000.00"), PayInterval::Month), Ok(true));
        assert_eq!(band.contains(&cny("13000"), PayInterval::Month), Ok(false));
        assert_eq!(band.contains(&cny("7999.99"), PayInterval::Month), Ok(false));
    }

    #[test]
    fn what_cannot_be_compared_is_not_converted() {
        let band = PayRange::between("8000", "10000", "CNY", PayInterval::Month).unwrap();
        assert_eq!(band.contains(&cny("9500"), PayInterval::Year), Err(Incomparable::Interval));
        let dollars = Money::new("9500", "USD").unwrap();
        assert_eq!(band.contains(&dollars, PayInterval::Month), Err(Incomparable::Currency));
    }

    #[test]
    fn a_range_with_no_unit_is_refused_r04() {
        for json in [r#"{"min":"8","max":"10","currency":"CNY"}"#, r#"{"min":"8","max":"10","per":"MONTH"}"#] {
            assert!(
                serde_json::from_str::<PayRange>(json).unwrap_err().to_string().contains("missing field"),
                "{json}"
            );
        }
        let declared = r#"{"min":"8000","max":"10000","currency":"CNY","per":"MONTH"}"#;
        assert!(serde_json::from_str::<PayRange>(declared).is_ok());
        let unknown = r#"{"min":"8000","currency":"CNY","per":"K"}"#;
        assert!(serde_json::from_str::<PayRange>(unknown).is_err());
    }

    #[test]
    fn a_range_must_rise_and_hold_something() {
        let range = |min: i32, mid: i32, max: i32| PayRange {
            min: Some(Decimal::from(min)),
            mid: Some(Decimal::from(mid)),
            max: Some(Decimal::from(max)),
            ..PayRange::new(Currency::CNY, PayInterval::Month)
        };
        assert!(Walk::over(&range(8, 9, 10)).is_empty());
        assert!(Walk::over(&range(8, 8, 8)).is_empty());
        assert_eq!(Walk::over(&range(10, 9, 8)).len(), 2);
        assert_eq!(Walk::over(&range(-1, 0, 8))[0].path, "/min");
        assert_eq!(Walk::over(&PayRange::new(Currency::CNY, PayInterval::Month))[0].code, "empty_range");
        assert_eq!(Walk::over(&PayRange { per: PayInterval::Other, ..range(8, 9, 10) })[0].path, "/per_raw");
    }
}
