//! Signing with a private key in PEM: what JWTs and SAML assertions are signed with. The key is read for each signature and kept nowhere.

use renmen_schema::manifest::JwtAlgorithm;
use rustls::SignatureScheme;
use rustls::crypto::ring::sign::any_supported_type;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject as _;

use crate::EgressError;

/// Bytes of one number of an ECDSA signature on P-256.
const P256_BYTES: usize = 32;

/// The signature of a message, as JWTs write it (RFC 7518): PKCS#1 v1.5 of RSA, both numbers of ECDSA one after the other.
///
/// # Errors
/// [`EgressError::Auth`] for a key that cannot be read or is of another kind.
pub(crate) fn sign(pem: &str, algorithm: JwtAlgorithm, message: &[u8]) -> Result<Vec<u8>, EgressError> {
    let unreadable = |_| {
        EgressError::Auth(
            "`private_key` of the slot is not a private key in PEM: put in the whole text, BEGIN and END lines included; an \
             encrypted key must be decrypted first"
                .into(),
        )
    };
    let key = PrivateKeyDer::from_pem_slice(pem.as_bytes()).map_err(unreadable)?;
    let key = any_supported_type(&key).map_err(|_| {
        EgressError::Auth(
            "`private_key` of the slot is of a kind that cannot be used: RSA from 2048 bits on, or P-256".into(),
        )
    })?;
    let scheme = match algorithm {
        JwtAlgorithm::RS256 => SignatureScheme::RSA_PKCS1_SHA256,
        JwtAlgorithm::ES256 => SignatureScheme::ECDSA_NISTP256_SHA256,
    };
    let signer = key.choose_scheme(&[scheme]).ok_or_else(|| {
        EgressError::Auth(format!(
            "`private_key` of the slot is not a key for {algorithm:?}, which plugin.toml asks for"
        ))
    })?;
    let signature =
        signer.sign(message).map_err(|_| EgressError::Auth("`private_key` of the slot cannot sign".into()))?;
    match algorithm {
        JwtAlgorithm::RS256 => Ok(signature),
        JwtAlgorithm::ES256 => {
            fixed(&signature).ok_or_else(|| EgressError::Auth("`private_key` of the slot cannot sign".into()))
        }
    }
}

/// From a DER sequence of two numbers to both, 32 bytes each.
fn fixed(der: &[u8]) -> Option<Vec<u8>> {
    let (mut rest, mut both) = (der.strip_prefix(&[0x30])?.get(1..)?, Vec::with_capacity(2 * P256_BYTES));
    for _ in 0..2 {
        let length = usize::from(*rest.strip_prefix(&[0x02])?.first()?);
        let number = rest.get(2..2 + length)?;
        let number = &number[number.iter().position(|byte| *byte != 0).unwrap_or(number.len())..];
        both.extend(std::iter::repeat_n(0, P256_BYTES.checked_sub(number.len())?));
        both.extend_from_slice(number);
        rest = rest.get(2 + length..)?;
    }
    rest.is_empty().then_some(both)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn numbers_are_padded_and_bare_of_their_sign() {
        let mut short = vec![0x30, 0x08, 0x02, 0x02, 0x00, 0x80, 0x02, 0x02, 0x01, 0x02];
        let both = fixed(&short).unwrap();
        assert_eq!((both.len(), both[31], both[62], both[63]), (64, 0x80, 1, 2));
        short.push(0);
        assert!(fixed(&short).is_none());
        assert!(fixed(&[0x30, 0x02, 0x02, 0x40]).is_none());
    }

    #[test]
    fn a_key_that_cannot_be_used_is_told_and_never_repeated() {
        for pem in ["", "canary", "-----BEGIN PRIVATE KEY-----\nY2FuYXJ5\n-----END PRIVATE KEY-----\n"] {
            let error = sign(pem, JwtAlgorithm::RS256, b"x").unwrap_err().to_string();
            assert!(error.contains("`private_key`") && !error.contains("Y2Fu") && !error.contains("canary"), "{error}");
        }
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap().serialize_pem();
        assert_eq!(sign(&key, JwtAlgorithm::ES256, b"x").unwrap().len(), 64);
        assert!(sign(&key, JwtAlgorithm::RS256, b"x").unwrap_err().to_string().contains("RS256"));
    }
}
