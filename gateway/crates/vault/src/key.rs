//! The master key that opens the vault.

use std::fmt;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use renmen_schema::{Text, text};
use zeroize::{Zeroize as _, Zeroizing};

use crate::place::{self, Exposure};
use crate::{Secret, VaultError};

/// Bytes of a master key.
pub const MASTER_KEY_BYTES: usize = 32;

/// 32 bytes that open a vault: wiped when dropped, never printed.
#[derive(Clone)]
pub struct MasterKey(Zeroizing<[u8; MASTER_KEY_BYTES]>);

impl MasterKey {
    /// A new random key from the system's generator.
    ///
    /// # Errors
    /// [`VaultError::Io`] when the system has no randomness to give.
    pub fn generate() -> Result<Self, VaultError> {
        let mut bytes = Zeroizing::new([0; MASTER_KEY_BYTES]);
        fill_random(bytes.as_mut_slice())?;
        Ok(Self(bytes))
    }

    /// Reads base64 (standard alphabet, padded), as `openssl rand -base64 32` writes it.
    ///
    /// # Errors
    /// [`VaultError::BadKey`] naming `whence`, never the text.
    pub fn from_base64(text: &Secret, whence: &str) -> Result<Self, VaultError> {
        let bad = |reason: Text| VaultError::BadKey { whence: whence.to_owned(), reason };
        let mut decoded = Zeroizing::new(STANDARD.decode(text.expose().trim()).map_err(|_| {
            bad(text!("it is not base64 (standard alphabet, padded)", "不是 base64（标准字母表，带填充）"))
        })?);
        if decoded.len() != MASTER_KEY_BYTES {
            return Err(bad(text!("it has {} bytes", "有 {} 字节", decoded.len())));
        }
        let mut bytes = Zeroizing::new([0; MASTER_KEY_BYTES]);
        bytes.copy_from_slice(&decoded);
        decoded.zeroize();
        Ok(Self(bytes))
    }

    /// Reads a key file: base64, one line, readable by its owner alone (`dev` allows a wider mode).
    ///
    /// # Errors
    /// [`VaultError::File`], [`VaultError::Exposed`], [`VaultError::BadKey`].
    pub fn from_file(path: &Path, dev: bool) -> Result<Self, VaultError> {
        let text = place::read_secret(path, if dev { Exposure::Allowed } else { Exposure::Refused })?;
        Self::from_base64(&text, &path.display().to_string())
    }

    /// As text for a key file or a variable.
    #[must_use]
    pub fn to_base64(&self) -> Secret {
        Secret::new(STANDARD.encode(self.0.as_slice()))
    }

    pub(crate) fn bytes(&self) -> &[u8; MASTER_KEY_BYTES] {
        &self.0
    }
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// Random bytes of the system, or an error: a predictable key or nonce is worse than none.
pub(crate) fn fill_random(bytes: &mut [u8]) -> Result<(), VaultError> {
    OsRng.try_fill_bytes(bytes).map_err(|error| VaultError::Io {
        path: "the system's random generator".into(),
        source: std::io::Error::other(error),
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_key_survives_its_text_form() {
        let key = MasterKey::generate().unwrap();
        let again = MasterKey::from_base64(&key.to_base64(), "test").unwrap();
        assert_eq!(key.bytes(), again.bytes());
        assert_ne!(key.bytes(), MasterKey::generate().unwrap().bytes());
        assert_eq!(format!("{key:?}"), "[redacted]");
    }

    #[test]
    fn what_is_no_key_is_refused_without_showing_it() {
        for text in ["", "hunter2-hunter2", "c2hvcnQ=", "%%%"] {
            let error =
                MasterKey::from_base64(&Secret::new(text.to_owned()), "RENMEN_VAULT_KEY").unwrap_err().to_string();
            assert!(error.contains("RENMEN_VAULT_KEY") && error.contains("openssl rand -base64 32"), "{error}");
            assert!(text.is_empty() || !error.contains(text), "{error}");
        }
    }
}
