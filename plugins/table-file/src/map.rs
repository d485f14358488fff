//! From rows to canonical records: each declared column's value goes to its pointer, constants beside it, and the whole is
//! then read as the entity, so that no mapping can make a record that the schema does not know.

use std::collections::BTreeSet;

use renmen_plugin::{Failure, Page, Unfit, locate};
use renmen_schema::Entity;
use renmen_schema::check::{Validate, Walk};
use renmen_schema::entity::{Compensation, PayBand, PayrollRecord, PayrollRun, PerformanceMetric, PerformanceReview};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::cell::Cell;
use crate::config::{Column, Stream};
use crate::sheet::{Row, Table};

mod value;

/// Which exchange the table came with, and its file.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// The exchange of the file's bytes.
    pub exchange: u32,
    /// The file's name.
    pub file: &'a str,
}

/// Maps up to `count` rows from `first` on: the page, and the row after it.
///
/// # Errors
/// A stream that there is not, or a declared column that the sheet does not have: the file waits for a person.
pub fn rows(
    stream_name: &str,
    stream: &Stream,
    table: &Table,
    origin: Origin<'_>,
    first: usize,
    count: usize,
) -> Result<(Page, usize), Failure> {
    let mapping =
        Mapping::of(stream, table).map_err(|problem| Failure::bad_config(format!("{}: {problem}", origin.file)))?;
    let map = match stream_name {
        "pay_bands" => Mapping::page::<PayBand>,
        "compensation" => Mapping::page::<Compensation>,
        "payroll_runs" => Mapping::page::<PayrollRun>,
        "payroll_records" => Mapping::page::<PayrollRecord>,
        "performance_metrics" => Mapping::page::<PerformanceMetric>,
        "performance_reviews" => Mapping::page::<PerformanceReview>,
        _ => return Err(Failure::invalid_input(format!("this connector has no stream `{stream_name}`"))),
    };
    Ok(map(&mapping, origin.exchange, first, count))
}

/// A stream's declaration, bound to the columns of a sheet.
struct Mapping<'a> {
    stream: &'a Stream,
    table: &'a Table,
    columns: Vec<(usize, &'a Column)>,
    key: Vec<usize>,
}

impl<'a> Mapping<'a> {
    fn of(stream: &'a Stream, table: &'a Table) -> Result<Self, String> {
        let mut columns = Vec::with_capacity(stream.columns.len());
        for column in &stream.columns {
            columns.push((table.column(&column.column)?, column));
        }
        let key = stream.key.iter().map(|title| table.column(title)).collect::<Result<Vec<_>, _>>()?;
        if key.is_empty() {
            return Err("`key` names no column: a record needs an id that stays".to_owned());
        }
        Ok(Self { stream, table, columns, key })
    }

    fn page<E: Entity + DeserializeOwned + Validate>(
        &self,
        exchange: u32,
        first: usize,
        count: usize,
    ) -> (Page, usize) {
        let mut page = Page::new();
        let last = first.saturating_add(count).min(self.table.rows.len());
        // What earlier pages of this file brought is known from its rows: the connector keeps nothing between calls.
        let mut seen: BTreeSet<String> = match self.stream.distinct {
            true => self.table.rows[..first.min(last)].iter().filter_map(|row| self.id(row).ok()).collect(),
            false => BTreeSet::new(),
        };
        for row in self.table.rows.iter().take(last).skip(first) {
            let id = self.id(row);
            if self.stream.distinct && id.as_ref().is_ok_and(|id| !seen.insert(id.clone())) {
                continue;
            }
            let pointer = format!("{}!{}", self.table.name, row.number);
            let made = id.clone().and_then(|id| Ok((id, self.record::<E>(row)?)));
            let origin = |pointer| renmen_plugin::page::Origin { exchange, pointer };
            let pushed = made.and_then(|(id, entity)| {
                page.push(origin(&pointer), id, None, &entity)
                    .map_err(|Unfit { reason }| Problem { place: None, reason })
            });
            if let Err(Problem { place, reason }) = pushed {
                page.reject::<E>(origin(place.as_deref().unwrap_or(&pointer)), id.ok(), reason, raw(row));
            }
        }
        (page, last)
    }

    fn id(&self, row: &Row) -> Result<String, Problem> {
        let mut id = String::new();
        for (index, &column) in self.key.iter().enumerate() {
            let text = row.cells.get(column).map(Cell::text).unwrap_or_default();
            if text.is_empty() {
                return Err(self.problem(
                    row,
                    column,
                    "nothing, or an error of the spreadsheet, in a column of the key",
                ));
            }
            if index > 0 {
                id.push('|');
            }
            id.push_str(&crate::number::half_width(&text));
        }
        Ok(id)
    }

