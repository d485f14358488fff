//! A flow: when which change happens, do which action where, with which fields.
//!
//! The same JSON in two places: `[flows.NAME]` in connectors.toml and `PUT /v1/flows/{name}`. What is wrong with one is told all
//! at once, each defect with its key; what only the destinations know is checked by [`Definition::check`].

mod check;
mod read;
mod reader;
mod related;
mod types;

use std::time::Duration;

use renmen_schema::id::ConnectionName;
use renmen_schema::{EntityKind, Text};
use renmen_store::ChangeKind;
use serde_json::Value;

use crate::destination::Retries;
use crate::expression::Expression;
use crate::fields::Fields;

pub(crate) use check::target;
pub use related::{Bounds, How, LIST_MAX, Related, WITH_MAX};

/// Bytes of a definition as JSON.
pub const DEFINITION_BYTES_MAX: usize = 64 * 1024;

/// What is wrong with a definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Defect {
    /// `when.if`, `map.title`, `fields[2]`; empty for the whole.
    pub key: String,
    /// Where in that key's text, in characters from 0.
    pub at: Option<usize>,
    /// What is wrong, without a full stop.
    pub message: Text,
    /// What to do about it; may be empty.
    pub help: Text,
}

impl Definition {
    /// Does it look up what belongs to a record? Which records do is known a moment after they were written.
    #[must_use]
    pub(crate) fn lists(&self) -> bool {
        self.with.iter().any(Related::is_list)
    }
}

/// A checked flow.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// `enabled`: false lets changes pass it by. Default true.
    pub enabled: bool,
    /// `start`: `"now"` (default) begins with the next change, `"beginning"` with the feed's first.
    pub from_beginning: bool,
    /// `when`.
    pub when: When,
    /// `fields`: what of the record `map` may see. Nothing where it is absent.
    pub fields: Fields,
    /// `with`: what `map` may see too, each after the one that it starts from.
    pub with: Vec<Related>,
    /// `sequence`: the place in the record by whose value deliveries keep their order, also those of other records; none: each
    /// record by itself.
    pub sequence: Option<String>,
    /// `to`.
    pub to: Target,
    /// `map`: the action's input.
    pub map: Template,
    /// `delay`.
    pub delay: Option<Delay>,
    /// `deadline`: how long after its time a delivery is still worth an attempt.
    pub deadline: Option<Duration>,
    /// `attempts`, `backoff`, `patience`.
    pub retries: Retries,
    /// `patience`: how long a destination may be away until a delivery is given up; attempts in that time do not count.
    pub patience: Duration,
    /// `on_failure`: where a dead delivery is told of; none: it waits as a dead letter alone.
    pub on_failure: Option<Target>,
    /// The definition as it was given.
    pub source: Value,
}

/// `when`: which changes.
#[derive(Debug, Clone, PartialEq)]
pub struct When {
    /// `entity`.
    pub entity: EntityKind,
    /// `change`: default all three.
    pub kinds: Vec<ChangeKind>,
    /// `connection`: only records that came through one of these; empty: through any.
    pub connections: Vec<ConnectionName>,
    /// `if`: a condition over the whole record. One that asks for what is not there is not met.
    pub condition: Option<Expression>,
}

/// `to`: which action of which destination.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// `connection`.
    pub connection: ConnectionName,
    /// `action`.
    pub action: String,
}

/// `map`: an expression, or an object whose texts are expressions.
#[derive(Debug, Clone, PartialEq)]
pub enum Template {
    /// A text.
    Expression(Expression),
    /// A table.
    Object(Vec<(String, Template)>),
    /// A list.
    List(Vec<Template>),
    /// A number, true, false.
    Constant(Value),
}

/// `delay`: not at once. A newer change of the record takes the place of a delivery that still waits.
#[derive(Debug, Clone, PartialEq)]
pub enum Delay {
    /// So long after the change.
    After(Duration),
    /// Relative to a time in the record; a record without that time makes no delivery.
    Field {
        /// Its place.
        pointer: String,
        /// `"-5m"` is before it. Milliseconds.
        offset_ms: i64,
    },
}

#[cfg(test)]
mod tests;
