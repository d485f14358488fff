//! From rows to canonical records: each declared column's value goes to its pointer, constants are added, and the
//! result is then read as the entity, so that no mapping can make a record that the schema does not know.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::ops::Range;

use jiff::civil::Date;
use renmen_plugin::page::Origin;
use renmen_plugin::{Failure, Omission, Page, Unfit, locate, seal};
use renmen_schema::Entity;
use renmen_schema::check::{Validate, Walk};
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::config::{Choice, Column, Parse, Stream, Years};
use crate::sheet::{Row, Table};
use renmen_vocabulary::cell::Cell;
use renmen_vocabulary::mark::Proof;
use renmen_vocabulary::value;

mod kinds;
mod standing;
mod totals;

pub use standing::{Rivals, day_of_name};
use standing::{Standing, Verdict};

/// The slot by whose key people become pseudonyms.
const PSEUDONYMS: &str = "pseudonyms";
/// Places that an omission names.
const PLACES: usize = 5;

/// A table with what its stream declares of it.
pub struct Mapped<'a> {
    mapping: Mapping<'a>,
    file: &'a str,
    standing: Option<Standing<'a>>,
    kind: Kind,
}

/// What is made of the rows.
#[derive(Clone, Copy)]
struct Kind {
    page: fn(&Mapped<'_>, u32, Range<usize>, &Rivals) -> Page,
    rival: fn(&Mapped<'_>, &BTreeSet<String>, &mut Rivals),
}

impl Kind {
    fn of<E: Entity + DeserializeOwned + Validate>() -> Self {
        Self { page: page_of::<E>, rival: rival_of::<E> }
    }
}

impl<'a> Mapped<'a> {
    /// Finds the declared columns in the table.
    ///
    /// # Errors
    /// An unknown stream, or a declared column that the sheet does not have: the file waits for a person.
    pub fn of(
        stream_name: &str,
        stream: &'a Stream,
        table: &'a Table,
        file: &'a str,
        years: Years,
    ) -> Result<Self, Failure> {
        let kind = kinds::of(stream_name)
            .ok_or_else(|| Failure::invalid_input(format!("this connector has no stream `{stream_name}`")))?;
        let problem = |problem: String| Failure::bad_config(format!("{file}: {problem}"));
        let mapping = Mapping::of(stream, table, years).map_err(problem)?;
        let standing = mapping.standing(file).map_err(problem)?;
        Ok(Self { mapping, file, standing, kind })
    }

    /// Do the file's own totals agree with its rows?
    ///
    /// # Errors
    /// They differ: nothing of the file may come in.
    pub fn check_totals(&self) -> Result<(), Failure> {
        self.mapping.check_totals().map_err(|problem| Failure::bad_config(format!("{}: {problem}", self.file)))
    }

    /// The first and the last day from which rows hold; none where nothing says it.
    #[must_use]
    pub fn days(&self, rows: Range<usize>) -> Option<(Date, Date)> {
        self.mapping.days(rows, self.standing?)
    }

    /// The keys of rows.
    #[must_use]
    pub fn keys(&self, rows: Range<usize>) -> BTreeSet<String> {
        self.mapping.table.rows[rows].iter().filter_map(|row| self.mapping.id(row).ok()).collect()
    }

    /// Adds what this file says of keys.
    pub fn add_to(&self, rivals: &mut Rivals, keys: &BTreeSet<String>) {
        (self.kind.rival)(self, keys, rivals);
    }

    /// The records of some rows, and what is left out of them.
    #[must_use]
    pub fn page(&self, exchange: u32, rows: Range<usize>, rivals: &Rivals) -> Page {
        let first = rows.start == 0;
        let mut page = (self.kind.page)(self, exchange, rows, rivals);
        let totals = &self.mapping.table.totals;
        if first && !totals.is_empty() {
            let places = totals.iter().take(PLACES).map(|row| self.mapping.place_of(row)).collect();
            page.omissions.push(self.omission("total_rows", totals.len(), places));
        }
        page
    }

    fn omission(&self, rule: &str, count: usize, places: Vec<String>) -> Omission {
        Omission { part: self.file.to_owned(), rule: rule.to_owned(), count: count as u64, places }
    }
}

fn rival_of<E: Entity + DeserializeOwned + Validate>(of: &Mapped<'_>, keys: &BTreeSet<String>, rivals: &mut Rivals) {
    if let Some(standing) = of.standing {
        of.mapping.rival::<E>(of.file, standing, keys, rivals);
    }
}

fn page_of<E: Entity + DeserializeOwned + Validate>(
    of: &Mapped<'_>,
    exchange: u32,
    rows: Range<usize>,
    rivals: &Rivals,
) -> Page {
    let (mapping, mut page) = (&of.mapping, Page::new());
    let all = &mapping.table.rows;
    // What other pages of this file bring is known from its rows: the connector keeps nothing between calls.
    let distinct = mapping.stream.distinct;
    let before = if distinct { &all[..rows.start] } else { &[] };
    let sound = before.iter().filter(|row| row.fault().is_none());
    let mut seen: BTreeSet<String> = sound.filter_map(|row| mapping.id(row).ok()).collect();
    let repeated = if distinct { BTreeMap::new() } else { mapping.repeated() };
    let (mut again, mut older) = (Vec::new(), Vec::new());
    for row in &all[rows] {
        let id = mapping.id(row);
        if distinct && row.fault().is_none() && id.as_ref().is_ok_and(|id| !seen.insert(id.clone())) {
            again.push(mapping.place_of(row));
            continue;
        }
        let made = mapping.made::<E>(row, &id, &repeated).and_then(|(id, entity)| {
            match mapping.verdict(row, (&id, &entity), of.standing, rivals) {
                Verdict::Older => older.push(mapping.place_of(row)),
                Verdict::Tie(file) => return Err(Problem::of_tie(&file)),
                Verdict::Stands => page
                    .push(Origin { exchange, pointer: &mapping.locator(row) }, id, None, &entity)
                    .map_err(|Unfit { reason }| Problem { place: None, reason })?,
            }
            Ok(())
        });
        if let Err(Problem { place, reason }) = made {
            let place = place.unwrap_or_else(|| mapping.place_of(row));
            page.reject::<E>(Origin { exchange, pointer: &place }, id.ok(), reason, mapping.raw(row));
        }
    }
    for (rule, mut places) in [("distinct", again), ("as_of", older)] {
        let count = places.len();
        places.truncate(PLACES);
        page.omissions.extend((count > 0).then(|| of.omission(rule, count, places)));
    }
    page
}

/// A stream's declaration, bound to the columns of a sheet.
struct Mapping<'a> {
    stream: &'a Stream,
    table: &'a Table,
    years: Years,
    columns: Vec<Bound<'a>>,
    /// The key's columns, and how the mapping reads each.
    key: Vec<(usize, &'a str, Option<&'a Parse>)>,
}

/// A declared column, and where it stands.
struct Bound<'a> {
    index: usize,
    column: &'a Column,
    proof: Proof,
}

