//! How the file is: what its last errors told of, and how much room its disk has.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;

use crate::StoreError;
use crate::error::Trouble;

/// Shared by everything that reads or writes the file.
#[derive(Clone)]
pub(super) struct Condition {
    trouble: Arc<Mutex<Option<Trouble>>>,
    folder: PathBuf,
    free_bytes_min: u64,
}

impl Condition {
    /// Of a file; below `free_bytes_min` its disk counts as full.
    pub(super) fn of(file: &Path, free_bytes_min: u64) -> Self {
        let folder = file.parent().unwrap_or(Path::new(".")).to_owned();
        Self { trouble: Arc::default(), folder, free_bytes_min }
    }

    /// What is wrong now.
    pub(super) fn trouble(&self) -> Option<Trouble> {
        *self.trouble.lock()
    }

    /// Notes how something ended. A transaction that was written shows that there is room again; damage stays.
    pub(super) fn note<T>(&self, result: &Result<T, StoreError>, wrote: bool) {
        let mut trouble = self.trouble.lock();
        match result {
            Err(error) => *trouble = Trouble::of(error).or(*trouble),
            Ok(_) if wrote && *trouble != Some(Trouble::Damaged) => *trouble = None,
            Ok(_) => {}
        }
    }

    /// Is there room for what comes?
    pub(super) fn check_room(&self) -> Result<(), StoreError> {
        let space = rustix::fs::statvfs(&self.folder);
        let free = space.map(|space| space.f_bavail.saturating_mul(space.f_frsize));
        let result = match free {
            Ok(free) if free < self.free_bytes_min => Err(Trouble::DiskFull
                .error(&format!("{free} bytes are left, and disk_free_bytes_min is {}", self.free_bytes_min))),
            Ok(_) => Ok(()),
            Err(error) => Err(Trouble::Unusable.error(&error.to_string())),
        };
        self.note(&result, false);
        result
    }
}
