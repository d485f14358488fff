//! What was recorded, through the real component: `fixtures/*.http.json` must become the records of `fixtures/records.json`. This is what
//! `cargo test` does for a connector in Rust, for those who have this program alone.
//!
//! Actions and deliveries are in [`calls`](super::calls). Nothing is sent. Each stream is pulled from its beginning to the end of a run, and from there as often again as the description says.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use renmen_egress::{Connection, Egress, Tape};
use renmen_plugin_host::{Call, CallLimits, Envelope, Page, Plugin, Pull};
use renmen_schema::id::{ConnectionName, StreamName};
use renmen_schema::{EntityKind, canonicalize};
use renmen_vault::Secret;
use serde_json::{Value, json};
use tracing::instrument::WithSubscriber as _;

use super::calls::{self, Recalled};
use super::card::CheckVerdict;
use super::catalogue::{CheckFacts, FIXTURES};
use super::connect::spec_of;
use super::description::{Fixtures, fill};
use super::difference::{first_difference, readable};
use super::{CheckOutcome, ConformanceError};
use crate::budget;
use crate::recorded;
use crate::trial::Played;
use crate::watch::Watch;

/// The records that the fixtures must become.
pub(super) const RECORDS: &str = "records.json";
/// Where `{source}` leads in fixtures for which no configuration is said.
const SOURCE: &str = "https://vendor.example";
/// Records that a page is asked for, as `renmen_plugin::testing::Host` does it.
const PAGE_RECORDS: u32 = 1000;
/// A run that has not ended after this many pages never will.
const PAGES_MAX: usize = 10_000;
/// Nothing is sent, and so nothing takes time.
const TIMEOUT: Duration = Duration::from_secs(1);

/// The fixtures of a connector, and how they are played.
#[derive(Debug, Clone)]
pub(super) struct Recording {
    /// The folder.
    pub(super) folder: PathBuf,
    /// What the description says.
    table: Fixtures,
    /// The configuration of the description.
    config: Value,
}

/// What playing them brought.
#[derive(Default)]
struct Brought {
    records: Vec<Envelope>,
    rejects: Vec<String>,
    lines: Vec<String>,
    /// Why not all of it could be played.
    stopped: Option<String>,
}

/// The checks of the fixtures, and what the connector said; none where there are no fixtures to speak of.
pub(super) async fn check(
    recording: &Recording,
    plugin: &Arc<Plugin>,
) -> Result<(Vec<CheckOutcome>, Vec<String>), ConformanceError> {
    let outcome = |facts: &CheckFacts, verdict| CheckOutcome { id: facts.id, proves: facts.proves, verdict };
    let [records, taken, called] = FIXTURES;
    let calls = calls::read(&recording.folder)?;
    let mut outcomes = Vec::new();
    if !calls.is_empty() {
        outcomes.push(outcome(called, recording.called(plugin, &calls).await?));
    }
    if recorded::files(&recording.folder).is_empty() || plugin.manifest().streams.is_empty() {
        return Ok((outcomes, Vec::new()));
    }
    if !recording.folder.join(RECORDS).is_file() {
        let why = format!(
            "there is no fixtures/{RECORDS}: `renmen plugin test --update` writes what the fixtures become; read it"
        );
        outcomes.insert(0, outcome(records, CheckVerdict::skipped(why)));
        return Ok((outcomes, Vec::new()));
    }
    let brought = recording.play(plugin).await?;
    if let Some(why) = brought.stopped {
        let change = "mend the mapping, or record what is missing with `renmen plugin record`";
        outcomes.insert(0, outcome(records, CheckVerdict::failed(why, change)));
        return Ok((outcomes, brought.lines));
    }
    let of_streams =
        [outcome(records, recording.compare(&brought.records)?), outcome(taken, taken_in(&brought, plugin))];
    Ok((of_streams.into_iter().chain(outcomes).collect(), brought.lines))
}

