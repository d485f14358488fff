//! The statistics that questions are answered with. Numbers in, numbers out: nothing here knows what they measure.
//!
//! Each function says which definition it follows, because there are several of most of them; tests compare them with SciPy
//! and statsmodels. What is not defined for the numbers at hand (no spread, nothing to compare) is `None`, never a NaN.

mod correlation;
mod difference;
mod fisher;
mod multiple;
mod normal;
mod proportion;
mod quantile;
mod rank_sum;

pub use correlation::{Coefficient, Correlation, Paired, Scale, needed_sample, pearson, spearman};
pub use difference::{Difference, difference_of_correlations};
pub use fisher::fisher_exact;
pub use multiple::{Correction, adjusted};
pub use proportion::{TwoProportions, two_proportions, wilson};
pub use quantile::{median, quantile};
pub use rank_sum::{RankSum, rank_sum};

/// The ends of a confidence interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}
