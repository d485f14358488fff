//! When a correlation counts as a prediction, when it counts as none, and when neither may be said.

use crate::figure::PValue;
use crate::stats::{Coefficient, Correction, Correlation, needed_sample};

/// When something counts as a prediction.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Standard {
    /// The coefficient that is judged. The other one is shown.
    pub coefficient: Coefficient,
    /// How p values are corrected.
    pub correction: Correction,
    /// A corrected p value below this is not chance: 0.05.
    pub alpha: f64,
    /// From here on a correlation matters: 0.3.
    pub relevant: f64,
    /// With fewer people nothing is judged: 30.
    pub sample_min: u64,
    /// Of the intervals: 0.95.
    pub confidence: f64,
}

impl Default for Standard {
    fn default() -> Self {
        Self {
            coefficient: Coefficient::Pearson,
            correction: Correction::BenjaminiHochberg,
            alpha: 0.05,
            relevant: 0.3,
            sample_min: 30,
            confidence: 0.95,
        }
    }
}

/// What may be said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Too few people; nothing is said.
    TooFew {
        /// How many are needed.
        needed: u64,
    },
    /// All have the same score or the same outcome.
    NoSpread,
    /// A higher score goes with a better outcome, not by chance, and by enough to matter.
    Predicts,
    /// A higher score goes with a worse outcome.
    Reversed,
    /// If there is a correlation, it is below what matters.
    NotPredictive,
    /// It may predict or not.
    Unclear {
        /// How many people would tell, if the correlation stays the same; absent where it is on the line.
        needed: Option<u64>,
    },
}

impl Standard {
    /// What may be said of a correlation of `n` people. "Does not predict" needs evidence as much as "predicts": the whole interval
    /// below what matters.
    #[must_use]
    pub fn verdict(&self, n: u64, found: Option<&Correlation>, p: Option<PValue>) -> Verdict {
        if n < self.sample_min {
            return Verdict::TooFew { needed: self.sample_min };
        }
        let Some(found) = found else { return Verdict::NoSpread };
        let by_chance = p.is_none_or(|p| p.adjusted >= self.alpha);
        if !by_chance && found.r >= self.relevant {
            Verdict::Predicts
        } else if !by_chance && found.r <= -self.relevant {
            Verdict::Reversed
        } else if found.interval.high < self.relevant && found.interval.low > -self.relevant {
            Verdict::NotPredictive
        } else {
            Verdict::Unclear { needed: needed_sample(found.r, self.relevant, self.confidence) }
        }
    }
}
