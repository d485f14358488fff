//! Where an answer comes from before it is spoilt.

use std::path::Path;

use thiserror::Error;

use crate::answer::Answer;
use crate::ask::Ask;
use crate::live::Upstream;
use crate::model::Model;
use crate::recorded::Recording;
use crate::{RecordedError, recorded};

/// A source of answers.
#[derive(Debug, Clone)]
pub enum Source {
    /// Rows that are known and can be changed.
    Model(Box<Model>),
    /// Recorded exchanges.
    Recorded(Recording),
    /// Another server on this machine.
    Live(Upstream),
}

/// A source that there is not.
#[derive(Debug, Error)]
pub enum SourceError {
    /// Fixtures that cannot be read.
    #[error(transparent)]
    Recorded(#[from] RecordedError),
    /// Not on this machine.
    #[error(
        "`{0}` is not on this machine: only http://127.0.0.1:PORT, http://[::1]:PORT and http://localhost:PORT are asked"
    )]
    NotLoopback(String),
}

impl Source {
    /// Recorded exchanges of a folder.
    ///
    /// # Errors
    /// [`SourceError::Recorded`].
    pub fn folder(path: &Path) -> Result<Self, SourceError> {
        Ok(Self::Recorded(recorded(path)?))
    }

    /// Another server on this machine.
    ///
    /// # Errors
    /// [`SourceError::NotLoopback`].
    pub fn live(url: &str) -> Result<Self, SourceError> {
        Upstream::new(url).map(Self::Live).ok_or_else(|| SourceError::NotLoopback(url.to_owned()))
    }

    /// Is this a request for records? What is not known counts as one.
    pub(crate) fn is_data(&self, ask: &Ask) -> bool {
        match self {
            Self::Model(model) => model.is_data(ask) == Some(true),
            Self::Recorded(_) | Self::Live(_) => true,
        }
    }
}

/// What a request gets that nothing answers.
pub(crate) fn unknown(ask: &Ask) -> Answer {
    Answer::text(404, "text/plain", &format!("the source does not answer {} {}\n", ask.method, ask.path))
}
