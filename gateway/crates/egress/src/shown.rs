//! A text from outside made fit for a line of the log: one line, in the order in which it is read, and short.

use renmen_schema::shown::is_deceptive;

/// At most `bytes_max` bytes of a text, its control and direction characters escaped; an ellipsis with the size of the whole
/// follows what was cut.
pub(crate) fn shown(text: &str, bytes_max: usize) -> String {
    let kept = &text[..text.floor_char_boundary(bytes_max)];
    let mut out = String::with_capacity(kept.len());
    for c in kept.chars() {
        if is_deceptive(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    // Escaping makes it longer: the limit is on what is kept.
    out.truncate(out.floor_char_boundary(bytes_max));
    if kept.len() < text.len() {
        out.push_str(&format!("… ({} bytes in all)", text.len()));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn a_short_text_passes_and_a_long_one_is_cut_between_characters_with_its_size() {
        assert_eq!(shown("3 of 7 departments, 人事部", 64), "3 of 7 departments, 人事部");
        assert_eq!(shown("人人", 6), "人人");
        assert_eq!(shown("人人人人", 7), "人人… (12 bytes in all)");
    }

    #[test]
    fn what_breaks_lines_moves_cursors_or_turns_text_round_is_escaped() {
        assert_eq!(shown("a\r\nb\u{1b}[2Jc\u{202e}d\u{85}e", 64), "a\\r\\nb\\u{1b}[2Jc\\u{202e}d\\u{85}e");
    }

    #[test]
    fn escaping_cannot_make_a_text_longer_than_its_limit() {
        assert!(shown(&"\u{7}".repeat(100), 100).len() <= 100);
    }
}
