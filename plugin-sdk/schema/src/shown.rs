//! Text of a stranger's, made fit for an operator's eyes: a manifest's words on a terminal, in a table, in an error, in a log.
//!
//! What moves a cursor, breaks a line, shows text in another order than it is read, or cannot be seen is written as an
//! escape, so that what is shown is what is there. This is the only list of such characters: all code that shows text
//! from a plugin uses it.

use std::borrow::Cow;
use std::fmt::Write as _;

/// Can this character mislead a reader: is it a control character (C0, DEL, C1), one that changes the direction of
/// text, or one that is invisible?
#[must_use]
pub fn is_deceptive(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{61c}' | '\u{180e}'
            // Fillers that look like nothing.
            | '\u{115f}' | '\u{1160}' | '\u{3164}' | '\u{ffa0}'
            // Zero width, marks of direction, line and paragraph separators, embeddings and overrides.
            | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            // Invisible operators, isolates, deprecated formatting.
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            // Tags and the variation selectors that carry hidden text.
            | '\u{e0000}'..='\u{e0fff}')
}

/// One line: every deceptive character as an escape, line ends too.
#[must_use]
pub fn line(text: &str) -> Cow<'_, str> {
    escaped(text, is_deceptive)
}

/// Text of several lines that is ours, with strangers' words in it: line ends stay.
#[must_use]
pub fn lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| c != '\n' && is_deceptive(c))
}

/// JSON that means the same and is safe to look at: deceptive characters as JSON's own escapes. `json` must be well formed; what
/// is below a blank is escaped in it already, or is space between its values.
#[must_use]
pub fn json(json: &str) -> Cow<'_, str> {
    let deceives = |c: char| c >= ' ' && is_deceptive(c);
    let Some(first) = json.find(deceives) else { return Cow::Borrowed(json) };
    let mut out = String::with_capacity(json.len() + 16);
    out.push_str(&json[..first]);
    for c in json[first..].chars() {
        if deceives(c) {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn escaped(text: &str, deceives: impl Fn(char) -> bool) -> Cow<'_, str> {
    let Some(first) = text.find(&deceives) else { return Cow::Borrowed(text) };
    let mut out = String::with_capacity(text.len() + 16);
    out.push_str(&text[..first]);
    for c in text[first..].chars() {
        if deceives(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// One of each kind: ESC, C1's CSI, DEL, backspace, carriage return, zero width, override, isolate, mark, filler, soft
    /// hyphen, byte order mark, tag.
    const DECEPTIVE: &str =
        "\u{1b}\u{9b}\u{7f}\u{8}\r\u{200b}\u{202e}\u{2066}\u{200f}\u{3164}\u{ad}\u{feff}\u{e0041}\u{2028}";

    #[test]
    fn what_people_write_is_shown_as_it_is() {
        for text in ["DingTalk (钉钉): contacts", "naïve “quotes” – 3 € · ⚠️", "https://api.example.com", ""]
        {
            assert!(matches!(line(text), Cow::Borrowed(shown) if shown == text), "{text}");
            assert!(matches!(json(text), Cow::Borrowed(shown) if shown == text), "{text}");
        }
    }

    #[test]
    fn what_deceives_is_an_escape() {
        assert_eq!(line("a\u{1b}[1A\u{9b}2Kb\nc\u{202e}d"), "a\\u{1b}[1A\\u{9b}2Kb\\nc\\u{202e}d");
        for c in DECEPTIVE.chars() {
            let text = format!("a{c}b");
            assert!(
                !line(&text).contains(c) && !lines(&text).contains(c) && !json(&text).contains(c) || c < ' ',
                "{c:?}"
            );
        }
        assert!(!line(DECEPTIVE).chars().any(is_deceptive));
    }

    #[test]
    fn only_our_own_text_may_have_several_lines() {
        assert_eq!(lines("error: a\n  fix: b\rc"), "error: a\n  fix: b\\rc");
        assert_eq!(line("hosts\nhosts"), "hosts\\nhosts");
    }

    #[test]
    fn json_means_the_same_and_shows_nothing_else() {
        let value = serde_json::json!({ DECEPTIVE: [DECEPTIVE, "钉钉\u{1f600}", 1] });
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            let shown = json(&text);
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
            assert!(!shown.chars().any(|c| c != '\n' && is_deceptive(c)), "{shown}");
            assert!(shown.contains("钉钉\u{1f600}"));
        }
    }
}
