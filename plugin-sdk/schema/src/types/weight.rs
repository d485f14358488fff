//! Weights in basis points, so that sums and comparisons are exact.

use super::Decimal;
use crate::check::{BadValue, Walk};
use crate::shape::shape;
use crate::text;

/// A whole: 100 % in basis points.
const WHOLE_BP: u16 = 10_000;

shape! {
    /// A share of a whole in basis points: 2500 is 25 %.
    pub struct Weight {
        /// 0 to 10,000.
        #[keyword("maximum", 10_000)]
        pub bp: u16,
        /// What the weight is a share of, where there is more than one scheme.
        pub scheme: Option<String>,
    }
    rules weight_rules
}

/// A sum of weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WeightSum {
    /// In basis points.
    pub bp: u64,
    /// Exactly a whole.
    pub complete: bool,
}

impl Weight {
    /// From per cent: `"12.5"` is 1250 basis points.
    ///
    /// # Errors
    /// `bad_weight` for more than 100 %, less than 0, or a part of a basis point: it is never rounded.
    pub fn from_percent(percent: &str) -> Result<Self, BadValue> {
        let refuse = || {
            BadValue::new(
                "bad_weight",
                text!(
                    "expected 0 to 100 per cent with at most two digits after the point",
                    "应为 0 到 100 的百分比，小数最多两位"
                ),
            )
        };
        let bp = Decimal::parse(percent)?.value() * rust_decimal::Decimal::ONE_HUNDRED;
        if !bp.is_integer() || bp > rust_decimal::Decimal::from(WHOLE_BP) {
            return Err(refuse());
        }
        Ok(Self::new(u16::try_from(bp).map_err(|_| refuse())?))
    }

    /// The exact sum; nothing is normalised.
    pub fn sum<'w>(weights: impl IntoIterator<Item = &'w Self>) -> WeightSum {
        let bp = weights.into_iter().map(|w| u64::from(w.bp)).sum();
        WeightSum { bp, complete: bp == u64::from(WHOLE_BP) }
    }
}

fn weight_rules(weight: &Weight, walk: &mut Walk<'_>) {
    if weight.bp > WHOLE_BP {
        walk.defect_in(
            "bp",
            "bad_weight",
            text!("{} basis points; expected 0 to {WHOLE_BP}", "{} 个基点；应为 0 到 {WHOLE_BP}", weight.bp),
        );
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::Weight;
    use crate::check::Walk;

    #[test]
    fn thirty_and_twenty_five_and_fifteen_are_no_whole_r13() {
        let weights: Vec<_> = ["30", "25", "15"].iter().map(|p| Weight::from_percent(p).unwrap()).collect();
        let sum = Weight::sum(&weights);
        assert_eq!((sum.bp, sum.complete), (7000, false));
        let rest = Weight::from_percent("30").unwrap();
        assert!(Weight::sum(weights.iter().chain([&rest])).complete);
    }

    #[test]
    fn a_weight_is_never_rounded() {
        assert_eq!(Weight::from_percent("12.5").unwrap().bp, 1250);
        assert_eq!(Weight::from_percent("33.33").unwrap().bp, 3333);
        for percent in ["33.333", "100.01", "-1", "101", "a"] {
            assert!(Weight::from_percent(percent).is_err(), "{percent}");
        }
        assert_eq!(Walk::over(&Weight::new(10_001))[0].path, "/bp");
        assert!(Walk::over(&Weight::new(10_000)).is_empty());
    }
}
