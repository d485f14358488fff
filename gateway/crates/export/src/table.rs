//! A file of rows under way, in one of the formats.

use std::io::Write;

use renmen_schema::EntityKind;
use serde::Serialize;

use crate::csv_file::CsvFile;
use crate::parquet_file::ParquetFile;
use crate::row::{Cell, Head};

/// Which files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Apache Parquet: typed columns, compressed.
    Parquet,
    /// Comma separated values (RFC 4180), UTF-8, with a head.
    Csv,
}

impl Format {
    /// As it is written, and how the names of its files end.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Parquet => "parquet",
            Self::Csv => "csv",
        }
    }
}

/// How many rows are held before they are written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct GroupSize {
    pub(crate) rows: usize,
    pub(crate) bytes: usize,
}

/// A file under way.
pub(crate) enum Table<W: Write + Send> {
    Parquet(Box<ParquetFile<W>>),
    Csv(Box<CsvFile<W>>),
}

impl<W: Write + Send> Table<W> {
    pub(crate) fn begin(
        format: Format,
        out: W,
        kind: EntityKind,
        heads: &[Head],
        group: GroupSize,
    ) -> Result<Self, String> {
        Ok(match format {
            Format::Parquet => Self::Parquet(Box::new(ParquetFile::begin(out, kind.name(), heads, group)?)),
            Format::Csv => Self::Csv(Box::new(CsvFile::begin(out, heads)?)),
        })
    }

    pub(crate) fn row(&mut self, cells: Vec<Cell>) -> Result<(), String> {
        match self {
            Self::Parquet(file) => file.row(cells),
            Self::Csv(file) => file.row(&cells),
        }
    }

    /// Ends the file, and gives back where it was written to.
    pub(crate) fn end(self) -> Result<W, String> {
        match self {
            Self::Parquet(file) => file.end(),
            Self::Csv(file) => file.end(),
        }
    }
}
