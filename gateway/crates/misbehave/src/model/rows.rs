//! What there is: rows made after the example, each with its time, and what was done to it.

use serde_json::Value;

use super::describe::Described;
use super::time::offset_of;
use super::{FROM_MS, FUTURE_MS, TimeForm};
use crate::place;

/// Rows that share one time.
const TIED_ROWS: usize = 4;
/// How long before the newest one a row that is held back was changed. Milliseconds.
const LATE_MS: i64 = 60_000;

/// One row.
#[derive(Debug, Clone)]
pub struct Row {
    /// The source's id.
    pub id: Value,
    /// When it was last changed. Milliseconds since 1970.
    pub modified_ms: i64,
    /// When it was made. Milliseconds since 1970.
    pub created_ms: i64,
    /// How often it was changed.
    pub version: u32,
    /// Where it stands among all changes of the source: what a token that was given before does not know.
    pub seq: u64,
    /// Gone: marked, or no longer listed.
    pub gone: bool,
    /// What else is different from the example.
    pub edits: Vec<(String, Edit)>,
}

/// One difference from the example.
#[derive(Debug, Clone, PartialEq)]
pub enum Edit {
    /// Another value.
    Set(Value),
    /// The member is not there.
    Remove,
}

/// The rows of a stream.
#[derive(Debug, Clone)]
pub struct Rows {
    pub(crate) described: Described,
    pub(crate) form: Option<TimeForm>,
    created_form: Option<TimeForm>,
    rows: Vec<Row>,
    made: usize,
    /// Changes so far.
    changes: u64,
    /// Row that may be held back.
    pub(super) late: Option<usize>,
    tied: bool,
}

/// A member is taken away; a cell of a row stays, with nothing in it, or all behind it would be other cells.
fn remove(record: &mut Value, pointer: &str) {
    let parent = pointer.rsplit_once('/').and_then(|(parent, _)| record.pointer(parent));
    match parent {
        Some(Value::Array(_)) => place::put(record, pointer, Value::Null),
        _ => drop(place::take(record, pointer)),
    }
}

impl Rows {
    pub(super) fn new(described: Described, count: usize) -> Result<Self, (&'static str, String)> {
        let example = &described.record;
        let zone = described.zone.as_deref().unwrap_or("Z");
        let Some(offset_s) = offset_of(zone) else {
            return Err(("zone", format!("`{zone}` is not an offset; expected +08:00 or Z")));
        };
        let form_of = |key, pointer: &Option<String>| match pointer {
            None => Ok(None),
            Some(pointer) => match example.pointer(pointer).and_then(|time| TimeForm::of(time, offset_s)) {
                Some(form) => Ok(Some(form)),
                None => Err((
                    key,
                    format!(
                        "`{pointer}` of the example is not a time: expected RFC 3339, `2024-01-01 08:00:00`, `/Date(…)/`, or a number since 1970"
                    ),
                )),
            },
        };
        let (form, created_form) = (form_of("modified", &described.modified)?, form_of("created", &described.created)?);
        if example.pointer(&described.id).and_then(place::text_of).is_none() {
            return Err(("id", format!("`{}` of the example is neither a text nor a number", described.id)));
        }
        if example.pointer(&described.change).and_then(Value::as_str).is_none() {
            return Err(("change", format!("`{}` of the example is not a text", described.change)));
        }
        let mut rows =
            Self { described, form, created_form, rows: Vec::new(), made: 0, changes: 0, late: None, tied: false };
        for n in 0..count {
            rows.insert(FROM_MS + n as i64 * 1000);
        }
        Ok(rows)
    }

    /// Every row, gone ones too, in the order in which they were made.
    #[must_use]
    pub fn all(&self) -> &[Row] {
        &self.rows
    }

    /// The row at an index, to be changed in any way.
    pub fn row_mut(&mut self, index: usize) -> Option<&mut Row> {
        self.rows.get_mut(index)
    }

    /// Adds a row that was made at a time. Milliseconds since 1970.
    pub fn insert(&mut self, at_ms: i64) {
        self.made += 1;
        let example = self.described.record.pointer(&self.described.id);
        let id = match example {
            Some(Value::Number(number)) => (number.as_i64().unwrap_or(0) + self.made as i64).into(),
            Some(Value::String(text)) => match text.parse::<i64>() {
                Ok(number) => (number + self.made as i64).to_string().into(),
                Err(_) => format!("{text}-{:04}", self.made).into(),
            },
            _ => Value::Null,
        };
        let seq = self.change();
        self.rows.push(Row {
            id,
            modified_ms: at_ms,
            created_ms: at_ms,
            version: 0,
            seq,
            gone: false,
            edits: Vec::new(),
        });
    }

    /// The number of a change.
    fn change(&mut self) -> u64 {
        self.changes += 1;
        self.changes
    }

    /// The token that knows all changes so far.
    pub(super) fn token(&self) -> String {
        format!("sync-{}", self.changes)
    }