/// Writes what the fixtures become now; gives the files.
pub(super) async fn update(recording: &Recording, plugin: &Arc<Plugin>) -> Result<Vec<PathBuf>, ConformanceError> {
    let mut files = Vec::new();
    let mut write = |name: &str, text: String| {
        let file = recording.folder.join(name);
        files.push(file.clone());
        std::fs::write(&file, text).map_err(|source| ConformanceError::File { path: file, source })
    };
    let calls = calls::read(&recording.folder)?;
    if !calls.is_empty() {
        write(calls::CALLS, calls::written(&recording.folder, &recording.make(plugin, &calls).await?)?)?;
    }
    if !recorded::files(&recording.folder).is_empty() && !plugin.manifest().streams.is_empty() {
        let brought = recording.play(plugin).await?;
        if let Some(why) = brought.stopped {
            return Err(ConformanceError::Usage(format!("{RECORDS} was not written: {why}")));
        }
        write(RECORDS, format!("{:#}\n", readable(&brought.records)))?;
    }
    if files.is_empty() {
        let folder = recording.folder.display();
        return Err(ConformanceError::Usage(format!("{folder} holds no *.http.json: there is nothing to be made of")));
    }
    Ok(files)
}

impl Recording {
    /// What becomes of each call.
    async fn make(&self, plugin: &Arc<Plugin>, calls: &[Recalled]) -> Result<Vec<Value>, ConformanceError> {
        let (config, played) = (self.config(), Arc::new(self.played()?));
        let way = self.way(plugin, &config)?;
        let tape: Arc<dyn Tape> = played;
        let mut became = Vec::new();
        for recalled in calls {
            let call = self.call(&config, &way, &tape)?;
            let watch = Watch::default();
            became.push(recalled.make(plugin, call).with_subscriber(watch.dispatch()).await?);
        }
        Ok(became)
    }

    async fn called(&self, plugin: &Arc<Plugin>, calls: &[Recalled]) -> Result<CheckVerdict, ConformanceError> {
        for (recalled, became) in calls.iter().zip(self.make(plugin, calls).await?) {
            if recalled.becomes.is_null() {
                let why =
                    format!("{}: `renmen plugin test --update` writes what becomes of it; read it", recalled.name());
                return Ok(CheckVerdict::skipped(why));
            }
            if let Some(difference) = first_difference(&json!([recalled.becomes]), &json!([became])) {
                let difference = difference.replacen("record 1 (`?`)", &recalled.name(), 1);
                let change =
                    "mend the mapping; if this is what you want: `renmen plugin test --update`, and read what changed";
                return Ok(CheckVerdict::failed(difference, change));
            }
        }
        Ok(CheckVerdict::Passed)
    }

    fn way(&self, plugin: &Plugin, config: &Value) -> Result<Arc<Connection>, ConformanceError> {
        let mut spec = spec_of(plugin, config, TIMEOUT)?;
        for (name, secret) in &self.table.slots {
            let slot = spec.slots.iter_mut().find(|(slot, _)| slot.as_str() == name);
            let Some((_, slot)) = slot else {
                return Err(ConformanceError::Usage(format!("fixtures.slots: the manifest has no slot `{name}`")));
            };
            slot.secret = Some(Secret::new(secret.clone()));
        }
        Ok(Egress::new()?.connect(spec)?)
    }

    fn played(&self) -> Result<Played, ConformanceError> {
        let mut exchanges = Vec::new();
        for file in recorded::files(&self.folder) {
            let (_, list) = recorded::read(&file).map_err(|unreadable| ConformanceError::Description {
                path: PathBuf::from(unreadable.place),
                reason: unreadable.why,
            })?;
            exchanges.extend(list.into_iter().map(recorded::Recorded::exchange));
        }
        Ok(Played::new(&exchanges))
    }

    async fn play(&self, plugin: &Arc<Plugin>) -> Result<Brought, ConformanceError> {
        let (config, played) = (self.config(), Arc::new(self.played()?));
        let way = self.way(plugin, &config)?;
        let tape: Arc<dyn Tape> = played.clone();
        let (watch, mut brought) = (Watch::default(), Brought::default());
        let runs = self.table.runs;
        for stream in plugin.manifest().streams.keys() {
            let mut cursor = None;
            for run in 1..=runs {
                let call = self.call(&config, &way, &tape)?;
                let pulled = pull(plugin, call, stream, cursor, &mut brought);
                match pulled.with_subscriber(watch.dispatch()).await {
                    Ok(next) => cursor = next,
                    Err(why) => {
                        let missed = played.missed().map(|asked| format!("no fixture answers {asked}"));
                        let why = missed.unwrap_or(why);
                        let nth = if runs == 1 { String::new() } else { format!(", run {run}") };
                        brought.stopped = Some(format!("stream {stream}{nth}: {why}"));
                        break;
                    }
                }
            }
            if brought.stopped.is_some() {
                break;
            }
        }
        brought.lines = watch.heard(|heard| heard.lines.clone());
        brought.lines.dedup();
        Ok(brought)
    }

