//! Why a command of the kit did not do its work, by what the author does next.

use std::path::{Path, PathBuf};

use renmen_plugin_host::LoadError;

/// Why a command of the kit did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// What was asked for cannot be: the text says what can.
    #[error("{0}")]
    Usage(String),
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// The compiler said why, on its own way out.
    #[error("{0}")]
    Compile(String),
    /// The component is not what a gateway loads.
    #[error("{}: {source}", path.display())]
    Component {
        /// The manifest or component.
        path: PathBuf,
        /// What is wrong and what to do.
        source: LoadError,
    },
}

impl KitError {
    pub(crate) fn file(path: &Path, source: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), source }
    }

    pub(crate) fn component(path: &Path, source: LoadError) -> Self {
        Self::Component { path: path.to_owned(), source }
    }
}