    /// The parent that a row belongs to.
    pub(super) fn parent_of(&self, row: &Row) -> Option<&str> {
        let parents = &self.described.parents;
        let at = self.rows.iter().position(|other| other.id == row.id)?;
        parents.get(at.checked_rem(parents.len())?).map(String::as_str)
    }

    /// Changes a row at a time. Milliseconds since 1970.
    pub fn touch(&mut self, index: usize, at_ms: i64) {
        let seq = self.change();
        if let Some(row) = self.rows.get_mut(index) {
            (row.version, row.modified_ms, row.seq) = (row.version + 1, at_ms, seq);
        }
    }

    /// Ends a row at a time: marks it, or takes it off the list. Milliseconds since 1970.
    pub fn end(&mut self, index: usize, at_ms: i64) {
        let seq = self.change();
        if let Some(row) = self.rows.get_mut(index) {
            (row.gone, row.modified_ms, row.seq) = (true, at_ms, seq);
        }
    }

    /// The newest time of a row that is not dated ahead. Milliseconds since 1970.
    #[must_use]
    pub fn newest_ms(&self) -> i64 {
        self.rows.iter().map(|row| row.modified_ms).filter(|at_ms| *at_ms < FUTURE_MS).max().unwrap_or(FROM_MS)
    }

    /// Rows changed so far from each other, one after the other. Milliseconds.
    pub fn spread(&mut self, by_ms: i64) {
        for (row, at) in self.rows.iter_mut().zip(0..) {
            row.modified_ms = FROM_MS + at * by_ms;
        }
    }

    /// Rows share times, more of them than a small page holds; once.
    pub fn tie(&mut self) {
        if std::mem::replace(&mut self.tied, true) {
            return;
        }
        for (at, row) in self.rows.iter_mut().enumerate() {
            let group = if at == 0 { 0 } else { 1 + (at - 1) / TIED_ROWS };
            row.modified_ms = FROM_MS + group as i64 * 1_000;
        }
    }

    /// The last row but one changed before all others, and may be held back; once.
    pub fn hold_back(&mut self) {
        let (newest_ms, at) = (self.newest_ms(), self.rows.len().saturating_sub(2));
        if self.late.is_none()
            && let Some(row) = self.rows.get_mut(at)
        {
            row.modified_ms = newest_ms - LATE_MS;
            // Unlike a time, a token knows what was not shown yet.
            row.seq = u64::MAX;
            self.late = Some(at);
        }
    }

    /// The first row says that it was changed in 2062.
    pub fn date_ahead(&mut self) {
        if let Some(row) = self.rows.first_mut() {
            row.modified_ms = FUTURE_MS;
        }
    }

    /// The id of a row as text.
    #[must_use]
    pub fn id_text(row: &Row) -> String {
        place::text_of(&row.id).unwrap_or_default()
    }

    /// A row as the source writes it. `skew_ms` is how far its clock is ahead.
    #[must_use]
    pub fn write(&self, row: &Row, skew_ms: i64) -> Value {
        let mut record = self.described.record.clone();
        place::put(&mut record, &self.described.id, row.id.clone());
        let times = [
            (&self.described.created, self.created_form, row.created_ms),
            (&self.described.modified, self.form, row.modified_ms),
        ];
        for (pointer, form, ms) in times {
            if let (Some(pointer), Some(form)) = (pointer, form) {
                place::put(&mut record, pointer, form.write(ms + skew_ms));
            }
        }
        if row.version > 0 {
            let text =
                self.described.record.pointer(&self.described.change).and_then(Value::as_str).unwrap_or_default();
            place::put(&mut record, &self.described.change, format!("{text} {}", row.version).into());
        }
        if let (Some(parent), Some(pointer)) = (self.parent_of(row), &self.described.parent_at) {
            place::put(&mut record, pointer, parent.into());
        }
        if let (true, Some(marker)) = (row.gone, &self.described.deleted) {
            place::put(&mut record, &marker.at, marker.value.clone());
        }
        for (pointer, edit) in &row.edits {
            match edit {
                Edit::Set(value) => place::put(&mut record, pointer, value.clone()),
                Edit::Remove => remove(&mut record, pointer),
            }
        }
        record
    }

    /// What a list of what is gone holds of a row.
    pub(super) fn write_thin(&self, row: &Row, id_at: &str, time_at: Option<&str>, skew_ms: i64) -> Value {
        let mut thin = serde_json::json!({});
        place::put(&mut thin, id_at, row.id.clone());
        if let (Some(pointer), Some(form)) = (time_at, self.form) {
            place::put(&mut thin, pointer, form.write(row.modified_ms + skew_ms));
        }
        thin
    }

    /// Is the row in a listing?
    pub(super) fn is_listed(&self, row: &Row) -> bool {
        !row.gone || self.described.deleted.is_some()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::remove;

    #[test]
    fn a_member_that_is_removed_is_not_there_and_a_cell_is_empty() {
        let mut record = json!({ "a": 1, "b": 2 });
        remove(&mut record, "/a");
        assert_eq!(record, json!({ "b": 2 }));
        let mut row = json!(["x", "y", "z"]);
        remove(&mut row, "/1");
        assert_eq!(row, json!(["x", null, "z"]));
    }
}
