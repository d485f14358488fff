//! Values as numbers: what is compared and kept of a staff number, a mail address or an identity card is a keyed hash.

/// Hashes with a key of the tenant, so that a number cannot be found by hashing all there are, and values of two tenants never meet.
#[derive(Clone)]
pub struct Digests {
    key: [u8; 32],
}

impl Digests {
    /// With this key.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self { key }
    }

    /// Of parts; none but the last may hold a NUL.
    pub(crate) fn of(&self, parts: &[&str]) -> u64 {
        let mut hasher = blake3::Hasher::new_keyed(&self.key);
        for part in parts {
            hasher.update(part.as_bytes()).update(&[0]);
        }
        let mut eight = [0; 8];
        eight.copy_from_slice(&hasher.finalize().as_bytes()[..8]);
        u64::from_le_bytes(eight)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_key_or_another_cut_is_another_number() {
        let (one, other) = (Digests::new([1; 32]), Digests::new([2; 32]));
        assert_eq!(one.of(&["mobile", "+86"]), one.of(&["mobile", "+86"]));
        assert_ne!(one.of(&["mobile", "+86"]), other.of(&["mobile", "+86"]));
        assert_ne!(one.of(&["a", "bc"]), one.of(&["ab", "c"]));
    }
}
