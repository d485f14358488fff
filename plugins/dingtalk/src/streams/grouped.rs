//! Rows of several answers, put together to one record for each person and day. A day of which one row cannot be read is rejected
//! as a whole: without that row it would say something else.

use std::collections::BTreeMap;

use renmen_plugin::http::Response;
use renmen_plugin::page::Origin;
use renmen_plugin::schema::Entity;
use renmen_plugin::schema::types::LocalDate;
use renmen_plugin::{Page, Unfit, locate};
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

/// Tells about whom and about which day a row is.
pub(super) trait About: DeserializeOwned {
    /// None for a row that tells nothing of a day.
    ///
    /// # Errors
    /// A day that is not valid.
    fn about(self) -> Result<Option<(String, LocalDate)>, Unfit>;
}

struct Group<T> {
    exchange: u32,
    /// Of its first row.
    pointer: String,
    rows: Vec<T>,
    /// The vendor's bytes of all rows, for the quarantine.
    raw: Vec<u8>,
    /// Why one of the rows cannot be read.
    bad: Option<String>,
}

/// The days that were found.
pub(super) struct Grouped<T>(BTreeMap<(String, LocalDate), Group<T>>);

impl<T> Default for Grouped<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T> Grouped<T> {
    /// Adds the rows of an answer, which stand in it at `pointer`. A row that does not say about whom and which day it is becomes a
    /// reject of its own.
    pub(super) fn add<E: Entity, A: About, R: DeserializeOwned>(
        &mut self,
        page: &mut Page,
        response: &Response,
        (pointer, rows): (&str, &[&RawValue]),
        wrap: impl Fn(R) -> T,
    ) {
        for (at, row) in rows.iter().enumerate() {
            let (bytes, pointer) = (row.get().as_bytes(), format!("{pointer}/{at}"));
            let key = match locate::parse::<A>(bytes).map_err(Unfit::new).and_then(About::about) {
                Ok(Some(key)) => key,
                Ok(None) => continue,
                Err(unfit) => {
                    let origin = Origin { exchange: response.exchange(), pointer: &pointer };
                    page.reject::<E>(origin, None, unfit.reason, bytes);
                    continue;
                }
            };
            let group = self.0.entry(key).or_insert_with(|| Group {
                exchange: response.exchange(),
                pointer,
                rows: Vec::new(),
                raw: Vec::new(),
                bad: None,
            });
            group.raw.extend_from_slice(if group.raw.is_empty() { b"[" } else { b"," });
            group.raw.extend_from_slice(bytes);
            match locate::parse::<R>(bytes) {
                Ok(row) => group.rows.push(wrap(row)),
                Err(fault) => group.bad = Some(fault),
            }
        }
    }

    /// Makes the records.
    pub(super) fn finish<E: Entity>(self, page: &mut Page, map: impl Fn(&str, LocalDate, &[T]) -> Result<E, Unfit>) {
        for ((user, day), mut group) in self.0 {
            let id = format!("{user}:{day}");
            let origin = Origin { exchange: group.exchange, pointer: &group.pointer };
            let mapped = match group.bad.take() {
                Some(reason) => Err(Unfit::new(reason)),
                None => map(&user, day, &group.rows),
            };
            if let Err(unfit) = mapped.and_then(|entity| page.push(origin, id.as_str(), None, &entity)) {
                group.raw.push(b']');
                page.reject::<E>(origin, Some(id), unfit.reason, group.raw);
            }
        }
    }
}
