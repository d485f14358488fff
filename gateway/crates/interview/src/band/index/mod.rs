//! The bands of one tenant as they stand, and which of them a job is paid within.

use std::collections::{HashMap, HashSet};

use renmen_schema::code::{BandStatus, BandVisibility};
use renmen_schema::entity::{BandKey, Job, PayBand};
use renmen_schema::id::{ConnectionName, RecordId};
use renmen_schema::types::{LocalDate, Money, PayInterval, Ref};

use super::grid::Span;

/// What the gateway knows of a job, as bands name jobs. A band is for it when everything that the band names is said here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct JobFacts {
    /// Is there a record of it, or only a reference?
    pub known: bool,
    /// Its ids, and those of the job that it is a posting or requisition of.
    pub ids: Vec<JobId>,
    /// Its codes.
    pub codes: Vec<String>,
    /// Its names, in every language.
    pub titles: Vec<String>,
    /// Family of jobs.
    pub family: Option<String>,
    /// Its lowest and its highest level; empty where it has none.
    pub levels: Vec<String>,
    /// Where it is; empty where nothing is said.
    pub locations: Vec<String>,
    /// The band that the job names itself, where it names one; empty when that is not there. No other is looked for then.
    pub own: Option<Vec<RecordId>>,
}

/// An id of a job: our record's, its source's, or both.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobId {
    /// Our record's.
    pub record: Option<RecordId>,
    /// In the system of this connection.
    pub external: Option<(ConnectionName, String)>,
}

impl JobFacts {
    /// Takes in what a job says; what was said before, by a posting of it, stands.
    pub fn add(&mut self, job: &Job) {
        self.known = true;
        self.codes.extend(job.code.clone());
        self.titles.extend(job.title.iter().map(|(_, text)| text.to_owned()));
        if self.family.is_none() {
            self.family.clone_from(&job.job_family);
        }
        if self.levels.is_empty() {
            self.levels.extend([&job.min_level, &job.max_level].into_iter().flatten().cloned());
        }
        if self.locations.is_empty() {
            self.locations.clone_from(&job.locations);
        }
    }
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Within the band, its ends included.
    In,
    /// Outside.
    Out,
    /// The gateway cannot say.
    Unknown(Unknown),
}

/// Why the gateway cannot say. None of these depends on the amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// The job of the application is not known.
    NoJob,
    /// The job is known, and no band for it that may be asked about.
    NoBand,
    /// The band is in another currency, or for another time: nothing is converted in silence.
    UnitMismatch,
    /// Several bands are for the job alike, and they differ.
    Ambiguous,
    /// The band lies between two amounts that answers cannot tell apart.
    TooNarrow,
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
            Self::NoJob => "no_job",
            Self::NoBand => "no_band",
            Self::UnitMismatch => "unit_mismatch",
            Self::Ambiguous => "ambiguous",
            Self::TooNarrow => "too_narrow",
        }
    }

    /// What is missing, in a sentence.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::NoJob => "the gateway does not know the job of this application yet",
            Self::NoBand => "the gateway has no pay band for this job that may be asked about",
            Self::UnitMismatch => {
                "the pay band of this job is in another currency or for another time, and nothing is converted"
            }
            Self::Ambiguous => "the pay bands for this job contradict each other",
            Self::TooNarrow => "the pay band of this job is narrower than answers can tell amounts apart",
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

/// One level and one place of a job: what a band is looked for.
#[derive(Clone, Copy)]
struct Spot<'a> {
    job: &'a JobFacts,
    level: Option<&'a str>,
    location: Option<&'a str>,
}

