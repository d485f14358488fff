//! A vendor's budget of calls: how many requests it answers in a month, and which do not count.

use serde::{Deserialize, Serialize};

/// How many requests the vendor answers in a period. The gateway counts them over restarts, warns at 80 % and sends no more than
/// these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CallBudget {
    /// Requests in each period: 1 to 1,000,000,000. Attempts that are repeated count, token requests too where `except` does not
    /// name them.
    pub calls: u64,
    /// The period.
    #[serde(default)]
    pub per: BudgetPeriod,
    /// Where a month begins: an IANA time zone; default `Asia/Shanghai`.
    #[serde(default = "default_zone")]
    pub zone: String,
    /// Beginnings of paths that do not count: `/contacts/`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub except: Vec<String>,
}

/// What a budget is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BudgetPeriod {
    /// A calendar month.
    #[default]
    Month,
}

fn default_zone() -> String {
    "Asia/Shanghai".to_owned()
}

impl CallBudget {
    /// The most calls of a month.
    pub const CALLS_MAX: u64 = 1_000_000_000;

    /// So many calls in a calendar month of the default zone, each of which counts.
    #[must_use]
    pub fn of(calls: u64) -> Self {
        Self { calls, per: BudgetPeriod::Month, zone: default_zone(), except: Vec::new() }
    }

    /// Why it cannot be kept; none when it can. Whether there is such a zone is asked where the time zones are.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let max = Self::CALLS_MAX;
        if !(1..=max).contains(&self.calls) {
            return Some(format!("`calls` is {}; expected 1 to {max}", self.calls));
        }
        if self.zone.is_empty() {
            return Some("`zone` is empty; expected a time zone, as Asia/Shanghai".to_owned());
        }
        if self.except.iter().any(|path| !path.starts_with('/') || path.contains(['?', '#'])) {
            return Some(
                "`except` has something else than beginnings of paths; expected `/` first, no query".to_owned(),
            );
        }
        if self.except.iter().any(|path| path == "/") {
            return Some("`except` has `/`: then no call counts; leave `[budget]` out".to_owned());
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_has_two_sides_and_paths_that_are_paths() {
        for calls in [1, CallBudget::CALLS_MAX] {
            assert_eq!(CallBudget::of(calls).fault(), None);
        }
        let except = |path: &str| CallBudget { except: vec!["/contacts/".into(), path.into()], ..CallBudget::of(9) };
        assert_eq!(except("/token").fault(), None);
        for (budget, word) in [
            (CallBudget::of(0), "`calls` is 0"),
            (CallBudget::of(CallBudget::CALLS_MAX + 1), "expected 1 to 1000000000"),
            (CallBudget { zone: String::new(), ..CallBudget::of(9) }, "`zone`"),
            (except("contacts"), "`/` first"),
            (except("/contacts?page="), "no query"),
            (except("/"), "no call counts"),
        ] {
            assert!(budget.fault().is_some_and(|fault| fault.contains(word)), "{budget:?}: {:?}", budget.fault());
        }
    }
}
