//! Where everything of one table stands in the file, kept for what is found wrong with it only later: a flow where flows run, a
//! connection where its plugin is known. What is found comes back here to be told with line and column.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use renmen_schema::Text;

use crate::error::{ConfigError, PROBLEMS_MAX, Problem};
use crate::excerpt;
use crate::section::Node;

/// What is wrong with a table that was read.
#[derive(Debug, Clone)]
pub struct LateProblem {
    /// Its key within the table: `when.if`, `grant.hosts`; empty for the whole.
    pub key: String,
    /// Where in that key's text, in characters from 0.
    pub at: Option<usize>,
    /// What is wrong.
    pub message: Text,
    /// What to do about it.
    pub help: Text,
}

/// The places of one table and of all that is in it.
#[derive(Clone)]
pub(crate) struct Places {
    /// Its key in the file: `flows.NAME`.
    key: String,
    text: Arc<str>,
    places: BTreeMap<String, Range<usize>>,
}

// The text of the file may hold a secret (`--dev`).
impl std::fmt::Debug for Places {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Places").field("key", &self.key).finish_non_exhaustive()
    }
}

/// Values are equal regardless of where they stand in the file.
impl PartialEq for Places {
    fn eq(&self, _other: &Self) -> bool {
        true
    }
}

impl Places {
    pub(crate) fn of(node: &Node<'_>, text: &Arc<str>) -> Self {
        let mut places = BTreeMap::new();
        collect(node, &mut places);
        places.insert(node.key().to_owned(), node.key_span());
        Self { key: node.key().to_owned(), text: Arc::clone(text), places }
    }

    /// Is this key of the table in the file?
    pub(crate) fn has(&self, key: &str) -> bool {
        self.places.contains_key(&format!("{}.{key}", self.key))
    }

    /// The error of all of it. `text_of` gives the value of a key whose text a problem is `at`.
    pub(crate) fn refuse(
        &self,
        path: &Path,
        problems: &[LateProblem],
        text_of: impl Fn(&str) -> Option<String>,
    ) -> ConfigError {
        let mut told: Vec<(usize, Problem)> = problems.iter().map(|problem| self.place(problem, &text_of)).collect();
        told.sort_by_key(|(offset, _)| *offset);
        let more = told.len().saturating_sub(PROBLEMS_MAX);
        let problems = told.into_iter().take(PROBLEMS_MAX).map(|(_, problem)| problem).collect();
        ConfigError { path: path.to_owned(), problems, more }
    }

    fn place(&self, problem: &LateProblem, text_of: impl Fn(&str) -> Option<String>) -> (usize, Problem) {
        let mut key = match problem.key.as_str() {
            "" => self.key.clone(),
            inner => format!("{}.{inner}", self.key),
        };
        let shown = key.clone();
        // What is missing has no place of its own: that of the table it is missing in.
        let span = loop {
            if let Some(span) = self.places.get(&key) {
                break span.clone();
            }
            match key.rfind(['.', '[']) {
                Some(end) => key.truncate(end),
                None => break 0..0,
            }
        };
        let inner = key.strip_prefix(&self.key).unwrap_or_default().trim_start_matches('.');
        let within = problem.at.and_then(|at| self.within(&text_of(inner)?, &span, at));
        let span = within.unwrap_or(span);
        let (line, column) = excerpt::place(&self.text, span.start);
        let told = Problem {
            line,
            column,
            key: shown,
            message: problem.message.clone(),
            help: problem.help.clone(),
            excerpt: excerpt::render(&self.text, &span),
        };
        (span.start, told)
    }

    /// The place of a character of a text, if the file holds it unchanged (without escapes, and without variables before it).
    fn within(&self, value: &str, span: &Range<usize>, at: usize) -> Option<Range<usize>> {
        let before: String = value.chars().take(at).collect();
        let begins = self.text.get(span.clone())?.find(before.as_str()).map(|offset| span.start + offset)?;
        // Behind the quotes when nothing stands before it.
        let quotes = if before.is_empty() {
            value.chars().next().and_then(|first| self.text.get(span.clone())?.find(first)).unwrap_or(0)
        } else {
            0
        };
        let start = begins + before.len() + quotes;
        (start <= span.end).then(|| start..(start + 1).min(span.end.max(start + 1)))
    }
}

fn collect(node: &Node<'_>, places: &mut BTreeMap<String, Range<usize>>) {
    places.insert(node.key().to_owned(), node.span());
    if let Some(section) = node.as_table() {
        for (_, inner) in section.nodes() {
            collect(&inner, places);
        }
    } else if let Some(items) = node.as_list() {
        items.iter().for_each(|item| collect(item, places));
    }
}
