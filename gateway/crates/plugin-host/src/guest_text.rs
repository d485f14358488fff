//! Text that a guest wrote, made fit for an operator's eyes: secrets out, deceptive characters escaped, cut to size.
//!
//! The order matters: secrets are taken out before the text is cut, or half of one could stand at the cut.

use renmen_schema::shown::is_deceptive;

/// How much of a failure's message is kept, in bytes.
pub(crate) const MESSAGE_BYTES_MAX: usize = 4 << 10;
/// How much of a vendor's code or a name is kept, in bytes.
pub(crate) const CODE_BYTES_MAX: usize = 256;

/// A line longer than this many times its limit is cut before it is searched for secrets, so that a flood of huge lines
/// costs little; what stands at that cut is far beyond what is kept.
const SEARCHED_FACTOR: usize = 16;

/// Cleans `text` to at most `bytes_max` bytes (an ellipsis with the dropped size may follow).
pub(crate) fn clean(text: &str, bytes_max: usize, redact: impl Fn(&str) -> String) -> String {
    let searched = cut(text, bytes_max.saturating_mul(SEARCHED_FACTOR));
    let redacted = redact(searched);
    let kept = cut(&redacted, bytes_max);
    let mut out = String::with_capacity(kept.len());
    for c in kept.chars() {
        if is_deceptive(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    // Escaping makes it longer: the limit is on what is kept.
    let shown = cut(&out, bytes_max).len();
    out.truncate(shown);
    if kept.len() < redacted.len() || searched.len() < text.len() {
        out.push_str(&format!("… ({} bytes in all)", text.len()));
    }
    out
}

/// The longest beginning of `text` within `bytes_max` bytes that ends between two characters.
fn cut(text: &str, bytes_max: usize) -> &str {
    &text[..text.floor_char_boundary(bytes_max)]
}

#[cfg(test)]
mod tests {
    use super::clean;

    fn no_secrets(text: &str) -> String {
        text.to_owned()
    }

    #[test]
    fn a_short_line_passes_unchanged() {
        assert_eq!(clean("3 of 7 departments, 人事部", 64, no_secrets), "3 of 7 departments, 人事部");
    }

    #[test]
    fn a_long_line_is_cut_between_characters_and_says_its_size() {
        assert_eq!(clean("人人人人", 7, no_secrets), "人人… (12 bytes in all)");
    }

    #[test]
    fn a_line_that_just_fits_is_not_cut() {
        assert_eq!(clean("人人", 6, no_secrets), "人人");
    }

    #[test]
    fn control_and_direction_characters_are_escaped() {
        assert_eq!(clean("a\nb\u{1b}[2Jc\u{202e}d", 64, no_secrets), "a\\nb\\u{1b}[2Jc\\u{202e}d");
    }

    #[test]
    fn a_secret_across_the_cut_is_taken_out_whole() {
        let text = format!("{}SECRET", "x".repeat(8));
        let cleaned = clean(&text, 11, |t| t.replace("SECRET", "[redacted]"));
        assert!(!cleaned.contains("SEC"), "{cleaned}");
    }

    #[test]
    fn escaping_cannot_make_a_line_longer_than_its_limit() {
        let cleaned = clean(&"\u{7}".repeat(100), 100, no_secrets);
        assert!(cleaned.len() <= 100, "{}", cleaned.len());
    }
}
