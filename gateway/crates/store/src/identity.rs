//! A record's public id, without an index to find it by.
//!
//! A UUIDv7: 48 bits of creation time, 12 bits that a key of this database decides, and 62 bits of row number. So the
//! row is found by its number, and the id is *right* only if the same id results when it is computed again from that
//! row. Tenants are kept apart by the separate tenant check, not by these 12 bits: the bits only reject an id that was
//! mistyped or guessed by counting, in 4,095 of 4,096 cases, before its row reveals anything.

use renmen_schema::id::RecordId;
use uuid::Uuid;

/// The key of one database: kept in it, made when it is created.
#[derive(Clone)]
pub(crate) struct IdKey([u8; 32]);

const TIME_MASK: u64 = (1 << 48) - 1;
const ROW_MASK: u64 = (1 << 62) - 1;

impl IdKey {
    /// A new key for a new database.
    pub(crate) fn generate() -> Self {
        Self(rand::random())
    }

    /// The key as kept; none when it has another length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The id of a row.
    pub(crate) fn mint(&self, row: i64, created_at_ms: i64) -> RecordId {
        let time = u64::try_from(created_at_ms).unwrap_or(0) & TIME_MASK;
        let row = u64::try_from(row).unwrap_or(0) & ROW_MASK;
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(&time.to_be_bytes());
        hasher.update(&row.to_be_bytes());
        let hash = hasher.finalize();
        let twelve = u64::from(u16::from_be_bytes([hash.as_bytes()[0], hash.as_bytes()[1]]) & 0x0fff);
        RecordId(Uuid::from_u64_pair(time << 16 | 0x7000 | twelve, 1 << 63 | row))
    }
}

/// The row that an id names, before it is known to be right; none when it cannot be one of ours.
pub(crate) fn row_of(id: RecordId) -> Option<i64> {
    let (high, low) = id.0.as_u64_pair();
    let ours = (high >> 12) & 0xf == 7 && low >> 62 == 0b10;
    ours.then_some(low & ROW_MASK).filter(|row| *row > 0).and_then(|row| i64::try_from(row).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_a_version_7_uuid_that_leads_to_its_row() {
        let key = IdKey([7; 32]);
        for row in [1, 2, 4_611_686_018_427_387_903] {
            let id = key.mint(row, 1_760_000_000_000);
            assert_eq!(id.0.get_version_num(), 7);
            assert_eq!(row_of(id), Some(row));
            assert_eq!(id, key.mint(row, 1_760_000_000_000));
        }
    }

    #[test]
    fn another_key_row_or_time_makes_another_id() {
        let id = IdKey([7; 32]).mint(1, 5);
        assert_ne!(id, IdKey([8; 32]).mint(1, 5));
        assert_ne!(id, IdKey([7; 32]).mint(2, 5));
        assert_ne!(id, IdKey([7; 32]).mint(1, 6));
    }

    #[test]
    fn what_was_not_made_here_has_no_row() {
        for text in [
            "00000000-0000-0000-0000-000000000000",
            "0190a5d0-7b2c-4000-8000-000000000001",
            "ffffffff-ffff-ffff-ffff-ffffffffffff",
        ] {
            assert_eq!(text.parse().ok().and_then(row_of), None, "{text}");
        }
    }
}