impl<'a> Mapping<'a> {
    fn of(stream: &'a Stream, table: &'a Table, years: Years) -> Result<Self, String> {
        let mut columns = Vec::with_capacity(stream.columns.len());
        for column in &stream.columns {
            let index = table.column(&column.column)?;
            let texts = table.rows.iter().filter_map(|row| row.text(index));
            let texts = texts.filter(|_| column.parse.is_number());
            let proof = Proof::of(column.decimal.or(stream.decimal), texts, table.semicolons);
            columns.push(Bound { index, column, proof });
        }
        let mut key = Vec::with_capacity(stream.key.len());
        for title in &stream.key {
            let index = table.column(title)?;
            let declared = || columns.iter().filter(|bound: &&Bound<'_>| bound.index == index);
            if declared().any(|bound| bound.column.pseudonym) {
                return Err(format!(
                    "`key` names `{title}`, which has a pseudonym: an id would name the person; choose other columns"
                ));
            }
            let parse = declared().map(|bound| &bound.column.parse);
            key.push((index, title.as_str(), parse.into_iter().find(|parse| parse.is_day())));
        }
        if key.is_empty() {
            return Err("`key` names no column: a record needs an id that stays".to_owned());
        }
        Ok(Self { stream, table, years, columns, key })
    }

    /// Where a row stands.
    fn place_of(&self, row: &Row) -> String {
        format!("{}!{}", self.table.name, row.number)
    }

    /// Where a row stands, and which of its numbers were rounded by what rule: the lineage of the record.
    fn locator(&self, row: &Row) -> String {
        let mut locator = self.place_of(row);
        for bound in self.columns.iter().filter(|bound| bound.column.parse.is_number()) {
            let cell = &row.cell(bound.index);
            if let Some(how) = value::rounding(cell, &bound.column.parse, self.reading(bound, row)) {
                let cell = self.table.place(bound.index, row.number);
                let cell = cell.rsplit('!').next().unwrap_or_default();
                // A locator is at most 1,024 bytes long.
                if locator.len() > 900 {
                    locator.push_str("; and more");
                    break;
                }
                locator.push_str(&format!("; {cell} {how}"));
            }
        }
        locator
    }

    fn is_blank(&self, cell: &Cell, bound: &Bound<'_>) -> bool {
        cell.is_blank() || matches!(cell, Cell::Text(text) if bound.column.blank.iter().any(|blank| **blank == **text))
    }

    fn reading(&self, bound: &Bound<'_>, row: &Row) -> value::Reading {
        let column = bound.column;
        value::Reading {
            from_1904: self.table.from_1904,
            years: self.years,
            proof: bound.proof,
            round: column.round.or(self.stream.round),
            merged: row.is_merged(bound.index) && column.merged.or(self.stream.merged) != Some(Choice::Read),
        }
    }

    fn made<E: DeserializeOwned + Validate>(
        &self,
        row: &Row,
        id: &Result<String, Problem>,
        repeated: &BTreeMap<String, Vec<usize>>,
    ) -> Result<(String, E), Problem> {
        if let Some(fault) = row.fault() {
            return Err(Problem::of_row(fault.to_owned()));
        }
        let id = id.clone()?;
        if let Some(rows) = repeated.get(&id) {
            let others: Vec<String> = rows
                .iter()
                .filter(|&&number| number != row.number)
                .take(5)
                .map(|number| format!("{}!{number}", self.table.name))
                .collect();
            return Err(Problem::of_row(format!(
                "the same key stands in {} rows of the file, the others at {}; make the keys differ, or add a column to \
                 `key` that tells them apart",
                rows.len(),
                others.join(", ")
            )));
        }
        Ok((id, self.record::<E>(row)?))
    }

    /// The ids that several rows have, with the numbers of those.
    fn repeated(&self) -> BTreeMap<String, Vec<usize>> {
        // Each page asks this of the whole file, so the ids of all rows are not kept, only a hash of each.
        let (mut hashes, mut id) = (Vec::with_capacity(self.table.rows.len()), String::new());
        for (index, row) in self.table.rows.iter().enumerate().filter(|(_, row)| row.fault().is_none()) {
            if self.id_into(row, &mut id).is_ok() {
                let mut hasher = DefaultHasher::new();
                id.hash(&mut hasher);
                hashes.push((hasher.finish(), index));
            }
        }
        hashes.sort_unstable();
        let mut rows = BTreeMap::<String, Vec<usize>>::new();
        for same in hashes.chunk_by(|one, other| one.0 == other.0).filter(|same| same.len() > 1) {
            for row in same.iter().map(|&(_, index)| &self.table.rows[index]) {
                if let Ok(id) = self.id(row) {
                    rows.entry(id).or_default().push(row.number);
                }
            }
        }
        rows.retain(|_, rows| rows.len() > 1);
        rows
    }

    fn id(&self, row: &Row) -> Result<String, Problem> {
        let mut id = String::new();
        self.id_into(row, &mut id).map(|()| id)
    }

    fn id_into(&self, row: &Row, id: &mut String) -> Result<(), Problem> {
        id.clear();
        for (index, &(column, title, parse)) in self.key.iter().enumerate() {
            let cell = &row.cell(column);
            let problem = |reason: &str| self.problem(row, column, title, reason);
            if cell.is_blank() {
                return Err(problem("nothing in a column of the key"));
            }
            let text = match parse {
                Some(parse) => value::day_id(cell, parse, self.table.from_1904, self.years),
                None => cell.id(),
            };
            if index > 0 {
                id.push('|');
            }
            id.push_str(&text.map_err(|reason| problem(&reason))?);
        }
        Ok(())
    }

    fn record<E: DeserializeOwned + Validate>(&self, row: &Row) -> Result<E, Problem> {
        let mut body = Value::Object(Map::new());
        for (pointer, constant) in &self.stream.set {
            put(&mut body, pointer, constant.clone()).map_err(Problem::of_row)?;
        }
        for bound in &self.columns {
            let (index, column) = (bound.index, bound.column);
            let cell = &row.cell(index);
            let blank = self.is_blank(cell, bound);
            if blank && column.required {
                return Err(self.problem(row, index, &column.column, "nothing; expected a value"));
            }
            if blank {
                continue;
            }
            let problem = |reason: String| self.problem(row, index, &column.column, &reason);
            let mut value = value::read(cell, &column.parse, self.reading(bound, row)).map_err(problem)?;
            if column.pseudonym {
                let text = value.as_str().ok_or_else(|| problem("`pseudonym` is for texts".to_owned()))?;
                value = seal::pseudonym(PSEUDONYMS, text).map_err(|failure| problem(failure.message))?.into();
            }
            if let Some(line) = &column.line {
                let code = value::coded(Some(&line.code), &column.column);
                value = json!({ "kind": line.kind, "code": code, "name": { "und": column.column }, "amount": value });
            }
            put(&mut body, &column.to, value).map_err(problem)?;
        }
        let entity: E = locate::parse(body.to_string().as_bytes()).map_err(Problem::of_row)?;
        let defects = Walk::over(&entity);
        if defects.is_empty() {
            return Ok(entity);
        }
        let all: Vec<String> = defects.iter().map(ToString::to_string).collect();
        Err(Problem::of_row(all.join("; ")))
    }

    /// The row's texts, separated by tabs: what a person needs to see what is wrong. Without those that are not to be seen.
    fn raw(&self, row: &Row) -> Vec<u8> {
        let is_hidden = |index| self.columns.iter().any(|bound| bound.index == index && bound.column.pseudonym);
        let text = |(index, cell): (usize, Cell)| if is_hidden(index) { "…".to_owned() } else { cell.text() };
        row.cells().enumerate().map(text).collect::<Vec<_>>().join("\t").into_bytes()
    }

    fn problem(&self, row: &Row, column: usize, title: &str, reason: &str) -> Problem {
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
