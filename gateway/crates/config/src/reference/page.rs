//! The page docs/configuration.md.

use std::fmt::Write as _;

use super::{KeySpec, SectionSpec, ValueKind, sections};

const HEAD: &str = "# Configuration

Every key of `connectors.toml`. This page is generated from the code: do not edit it; run the tests of renmen-config with
`RENMEN_UPDATE_DOCS=1` instead. A commented example is [connectors.toml](../connectors.toml).

- An unknown key is an error, with its line and column; all errors of a file are reported at once. `renmen check` also verifies what
  only the plugins and vendors know.
- Strings may contain `${NAME}` or `${NAME:-default}` for an environment variable, and `$$` for a dollar sign.
- Relative paths are relative to the file.
- A duration is a whole number with `ms`, `s`, `m`, `h` or `d`: `\"15m\"`. A size is a whole number with `KiB`, `MiB` or `GiB`, or plain
  bytes: `\"64MiB\"`.
- `NAME` stands for a name of your choice: 1 to 63 of a-z, 0-9, `-` and `_`, beginning with a letter.
- Editors that support JSON Schema for TOML complete and check the file with [connectors.schema.json](connectors.schema.json); the line
  `#:schema` at the top of the file names it.

";

/// The page, from the list of keys.
#[must_use]
pub fn configuration_page() -> String {
    let all = sections();
    let mut page = HEAD.to_owned();
    for section in &all {
        let link = format!("- [{}](#{})", title(section), anchor(&title(section)));
        writeln!(page, "{link}").expect("writing to a string cannot fail");
    }
    for section in &all {
        page.push_str(&section_text(section, &all));
    }
    page
}

fn title(section: &SectionSpec) -> String {
    match section.id.strip_prefix(section.path).and_then(|kind| kind.strip_prefix(" (")) {
        Some(kind) => format!("{} with kind {}", section.path, kind.trim_end_matches(')')),
        None => section.path.to_owned(),
    }
}

/// As hosting platforms make it of a heading.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase().chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c)).collect::<String>();
    kept.replace(' ', "-")
}

fn section_text(section: &SectionSpec, all: &[SectionSpec]) -> String {
    let mut text = format!("\n## {}\n\n{}\n\n", title(section), section.meaning);
    text.push_str("| key | type | default | meaning | example |\n|---|---|---|---|---|\n");
    for key in &section.keys {
        let row = format!(
            "| `{}` | {} | {} | {} | {} |",
            key.name,
            kind_text(key.kind, all),
            default_text(key),
            cell(key.meaning),
            code(&key.example)
        );
        writeln!(text, "{row}").expect("writing to a string cannot fail");
    }
    text
}

fn default_text(key: &KeySpec) -> String {
    match key.default_value() {
        Some(value) => code(value),
        None if key.required => "required".to_owned(),
        None if key.default.is_empty() => "none".to_owned(),
        None => cell(key.default.trim_start_matches('(').trim_end_matches(')')),
    }
}

fn cell(text: &str) -> String {
    text.replace('|', "\\|")
}

fn code(value: &str) -> String {
    format!("`{}`", cell(value))
}

fn kind_text(kind: ValueKind, all: &[SectionSpec]) -> String {
    let words = |words: &[&str]| words.iter().map(|word| format!("`\"{word}\"`")).collect::<Vec<_>>().join(", ");
    let link = |id: &str| {
        let title = all.iter().find(|section| section.id == id).map(title).unwrap_or_default();
        format!("[table](#{})", anchor(&title))
    };
    match kind {
        ValueKind::Text => "text".to_owned(),
        ValueKind::Name => "name".to_owned(),
        ValueKind::Path => "path".to_owned(),
        ValueKind::Variable => "environment variable".to_owned(),
        ValueKind::Flag => "true or false".to_owned(),
        ValueKind::Count => "whole number".to_owned(),
        ValueKind::Number => "number".to_owned(),
        ValueKind::Bytes => "size".to_owned(),
        ValueKind::Duration => "duration".to_owned(),
        ValueKind::OneOf([only]) => format!("`\"{only}\"`"),
        ValueKind::OneOf(list) => format!("one of {}", words(list)),
        ValueKind::SomeOf(list) => format!("list of {}", words(list)),
        ValueKind::Texts => "list of texts".to_owned(),
        ValueKind::Numbers => "list of numbers".to_owned(),
        ValueKind::TextOrTexts => "text or list of texts".to_owned(),
        ValueKind::Table(id) => link(id),
        ValueKind::Named(id) => format!("names, each with a {}", link(id)),
        ValueKind::Map(value) => format!("names, each with a {}", kind_text(*value, all)),
        ValueKind::Any => "any".to_owned(),
    }
}
