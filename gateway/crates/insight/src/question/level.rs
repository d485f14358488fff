//! Did someone show a higher level than the one that is hired for?
//!
//! Then that level is suggested with its whole band: how well the person matches was asked for the other level, and says nothing
//! about their place within this one.

use renmen_schema::code::{BandStatus, PayInputReason, PaySuggestionInput};
use renmen_schema::entity::{Application, PayBand, PaySuggestion, SuggestionInput};
use renmen_schema::types::Ref;

use super::known::Known;

/// Levels from the lowest to the highest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Levels(Vec<String>);

/// What the comparison of two levels says.
#[derive(Debug, Clone, PartialEq)]
pub enum LevelAnswer {
    /// The level shown is the one hired for, or below.
    Stays,
    /// A higher level was shown: the suggestion to change to it.
    Change(Box<PaySuggestion>),
    /// A higher level was shown, and there is no active band for it.
    NoBand,
    /// One of the two is not among the levels.
    UnknownLevel,
}

impl Levels {
    /// From the lowest to the highest.
    #[must_use]
    pub fn new(levels: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self(levels.into_iter().map(Into::into).collect())
    }

    fn place(&self, level: &str) -> Option<usize> {
        self.0.iter().position(|known| known == level)
    }

    /// Compares the level hired for with the one that was assessed. `bands` are the bands of the position or family; `version` names
    /// the rule in the suggestion.
    #[must_use]
    pub fn compare(
        &self,
        application: Ref<Application>,
        hired_for: &str,
        assessed: Known<'_, String>,
        bands: &[Known<'_, PayBand>],
        version: &str,
    ) -> LevelAnswer {
        let (Some(from), Some(to)) = (self.place(hired_for), self.place(assessed.value)) else {
            return LevelAnswer::UnknownLevel;
        };
        if to <= from {
            return LevelAnswer::Stays;
        }
        let of_level = |band: &&Known<'_, PayBand>| {
            band.value.status == BandStatus::Active && band.value.key.level.as_deref() == Some(assessed.value.as_str())
        };
        let Some(band) = bands.iter().find(of_level) else { return LevelAnswer::NoBand };
        let level = SuggestionInput {
            reference: Some(assessed.reference()),
            value: Some(assessed.value.clone()),
            provenance: Some(assessed.connection.to_owned()),
            reason: Some(PayInputReason::RaisesLevel),
            ..SuggestionInput::new(PaySuggestionInput::Level)
        };
        let hired_for = SuggestionInput {
            value: Some(hired_for.to_owned()),
            reason: Some(PayInputReason::ComparesLevel),
            ..SuggestionInput::new(PaySuggestionInput::Level)
        };
        let of_band = SuggestionInput {
            band: Some(Ref::to(band.id)),
            reference: Some(band.reference()),
            provenance: Some(band.connection.to_owned()),
            reason: Some(PayInputReason::LimitsRange),
            ..SuggestionInput::new(PaySuggestionInput::Band)
        };
        LevelAnswer::Change(Box::new(PaySuggestion {
            level: Some(assessed.value.clone()),
            inputs: vec![level, hired_for, of_band],
            ..PaySuggestion::new(application, band.value.range.clone(), version.to_owned())
        }))
    }
}
