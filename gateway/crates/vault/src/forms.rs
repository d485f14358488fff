//! The forms in which a secret could leave: what a redactor and an outgoing scan look for.
//!
//! A connector that wants to smuggle a secret encodes it; a vendor that echoes one escapes it. These are the encodings that
//! need no key and no thought. Anything cleverer is not found here: that is what "a plugin never sees a secret" is for.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use zeroize::Zeroizing;

/// Forms below this many bytes are not looked for: they would be found in innocent texts everywhere.
pub const FORM_BYTES_MIN: usize = 4;

/// Members of a JSON secret that name who asks, not what only they know: they stand in URLs and answers by design, so that
/// hiding them would hide ordinary data.
pub(crate) fn is_identifier(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    matches!(
        member.as_str(),
        "id" | "user" | "username" | "login" | "name" | "type" | "kind" | "scope" | "region" | "app_key" | "appkey"
    ) || member.ends_with("_id")
        || member.ends_with("id") && matches!(member.as_str(), "clientid" | "appid" | "corpid" | "tenantid" | "keyid")
}

/// All forms of one value, unsorted, perhaps with doubles.
pub(crate) fn of(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    if value.len() < FORM_BYTES_MIN {
        return Vec::new();
    }
    let mut forms = vec![Zeroizing::new(value.to_vec())];
    forms.extend(base64(value));
    forms.push(hex(value, b"0123456789abcdef"));
    forms.push(hex(value, b"0123456789ABCDEF"));
    for digits in [b"0123456789ABCDEF", b"0123456789abcdef"] {
        forms.push(percent(value, digits, false));
        forms.push(percent(value, digits, true));
    }
    forms.extend(json(value));
    forms.retain(|form| form.len() >= FORM_BYTES_MIN);
    forms
}

/// Whole and padded, and for each alignment the characters that the secret alone decides, whatever stands around it.
fn base64(value: &[u8]) -> Vec<Zeroizing<Vec<u8>>> {
    let mut forms = Vec::with_capacity(8);
    for alphabet in [&STANDARD, &URL_SAFE] {
        for before in 0..3_usize {
            let mut padded = Zeroizing::new(vec![0_u8; before]);
            padded.extend_from_slice(value);
            let text = Zeroizing::new(alphabet.encode(padded.as_slice()).into_bytes());
            let unpadded = text.iter().take_while(|byte| **byte != b'=').count();
            // 6 bits a character: the first ones hold bits of what stands before, the last one may hold bits of what follows.
            let first = [0, 2, 3][before];
            let last = unpadded - usize::from(padded.len() % 3 != 0);
            if first < last {
                forms.push(Zeroizing::new(text[first..last].to_vec()));
            }
            if before == 0 {
                forms.push(Zeroizing::new(text[..unpadded].to_vec()));
                forms.push(text);
            }
        }
    }
    forms
}

fn hex(value: &[u8], digits: &[u8; 16]) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 2));
    for byte in value {
        text.push(digits[usize::from(byte >> 4)]);
        text.push(digits[usize::from(byte & 15)]);
    }
    text
}

/// Everything but RFC 3986's unreserved characters, as a query does it; with `form` a blank is a plus sign.
fn percent(value: &[u8], digits: &[u8; 16], form: bool) -> Zeroizing<Vec<u8>> {
    let mut text = Zeroizing::new(Vec::with_capacity(value.len() * 3));
    for &byte in value {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => text.push(byte),
            b' ' if form => text.push(b'+'),
            _ => text.extend_from_slice(&[b'%', digits[usize::from(byte >> 4)], digits[usize::from(byte & 15)]]),
        }
    }
    text
}

/// As it stands inside a JSON string, when that differs.
fn json(value: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = std::str::from_utf8(value).ok()?;
    let quoted = Zeroizing::new(serde_json::to_vec(text).ok()?);
    Some(Zeroizing::new(quoted[1..quoted.len() - 1].to_vec()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    fn found(secret: &str, text: &[u8]) -> bool {
        of(secret.as_bytes()).iter().any(|form| text.windows(form.len()).any(|window| window == form.as_slice()))
    }

    #[test]
    fn each_plain_encoding_is_found() {
        let secret = "p@ss \"word\"/+é";
        for text in [
            secret.to_owned(),
            STANDARD.encode(secret),
            STANDARD.encode(secret).trim_end_matches('=').to_owned(),
            URL_SAFE.encode(secret),
            "7040737320".to_owned() + "22776f7264222f2bc3a9",
            "704073732022776F7264222F2BC3A9".to_owned(),
            "p%40ss%20%22word%22%2F%2B%C3%A9".to_owned(),
            "p%40ss+%22word%22%2f%2b%c3%a9".to_owned(),
            r#"{"echo":"p@ss \"word\"/+é"}"#.to_owned(),
        ] {
            assert!(found(secret, text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn an_innocent_text_is_not_found() {
        assert!(!found("p@ss word", b"the quick brown fox jumps over the lazy dog 0123456789"));
    }

    #[test]
    fn a_value_too_short_to_look_for_has_no_forms() {
        assert!(of(b"abc").is_empty());
        assert!(!of(b"abcd").is_empty());
    }

    #[test]
    fn identifiers_are_told_from_secrets() {
        for name in ["client_id", "user", "AppId", "id"] {
            assert!(is_identifier(name), "{name}");
        }
        for name in ["client_secret", "password", "token", "paid", "key"] {
            assert!(!is_identifier(name), "{name}");
        }
    }

    proptest! {
        #[test]
        fn base64_is_found_wherever_the_secret_stands(
            before in proptest::collection::vec(any::<u8>(), 0..8),
            secret in "[ -~]{8,40}",
            after in proptest::collection::vec(any::<u8>(), 0..8),
            url_safe in any::<bool>(),
        ) {
            let whole = [before.as_slice(), secret.as_bytes(), after.as_slice()].concat();
            let text = if url_safe { URL_SAFE.encode(whole) } else { STANDARD.encode(whole) };
            prop_assert!(found(&secret, text.as_bytes()), "{}", text);
        }
    }
}
