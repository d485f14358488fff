//! Cryptography with a slot's key, done here so that the key never enters a connector. Owns the schemes of the contract's `seal`
//! interface; what is signed is the connector's business.
//!
//! What a connector could try to learn a key is refused where it can be: a plain digest of the key alone (it is Feishu's
//! decryption key, and a dictionary finds short keys), and verifying in a time that tells how much of a signature was right.

mod cipher;
mod digest;
mod scheme;

use std::collections::BTreeMap;
use std::fmt;

use renmen_schema::id::SlotName;
use renmen_vault::Secret;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::EgressError;
use scheme::{CipherScheme, DigestScheme, KeyForm};

/// A piece of what is signed.
#[derive(Debug, Clone)]
pub enum Part {
    /// These bytes.
    Bytes(Vec<u8>),
    /// The slot's key itself.
    Key,
}

/// The keys of one connection's slots, to be used and never read.
pub struct Seal {
    secrets: BTreeMap<SlotName, Secret>,
    bytes_max: u64,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("slots", &self.secrets.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

impl Seal {
    pub(crate) fn new(secrets: BTreeMap<SlotName, Secret>, bytes_max: u64) -> Self {
        Self { secrets, bytes_max }
    }

    /// The raw digest of the parts under a scheme such as `hmac-sha256` or `sha1-sorted`.
    ///
    /// # Errors
    /// [`EgressError::Auth`] for an empty slot or a key of the wrong form, [`EgressError::BadRequest`] for an unknown scheme or
    /// parts that it does not take, [`EgressError::Limit`] for too many bytes.
    pub fn sign(&self, slot: &SlotName, scheme: &str, parts: &[Part]) -> Result<Vec<u8>, EgressError> {
        let (scheme, form) = DigestScheme::read(scheme)?;
        let bytes: usize = parts.iter().map(|part| if let Part::Bytes(bytes) = part { bytes.len() } else { 0 }).sum();
        self.check_size(bytes)?;
        let key = self.key(slot, form)?;
        digest::digest(scheme, &key, parts)
    }

    /// Is this the signature of the parts? Compared in constant time.
    ///
    /// # Errors
    /// As [`Seal::sign`]; a wrong signature is `false`, not an error.
    pub fn verify(&self, slot: &SlotName, scheme: &str, parts: &[Part], signature: &[u8]) -> Result<bool, EgressError> {
        let expected = self.sign(slot, scheme, parts)?;
        Ok(expected.as_slice().ct_eq(signature).into())
    }

    /// Encrypts under a scheme such as `aes-256-cbc:sha256`.
    ///
    /// # Errors
    /// As [`Seal::sign`].
    pub fn encrypt(&self, slot: &SlotName, scheme: &str, plain: &[u8]) -> Result<Vec<u8>, EgressError> {
        let (scheme, form) = CipherScheme::read(scheme)?;
        self.check_size(plain.len())?;
        cipher::encrypt(scheme, &*self.cipher_key(slot, form)?, plain)
    }

    /// Decrypts what such a scheme encrypted.
    ///
    /// # Errors
    /// As [`Seal::sign`]; also [`EgressError::BadRequest`] when this is no such text of this key.
    pub fn decrypt(&self, slot: &SlotName, scheme: &str, cipher: &[u8]) -> Result<Vec<u8>, EgressError> {
        let (scheme, form) = CipherScheme::read(scheme)?;
        self.check_size(cipher.len())?;
        cipher::decrypt(scheme, &*self.cipher_key(slot, form)?, cipher)
    }

    fn cipher_key(&self, slot: &SlotName, form: KeyForm) -> Result<Zeroizing<[u8; 32]>, EgressError> {
        let key = self.key(slot, form)?;
        let mut exact = Zeroizing::new([0; 32]);
        if key.len() != exact.len() {
            return Err(EgressError::Auth(format!(
                "slot `{slot}` gives a key of {} bytes, AES-256 takes 32; see the scheme's key form",
                key.len()
            )));
        }
        exact.copy_from_slice(&key);
        Ok(exact)
    }

    fn key(&self, slot: &SlotName, form: KeyForm) -> Result<Zeroizing<Vec<u8>>, EgressError> {
        let secret = self.secrets.get(slot).map(|secret| secret.expose().trim()).filter(|text| !text.is_empty());
        let text = secret
            .ok_or_else(|| EgressError::Auth(format!("slot `{slot}` is empty; give the connection a secret for it")))?;
        form.derive(text)
            .ok_or_else(|| EgressError::Auth(format!("the secret of slot `{slot}` is no base64, as its scheme wants")))
    }

    fn check_size(&self, bytes: usize) -> Result<(), EgressError> {
        if bytes as u64 <= self.bytes_max {
            return Ok(());
        }
        Err(EgressError::Limit {
            limit: "request_bytes_max",
            message: format!("{bytes} bytes to seal, {} are allowed", self.bytes_max),
        })
    }
}

#[cfg(test)]
mod tests;
