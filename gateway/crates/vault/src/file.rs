//! The vault's file format: JSON with each entry sealed on its own, so that one damaged entry does not take the others along.
//!
//! An entry is XChaCha20-Poly1305 with a random 24-byte nonce; its name is the associated data, so that an entry moved
//! under another name does not open. `check` is an entry of a known text under a name that no entry can have: it tells a
//! wrong key from a damaged entry. Names, and how many entries there are, are not hidden.

use std::collections::BTreeMap;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::key::{MasterKey, fill_random};
use crate::{Secret, VaultError};

const FORMAT: &str = "renmen-vault/1";
/// Holds a blank, which no entry name may.
const CHECK_NAME: &str = "renmen vault check";
const CHECK_TEXT: &str = "this key opens this vault";
const NONCE_BYTES: usize = 24;

/// The whole file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultFile {
    format: String,
    check: Sealed,
    pub(crate) entries: BTreeMap<String, Sealed>,
}

/// One sealed value, base64.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Sealed {
    nonce: String,
    sealed: String,
}

impl VaultFile {
    /// An empty vault under a key.
    pub(crate) fn new(key: &MasterKey) -> Result<Self, VaultError> {
        let check = seal(key, CHECK_NAME, &Secret::new(CHECK_TEXT.to_owned()))?;
        Ok(Self { format: FORMAT.to_owned(), check, entries: BTreeMap::new() })
    }

    /// Reads a file and proves the key on it.
    pub(crate) fn parse(bytes: &[u8], key: &MasterKey, path: &Path) -> Result<Self, VaultError> {
        let damaged = |reason: String| VaultError::Damaged { path: path.to_owned(), reason };
        let file: Self = serde_json::from_slice(bytes).map_err(|error| {
            damaged(format!("line {} column {} is not what a vault holds", error.line(), error.column()))
        })?;
        if file.format != FORMAT {
            return Err(damaged(format!("its format is not `{FORMAT}`, so it was written by another version")));
        }
        match open(key, CHECK_NAME, &file.check) {
            Some(text) if text.expose() == CHECK_TEXT => Ok(file),
            _ => Err(VaultError::WrongKey { path: path.to_owned() }),
        }
    }

    /// As bytes for the disk.
    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).expect("maps of strings always serialise");
        bytes.push(b'\n');
        bytes
    }
}

/// Seals a value under its name.
pub(crate) fn seal(key: &MasterKey, name: &str, value: &Secret) -> Result<Sealed, VaultError> {
    let mut nonce = [0; NONCE_BYTES];
    fill_random(&mut nonce)?;
    let sealed = XChaCha20Poly1305::new(&(*key.bytes()).into())
        .encrypt(&XNonce::from(nonce), Payload { msg: value.expose().as_bytes(), aad: name.as_bytes() })
        .expect("the cipher takes any text below 256 GiB");
    Ok(Sealed { nonce: STANDARD.encode(nonce), sealed: STANDARD.encode(sealed) })
}

/// `None`: another key, another name, or altered bytes.
pub(crate) fn open(key: &MasterKey, name: &str, entry: &Sealed) -> Option<Secret> {
    let nonce: [u8; NONCE_BYTES] = STANDARD.decode(&entry.nonce).ok()?.try_into().ok()?;
    let sealed = STANDARD.decode(&entry.sealed).ok()?;
    let plain = XChaCha20Poly1305::new(&(*key.bytes()).into())
        .decrypt(&XNonce::from(nonce), Payload { msg: &sealed, aad: name.as_bytes() })
        .map(Zeroizing::new)
        .ok()?;
    Some(Secret::new(std::str::from_utf8(&plain).ok()?.to_owned()))
}
