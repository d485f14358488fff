//! `renmen plugin test`: the conformance kit.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use renmen_kit::build::Build;
use renmen_kit::conformance::{ConformanceError, Subject, test, update};
use renmen_kit::declared::is_declared;
use renmen_schema::Text;

use crate::exit::{Outcome, Usage};
use crate::output::Output;

/// What to test.
#[derive(Debug, Args)]
pub(crate) struct Ask {
    /// Directory of the connector (one in Rust or without code is built first), or a component.
    #[arg(default_value = ".")]
    path: PathBuf,
    /// Directory of conformance.toml; by default that of the component.
    #[arg(long)]
    fixtures: Option<PathBuf>,
    /// Test against a source that runs on this machine: `http://127.0.0.1:4040`.
    #[arg(long, requires = "connect")]
    against: Option<String>,
    /// How to connect to it: a TOML file with `config`, `slots.NAME = "VARIABLE"` and `streams`.
    #[arg(long, requires = "against", value_name = "FILE")]
    connect: Option<PathBuf>,
    /// First write what the fixtures become now to fixtures/records.json and fixtures/calls.json.
    #[arg(long, conflicts_with = "against")]
    update: bool,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Run cargo with --offline.
    #[arg(long)]
    offline: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A card for people.
    Text,
    /// One JSON document.
    Json,
    /// JUnit XML, for build servers.
    Junit,
}

/// Runs the command.
pub(crate) async fn run(out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    let path = built(&ask.path, ask.offline)?;
    let subject = match (&ask.against, &ask.connect) {
        (Some(url), Some(connect)) => Subject::running(&path, url, connect),
        _ => Subject::described(&path, ask.fixtures.as_deref()),
    };
    let subject = subject.map_err(told)?;
    if ask.update {
        // Apart from the card, which may be read by a program.
        for file in update(&subject, None).await.map_err(told)? {
            tracing::info!(file = %file.display(), "Fixture written");
        }
    }
    let card = test(&subject, None).await.map_err(told)?;
    match (ask.format, out.json) {
        (Format::Json, _) | (Format::Text, true) => out.document(&card)?,
        (Format::Text, false) => out.say(Text::verbatim(card.text())),
        (Format::Junit, _) => out.text(&card.junit()),
    }
    Ok(if card.passed() { Outcome::Done } else { Outcome::Failed })
}

/// The component of a folder with a connector in Rust or without code, built now: one that was built before would be proved instead of
/// what lies there. A connector in another language has a build of its own.
fn built(path: &Path, offline: bool) -> anyhow::Result<PathBuf> {
    if !path.join("Cargo.toml").is_file() && !is_declared(path) {
        return Ok(path.to_owned());
    }
    Ok(Build { folder: path.to_owned(), out: None, offline }.run()?.path)
}

/// What an author can mend is wrong usage.
fn told(error: ConformanceError) -> anyhow::Error {
    match error {
        ConformanceError::Serve(_) | ConformanceError::Component(_) => error.into(),
        other => Usage(Text::rendered(|| other.to_string())).into(),
    }
}
