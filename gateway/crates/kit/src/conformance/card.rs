//! The score card: what was proved, what was not, and what could not be asked.

use renmen_plugin_host::Plugin;
use serde::Serialize;

use super::catalogue::CheckFacts;

/// How one check ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum CheckVerdict {
    /// It holds.
    Passed,
    /// It does not.
    Failed {
        /// What was seen.
        seen: String,
        /// What to change.
        change: String,
    },
    /// It could not be asked.
    Skipped {
        /// Why it was skipped.
        why: String,
    },
}

impl CheckVerdict {
    /// It does not hold.
    pub(super) fn failed(seen: impl Into<String>, change: impl Into<String>) -> Self {
        Self::Failed { seen: seen.into(), change: change.into() }
    }

    /// It could not be asked.
    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }
}

/// One check with its end.
#[derive(Debug, Clone, Serialize)]
pub struct CheckOutcome {
    /// The check's id, which never changes.
    pub id: &'static str,
    /// What the check proves.
    pub proves: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub verdict: CheckVerdict,
}

/// One stream's checks.
#[derive(Debug, Clone, Serialize)]
pub struct StreamCard {
    /// The stream's name.
    pub stream: String,
    /// In the order of the catalogue.
    pub checks: Vec<CheckOutcome>,
}

impl StreamCard {
    pub(super) fn new(stream: &str) -> Self {
        Self { stream: stream.to_owned(), checks: Vec::new() }
    }

    pub(super) fn add(&mut self, facts: &CheckFacts, verdict: CheckVerdict) {
        self.checks.push(CheckOutcome { id: facts.id, proves: facts.proves, verdict });
    }

    pub(super) fn failed(&self, id: &str) -> bool {
        self.checks.iter().any(|check| check.id == id && matches!(check.verdict, CheckVerdict::Failed { .. }))
    }
}

/// The results of testing a connector.
#[derive(Debug, Clone, Serialize)]
pub struct ScoreCard {
    /// Its name.
    pub plugin: String,
    /// Its version.
    pub version: String,
    /// `sha256:…` of the component that was tested.
    pub digest: String,
    /// What was proved of the fixtures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fixtures: Vec<CheckOutcome>,
    /// What the connector logged over its fixtures.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<String>,
    /// In the order of the names.
    pub streams: Vec<StreamCard>,
    /// Parts of the connector that nothing was asked about, with the reason.
    pub untested: Vec<String>,
}

impl ScoreCard {
    pub(super) fn of(plugin: &Plugin) -> Self {
        let manifest = plugin.manifest();
        Self {
            plugin: manifest.name.clone(),
            version: manifest.version.clone(),
            digest: plugin.digest().to_owned(),
            fixtures: Vec::new(),
            lines: Vec::new(),
            streams: Vec::new(),
            untested: Vec::new(),
        }
    }

    /// Passed, failed and skipped.
    #[must_use]
    pub fn score(&self) -> (usize, usize, usize) {
        let mut score = (0, 0, 0);
        for check in self.streams.iter().flat_map(|stream| &stream.checks).chain(&self.fixtures) {
            match check.verdict {
                CheckVerdict::Passed => score.0 += 1,
                CheckVerdict::Failed { .. } => score.1 += 1,
                CheckVerdict::Skipped { .. } => score.2 += 1,
            }
        }
        score
    }

    /// Did everything hold that could be asked, and was something asked?
    #[must_use]
    pub fn passed(&self) -> bool {
        let (passed, failed, _) = self.score();
        passed > 0 && failed == 0
    }

    /// The ids of the checks of a stream that failed.
    #[must_use]
    pub fn failures(&self, stream: &str) -> Vec<&'static str> {
        let of_stream = self.streams.iter().filter(|card| card.stream == stream).flat_map(|card| &card.checks);
        of_stream.filter(|check| matches!(check.verdict, CheckVerdict::Failed { .. })).map(|check| check.id).collect()
    }

    /// For people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("{} {}\n", self.plugin, self.version);
        if !self.fixtures.is_empty() {
            text.push_str("\nfixtures\n");
            self.fixtures.iter().for_each(|check| text.push_str(&lines(check)));
        }
        if !self.lines.is_empty() {
            text.push_str("\nthe connector says\n");
            self.lines.iter().for_each(|line| text.push_str(&format!("  {line}\n")));
        }
        for stream in &self.streams {
            text.push_str(&format!("\nstream {}\n", stream.stream));
            for check in &stream.checks {
                text.push_str(&lines(check));
            }
        }
        if !self.untested.is_empty() {
            text.push_str("\nnot tested\n");
            self.untested.iter().for_each(|part| text.push_str(&format!("  {part}\n")));
        }
        let (passed, failed, skipped) = self.score();
        text.push_str(&format!("\n{passed} passed, {failed} failed, {skipped} skipped"));
        text
    }
}

fn lines(check: &CheckOutcome) -> String {
    let line = |word: &str, what: &str| format!("  {word}  {:<22} {what}\n", check.id);
    match &check.verdict {
        CheckVerdict::Passed => line("pass", check.proves),
        CheckVerdict::Skipped { why } => line("skip", why),
        CheckVerdict::Failed { seen, change } => {
            format!("{}        seen    {seen}\n        change  {change}\n", line("FAIL", check.proves))
        }
    }
}
