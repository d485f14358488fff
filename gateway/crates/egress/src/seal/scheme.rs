//! The names of schemes: `<algorithm>` or `<algorithm>:<key form>`. Owns the vocabulary of the contract's `seal` interface.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use crate::EgressError;

/// Vendors give keys with and without padding, and 43 characters whose last bits are not zero.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// How a signature is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DigestScheme {
    HmacSha1,
    HmacSha256,
    HmacSha512,
    Sha1,
    Sha256,
    Sha1Sorted,
}

/// How a text is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CipherScheme {
    /// AES-256-CBC, PKCS#7; 16 bytes of IV before the text.
    Aes256Cbc,
    /// AES-256-CBC, padded to blocks of 32; the IV is the key's first 16 bytes.
    Aes256CbcKeyIv,
}

/// How the slot's text becomes the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyForm {
    /// Its bytes.
    Raw,
    /// What its base64 stands for; a `whsec_` before it (Standard Webhooks) is left out.
    Base64,
    /// SHA-256 of its bytes.
    Sha256,
}

impl DigestScheme {
    pub(super) fn read(text: &str) -> Result<(Self, KeyForm), EgressError> {
        let (algorithm, form) = split(text)?;
        let scheme = match algorithm {
            "hmac-sha1" => Self::HmacSha1,
            "hmac-sha256" => Self::HmacSha256,
            "hmac-sha512" => Self::HmacSha512,
            "sha1" => Self::Sha1,
            "sha256" => Self::Sha256,
            "sha1-sorted" => Self::Sha1Sorted,
            _ => return Err(unknown(text, "hmac-sha1, hmac-sha256, hmac-sha512, sha1, sha256 and sha1-sorted")),
        };
        Ok((scheme, form))
    }
}

impl CipherScheme {
    pub(super) fn read(text: &str) -> Result<(Self, KeyForm), EgressError> {
        let (algorithm, form) = split(text)?;
        let scheme = match algorithm {
            "aes-256-cbc" => Self::Aes256Cbc,
            "aes-256-cbc-key-iv" => Self::Aes256CbcKeyIv,
            _ => return Err(unknown(text, "aes-256-cbc and aes-256-cbc-key-iv")),
        };
        Ok((scheme, form))
    }
}

impl KeyForm {
    /// The key; `None` when the text is no base64.
    pub(super) fn derive(self, text: &str) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Raw => Some(Zeroizing::new(text.as_bytes().to_vec())),
            Self::Base64 => LENIENT.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok().map(Zeroizing::new),
            Self::Sha256 => Some(Zeroizing::new(Sha256::digest(text).to_vec())),
        }
    }
}

fn split(text: &str) -> Result<(&str, KeyForm), EgressError> {
    let Some((algorithm, form)) = text.split_once(':') else { return Ok((text, KeyForm::Raw)) };
    let form = match form {
        "raw" => KeyForm::Raw,
        "base64" => KeyForm::Base64,
        "sha256" => KeyForm::Sha256,
        _ => return Err(unknown(text, "the key forms raw, base64 and sha256")),
    };
    Ok((algorithm, form))
}

fn unknown(text: &str, known: &str) -> EgressError {
    let shown: String = text.chars().take(40).collect();
    EgressError::BadRequest(format!("scheme `{shown}` is unknown here; there are {known}"))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_scheme_is_an_algorithm_and_a_key_form() {
        assert_eq!(DigestScheme::read("hmac-sha256").unwrap(), (DigestScheme::HmacSha256, KeyForm::Raw));
        assert_eq!(CipherScheme::read("aes-256-cbc:sha256").unwrap(), (CipherScheme::Aes256Cbc, KeyForm::Sha256));
        for bad in ["", "sha256:", "sha256:hex", "aes-256-cbc", "HMAC-SHA1"] {
            assert!(DigestScheme::read(bad).is_err(), "{bad}");
        }
        assert!(CipherScheme::read("sha256").is_err());
    }

    #[test]
    fn keys_are_derived_as_their_form_says() {
        assert_eq!(*KeyForm::Raw.derive("a=").unwrap(), b"a=");
        assert_eq!(*KeyForm::Base64.derive("aGk=").unwrap(), b"hi");
        assert_eq!(*KeyForm::Base64.derive("whsec_aGk").unwrap(), b"hi");
        assert_eq!(KeyForm::Sha256.derive("x").unwrap().len(), 32);
        assert!(KeyForm::Base64.derive("not base64!").is_none());
    }
}
