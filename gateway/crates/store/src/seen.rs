//! Which rows a sweep listed: kept small on each of its pages, joined at its end.
//!
//! A sweep may span pages, runs and restarts, so what it saw is stored with its pages: row numbers, sorted, as
//! differences in LEB128, compressed. 1,000 new rows in a row take about 20 bytes.

use crate::StoreError;

/// Rows that one or more pages listed.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    rows: Vec<i64>,
}

impl Seen {
    pub(crate) fn add(&mut self, row: i64) {
        self.rows.push(row);
    }

    /// What a page keeps.
    pub(crate) fn pack(&mut self) -> Result<Vec<u8>, StoreError> {
        self.settle();
        let mut plain = Vec::with_capacity(self.rows.len() * 2);
        let mut before = 0;
        for row in &self.rows {
            write_varint(&mut plain, row.abs_diff(before));
            before = *row;
        }
        zstd::bulk::compress(&plain, 1).map_err(|error| StoreError::Fault(format!("rows seen: {error}")))
    }

    /// Adds what a page kept.
    pub(crate) fn unpack(&mut self, packed: &[u8]) -> Result<(), StoreError> {
        // 10 bytes is the longest varint; a page has at most so many rows.
        let plain = zstd::bulk::decompress(packed, crate::PAGE_RECORDS_MAX * 10)
            .map_err(|error| StoreError::Fault(format!("rows seen by an earlier page: {error}")))?;
        let mut rest = plain.as_slice();
        let mut row = 0_i64;
        while !rest.is_empty() {
            let step = read_varint(&mut rest)
                .and_then(|step| i64::try_from(step).ok())
                .and_then(|step| row.checked_add(step))
                .ok_or_else(|| StoreError::Fault("rows seen by an earlier page are damaged".into()))?;
            row = step;
            self.rows.push(row);
        }
        Ok(())
    }

    /// Sorts; asked for before [`Seen::contains`].
    pub(crate) fn settle(&mut self) {
        self.rows.sort_unstable();
        self.rows.dedup();
    }

    /// Whether a row was listed. Only after [`Seen::settle`].
    pub(crate) fn contains(&self, row: i64) -> bool {
        self.rows.binary_search(&row).is_ok()
    }
}

fn write_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn read_varint(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (byte, tail) = rest.split_first()?;
        *rest = tail;
        value |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};

    use super::*;

    proptest! {
        #[test]
        fn what_was_packed_comes_back(rows in proptest::collection::vec(1..i64::MAX, 0..200), other in 1..i64::MAX) {
            let mut seen = Seen::default();
            rows.iter().for_each(|row| seen.add(*row));
            let mut back = Seen::default();
            back.unpack(&seen.pack().unwrap()).unwrap();
            back.settle();
            for row in &rows {
                prop_assert!(back.contains(*row));
            }
            prop_assert_eq!(back.contains(other), rows.contains(&other));
        }

        #[test]
        fn damage_is_an_error_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Seen::default().unpack(&bytes);
            let _ = Seen::default().unpack(&zstd::bulk::compress(&bytes, 1).unwrap());
        }
    }

    #[test]
    fn a_thousand_rows_in_a_row_take_less_than_a_hundred_bytes() {
        let mut seen = Seen::default();
        (500_000..501_000).for_each(|row| seen.add(row));
        assert!(seen.pack().unwrap().len() < 100);
    }
}
