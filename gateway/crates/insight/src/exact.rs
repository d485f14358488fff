//! Whole numbers that add up exactly, and exact decimals of figures.

use renmen_schema::types::Decimal;

/// Divides `total` in proportion to `shares` so that the parts add up to it exactly: each part is rounded down, and what is left
/// goes to the largest remainders, of equal ones to the first. All parts are 0 where all shares are.
#[must_use]
pub fn largest_remainder(total: u64, shares: &[u64]) -> Vec<u64> {
    let sum: u128 = shares.iter().map(|share| u128::from(*share)).sum();
    if sum == 0 {
        return vec![0; shares.len()];
    }
    let exact = |share: u64| u128::from(total) * u128::from(share);
    let mut parts: Vec<u64> = shares.iter().map(|share| (exact(*share) / sum) as u64).collect();
    let left = total - parts.iter().sum::<u64>();
    let mut order: Vec<usize> = (0..shares.len()).collect();
    order.sort_by_key(|at| std::cmp::Reverse(exact(shares[*at]) % sum));
    for at in order.into_iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
        parts[at] += 1;
    }
    parts
}

/// A figure as a decimal with at most six digits after the point, as records hold it; none where it is not finite or too large.
#[must_use]
pub fn decimal(value: f64) -> Option<Decimal> {
    let scaled = (value * 1e6).round();
    (scaled.abs() < 9e18).then(|| Decimal::from_minor(scaled as i64, 6).ok()).flatten()
}

/// A part of a whole as a decimal with at most six digits, made of whole numbers: 1 of 3 is 0.333333. None of nothing.
#[must_use]
pub fn share(part: u64, whole: u64) -> Option<Decimal> {
    let ratio = rust_decimal::Decimal::from(part).checked_div(rust_decimal::Decimal::from(whole))?;
    Decimal::rounded(ratio.round_dp(6).normalize(), 6)
}
