//! Which of a vendor's own words may stand in an error or a log line: names of events, of members, of error codes, and
//! nothing that could be personal data.

/// Longer ones are sentences.
const BYTES_MAX: usize = 64;
/// More digits in a row could be a phone number or an identity document's.
const DIGITS_MAX: usize = 10;

/// The text, if it is a plain word: ASCII letters, digits and `. _ - : /`, and no long number. Else words that say so.
///
/// ```
/// assert_eq!(renmen_plugin::word("hire.offer.status_changed_v1"), "hire.offer.status_changed_v1");
/// assert_eq!(renmen_plugin::word("王小明"), "(not a plain word)");
/// assert_eq!(renmen_plugin::word("13912345678"), "(not a plain word)");
/// ```
#[must_use]
pub fn word(text: &str) -> &str {
    if is_word(text) { text } else { "(not a plain word)" }
}

pub(crate) fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-:/".contains(&byte);
    let digits = text.split(|c: char| !c.is_ascii_digit()).map(str::len).max().unwrap_or_default();
    (1..=BYTES_MAX).contains(&text.len()) && text.bytes().all(plain) && digits <= DIGITS_MAX
}

#[cfg(test)]
mod tests {
    use super::is_word;

    #[test]
    fn names_and_codes_are_words_and_what_could_be_somebodys_is_not() {
        for word in
            ["99991672", "Forbidden.AccessDenied.QpsLimitForApi", "user_add_org", "-1", "h:1/2", &"a".repeat(64)]
        {
            assert!(is_word(word), "{word}");
        }
        for other in
            ["", "王小明", "Wang Xiaoming", "13912345678", "11010119900307701X", "a@b.example", &"a".repeat(65)]
        {
            assert!(!is_word(other), "{other}");
        }
    }
}
