//! Why a command of the kit did not do its work, by what the author does next.

use std::path::{Path, PathBuf};

use renmen_plugin_host::LoadError;
use renmen_schema::Text;

/// Why a command of the kit did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// What was asked for cannot be: the text says what can.
    #[error("{0}")]
    Usage(Text),
    /// A file that cannot be read or written.
    #[error("{}: {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says. Not named `source`: it would be told twice.
        why: std::io::Error,
    },
    /// The compiler said why, on its own way out.
    #[error("{0}")]
    Compile(Text),
    /// The component is not what a gateway loads.
    #[error("{}: {why}", path.display())]
    Component {
        /// The manifest or component.
        path: PathBuf,
        /// What is wrong and what to do.
        why: LoadError,
    },
}

impl KitError {
    pub(crate) fn file(path: &Path, why: std::io::Error) -> Self {
        Self::File { path: path.to_owned(), why }
    }

    pub(crate) fn component(path: &Path, why: LoadError) -> Self {
        Self::Component { path: path.to_owned(), why }
    }
}
