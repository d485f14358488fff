//! `README.md` of an imported connector: what it reads, what it needs, and what was left behind.

use super::Source;
use super::plugin::{shown, used};
use super::stream::Stream;

/// The text.
pub(super) fn readme(source: &Source) -> String {
    let mut text = format!(
        "# {}\n\nBegun from a declarative manifest (version {}) with `renmen plugin from-airbyte`. No code: `plugin.toml` says what it asks for,\n\
         `mapping.toml` what it reads and makes of it.\n\n| stream | entity | how it is read |\n|---|---|---|\n",
        source.name, source.version
    );
    for stream in source.streams.iter().filter(|stream| stream.blocked.is_empty()) {
        let entity = stream.alike.as_ref().map_or("?", |alike| alike.entity.name());
        text.push_str(&format!("| `{}` | `{entity}` | {} |\n", stream.name, how(stream)));
    }
    text.push_str(&connecting(source));
    text.push_str(
        "\n**Before it is used.** The mapping of fields was begun by name. Compare each line of `mapping.toml` with what the vendor sends, write the words of \
         its codes\ninto `map`, look at the lines that are proposed (`#`), and replace the made-up fixtures by recorded ones: `renmen plugin record`.\n",
    );
    let blocked: Vec<&Stream> = source.streams.iter().filter(|stream| !stream.blocked.is_empty()).collect();
    if !blocked.is_empty() {
        text.push_str("\n## Streams that are not read\n\nThey stand in `mapping.toml` and `plugin.toml` as comments.\n\n| stream | why |\n|---|---|\n");
        for stream in blocked {
            text.push_str(&format!("| {} | {} |\n", cell(&stream.title), cell(&stream.blocked.join("; "))));
        }
    }
    text.push_str("\n## What was not carried over\n\n");
    if source.left.is_empty() {
        text.push_str("Nothing: every construct of the manifest has a counterpart.\n");
        return text;
    }
    text.push_str("| where in the manifest | line | what | what that means |\n|---|---|---|---|\n");
    for left in &source.left {
        text.push_str(&format!("| `{}` | {} | {} | {} |\n", left.at, left.line, cell(&left.what), cell(&left.why)));
    }
    text
}

fn how(stream: &Stream) -> String {
    let by = |value: Option<&serde_json::Value>| value.and_then(|value| value["by"].as_str().map(str::to_owned));
    let mut parts = vec![match stream.changes.by {
        Some(_) => "what changed".to_owned(),
        None => "whole".to_owned(),
    }];
    if let Some(parent) = &stream.parent {
        parts.push(format!("once for each of `{parent}`"));
    } else if stream.for_each.is_some() {
        parts.push("once for each value of a list".to_owned());
    }
    parts.push(match by(stream.paging.by.as_ref()).as_deref() {
        None => "in one answer".to_owned(),
        Some("url") => "the next page by its address".to_owned(),
        Some("link") => "the next page by the header Link".to_owned(),
        Some("token") => "the next page by a token".to_owned(),
        Some(by) => format!("pages by {by}"),
    });
    parts.join(", ")
}

fn connecting(source: &Source) -> String {
    let mut text = format!("\n**Connecting.** `base_url` is {}.", code(&shown(&source.base)));
    if let Some(token) = source.slots.iter().find_map(|slot| slot.token_url.as_deref()) {
        text.push_str(&format!(" `token_url` is {}.", code(&shown(token))));
    }
    for key in used(source) {
        text.push_str(&format!(
            " `{}`: {}.",
            key.replace('/', "."),
            cell(source.spec.about(&key).trim_end_matches('.'))
        ));
    }
    for slot in &source.slots {
        text.push_str(&format!(
            " The slot `{}` takes: {}.",
            slot.name,
            cell(slot.description.trim_end_matches(['.', ' ']))
        ));
    }
    text.push('\n');
    text
}

fn code(text: &str) -> String {
    if text.is_empty() { "the vendor's address".to_owned() } else { format!("`{}`", text.replace('`', "'")) }
}

/// A text within a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
