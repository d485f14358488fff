//! The texts of a Rust source: its string literals and its log messages, without comments and without its tests.

/// A text and the line that it begins on.
pub(super) struct Text {
    pub(super) line: usize,
    pub(super) text: String,
}

/// What begins at a place of a source.
enum Piece {
    Text { content: std::ops::Range<usize>, end: usize },
    Skipped { end: usize },
}

/// Unit tests stand at the end of a file; their texts are for us.
fn without_tests(source: &str) -> &str {
    let tests = source.match_indices("#[cfg(test)]\n").find(|(begin, attribute)| {
        let item = source[begin + attribute.len()..].lines().find(|line| !line.starts_with("#["));
        item.is_some_and(|line| line.starts_with("mod ") && line.ends_with('{'))
    });
    tests.map_or(source, |(begin, _)| &source[..begin])
}

/// The literal, comment or character that begins at `at`; none for anything else.
fn piece(source: &str, at: usize) -> Option<Piece> {
    let rest = &source[at..];
    if rest.starts_with("//") {
        return Some(Piece::Skipped { end: at + rest.find('\n').unwrap_or(rest.len()) });
    }
    if rest.starts_with("/*") {
        return Some(Piece::Skipped { end: at + rest.find("*/").map_or(rest.len(), |end| end + 2) });
    }
    if let Some(text) = rest.strip_prefix('"') {
        let mut escaped = false;
        let length = text.find(|c| {
            let ends = c == '"' && !escaped;
            escaped = c == '\\' && !escaped;
            ends
        })?;
        return Some(Piece::Text { content: at + 1..at + 1 + length, end: at + length + 2 });
    }
    let name_before = source[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
    if let Some(raw) = rest.strip_prefix('r').filter(|_| !name_before) {
        let fence = &raw[..raw.len() - raw.trim_start_matches('#').len()];
        if raw[fence.len()..].starts_with('"') {
            let begin = at + 2 + fence.len();
            let length = source[begin..].find(&format!("\"{fence}"))?;
            return Some(Piece::Text { content: begin..begin + length, end: begin + length + 1 + fence.len() });
        }
    }
    // A character such as '"'; a lifetime has no quote at its end.
    let mut chars = rest.strip_prefix('\'')?.char_indices();
    let (_, first) = chars.next()?;
    if first == '\\' {
        let close = rest[3..].find('\'')?;
        return Some(Piece::Skipped { end: at + 3 + close + 1 });
    }
    let (close, quote) = chars.next()?;
    (quote == '\'').then_some(Piece::Skipped { end: at + 1 + close + 1 })
}

/// Every string literal, with the lines that `\` continues joined.
pub(super) fn literals(source: &str) -> Vec<Text> {
    let source = without_tests(source);
    let (mut texts, mut at) = (Vec::new(), 0);
    while at < source.len() {
        match piece(source, at) {
            Some(Piece::Text { content, end }) => {
                let line = source[..content.start].matches('\n').count() + 1;
                texts.push(Text { line, text: joined(&source[content]) });
                at = end;
            }
            Some(Piece::Skipped { end }) => at = end,
            None => at += source[at..].chars().next().map_or(1, char::len_utf8),
        }
    }
    texts
}

fn joined(text: &str) -> String {
    let mut parts = text.split("\\\n");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str(part.trim_start());
    }
    whole
}

/// The message of every `tracing` macro: the first of its arguments that is a literal.
pub(super) fn log_messages(source: &str) -> Vec<Text> {
    let source = without_tests(source);
    let mut messages = Vec::new();
    for level in ["error", "warn", "info", "debug"] {
        for (begin, name) in source.match_indices(&format!("tracing::{level}!(")) {
            messages.extend(message(source, begin + name.len()));
        }
    }
    messages
}

fn message(source: &str, begin: usize) -> Option<Text> {
    let (mut at, mut depth, mut argument_begins) = (begin, 0_i32, true);
    while at < source.len() {
        match piece(source, at) {
            Some(Piece::Text { content, .. }) if argument_begins && depth == 0 => {
                let line = source[..content.start].matches('\n').count() + 1;
                return Some(Text { line, text: joined(&source[content]) });
            }
            Some(Piece::Text { end, .. } | Piece::Skipped { end }) => at = end,
            None => {
                let c = source[at..].chars().next()?;
                match c {
                    '(' | '[' | '{' => depth += 1,
                    ')' if depth == 0 => return None,
                    ')' | ']' | '}' => depth -= 1,
                    _ => {}
                }
                argument_begins = (argument_begins && c.is_whitespace()) || (c == ',' && depth == 0);
                at += c.len_utf8();
            }
        }
    }
    None
}

/// Of every call that begins with `name` (`text!(`), the first literal of each of its arguments.
pub(super) fn arguments(source: &str, name: &str) -> Vec<Vec<Option<Text>>> {
    let source = without_tests(source);
    let mut calls = Vec::new();
    let mut at = 0;
    while at < source.len() {
        match piece(source, at) {
            Some(Piece::Text { end, .. } | Piece::Skipped { end }) => at = end,
            None => {
                let name_before = source[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || c == '_');
                // A method begins with its dot, behind what it is called on.
                if (name.starts_with('.') || !name_before) && source[at..].starts_with(name) {
                    calls.push(arguments_from(source, at + name.len()));
                }
                at += source[at..].chars().next().map_or(1, char::len_utf8);
            }
        }
    }
    calls
}

fn arguments_from(source: &str, begin: usize) -> Vec<Option<Text>> {
    let (mut at, mut depth, mut all) = (begin, 0_i32, vec![None]);
    while at < source.len() {
        match piece(source, at) {
            Some(Piece::Text { content, end }) => {
                if let Some(argument @ None) = all.last_mut() {
                    let line = source[..content.start].matches('\n').count() + 1;
                    *argument = Some(Text { line, text: joined(&source[content]) });
                }
                at = end;
            }
            Some(Piece::Skipped { end }) => at = end,
            None => {
                let c = source[at..].chars().next().unwrap_or(')');
                match c {
                    '(' | '[' | '{' => depth += 1,
                    ')' | ']' | '}' if depth == 0 => return all,
                    ')' | ']' | '}' => depth -= 1,
                    ',' if depth == 0 => all.push(None),
                    _ => {}
                }
                at += c.len_utf8();
            }
        }
    }
    all
}
