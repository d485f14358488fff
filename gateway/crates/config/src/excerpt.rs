//! The line of a problem with a caret below it, and no secret in it.
//!
//! A line of this file may hold a plaintext secret (`--dev`), a password in a URL, or a secret that was put where it
//! does not belong. Errors are pasted into tickets. So what stands between quotes is masked on every line that could
//! hold one, and the rule is about words on the line, not about what the parser understood: the parser has just failed.

use std::ops::Range;

/// Words that make a line suspicious; their presence costs readability only.
const SUSPICIOUS: [&str; 10] =
    ["value", "slot", "secret", "password", "passwd", "token", "credential", "apikey", "key", "@"];

/// Characters of a line that are shown.
const WIDTH_MAX: usize = 240;

/// Line and column (both from 1, column in characters) of a byte offset.
pub(crate) fn place(text: &str, offset: usize) -> (usize, usize) {
    let before = &text[..floor(text, offset)];
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
    (line, column)
}

/// The first line of a span with a caret below it.
pub(crate) fn render(text: &str, span: &Range<usize>) -> String {
    let (line, column) = place(text, span.start);
    let start = text[..floor(text, span.start)].rfind('\n').map_or(0, |at| at + 1);
    let content = text[start..].split('\n').next().unwrap_or("").trim_end_matches('\r');
    let masked = mask(content, inside_long_string(&text[..start]), in_slots(&text[..start]));
    // A long line is shown from a little before the place that is meant.
    let skipped = if column > WIDTH_MAX / 4 * 3 { column - WIDTH_MAX / 2 } else { 0 };
    let shown: String =
        masked.chars().skip(skipped).take(WIDTH_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let before = column - 1 - skipped;
    let wide =
        text.get(span.start..span.end).map_or(1, |spanned| spanned.split('\n').next().unwrap_or("").chars().count());
    let room = shown.chars().count().saturating_sub(before);
    let carets = "^".repeat(wide.clamp(1, room.max(1)));
    let number = line.to_string();
    let gutter = " ".repeat(number.len());
    format!("{gutter} |\n{number} | {shown}\n{gutter} | {}{carets}", " ".repeat(before))
}

fn floor(text: &str, offset: usize) -> usize {
    let mut at = offset.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

/// Does a multi-line string that began earlier still run here?
fn inside_long_string(before: &str) -> bool {
    before.matches("\"\"\"").count() % 2 == 1 || before.matches("'''").count() % 2 == 1
}

/// Is the last header before here one of `[….slots…]`?
fn in_slots(before: &str) -> bool {
    before.lines().rev().find(|line| line.trim_start().starts_with('[')).is_some_and(|header| header.contains("slots"))
}

/// A `*` for each character between quotes, so that carets still fit; an unclosed quote masks the rest of the line.
fn mask(line: &str, all: bool, suspicious: bool) -> String {
    if all {
        return "*".repeat(line.chars().count());
    }
    let lower = line.to_ascii_lowercase();
    if !suspicious && !SUSPICIOUS.iter().any(|word| lower.contains(word)) {
        return line.to_owned();
    }
    let mut open: Option<char> = None;
    let mut escaped = false;
    // A bare word after `=` may be a secret whose quotes were forgotten.
    let mut bare = false;
    let mut masked = String::with_capacity(line.len());
    for c in line.chars() {
        match open {
            Some(quote) if c == quote && !escaped => {
                open = None;
                masked.push(c);
            }
            Some(quote) => {
                escaped = quote == '"' && c == '\\' && !escaped;
                masked.push('*');
            }
            None if c == '"' || c == '\'' => {
                open = Some(c);
                bare = false;
                masked.push(c);
            }
            None => {
                bare = match c {
                    '=' => true,
                    '{' | '[' | ',' | '}' | ']' => false,
                    _ => bare,
                };
                let hide = bare && !c.is_whitespace() && c != '=';
                masked.push(if hide { '*' } else { c });
            }
        }
    }
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_counts_lines_and_characters_from_one() {
        let text = "a = 1\n名 = 2\n";
        assert_eq!(place(text, 0), (1, 1));
        assert_eq!(place(text, text.find('2').unwrap_or(0)), (2, 5));
        assert_eq!(place(text, 999), (3, 1));
    }

    #[test]
    fn a_caret_stands_below_what_is_meant() {
        let text = "[a]\nevery = \"15x\"\n";
        let at = text.find("\"15x\"").unwrap_or(0);
        assert_eq!(render(text, &(at..at + 5)), "  |\n2 | every = \"15x\"\n  |         ^^^^^");
    }

    #[test]
    fn a_long_line_is_shown_around_the_place() {
        let text = format!("a = \"{}\", b = 1", "x".repeat(1000));
        let at = text.len() - 1;
        let excerpt = render(&text, &(at..at + 1));
        let lines: Vec<&str> = excerpt.lines().collect();
        assert!(lines.iter().all(|line| line.len() <= WIDTH_MAX + 8), "{excerpt}");
        assert_eq!(lines[1].find('1'), Some(0), "the line's number");
        assert_eq!(lines[1].rfind('1'), lines[2].find('^'), "{excerpt}");
    }

    #[test]
    fn what_may_be_secret_is_masked_and_the_rest_is_not() {
        for (line, want) in [
            ("every = \"15x\"", "every = \"15x\""),
            ("slots.app = { value = \"hush\" }", "slots.app = { value = \"****\" }"),
            ("slots.app = { value = 'hush }", "slots.app = { value = '******"),
            ("password = hush", "password = ****"),
            ("url = \"postgres://u:hush@h/db\"", "url = \"**********************\""),
            (r#"value = "a\"hush""#, r#"value = "*******""#),
        ] {
            assert_eq!(mask(line, false, false), want);
        }
        assert_eq!(mask("hush", true, false), "****");
        assert_eq!(mask("app = { x = \"hush\" }", false, true), "app = { x = \"****\" }");
    }

    #[test]
    fn a_line_within_a_long_string_or_below_a_slots_header_is_masked() {
        let long = "value = \"\"\"\nhush\n";
        assert!(!render(long, &(12..13)).contains("hush"));
        let header = "[connections.a.slots]\napp = { valeu = \"hush\" }\n";
        assert!(!render(header, &(30..35)).contains("hush"));
    }
}
