//! An amount with its currency: one without the other is nothing.

use serde::Serialize;

use super::{Currency, Decimal};
use crate::check::{BadValue, Validate};
use crate::object::read_object;

/// An exact amount of a known currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[cfg_attr(feature = "gateway", derive(schemars::JsonSchema))]
pub struct Money {
    /// In whole units of the currency (yuan, not fen).
    pub amount: Decimal,
    /// ISO 4217.
    pub currency: Currency,
}

read_object!(Money {
    amount [required] [Decimal]
    currency [required] [Currency]
});

impl Money {
    /// From texts: `Money::new("8000.50", "CNY")`.
    ///
    /// # Errors
    /// `bad_decimal`, `bad_currency`.
    pub fn new(amount: &str, currency: &str) -> Result<Self, BadValue> {
        Ok(Self { amount: Decimal::parse(amount)?, currency: Currency::parse(currency)? })
    }

    /// From the currency's smallest coin: fen for CNY, yen for JPY.
    ///
    /// # Errors
    /// `bad_decimal` when the amount does not fit.
    pub fn from_minor(units: i64, currency: Currency) -> Result<Self, BadValue> {
        Ok(Self { amount: Decimal::from_minor(units, currency.minor_digits())?, currency })
    }
}

impl Validate for Money {}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Currency, Money};

    #[test]
    fn money_without_currency_is_refused() {
        assert!(serde_json::from_str::<Money>(r#"{"amount":"5"}"#).unwrap_err().to_string().contains("currency"));
        assert!(serde_json::from_str::<Money>(r#"{"amount":"5","currency":"UNKNOWN"}"#).is_err());
        assert!(serde_json::from_str::<Money>(r#"{"amount":"5","currency":"CNY"}"#).is_ok());
    }

    #[test]
    fn minor_units_follow_the_currency() {
        assert_eq!(Money::from_minor(850_000, Currency::CNY).unwrap(), Money::new("8500", "CNY").unwrap());
        assert_eq!(
            Money::from_minor(8500, Currency::parse("JPY").unwrap()).unwrap(),
            Money::new("8500", "JPY").unwrap()
        );
    }
}