/// A band that is for a spot.
type Found<'a> = (RecordId, &'a Band);

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

    /// Answers for this day, with amounts told apart to so many digits.
    ///
    /// Of the bands that are for the job those that name most of it decide. A job of two levels or several places is paid from the
    /// lowest to the highest of their bands; each of them must have one.
    #[must_use]
    pub fn answer(
        &self,
        job: &JobFacts,
        (expected, per): (&Money, PayInterval),
        digits: u32,
        today: LocalDate,
    ) -> BandAnswer {
        let (mut span, mut decided): (Option<Span>, Vec<Found<'_>>) = (None, Vec::new());
        let mut why = None;
        for spot in spots(job) {
            let found = self.best(spot, today);
            match alike(&found, (expected, per), digits) {
                Ok(of_spot) => span = Some(span.map_or(of_spot, |span| span.with(of_spot))),
                Err(unknown) => why = why.or(Some(unknown)),
            }
            decided.extend(found);
        }
        decided.sort_by_key(|(id, _)| *id);
        decided.dedup_by_key(|(id, _)| *id);
        let verdict = match (why, span) {
            (Some(Unknown::NoBand), _) if !job.known => Verdict::Unknown(Unknown::NoJob),
            (Some(unknown), _) => Verdict::Unknown(unknown),
            (None, None) => Verdict::Unknown(Unknown::NoBand),
            (None, Some(span)) if span.is_empty() => Verdict::Unknown(Unknown::TooNarrow),
            (None, Some(span)) if span.holds(expected.amount) => Verdict::In,
            (None, Some(_)) => Verdict::Out,
        };
        BandAnswer { verdict, bands: decided.iter().map(|(id, band)| (*id, band.revision)).collect() }
    }

    /// The bands that name most of a spot.
    fn best(&self, spot: Spot<'_>, today: LocalDate) -> Vec<Found<'_>> {
        if let Some(own) = &spot.job.own {
            let there = own.iter().filter_map(|id| Some((*id, self.bands.get(id)?)));
            return there.filter(|(_, band)| is_valid(&band.body, today)).collect();
        }
        let mut best: Vec<Found<'_>> = Vec::new();
        let mut most = 0;
        for (id, band) in self.candidates(spot) {
            let Some(named) = named_alike(&band.body.key, spot).filter(|_| is_valid(&band.body, today)) else {
                continue;
            };
            if named > most {
                best.clear();
                most = named;
            }
            if named == most && best.iter().all(|(known, _)| *known != id) {
                best.push((id, band));
            }
        }
        best
    }

    /// The bands that name something of a spot.
    fn candidates(&self, spot: Spot<'_>) -> Vec<Found<'_>> {
        let JobFacts { ids, codes, titles, family, .. } = spot.job;
        let ids = ids.iter().flat_map(|id| {
            let record = id.record.map(|record| record.to_string());
            record.into_iter().chain(id.external.as_ref().map(|(_, value)| value.clone()))
        });
        let anchors = ids
            .map(|id| anchor_text("position", &id))
            .chain(codes.iter().map(|code| anchor_text("position", code)))
            .chain(titles.iter().map(|title| anchor_text("position_name", title)))
            .chain(family.iter().map(|family| anchor_text("job_family", family)))
            .chain(spot.level.iter().map(|level| anchor_text("level", level)));
        let found = anchors.filter_map(|anchor| self.anchors.get(&anchor)).flatten();
        found.filter_map(|id| Some((*id, self.bands.get(id)?))).collect()
    }
}

/// Each level of a job at each of its places.
fn spots(job: &JobFacts) -> Vec<Spot<'_>> {
    let (levels, locations) = (each(&job.levels), each(&job.locations));
    let at = |level| locations.iter().map(move |location| Spot { job, level, location: *location });
    levels.into_iter().flat_map(at).collect()
}

fn each(texts: &[String]) -> Vec<Option<&str>> {
    if texts.is_empty() { vec![None] } else { texts.iter().map(|text| Some(text.as_str())).collect() }
}

/// What the bands that fit a spot equally well say. Where one of them can be compared, those in other units do not
/// contradict it.
fn alike(found: &[Found<'_>], (expected, per): (&Money, PayInterval), digits: u32) -> Result<Span, Unknown> {
    if found.is_empty() {
        return Err(Unknown::NoBand);
    }
    let comparable = |band: &&Band| band.body.range.contains(expected, per).is_ok();
    let mut spans =
        found.iter().map(|(_, band)| *band).filter(comparable).map(|band| Span::of(&band.body.range, digits));
    let first = spans.next().ok_or(Unknown::UnitMismatch)?;
    if spans.all(|other| other == first) { Ok(first) } else { Err(Unknown::Ambiguous) }
}

fn is_valid(band: &PayBand, today: LocalDate) -> bool {
    band.validity.as_ref().is_none_or(|v| v.valid_from <= today && v.valid_to.is_none_or(|to| today <= to))
}

/// How much of a spot a band names; none when it names something else.
fn named_alike(band: &BandKey, spot: Spot<'_>) -> Option<usize> {
    // The legal entity and the grade of a job are not known, so a band for one of them is for no job.
    if band.legal_entity.is_some() || band.grade.is_some() {
        return None;
    }
    let job = spot.job;
    let mut named = 0;
    if let Some(position) = &band.position {
        if !is_of(position, job) {
            return None;
        }
        named += 1;
    }
    let said = |texts: &[String], wanted: &str| texts.iter().any(|text| fold(text) == wanted);
    if let Some(name) = &band.position_name {
        if !said(&job.titles, &fold(name)) {
            return None;
        }
        named += 1;
    }
    let texts = [(&band.job_family, job.family.as_deref()), (&band.level, spot.level), (&band.location, spot.location)];
    for (of_band, of_job) in texts {
        if let Some(of_band) = of_band {
            if fold(of_band) != fold(of_job?) {
                return None;
            }
            named += 1;
        }
    }
    Some(named)
}

/// Does a band's reference name this job? One that does not say whose id it is was written by people: by the id or the code that
/// they see in the system that the job is in.
fn is_of(position: &Ref<Job>, job: &JobFacts) -> bool {
    if position.id.is_some() && job.ids.iter().any(|id| id.record == position.id) {
        return true;
    }
    let Some(named) = &position.external else { return false };
    let by_id = job.ids.iter().filter_map(|id| id.external.as_ref()).any(|(connection, value)| {
        named.connection.as_ref().is_none_or(|of| of == connection) && fold(&named.value) == fold(value)
    });
    by_id || named.connection.is_none() && job.codes.iter().any(|code| fold(code) == fold(&named.value))
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
        ("level", key.level.as_ref()),
        ("grade", key.grade.as_ref()),
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
