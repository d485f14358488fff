//! From a file's bytes to rows of cells under titles. What a cell means is not known here.

mod book;
mod format;
mod kind;
mod parts;
mod row;
mod text;
mod workbook;

use renmen_plugin::Failure;

use crate::config::{Limits, Stream};
use renmen_vocabulary::cell::Cell;
use renmen_vocabulary::number::half_width;
pub use row::Row;

/// A sheet without its header.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// The sheet's name; `csv` for a CSV.
    pub name: String,
    /// Column titles in order; a header of several rows gives `应发/基本工资`.
    pub titles: Vec<String>,
    /// Rows that hold records, in order.
    pub rows: Vec<Row>,
    /// Rows that begin as totals do.
    pub totals: Vec<Row>,
    /// Rows above the header.
    pub above: Vec<Row>,
    /// Serials count from 1904.
    pub from_1904: bool,
    /// The fields of the file are parted by `;`, as where commas stand before decimals.
    pub semicolons: bool,
}

/// All rows of a sheet before the header is taken off.
#[derive(Debug, Default)]
pub(crate) struct Raw {
    name: String,
    rows: Vec<Row>,
    from_1904: bool,
    semicolons: bool,
    /// Its rows are lines of text: how many fields each has is checked against the header.
    lines: bool,
    /// The last line has no end.
    open_end: bool,
}

/// Reads a file. The first bytes tell an XLSX from a CSV; its name only tells an old XLS.
///
/// # Errors
/// [`FailureKind::BadConfig`](renmen_plugin::FailureKind::BadConfig) for a file that is not what was declared or is over
/// a limit: it waits for a person.
pub fn open(file: &str, bytes: &[u8], stream: &Stream, limits: &Limits) -> Result<Table, Failure> {
    let problem = |what: String| Failure::bad_config(format!("{file}: {what}"));
    if let Some(other) = kind::of_bytes(file, bytes) {
        return Err(problem(other));
    }
    let raw = if bytes.starts_with(b"PK\x03\x04") {
        workbook::read(bytes, stream, limits)
    } else {
        text::read(bytes, stream, limits)
    }
    .map_err(problem)?;
    without_header(raw, stream).map_err(problem)
}

fn without_header(raw: Raw, stream: &Stream) -> Result<Table, String> {
    // In place: a file may fill most of the connector's memory.
    let Raw { name, mut rows, from_1904, semicolons, lines, open_end } = raw;
    let above: Vec<Row> = rows.drain(..rows.partition_point(|row| row.number <= stream.skip_rows)).collect();
    let header: Vec<Row> = rows.drain(..stream.header_rows.min(rows.len())).collect();
    let width = header.iter().map(Row::width).max().unwrap_or(0);
    let title = |column: usize| {
        let mut parts: Vec<String> = Vec::new();
        for row in &header {
            let part = title_of(&row.cell(column).text());
            // A cell that is merged over several rows gives its text to each of them.
            if !part.is_empty() && parts.last() != Some(&part) {
                parts.push(part);
            }
        }
        parts.join("/")
    };
    let titles: Vec<String> = (0..width).map(title).collect();
    rows.retain(|row| !row.is_blank());
    let total_rows: Vec<String> = stream.total_rows.iter().map(|word| title_of(word)).collect();
    let needed = titles.iter().rposition(|title| !title.is_empty()).map_or(0, |last| last + 1);
    let cut = |last: &&Row| open_end && last.width() < needed && !last.is_total(&total_rows);
    if let Some(last) = rows.last().filter(cut) {
        return Err(format!(
            "ends in the middle of row {}, which has {} of {needed} fields and no line end: send the whole file",
            last.number,
            last.width()
        ));
    }
    let totals: Vec<Row> = rows.extract_if(.., |row| row.is_total(&total_rows)).collect();
    if lines {
        rows.iter_mut().for_each(|row| row.check_width(needed, width));
    }
    Ok(Table { name, titles, rows, totals, above, from_1904, semicolons })
}

/// A title as it is compared: half-width, no blanks or line breaks.
#[must_use]
pub fn title_of(text: &str) -> String {
    half_width(text).split_whitespace().collect()
}

/// `B17` as (16, 1): row and column from 0.
#[must_use]
pub fn place_of(text: &str) -> Option<(usize, usize)> {
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let mut column = 0_usize;
    for letter in text[..digits].bytes() {
        let letter = letter.to_ascii_uppercase().checked_sub(b'A').filter(|letter| *letter < 26)?;
        column = column.checked_mul(26)?.checked_add(usize::from(letter) + 1)?;
    }
    Some((text[digits..].parse::<usize>().ok()?.checked_sub(1)?, column.checked_sub(1)?))
}

impl Row {
    /// A row of text with fewer fields than the header has titles, or with more that hold something: a separator within a
    /// value has moved them. Empty fields behind the header are fine.
    fn check_width(&mut self, needed: usize, width: usize) {
        let (fields, filled) = self.widths();
        if fields < needed || filled > width {
            self.refuse(format!(
                "{fields} fields under {needed} titles; write values with separators or line breaks in quotes"
            ));
        }
    }

    /// Does its first value begin as one of these, which are written as titles are compared?
    fn is_total(&self, words: &[String]) -> bool {
        if words.is_empty() {
            return false;
        }
        let first = self.cells().find(|cell| !cell.is_blank()).map(|cell| title_of(&cell.text()));
        first.is_some_and(|first| words.iter().any(|word| first.starts_with(word)))
    }
}

impl Table {
    /// The column with this title: the whole of it, or its last part where only one column ends so.
    ///
    /// # Errors
    /// No such column, or several.
    pub fn column(&self, title: &str) -> Result<usize, String> {
        let wanted = title_of(title);
        let all = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
            (0..self.titles.len()).filter(|&index| fits(&self.titles[index])).collect()
        };
        let mut found = all(&|title| title == wanted);
        if found.is_empty() {
            found = all(&|title| title.rsplit('/').next() == Some(&wanted));
        }
        match found[..] {
            [one] => Ok(one),
            [] => Err(format!(
                "no column `{title}` among the {} of the header; correct `column` or `key`, or `skip_rows` and \
                 `header_rows` if the header is elsewhere",
                self.titles.iter().filter(|title| !title.is_empty()).count()
            )),
            _ => Err(format!(
                "{} columns are called `{title}`: name it with the titles above it, joined with `/`",
                found.len()
            )),
        }
    }

    /// The cell at a row's number and a column, wherever in the sheet but in the header.
    #[must_use]
    pub fn cell(&self, number: usize, column: usize) -> Option<Cell> {
        let mut rows = self.above.iter().chain(&self.totals).chain(&self.rows);
        rows.find(|row| row.number == number).map(|row| row.cell(column))
    }

    /// `Sheet1!B17`.
    #[must_use]
    pub fn place(&self, column: usize, row: usize) -> String {
        let mut letters = Vec::new();
        let mut left = column + 1;
        while left > 0 {
            letters.push(b'A' + ((left - 1) % 26) as u8);
            left = (left - 1) / 26;
        }
        let letters: String = letters.into_iter().rev().map(char::from).collect();
        format!("{}!{letters}{row}", self.name)
    }
}
