//! From a slot's text to its key, and which slots may hold the same.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use renmen_schema::id::SlotName;
use renmen_schema::manifest::{KeyForm, SealKind, SealScheme};
use renmen_vault::Secret;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Sealed;
use crate::{EgressError, SlotSpec};

/// Bytes of an AES-256 key.
pub(super) const AES_KEY: usize = 32;

/// Vendors give keys with and without padding, and 43 characters whose last bits are not zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The key; none for an empty slot.
pub(super) fn derive(
    slot: &SlotName,
    scheme: SealScheme,
    secret: Option<&Secret>,
) -> Result<Option<Zeroizing<Vec<u8>>>, EgressError> {
    let Some(text) = secret.map(|secret| secret.expose().trim()).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let name = scheme.name();
    let key = match scheme.key_form() {
        KeyForm::Raw => Zeroizing::new(text.as_bytes().to_vec()),
        KeyForm::Base64 => {
            let decoded = LENIENT.decode(bare(text).as_bytes());
            Zeroizing::new(decoded.map_err(|_| {
                EgressError::Auth(format!(
                    "the secret of slot `{slot}` is not base64, as its scheme `{name}` wants: give it as the vendor shows it, with or \
                     without `whsec_`; if the vendor gave plain text for a key, encode that as base64 first"
                ))
            })?)
        }
        KeyForm::Sha256 => Zeroizing::new(Sha256::digest(text).to_vec()),
    };
    if key.is_empty() {
        return Err(EgressError::Auth(format!("the secret of slot `{slot}` stands for no bytes at all")));
    }
    let cipher = matches!(scheme.kind(), SealKind::Cbc | SealKind::CbcKeyIv);
    if cipher && key.len() != AES_KEY {
        let bytes = key.len();
        return Err(EgressError::Auth(format!(
            "slot `{slot}` gives a key of {bytes} bytes, its scheme `{name}` takes {AES_KEY}"
        )));
    }
    Ok(Some(key))
}

/// The base64 part of a pasted secret: without the quotes and line breaks that came along, and without the prefixes
/// that are shown with it (`whsec_` of Standard Webhooks, `v1,` of its signatures). None of these characters is base64,
/// so nothing is guessed.
fn bare(text: &str) -> Zeroizing<String> {
    let text = ['"', '\''].iter().find_map(|&quote| text.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(text);
    let text = text.strip_prefix("v1,").unwrap_or(text);
    let text = text.strip_prefix("whsec_").unwrap_or(text);
    Zeroizing::new(text.chars().filter(|c| !c.is_ascii_whitespace()).collect())
}

/// The key of a slot that must not be empty.
pub(super) fn filled<'a>(slot: &SlotName, sealed: &'a Sealed) -> Result<&'a [u8], EgressError> {
    let key = sealed.key.as_ref().map(|key| key.as_slice());
    key.ok_or_else(|| EgressError::Auth(format!("slot `{slot}` is empty; give the connection a secret for it")))
}

/// Refuses a secret that stands in two slots which may not share one, also where the operator gave the same text twice, and a
/// sealed slot whose secret goes onto requests, unless it only checks HMACs.
pub(super) fn check_shared(
    specs: &BTreeMap<SlotName, SlotSpec>,
    slots: &BTreeMap<SlotName, Sealed>,
) -> Result<(), EgressError> {
    for (name, sealed) in slots {
        let Some(own) = texts(&specs[name], sealed.key.as_ref()) else { continue };
        for (other, spec) in specs {
            let beside = slots.get(other);
            let same = other == name
                || texts(spec, beside.and_then(|beside| beside.key.as_ref()))
                    .is_some_and(|theirs| theirs.iter().any(|text| own.contains(text)));
            if same && spec.auth.is_some() && (other == name || !sealed.seal.only_checks()) {
                return Err(EgressError::NotGranted(format!(
                    "slot `{name}` is sealed and slot `{other}` sends the same secret with requests; \
                     give `{name}` a secret of its own"
                )));
            }
            let scheme = sealed.seal.scheme;
            if let Some(beside) = beside.filter(|beside| same && !scheme.may_share(beside.seal.scheme)) {
                let (one, two) = (scheme.name(), beside.seal.scheme.name());
                return Err(EgressError::NotGranted(format!(
                    "slots `{name}` (`{one}`) and `{other}` (`{two}`) hold the same secret, and these schemes may not share \
                     one; give each its own"
                )));
            }
        }
    }
    Ok(())
}

/// Everything that a secret is or hands out: its text, its key, the texts of a JSON object, the halves of `user:password`.
fn texts(spec: &SlotSpec, key: Option<&Zeroizing<Vec<u8>>>) -> Option<Vec<Zeroizing<Vec<u8>>>> {
    let text = spec.secret.as_ref().map(|secret| secret.expose().trim()).filter(|text| !text.is_empty())?;
    let bytes = |text: &str| Zeroizing::new(text.as_bytes().to_vec());
    let mut all = vec![bytes(text)];
    all.extend(key.cloned());
    if spec.auth.is_some() {
        if let Ok(serde_json::Value::Object(members)) = serde_json::from_str(text) {
            all.extend(members.values().filter_map(|value| value.as_str()).map(|text| bytes(text.trim())));
        }
        all.extend(text.split_once(':').into_iter().flat_map(|(user, password)| [bytes(user), bytes(password)]));
    }
    Some(all)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn key(scheme: SealScheme, text: &str) -> Result<Option<Vec<u8>>, EgressError> {
        let slot = SlotName::new("k").unwrap();
        Ok(derive(&slot, scheme, Some(&Secret::new(text.to_owned())))?.map(|key| key.to_vec()))
    }

    #[test]
    fn keys_are_derived_as_their_form_says() {
        assert_eq!(key(SealScheme::HmacSha256, " a=\n").unwrap().unwrap(), b"a=");
        assert_eq!(key(SealScheme::HmacSha256Base64, "aGk=").unwrap().unwrap(), b"hi");
        for pasted in
            ["whsec_aGk", "v1,whsec_aGk=", "aGk", " whsec_aGk=\n", "\"whsec_aGk=\"", "'aGk='", "whsec_a\n Gk="]
        {
            assert_eq!(key(SealScheme::HmacSha256Base64, pasted).unwrap().unwrap(), b"hi", "{pasted:?}");
        }
        assert_eq!(key(SealScheme::HmacSha256, "v1,whsec_aGk").unwrap().unwrap(), b"v1,whsec_aGk", "raw is raw");
        assert_eq!(key(SealScheme::Aes256CbcSha256, "x").unwrap().unwrap().len(), 32);
        assert_eq!(key(SealScheme::Equal, "\n").unwrap(), None);
    }

    #[test]
    fn a_secret_of_the_wrong_form_is_told_by_slot_and_scheme() {
        for (scheme, text, said) in [
            (SealScheme::HmacSha1Base64, "not base64!", "is not base64"),
            (SealScheme::HmacSha256Base64, "polar_whs_not base64!", "encode that as base64 first"),
            (SealScheme::HmacSha256Base64, "whsec_whsec_aGk=", "with or without `whsec_`"),
            (SealScheme::HmacSha1Base64, "whsec_", "no bytes at all"),
            (SealScheme::Aes256CbcBase64, "aGk=", "a key of 2 bytes, its scheme `aes-256-cbc:base64` takes 32"),
        ] {
            let error = key(scheme, text).unwrap_err().to_string();
            assert!(error.contains("slot `k`") && error.contains(said), "{error}");
            assert!(!error.contains("not base64!"), "{error}");
        }
    }
}
