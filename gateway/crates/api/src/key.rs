//! API keys: how they look and how they are kept. A key is shown once, when it is made; the store has only its hash.
//!
//! Format: `rk_` and 64 hexadecimal digits (32 random bytes). With 256 bits of randomness a plain SHA-256 is enough:
//! there is nothing to guess, so a slow password hash would only slow down every request.

use std::fmt;

use rand::TryRngCore;
use rand::rngs::OsRng;
use sha2::{Digest, Sha256};

const PREFIX: &str = "rk_";
const RANDOM_BYTES: usize = 32;

/// A key in clear. Its Debug output is `[redacted]`.
#[derive(Clone, PartialEq, Eq)]
pub struct ApiKey(String);

/// The system's source of randomness failed; no key was made.
#[derive(Debug, thiserror::Error)]
#[error("the system gave no randomness for a key: {0}")]
pub struct NoRandomness(String);

impl ApiKey {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`NoRandomness`] when the operating system refuses to give random bytes.
    pub fn generate() -> Result<Self, NoRandomness> {
        let mut bytes = [0_u8; RANDOM_BYTES];
        OsRng.try_fill_bytes(&mut bytes).map_err(|error| NoRandomness(error.to_string()))?;
        Ok(Self(format!("{PREFIX}{}", hex::encode(bytes))))
    }

    /// Takes a key as a client sent it; `None` when it has not the form of a key.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?;
        let well_formed = digits.len() == RANDOM_BYTES * 2 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        well_formed.then(|| Self(text.to_owned()))
    }

    /// The key in clear: to be shown once to the person who asked for it, and to no one else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// SHA-256: what the store keeps and is asked for. Looking a hash up leaks nothing useful through timing, because
    /// who does not know the key cannot choose its hash.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0.as_bytes()).into()
    }
}

impl fmt::Debug for ApiKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_made_key_is_read_back_and_two_differ() {
        let (one, two) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
        assert_eq!(ApiKey::parse(one.expose()), Some(one.clone()));
        assert_ne!(one.hash(), two.hash());
    }

    #[test]
    fn what_has_not_the_form_of_a_key_is_none() {
        let short = format!("rk_{}", "a".repeat(63));
        let long = format!("rk_{}", "a".repeat(65));
        let other = format!("sk_{}", "a".repeat(64));
        let not_hex = format!("rk_{}", "g".repeat(64));
        for bad in ["", "rk_", &short, &long, &other, &not_hex] {
            assert_eq!(ApiKey::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_does_not_show_the_key() {
        let key = ApiKey::generate().unwrap();
        assert_eq!(format!("{key:?}"), "[redacted]");
    }
}