    fn record<E: DeserializeOwned + Validate>(&self, row: &Row) -> Result<E, Problem> {
        let mut body = Value::Object(Map::new());
        for (pointer, constant) in &self.stream.set {
            put(&mut body, pointer, constant.clone()).map_err(Problem::of_row)?;
        }
        for &(index, column) in &self.columns {
            let cell = row.cells.get(index).unwrap_or(&Cell::Blank);
            let blank = cell.is_blank() || matches!(cell, Cell::Text(text) if column.blank.contains(text));
            if blank && column.required {
                return Err(self.problem(row, index, "nothing; expected a value"));
            }
            if blank {
                continue;
            }
            let mut value = value::read(cell, &column.parse, self.table.from_1904)
                .map_err(|reason| self.problem(row, index, &reason))?;
            if let Some(line) = &column.line {
                let code = value::coded(Some(&line.code), &column.column);
                value = json!({ "kind": line.kind, "code": code, "name": { "und": column.column }, "amount": value });
            }
            put(&mut body, &column.to, value).map_err(|reason| self.problem(row, index, &reason))?;
        }
        let entity: E = locate::parse(body.to_string().as_bytes()).map_err(Problem::of_row)?;
        let defects = Walk::over(&entity);
        if defects.is_empty() {
            return Ok(entity);
        }
        let all: Vec<String> = defects.iter().map(ToString::to_string).collect();
        Err(Problem::of_row(all.join("; ")))
    }

    fn problem(&self, row: &Row, column: usize, reason: &str) -> Problem {
        let title = self.table.titles.get(column).map_or("", String::as_str);
        Problem { place: Some(self.table.place(column, row.number)), reason: format!("column {title}: {reason}") }
    }
}

/// What is wrong with a row, and in which cell where it is one cell's fault.
#[derive(Clone)]
struct Problem {
    place: Option<String>,
    reason: String,
}

impl Problem {
    fn of_row(reason: String) -> Self {
        Self { place: None, reason }
    }
}

/// The row's texts, separated by tabs: what a person needs to see what is wrong.
fn raw(row: &Row) -> Vec<u8> {
    let texts: Vec<String> = row.cells.iter().map(Cell::text).collect();
    texts.join("\t").into_bytes()
}

/// Puts a value at a pointer, making the objects and lists on the way; `-` or the next number appends to a list.
fn put(body: &mut Value, pointer: &str, value: Value) -> Result<(), String> {
    let refuse =
        || format!("the pointer `{pointer}` leads nowhere: it must begin with `/` and not cross another value");
    let tokens = pointer.strip_prefix('/').ok_or_else(refuse)?.split('/');
    let mut at = body;
    for token in tokens {
        let token = token.replace("~1", "/").replace("~0", "~");
        let in_list = token == "-" || token.bytes().all(|b| b.is_ascii_digit()) && !token.is_empty();
        if at.is_null() {
            *at = if in_list { Value::Array(Vec::new()) } else { Value::Object(Map::new()) };
        }
        at = match at {
            Value::Object(members) => members.entry(token).or_insert(Value::Null),
            Value::Array(items) => {
                let index = if token == "-" { items.len() } else { token.parse().map_err(|_| refuse())? };
                if index == items.len() {
                    items.push(Value::Null);
                }
                items.get_mut(index).ok_or_else(refuse)?
            }
            _ => return Err(refuse()),
        };
    }
    if !at.is_null() {
        return Err(format!("two values for `{pointer}`"));
    }
    *at = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn values_go_to_their_pointers_and_lists_grow() {
        let mut body = json!({});
        for (pointer, value) in [("/a/b", 1), ("/l/-/x", 2), ("/l/-/x", 3), ("/l/0/y", 4), ("/m~1n", 5)] {
            put(&mut body, pointer, json!(value)).unwrap();
        }
        assert_eq!(body, json!({"a": {"b": 1}, "l": [{"x": 2, "y": 4}, {"x": 3}], "m/n": 5}));
    }

    #[test]
    fn a_pointer_that_crosses_a_value_or_meets_one_is_refused() {
        let mut body = json!({"a": 1});
        for pointer in ["a", "", "/a", "/a/b", "/l/7"] {
            assert!(put(&mut body, pointer, json!(2)).is_err(), "{pointer}");
        }
    }
}
