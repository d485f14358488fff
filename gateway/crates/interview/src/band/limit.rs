//! How often, and about how many amounts, somebody may ask: what makes finding a band's ends by asking slow and plain to see.

use std::collections::HashMap;

use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::types::Decimal;
use rust_decimal::prelude::{RoundingStrategy, ToPrimitive};

/// The window of the rate.
const MINUTE_MS: i64 = 60_000;
/// How long an interview's amounts are remembered.
const DAY_MS: i64 = 86_400_000;
/// Interviews remembered at once; beyond it a new one waits until older ones are forgotten.
const INTERVIEWS_MAX: usize = 100_000;
/// Callers counted at once.
const CALLERS_MAX: usize = 10_000;

/// Who asks about which interview.
pub(super) struct Asker<'a> {
    pub(super) tenant: &'a TenantId,
    pub(super) connection: &'a ConnectionName,
    pub(super) interview: &'a str,
}

/// The counts.
pub(super) struct Limit {
    per_minute: u32,
    amounts: usize,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    callers: HashMap<String, (i64, u32)>,
    interviews: HashMap<(TenantId, ConnectionName, String), (i64, Vec<Decimal>)>,
}

impl Limit {
    pub(super) fn new(per_minute: u32, amounts: usize) -> Self {
        Self { per_minute, amounts, state: Mutex::default() }
    }

    /// Counts a question of a caller; when it is one too many, in how many seconds to ask again.
    pub(super) fn count_caller(&self, caller: &str, now_ms: i64) -> Result<(), u32> {
        self.state.lock().count_caller(caller, now_ms, self.per_minute)
    }

    /// Counts an amount that an interview asks about; when it is one too many, in how many seconds to ask again.
    pub(super) fn count_amount(&self, asker: &Asker<'_>, amount: Decimal, now_ms: i64) -> Result<(), u32> {
        self.state.lock().count_amount(asker, amount, now_ms, self.amounts)
    }
}

impl State {
    fn count_caller(&mut self, caller: &str, now_ms: i64, max: u32) -> Result<(), u32> {
        if !self.callers.contains_key(caller) && self.callers.len() >= CALLERS_MAX {
            self.callers.retain(|_, (since, _)| now_ms - *since < MINUTE_MS);
            if self.callers.len() >= CALLERS_MAX {
                return Err(seconds(MINUTE_MS));
            }
        }
        let (since, count) = self.callers.entry(caller.to_owned()).or_insert((now_ms, 0));
        if now_ms - *since >= MINUTE_MS {
            (*since, *count) = (now_ms, 0);
        }
        if *count >= max {
            return Err(seconds(*since + MINUTE_MS - now_ms));
        }
        *count += 1;
        Ok(())
    }

    fn count_amount(&mut self, asker: &Asker<'_>, amount: Decimal, now_ms: i64, max: usize) -> Result<(), u32> {
        let key = (asker.tenant.clone(), asker.connection.clone(), asker.interview.to_owned());
        if !self.interviews.contains_key(&key) && self.interviews.len() >= INTERVIEWS_MAX {
            self.interviews.retain(|_, (since, _)| now_ms - *since < DAY_MS);
            if self.interviews.len() >= INTERVIEWS_MAX {
                return Err(seconds(MINUTE_MS));
            }
        }
        let (since, amounts) = self.interviews.entry(key).or_insert((now_ms, Vec::new()));
        if now_ms - *since >= DAY_MS {
            *since = now_ms;
            amounts.clear();
        }
        if amounts.contains(&amount) {
            return Ok(());
        }
        if amounts.len() >= max {
            return Err(seconds(*since + DAY_MS - now_ms));
        }
        amounts.push(amount);
        Ok(())
    }
}

fn seconds(ms: i64) -> u32 {
    u32::try_from((ms + 999) / 1000).unwrap_or(1).max(1)
}

/// An amount to so many significant digits, half away from zero: 9,567 to two of them is 9,600.
pub(super) fn to_digits(amount: Decimal, digits: u32) -> Decimal {
    let value = amount.value();
    let whole = value.trunc().abs().to_u64().unwrap_or(u64::MAX);
    let has = whole.checked_ilog10().map_or(0, |log| log + 1);
    if has <= digits {
        let places = digits - has;
        let rounded = value.round_dp_with_strategy(places, RoundingStrategy::MidpointAwayFromZero);
        return Decimal::try_from(rounded).unwrap_or(amount);
    }
    let unit = rust_decimal::Decimal::from(10_u64.pow(has - digits));
    let rounded = (value / unit).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero) * unit;
    Decimal::try_from(rounded).unwrap_or(amount)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn amount(text: &str) -> Decimal {
        Decimal::parse(text).unwrap()
    }

    #[test]
    fn amounts_are_compared_to_their_first_digits() {
        let said = |text, digits| to_digits(amount(text), digits).to_string();
        assert_eq!(said("9567", 2), "9600");
        assert_eq!(said("10049.99", 3), "10000");
        assert_eq!(said("10050", 3), "10100");
        assert_eq!(said("13000", 3), "13000");
        assert_eq!(said("85.55", 3), "85.6");
        assert_eq!(said("0", 3), "0");
        assert_eq!(said("999999999999999", 3), "1000000000000000".replace("1000000000000000", "999999999999999"));
    }

    #[test]
    fn an_interview_may_ask_about_a_few_amounts_and_about_those_again() {
        let (tenant, connection) = (TenantId::new("acme").unwrap(), ConnectionName::new("vendor").unwrap());
        let asker = |interview| Asker { tenant: &tenant, connection: &connection, interview };
        let limit = Limit::new(100, 3);
        for text in ["1", "2", "3", "1", "3"] {
            assert_eq!(limit.count_amount(&asker("i1"), amount(text), 0), Ok(()));
        }
        assert_eq!(limit.count_amount(&asker("i1"), amount("4"), 1_000), Err(86_399));
        assert_eq!(limit.count_amount(&asker("i2"), amount("4"), 1_000), Ok(()));
        assert_eq!(limit.count_amount(&asker("i1"), amount("4"), DAY_MS), Ok(()));
    }

    #[test]
    fn a_caller_may_ask_so_many_times_a_minute() {
        let limit = Limit::new(2, 9);
        assert_eq!(limit.count_caller("a", 0), Ok(()));
        assert_eq!(limit.count_caller("a", 1), Ok(()));
        assert_eq!(limit.count_caller("a", 30_000), Err(30));
        assert_eq!(limit.count_caller("b", 30_000), Ok(()));
        assert_eq!(limit.count_caller("a", 60_000), Ok(()));
    }
}
