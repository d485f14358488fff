//! What an operator declares: which files, and what each column means.

use std::collections::BTreeMap;

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
    /// Bytes of all parts of an XLSX once unpacked.
    pub unpacked_bytes_max: u64,
    /// Files that one stream looks at.
    pub files_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rows_max: 50_000,
            columns_max: 400,
            cell_bytes_max: 16 << 10,
            unpacked_bytes_max: 48 << 20,
            files_max: 1000,
        }
    }
}

/// One stream: the files that carry it, and how to read them.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stream {
    /// Which file names: `*` stands for any text, `?` for one character.
    pub files: String,
    /// The sheet's name; none takes the first one.
    pub sheet: Option<String>,
    /// Rows above the header that belong to nothing: a title, a date of printing.
    #[serde(default)]
    pub skip_rows: usize,
    /// Rows of the header; the titles of several are joined with `/`.
    #[serde(default = "one")]
    pub header_rows: usize,
    /// Columns whose texts, joined with `|`, are the record's external id.
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
    /// Constants: canonical pointer to value.
    #[serde(default)]
    pub set: BTreeMap<String, Value>,
    /// What the columns mean.
    pub columns: Vec<Column>,
}

fn one() -> usize {
    1
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

/// How a cell is read. What is not declared is not assumed.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "as", rename_all = "snake_case", deny_unknown_fields)]
pub enum Parse {
    /// Text without the blanks around it.
    Text {},
    /// Text in a language.
    Localized {
        /// BCP 47: `zh-CN`.
        lang: String,
    },
    /// Another record's external id.
    Ref {},
    /// A number.
    Decimal {},
    /// A day. Without formats: a date cell, an Excel serial, `2025-03-01`, `2025/3/1`, `2025.3.1`, `20250301`, `2025年3月1日`.
    Date {
        /// strftime: `%d/%m/%Y`. Then only these, and date cells.
        #[serde(default)]
        formats: Vec<String>,
    },
    /// A month, as the span of its days: `2025-03`, `202503`, `2025年3月`, or a date within it.
    Month {},
    /// An amount.
    Money {
        /// ISO 4217.
        currency: Option<String>,
        /// What a number without a suffix counts; none means single units.
        unit: Option<Unit>,
    },
    /// An amount for a time, as a pay rate.
    Rate {
        /// ISO 4217.
        currency: Option<String>,
        /// What a number without a suffix counts; none means single units.
        unit: Option<Unit>,
        /// `MONTH`, `YEAR`, …
        per: Option<String>,
    },
    /// `8-10K`, `8k～1万`, `15K以上`, as a pay range.
    Range {
        /// ISO 4217.
        currency: Option<String>,
        /// What a number without a suffix counts; without it every range must carry a suffix.
        unit: Option<Unit>,
        /// `MONTH`, `YEAR`, …
        per: Option<String>,
    },
    /// `85%` as 85.
    Percent {
        /// A number without a sign is a part of one: 0.85 is 85 %. Excel stores percent cells so.
        #[serde(default)]
        of_one: bool,
    },
    /// `30%` as 3,000 basis points.
    Weight {
        /// As in `percent`.
        #[serde(default)]
        of_one: bool,
    },
    /// A score on a declared scale.
    Score {
        /// The lowest possible.
        min: String,
        /// The highest possible.
        max: String,
        /// A word for a number: `{ 优秀 = "5" }`.
        #[serde(default)]
        levels: BTreeMap<String, String>,
    },
    /// A code with the source's own text; what the map does not know becomes OTHER.
    Code {
        /// The source's text to our code.
        map: BTreeMap<String, String>,
    },
    /// A word of a closed vocabulary: what the map does not know is a fault.
    Choice {
        /// The source's text to our word.
        map: BTreeMap<String, Value>,
    },
}

impl Default for Parse {
    fn default() -> Self {
        Self::Text {}
    }
}

/// What a bare number of an amount counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Unit {
    /// Single units of the currency.
    #[serde(rename = "1")]
    One,
    /// Thousands: `K`, `千`.
    #[serde(rename = "K")]
    Thousand,
    /// Ten thousands: `万`.
    #[serde(rename = "万")]
    TenThousand,
}

impl Unit {
    /// By how much a number is multiplied.
    #[must_use]
    pub fn factor(self) -> u32 {
        match self {
            Self::One => 1,
            Self::Thousand => 1000,
            Self::TenThousand => 10_000,
        }
    }
}
