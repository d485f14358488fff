//! What an operator declares: which files, and what each column means. What a cell may mean is the vocabulary that all mappings share.

use std::collections::BTreeMap;

pub use renmen_vocabulary::{Mark, Of, Parse, Unit, Years};
use serde::Deserialize;
use serde_json::Value;

/// The connection's configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Fetch this one file instead of looking into the drop directory.
    pub url: Option<String>,
    /// Stream name to its files and columns.
    pub streams: BTreeMap<String, Stream>,
    /// What is refused.
    #[serde(default)]
    pub limits: Limits,
    /// Within which years a day must lie.
    #[serde(default)]
    pub years: Years,
}

/// What is refused, and the size from which on.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Rows of a sheet, the header's included.
    pub rows_max: usize,
    /// Columns of a sheet.
    pub columns_max: usize,
    /// Bytes of one cell's text.
    pub cell_bytes_max: usize,
    /// Bytes of the parts of an XLSX that are read, once unpacked.
    pub unpacked_bytes_max: u64,
    /// Files that one stream looks at.
    pub files_max: usize,
    /// Files with newer days that one file is compared with.
    pub compared_files_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows_max: 50_000,
            columns_max: 400,
            cell_bytes_max: 16 << 10,
            unpacked_bytes_max: 48 << 20,
            files_max: 1000,
            compared_files_max: 100,
        }
    }
}

/// One stream: the files that carry it, and how to read them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Which file names: `*` stands for any text, `?` for one character.
    pub files: String,
    /// The sheet's name; none takes the first one that is not hidden.
    pub sheet: Option<String>,
    /// Rows above the header that belong to nothing: a title, a date of printing.
    #[serde(default)]
    pub skip_rows: usize,
    /// Rows of the header; the titles of several are joined with `/`.
    #[serde(default = "one")]
    pub header_rows: usize,
    /// Columns whose values, joined with `|`, are the record's external id.
    pub key: Vec<String>,
    /// One record for each key: later rows with the same one add nothing (a run, of which every payslip names the month).
    #[serde(default)]
    pub distinct: bool,
    /// How a CSV is encoded.
    #[serde(default)]
    pub encoding: Encoding,
    /// What separates the fields of a CSV; none finds it in the first line.
    pub delimiter: Option<char>,
    /// A row whose first filled cell begins with one of these is a total and no record.
    #[serde(default)]
    pub total_rows: Vec<String>,
    /// Each file lists everything: what the newest one does not list is gone.
    #[serde(default)]
    pub snapshot: bool,
    /// Which mark stands before the decimals of numbers that are texts; none lets each column prove its own.
    pub decimal: Option<Mark>,
    /// Digits behind the point that numbers are rounded to, half away from zero; none rounds to what the cell shows.
    pub round: Option<u32>,
    /// What is done with numbers in merged cells; none refuses them.
    pub merged: Option<Choice>,
    /// What is done with hidden and filtered rows; none refuses them.
    pub hidden: Option<Choice>,
    /// What is done with the zeros of formulas in a workbook that asks to be calculated first; none refuses them.
    pub uncalculated: Option<Choice>,
    /// What is done with total rows in addition to leaving them out; none: nothing.
    pub totals: Option<Totals>,
    /// Cells that say what the rows come to.
    pub control: Option<Control>,
    /// Where it stands from which day on a row holds; none: in the column of `/validity/valid_from`, if there is one.
    pub as_of: Option<AsOf>,
    /// Constants: canonical pointer to value.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
    /// What the columns mean.
    pub columns: Vec<Column>,
}

fn one() -> usize {
    1
}

/// What is read because the operator says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Choice {
    /// As it stands.
    Read,
}

/// What is done with total rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Totals {
    /// They are compared with the rows; the file waits where they differ, or where there are none.
    Check,
}

/// Cells that say what the rows come to: `B2`, also where a total or nothing of the table stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Control {
    /// How many rows there are, without total rows and blank ones.
    pub count: Option<String>,
    /// Title of a column to the cell with its sum.
    #[serde(default)]
    pub sums: BTreeMap<String, String>,
}

/// Where it stands from which day on a row holds.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum AsOf {
    /// In a column.
    Column {
        /// Its title.
        column: String,
    },
    /// Elsewhere.
    From {
        /// Where else the day is found.
        from: DayFrom,
    },
}

/// Where the day is found if it is not in a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DayFrom {
    /// The file's name.
    Name,
}

/// How a CSV is encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub enum Encoding {
    /// By its byte order mark; else UTF-8 if it is, else GB18030.
    #[default]
    #[serde(rename = "auto")]
    Auto,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
    /// GB18030, of which GBK and GB2312 are parts.
    #[serde(rename = "gb18030")]
    Gb18030,
}

/// What a column means.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Its title; `应发/基本工资` under a header of several rows, or the last part alone where that is unique.
    pub column: String,
    /// RFC 6901 pointer into the canonical record; a last `/-` appends to a list.
    pub to: String,
    /// How a cell is read.
    #[serde(default)]
    pub parse: Parse,
    /// A blank cell is a fault.
    #[serde(default)]
    pub required: bool,
    /// Texts that count as blank: `-`, `无`.
    #[serde(default)]
    pub blank: Vec<String>,
    /// As the stream's, for this column.
    pub decimal: Option<Mark>,
    /// As the stream's, for this column.
    pub round: Option<u32>,
    /// As the stream's, for this column.
    pub merged: Option<Choice>,
    /// The value names a person who is not to be named: a keyed hash of it comes in, by the key in the slot `pseudonyms`.
    #[serde(default)]
    pub pseudonym: bool,
    /// The value is a payslip's line: `to` is then `/lines/-` and the parse money.
    pub line: Option<Line>,
}

/// What a payslip's line is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// `EARNING`, `DEDUCTION`, `TAX`, `EMPLOYER_CONTRIBUTION`, `REIMBURSEMENT`.
    pub kind: String,
    /// `BASE`, `PENSION`, …; what the schema does not know is kept as the raw text.
    pub code: String,
}
