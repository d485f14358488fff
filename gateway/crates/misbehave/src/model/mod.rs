//! A model of a source: one record as an example, the requests that list it, and rows made after it. Every row is known,
//! can be changed while it is served, and is asked for as the vendor's own API would be.
//!
//! [`describe`] is what an author writes, `time` is how the source writes its times, `rows` is what there is, `answers` is
//! what a request gets.

mod answers;
pub mod describe;
mod rows;
mod time;

use std::collections::BTreeMap;

pub use describe::{Described, Marker, Order, Serve};
pub use rows::{Edit, Row, Rows};
pub use time::{TimeForm, offset_of};

/// 2026-03-02T01:00:00Z, when the first row of a model was changed. In China the same day, nine in the morning.
pub const FROM_MS: i64 = 1_772_413_200_000;

/// 2062-11-01T08:00:00Z: a time that nothing was changed at.
pub const FUTURE_MS: i64 = 2_929_507_200_000;

/// The rows of every stream, and what is answered to everything else.
#[derive(Debug, Clone, Default)]
pub struct Model {
    pub(crate) streams: BTreeMap<String, Rows>,
    /// Answers that belong to no stream: token requests, lists that are never long.
    pub(crate) constants: Vec<Serve>,
    /// How far the source's clock is ahead. Milliseconds.
    pub(crate) skew_ms: i64,
    /// `since` looks at the time of creation.
    pub(crate) by_creation: bool,
    /// Lists come in the opposite order.
    pub(crate) reversed: bool,
    /// Rows that are held back are not listed yet.
    pub(crate) withholds: bool,
    /// The next page is empty and leads to itself.
    pub(crate) empty: bool,
}

/// A model that cannot be made of its description.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("streams.{stream}.source.{key}: {reason}")]
pub struct ModelError {
    /// The stream.
    pub stream: String,
    /// The key of its description.
    pub key: &'static str,
    /// What is wrong and what to write.
    pub reason: String,
}

impl Model {
    /// An empty source.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a stream of `count` rows.
    ///
    /// # Errors
    /// [`ModelError`] for an example without the id or the times that its description names.
    pub fn add(&mut self, name: &str, described: Described, count: usize) -> Result<(), ModelError> {
        let rows =
            Rows::new(described, count).map_err(|(key, reason)| ModelError { stream: name.to_owned(), key, reason })?;
        self.streams.insert(name.to_owned(), rows);
        Ok(())
    }

    /// Adds an answer that is always the same.
    pub fn always(&mut self, constant: Serve) {
        self.constants.push(constant);
    }

    /// The rows of a stream.
    #[must_use]
    pub fn rows(&self, stream: &str) -> Option<&Rows> {
        self.streams.get(stream)
    }

    /// The rows of a stream, to be changed.
    pub fn rows_mut(&mut self, stream: &str) -> Option<&mut Rows> {
        self.streams.get_mut(stream)
    }
}
