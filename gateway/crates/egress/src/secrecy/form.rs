//! The encodings of a piece, as a text with nothing but letters and digits in one case shows them: what the search looks
//! through has lost its separators and its case, so that hex in any case and base64 in both alphabets are one form each.
//!
//! Escapes (percent, JSON, HTML) are not here: they are taken off the text that is searched, see `plain`.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use data_encoding::{BASE32_NOPAD, BASE32HEX_NOPAD, Encoding};
use zeroize::Zeroizing;

/// Fewer letters and digits are not looked for: an index is asked by its first eight.
pub(super) const FORM_MIN: usize = 8;

/// A form, wiped when it is dropped.
pub(super) type Form = Zeroizing<Vec<u8>>;

/// Every form of these bytes. `composed`: also one encoding within another; left out for long secrets.
pub(super) fn forms(bytes: &[u8], composed: bool) -> Vec<Form> {
    let hex = wiped(hex::encode(bytes));
    let base64 = base64_within(bytes);
    let mut texts = vec![wiped(bytes), reversed(bytes), hex.clone()];
    if composed {
        // Lists of numbers, as a program prints bytes.
        texts.push(each(bytes, ToString::to_string));
        texts.push(each(bytes, |byte| format!("{byte:03}")));
        texts.push(each(bytes, |byte| format!("0x{byte:02x}")));
        for inner in &base64 {
            texts.extend(base64_within(inner));
            texts.push(wiped(hex::encode(inner)));
        }
        for inner in [&hex, &wiped(hex::encode_upper(bytes)), &reversed(bytes)] {
            texts.extend(base64_within(inner));
        }
        texts.extend(base32_within(bytes, &BASE32_NOPAD));
        texts.extend(base32_within(bytes, &BASE32HEX_NOPAD));
    }
    texts.extend(base64);
    distinct(texts.iter().map(|text| wiped(squeezed(text))).filter(|form| form.len() >= FORM_MIN))
}

fn wiped(text: impl Into<Vec<u8>>) -> Form {
    Zeroizing::new(text.into())
}

fn reversed(bytes: &[u8]) -> Form {
    Zeroizing::new(bytes.iter().rev().copied().collect())
}

/// Each byte written down on its own, one after the other.
fn each(bytes: &[u8], write: impl Fn(&u8) -> String) -> Form {
    wiped(bytes.iter().map(write).collect::<String>())
}

fn distinct(forms: impl Iterator<Item = Form>) -> Vec<Form> {
    let mut forms: Vec<Form> = forms.collect();
    forms.sort_unstable_by(|a, b| a.as_slice().cmp(b));
    forms.dedup();
    forms
}

/// The letters and digits of a text in small letters.
pub(super) fn squeezed(text: &[u8]) -> Vec<u8> {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// In both alphabets, at each of the three places where bytes can stand within others.
fn base64_within(bytes: &[u8]) -> Vec<Form> {
    let mut texts = Vec::with_capacity(6);
    for before in 0..3 {
        let standard = within(bytes, before, 6, |whole| STANDARD_NO_PAD.encode(whole));
        if standard.iter().any(|sign| b"+/".contains(sign)) {
            texts.push(within(bytes, before, 6, |whole| URL_SAFE_NO_PAD.encode(whole)));
        }
        texts.push(standard);
    }
    texts
}

/// At each of the five places where bytes can stand within others.
fn base32_within(bytes: &[u8], alphabet: &Encoding) -> impl Iterator<Item = Form> {
    (0..5).map(|before| within(bytes, before, 5, |whole| alphabet.encode(whole)))
}

/// The signs that depend on `bytes` alone when `before` other bytes stand before them. `encode` writes so many bits a sign, and
/// no padding.
fn within(bytes: &[u8], before: usize, bits: usize, encode: impl Fn(&[u8]) -> String) -> Form {
    let whole = Zeroizing::new([vec![0; before].as_slice(), bytes].concat());
    let (first, last) = ((before * 8).div_ceil(bits), whole.len() * 8 / bits);
    let mut signs = wiped(encode(&whole));
    signs.truncate(last);
    signs.drain(..first.min(last));
    signs
}

/// A whole text as encoders write it, with its padding: what is looked for where a text has no pieces, and taken out first
/// where something is taken out, so that nothing of it is left standing.
pub(super) fn whole_forms(text: &str) -> Vec<Form> {
    let bytes = text.as_bytes();
    let json = Zeroizing::new(serde_json::Value::from(text).to_string());
    let json = &json[1..json.len() - 1];
    let mut forms = vec![
        wiped(bytes),
        reversed(bytes),
        wiped(json),
        wiped(json.replace('/', "\\/")),
        wiped(percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()),
        wiped(url::form_urlencoded::byte_serialize(bytes).collect::<String>()),
        each(bytes, |byte| format!("%{byte:02X}")),
        wiped(hex::encode(bytes)),
        wiped(STANDARD.encode(Zeroizing::new(STANDARD.encode(bytes)).as_bytes())),
    ];
    let engines: [&GeneralPurpose; 4] = [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD];
    forms.extend(engines.iter().map(|engine| wiped(engine.encode(bytes))));
    forms.extend(base64_within(bytes));
    forms.extend(base32_within(bytes, &BASE32_NOPAD));
    distinct(forms.into_iter().filter(|form| form.len() >= super::SECRET_BYTES_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_signs_that_a_text_decides_alone_are_those_of_any_encoding_around_it() {
        let base32 = |before| within(b"secret!!", before, 5, |whole| BASE32_NOPAD.encode(whole));
        assert_eq!(base32(0).as_slice(), b"ONSWG4TFOQQS");
        for before in 0..5 {
            let whole = BASE32_NOPAD.encode(&[vec![0xff; before], b"secret!!".to_vec(), vec![0xff]].concat());
            assert!(whole.contains(String::from_utf8_lossy(&base32(before)).as_ref()), "{whole}");
        }
        assert!(within(b"", 1, 6, |whole| STANDARD_NO_PAD.encode(whole)).is_empty());
        for before in 0..3 {
            let whole = STANDARD_NO_PAD.encode([vec![0xff; before], b"secret".to_vec(), vec![0xff]].concat());
            let core = String::from_utf8_lossy(&base64_within(b"secret")[before]).into_owned();
            assert!(whole.contains(&core), "{whole} {core}");
        }
    }

    #[test]
    fn lists_of_numbers_are_forms() {
        let forms = forms(b"secret-1", true);
        for list in ["[115, 101, 99, 114, 101, 116, 45, 49]", "[0x73,0x65,0x63,0x72,0x65,0x74,0x2D,0x31]"] {
            let list = squeezed(list.as_bytes());
            assert!(forms.iter().any(|form| form.as_slice() == list), "{list:?}");
        }
    }

    proptest! {
        #[test]
        fn base64_holds_a_form_wherever_the_bytes_stand(
            before in proptest::collection::vec(any::<u8>(), 0..8),
            secret in "[a-zA-Z0-9]{12,40}",
            after in proptest::collection::vec(any::<u8>(), 0..8),
            url_safe in any::<bool>(),
            twice in any::<bool>(),
        ) {
            let engine = if url_safe { URL_SAFE } else { STANDARD };
            let mut text = engine.encode([before.as_slice(), secret.as_bytes(), after.as_slice()].concat());
            if twice {
                text = engine.encode(text);
            }
            let text = squeezed(text.as_bytes());
            let found = forms(secret.as_bytes(), true).iter().any(|form| text.windows(form.len()).any(|w| w == form.as_slice()));
            prop_assert!(found);
        }
    }
}
