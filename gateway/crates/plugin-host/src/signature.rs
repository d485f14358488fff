//! Who published a plugin? A detached ed25519 signature in minisign's format lies next to the component, and the
//! operator names the keys that are trusted. A digest says that a file is the one that was reviewed; a signature says
//! who stands behind a file that has not been seen here before.

use std::fmt;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use minisign::{PublicKey, SignatureBox};

use crate::load_error::LoadError;

/// Bytes of a signature file. The format has four short lines.
pub const SIGNATURE_BYTES_MAX: u64 = 16 << 10;

/// Where the signature of a component lies: `acme.wasm.minisig`.
#[must_use]
pub fn signature_path(component: &Path) -> PathBuf {
    let mut path = component.as_os_str().to_owned();
    path.push(".minisig");
    path.into()
}

/// A key that an operator trusts.
#[derive(Clone)]
pub struct TrustedKey {
    /// What the operator calls it: shown as the signer.
    pub name: String,
    key: PublicKey,
}

impl TrustedKey {
    /// A minisign public key: the 56 characters that begin with `RW`, as `renmen plugin keygen` prints them.
    ///
    /// # Errors
    /// A sentence that says what is expected.
    pub fn parse(name: &str, text: &str) -> Result<Self, String> {
        let text = text.trim();
        // The library takes keys of any algorithm; RW is what Ed25519 begins with.
        let key = PublicKey::from_base64(text).ok().filter(|_| text.starts_with("RW")).ok_or_else(|| {
            "not a minisign public key: expected 56 characters that begin with RW, the last line of the .pub file"
                .to_owned()
        })?;
        Ok(Self { name: name.to_owned(), key })
    }

    /// The key's number, as minisign shows it.
    #[must_use]
    pub fn id(&self) -> String {
        id_of(self.key.keynum())
    }

    /// The 56 characters.
    #[must_use]
    pub fn text(&self) -> String {
        self.key.to_base64()
    }
}

impl fmt::Debug for TrustedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrustedKey({} {})", self.name, self.id())
    }
}

/// The keys of the publishers whose plugins may be loaded.
#[derive(Debug, Clone, Default)]
pub struct Trust {
    /// The keys.
    pub keys: Vec<TrustedKey>,
    /// A plugin without a good signature of one of them is refused.
    pub required: bool,
}

/// Who signed a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// The operator's name for the key.
    pub name: String,
    /// The key's number.
    pub key: String,
    /// What the signer wrote, signed with the rest.
    pub comment: String,
}

impl Trust {
    /// Is anybody trusted or asked for? If not, signatures are not looked at.
    #[must_use]
    pub fn is_used(&self) -> bool {
        self.required || !self.keys.is_empty()
    }

    /// Checks a component's signature. `None`: the component has no signature of a trusted key, and a signature is not
    /// required.
    ///
    /// # Errors
    /// A signature of a trusted key that does not fit the component is always an error; one that is missing, unreadable
    /// or of another key is an error only where signatures are required.
    pub fn check(&self, component: &[u8], signature: Option<&str>) -> Result<Option<Signer>, LoadError> {
        let Some(text) = signature else {
            return if self.required { Err(LoadError::SignatureMissing) } else { Ok(None) };
        };
        let signature = match SignatureBox::from_string(text) {
            Ok(signature) => signature,
            Err(_) if !self.required => return Ok(None),
            Err(_) => return Err(LoadError::SignatureMalformed),
        };
        let Some(trusted) = self.keys.iter().find(|trusted| trusted.key.keynum() == signature.keynum()) else {
            let key = id_of(signature.keynum());
            return if self.required {
                Err(LoadError::SignatureOfStranger { key, trusted: self.names() })
            } else {
                Ok(None)
            };
        };
        // Quiet, nothing copied to standard output, no legacy signatures: those are not over a hash and may be forged by length.
        minisign::verify(&trusted.key, &signature, Cursor::new(component), true, false, false)
            .map_err(|_| LoadError::SignatureWrong { signer: trusted.name.clone() })?;
        let comment = signature.trusted_comment().unwrap_or_default();
        Ok(Some(Signer { name: trusted.name.clone(), key: trusted.id(), comment: shown(&comment) }))
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.keys.iter().map(|key| format!("{} ({})", key.name, key.id())).collect();
        if names.is_empty() { "no key".to_owned() } else { names.join(", ") }
    }
}

