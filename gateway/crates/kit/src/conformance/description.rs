//! `conformance.toml`: what an author says about the vendor so that the kit can play it. See docs/conformance.md.

use std::collections::BTreeMap;
use std::path::Path;

use renmen_misbehave::model::{Described, Model, Serve};
use renmen_schema::types::Instant;
use serde::Deserialize;
use serde_json::Value;

use super::ConformanceError;

/// Records that a page is asked for, unless the description says otherwise: small, so that few rows make many pages.
const PAGE_DEFAULT: u32 = 3;

/// 2026-01-01T00:00Z, as `renmen_plugin::testing::Host` has it, in milliseconds.
const FIXTURES_NOW_MS: i64 = 1_767_225_600_000;
/// How often each stream may be pulled over the fixtures.
const RUNS: std::ops::RangeInclusive<u32> = 1..=10;

/// The whole file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Description {
    /// The connection's configuration. `{source}` is the address of the kit's server, `{canary}` a value that must not be told.
    #[serde(default)]
    pub config: Value,
    /// The streams to test.
    #[serde(default)]
    pub streams: BTreeMap<String, StreamDescription>,
    /// How the fixtures are played.
    #[serde(default)]
    pub fixtures: Fixtures,
    /// What is answered to requests that list nothing. Token requests of the manifest need no line here.
    #[serde(default)]
    pub serve: Vec<Serve>,
    /// The vendor's own errors.
    #[serde(default)]
    pub errors: Vec<VendorError>,
}

/// How the fixtures are played.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fixtures {
    /// The connection's configuration in them. None: that of the whole, where `{source}` is `https://vendor.example`.
    pub config: Option<Value>,
    /// What the connector takes for now, in RFC 3339. None: 2026-01-01T00:00:00Z.
    pub now: Option<String>,
    /// How often each stream is pulled, each time from where the last run ended: 1 to 10.
    pub runs: u32,
    /// Made-up secrets by slot, with which deliveries among the fixtures were signed.
    pub slots: BTreeMap<String, String>,
}

impl Fixtures {
    fn check(&self) -> Result<(), String> {
        if !RUNS.contains(&self.runs) {
            return Err(format!("fixtures.runs = {}: expected {} to {}", self.runs, RUNS.start(), RUNS.end()));
        }
        self.now_ms().map(drop)
    }

    /// What the connector takes for now, in milliseconds since 1970.
    pub(super) fn now_ms(&self) -> Result<i64, String> {
        let Some(text) = &self.now else { return Ok(FIXTURES_NOW_MS) };
        let at = Instant::parse(text).map(Instant::epoch_ms);
        at.map_err(|_| format!("fixtures.now = \"{text}\": expected a time, 2026-01-01T00:00:00Z"))
    }
}

impl Default for Fixtures {
    fn default() -> Self {
        Self { config: None, now: None, runs: 1, slots: BTreeMap::new() }
    }
}

/// One stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamDescription {
    /// Where its records come from.
    pub source: Described,
    /// Records that a page is asked for.
    #[serde(default = "page_default")]
    pub page: u32,
    /// External ids of records that are always there besides the rows.
    #[serde(default)]
    pub also: Vec<String>,
    /// Entities that the connector reports as gone for every row: the assignment of a leaver.
    #[serde(default)]
    pub tombstones: Vec<String>,
    /// What its members mean.
    #[serde(default)]
    pub fields: Fields,
    /// Values of the vendor with what they must become.
    #[serde(default)]
    pub cases: Vec<Case>,
}

fn page_default() -> u32 {
    PAGE_DEFAULT
}

/// What members of a record mean: pointers into the vendor's record, to pointers into the canonical one.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Fields {
    /// Members without which a record cannot be taken in.
    pub required: Vec<String>,
    /// Members that may be absent or null.
    pub optional: Vec<String>,
    /// Days.
    pub dates: BTreeMap<String, String>,
    /// Points in time.
    pub instants: BTreeMap<String, String>,
    /// Amounts and other decimals.
    pub money: BTreeMap<String, String>,
    /// Words of a vocabulary that may grow, to the coded value.
    pub codes: BTreeMap<String, String>,
    /// Members, with all that is in them, whose texts tell nothing of a person: names of fields and the like.
    pub plain: Vec<String>,
}

