//! Tables of a SQLite file as a copy sees them: which there are, and how their rows are read and written.
//!
//! The exchanges of near and of far pages are two tables here and one to everybody else.

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params_from_iter};
use tokio::sync::mpsc;

use super::exchange;
use crate::StoreError;
use crate::copy::{Cell, Column, ColumnKind, Row, Table};

/// Rows that are handed on at a time, and their bytes.
const ROWS: usize = 500;
const BYTES: usize = 4 << 20;

/// The table of exchanges, and that of those of far pages, which a copy takes for one.
const EXCHANGE: &str = "exchange";
const FAR_EXCHANGE: &str = "exchange_far";

/// All but `meta`, which says what file this is. Far exchanges are exchanges.
pub(super) fn tables(connection: &Connection) -> Result<Vec<Table>, StoreError> {
    let mut names = connection.prepare(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' AND name NOT IN ('meta', 'exchange_far') ORDER BY name",
    )?;
    let names: Vec<String> = names.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    names.into_iter().map(|name| table(connection, name)).collect()
}

fn table(connection: &Connection, name: String) -> Result<Table, StoreError> {
    let mut statement = connection.prepare("SELECT name, type, pk FROM pragma_table_info(?1)")?;
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    let found: Vec<(String, String, i64)> = statement.query_map([&name], read)?.collect::<Result<_, _>>()?;
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for (column, declared, place_in_key) in found {
        if place_in_key > 0 {
            key.push((place_in_key, column.clone()));
        }
        let kind = match declared.as_str() {
            "INTEGER" => ColumnKind::Int,
            "TEXT" => ColumnKind::Text,
            "BLOB" => ColumnKind::Bytes,
            other => return Err(StoreError::Fault(format!("`{name}.{column}` is of the type {other}"))),
        };
        columns.push(Column { name: column, kind });
    }
    key.sort();
    let mut key: Vec<String> = key.into_iter().map(|(_, column)| column).collect();
    if name == EXCHANGE {
        // Page and number are one column here.
        columns.retain(|column| column.name != "id");
        columns.extend(["no", "page"].map(|name| Column { name: name.into(), kind: ColumnKind::Int }));
        key = ["page", "no"].map(str::to_owned).to_vec();
    }
    columns.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(Table { name, columns, key, only: None })
}

/// The tables of the file that a table is made of: those of pages that are not far come first.
pub(super) fn parts(table: &Table) -> Vec<Table> {
    if table.name != EXCHANGE {
        return vec![table.clone()];
    }
    // A condition on pages, where a page is a part of the row's number.
    let only = table.only.as_ref().map(|only| only.replacen("page IN", &format!("{} IN", exchange::page_of("id")), 1));
    let near = Table { only, key: vec!["id".into()], ..table.clone() };
    vec![near, Table { name: FAR_EXCHANGE.into(), ..table.clone() }]
}

fn select(table: &Table) -> String {
    let expression = |column: &Column| match (table.name.as_str(), column.name.as_str()) {
        (EXCHANGE, "page") => exchange::page_of("id"),
        (EXCHANGE, "no") => exchange::number_of("id"),
        (_, name) => format!("\"{name}\""),
    };
    let columns: Vec<String> = table.columns.iter().map(expression).collect();
    let key: Vec<String> = table.key.iter().map(|column| format!("\"{column}\"")).collect();
    format!("SELECT {} FROM \"{}\"{} ORDER BY {}", columns.join(", "), table.name, table.condition(), key.join(", "))
}

/// How many rows there are.
pub(super) fn counts(table: &Table) -> String {
    let counts: Vec<String> = parts(table).iter().map(|part| format!("({})", part.count())).collect();
    format!("SELECT {} AS total", counts.join(" + "))
}

/// The table that a row belongs into.
fn into_far(table: &Table, row: &Row) -> bool {
    let page = table.columns.iter().position(|column| column.name == "page").and_then(|at| row.get(at));
    table.name == EXCHANGE && matches!(page, Some(Cell::Int(page)) if *page >= exchange::FAR)
}

fn insert(table: &Table) -> String {
    let place = |name: &str| table.columns.iter().position(|column| column.name == name).map_or(0, |at| at + 1);
    let (mut columns, mut values) = (Vec::new(), Vec::new());
    for (at, column) in table.columns.iter().enumerate() {
        match (table.name.as_str(), column.name.as_str()) {
            (EXCHANGE, "no") => {}
            (EXCHANGE, "page") => {
                columns.push("id".to_owned());
                values.push(exchange::row_for(&format!("?{}", place("page")), &format!("?{}", place("no"))));
            }
            (_, name) => {
                columns.push(format!("\"{name}\""));
                values.push(format!("?{}", at + 1));
            }
        }
    }
    format!("INSERT INTO \"{}\" ({}) VALUES ({})", table.name, columns.join(", "), values.join(", "))
}

pub(super) fn write(connection: &Connection, table: &Table, rows: &[Row]) -> Result<(), StoreError> {
    let mut statement = connection.prepare_cached(&insert(table))?;
    let far = Table { name: FAR_EXCHANGE.into(), ..table.clone() };
    for row in rows {
        let values = params_from_iter(row.iter().map(bound));
        if into_far(table, row) {
            connection.prepare_cached(&insert(&far))?.execute(values)?;
        } else {
            statement.execute(values)?;
        }
    }
    Ok(())
}

pub(super) fn send_rows(
    connection: &Connection,
    table: &Table,
    to: &mpsc::Sender<Result<Vec<Row>, StoreError>>,
) -> Result<(), StoreError> {
    let (mut piece, mut bytes) = (Vec::new(), 0);
    for part in parts(table) {
        let mut statement = connection.prepare(&select(&part))?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let mut cells = Vec::with_capacity(table.columns.len());
            for at in 0..table.columns.len() {
                let cell = cell(row.get_ref(at)?)?;
                bytes += cell.bytes();
                cells.push(cell);
            }
            piece.push(cells);
            if piece.len() >= ROWS || bytes >= BYTES {
                bytes = 0;
                if to.blocking_send(Ok(std::mem::take(&mut piece))).is_err() {
                    return Ok(());
                }
            }
        }
    }
    if !piece.is_empty() {
        let _ = to.blocking_send(Ok(piece));
    }
    Ok(())
}

pub(super) fn cell(value: ValueRef<'_>) -> Result<Cell, StoreError> {
    Ok(match value {
        ValueRef::Null => Cell::Null,
        ValueRef::Integer(number) => Cell::Int(number),
        ValueRef::Text(text) => {
            let text = std::str::from_utf8(text).map_err(|_| StoreError::Fault("a text is not UTF-8".into()))?;
            Cell::Text(text.to_owned())
        }
        ValueRef::Blob(bytes) => Cell::Bytes(bytes.to_vec()),
        ValueRef::Real(_) => return Err(StoreError::Fault("a value is a floating-point number".into())),
    })
}

pub(super) fn bound(cell: &Cell) -> rusqlite::types::ToSqlOutput<'_> {
    let value = match cell {
        Cell::Null => ValueRef::Null,
        Cell::Int(number) => ValueRef::Integer(*number),
        Cell::Text(text) => ValueRef::Text(text.as_bytes()),
        Cell::Bytes(bytes) => ValueRef::Blob(bytes),
    };
    rusqlite::types::ToSqlOutput::Borrowed(value)
}
