//! Exact numbers.

use std::fmt;

use crate::check::BadValue;
use crate::json_string::string_type;
use crate::{Text, text};

#[cfg(feature = "gateway")]
const PATTERN: &str = r"^-?\d{1,15}(\.\d{1,6})?$";
fn expected() -> Text {
    text!(
        "a decimal as a JSON string: at most 15 digits, then at most 6 after the point, no exponent",
        "应为 JSON 字符串形式的小数：整数最多 15 位，小数最多 6 位，不用指数"
    )
}
const INTEGER_DIGITS_MAX: usize = 15;
const SCALE_MAX: usize = 6;

/// An exact decimal, written as a JSON string (`"8000.50"`), never as a JSON number: a float cannot hold 0.1. Up to 15
/// digits before the point and 6 after it. Keeps the digits after the point that it was given; compares by value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal(rust_decimal::Decimal);

impl Decimal {
    /// 0
    pub const ZERO: Self = Self(rust_decimal::Decimal::ZERO);

    /// Reads `-?\d{1,15}(\.\d{1,6})?`. Leading zeros and the sign of zero are dropped.
    ///
    /// # Errors
    /// `bad_decimal` for every other text.
    pub fn parse(text: &str) -> Result<Self, BadValue> {
        let refuse = || BadValue::new("bad_decimal", expected());
        let (negative, digits) = match text.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let (whole, fraction) = match digits.split_once('.') {
            Some((_, "")) => return Err(refuse()),
            Some((whole, fraction)) => (whole, fraction),
            None => (digits, ""),
        };
        if whole.is_empty() || whole.len() > INTEGER_DIGITS_MAX || fraction.len() > SCALE_MAX {
            return Err(refuse());
        }
        let mut mantissa: i128 = 0;
        for byte in whole.bytes().chain(fraction.bytes()) {
            if !byte.is_ascii_digit() {
                return Err(refuse());
            }
            mantissa = mantissa * 10 + i128::from(byte - b'0');
        }
        if negative {
            mantissa = -mantissa;
        }
        // At most 21 digits and a scale of at most 6: rust_decimal holds 28 of both.
        Ok(Self(rust_decimal::Decimal::from_i128_with_scale(mantissa, fraction.len() as u32)))
    }

    /// Takes a number out of a vendor's JSON, where it is a JSON number: its shortest text is read as a decimal, so 0.1 is 0.1.
    ///
    /// # Errors
    /// `bad_decimal` for an exponent, or more digits than a decimal holds.
    pub fn from_number(number: &serde_json::Number) -> Result<Self, BadValue> {
        Self::parse(&number.to_string())
    }

    /// From hundredths, thousandths, …: `from_minor(800_050, 2)` is 8000.50.
    ///
    /// # Errors
    /// `bad_decimal` when the value does not fit.
    pub fn from_minor(units: i64, scale: u32) -> Result<Self, BadValue> {
        if scale as usize > SCALE_MAX {
            return Err(BadValue::new("bad_decimal", expected()));
        }
        Self::try_from(rust_decimal::Decimal::new(units, scale))
    }

    /// The number for arithmetic. What comes back goes through `TryFrom`, which refuses what no longer fits.
    #[must_use]
    pub fn value(self) -> rust_decimal::Decimal {
        self.0
    }

    /// Rounds to `places` after the point (at most 6), half to even, and gives a decimal if the whole part fits.
    #[must_use]
    pub fn rounded(value: rust_decimal::Decimal, places: u32) -> Option<Self> {
        Self::try_from(value.round_dp(places.min(SCALE_MAX as u32))).ok()
    }

    /// The exact sum; none when it no longer fits.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::try_from(self.0.checked_add(other.0)?).ok()
    }

    /// The exact difference; none when it no longer fits.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::try_from(self.0.checked_sub(other.0)?).ok()
    }

    /// Below zero?
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0.is_sign_negative() && !self.0.is_zero()
    }
}

impl From<i32> for Decimal {
    fn from(value: i32) -> Self {
        Self(value.into())
    }
}

impl TryFrom<rust_decimal::Decimal> for Decimal {
    type Error = BadValue;

    fn try_from(mut value: rust_decimal::Decimal) -> Result<Self, BadValue> {
        const LIMIT: i128 = 10_i128.pow(INTEGER_DIGITS_MAX as u32);
        if value.is_zero() {
            value.set_sign_positive(true);
        }
        if value.scale() as usize > SCALE_MAX {
            // Only trailing zeros may be dropped without changing the value.
            value = value.normalize();
        }
        if value.scale() as usize > SCALE_MAX || value.trunc().mantissa().abs() >= LIMIT {
            return Err(BadValue::new("bad_decimal", expected()));
        }
        Ok(Self(value))
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

string_type!(Decimal, "a decimal as a JSON string", { "pattern": PATTERN });

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Decimal;

    #[test]
    fn a_decimal_keeps_the_digits_it_was_given() {
        for text in ["0", "-1", "8000.50", "999999999999999.999999", "0.000001", "-0.5"] {
            assert_eq!(Decimal::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_text_that_is_no_decimal_is_refused() {
        for text in
            ["", "-", ".5", "5.", "1e3", "+1", "1,000", " 1", "１２", "NaN", "1000000000000000", "0.1234567", "--1"]
        {
            assert_eq!(Decimal::parse(text).unwrap_err().code, "bad_decimal", "{text}");
        }
    }

    #[test]
    fn zero_has_no_sign_and_no_leading_zeros_stay() {
        assert_eq!(Decimal::parse("-0").unwrap().to_string(), "0");
        assert_eq!(Decimal::parse("-0.00").unwrap().to_string(), "0.00");
        assert_eq!(Decimal::parse("007").unwrap().to_string(), "7");
    }

    #[test]
    fn a_json_number_is_refused_and_a_string_is_taken() {
        assert!(serde_json::from_str::<Decimal>("8000").is_err());
        assert_eq!(serde_json::from_str::<Decimal>("\"8000\"").unwrap(), Decimal::from(8000));
    }

    #[test]
    fn arithmetic_that_no_longer_fits_is_none() {
        let most = Decimal::parse("999999999999999").unwrap();
        assert_eq!(most.checked_add(Decimal::from(1)), None);
        assert_eq!(most.checked_sub(Decimal::from(1)).unwrap().to_string(), "999999999999998");
        let third = rust_decimal::Decimal::ONE / rust_decimal::Decimal::from(3);
        assert!(Decimal::try_from(third).is_err());
        assert_eq!(Decimal::rounded(third, 4).unwrap().to_string(), "0.3333");
    }

    #[test]
    fn minor_units_are_exact_and_a_vendor_number_is_read_by_its_text() {
        assert_eq!(Decimal::from_minor(800_050, 2).unwrap().to_string(), "8000.50");
        assert!(Decimal::from_minor(1, 7).is_err());
        let number: serde_json::Number = serde_json::from_str("0.1").unwrap();
        assert_eq!(Decimal::from_number(&number).unwrap().to_string(), "0.1");
        assert!(Decimal::from_number(&serde_json::from_str("1e30").unwrap()).is_err());
    }
}
