//! A record's public id, without an index to find it by.
//!
//! A UUIDv7: 48 bits of creation time, 12 bits that a key decides, and 62 bits of row number. So the
//! row is found by its number, and the id is *right* only if the same id results when it is computed again from that
//! row. Tenants are kept apart by the separate tenant check, not by these 12 bits: the bits only reject an id that was
//! mistyped or guessed by counting, in 4,095 of 4,096 cases, before its row reveals anything.
//!
//! A row may have been made in another database and moved here with its tenant: then its number lies in that database's range, and the key
//! of that range makes its id.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use renmen_schema::id::RecordId;
use uuid::Uuid;

use crate::StoreError;

/// The key of one database: kept in it, made when it is created.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct IdKey([u8; 32]);

/// The numbers of a range: enough for any table at any rate, and small enough that a client's 53 bits hold any number of any range.
pub(crate) const RANGE_BITS: u32 = 43;

/// The range that a number lies in.
pub(crate) fn range_of(number: i64) -> i64 {
    number >> RANGE_BITS
}

/// The keys of the ranges that occur in a database. Another process may add one: they are read again from time to time.
#[derive(Clone)]
pub(crate) struct IdKeys(Arc<RwLock<BTreeMap<i64, IdKey>>>);

impl IdKeys {
    pub(crate) fn of(by_range: BTreeMap<i64, IdKey>) -> Self {
        Self(Arc::new(RwLock::new(by_range)))
    }

    /// The id of a row.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] for a row of a range that was not there when the keys were read last.
    pub(crate) fn mint(&self, row: i64, created_at_ms: i64) -> Result<RecordId, StoreError> {
        let range = range_of(row);
        let known = self.0.read();
        let key = known.get(&range).ok_or_else(|| {
            StoreError::Unavailable(format!("records of range {range} came from another database a moment ago"))
        })?;
        Ok(key.mint(row, created_at_ms))
    }

    pub(crate) fn replace(&self, by_range: BTreeMap<i64, IdKey>) {
        *self.0.write() = by_range;
    }
}

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
    #![allow(clippy::unwrap_used)]
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
    fn a_row_of_another_database_has_the_id_that_it_had_there() {
        let (here, there) = (IdKey([7; 32]), IdKey([8; 32]));
        let keys = IdKeys::of([(0, here.clone())].into());
        let moved = (3 << RANGE_BITS) + 5;
        assert_eq!(keys.mint(5, 9).unwrap(), here.mint(5, 9));
        assert!(matches!(keys.mint(moved, 9), Err(StoreError::Unavailable(_))));
        keys.replace([(0, here), (3, there.clone())].into());
        assert_eq!(keys.mint(moved, 9).unwrap(), there.mint(moved, 9));
        assert_eq!(row_of(there.mint(moved, 9)), Some(moved));
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
