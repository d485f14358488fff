//! Shares, and two of them compared.

use super::Interval;
use super::normal::{reach, two_sided};

/// Wilson's interval of a share, which stays within 0 to 1 and holds for small samples too; none of nothing.
#[must_use]
pub fn wilson(count: u64, n: u64, confidence: f64) -> Option<Interval> {
    if n == 0 || count > n {
        return None;
    }
    let (share, size, z) = (count as f64 / n as f64, n as f64, reach(confidence));
    let denominator = 1.0 + z * z / size;
    let center = (share + z * z / (2.0 * size)) / denominator;
    let half = z * (share * (1.0 - share) / size + z * z / (4.0 * size * size)).sqrt() / denominator;
    Some(Interval { low: (center - half).max(0.0), high: (center + half).min(1.0) })
}

/// Two shares compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TwoProportions {
    /// The first less the second.
    pub difference: f64,
    /// Of the difference, by Newcombe's method from the two Wilson intervals.
    pub interval: Interval,
    /// Standard errors apart, with the pooled share.
    pub z: f64,
    /// Two-sided, by the normal distribution.
    pub p: f64,
}

/// The test of two shares, each a count and a size, with the pooled standard error; none where a side is empty or all are alike.
#[must_use]
pub fn two_proportions(first: (u64, u64), second: (u64, u64), confidence: f64) -> Option<TwoProportions> {
    let (a, b) = (wilson(first.0, first.1, confidence)?, wilson(second.0, second.1, confidence)?);
    let (n, m) = (first.1 as f64, second.1 as f64);
    let (p, q) = (first.0 as f64 / n, second.0 as f64 / m);
    let pooled = (first.0 + second.0) as f64 / (n + m);
    let error = (pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m)).sqrt();
    if error == 0.0 {
        return None;
    }
    let difference = p - q;
    let low = difference - ((p - a.low).powi(2) + (b.high - q).powi(2)).sqrt();
    let high = difference + ((a.high - p).powi(2) + (q - b.low).powi(2)).sqrt();
    let z = difference / error;
    Some(TwoProportions { difference, interval: Interval { low, high }, z, p: two_sided(z) })
}
