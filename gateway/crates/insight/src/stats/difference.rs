//! Two correlations of different people compared.

use super::normal::{reach, two_sided};
use super::{Correlation, Interval};

/// A difference, later less earlier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Difference {
    /// The difference itself.
    pub value: f64,
    /// By Fisher's z, taken back to the scale of correlations around each of the two (Zou, 2007).
    pub interval: Interval,
    /// Two-sided, by Fisher's z.
    pub p: f64,
}

/// The difference of two Pearson correlations of independent samples; none where one of them has fewer than four pairs, or both
/// are perfect.
#[must_use]
pub fn difference_of_correlations(before: &Correlation, after: &Correlation, confidence: f64) -> Option<Difference> {
    if before.n < 4 || after.n < 4 {
        return None;
    }
    let error = |one: &Correlation| 1.0 / (one.n - 3) as f64;
    let z = (after.r.atanh() - before.r.atanh()) / (error(before) + error(after)).sqrt();
    let ends = |one: &Correlation| {
        let (center, reach) = (one.r.atanh(), error(one).sqrt() * reach(confidence));
        ((center - reach).tanh(), (center + reach).tanh())
    };
    let ((before_low, before_high), (after_low, after_high)) = (ends(before), ends(after));
    let value = after.r - before.r;
    let low = value - ((after.r - after_low).powi(2) + (before_high - before.r).powi(2)).sqrt();
    let high = value + ((after_high - after.r).powi(2) + (before.r - before_low).powi(2)).sqrt();
    (!z.is_nan()).then(|| Difference { value, interval: Interval { low, high }, p: two_sided(z) })
}
