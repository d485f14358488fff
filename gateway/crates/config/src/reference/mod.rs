//! Every key of `connectors.toml` as data: its type, unit, default, meaning and an example. The page docs/configuration.md and the
//! JSON Schema for editors are made from it.
//!
//! Must not know how a value is read. A test asks the reader of each section which keys it takes, writes each default and each
//! example into a file, and so keeps this list equal to what is read.

mod connection;
mod export;
mod flow;
mod gateway;
mod identity;
mod insight;
mod interview;
mod journal;
mod page;
mod receiver;
mod schema;
mod server;

use std::borrow::Cow;
use std::time::Duration;

pub use page::configuration_page;
pub use schema::configuration_schema;

use crate::{LimitSpec, duration, quantity, show_bytes, show_duration};

/// How a value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueKind {
    /// Any text.
    Text,
    /// A name: 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter.
    Name,
    /// A file or directory, relative to the configuration file.
    Path,
    /// The name of an environment variable.
    Variable,
    /// `true` or `false`.
    Flag,
    /// A whole number.
    Count,
    /// A number.
    Number,
    /// `"64MiB"`, or plain bytes.
    Bytes,
    /// `"30s"`, `"15m"`: a whole number with `ms`, `s`, `m`, `h` or `d`.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A list of texts.
    Texts,
    /// A list of texts, each one of these words.
    SomeOf(&'static [&'static str]),
    /// A list of numbers.
    Numbers,
    /// A text, or a list of texts.
    TextOrTexts,
    /// A table with the keys of the section of this id.
    Table(&'static str),
    /// A table whose keys are names of your choice, each with the keys of the section of this id.
    Named(&'static str),
    /// A table whose keys are names of your choice, each a value of texts.
    Map(&'static ValueKind),
    /// Anything; it is checked where it is used.
    Any,
}

/// One key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeySpec {
    /// The key within its section.
    pub name: &'static str,
    /// How its value is written.
    pub kind: ValueKind,
    /// The default as it would be written, or in words within round brackets; empty without one.
    pub default: Cow<'static, str>,
    /// A value as it would be written.
    pub example: Cow<'static, str>,
    /// One or two sentences.
    pub meaning: &'static str,
    /// Must it be written?
    pub required: bool,
    /// Other lines that the example needs.
    pub needs: &'static str,
    /// A required key whose place it takes.
    pub instead_of: &'static str,
}

const fn key(
    name: &'static str,
    kind: ValueKind,
    default: &'static str,
    example: &'static str,
    meaning: &'static str,
) -> KeySpec {
    let (default, example) = (Cow::Borrowed(default), Cow::Borrowed(example));
    KeySpec { name, kind, default, example, meaning, required: false, needs: "", instead_of: "" }
}

impl KeySpec {
    const fn required(mut self) -> Self {
        self.required = true;
        self
    }

    const fn needs(mut self, lines: &'static str) -> Self {
        self.needs = lines;
        self
    }

    const fn instead_of(mut self, key: &'static str) -> Self {
        self.instead_of = key;
        self
    }

    /// The default as it would be written; `None` where there is no default, or where it depends on something else.
    #[must_use]
    pub fn default_value(&self) -> Option<&str> {
        (!self.default.is_empty() && !self.default.starts_with('(')).then_some(&self.default)
    }
}

/// One table of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SectionSpec {
    /// What other sections call it: its path, with the kind where a path has several.
    pub id: &'static str,
    /// Its path in the file: `connections.NAME.grant`.
    pub path: &'static str,
    /// The id of the section that it is in; empty for the file.
    pub within: &'static str,
    /// What it is for.
    pub meaning: &'static str,
    /// Its keys, in the order of the page.
    pub keys: Vec<KeySpec>,
    /// Is every key that is not listed refused here? Where not, another part of the gateway checks the table.
    pub closed: bool,
}

fn section(
    id: &'static str,
    path: &'static str,
    within: &'static str,
    meaning: &'static str,
    keys: &[KeySpec],
) -> SectionSpec {
    SectionSpec { id, path, within, meaning, keys: keys.to_vec(), closed: true }
}

/// The tables of the file, in the order of the page.
#[must_use]
pub fn sections() -> Vec<SectionSpec> {
    let mut all = gateway::sections();
    all.extend(server::sections());
    all.extend(connection::sections());
    all.extend(interview::sections());
    all.extend(identity::sections());
    all.extend(insight::sections());
    all.extend(flow::sections());
    all.extend(journal::sections());
    all.extend(export::sections());
    all.extend(receiver::sections());
    all
}

/// The keys of a table of limits; their ranges are in docs/limits.md too.
fn limit_keys(limits: &[LimitSpec]) -> Vec<KeySpec> {
    let quoted = |text: &str| format!("\"{text}\"");
    let mut keys = Vec::with_capacity(limits.len());
    for limit in limits {
        let (kind, default, example) = match limit.unit {
            "bytes" => (ValueKind::Bytes, quoted(&limit.default), quoted(&other_bytes(limit))),
            "duration" => (ValueKind::Duration, quoted(&limit.default), quoted(&other_duration(limit))),
            "share" => (ValueKind::Number, limit.default.clone(), other_share(limit)),
            "number" if limit.default.starts_with("the ") => {
                (ValueKind::Count, format!("({})", limit.default), "100000".to_owned())
            }
            "number" => (ValueKind::Count, limit.default.clone(), other_count(limit)),
            _ => (
                ValueKind::Table("limits.rate"),
                format!("({})", limit.default),
                "{ requests = 20, per = \"1s\", burst = 5 }".to_owned(),
            ),
        };
        let spec = key(limit.name, kind, "", "", limit.meaning);
        keys.push(KeySpec { default: default.into(), example: example.into(), ..spec });
    }
    keys
}

/// Twice the default, or half of it where that is too much: an example that is not the default.
fn other(default: u64, most: u64) -> u64 {
    match default {
        0 => most.min(10),
        default if default.saturating_mul(2) <= most => default * 2,
        default => default / 2,
    }
}

fn other_count(limit: &LimitSpec) -> String {
    let number = |text: &str| text.parse().unwrap_or(u64::MAX);
    other(number(&limit.default), number(&limit.most)).to_string()
}

fn other_bytes(limit: &LimitSpec) -> String {
    let bytes = |text: &str| quantity::bytes(text).unwrap_or(u64::MAX);
    show_bytes(other(bytes(&limit.default), bytes(&limit.most)))
}

fn other_duration(limit: &LimitSpec) -> String {
    let ms = |text: &str| duration(text).map_or(u64::MAX, |d| u64::try_from(d.as_millis()).unwrap_or(u64::MAX));
    // Of an age that is not set: a quarter of a year.
    let other = match ms(&limit.default) {
        0 => ms(&limit.most).min(90 * 86_400_000),
        default => other(default, ms(&limit.most)),
    };
    show_duration(Duration::from_millis(other))
}

fn other_share(limit: &LimitSpec) -> String {
    limit.default.parse::<f64>().map_or_else(|_| limit.least.clone(), |share| (share / 2.0).to_string())
}
