//! Reading: what a connector to read from implements.

use serde::de::DeserializeOwned;

use crate::{Failure, Page};

/// Reads an outside system, one page a call.
pub trait Source {
    /// The connection's `config`. The gateway has checked it against the manifest's JSON Schema before the call; what
    /// cannot be deserialised all the same ends the call as [`FailureKind::BadConfig`](crate::FailureKind::BadConfig).
    type Config: DeserializeOwned;

    /// Reads the page at `pull.cursor`.
    ///
    /// # Errors
    /// A [`Failure`]; its kind alone decides what the gateway does next. One bad record is not a failure: see
    /// [`Page::map_items`].
    fn pull(config: Self::Config, pull: Pull) -> Result<Page, Failure>;

    /// Proves cheaply that the connection works: a token, a list of one. Each finding is a line for the operator.
    ///
    /// # Errors
    /// A [`Failure`] counts as one finding that is not well.
    fn probe(config: Self::Config) -> Result<Vec<Finding>, Failure> {
        drop(config);
        Ok(vec![Finding::good("configuration", "is readable; this connector tries nothing more")])
    }
}

/// Which page is wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pull {
    /// A stream of the manifest: `employees`.
    pub stream: String,
    /// What the last committed page left; none before the first.
    pub cursor: Option<String>,
    /// Not empty: read just these records, by external id, and leave the cursor alone.
    pub only: Vec<String>,
    /// No more records than this in the page.
    pub max_records: u32,
}

impl Pull {
    /// The failure for a stream that the connector does not have.
    #[must_use]
    pub fn unknown_stream(&self) -> Failure {
        Failure::invalid_input(format!("this connector has no stream `{}`", self.stream))
    }
}

/// One thing that a probe tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was tried: `list departments`.
    pub name: String,
    /// Did it work?
    pub ok: bool,
    /// What was found, and what to do about it.
    pub message: String,
}

impl Finding {
    /// Something that works.
    #[must_use]
    pub fn good(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), ok: true, message: message.into() }
    }

    /// Something that does not.
    #[must_use]
    pub fn bad(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self { name: name.into(), ok: false, message: message.into() }
    }
}