fn id_of(number: &[u8]) -> String {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&number[..8]);
    format!("{:016X}", u64::from_le_bytes(bytes))
}

/// The signer's own words, for a terminal and an API.
fn shown(comment: &str) -> String {
    let text: String = comment.chars().take(200).collect();
    renmen_schema::shown::line(&text).into_owned()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use minisign::KeyPair;

    struct Key(KeyPair);

    impl Key {
        fn new() -> Self {
            Self(KeyPair::generate_unencrypted_keypair().unwrap())
        }

        fn trusted(&self, name: &str) -> TrustedKey {
            TrustedKey::parse(name, &self.0.pk.to_base64()).unwrap()
        }

        fn sign(&self, bytes: &[u8]) -> String {
            let signed = minisign::sign(Some(&self.0.pk), &self.0.sk, Cursor::new(bytes), Some("made in a test"), None);
            signed.unwrap().into_string()
        }
    }

    #[test]
    fn a_good_signature_names_its_signer() {
        let key = Key::new();
        for required in [false, true] {
            let trust = Trust { keys: vec![Key::new().trusted("other"), key.trusted("acme")], required };
            let signer = trust.check(b"component", Some(&key.sign(b"component"))).unwrap().unwrap();
            assert_eq!((signer.name.as_str(), signer.comment.as_str()), ("acme", "made in a test"));
            assert_eq!(signer.key.len(), 16);
        }
    }

    #[test]
    fn a_component_that_was_changed_is_refused_even_where_no_signature_is_required() {
        let key = Key::new();
        for required in [false, true] {
            let trust = Trust { keys: vec![key.trusted("acme")], required };
            let error = trust.check(b"tampered!", Some(&key.sign(b"component"))).unwrap_err();
            assert!(matches!(&error, LoadError::SignatureWrong { signer } if signer == "acme"), "{error}");
        }
    }

    #[test]
    fn what_is_missing_or_strange_is_refused_only_where_a_signature_is_required() {
        let (key, stranger) = (Key::new(), Key::new());
        let lax = Trust { keys: vec![key.trusted("acme")], required: false };
        let strict = Trust { required: true, ..lax.clone() };
        let strange = stranger.sign(b"component");
        for signature in [None, Some(strange.as_str()), Some("no signature at all")] {
            assert!(lax.check(b"component", signature).unwrap().is_none());
            assert!(strict.check(b"component", signature).is_err());
        }
        let error = strict.check(b"component", Some(&strange)).unwrap_err().to_string();
        assert!(error.contains("acme") && error.contains(&stranger.trusted("x").id()), "{error}");
        assert!(strict.check(b"component", None).unwrap_err().to_string().contains("renmen plugin sign"));
    }

    #[test]
    fn a_changed_comment_spoils_the_signature() {
        let key = Key::new();
        let trust = Trust { keys: vec![key.trusted("acme")], required: true };
        let forged = key.sign(b"component").replace("made in a test", "made in a tent");
        assert!(matches!(trust.check(b"component", Some(&forged)), Err(LoadError::SignatureWrong { .. })));
    }

    #[test]
    fn what_is_no_key_is_told_what_one_looks_like() {
        for text in ["", "RWQ", "untrusted comment: x", &"A".repeat(56)] {
            assert!(TrustedKey::parse("a", text).is_err_and(|why| why.contains("begin with RW")), "{text}");
        }
    }
}
