//! The encodings of a piece, as a text with nothing but letters and digits in one case shows them: what the search looks
//! through has lost its separators and its case, so that hex in any case and base64 in both alphabets are one form each.
//!
//! Escapes (percent, JSON, HTML) are not here: they are taken off the text that is searched, see `plain`.

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use zeroize::Zeroizing;

/// Fewer letters and digits are not looked for: an index is asked by its first eight.
pub(super) const FORM_MIN: usize = 8;

const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const BASE32_HEX: &[u8; 32] = b"0123456789ABCDEFGHIJKLMNOPQRSTUV";

/// A form, wiped when it is dropped.
pub(super) type Form = Zeroizing<Vec<u8>>;

/// Every form of these bytes. `composed`: also one encoding within another; left out for long secrets.
pub(super) fn forms(bytes: &[u8], composed: bool) -> Vec<Form> {
    let hex = hex::encode(bytes);
    let mut texts: Vec<Vec<u8>> = vec![bytes.to_vec(), bytes.iter().rev().copied().collect(), hex.clone().into_bytes()];
    let base64 = base64_within(bytes);
    if composed {
        // Lists of numbers, as a program prints bytes.
        texts.push(bytes.iter().map(u8::to_string).collect::<String>().into_bytes());
        texts.push(bytes.iter().map(|byte| format!("{byte:03}")).collect::<String>().into_bytes());
        texts.push(bytes.iter().map(|byte| format!("0x{byte:02x}")).collect::<String>().into_bytes());
        for inner in &base64 {
            texts.extend(base64_within(inner));
            texts.push(hex::encode(inner).into_bytes());
        }
        for inner in [hex.as_bytes(), hex.to_ascii_uppercase().as_bytes()] {
            texts.extend(base64_within(inner));
        }
        let reversed: Vec<u8> = bytes.iter().rev().copied().collect();
        texts.extend(base64_within(&reversed));
        for alphabet in [BASE32, BASE32_HEX] {
            texts.extend((0..5).map(|before| within(bytes, before, alphabet, 5)));
        }
    }
    texts.extend(base64);
    distinct(texts.into_iter().map(|text| squeezed(&Zeroizing::new(text))).filter(|form| form.len() >= FORM_MIN))
}

fn distinct(forms: impl Iterator<Item = Vec<u8>>) -> Vec<Form> {
    let mut forms: Vec<Form> = forms.map(Zeroizing::new).collect();
    forms.sort_unstable_by(|a, b| a.as_slice().cmp(b));
    forms.dedup();
    forms
}

/// The letters and digits of a text in small letters.
pub(super) fn squeezed(text: &[u8]) -> Vec<u8> {
    text.iter().filter(|byte| byte.is_ascii_alphanumeric()).map(u8::to_ascii_lowercase).collect()
}

/// In both alphabets, at each of the three places where bytes can stand within others.
fn base64_within(bytes: &[u8]) -> Vec<Vec<u8>> {
    const STANDARD_SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const URL_SAFE_SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut texts = Vec::with_capacity(6);
    for before in 0..3 {
        let standard = within(bytes, before, STANDARD_SIGNS, 6);
        if standard.iter().any(|sign| b"+/".contains(sign)) {
            texts.push(within(bytes, before, URL_SAFE_SIGNS, 6));
        }
        texts.push(standard);
    }
    texts
}

/// The signs of an encoding of so many bits a sign that depend on `bytes` alone when `before` other bytes stand before them.
fn within(bytes: &[u8], before: usize, alphabet: &[u8], bits: usize) -> Vec<u8> {
    let first = (before * 8).div_ceil(bits);
    let last = (before + bytes.len()) * 8 / bits;
    let bit = |at: usize| usize::from(bytes[at / 8 - before] >> (7 - at % 8) & 1);
    (first..last).map(|sign| alphabet[(sign * bits..(sign + 1) * bits).fold(0, |n, at| n << 1 | bit(at))]).collect()
}

/// A whole text as encoders write it, with its padding: what is looked for where a text has no pieces, and taken out first
/// where something is taken out, so that nothing of it is left standing.
pub(super) fn whole_forms(text: &str) -> Vec<Form> {
    let bytes = text.as_bytes();
    let json = serde_json::Value::from(text).to_string();
    let json = &json[1..json.len() - 1];
    let percent: String = bytes.iter().map(|byte| format!("%{byte:02X}")).collect();
    let mut forms = vec![
        bytes.to_vec(),
        bytes.iter().rev().copied().collect(),
        json.as_bytes().to_vec(),
        json.replace('/', "\\/").into_bytes(),
        percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string().into_bytes(),
        url::form_urlencoded::byte_serialize(bytes).collect::<String>().into_bytes(),
        percent.into_bytes(),
        hex::encode(bytes).into_bytes(),
        STANDARD.encode(STANDARD.encode(bytes)).into_bytes(),
    ];
    let engines: [&GeneralPurpose; 4] = [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD];
    forms.extend(engines.iter().map(|engine| engine.encode(bytes).into_bytes()));
    forms.extend(base64_within(bytes));
    forms.extend((0..5).map(|before| within(bytes, before, BASE32, 5)));
    distinct(forms.into_iter().filter(|form| form.len() >= super::SECRET_BYTES_MIN))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_signs_that_a_text_decides_alone_are_those_of_any_encoding_around_it() {
        assert_eq!(within(b"secret!!", 0, BASE32, 5), b"ONSWG4TFOQQS");
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
