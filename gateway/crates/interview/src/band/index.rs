//! The bands of one tenant as they stand, and which of them a question is about.

use std::collections::{HashMap, HashSet};

use renmen_schema::code::{BandStatus, BandVisibility};
use renmen_schema::entity::{BandKey, PayBand};
use renmen_schema::id::RecordId;
use renmen_schema::types::{Incomparable, LocalDate, Money, PayInterval, Ref};

/// What is asked about: what is known of the position. A band is for it when everything that the band names is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BandKeyAsk {
    /// The position's id at the vendor, or our record's id.
    pub position: Option<String>,
    /// Its name.
    pub position_name: Option<String>,
    /// Family of jobs.
    pub job_family: Option<String>,
    /// Level.
    pub level: Option<String>,
    /// Grade.
    pub grade: Option<String>,
    /// Where.
    pub location: Option<String>,
}

/// A question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandAsk {
    /// About which position.
    pub key: BandKeyAsk,
    /// What the candidate expects.
    pub expected: Money,
    /// For which time.
    pub per: PayInterval,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within the band, its ends included.
    In,
    /// Outside.
    Out,
    /// Nobody can say.
    Unknown(Unknown),
}

/// Why nobody can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// No band for this position that may be asked about.
    NoBand,
    /// The band is in another currency, or for another time: nothing is converted in silence.
    UnitMismatch,
    /// Several bands are for it alike, and they differ.
    Ambiguous,
}

/// An answer with what it was made from, for the record of the question alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BandAnswer {
    /// The answer.
    pub verdict: Verdict,
    /// The bands that decided, with the revision that was read.
    pub bands: Vec<(RecordId, i64)>,
}

impl Verdict {
    /// As it is told: `in`, `out`, `unknown`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::Out => "out",
            Self::Unknown(_) => "unknown",
        }
    }
}

impl Unknown {
    /// As it is told: `no_band`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::NoBand => "no_band",
            Self::UnitMismatch => "unit_mismatch",
            Self::Ambiguous => "ambiguous",
        }
    }
}

/// One band as it stands.
struct Band {
    revision: i64,
    body: PayBand,
    anchor: String,
}

/// Every band of one tenant.
#[derive(Default)]
pub struct BandIndex {
    bands: HashMap<RecordId, Band>,
    /// What a band is found by: the most telling of what it names.
    anchors: HashMap<String, HashSet<RecordId>>,
}

impl std::fmt::Debug for BandIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BandIndex").field("bands", &self.bands.len()).finish()
    }
}

impl BandIndex {
    /// Takes a band in, or its newer revision. One that may not be asked about is taken out.
    pub fn put(&mut self, id: RecordId, revision: i64, body: PayBand) {
        self.remove(id);
        let asked_about = body.visibility != BandVisibility::Internal && body.status == BandStatus::Active;
        let Some(anchor) = anchor(&body.key).filter(|_| asked_about) else { return };
        self.anchors.entry(anchor.clone()).or_default().insert(id);
        self.bands.insert(id, Band { revision, body, anchor });
    }

    /// Takes a band out.
    pub fn remove(&mut self, id: RecordId) {
        let Some(band) = self.bands.remove(&id) else { return };
        if let Some(ids) = self.anchors.get_mut(&band.anchor) {
            ids.remove(&id);
            if ids.is_empty() {
                self.anchors.remove(&band.anchor);
            }
        }
    }

