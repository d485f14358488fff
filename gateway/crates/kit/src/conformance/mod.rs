//! The conformance kit: proves of a connector what a gateway relies on, without an account at its vendor.
//!
//! An author describes the vendor in a `conformance.toml` ([`Description`]): one record as an example, the requests that list
//! it, and where its dates, amounts and codes end up. The kit serves a source made after it, changes and spoils that source
//! (`renmen-misbehave`), and pulls with the real component in the real host through the real way out ([`Bed`]). Every check
//! of the [`CATALOGUE`] is a sentence that holds or does not; what cannot be asked of a connector is skipped with the reason
//! and never counted as passed.
//!
//! It must not know one vendor, one connector, or how a run of the gateway commits.
//!
//! Reading order: [`Description`], [`CATALOGUE`], [`test`], `bed`, `check`.

mod bed;
mod calls;
mod card;
mod catalogue;
mod check;
mod connect;
mod description;
mod difference;
mod error;
mod fixtures;
mod junit;
mod pulled;
mod secrets;
mod subject;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use renmen_plugin_host::{HostOptions, Plugin, PluginHost};

use bed::Bed;
pub use card::{CheckOutcome, CheckVerdict, ScoreCard, StreamCard};
pub use catalogue::{CATALOGUE, CheckFacts, FIXTURES};
pub use description::{Against, Description, Fixtures, StreamDescription};
pub use error::ConformanceError;
pub use subject::Subject;

/// Runs every check on a connector, stream by stream.
///
/// # Errors
/// What stops the kit itself: a component that does not load, a description that cannot be used. A connector that fails
/// is not an error: the card shows it.
pub async fn test(subject: &Subject, cache_dir: Option<&Path>) -> Result<ScoreCard, ConformanceError> {
    let plugin = load(subject, cache_dir).await?;
    let mut card = ScoreCard::of(&plugin);
    card.untested = subject.untested(&plugin)?;
    if let Some(recording) = &subject.recording {
        (card.fixtures, card.lines) = fixtures::check(recording, &plugin).await?;
    }
    for name in subject.streams(&plugin)? {
        let bed = Bed::new(subject, Arc::clone(&plugin), &name).await?;
        let mut stream = StreamCard::new(&name);
        for facts in CATALOGUE {
            let broken = facts.needs.iter().find(|id| stream.failed(id));
            let verdict = match broken {
                Some(id) => {
                    CheckVerdict::skipped(format!("`{id}` failed: this cannot be judged before that is mended"))
                }
                None if facts.modelled && !bed.is_modelled() => {
                    CheckVerdict::skipped("the source's records are not known: describe it in a conformance.toml")
                }
                None => check::run(facts.id, &bed).await,
            };
            stream.add(facts, verdict);
        }
        card.streams.push(stream);
    }
    Ok(card)
}

/// Writes what the fixtures become now into the files that it is compared with; gives those files.
///
/// # Errors
/// As [`test`]; [`ConformanceError::Usage`] without fixtures, and where not all of them can be played.
pub async fn update(subject: &Subject, cache_dir: Option<&Path>) -> Result<Vec<PathBuf>, ConformanceError> {
    let Some(recording) = &subject.recording else {
        return Err(ConformanceError::Usage("only fixtures next to a conformance.toml become records".to_owned()));
    };
    fixtures::update(recording, &load(subject, cache_dir).await?).await
}

async fn load(subject: &Subject, cache_dir: Option<&Path>) -> Result<Arc<Plugin>, ConformanceError> {
    let host = PluginHost::new(HostOptions { cache_dir: cache_dir.map(Path::to_owned), dev: true })?;
    Ok(host.load_bytes(subject.component.clone(), None).await?)
}
