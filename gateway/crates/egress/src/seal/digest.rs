//! Digests: keyed ones piece by piece, plain ones of whole messages. The key is handed in.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use renmen_schema::manifest::SealScheme;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};
use subtle::ConstantTimeEq;

use crate::EgressError;

/// An HMAC under way. It takes its message piece by piece, so that a long one need not hold a thread.
pub struct Signing {
    mac: Keyed,
    key_bytes: usize,
}

enum Keyed {
    Sha1(Hmac<Sha1>),
    Sha256(Hmac<Sha256>),
    Sha512(Hmac<Sha512>),
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").finish_non_exhaustive()
    }
}

impl Signing {
    pub(super) fn new(scheme: SealScheme, key: &[u8]) -> Result<Self, EgressError> {
        let mac = match scheme {
            SealScheme::HmacSha1 | SealScheme::HmacSha1Base64 => Keyed::Sha1(hmac(key)?),
            SealScheme::HmacSha256 | SealScheme::HmacSha256Base64 => Keyed::Sha256(hmac(key)?),
            SealScheme::HmacSha512 | SealScheme::HmacSha512Base64 => Keyed::Sha512(hmac(key)?),
            SealScheme::Sha1
            | SealScheme::Sha256
            | SealScheme::Sha1Sorted
            | SealScheme::Aes256CbcSha256
            | SealScheme::Aes256CbcBase64
            | SealScheme::Aes256CbcKeyIvBase64
            | SealScheme::Equal => {
                return Err(EgressError::NotGranted(format!("`{}` is not a keyed digest", scheme.name())));
            }
        };
        Ok(Self { mac, key_bytes: key.len() })
    }

    /// Bytes of the key: hashed too, so to be charged too.
    #[must_use]
    pub fn key_bytes(&self) -> usize {
        self.key_bytes
    }

    /// Takes the next piece.
    pub fn update(&mut self, piece: &[u8]) {
        match &mut self.mac {
            Keyed::Sha1(mac) => mac.update(piece),
            Keyed::Sha256(mac) => mac.update(piece),
            Keyed::Sha512(mac) => mac.update(piece),
        }
    }

    /// The digest.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        match self.mac {
            Keyed::Sha1(mac) => mac.finalize().into_bytes().to_vec(),
            Keyed::Sha256(mac) => mac.finalize().into_bytes().to_vec(),
            Keyed::Sha512(mac) => mac.finalize().into_bytes().to_vec(),
        }
    }

    /// Is this the digest? Compared in constant time.
    #[must_use]
    pub fn matches(self, signature: &[u8]) -> bool {
        self.finish().ct_eq(signature).into()
    }
}

fn hmac<M: Mac + KeyInit>(key: &[u8]) -> Result<M, EgressError> {
    <M as KeyInit>::new_from_slice(key).map_err(|_| EgressError::Auth("the slot's key cannot be used for HMAC".into()))
}

/// The digest of a whole message that holds the key, for the gateway's own eyes.
pub(super) fn of_pieces(scheme: SealScheme, key: &[u8], pieces: &[&[u8]]) -> Result<Vec<u8>, EgressError> {
    match scheme {
        SealScheme::Sha1 => Ok(plain::<Sha1>(pieces)),
        SealScheme::Sha256 => Ok(plain::<Sha256>(pieces)),
        SealScheme::Sha1Sorted => {
            let mut sorted: Vec<&[u8]> = pieces.iter().copied().chain([key]).collect();
            sorted.sort_unstable();
            Ok(plain::<Sha1>(&sorted))
        }
        _ => {
            let mut signing = Signing::new(scheme, key)?;
            pieces.iter().for_each(|piece| signing.update(piece));
            Ok(signing.finish())
        }
    }
}

fn plain<D: Digest>(pieces: &[&[u8]]) -> Vec<u8> {
    let mut hasher = D::new();
    for piece in pieces {
        hasher.update(piece);
    }
    hasher.finalize().to_vec()
}
