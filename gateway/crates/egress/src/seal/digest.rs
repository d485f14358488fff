//! Signatures over parts. The key is handed in.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::digest::block_api::EagerHash;
use sha2::{Digest, Sha256, Sha512};

use super::Part;
use super::scheme::DigestScheme;
use crate::EgressError;

pub(super) fn digest(scheme: DigestScheme, key: &[u8], parts: &[Part]) -> Result<Vec<u8>, EgressError> {
    let pieces: Vec<&[u8]> =
        parts.iter().map(|part| if let Part::Bytes(bytes) = part { bytes.as_slice() } else { key }).collect();
    match scheme {
        DigestScheme::HmacSha1 => mac::<Sha1>(key, &pieces),
        DigestScheme::HmacSha256 => mac::<Sha256>(key, &pieces),
        DigestScheme::HmacSha512 => mac::<Sha512>(key, &pieces),
        DigestScheme::Sha1 => plain::<Sha1>(parts, &pieces),
        DigestScheme::Sha256 => plain::<Sha256>(parts, &pieces),
        DigestScheme::Sha1Sorted => {
            let mut sorted = pieces;
            sorted.sort_unstable();
            plain::<Sha1>(parts, &sorted)
        }
    }
}

fn mac<D: EagerHash>(key: &[u8], pieces: &[&[u8]]) -> Result<Vec<u8>, EgressError>
where
    Hmac<D>: Mac + KeyInit,
{
    let mut mac = <Hmac<D> as KeyInit>::new_from_slice(key)
        .map_err(|_| EgressError::Auth("the slot's key cannot be used for HMAC".into()))?;
    for piece in pieces {
        mac.update(piece);
    }
    Ok(mac.finalize().into_bytes().to_vec())
}

/// Without a key of its own, a digest of the slot's key alone would give away what others derive from it.
fn plain<D: Digest>(parts: &[Part], pieces: &[&[u8]]) -> Result<Vec<u8>, EgressError> {
    if !parts.iter().any(|part| matches!(part, Part::Bytes(bytes) if !bytes.is_empty())) {
        return Err(EgressError::BadRequest("a plain digest needs bytes besides the key".into()));
    }
    let mut hasher = D::new();
    for piece in pieces {
        hasher.update(piece);
    }
    Ok(hasher.finalize().to_vec())
}
