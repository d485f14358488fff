//! Which files are done: by name and hash, so that a file sent again with a correction is read again and an untouched one
//! is not.

use std::collections::BTreeMap;

use jiff::civil::Date;
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
    /// The last day from which a row of a done file holds, where rows say one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    days: BTreeMap<String, String>,
    /// Name to sha256 of each file that could not be read in this run: the next one tries again.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    failed: BTreeMap<String, String>,
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
    pub fn next(&self, listing: &[File]) -> Option<(File, usize)> {
        let begun = self.current.as_ref().and_then(|current| {
            let same = |file: &&File| file.name == current.name && file.sha256 == current.sha256;
            listing.iter().find(same).map(|file| (file.clone(), current.row))
        });
        let (file, row) = begun.or_else(|| {
            let open =
                |file: &&File| ![&self.done, &self.failed].iter().any(|all| all.get(&file.name) == Some(&file.sha256));
            listing.iter().find(open).map(|file| (file.clone(), 0))
        })?;
        Some((file, row))
    }

    /// Notes that a file goes on at a row.
    pub fn moved(&mut self, file: &File, row: usize) {
        self.current = Some(Current { name: file.name.clone(), sha256: file.sha256.clone(), row });
    }

    /// Notes that a file was read to its end, and the last day from which a row of it holds.
    pub fn read(&mut self, file: &File, last: Option<Date>) {
        self.current = None;
        self.done.insert(file.name.clone(), file.sha256.clone());
        match last {
            Some(day) => _ = self.days.insert(file.name.clone(), day.to_string()),
            None => _ = self.days.remove(&file.name),
        }
    }

    /// Notes that a file could not be read: this run goes on without it.
    pub fn failed(&mut self, file: &File) {
        self.current = None;
        self.failed.insert(file.name.clone(), file.sha256.clone());
    }

    /// Other files that were read to their end and may say something for this day or a later one.
    #[must_use]
    pub fn since<'a>(&self, day: Date, file: &File, listing: &'a [File]) -> Vec<&'a File> {
        // Days written as 2025-03-01 sort as they follow each other.
        let day = day.to_string();
        let rival = |other: &&File| {
            other.name != file.name
                && self.done.get(&other.name) == Some(&other.sha256)
                && self.days.get(&other.name).is_none_or(|last| *last >= day)
        };
        listing.iter().filter(rival).collect()
    }

    /// The end of a run: files that are no longer there are forgotten, so that the cursor stays small.
    #[must_use]
    pub fn after(mut self, listing: &[File]) -> Self {
        self.done.retain(|name, _| listing.iter().any(|file| file.name == *name));
        self.days.retain(|name, _| self.done.contains_key(name));
        self.failed.clear();
        self.current = None;
        self
    }

    /// As the gateway keeps it.
    #[must_use]
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
