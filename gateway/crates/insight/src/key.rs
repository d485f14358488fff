//! Compact keys and numbers: hundreds of thousands of them are kept at once.

use renmen_schema::types::{Decimal, Score};

/// A record, as the store counts it: unique among the records of all kinds. The adapter makes ids of the few that are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key(pub u64);

/// A whole, in millionths.
const ONE: u32 = 1_000_000;

/// A place on a scale from 0 to 1, in millionths. Exact: `Score::norm` has six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Norm(u32);

impl Norm {
    /// The place of a score on its scale; none for a score outside of it.
    #[must_use]
    pub fn of(score: &Score) -> Option<Self> {
        Self::from_millionths(u32::try_from(Millionths::of(score.norm()?).0).ok()?)
    }

    /// From millionths; none above 1.
    #[must_use]
    pub fn from_millionths(millionths: u32) -> Option<Self> {
        (millionths <= ONE).then_some(Self(millionths))
    }

    /// In millionths.
    #[must_use]
    pub fn millionths(self) -> u32 {
        self.0
    }

    /// For statistics.
    #[must_use]
    pub fn as_f64(self) -> f64 {
        f64::from(self.0) / f64::from(ONE)
    }
}

/// An exact number in millionths: a canonical decimal has at most six digits after the point, so sums of them are exact in
/// whichever order they are added.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millionths(pub i128);

impl Millionths {
    /// Of a decimal.
    #[must_use]
    pub fn of(decimal: Decimal) -> Self {
        let value = decimal.value();
        Self(value.mantissa() * 10_i128.pow(6_u32.saturating_sub(value.scale())))
    }

    /// The mean of `n` numbers with this sum.
    #[must_use]
    pub fn mean(self, n: u32) -> f64 {
        self.0 as f64 / f64::from(n) / f64::from(ONE)
    }
}

impl std::ops::AddAssign for Millionths {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
