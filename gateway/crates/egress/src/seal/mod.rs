//! Cryptography with a slot's secret, done here so that the key never enters a connector. What a slot is sealed for stands in the
//! manifest: one scheme, and who asks for it. Owns the keys; which schemes exist and may share a secret is the schema's to say.
//!
//! A connector is answered HMACs at most ([`Seal::signing`]). Plain digests and ciphers are used by the gateway alone: a delivery is
//! proved and opened ([`door`]) and its answer sealed ([`answer`]) as the manifest says, with pieces that come from outside or from
//! here and never from a connector. Why nothing of this tells more about a key than a signature does is argued, scheme by scheme,
//! in the project's security page; `tests/it/seal_attacks.rs` plays the attacker.

mod answer;
mod cipher;
mod digest;
mod door;
mod key;
mod member;
mod shape;

use std::collections::BTreeMap;
use std::fmt;

use renmen_schema::id::SlotName;
use renmen_schema::manifest::{KeyForm, SealKind, SealManifest, SealUse};
use zeroize::Zeroizing;

pub use answer::NONCE_CHARS;
pub use digest::Signing;
pub use door::{Incoming, Proved};

use crate::{EgressError, SlotSpec};

/// Standard Webhooks asks for keys of 24 to 64 bytes.
const KEY_BYTES_USUAL: usize = 24;
/// The most pieces of one signature.
pub const SEAL_PARTS_MAX: usize = 16;

/// The keys of one connection's sealed slots, to be used and never read.
pub struct Seal {
    slots: BTreeMap<SlotName, Sealed>,
    bytes_max: u64,
}

/// One sealed slot.
struct Sealed {
    seal: SealManifest,
    /// None: the operator left the slot empty.
    key: Option<Zeroizing<Vec<u8>>>,
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seal").field("slots", &self.slots.keys().collect::<Vec<_>>()).finish_non_exhaustive()
    }
}

impl Seal {
    /// Derives every key now, so that one of the wrong form is known before anything is sent.
    ///
    /// # Errors
    /// [`EgressError::Auth`] for a secret of the wrong form; [`EgressError::NotGranted`] for a sealed slot that has an auth recipe
    /// or stands on the secret of a slot with which it may not share one. Both name the slots and the fix.
    pub(crate) fn new(specs: &BTreeMap<SlotName, SlotSpec>, bytes_max: u64) -> Result<Self, EgressError> {
        let mut slots = BTreeMap::new();
        for (name, spec) in specs {
            let Some(seal) = spec.seal else { continue };
            let key = key::derive(name, seal.scheme, spec.secret.as_ref())?;
            slots.insert(name.clone(), Sealed { seal, key });
        }
        key::check_shared(specs, &slots)?;
        Ok(Self { slots, bytes_max })
    }

    /// What looks wrong and may be right: plain text that happens to be base64 gives a short key. One line a slot, without the key.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        let short = self.slots.iter().filter_map(|(slot, sealed)| {
            let scheme = sealed.seal.scheme;
            let bytes = sealed.key.as_ref()?.len();
            let odd = scheme.kind() == SealKind::Hmac && scheme.key_form() == KeyForm::Base64 && bytes < KEY_BYTES_USUAL;
            odd.then(|| {
                format!(
                    "the secret of slot `{slot}` is base64 of {bytes} bytes, and vendors give at least {KEY_BYTES_USUAL}: if it is plain \
                     text, encode it as base64 first"
                )
            })
        });
        short.collect()
    }

    /// Begins the HMAC of a slot, for a connector that wants to be handed it.
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] when the slot is not sealed for signing, [`EgressError::Auth`] when it is empty.
    pub fn signing(&self, slot: &SlotName) -> Result<Signing, EgressError> {
        self.begin(slot, SealManifest::signs, "sign")
    }

    /// Begins the HMAC of a slot, for a connector that wants a signature compared.
    ///
    /// # Errors
    /// [`EgressError::NotGranted`] when the slot is not sealed for verifying, [`EgressError::Auth`] when it is empty.
    pub fn verifying(&self, slot: &SlotName) -> Result<Signing, EgressError> {
        self.begin(slot, SealManifest::verifies, "verify")
    }

    /// The HMAC of the parts in order, at once: for the gateway's own messages.
    ///
    /// # Errors
    /// As [`Seal::signing`], and [`EgressError::Limit`] for too many bytes.
    pub fn sign(&self, slot: &SlotName, parts: &[&[u8]]) -> Result<Vec<u8>, EgressError> {
        let mut signing = self.signing(slot)?;
        let bytes = parts.iter().map(|part| part.len() as u64).sum::<u64>();
        if bytes > self.bytes_max {
            let message = format!("{bytes} bytes to sign, {} are allowed", self.bytes_max);
            return Err(EgressError::Limit { limit: "request_bytes_max", message });
        }
        parts.iter().for_each(|part| signing.update(part));
        Ok(signing.finish())
    }

    fn begin(
        &self,
        slot: &SlotName,
        allowed: fn(SealManifest) -> bool,
        used: &'static str,
    ) -> Result<Signing, EgressError> {
        let found = self.slots.get(slot).filter(|sealed| allowed(sealed.seal));
        let sealed = found.ok_or_else(|| {
            EgressError::NotGranted(format!(
                "slot `{slot}` is not sealed with use = \"{used}\"; the manifest says what a slot is sealed for"
            ))
        })?;
        Signing::new(sealed.seal.scheme, key::filled(slot, sealed)?)
    }

    /// The scheme and the key of a slot that only the gateway uses.
    fn host(&self, slot: &SlotName, kinds: &[SealKind]) -> Result<(SealManifest, &[u8]), EgressError> {
        let fits = |sealed: &&Sealed| sealed.seal.used == SealUse::Host && kinds.contains(&sealed.seal.scheme.kind());
        let found = self.slots.get(slot).filter(fits);
        let sealed = found.ok_or_else(|| {
            EgressError::NotGranted(format!("slot `{slot}` is not sealed for what [webhook.proof] wants of it"))
        })?;
        Ok((sealed.seal, key::filled(slot, sealed)?))
    }

    /// Is a slot filled?
    fn is_filled(&self, slot: &SlotName) -> bool {
        self.slots.get(slot).is_some_and(|sealed| sealed.key.is_some())
    }
}
