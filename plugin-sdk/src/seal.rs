//! Cryptography with a slot's key, done by the gateway: the key never enters the connector.

use crate::{Failure, host};

/// A piece of what is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// These bytes.
    Bytes(&'a [u8]),
    /// The place where the slot's key itself goes in: `sha256(time + key + body)`.
    Key,
}

/// Signs the parts in order. `scheme`: `hmac-sha1`, `hmac-sha256`, `hmac-sha512`, `sha1`, `sha256`, `sha1-sorted`.
/// Answers the raw digest.
///
/// # Errors
/// A slot that is not there, or a scheme that the gateway does not know.
pub fn sign(slot: &str, scheme: &str, parts: &[Part<'_>]) -> Result<Vec<u8>, Failure> {
    host::sign(slot, scheme, parts)
}

/// Compares a signature in constant time.
///
/// # Errors
/// As [`sign`]; a signature that differs is `Ok(false)`.
pub fn verify(slot: &str, scheme: &str, parts: &[Part<'_>], signature: &[u8]) -> Result<bool, Failure> {
    host::verify(slot, scheme, parts, signature)
}

/// Encrypts. `scheme`: `aes-256-cbc` (the IV stands before the text) or `aes-256-cbc-key-iv` (the IV is taken from the key).
///
/// # Errors
/// A slot that is not there or whose key does not fit, or a scheme that the gateway does not know.
pub fn encrypt(slot: &str, scheme: &str, plain: &[u8]) -> Result<Vec<u8>, Failure> {
    host::encrypt(slot, scheme, plain)
}

/// Decrypts what [`encrypt`] makes.
///
/// # Errors
/// As [`encrypt`], and a text that this key did not make.
pub fn decrypt(slot: &str, scheme: &str, cipher: &[u8]) -> Result<Vec<u8>, Failure> {
    host::decrypt(slot, scheme, cipher)
}
