//! The digest that pins a plugin: `sha256:` and 64 hex digits.

use sha2::{Digest, Sha256};

use crate::load_error::LoadError;

const PREFIX: &str = "sha256:";

/// The digest of a file's bytes.
pub(crate) fn of(bytes: &[u8]) -> String {
    format!("{PREFIX}{}", hex::encode(Sha256::digest(bytes)))
}

/// The first eight hex digits: enough to tell versions apart in a log.
pub(crate) fn short(digest: &str) -> &str {
    let hex = digest.strip_prefix(PREFIX).unwrap_or(digest);
    &hex[..hex.floor_char_boundary(8)]
}

/// Compares what the operator pinned with what the bytes are.
pub(crate) fn check(pinned: Option<&str>, actual: &str, dev: bool) -> Result<(), LoadError> {
    let Some(pinned) = pinned else {
        return if dev { Ok(()) } else { Err(LoadError::DigestMissing { actual: actual.to_owned() }) };
    };
    let hex = pinned.strip_prefix(PREFIX).unwrap_or_default();
    if hex.len() != 64 || !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
        let given = pinned.chars().take(80).collect();
        return Err(LoadError::DigestMalformed { given, actual: actual.to_owned() });
    }
    if pinned.eq_ignore_ascii_case(actual) {
        Ok(())
    } else {
        Err(LoadError::DigestMismatch { pinned: pinned.to_owned(), actual: actual.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_sha256_in_hex() {
        assert_eq!(of(b"abc"), "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        assert_eq!(short(&of(b"abc")), "ba7816bf");
    }

    #[test]
    fn a_right_digest_passes_in_either_case_of_letters() {
        let actual = of(b"abc");
        assert!(check(Some(&actual), &actual, false).is_ok());
        let upper = format!("sha256:{}", actual["sha256:".len()..].to_uppercase());
        assert!(check(Some(&upper), &actual, false).is_ok());
    }

    #[test]
    fn a_wrong_digest_is_refused_even_in_development() {
        assert!(matches!(check(Some(&of(b"x")), &of(b"abc"), true), Err(LoadError::DigestMismatch { .. })));
    }

    #[test]
    fn no_digest_is_refused_except_in_development() {
        assert!(matches!(check(None, &of(b"abc"), false), Err(LoadError::DigestMissing { .. })));
        assert!(check(None, &of(b"abc"), true).is_ok());
    }

    #[test]
    fn what_is_no_digest_is_called_so() {
        for given in ["abc", "sha256:", "sha256:zz", "md5:900150983cd24fb0d6963f7d28e17f72"] {
            assert!(
                matches!(check(Some(given), &of(b"abc"), false), Err(LoadError::DigestMalformed { .. })),
                "{given}"
            );
        }
    }
}
