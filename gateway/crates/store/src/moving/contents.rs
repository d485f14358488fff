//! A whole file, believed only when its end was read.

use std::collections::BTreeMap;
use std::path::Path;

use super::MovedTable;
use super::file::{Block, Head, Reader, TableHead, damaged};
use crate::StoreError;
use crate::copy::{Cell, Digest};
use crate::identity::range_of;

/// Columns that hold numbers of a range.
pub(super) const NUMBER: &str = "id";

/// A whole file.
pub(super) struct Contents {
    pub(super) head: Head,
    pub(super) sums: Vec<MovedTable>,
    pub(super) digest: String,
    /// The highest range that a row's number lies in.
    pub(super) highest: i64,
}

impl Contents {
    /// Reads it to its end, and believes it only then.
    pub(super) fn read(path: &Path) -> Result<Self, StoreError> {
        let (mut reader, head) = Reader::begin(path)?;
        let (mut counted, mut told, mut end) = (Vec::<(TableHead, Digest)>::new(), None, None);
        let mut highest = 0;
        while let Some(block) = reader.next()? {
            match block {
                Block::Table(table) => counted.push((table, Digest::default())),
                Block::Rows(rows) => {
                    let (table, digest) = counted.last_mut().ok_or_else(damaged)?;
                    let number = table.columns.iter().position(|(name, kind)| name == NUMBER && *kind == 'i');
                    for row in &rows {
                        if row.len() != table.columns.len() {
                            return Err(damaged());
                        }
                        digest.add(row);
                        if let Some(Cell::Int(number)) = number.and_then(|at| row.get(at)) {
                            highest = highest.max(range_of(*number));
                        }
                    }
                }
                Block::Sums(sums) => told = Some(sums),
                Block::End(digest) => end = Some(digest),
            }
        }
        let sum = |(table, digest): (TableHead, Digest)| MovedTable {
            name: table.name,
            rows: digest.rows(),
            hash: digest.hex(),
        };
        let sums: Vec<MovedTable> = counted.into_iter().map(sum).collect();
        let counts: BTreeMap<String, u64> = sums.iter().map(|sum| (sum.name.clone(), sum.rows)).collect();
        match end {
            Some(digest) if told.as_ref() == Some(&sums) && counts == head.rows => {
                Ok(Self { head, sums, digest, highest })
            }
            _ => Err(damaged()),
        }
    }
}
