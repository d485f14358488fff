//! The hash of a table's rows, in their order.

use super::{Cell, Row};

/// How many rows there were, and the hash of all of them.
#[derive(Clone, Default)]
pub(crate) struct Digest {
    rows: u64,
    hasher: blake3::Hasher,
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.hex() == other.hex()
    }
}

impl Digest {
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    pub(crate) fn hex(&self) -> String {
        self.hasher.finalize().to_hex().to_string()
    }

    /// Kind, length and content of each value: no two rows look the same.
    pub(crate) fn add(&mut self, row: &Row) {
        self.rows += 1;
        self.hasher.update(&(row.len() as u64).to_le_bytes());
        for cell in row {
            let (kind, bytes): (u8, &[u8]) = match cell {
                Cell::Null => (0, &[]),
                Cell::Int(number) => (1, &number.to_le_bytes()),
                Cell::Text(text) => (2, text.as_bytes()),
                Cell::Bytes(bytes) => (3, bytes),
            };
            self.hasher.update(&[kind]).update(&(bytes.len() as u64).to_le_bytes()).update(bytes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(rows: &[Row]) -> String {
        let mut digest = Digest::default();
        rows.iter().for_each(|row| digest.add(row));
        digest.hex()
    }

    #[test]
    fn another_value_kind_order_or_number_of_rows_makes_another_hash() {
        let text = |text: &str| Cell::Text(text.into());
        let all = [
            vec![],
            vec![vec![]],
            vec![vec![Cell::Null]],
            vec![vec![text("")]],
            vec![vec![Cell::Bytes(Vec::new())]],
            vec![vec![Cell::Int(0)]],
            vec![vec![text("a"), text("b")]],
            vec![vec![text("ab"), text("")]],
            vec![vec![text("a")], vec![text("b")]],
            vec![vec![text("b")], vec![text("a")]],
        ];
        let hashes: std::collections::BTreeSet<String> = all.iter().map(|rows| hash(rows)).collect();
        assert_eq!(hashes.len(), all.len());
        assert_eq!(hash(&all[6]), hash(&all[6].clone()));
    }
}
