//! Pearson's and Spearman's correlation with confidence interval and p value.
//!
//! Pairs are kept as two places in scales of distinct values, so that ranks cost a count instead of a sort. They are added up in an
//! order that does not depend on how they came, sorted by value or by whose they are: the result is the same, bit by bit.

use super::Interval;
use super::normal::{correlation_tails, reach};

/// Which coefficient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Coefficient {
    /// Of the values: how well a straight line fits.
    Pearson,
    /// Of the ranks, average ranks for ties: how well one rises with the other.
    Spearman,
}

/// A correlation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Correlation {
    /// Pairs.
    pub n: u64,
    /// From -1 to 1.
    pub r: f64,
    /// By Fisher's z. The standard error is `1/√(n-3)` for Pearson, and `√((1+r²/2)/(n-3))` for Spearman (Bonett and Wright).
    pub interval: Interval,
    /// Two-sided, by Student's t with `n - 2` degrees of freedom.
    pub p: f64,
}

/// Distinct values in rising order. A value is known by its place.
#[derive(Debug, Clone, Default)]
pub struct Scale(Vec<f64>);

impl Scale {
    /// Of values in any order; one that is not a number has no place.
    #[must_use]
    pub fn of(values: impl Iterator<Item = f64>) -> Self {
        // Adding zero makes one value of the two zeros.
        let mut distinct: Vec<f64> = values.filter(|value| !value.is_nan()).map(|value| value + 0.0).collect();
        distinct.sort_unstable_by(f64::total_cmp);
        distinct.dedup();
        Self(distinct)
    }

    /// The place of a value that the scale has.
    #[must_use]
    pub fn place(&self, value: f64) -> Option<u32> {
        let found = self.0.binary_search_by(|known| known.total_cmp(&(value + 0.0)));
        found.ok().and_then(|place| u32::try_from(place).ok())
    }
}

/// Pairs of places in two scales.
#[derive(Debug)]
pub struct Paired<'s> {
    packed: Vec<u64>,
    x: &'s Scale,
    y: &'s Scale,
}

impl<'s> Paired<'s> {
    /// No pairs yet.
    #[must_use]
    pub fn new(x: &'s Scale, y: &'s Scale) -> Self {
        Self { packed: Vec::new(), x, y }
    }

    /// Adds a pair of places.
    pub fn push(&mut self, x: u32, y: u32) {
        self.packed.push(u64::from(x) << 32 | u64::from(y));
    }

    /// Number of pairs.
    #[must_use]
    pub fn len(&self) -> usize {
        self.packed.len()
    }

    /// Are there no pairs?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.packed.is_empty()
    }

    /// Puts the pairs in the order of their values. For pairs that did not come in an order of their own.
    pub fn sort(&mut self) {
        self.packed.sort_unstable();
    }

    /// The correlation of the pairs in their order; none for fewer than three of them, or where one side has no spread.
    #[must_use]
    pub fn correlation(&self, coefficient: Coefficient, confidence: f64) -> Option<Correlation> {
        let r = match coefficient {
            Coefficient::Pearson => self.product_moment(&self.x.0, &self.y.0)?,
            Coefficient::Spearman => {
                let x = self.average_ranks(self.x.0.len(), first);
                let y = self.average_ranks(self.y.0.len(), second);
                self.product_moment(&x, &y)?
            }
        };
        let n = self.packed.len() as u64;
        Some(Correlation { n, r, interval: interval(coefficient, r, n, confidence), p: correlation_tails(r, n) })
    }

    fn product_moment(&self, x: &[f64], y: &[f64]) -> Option<f64> {
        if self.packed.len() < 3 || !self.has_spread(first) || !self.has_spread(second) {
            return None;
        }
        // Looked up once: the places of a large scale are all over the memory.
        let pairs: Vec<(f64, f64)> = self.packed.iter().map(|pair| (x[first(pair)], y[second(pair)])).collect();
        let n = pairs.len() as f64;
        let (sum_x, sum_y) = pairs.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        let (mean_x, mean_y) = (sum_x / n, sum_y / n);
        let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
        for (x, y) in pairs {
            let (dx, dy) = (x - mean_x, y - mean_y);
            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
        let r = xy / (xx * yy).sqrt();
        r.is_finite().then(|| r.clamp(-1.0, 1.0))
    }

    /// By places, because a sum of equal floats can leave a remainder that looks like spread.
    fn has_spread(&self, side: fn(&u64) -> usize) -> bool {
        let mut sides = self.packed.iter().map(side);
        sides.next().is_some_and(|one| sides.any(|other| other != one))
    }

    fn average_ranks(&self, places: usize, side: fn(&u64) -> usize) -> Vec<f64> {
        let mut counts = vec![0_u32; places];
        for pair in &self.packed {
            counts[side(pair)] += 1;
        }
        let mut below = 0.0;
        let ranks = counts.into_iter().map(|count| {
            let rank = below + (f64::from(count) + 1.0) / 2.0;
            below += f64::from(count);
            rank
        });
        ranks.collect()
    }
}

fn first(pair: &u64) -> usize {
    (pair >> 32) as usize
}

fn second(pair: &u64) -> usize {
    (pair & u64::from(u32::MAX)) as usize
}

fn interval(coefficient: Coefficient, r: f64, n: u64, confidence: f64) -> Interval {
    if n <= 3 {
        return Interval { low: -1.0, high: 1.0 };
    }
    let width = match coefficient {
        Coefficient::Pearson => 1.0,
        Coefficient::Spearman => 1.0 + r * r / 2.0,
    };
    let error = (width / (n - 3) as f64).sqrt() * reach(confidence);
    Interval { low: (r.atanh() - error).tanh(), high: (r.atanh() + error).tanh() }
}

/// How many pairs an interval of this confidence needs to tell `r` from `bound`, by Fisher's z; none where they are equal.
#[must_use]
pub fn needed_sample(r: f64, bound: f64, confidence: f64) -> Option<u64> {
    let apart = (r.atanh() - bound.atanh()).abs();
    let needed = (reach(confidence) / apart).powi(2) + 3.0;
    (needed.is_finite() && needed < 1e12).then(|| needed.ceil() as u64)
}

/// Pearson's correlation of two lists of the same length.
#[must_use]
pub fn pearson(x: &[f64], y: &[f64], confidence: f64) -> Option<Correlation> {
    of_lists(Coefficient::Pearson, x, y, confidence)
}

/// Spearman's correlation of two lists of the same length.
#[must_use]
pub fn spearman(x: &[f64], y: &[f64], confidence: f64) -> Option<Correlation> {
    of_lists(Coefficient::Spearman, x, y, confidence)
}

fn of_lists(coefficient: Coefficient, x: &[f64], y: &[f64], confidence: f64) -> Option<Correlation> {
    if x.len() != y.len() {
        return None;
    }
    let (x_scale, y_scale) = (Scale::of(x.iter().copied()), Scale::of(y.iter().copied()));
    let mut paired = Paired::new(&x_scale, &y_scale);
    for (x, y) in x.iter().zip(y) {
        paired.push(x_scale.place(*x)?, y_scale.place(*y)?);
    }
    paired.sort();
    paired.correlation(coefficient, confidence)
}
