//! XLSX: unpacked within a limit, read cell by cell, merged cells spread over what they cover.

use std::io::{Cursor, Read};

use calamine::{DataRef, Reader, Xlsx};

use super::{Raw, Row};
use crate::cell::{Cell, Day};
use crate::config::Limits;

pub(super) fn read(bytes: &[u8], sheet: Option<&str>, limits: &Limits) -> Result<Raw, String> {
    within_limit(bytes, limits.unpacked_bytes_max)?;
    let mut book: Xlsx<_> =
        Xlsx::new(Cursor::new(bytes)).map_err(|_| "no XLSX that can be read: save it anew".to_owned())?;
    let from_1904 = book.has_1904_epoch();
    let names = book.sheet_names();
    let name = match sheet {
        Some(wanted) if names.iter().any(|name| name == wanted) => wanted.to_owned(),
        Some(wanted) => return Err(format!("no sheet `{wanted}`; there are {}", names.join(", "))),
        None => names.first().cloned().ok_or("a workbook without sheets")?,
    };
    let merged = book.merge_cells_by_sheet_name(&name).map_err(|_| format!("sheet `{name}` cannot be read"))?;
    let mut rows = cells(&mut book, &name, limits)?;
    for region in merged {
        spread(&mut rows, region.start, region.end, limits);
    }
    Ok(Raw { name, rows, from_1904 })
}

/// Unpacks every part once, counting what really comes out: what an archive says of its sizes is its own word.
fn within_limit(bytes: &[u8], unpacked_bytes_max: u64) -> Result<(), String> {
    let broken = |_| "a damaged ZIP archive: save the workbook anew".to_owned();
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).map_err(broken)?;
    let mut left = unpacked_bytes_max;
    let mut buffer = vec![0; 64 << 10];
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).map_err(broken)?;
        loop {
            match part.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => {
                    left = left.checked_sub(read as u64).ok_or_else(|| {
                        format!("unpacks to more than limits.unpacked_bytes_max = {unpacked_bytes_max} bytes")
                    })?;
                }
                Err(_) => return Err("a damaged ZIP archive: save the workbook anew".to_owned()),
            }
        }
    }
    Ok(())
}

fn cells(book: &mut Xlsx<Cursor<&[u8]>>, name: &str, limits: &Limits) -> Result<Vec<Row>, String> {
    let broken = |_| format!("sheet `{name}` cannot be read: save the workbook anew");
    let mut reader = book.worksheet_cells_reader(name).map_err(broken)?;
    let mut rows: Vec<Row> = Vec::new();
    while let Some(cell) = reader.next_cell().map_err(broken)? {
        let (row, column) = cell.get_position();
        let (row, column) = (row as usize, column as usize);
        let Some(value) = cell_of(cell.get_value()) else { continue };
        if row >= limits.rows_max {
            return Err(format!("sheet `{name}` has more rows than limits.rows_max = {}", limits.rows_max));
        }
        if column >= limits.columns_max {
            return Err(format!("sheet `{name}` has more columns than limits.columns_max = {}", limits.columns_max));
        }
        if value.bytes() > limits.cell_bytes_max {
            return Err(format!(
                "sheet `{name}` has a cell of more than limits.cell_bytes_max = {}",
                limits.cell_bytes_max
            ));
        }
        while rows.len() <= row {
            rows.push(Row { number: rows.len() + 1, cells: Vec::new() });
        }
        put(&mut rows[row].cells, column, value);
    }
    Ok(rows)
}

fn put(cells: &mut Vec<Cell>, column: usize, value: Cell) {
    if cells.len() <= column {
        cells.resize(column + 1, Cell::Blank);
    }
    cells[column] = value;
}

fn cell_of(value: &DataRef<'_>) -> Option<Cell> {
    Some(match value {
        DataRef::Empty => return None,
        DataRef::Int(number) => Cell::Number(number.to_string()),
        DataRef::Float(number) => Cell::of_float(*number),
        DataRef::String(text) => Cell::of_text(text),
        DataRef::SharedString(text) => Cell::of_text(text),
        DataRef::Bool(yes) => Cell::Text(if *yes { "TRUE" } else { "FALSE" }.to_owned()),
        DataRef::DateTime(time) if time.is_datetime() => {
            let (year, month, day, ..) = time.to_ymd_hms_milli();
            Cell::Date(Day { year: i32::from(year), month: u32::from(month), day: u32::from(day) })
        }
        DataRef::DateTime(time) => Cell::of_float(time.as_f64()),
        DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => Cell::of_text(text),
        DataRef::Error(_) => Cell::Fault,
    })
}

/// Gives the text of a merged region's first cell to all of it, within the sheet's used rows.
fn spread(rows: &mut [Row], start: (u32, u32), end: (u32, u32), limits: &Limits) {
    let Some(first) = rows.get(start.0 as usize).and_then(|row| row.cells.get(start.1 as usize)).cloned() else {
        return;
    };
    let last_row = (end.0 as usize).min(rows.len().saturating_sub(1));
    let last_column = (end.1 as usize).min(limits.columns_max - 1);
    for row in rows.iter_mut().take(last_row + 1).skip(start.0 as usize) {
        for column in start.1 as usize..=last_column {
            if row.cells.get(column).is_none_or(Cell::is_blank) {
                put(&mut row.cells, column, first.clone());
            }
        }
    }
}
