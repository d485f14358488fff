//! A CSV file. An absent value is an empty field; a text that is empty is `""`.

use std::io::Write;

use jiff::civil::Date;
use jiff::{Span, Timestamp};
use rust_decimal::Decimal;

use crate::row::{Cell, Head, SCALE};

pub(crate) struct CsvFile<W: Write> {
    out: csv::Writer<W>,
}

impl<W: Write> CsvFile<W> {
    pub(crate) fn begin(out: W, heads: &[Head]) -> Result<Self, String> {
        let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(out);
        out.write_record(heads.iter().map(|head| head.name.as_str())).map_err(|error| error.to_string())?;
        Ok(Self { out })
    }

    pub(crate) fn row(&mut self, cells: &[Cell]) -> Result<(), String> {
        self.out.write_record(cells.iter().map(shown)).map_err(|error| error.to_string())
    }

    pub(crate) fn end(self) -> Result<W, String> {
        self.out.into_inner().map_err(|error| error.to_string())
    }
}

fn shown(cell: &Cell) -> String {
    match cell {
        Cell::None => String::new(),
        Cell::Text(text) => text.clone(),
        Cell::Integer(number) => number.to_string(),
        Cell::Number(number) => number.to_string(),
        Cell::Flag(flag) => flag.to_string(),
        Cell::Decimal(millionths) => Decimal::from_i128_with_scale(*millionths, SCALE).normalize().to_string(),
        Cell::Day(days) => day(*days),
        Cell::Time(ms) => time(*ms),
    }
}

fn day(days: i32) -> String {
    let epoch = Date::constant(1970, 1, 1);
    epoch.checked_add(Span::new().days(days)).unwrap_or(epoch).to_string()
}

fn time(ms: i64) -> String {
    format!("{:.3}", Timestamp::from_millisecond(ms).unwrap_or(Timestamp::UNIX_EPOCH))
}
