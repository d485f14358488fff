//! One gateway per file. The lock is the kernel's (`flock`), so it ends with the process however that ends; what stands
//! in the lock file is only for people, and one that was left behind does no harm.

use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::connect::private_file;
use crate::StoreError;

/// Held as long as it lives.
pub(super) struct ProcessLock(#[allow(dead_code, reason = "held for its drop")] File);

impl ProcessLock {
    /// Takes the lock of a database file or says who has it.
    pub(super) fn take(database: &Path) -> Result<Self, StoreError> {
        let mut path = database.as_os_str().to_owned();
        path.push(".lock");
        let path = Path::new(&path);
        let away =
            |error: std::io::Error| StoreError::Unavailable(format!("{} cannot be opened: {error}", path.display()));
        let mut file = private_file(path).map_err(away)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => {
                let mut holder = String::new();
                // 200 bytes: what we write is shorter, and what others wrote does not matter.
                file.take(200).read_to_string(&mut holder).map_err(away)?;
                return Err(StoreError::Busy(format!(
                    "{} is held by another gateway ({}): stop that one, or give this one another database",
                    database.display(),
                    holder.trim()
                )));
            }
            Err(std::fs::TryLockError::Error(error)) => return Err(away(error)),
        }
        let holder = format!("process {}, since {}\n", std::process::id(), jiff::Timestamp::now());
        file.set_len(0).and_then(|()| file.rewind()).and_then(|()| file.write_all(holder.as_bytes())).map_err(away)?;
        Ok(Self(file))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn the_second_hears_who_holds_it_and_a_lock_file_left_behind_hinders_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("a.db");
        std::fs::write(folder.path().join("a.db.lock"), "process 1, since long ago").unwrap();
        let first = ProcessLock::take(&database).unwrap();
        let refused = ProcessLock::take(&database).err().unwrap().to_string();
        assert!(refused.contains(&format!("process {}", std::process::id())), "{refused}");
        drop(first);
        assert!(ProcessLock::take(&database).is_ok());
    }
}
