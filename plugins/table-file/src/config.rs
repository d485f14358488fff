//! What an operator declares: which files, and what each column means.

use std::collections::BTreeMap;

use renmen_schema::KEY_SCHEMES;
use renmen_schema::id::ConnectionName;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
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

/// The years that a day may lie in: what is outside is a slip of the keyboard or a number that is not a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Years {
    /// The first one.
    pub first: i16,
    /// The last one.
    pub last: i16,
}

impl Default for Years {
    fn default() -> Self {
        Self { first: 1950, last: 2100 }
    }
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

/// The mark before the decimals of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Mark {
    /// `1,234.56`
    #[serde(rename = ".")]
    Point,
    /// `1.234,56`
    #[serde(rename = ",")]
    Comma,
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
    Ref {
        /// The other record's key is a day or a month: the cell is read as one, so that every notation finds it.
        of: Option<Of>,
        /// The connection whose system gave the id; none: the record is of this connection. With `scheme`: none for any.
        connection: Option<ConnectionName>,
        /// The cell is this alternate key of the other record, and not an id of it: `employee_number`.
        #[serde(default, deserialize_with = "scheme")]
        scheme: Option<String>,
    },
    /// A number.
    Decimal {
        /// ISO 4217: the currency that a sign next to the number must belong to; none accepts no sign.
        currency: Option<String>,
    },
    /// A day. Without formats: a date cell, `2025-03-01`, `2025/3/1`, `2025.3.1`, `20250301`, `2025年3月1日`.
    Date {
        /// strftime: `%d/%m/%Y`. Then only these, and date cells.
        #[serde(default)]
        formats: Vec<String>,
        /// A bare number is the serial of a day.
        #[serde(default)]
        serials: bool,
    },
    /// A month, as the span of its days: `2025-03`, `202503`, `2025年3月`, or a date within it.
    Month {
        /// A bare number is the serial of a day.
        #[serde(default)]
        serials: bool,
    },
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

fn scheme<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let Some(name) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    let known = || KEY_SCHEMES.iter().map(|scheme| scheme.name);
    if known().any(|known| known == name) {
        return Ok(Some(name));
    }
    Err(D::Error::custom(format!(
        "not a key of any record; expected one of {}",
        known().collect::<Vec<_>>().join(", ")
    )))
}

impl Parse {
    /// Is the cell read as a number, of which a text must say its decimal mark?
    #[must_use]
    pub fn is_number(&self) -> bool {
        !matches!(
            self,
            Self::Text {}
                | Self::Localized { .. }
                | Self::Ref { .. }
                | Self::Date { .. }
                | Self::Month { .. }
                | Self::Code { .. }
                | Self::Choice { .. }
        )
    }

    /// Do numbers of such a column have a sum?
    #[must_use]
    pub fn is_summed(&self) -> bool {
        matches!(self, Self::Decimal { .. } | Self::Money { .. } | Self::Rate { .. })
    }

    /// Is the cell read as a day or a month?
    #[must_use]
    pub fn is_day(&self) -> bool {
        matches!(self, Self::Date { .. } | Self::Month { .. } | Self::Ref { of: Some(_), .. })
    }
}

impl Default for Parse {
    fn default() -> Self {
        Self::Text {}
    }
}

/// What the external id of another record is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// A day.
    Date,
    /// A month.
    Month,
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
