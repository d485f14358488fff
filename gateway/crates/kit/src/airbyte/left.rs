//! What of a manifest could not be carried over, each with the place where the manifest says it.

use std::fmt;

use serde::Serialize;

use super::yaml::Node;

/// Something that was left behind.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Left {
    /// The line in the manifest, from 1.
    pub line: usize,
    /// The keys that lead to it in the manifest.
    pub at: String,
    /// The construct: `SessionTokenAuthenticator`, `record_filter`.
    pub what: String,
    /// What that means for the connector.
    pub why: String,
}

impl fmt::Display for Left {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {}): {}: {}", self.at, self.line, self.what, self.why)
    }
}

/// All of it. What several streams share is told once.
#[derive(Debug, Default)]
pub(super) struct Lefts(Vec<Left>);

impl Lefts {
    pub(super) fn add(&mut self, node: &Node, what: impl Into<String>, why: impl Into<String>) {
        let at = if node.at.is_empty() { "the manifest" } else { &node.at };
        let left = Left { line: node.line, at: at.to_owned(), what: what.into(), why: why.into() };
        if !self.0.contains(&left) {
            self.0.push(left);
        }
    }

    /// In the order of the lines.
    pub(super) fn sorted(mut self) -> Vec<Left> {
        self.0.sort();
        self.0
    }
}
