//! From the protocol's objects to canonical records. Pure: one object in, one record out.

mod adjustment;
mod hiring;
mod interview;
mod score;

pub use adjustment::adjustment;
pub use hiring::{application, candidate, order};
pub use interview::{answer, environment_event, interview, process_node};
pub use score::{dimension_score, result};

use renmen_plugin::Unfit;
use renmen_plugin::schema::types::{CodeSet, Coded, Instant, Localized, MediaRef, Score, ScoreScale, ZonedInstant};

use crate::vendor::{Media, Scale, Text};

/// The protocol's words are ours in lower case; one that we do not know is kept as it is.
fn coded<T: CodeSet>(word: &str) -> Coded<T> {
    Coded::from_raw(word, |word| T::from_code(&word.to_ascii_uppercase()))
}

fn time(field: &str, text: Option<&str>) -> Result<Option<Instant>, Unfit> {
    text.map(|text| Instant::parse(text).map_err(|e| Unfit::field(field, e))).transpose()
}

/// A time, in a zone where one is named.
fn zoned(field: &str, text: Option<&str>, zone: Option<&str>) -> Result<Option<ZonedInstant>, Unfit> {
    let Some(utc) = time(field, text)? else { return Ok(None) };
    let zoned = match zone {
        Some(zone) => ZonedInstant::from_epoch_ms_in(utc.epoch_ms(), zone),
        None => Ok(ZonedInstant::new(utc)),
    };
    zoned.map(Some).map_err(|e| Unfit::field("time_zone", e))
}

fn localized(field: &str, text: &Text) -> Result<Localized, Unfit> {
    match text {
        Text::Plain(text) => Ok(Localized::und(text.as_str())),
        Text::Tagged(tagged) => {
            let mut tags = tagged.iter();
            let (tag, text) = tags.next().ok_or_else(|| Unfit::field(field, "an object without a language"))?;
            let first = Localized::of(tag, text.as_str()).map_err(|e| Unfit::field(field, e))?;
            tags.try_fold(first, |all, (tag, text)| all.with(tag, text.as_str())).map_err(|e| Unfit::field(field, e))
        }
    }
}

fn score(field: &str, scale: &Scale) -> Result<Score, Unfit> {
    Score::on(ScoreScale::Raw, &scale.value, &scale.min, &scale.max).map_err(|e| Unfit::field(field, e))
}

fn some_score(field: &str, scale: Option<&Scale>) -> Result<Option<Score>, Unfit> {
    scale.map(|scale| score(field, scale)).transpose()
}

fn media(list: &[Media]) -> Result<Vec<MediaRef>, Unfit> {
    list.iter()
        .map(|file| {
            Ok(MediaRef {
                sha256: file.sha256.clone(),
                bytes: file.bytes,
                media_type: file.media_type.clone(),
                duration_ms: file.duration_ms,
                expires_at: time("expires_at", file.expires_at.as_deref())?,
                e2e: Some(file.e2e),
                ..MediaRef::new(file.uri.clone())
            })
        })
        .collect()
}
