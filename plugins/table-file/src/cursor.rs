//! Which files are done: by name and hash, so that a file sent again with a correction is read again and an untouched one
//! is not.

use std::collections::BTreeMap;

use renmen_plugin::Failure;
use serde::{Deserialize, Serialize};

use crate::files::File;

/// The cursor's content, as JSON text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Progress {
    /// Name to sha256 of each file that is done.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    done: BTreeMap<String, String>,
    /// The file that is being read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<Current>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Current {
    name: String,
    sha256: String,
    /// Rows of data before the next page.
    row: usize,
}

impl Progress {
    /// Where the cursor left off; nothing done if there is none.
    ///
    /// # Errors
    /// A cursor that is not ours.
    pub fn resume(cursor: Option<&str>) -> Result<Self, Failure> {
        match cursor {
            None => Ok(Self::default()),
            Some(text) => renmen_plugin::locate::parse(text.as_bytes())
                .map_err(|fault| Failure::invalid_input(format!("the cursor is not of this connector: {fault}"))),
        }
    }

    /// The file to read and its first row: the one that was begun if it is still the same, else the first that is not
    /// done. A file that changed while it was being read begins again.
    #[must_use]
    pub fn next(self, listing: &[File]) -> Option<(File, usize, Self)> {
        let begun = self.current.as_ref().and_then(|current| {
            let same = |file: &&File| file.name == current.name && file.sha256 == current.sha256;
            listing.iter().find(same).map(|file| (file.clone(), current.row))
        });
        let (file, row) = begun.or_else(|| {
            let open = |file: &&File| self.done.get(&file.name) != Some(&file.sha256);
            listing.iter().find(open).map(|file| (file.clone(), 0))
        })?;
        Some((file, row, self))
    }

    /// Notes how far a file was read; `None` is to its end.
    pub fn moved(&mut self, file: &File, row: Option<usize>) {
        self.current = row.map(|row| Current { name: file.name.clone(), sha256: file.sha256.clone(), row });
        if row.is_none() {
            self.done.insert(file.name.clone(), file.sha256.clone());
        }
    }

    /// The end of a run: files that are no longer there are forgotten, so that the cursor stays small.
    #[must_use]
    pub fn after(mut self, listing: &[File]) -> Self {
        self.done.retain(|name, _| listing.iter().any(|file| file.name == *name));
        self.current = None;
        self
    }

    /// As the gateway keeps it.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