    /// How many may be asked about.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bands.len()
    }

    /// None?
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bands.is_empty()
    }

    /// Answers for this day. Of the bands that are for the position, those that name most of it decide.
    #[must_use]
    pub fn answer(&self, ask: &BandAsk, today: LocalDate) -> BandAnswer {
        let mut best: Vec<(RecordId, &Band)> = Vec::new();
        let mut most = 0;
        for (id, band) in self.candidates(&ask.key) {
            let Some(named) = named_alike(&band.body.key, &ask.key).filter(|_| is_valid(&band.body, today)) else {
                continue;
            };
            if named > most {
                best.clear();
                most = named;
            }
            if named == most {
                best.push((id, band));
            }
        }
        best.sort_by_key(|(id, _)| *id);
        let answers: Vec<_> = best.iter().map(|(_, band)| band.body.range.contains(&ask.expected, ask.per)).collect();
        BandAnswer { verdict: verdict(&answers), bands: best.iter().map(|(id, band)| (*id, band.revision)).collect() }
    }

    fn candidates<'a>(&'a self, key: &'a BandKeyAsk) -> impl Iterator<Item = (RecordId, &'a Band)> + 'a {
        let asked = [
            ("position", &key.position),
            ("position_name", &key.position_name),
            ("job_family", &key.job_family),
            ("grade", &key.grade),
            ("level", &key.level),
        ];
        asked
            .into_iter()
            .filter_map(|(field, value)| self.anchors.get(&anchor_text(field, value.as_deref()?)))
            .flatten()
            .filter_map(|id| Some((*id, self.bands.get(id)?)))
    }
}

fn verdict(answers: &[Result<bool, Incomparable>]) -> Verdict {
    if answers.is_empty() {
        return Verdict::Unknown(Unknown::NoBand);
    }
    // Bands of other units beside one that can be compared say nothing against it.
    let mut said = answers.iter().filter_map(|answer| answer.ok());
    let Some(first) = said.next() else { return Verdict::Unknown(Unknown::UnitMismatch) };
    match (said.all(|other| other == first), first) {
        (false, _) => Verdict::Unknown(Unknown::Ambiguous),
        (true, true) => Verdict::In,
        (true, false) => Verdict::Out,
    }
}

fn is_valid(band: &PayBand, today: LocalDate) -> bool {
    band.validity.as_ref().is_none_or(|v| v.valid_from <= today && v.valid_to.is_none_or(|to| today <= to))
}

/// How much of the position a band names; none when it names something else.
fn named_alike(band: &BandKey, ask: &BandKeyAsk) -> Option<usize> {
    // A legal entity is not asked about, so a band for one alone is for nobody who asks.
    if band.legal_entity.is_some() {
        return None;
    }
    let mut named = 0;
    if let Some(position) = &band.position {
        let asked = ask.position.as_deref()?;
        if !ids_of(position).any(|id| id == asked.trim()) {
            return None;
        }
        named += 1;
    }
    let texts = [
        (&band.position_name, &ask.position_name),
        (&band.job_family, &ask.job_family),
        (&band.level, &ask.level),
        (&band.grade, &ask.grade),
        (&band.location, &ask.location),
    ];
    for (of_band, asked) in texts {
        if let Some(of_band) = of_band {
            if fold(of_band) != fold(asked.as_deref()?) {
                return None;
            }
            named += 1;
        }
    }
    Some(named)
}

fn ids_of<E>(reference: &Ref<E>) -> impl Iterator<Item = String> {
    let own = reference.id.map(|id| id.to_string());
    own.into_iter().chain(reference.external.as_ref().map(|external| external.value.clone()))
}

fn anchor(key: &BandKey) -> Option<String> {
    let position = key.position.as_ref().and_then(|position| {
        let external = position.external.as_ref().map(|external| external.value.clone());
        external.or_else(|| position.id.map(|id| id.to_string()))
    });
    let named = [
        ("position", position.as_ref()),
        ("position_name", key.position_name.as_ref()),
        ("job_family", key.job_family.as_ref()),
        ("grade", key.grade.as_ref()),
        ("level", key.level.as_ref()),
    ];
    named.into_iter().find_map(|(field, value)| Some(anchor_text(field, value?)))
}

fn anchor_text(field: &str, value: &str) -> String {
    format!("{field}={}", fold(value))
}

/// People write the same level as `P5`, `p5` and ` P5`.
fn fold(text: &str) -> String {
    text.trim().to_lowercase()
}

#[cfg(test)]
mod tests;
