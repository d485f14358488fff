//! `[flows.NAME]`: kept as it stands, with the place of everything, because what a flow means is known where flows run: there the
//! same definition may come over the API. What is found wrong with it comes back here to be told with line and column.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use renmen_schema::id::TenantId;
use serde_json::Value;

use crate::error::{ConfigError, PROBLEMS_MAX, Problem};
use crate::excerpt;
use crate::section::Node;

/// Flows in one file.
pub(crate) const FLOWS_MAX: usize = 200;

/// One flow of the file.
#[derive(Clone)]
pub struct Flow {
    /// `tenant`; by default that of `[gateway]`.
    pub tenant: TenantId,
    /// Everything else, as JSON.
    pub definition: Value,
    /// Its key in the file: `flows.NAME`.
    key: String,
    text: Arc<str>,
    places: BTreeMap<String, Range<usize>>,
}

/// What is wrong with a flow.
#[derive(Debug, Clone)]
pub struct FlowProblem {
    /// Its key within the flow: `when.if`; empty for the whole.
    pub key: String,
    /// Where in that key's text, in characters from 0.
    pub at: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: String,
}

// The text of the file may hold a secret (`--dev`).
impl std::fmt::Debug for Flow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow")
            .field("tenant", &self.tenant)
            .field("definition", &self.definition)
            .finish_non_exhaustive()
    }
}

impl PartialEq for Flow {
    fn eq(&self, other: &Self) -> bool {
        (&self.tenant, &self.definition) == (&other.tenant, &other.definition)
    }
}

impl Flow {
    pub(crate) fn read(node: &Node<'_>, tenant: &TenantId, text: &Arc<str>) -> Option<Self> {
        let mut section = node.section()?;
        let tenant = section.get("tenant").map_or_else(|| Some(tenant.clone()), |node| node.named());
        let mut definition = node.json()?;
        if let Value::Object(object) = &mut definition {
            object.remove("tenant");
        }
        let mut places = BTreeMap::new();
        collect(node, &mut places);
        places.insert(node.key().to_owned(), node.key_span());
        Some(Self { tenant: tenant?, definition, key: node.key().to_owned(), text: Arc::clone(text), places })
    }

    /// The error of a flow that cannot be used, with the place of each problem in the file.
    #[must_use]
    pub fn refuse(&self, path: &Path, problems: &[FlowProblem]) -> ConfigError {
        let mut told: Vec<(usize, Problem)> = problems.iter().map(|problem| self.place(problem)).collect();
        told.sort_by_key(|(offset, _)| *offset);
        let more = told.len().saturating_sub(PROBLEMS_MAX);
        let problems = told.into_iter().take(PROBLEMS_MAX).map(|(_, problem)| problem).collect();
        ConfigError { path: path.to_owned(), problems, more }
    }

    fn place(&self, problem: &FlowProblem) -> (usize, Problem) {
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
        let span = problem.at.and_then(|at| self.within(&key, &span, at)).unwrap_or(span);
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

    /// The place of a character of a text, where the file has it as it is (no escapes, no variables before it).
    fn within(&self, key: &str, span: &Range<usize>, at: usize) -> Option<Range<usize>> {
        let inner = key.strip_prefix(&self.key)?.trim_start_matches('.');
        let pointer: String = inner.split(['.', '[']).map(|part| format!("/{}", part.trim_end_matches(']'))).collect();
        let value = self.definition.pointer(&pointer)?.as_str()?;
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
