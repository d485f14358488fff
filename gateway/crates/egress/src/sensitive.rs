//! What of a secret must not be seen, and in which forms it could be. Owns the forms; looking for them is the redactor's.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use renmen_schema::manifest::AuthRecipe;
use zeroize::Zeroizing;

/// Shorter texts are not looked for: they would be found everywhere (`true`, `admin`). Bytes.
pub(crate) const SENSITIVE_BYTES_MIN: usize = 6;

/// What encoders of URLs leave alone (RFC 3986, unreserved).
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// The parts of a slot's secret that are secret: of a JSON object every text but the identifiers (a member whose name ends
/// in `id`: RFC 6749, 2.2, "the client identifier is not a secret"), of `user:password` the password and the whole.
pub(crate) fn parts(secret: &str, recipe: Option<&AuthRecipe>) -> Vec<Zeroizing<String>> {
    // A secret from a file ends in a line break, which is not sent and so not looked for.
    let secret = secret.trim();
    let mut found = vec![Zeroizing::new(secret.to_owned())];
    if let Ok(serde_json::Value::Object(members)) = serde_json::from_str(secret) {
        let texts = members.iter().filter(|(name, _)| !name.to_ascii_lowercase().ends_with("id"));
        found.extend(texts.filter_map(|(_, value)| value.as_str()).map(|text| Zeroizing::new(text.to_owned())));
    } else if let (Some(AuthRecipe::Basic {}), Some((_, password))) = (recipe, secret.split_once(':')) {
        found.push(Zeroizing::new(password.to_owned()));
    }
    found.retain(|text| text.len() >= SENSITIVE_BYTES_MIN);
    found
}

/// Every form in which a text is looked for: as it is, in JSON, percent-encoded, as a form field, hex, and base64 at each of
/// the three places where it can begin inside other encoded bytes.
pub(crate) fn forms(text: &str) -> BTreeSet<Vec<u8>> {
    let bytes = text.as_bytes();
    let percent = utf8_percent_encode(text, UNRESERVED).to_string();
    let form_field: String = url::form_urlencoded::byte_serialize(bytes).collect();
    let json = serde_json::Value::from(text).to_string();
    let hex = hex::encode(bytes);
    let mut forms = BTreeSet::from([
        bytes.to_vec(),
        json.as_bytes()[1..json.len() - 1].to_vec(),
        json[1..json.len() - 1].replace('/', "\\/").into_bytes(),
        lower_percent(&percent).into_bytes(),
        percent.into_bytes(),
        lower_percent(&form_field).into_bytes(),
        form_field.into_bytes(),
        hex.to_ascii_uppercase().into_bytes(),
        hex.into_bytes(),
    ]);
    // Encoded alone, its last character and the padding go too.
    for engine in [&STANDARD, &URL_SAFE, &STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
        forms.insert(engine.encode(bytes).into_bytes());
    }
    for shift in 0..3 {
        for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
            forms.insert(base64_within(bytes, shift, engine));
        }
    }
    forms.retain(|form| form.len() >= SENSITIVE_BYTES_MIN);
    forms
}

/// The characters of base64 that depend on `bytes` alone when `shift` other bytes stand before them.
fn base64_within(bytes: &[u8], shift: usize, engine: &base64::engine::GeneralPurpose) -> Vec<u8> {
    let mut shifted = Zeroizing::new(vec![0; shift]);
    shifted.extend_from_slice(bytes);
    let encoded = engine.encode(&*shifted);
    let begin = (shift * 8).div_ceil(6);
    let end = shifted.len() * 8 / 6;
    encoded.as_bytes()[begin..end].to_vec()
}

fn lower_percent(text: &str) -> String {
    let mut lowered = String::with_capacity(text.len());
    let mut escape = 0;
    for c in text.chars() {
        escape = if c == '%' { 3 } else { i32::max(escape - 1, 0) };
        lowered.push(if escape > 0 { c.to_ascii_lowercase() } else { c });
    }
    lowered
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(secret: &str, recipe: Option<&AuthRecipe>) -> Vec<String> {
        parts(secret, recipe).iter().map(|part| part.to_string()).collect()
    }

    #[test]
    fn identifiers_are_no_secrets_and_everything_else_is() {
        let found = texts(r#"{"client_id":"app-123456","client_secret":"s3cret-value","extra":"also-this"}"#, None);
        assert!(found.contains(&"s3cret-value".to_owned()) && found.contains(&"also-this".to_owned()));
        assert!(!found.contains(&"app-123456".to_owned()));
        let basic = texts("service:pass-word-9", Some(&AuthRecipe::Basic {}));
        assert_eq!(basic, ["service:pass-word-9", "pass-word-9"]);
    }

    #[test]
    fn short_texts_are_not_looked_for() {
        assert!(texts("12345", None).is_empty());
        assert_eq!(texts("123456\n", None), ["123456"]);
    }

    #[test]
    fn base64_is_found_at_every_place_inside_other_bytes_f14() {
        let secret = "canary+/secret?~";
        let forms = forms(secret);
        for before in ["", "a", "ab", "abc", "user:"] {
            for after in ["", "x", "xy"] {
                for engine in [&STANDARD_NO_PAD, &URL_SAFE_NO_PAD] {
                    let encoded = engine.encode(format!("{before}{secret}{after}"));
                    let found = forms.iter().any(|f| encoded.as_bytes().windows(f.len()).any(|w| w == f.as_slice()));
                    assert!(found, "{before}|{after}");
                }
            }
        }
    }

    #[test]
    fn percent_hex_and_json_forms_exist_f14() {
        let forms = forms("pa\"ss/wörd!");
        for form in [
            "pa%22ss%2Fw%C3%B6rd%21",
            "pa%22ss%2fw%c3%b6rd%21",
            r#"pa\"ss/wörd!"#,
            r#"pa\"ss\/wörd!"#,
            "70612273732f77c3b6726421",
        ] {
            assert!(forms.contains(form.as_bytes()), "{form}");
        }
    }
}
