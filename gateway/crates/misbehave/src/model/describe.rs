//! What an author says about a source: `[streams.NAME.source]` of a conformance.toml.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

/// One stream's source.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Described {
    /// One of the vendor's records, as an example of all: a table, or `FILE#POINTER` into a fixture.
    pub record: Value,
    /// Pointer to the id inside a record.
    pub id: String,
    /// Pointer to the time of the last change. RFC 3339, seconds or milliseconds since 1970, `2024-01-01 08:00:00`, or `/Date(…)/`.
    #[serde(default)]
    pub modified: Option<String>,
    /// The zone of times that name none: `+08:00`; `Z` if it is not set.
    #[serde(default)]
    pub zone: Option<String>,
    /// Pointer to the time of creation, in the same form.
    #[serde(default)]
    pub created: Option<String>,
    /// How the vendor marks a record that is gone; without it a record that is gone is no longer listed.
    #[serde(default)]
    pub deleted: Option<Marker>,
    /// In which order it lists its rows.
    #[serde(default)]
    pub order: Order,
    /// Pointer to a text that changes when a record is changed.
    pub change: String,
    /// The requests that list it, in the order in which they are tried.
    pub serve: Vec<Serve>,
    /// Each row belongs to one of these in turn, and is listed below it: `{parent}` in a path. Their own list is an answer that is always the
    /// same.
    #[serde(default)]
    pub parents: Vec<String>,
    /// Pointer to the parent's id inside a record.
    #[serde(default)]
    pub parent_at: Option<String>,
}

/// The order of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// By time of change: a row that changes moves to the end. By age where the rows have no time of change.
    #[default]
    OldestFirst,
    /// By time of change: a row that changes moves to the front.
    NewestFirst,
    /// By age: a change moves nothing.
    Fixed,
}

/// A member with the value that marks a record as gone.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Marker {
    /// Pointer inside the record.
    pub at: String,
    /// The value that means gone.
    pub value: Value,
}

/// One kind of request and its answer. A place is a pointer (`/size`) into a JSON body, or the name of a query parameter.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Serve {
    /// `GET` if none is named.
    pub method: Option<String>,
    /// `/v1/employees`. `{id}` stands for the id of a record: `/v1/employees/{id}/contracts` gives that record alone. `{parent}` stands for one
    /// of the parents: `/v1/boards/{parent}/jobs` lists what belongs to it.
    pub path: String,
    /// Only requests in which these places hold these values.
    pub when: BTreeMap<String, Value>,
    /// What stands around the list: `{ errcode = 0 }`.
    pub around: Option<Value>,
    /// Pointer to the list in the answer. Without it the answer is `around` alone.
    pub list: Option<String>,
    /// In place of the list stands an object: each row under its id.
    pub keyed: bool,
    /// The list holds ids instead of records.
    pub ids_only: bool,
    /// Pointer to the record in the answer, where the path names one by `{id}`; an empty text is the whole answer.
    pub record: Option<String>,
    /// The list holds what is gone, and nothing else.
    pub gone: bool,
    /// The list holds of each row nothing but its id, at this pointer, and its time of change: a list of what is gone.
    pub id_at: Option<String>,
    /// With `id_at`: pointer to the time of change.
    pub time_at: Option<String>,
    /// The place of a list of ids: the answer holds these records alone.
    pub ids: Option<String>,
    /// The place of the number of rows that are asked for.
    pub size: Option<String>,
    /// The place of the time from which changes are asked for.
    pub since: Option<String>,
    /// The place of the page cursor.
    pub cursor: Option<String>,
    /// Pointer to the next page's cursor in the answer, absent on the last page.
    pub next: Option<String>,
    /// The next cursor is a number.
    pub next_is_number: bool,
    /// `next` holds the whole address of the next page, in which `cursor` is a parameter.
    pub next_is_url: bool,
    /// The whole address of the next page stands in the header `Link` with `rel="next"`, in which `cursor` is a parameter.
    pub link: bool,
    /// `cursor` is the number of a page, and this is that of the first one.
    pub first_number: Option<usize>,
    /// Pointer to how many pages the list has.
    pub pages: Option<String>,
    /// The place of the token that asks for what changed since it was given.
    pub sync: Option<String>,
    /// Pointer to that token in the last page of a list.
    pub sync_next: Option<String>,
    /// The place of `since` holds more than the time: `gte|{since}|lte|*`.
    pub since_in: Option<String>,
    /// Pointer to how many records the whole list has.
    pub total: Option<String>,
    /// Pointer to a member that says whether there is more.
    pub more: Option<String>,
    /// The answer is a table with these columns; its rows are all records.
    pub csv: Option<Vec<String>>,
}

impl Serve {
    /// Does it give records, or the same answer always?
    #[must_use]
    pub fn is_data(&self) -> bool {
        self.list.is_some() || self.csv.is_some() || self.record.is_some()
    }
}
