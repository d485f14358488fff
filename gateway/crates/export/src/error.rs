//! Why there is no export.

use std::path::PathBuf;

use renmen_store::StoreError;

/// Why there is no export. What was written of it has no manifest, and is written again.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file here could not be written or read.
    #[error("{}: {error}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: std::io::Error,
    },
    /// What takes the files did not.
    #[error("{name}: {why}")]
    Target {
        /// The file.
        name: String,
        /// Why, without any secret.
        why: String,
    },
    /// A row could not be written.
    #[error("{entity}: {why}")]
    Row {
        /// Of which entity.
        entity: &'static str,
        /// Why.
        why: String,
    },
    /// It was stopped.
    #[error("it was stopped before its manifest was written; the next export writes the snapshot again")]
    Stopped,
}

impl ExportError {
    pub(crate) fn file(path: impl Into<PathBuf>, error: std::io::Error) -> Self {
        Self::File { path: path.into(), error }
    }
}
