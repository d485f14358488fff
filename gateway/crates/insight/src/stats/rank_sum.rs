//! The Mann-Whitney test: is one group's value more often the larger one?

use super::normal::{two_sided, upper_tail};

/// Two groups compared by rank.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RankSum {
    /// The statistic of the first group.
    pub u: f64,
    /// How often a value of the first group is above one of the second, ties counted half.
    pub superiority: f64,
    /// Two-sided, by the normal distribution with corrections for ties and for continuity.
    pub p: f64,
    /// One-sided: that the first group is below the second.
    pub p_below: f64,
}

/// Compares two groups; none where one is empty or all values are the same.
#[must_use]
pub fn rank_sum(first: &[f64], second: &[f64]) -> Option<RankSum> {
    if first.is_empty() || second.is_empty() {
        return None;
    }
    let (n, m) = (first.len() as f64, second.len() as f64);
    let mut all: Vec<(f64, bool)> = Vec::with_capacity(first.len() + second.len());
    all.extend(first.iter().map(|value| (*value, true)));
    all.extend(second.iter().map(|value| (*value, false)));
    all.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut ranks, mut ties) = (0.0, 0.0, 0.0);
    for tied in all.chunk_by(|a, b| a.0 == b.0) {
        let count = tied.len() as f64;
        let firsts = tied.iter().filter(|(_, is_first)| *is_first).count() as f64;
        ranks += firsts * (below + (count + 1.0) / 2.0);
        ties += count * count * count - count;
        below += count;
    }
    let u = ranks - n * (n + 1.0) / 2.0;
    let total = n + m;
    let spread = (n * m / 12.0 * ((total + 1.0) - ties / (total * (total - 1.0)))).sqrt();
    if spread.is_nan() || spread == 0.0 {
        return None;
    }
    let middle = n * m / 2.0;
    let apart = (u - middle).abs() - 0.5;
    let p = if apart <= 0.0 { 1.0 } else { two_sided(apart / spread) };
    Some(RankSum { u, superiority: u / (n * m), p, p_below: upper_tail((middle - u - 0.5) / spread) })
}