    fn config(&self) -> Value {
        match &self.table.config {
            Some(config) => config.clone(),
            None => {
                let mut config = self.config.clone();
                fill(&mut config, SOURCE, "made-up");
                config
            }
        }
    }

    fn call(&self, config: &Value, way: &Arc<Connection>, tape: &Arc<dyn Tape>) -> Result<Call, ConformanceError> {
        let now_ms = self.table.now_ms().map_err(ConformanceError::Usage)?;
        Ok(Call {
            connection: ConnectionName::new("fixtures").map_err(|bad| ConformanceError::Usage(bad.to_string()))?,
            config: config.to_string().into_bytes().into(),
            limits: Arc::new(CallLimits { page_records_max: PAGE_RECORDS, ..budget::gateway_limits() }),
            egress: Arc::clone(way),
            tape: Arc::clone(tape),
            now_ms,
        })
    }

    fn compare(&self, records: &[Envelope]) -> Result<CheckVerdict, ConformanceError> {
        let file = self.folder.join(RECORDS);
        let text = std::fs::read(&file).map_err(|source| ConformanceError::File { path: file.clone(), source })?;
        let kept: Value = serde_json::from_slice(&text)
            .map_err(|error| ConformanceError::Description { path: file.clone(), reason: error.to_string() })?;
        Ok(match first_difference(&kept, &readable(records)) {
            None => CheckVerdict::Passed,
            Some(difference) => CheckVerdict::failed(
                difference,
                "mend the mapping; if this is what you want: `renmen plugin test --update`, and read what changed",
            ),
        })
    }
}

/// One run of a stream: where the next one begins.
async fn pull(
    plugin: &Plugin,
    call: Call,
    stream: &StreamName,
    mut cursor: Option<String>,
    brought: &mut Brought,
) -> Result<Option<String>, String> {
    for _ in 0..PAGES_MAX {
        let ask = Pull { stream: stream.clone(), cursor: cursor.clone(), only: Vec::new() };
        let page: Page = plugin.pull(call.clone(), ask).await.map_err(|error| budget::told(&error))?;
        brought.records.extend(page.records);
        let reject = |reject: renmen_plugin_host::Reject| {
            let id = reject.external_id.unwrap_or_default();
            format!("{} {id} ({}): {}", reject.entity, reject.pointer, reject.reason)
        };
        brought.rejects.extend(page.rejects.into_iter().map(reject));
        if page.has_more && page.next == cursor {
            return Err("the cursor stands still although the page says that there is more".to_owned());
        }
        cursor = page.next;
        if !page.has_more {
            return Ok(cursor);
        }
    }
    Err(format!("no end after {PAGES_MAX} pages"))
}

/// Would a gateway take all of it?
fn taken_in(brought: &Brought, plugin: &Plugin) -> CheckVerdict {
    let change =
        "mend the mapping, or take what is wrong out of the fixtures: a row that is refused belongs into `cases`";
    if let Some(reject) = brought.rejects.first() {
        return CheckVerdict::failed(format!("{} rejected; the first: {reject}", brought.rejects.len()), change);
    }
    if brought.records.is_empty() && !plugin.manifest().streams.is_empty() {
        return CheckVerdict::failed("the fixtures become no record at all", change);
    }
    for record in brought.records.iter().filter(|record| !record.deleted) {
        let refused = match EntityKind::from_name(&record.entity) {
            None => Some("no entity; `renmen schema` lists them".to_owned()),
            Some(kind) => canonicalize(kind, &record.payload)
                .err()
                .map(|defects| defects.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")),
        };
        if let Some(why) = refused {
            let (entity, id) = (&record.entity, &record.external_id);
            return CheckVerdict::failed(format!("{entity} {id}: {why}"), change);
        }
    }
    CheckVerdict::Passed
}

impl Recording {
    /// The actions that are among the calls, and whether a delivery is.
    pub(super) fn covers(&self) -> Result<(Vec<String>, bool), ConformanceError> {
        let calls = calls::read(&self.folder)?;
        let delivered = calls.iter().any(|call| call.delivery.is_some());
        Ok((calls.into_iter().filter_map(|call| call.action).collect(), delivered))
    }
}

/// The fixtures that stand next to a description.
pub(super) fn beside(folder: &Path, table: &Fixtures, config: &Value) -> Recording {
    Recording { folder: folder.join("fixtures"), table: table.clone(), config: config.clone() }
}
