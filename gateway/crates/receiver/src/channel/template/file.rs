//! The shape of a message's file, and where in it a text begins.

use std::collections::BTreeMap;
use std::ops::Range;

use serde::Deserialize;
use serde_spanned::Spanned;

use super::Part;

/// One message as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    /// One line for people. Built-in messages keep theirs.
    pub(super) description: Option<String>,
    /// Fields that the data may lack.
    #[serde(default)]
    pub(super) optional: Vec<Spanned<String>>,
    /// Every field with a value as it may come.
    pub(super) sample: Option<Spanned<toml::Table>>,
    /// Language (`zh`) to texts.
    #[serde(default)]
    pub(super) language: BTreeMap<Spanned<String>, Texts>,
}

/// The texts of one language. What is absent cannot be sent in that form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    subject: Option<Spanned<String>>,
    text: Option<Spanned<String>>,
    html: Option<Spanned<String>>,
    sms: Option<Spanned<String>>,
}

impl Texts {
    pub(super) fn get(&self, part: Part) -> Option<&Spanned<String>> {
        match part {
            Part::Subject => self.subject.as_ref(),
            Part::Text => self.text.as_ref(),
            Part::Html => self.html.as_ref(),
            Part::Sms => self.sms.as_ref(),
        }
    }
}

/// The file's line of an offset, from 1.
pub(super) fn line_at(source: &str, offset: usize) -> usize {
    source.as_bytes()[..offset.min(source.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// The file's line of a text's first line. A text in three quotes that begins with a line break begins on the next line.
pub(super) fn first_line(source: &str, span: &Range<usize>) -> usize {
    let literal = source.get(span.clone()).unwrap_or_default();
    let opened = literal.strip_prefix("\"\"\"").or_else(|| literal.strip_prefix("'''"));
    let below = opened.is_some_and(|rest| rest.starts_with('\n') || rest.starts_with("\r\n"));
    line_at(source, span.start) + usize::from(below)
}
