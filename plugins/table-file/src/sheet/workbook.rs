//! XLSX: the cells of one sheet as they are shown, merged cells spread over what they cover.

use quick_xml::events::BytesStart;

use super::book::{self, Book};
use super::format::Form;
use super::parts::{Parts, Tag, Xml, attribute, unescaped};
use super::{Raw, Row, place_of};
use crate::config::{Choice, Limits, Stream};
use renmen_vocabulary::cell::{Cell, Day};
use renmen_vocabulary::day;

pub(super) fn read(bytes: &[u8], stream: &Stream, limits: &Limits) -> Result<Raw, String> {
    let mut parts = Parts::of(bytes, limits.unpacked_bytes_max)?;
    if let Some(other) = super::kind::of_archive(&parts) {
        return Err(other);
    }
    let book = book::read(&mut parts)?;
    let sheet = match stream.sheet.as_deref() {
        Some(wanted) => book.sheets.iter().find(|sheet| sheet.name == wanted).ok_or_else(|| {
            format!("no sheet `{wanted}` among the {} of the workbook: correct `sheet`", book.sheets.len())
        })?,
        None => book
            .sheets
            .iter()
            .find(|sheet| sheet.visible)
            .ok_or("a workbook without a visible sheet; name the one to read in `sheet`")?,
    };
    let xml = parts.open(&sheet.part)?.ok_or("a workbook without the part of its sheet: save it again")?;
    let mut reading = Reading { book: &book, stream, limits, rows: Vec::new(), row: None, merged: Vec::new() };
    reading.sheet(xml)?;
    reading.pack();
    for (start, end) in std::mem::take(&mut reading.merged) {
        reading.spread(start, end);
    }
    Ok(Raw { name: sheet.name.clone(), rows: reading.rows, from_1904: book.from_1904, ..Raw::default() })
}

struct Reading<'a> {
    book: &'a Book,
    stream: &'a Stream,
    limits: &'a Limits,
    rows: Vec<Row>,
    /// The cells of the row that is read, and which one it is.
    row: Option<(usize, Vec<Cell>)>,
    merged: Vec<(Place, Place)>,
}

/// Row and column, from 0.
type Place = (usize, usize);

/// A cell while it is read.
#[derive(Default)]
struct Open {
    place: Place,
    kind: String,
    style: usize,
    formula: bool,
    has_value: bool,
    text: String,
}

