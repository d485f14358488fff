//! Quantiles by linear interpolation between the order statistics: type 7 of Hyndman and Fan, which NumPy and R use.

/// The quantile `q` (0 to 1) of values that are sorted; none of nothing, or outside 0 to 1.
#[must_use]
pub fn quantile(sorted: &[f64], q: f64) -> Option<f64> {
    if sorted.is_empty() || !(0.0..=1.0).contains(&q) {
        return None;
    }
    let at = (sorted.len() - 1) as f64 * q;
    let below = at.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let (low, high) = (sorted[below], sorted[above]);
    let part = at - below as f64;
    // From the nearer end, which keeps the result between the two.
    Some(if part < 0.5 { low + (high - low) * part } else { high - (high - low) * (1.0 - part) })
}

/// The value in the middle of sorted values.
#[must_use]
pub fn median(sorted: &[f64]) -> Option<f64> {
    quantile(sorted, 0.5)
}
