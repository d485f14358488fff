//! The form in which values are compared. A value without one does not count.

use std::borrow::Cow;

/// Bytes of a value that is looked at.
const VALUE_BYTES_MAX: usize = 512;

/// A full-width letter, digit or sign as its usual one.
fn narrow(c: char) -> char {
    match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(c as u32 - 0xfee0).unwrap_or(c),
        '\u{3000}' => ' ',
        _ => c,
    }
}

fn tidy(value: &str) -> Option<Cow<'_, str>> {
    let value = value.trim();
    if value.is_empty() || value.len() > VALUE_BYTES_MAX || value.contains(char::is_control) {
        return None;
    }
    let plain = value.is_ascii();
    Some(if plain { value.into() } else { value.chars().map(narrow).collect::<String>().trim().to_owned().into() })
}

/// A number or code that an organisation gives: small and capital letters are the same, blanks do not count.
pub(crate) fn code(value: &str) -> Option<String> {
    let value = tidy(value)?;
    let code: String = value.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    (!code.is_empty()).then_some(code)
}

/// An e-mail address: small and capital letters are the same. What follows a `+` in the name is kept: not every server ignores it.
pub(crate) fn mail(value: &str) -> Option<String> {
    let value = tidy(value)?;
    let (name, host) = value.rsplit_once('@')?;
    let whole = !name.is_empty() && host.contains('.') && !value.contains(char::is_whitespace);
    whole.then(|| value.to_lowercase())
}

/// A telephone number in E.164. It is one that begins with `+` or `00` and has 7 to 15 digits, or eleven digits as mobiles of China have
/// them, of which sources leave the country out. No other number without a country is taken: it would be guessed.
pub(crate) fn phone(value: &str) -> Option<String> {
    let value = tidy(value)?;
    let kept: String = value.chars().filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '\u{a0}')).collect();
    let digits = kept.strip_prefix('+').or_else(|| kept.strip_prefix("00"));
    let number = match digits {
        Some(digits) => format!("+{digits}"),
        None if is_chinese_mobile(&kept) => format!("+86{kept}"),
        None => kept.strip_prefix("86").filter(|rest| is_chinese_mobile(rest)).map(|rest| format!("+86{rest}"))?,
    };
    let digits = &number[1..];
    let fits =
        (7..=15).contains(&digits.len()) && !digits.starts_with('0') && digits.bytes().all(|b| b.is_ascii_digit());
    fits.then_some(number)
}

fn is_chinese_mobile(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 11 && bytes[0] == b'1' && (b'3'..=b'9').contains(&bytes[1]) && bytes.iter().all(u8::is_ascii_digit)
}

/// The number of an identity document: letters and digits alone.
pub(crate) fn document(value: &str) -> Option<String> {
    let value = tidy(value)?;
    let kept: String = value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
    (kept.len() >= 5).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_number_is_one_however_it_is_written() {
        for same in [
            "+86 138 0000 0001",
            "13800000001",
            "138-0000-0001",
            "0086 13800000001",
            "8613800000001",
            "１３８０００００００１",
        ] {
            assert_eq!(phone(same).as_deref(), Some("+8613800000001"), "{same}");
        }
        assert_eq!(phone("+44 (20) 7946 0018").as_deref(), Some("+442079460018"));
        for none in ["", "12345678", "020 7946 0018", "+0123456789", "+86", "+12345678901234567", "+1a34567890"] {
            assert_eq!(phone(none), None, "{none}");
        }
    }

    #[test]
    fn letters_case_does_not_count_and_what_is_no_value_is_none() {
        assert_eq!(mail(" Wang.Wei@Acme.Example ").as_deref(), Some("wang.wei@acme.example"));
        assert_eq!(code(" e00 123 ").as_deref(), Some("e00123"));
        assert_eq!(code("Ｅ００１").as_deref(), Some("e001"));
        assert_eq!(document("11010519491231002x").as_deref(), Some("11010519491231002X"));
        assert_eq!((mail("nobody"), mail("a b@c.example"), code(" "), document("1234")), (None, None, None, None));
        assert_eq!(code(&"x".repeat(513)), None);
    }
}
