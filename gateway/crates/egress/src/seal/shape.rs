//! The shapes of what is signed. Vendors join the pieces of a signed message without a mark between them, so the same bytes could
//! be cut into other pieces: text moved from a nonce into a cipher text would be signed all the same. With these shapes there is one
//! reading. The numbers are not taste; `seal_attacks` tries every cut, and the project's security page has the argument.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use renmen_schema::manifest::SealKind;

use super::cipher::unit;

/// The longest nonce next to a cipher text that is a piece of its own: shorter than the smallest step between two
/// lengths that a cipher text in blocks of 32 bytes can have in base64 (40 characters), with one character left for the
/// nonce.
pub(super) const NONCE_BESIDE_CIPHER_MAX: usize = 36;
/// The longest nonce otherwise.
pub(super) const NONCE_MAX: usize = 64;
/// Digits of a time in milliseconds, from 2001 to 2286.
const TIME_MS_DIGITS: usize = 13;
/// Digits of a time in seconds, in the same years.
const TIME_S_DIGITS: usize = 10;

/// A time in milliseconds since 1970, as `digits` and `unit_ms` say.
fn time(text: &str, digits: usize, unit_ms: i64) -> Option<i64> {
    let plain = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    if !plain {
        return None;
    }
    text.parse::<i64>().ok()?.checked_mul(unit_ms)
}

pub(super) fn time_ms(text: &str) -> Option<i64> {
    time(text, TIME_MS_DIGITS, 1)
}

pub(super) fn time_s(text: &str) -> Option<i64> {
    time(text, TIME_S_DIGITS, 1_000)
}

/// Is this a nonce? `beside_cipher`: the cipher text is a piece of its own.
pub(super) fn is_nonce(text: &str, beside_cipher: bool) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if beside_cipher {
        (1..=NONCE_BESIDE_CIPHER_MAX).contains(&text.len()) && text.bytes().all(word)
    } else {
        (1..=NONCE_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
    }
}

/// The bytes of a cipher text in base64, written in the one way in which they can be.
pub(super) fn cipher(text: &str, kind: SealKind) -> Option<Vec<u8>> {
    let bytes = STANDARD.decode(text).ok()?;
    (!bytes.is_empty() && bytes.len() % unit(kind) == 0).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_its_digits_and_no_others() {
        assert_eq!(time_ms("1445827045067"), Some(1_445_827_045_067));
        assert_eq!(time_s("1445827045"), Some(1_445_827_045_000));
        for wrong in ["", "1445827045", "0445827045067", "+445827045067", "14458270450671", "144582704506x"] {
            assert_eq!(time_ms(wrong), None, "{wrong}");
        }
        assert_eq!(time_s("1445827045067"), None);
    }

    #[test]
    fn a_nonce_is_short_and_of_the_alphabet_of_its_place() {
        for beside_cipher in [true, false] {
            let most = if beside_cipher { NONCE_BESIDE_CIPHER_MAX } else { NONCE_MAX };
            assert!(is_nonce("n", beside_cipher) && is_nonce(&"n".repeat(most), beside_cipher));
            for wrong in [String::new(), "n".repeat(most + 1), "a b".into(), "é".into(), "a\u{7f}".into()] {
                assert!(!is_nonce(&wrong, beside_cipher), "{wrong}");
            }
        }
        assert!(is_nonce("a+b/c=", false) && !is_nonce("a+b", true) && !is_nonce("a/b", true) && !is_nonce("a=", true));
    }

    #[test]
    fn a_cipher_text_is_whole_blocks_written_in_one_way() {
        let text = STANDARD.encode([7; 32]);
        assert_eq!(cipher(&text, SealKind::CbcKeyIv).map(|bytes| bytes.len()), Some(32));
        let loose = format!("{}d=", &text[..text.len() - 2]);
        for wrong in ["", "====", &text[..text.len() - 1], &text[4..], &format!(" {text}"), &loose] {
            assert_eq!(cipher(wrong, SealKind::CbcKeyIv), None, "{wrong}");
        }
        assert_eq!(cipher(&STANDARD.encode([7; 48]), SealKind::CbcKeyIv), None);
        assert!(cipher(&STANDARD.encode([7; 48]), SealKind::Cbc).is_some());
    }
}
