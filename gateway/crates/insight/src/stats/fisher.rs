//! Fisher's exact test of a table of two by two.

/// Tables whose probability differs from that of the observed one by rounding alone count as equal.
const EQUAL: f64 = 1.0 + 1e-10;

/// The two-sided p value of the table `[[a, b], [c, d]]`: the probability of all tables with the same margins that are at most
/// as likely as this one. None where a margin is empty: then there is one table only, and nothing to test.
///
/// The probabilities are made from each other, from the most likely table outward, and are divided by their sum. So large tables
/// lose no digits in logarithms of factorials, and it takes as many steps as the smallest margin.
#[must_use]
pub fn fisher_exact(a: u64, b: u64, c: u64, d: u64) -> Option<f64> {
    let (row, other_row, column, other_column) = (a + b, c + d, a + c, b + d);
    if row == 0 || other_row == 0 || column == 0 || other_column == 0 {
        return None;
    }
    let (lowest, highest) = (column.saturating_sub(other_row), row.min(column));
    let total = (row + other_row) as f64;
    let mode = (((row + 1) as f64 * (column + 1) as f64) / (total + 2.0)).floor() as u64;
    let mode = mode.clamp(lowest, highest);
    // The probability of the next table over that of this one.
    let up = |k: u64| ((row - k) as f64 * (column - k) as f64) / ((k + 1) as f64 * (other_row + k + 1 - column) as f64);
    let observed = likelihood(a, mode, up);
    let (mut all, mut extreme) = (0.0, 0.0);
    let mut count = |weight: f64| {
        all += weight;
        if weight <= observed * EQUAL {
            extreme += weight;
        }
    };
    count(1.0);
    let mut weight = 1.0;
    for k in mode..highest {
        weight *= up(k);
        count(weight);
    }
    weight = 1.0;
    for k in (lowest..mode).rev() {
        weight /= up(k);
        count(weight);
    }
    Some(f64::min(extreme / all, 1.0))
}

/// How likely `k` is, where the most likely table is 1: by the same steps as in the sum, so that equal is equal.
fn likelihood(k: u64, mode: u64, up: impl Fn(u64) -> f64) -> f64 {
    if k >= mode {
        (mode..k).fold(1.0, |weight, at| weight * up(at))
    } else {
        (k..mode).rev().fold(1.0, |weight, at| weight / up(at))
    }
}