/// Values of the vendor, and what they must become.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Case {
    /// What it shows, for the card.
    pub say: String,
    /// Pointer into the vendor's record to value.
    pub set: BTreeMap<String, Value>,
    /// Pointer into the canonical record to value.
    #[serde(default)]
    pub expect: BTreeMap<String, Value>,
    /// The record must be rejected.
    #[serde(default)]
    pub reject: bool,
    /// It is about the unit of an amount: `8-10K`.
    #[serde(default)]
    pub unit: bool,
}

/// An answer of the vendor's that is an error, with any status.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VendorError {
    /// HTTP status.
    #[serde(default = "ok")]
    pub status: u16,
    /// JSON, or a text.
    pub body: Value,
    /// The failure that it must become: `rate-limited`.
    pub expect: String,
    /// The paths that answer so; none means every path that lists.
    #[serde(default)]
    pub paths: Vec<String>,
}

fn ok() -> u16 {
    200
}

/// The file of `--config`: how to connect to a source that runs already.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Against {
    /// The connection's configuration; `{source}` is the address of the kit's server, which passes on to the source.
    pub config: Value,
    /// Slot to the environment variable that holds its secret.
    pub slots: BTreeMap<String, String>,
    /// The streams to test; none means all of the manifest.
    pub streams: Vec<String>,
}

impl Description {
    /// All streams as one source, `rows` each, for `renmen plugin misbehave`. Where two streams are listed by the same
    /// request, the first by name answers.
    ///
    /// # Errors
    /// [`ConformanceError::Model`] for an example that does not fit.
    pub fn model(&self, rows: usize) -> Result<Model, ConformanceError> {
        let mut model = Model::new();
        for (name, stream) in &self.streams {
            model.add(name, stream.source.clone(), rows)?;
        }
        self.serve.iter().for_each(|constant| model.always(constant.clone()));
        Ok(model)
    }

    /// Reads the file and the fixtures that its examples name.
    ///
    /// # Errors
    /// [`ConformanceError::Description`] with line and column, or the example that is not there.
    pub fn read(path: &Path) -> Result<Self, ConformanceError> {
        let mut description: Self = read_toml(path)?;
        description
            .fixtures
            .check()
            .map_err(|reason| ConformanceError::Description { path: path.to_owned(), reason })?;
        let folder = path.parent().unwrap_or_else(|| Path::new("."));
        for (name, stream) in &mut description.streams {
            if let Value::String(place) = &stream.source.record {
                stream.source.record = example(folder, place).map_err(|reason| ConformanceError::Description {
                    path: path.to_owned(),
                    reason: format!("streams.{name}.source.record = \"{place}\": {reason}"),
                })?;
            }
        }
        Ok(description)
    }
}

/// Reads a TOML file as a type.
pub(super) fn read_toml<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ConformanceError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| ConformanceError::File { path: path.to_owned(), source })?;
    toml::from_str(&text)
        .map_err(|error| ConformanceError::Description { path: path.to_owned(), reason: error.to_string() })
}

/// `FILE#POINTER`: a value inside a JSON file.
fn example(folder: &Path, place: &str) -> Result<Value, String> {
    let (file, pointer) = place.split_once('#').ok_or("write FILE#POINTER, or the record as a table")?;
    let text = std::fs::read(folder.join(file)).map_err(|error| format!("{file}: {error}"))?;
    let whole: Value = serde_json::from_slice(&text).map_err(|error| format!("{file}: {error}"))?;
    whole.pointer(pointer).cloned().ok_or_else(|| format!("{file} holds nothing at `{pointer}`"))
}

/// Fills in what a configuration says of the test: the address of the source, and a value that must turn up nowhere.
pub(super) fn fill(value: &mut Value, url: &str, canary: &str) {
    match value {
        Value::String(text) => *text = text.replace("{source}", url).replace("{canary}", canary),
        Value::Array(items) => items.iter_mut().for_each(|item| fill(item, url, canary)),
        Value::Object(members) => members.values_mut().for_each(|member| fill(member, url, canary)),
        _ => {}
    }
}
