//! The distributions, behind names of ours: the only place that names the crate that computes them.

use statrs::distribution::{ContinuousCDF, Normal};
use statrs::function::beta::beta_reg;
use statrs::function::erf::erfc;

/// Both tails of the standard normal distribution beyond `z`.
pub(super) fn two_sided(z: f64) -> f64 {
    erfc(z.abs() / std::f64::consts::SQRT_2)
}

/// The upper tail of the standard normal distribution.
pub(super) fn upper_tail(z: f64) -> f64 {
    erfc(z / std::f64::consts::SQRT_2) / 2.0
}

/// How many standard errors an interval reaches to each side.
pub(super) fn reach(confidence: f64) -> f64 {
    Normal::standard().inverse_cdf(0.5 + confidence / 2.0)
}

/// Both tails of the distribution of a correlation of `n` pairs without any relation: Student's t with `n - 2` degrees of
/// freedom, in the form that loses no digits where the correlation is close to one.
pub(super) fn correlation_tails(r: f64, n: u64) -> f64 {
    if n < 3 {
        return 1.0;
    }
    let unexplained = ((1.0 - r) * (1.0 + r)).clamp(0.0, 1.0);
    if unexplained == 1.0 { 1.0 } else { beta_reg((n - 2) as f64 / 2.0, 0.5, unexplained) }
}
