//! CSV: encodings, delimiters and quotes as they come.

use std::borrow::Cow;

use encoding_rs::{Encoding as Charset, GB18030, UTF_8};

use super::{Raw, Row};
use crate::config::{Encoding, Limits, Stream};
use renmen_vocabulary::cell::Cell;

pub(super) fn read(bytes: &[u8], stream: &Stream, limits: &Limits) -> Result<Raw, String> {
    let text = decode(bytes, stream.encoding)?;
    if let Some(other) = super::kind::of_text(&text) {
        return Err(other);
    }
    let delimiter = match stream.delimiter {
        Some(c) if c.is_ascii() => c as u8,
        Some(_) => return Err("`delimiter` must be one ASCII character".to_owned()),
        None => likely_delimiter(&text),
    };
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).delimiter(delimiter).from_reader(text.as_bytes());
    let (mut rows, mut record) = (Vec::new(), csv::StringRecord::new());
    loop {
        let number = rows.len() + 1;
        let start = position(reader.position());
        if !reader.read_record(&mut record).map_err(|_| format!("row {number} is not CSV: look at its quotes"))? {
            break;
        }
        quotes(&text.as_bytes()[start..position(reader.position())], delimiter)
            .map_err(|problem| format!("row {number}: {problem}"))?;
        within_limits(number, &record, limits)?;
        rows.push(Row::of(number, record.iter().map(Cell::of_text)));
    }
    Ok(Raw {
        name: "csv".to_owned(),
        rows,
        semicolons: delimiter == b';',
        lines: true,
        open_end: !text.ends_with(['\n', '\r']),
        ..Raw::default()
    })
}

fn position(position: &csv::Position) -> usize {
    usize::try_from(position.byte()).unwrap_or(usize::MAX)
}

fn within_limits(number: usize, record: &csv::StringRecord, limits: &Limits) -> Result<(), String> {
    if number > limits.rows_max {
        return Err(format!("more rows than limits.rows_max = {}: split the file", limits.rows_max));
    }
    if record.len() > limits.columns_max {
        return Err(format!("row {number} has more columns than limits.columns_max = {}", limits.columns_max));
    }
    if record.iter().any(|field| field.len() > limits.cell_bytes_max) {
        return Err(format!(
            "row {number} has a cell of more than limits.cell_bytes_max = {} bytes",
            limits.cell_bytes_max
        ));
    }
    Ok(())
}

/// Are the quotes of a row whole? A reader of CSV forgives what it cannot understand: a quote that is never closed takes
/// all rows behind it into one field, and one that is closed within a field shows that an earlier one is missing. Where
/// rows begin is then unknown, so that the whole file is refused.
fn quotes(row: &[u8], delimiter: u8) -> Result<(), &'static str> {
    if !row.contains(&b'"') {
        return Ok(());
    }
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        Start,
        Plain,
        Quoted,
        Closed,
    }
    let mut at = At::Start;
    for &byte in row {
        at = match (at, byte) {
            (At::Quoted, b'"') => At::Closed,
            (At::Quoted, _) => At::Quoted,
            (_, b'\n' | b'\r') => At::Start,
            (_, byte) if byte == delimiter => At::Start,
            (At::Start, b'"') => At::Quoted,
            // Two quotes within quotes are one of the text.
            (At::Closed, b'"') => At::Quoted,
            (At::Start | At::Closed, b' ' | b'\t') => at,
            (At::Closed, _) => {
                return Err("text behind a closing quote: a quote is missing or not doubled here or in a row before");
            }
            _ => At::Plain,
        };
    }
    if at == At::Quoted { Err("a quote that opens here is never closed: send the whole file") } else { Ok(()) }
}

/// A text that is UTF-8 already is not copied.
fn decode(bytes: &[u8], declared: Encoding) -> Result<Cow<'_, str>, String> {
    let (charset, bytes) = match (Charset::for_bom(bytes), declared) {
        // A byte order mark is not a guess: it takes precedence over the declared encoding.
        (Some((charset, mark)), _) => (charset, &bytes[mark..]),
        (None, Encoding::Utf8) => (UTF_8, bytes),
        (None, Encoding::Gb18030) => (GB18030, bytes),
        (None, Encoding::Auto) if std::str::from_utf8(bytes).is_ok() => (UTF_8, bytes),
        (None, Encoding::Auto) => (GB18030, bytes),
    };
    charset
        .decode_without_bom_handling_and_without_replacement(bytes)
        .ok_or_else(|| format!("the text is not {}: say which in `encoding`, or save it as UTF-8", charset.name()))
}

/// The one of `,` `;` and tab that the first line has most of outside quotes.
fn likely_delimiter(text: &str) -> u8 {
    let mut counts = [(b',', 0), (b'\t', 0), (b';', 0)];
    let mut quoted = false;
    for byte in text.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' if !quoted => break,
            _ if quoted => {}
            _ => counts.iter_mut().filter(|(c, _)| *c == byte).for_each(|(_, n)| *n += 1),
        }
    }
    // The first wins a tie, so that a single column is read with the comma.
    counts.into_iter().rev().max_by_key(|(_, n)| *n).map_or(b',', |(c, _)| c)
}