impl Reading<'_> {
    fn sheet(&mut self, mut xml: Xml<'_>) -> Result<(), String> {
        let (mut next, mut hidden, mut aids) = ((0, 0), false, 0);
        let (mut cell, mut within): (Option<Open>, bool) = (None, false);
        loop {
            match xml.next()? {
                Tag::Start(start) => match start.local_name().as_ref() {
                    b"row" => {
                        let (number, out) = row_of(&start);
                        next = (number.unwrap_or(next.0), 0);
                        hidden = out;
                    }
                    b"c" => cell = Some(open(&start, next)),
                    b"f" => _ = cell.as_mut().map(|cell| cell.formula = true),
                    b"v" => {
                        within = true;
                        _ = cell.as_mut().map(|cell| cell.has_value = true);
                    }
                    b"rPh" => aids += 1,
                    b"t" => within = aids == 0,
                    b"mergeCell" => {
                        let region = attribute(&start, "ref").and_then(|region| region_of(&region));
                        self.merged.push(region.ok_or("a workbook whose merged cells cannot be read: save it again")?);
                    }
                    _ => {}
                },
                Tag::Text(text) => {
                    if let Some(cell) = cell.as_mut().filter(|_| within) {
                        cell.text.push_str(&text);
                    }
                }
                Tag::End(end) => match end.local_name().as_ref() {
                    b"v" | b"t" => within = false,
                    b"rPh" => aids -= 1,
                    b"c" => {
                        if let Some(cell) = cell.take() {
                            next = (cell.place.0, cell.place.1 + 1);
                            self.close(&cell, hidden)?;
                        }
                    }
                    b"row" => next = (next.0 + 1, 0),
                    _ => {}
                },
                Tag::Other => {}
                Tag::Done => return Ok(()),
            }
        }
    }

    fn close(&mut self, open: &Open, hidden: bool) -> Result<(), String> {
        let value = self.value(open);
        if value.is_blank() {
            return Ok(());
        }
        let ((row, column), limits) = (open.place, self.limits);
        if row >= limits.rows_max {
            return Err(format!("more rows than limits.rows_max = {}: split the file", limits.rows_max));
        }
        if column >= limits.columns_max {
            return Err(format!("row {} has more columns than limits.columns_max = {}", row + 1, limits.columns_max));
        }
        if value.bytes() > limits.cell_bytes_max {
            return Err(format!(
                "row {} has a cell of more than limits.cell_bytes_max = {} bytes",
                row + 1,
                limits.cell_bytes_max
            ));
        }
        while self.rows.len() <= row {
            self.rows.push(Row::of(self.rows.len() + 1, []));
        }
        if hidden && self.stream.hidden != Some(Choice::Read) {
            self.rows[row].refuse("a hidden or filtered row; show it, or declare `hidden = \"read\"`".to_owned());
        }
        put(self.cells_of(row), column, value);
        Ok(())
    }

    /// The cells of a row: those of the one that is read, which most cells that come belong to.
    fn cells_of(&mut self, row: usize) -> &mut Vec<Cell> {
        if self.row.as_ref().is_none_or(|(open, _)| *open != row) {
            self.pack();
            self.row = Some((row, self.rows[row].cells().collect()));
        }
        &mut self.row.get_or_insert_default().1
    }

    /// The row that was read is done.
    fn pack(&mut self) {
        let Some((row, cells)) = self.row.take() else { return };
        let (before, rest) = self.rows.split_at_mut(row);
        let Some(row) = rest.first_mut() else { return };
        row.fill(cells);
        if let Some(before) = before.last() {
            row.share(before);
        }
    }

    fn value(&self, open: &Open) -> Cell {
        let text = open.text.as_str();
        match open.kind.as_str() {
            "s" => match text.trim().parse().ok().and_then(|index: usize| self.book.texts.get(index)) {
                Some(text) => Cell::of_text(text),
                None => Cell::Fault("a text that the workbook does not hold; save it again"),
            },
            "e" => Cell::ERROR,
            "b" => Cell::of_text(if text.trim() == "1" { "TRUE" } else { "FALSE" }),
            "d" => self.iso(text.trim()),
            "inlineStr" => Cell::of_text(&unescaped(text)),
            "str" if open.has_value || !open.formula => Cell::of_text(&unescaped(text)),
            _ if text.trim().is_empty() && open.formula => Cell::Fault(
                "a formula without its result; open the workbook in a spreadsheet, let it calculate, and save it",
            ),
            _ if text.trim().is_empty() => Cell::Blank,
            _ => match text.trim().parse::<f64>() {
                Ok(number) => self.number(open, number),
                Err(_) => Cell::Fault("a number that cannot be read; save the workbook again"),
            },
        }
    }

    fn number(&self, open: &Open, number: f64) -> Cell {
        let placeholder = open.formula && number == 0.0 && self.book.uncalculated;
        if placeholder && self.stream.uncalculated != Some(Choice::Read) {
            return Cell::Fault(
                "a formula whose result is 0 in a workbook that was never calculated; open it in a spreadsheet and save \
                 it, or declare `uncalculated = \"read\"`",
            );
        }
        match self.book.formats.get(open.style).copied().unwrap_or_default().of(number) {
            Form::Number(shown) => Cell::of_float(number, shown),
            Form::Time => Cell::Fault("a time or a duration, which no column takes; write a number or a date"),
            Form::Date => match day::serial(&format!("{number}"), self.book.from_1904) {
                Some(date) => Cell::Date(of_date(date)),
                None => Cell::Fault("a date cell with a number that is not a day; expected a day from 1900-03-01 on"),
            },
        }
    }

    fn iso(&self, text: &str) -> Cell {
        match day::of_text(text) {
            Some(date) => Cell::Date(of_date(date)),
            None => Cell::Fault("a date cell whose date does not exist; expected the like of 2025-03-01"),
        }
    }

    /// Gives the value of a merged region's first cell to all of it, within the sheet's used rows.
    fn spread(&mut self, start: Place, end: Place) {
        let Some(first) = self.rows.get(start.0).filter(|row| start.1 < row.width()) else { return };
        let first = first.cell(start.1);
        let last_row = end.0.min(self.rows.len().saturating_sub(1));
        let last_column = end.1.min(self.limits.columns_max - 1);
        for row in self.rows.iter_mut().take(last_row + 1).skip(start.0) {
            let mut cells: Vec<Cell> = row.cells().collect();
            for column in start.1..=last_column {
                row.merge(column);
                if cells.get(column).is_none_or(Cell::is_blank) {
                    put(&mut cells, column, first.clone());
                }
            }
            row.fill(cells);
        }
    }
}

fn of_date(date: jiff::civil::Date) -> Day {
    Day { year: date.year(), month: date.month().unsigned_abs(), day: date.day().unsigned_abs() }
}

/// A row's number from 0, where it has one, and whether it is hidden: by a filter, a person, or a height of nothing.
fn row_of(start: &BytesStart<'_>) -> (Option<usize>, bool) {
    let (mut number, mut hidden) = (None, false);
    for attribute in start.attributes().with_checks(false).filter_map(Result::ok) {
        let Ok(value) = std::str::from_utf8(&attribute.value) else { continue };
        match attribute.key.local_name().as_ref() {
            b"r" => number = value.parse::<usize>().ok().and_then(|row| row.checked_sub(1)),
            b"hidden" => hidden |= matches!(value, "1" | "true"),
            b"ht" => hidden |= value.parse() == Ok(0.0),
            _ => {}
        }
    }
    (number, hidden)
}

fn open(start: &BytesStart<'_>, next: Place) -> Open {
    let mut open = Open { place: next, ..Open::default() };
    for attribute in start.attributes().with_checks(false).filter_map(Result::ok) {
        let Ok(value) = std::str::from_utf8(&attribute.value) else { continue };
        match attribute.key.local_name().as_ref() {
            b"r" => open.place = place_of(value).unwrap_or(next),
            b"t" => value.clone_into(&mut open.kind),
            b"s" => open.style = value.parse().unwrap_or(0),
            _ => {}
        }
    }
    open
}

fn region_of(text: &str) -> Option<(Place, Place)> {
    let (start, end) = text.split_once(':').unwrap_or((text, text));
    Some((place_of(start)?, place_of(end)?))
}

fn put(cells: &mut Vec<Cell>, column: usize, value: Cell) {
    if cells.len() <= column {
        cells.resize(column + 1, Cell::Blank);
    }
    cells[column] = value;
}
