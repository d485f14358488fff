//! Why the kit itself could not do its work.

use std::path::PathBuf;

use renmen_egress::EgressError;
use renmen_misbehave::SourceError;
use renmen_misbehave::model::ModelError;
use renmen_plugin_host::LoadError;

/// Why the kit itself could not do its work, by what the author does next.
#[derive(Debug, thiserror::Error)]
pub enum ConformanceError {
    /// A file that cannot be read.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// A description that cannot be used, with the place in its file.
    #[error("{}: {reason}", path.display())]
    Description {
        /// The file.
        path: PathBuf,
        /// Where, what, and what to write instead.
        reason: String,
    },
    /// An example that does not fit its description.
    #[error("conformance.toml: {0}")]
    Model(#[from] ModelError),
    /// Not a component that a gateway loads.
    #[error(transparent)]
    Component(#[from] LoadError),
    /// A configuration or slot that cannot work.
    #[error("the connection of the test cannot be made: {0}")]
    Connection(#[from] EgressError),
    /// The source of `--against`.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// No free port.
    #[error("the source cannot be served: {0}")]
    Serve(std::io::Error),
    /// What was asked for cannot be: the text says what can.
    #[error("{0}")]
    Usage(String),
}
