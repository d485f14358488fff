//! Scores with the scale that they are on.

use super::{Decimal, Localized};
use crate::check::{BadValue, Walk};
use crate::shape::{codes, shape};
use crate::{Text, text};

codes! {
    /// What kind of scale a score is on.
    pub closed enum ScoreScale {
        Raw "RAW",
        Percent "PERCENT",
        Percentile "PERCENTILE",
        Stars "STARS",
        Level "LEVEL",
        Sten "STEN",
        Stanine "STANINE",
        TScore "T",
        ZScore "Z",
        Gpa "GPA",
    }
}

shape! {
    /// A score with the ends of its scale. The place on the scale from 0 to 1 is derived by the gateway, never sent.
    pub struct Score {
        /// Within `min` and `max`.
        pub value: Decimal,
        /// The lowest that the scale has.
        pub min: Decimal,
        /// The highest that the scale has.
        pub max: Decimal,
        /// The kind of scale.
        pub scale: ScoreScale,
        /// The word for this score: "excellent".
        pub label: Option<Localized>,
        /// The words of the scale from the lowest to the highest.
        pub level_options: Vec<Localized>,
    }
    rules score_rules
}

impl Score {
    /// From texts, on a scale of points.
    ///
    /// # Errors
    /// `bad_decimal`, `bad_score` when the value is outside the scale.
    pub fn raw(value: &str, min: &str, max: &str) -> Result<Self, BadValue> {
        Self::on(ScoreScale::Raw, value, min, max)
    }

    /// Per cent, 0 to 100.
    ///
    /// # Errors
    /// `bad_decimal`, `bad_score` when the value is outside the scale.
    pub fn percent(value: &str) -> Result<Self, BadValue> {
        Self::on(ScoreScale::Percent, value, "0", "100")
    }

    /// From texts, on any scale.
    ///
    /// # Errors
    /// `bad_decimal`, `bad_score` when the value is outside the scale.
    pub fn on(scale: ScoreScale, value: &str, min: &str, max: &str) -> Result<Self, BadValue> {
        let score = Self::new(Decimal::parse(value)?, Decimal::parse(min)?, Decimal::parse(max)?, scale);
        match score.fault() {
            None => Ok(score),
            Some((_, fault)) => Err(BadValue::new("bad_score", fault)),
        }
    }

    /// The place on the scale: 0 at `min`, 1 at `max`, to six digits, without zeros at the end. None for a scale without extent or a value outside it.
    #[must_use]
    pub fn norm(&self) -> Option<Decimal> {
        if self.fault().is_some() {
            return None;
        }
        let extent = self.max.value() - self.min.value();
        let norm = (self.value.value() - self.min.value()).checked_div(extent)?.round_dp(6);
        Decimal::try_from(norm.normalize()).ok()
    }

    fn fault(&self) -> Option<(&'static str, Text)> {
        if self.min >= self.max {
            Some(("max", text!("a scale that does not rise; expected min < max", "量表没有递增；应为 min < max")))
        } else if self.value < self.min || self.value > self.max {
            Some((
                "value",
                text!(
                    "a value outside its scale; expected min <= value <= max",
                    "值超出量表；应为 min <= value <= max"
                ),
            ))
        } else {
            None
        }
    }
}

fn score_rules(score: &Score, walk: &mut Walk<'_>) {
    if let Some((field, fault)) = score.fault() {
        walk.defect_in(field, "bad_score", fault);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::{Score, ScoreScale};
    use crate::check::Walk;
    use crate::types::Decimal;

    #[test]
    fn the_norm_is_the_place_on_the_scale() {
        assert_eq!(Score::percent("85").unwrap().norm().unwrap().to_string(), "0.85");
        assert_eq!(Score::raw("3", "1", "5").unwrap().norm().unwrap().to_string(), "0.5");
        assert_eq!(Score::raw("1", "0", "3").unwrap().norm().unwrap().to_string(), "0.333333");
        assert_eq!(Score::on(ScoreScale::ZScore, "-3", "-3", "3").unwrap().norm().unwrap().to_string(), "0");
    }

    #[test]
    fn a_value_outside_its_scale_is_refused() {
        assert_eq!(Score::percent("100.01").unwrap_err().code, "bad_score");
        assert!(Score::percent("100").is_ok());
        assert!(Score::raw("1", "5", "5").is_err());
        let outside = Score::new(Decimal::from(6), Decimal::from(1), Decimal::from(5), ScoreScale::Stars);
        assert_eq!(outside.norm(), None);
        assert_eq!(Walk::over(&outside)[0].path, "/value");
    }
}
