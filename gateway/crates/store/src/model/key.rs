//! Keys of the API: whose they are and what they are for. Only their hashes are kept.

use std::fmt;
use std::str::FromStr;

use renmen_schema::id::{ConnectionName, TenantId};

/// What a key is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyRole {
    /// Everything of its tenant.
    Owner,
    /// Reads its tenant's records.
    Consumer,
    /// The same, and decides which of them are one person.
    Steward,
    /// Reads how groups of people fared, and nothing else; no other role does.
    Auditor,
    /// The vendor behind one connection: what that vendor may ask, about records of that connection.
    Vendor(ConnectionName),
}

impl KeyRole {
    /// `owner`, `consumer`, `steward`, `auditor` or `vendor`.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Consumer => "consumer",
            Self::Steward => "steward",
            Self::Auditor => "auditor",
            Self::Vendor(_) => "vendor",
        }
    }

    /// The connection that a vendor's key is bound to.
    #[must_use]
    pub fn connection(&self) -> Option<&ConnectionName> {
        match self {
            Self::Vendor(connection) => Some(connection),
            Self::Owner | Self::Consumer | Self::Steward | Self::Auditor => None,
        }
    }

    /// From its name and connection; `None` when they do not fit together.
    #[must_use]
    pub fn of(name: &str, connection: Option<ConnectionName>) -> Option<Self> {
        match (name, connection) {
            ("owner", None) => Some(Self::Owner),
            ("consumer", None) => Some(Self::Consumer),
            ("steward", None) => Some(Self::Steward),
            ("auditor", None) => Some(Self::Auditor),
            ("vendor", Some(connection)) => Some(Self::Vendor(connection)),
            _ => None,
        }
    }
}

/// What people and logs call a key: the first bytes of its hash in hexadecimal digits. It opens nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyId([u8; 8]);

impl KeyId {
    /// Of the key with this hash.
    #[must_use]
    pub fn of(hash: &[u8; 32]) -> Self {
        let mut id = [0; 8];
        id.copy_from_slice(&hash[..8]);
        Self(id)
    }

    /// The lowest and the highest hash of a key with this id.
    pub(crate) fn hashes(self) -> ([u8; 32], [u8; 32]) {
        let (mut low, mut high) = ([0; 32], [0xff; 32]);
        low[..8].copy_from_slice(&self.0);
        high[..8].copy_from_slice(&self.0);
        (low, high)
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// The text is not 16 hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key's id has 16 hexadecimal digits; `renmen key list` shows them")]
pub struct NotAKeyId;

impl FromStr for KeyId {
    type Err = NotAKeyId;

    fn from_str(text: &str) -> Result<Self, NotAKeyId> {
        let digits = text.len() == 16 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
        let number = u64::from_str_radix(text, 16).ok().filter(|_| digits).ok_or(NotAKeyId)?;
        Ok(Self(number.to_be_bytes()))
    }
}

/// An API key: only its hash is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKeyRow {
    /// SHA-256 of the key.
    pub hash: [u8; 32],
    /// For people.
    pub label: String,
    pub tenant: TenantId,
    /// What it is for.
    pub role: KeyRole,
    pub created_at_ms: i64,
    /// When it expires, if it does.
    pub expires_at_ms: Option<i64>,
    /// When it was revoked.
    pub revoked_at_ms: Option<i64>,
    /// When it was last used, to a minute or two.
    pub last_used_at_ms: Option<i64>,
}

/// A key of someone who asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundKey {
    pub key: ApiKeyRow,
    /// Where its tenant was moved to, if it is not here any more.
    pub gone_to: Option<String>,
}

impl ApiKeyRow {
    /// A key without an end that was never used.
    #[must_use]
    pub fn new(hash: [u8; 32], label: impl Into<String>, tenant: TenantId, role: KeyRole, now_ms: i64) -> Self {
        Self {
            hash,
            label: label.into(),
            tenant,
            role,
            created_at_ms: now_ms,
            expires_at_ms: None,
            revoked_at_ms: None,
            last_used_at_ms: None,
        }
    }

    /// What people call it.
    #[must_use]
    pub fn id(&self) -> KeyId {
        KeyId::of(&self.hash)
    }

    /// Whether it opens anything at this time.
    #[must_use]
    pub fn is_good(&self, now_ms: i64) -> bool {
        self.revoked_at_ms.is_none() && self.expires_at_ms.is_none_or(|end| now_ms < end)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn an_id_is_read_back_and_nothing_else_is_an_id() {
        let id = KeyId::of(&[0xab; 32]);
        assert_eq!(id.to_string(), "abababababababab");
        assert_eq!(id.to_string().parse(), Ok(id));
        assert_eq!(KeyId::of(&[0; 32]).to_string(), "0000000000000000");
        for bad in ["", "ab", "ABABABABABABABAB", "+babababababababa", "ababababababababab", "abababababababag"] {
            assert_eq!(bad.parse::<KeyId>(), Err(NotAKeyId), "{bad}");
        }
    }

    #[test]
    fn a_vendors_key_has_a_connection_and_no_other_has_one() {
        let connection = || ConnectionName::new("vendor").unwrap();
        assert_eq!(KeyRole::of("vendor", Some(connection())), Some(KeyRole::Vendor(connection())));
        assert_eq!(KeyRole::of("owner", None), Some(KeyRole::Owner));
        assert_eq!(KeyRole::of("auditor", None), Some(KeyRole::Auditor));
        let unbound = ["owner", "consumer", "steward", "auditor"].map(|name| (name, Some(connection())));
        for (name, bound) in unbound.into_iter().chain([("vendor", None)]) {
            assert_eq!(KeyRole::of(name, bound), None, "{name}");
        }
        assert_eq!(KeyRole::of("admin", None), None);
    }

    #[test]
    fn a_key_is_good_until_it_is_revoked_or_its_time_is_over() {
        let key = ApiKeyRow::new([1; 32], "erp", TenantId::new("acme").unwrap(), KeyRole::Owner, 5);
        assert!(key.is_good(i64::MAX));
        let ending = ApiKeyRow { expires_at_ms: Some(100), ..key.clone() };
        assert!(ending.is_good(99) && !ending.is_good(100));
        assert!(!ApiKeyRow { revoked_at_ms: Some(6), ..key }.is_good(0));
    }
}
