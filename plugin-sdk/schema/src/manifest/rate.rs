//! A vendor's rate, and how far one may go: the same for a manifest's wish and an operator's limit.

use serde::{Deserialize, Serialize};

use crate::{Text, text};

/// Milliseconds of the longest time in which a full burst may come back: a year.
const BURST_SPAN_MS_MAX: u128 = 366 * 86_400_000;

/// A vendor's published limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// Requests in each period: 1 to 1,000,000.
    pub requests: u32,
    /// Milliseconds: up to a day.
    pub per_ms: u64,
    /// How many may go at once when none went for a while: up to 1,000,000; default 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub burst: Option<u32>,
}

/// A header of an answer that says when to ask again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RetryHeader {
    /// Its name, compared without case.
    pub name: String,
    /// What its number counts.
    pub unit: RetryHeaderUnit,
}

/// What the number in a [`RetryHeader`] counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetryHeaderUnit {
    /// Seconds from now.
    Seconds,
    /// Milliseconds from now.
    Milliseconds,
    /// The time at which to ask again, in seconds since 1970.
    EpochSeconds,
}

impl RetryHeader {
    /// Headers of one manifest.
    pub const COUNT_MAX: usize = 8;

    /// Why no header can have this name; none when one can.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        let fits = (1..=100).contains(&self.name.len()) && self.name.bytes().all(is_token);
        (!fits).then(|| format!("`{}` is not the name of a header", self.name))
    }
}

impl Rate {
    /// The most requests of a period, and of a burst.
    pub const REQUESTS_MAX: u32 = 1_000_000;
    /// The longest period, in milliseconds: a day.
    pub const PER_MS_MAX: u64 = 86_400_000;

    /// Why no pace can be kept by it; none when one can.
    #[must_use]
    pub fn fault(&self) -> Option<Text> {
        let (requests_max, per_ms_max) = (Self::REQUESTS_MAX, Self::PER_MS_MAX);
        if !(1..=requests_max).contains(&self.requests) {
            return Some(text!(
                "`requests` is {}; expected 1 to {requests_max}",
                "`requests` 为 {}；应为 1 到 {requests_max}",
                self.requests
            ));
        }
        if !(1..=per_ms_max).contains(&self.per_ms) {
            return Some(text!(
                "`per_ms` is {}; expected 1 to {per_ms_max} (a day)",
                "`per_ms` 为 {}；应为 1 到 {per_ms_max}（一天）",
                self.per_ms
            ));
        }
        let burst = self.burst.unwrap_or(1);
        if !(1..=requests_max).contains(&burst) {
            return Some(text!(
                "`burst` is {burst}; expected 1 to {requests_max}",
                "`burst` 为 {burst}；应为 1 到 {requests_max}"
            ));
        }
        if u128::from(self.per_ms) * u128::from(burst) > BURST_SPAN_MS_MAX * u128::from(self.requests) {
            return Some(text!(
                "a `burst` of {burst} takes more than a year to come back at {requests} requests in {per_ms} ms; expected a smaller burst",
                "`burst` 为 {burst} 时，按每 {per_ms} 毫秒 {requests} 次请求，恢复需一年以上；应更小",
                requests = self.requests,
                per_ms = self.per_ms
            ));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_two_sides_in_each_number() {
        let good = Rate { requests: 20, per_ms: 1_000, burst: Some(5) };
        assert_eq!(good.fault(), None);
        for (rate, word) in [
            (Rate { requests: 0, ..good }, "requests"),
            (Rate { requests: Rate::REQUESTS_MAX + 1, ..good }, "requests"),
            (Rate { per_ms: 0, ..good }, "per_ms"),
            (Rate { per_ms: Rate::PER_MS_MAX + 1, ..good }, "per_ms"),
            (Rate { per_ms: i64::MAX.unsigned_abs(), ..good }, "per_ms"),
            (Rate { burst: Some(0), ..good }, "burst"),
            (Rate { burst: Some(Rate::REQUESTS_MAX + 1), ..good }, "burst"),
            (Rate { requests: 1, per_ms: Rate::PER_MS_MAX, burst: Some(367) }, "more than a year"),
        ] {
            assert!(rate.fault().is_some_and(|fault| fault.english().contains(word)), "{rate:?}: {:?}", rate.fault());
        }
        for rate in [
            Rate { requests: Rate::REQUESTS_MAX, per_ms: 1, burst: Some(Rate::REQUESTS_MAX) },
            Rate { requests: 1, per_ms: Rate::PER_MS_MAX, burst: Some(366) },
            Rate { requests: 1, per_ms: 1, burst: None },
        ] {
            assert_eq!(rate.fault(), None, "{rate:?}");
        }
    }
}
