//! The encrypted vault: named secrets in one file, each change written whole and at once.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use parking_lot::RwLock;

use crate::file::{self, VaultFile};
use crate::place::{self, Exposure};
use crate::{MasterKey, SECRET_BYTES_MAX, Secret, VaultError};

/// Entries in one vault.
pub const ENTRIES_MAX: usize = 10_000;
/// Bytes of the vault's file.
pub const VAULT_FILE_BYTES_MAX: usize = 64 * 1024 * 1024;
const NAME_BYTES_MAX: usize = 128;

/// Secrets at rest, opened with a master key. Reading takes no lock on disk; each change locks the file beside it, reads
/// what is there now, and replaces it in one step, so that two processes never undo each other.
pub struct Vault {
    path: PathBuf,
    key: RwLock<MasterKey>,
}

impl Vault {
    /// Opens a vault, or begins an empty one when there is no file yet (nothing is written until the first `put`).
    /// The key is proved now, not at the first use.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`], [`VaultError::Damaged`], [`VaultError::Exposed`], [`VaultError::Io`].
    pub fn open(path: &Path, key: MasterKey) -> Result<Self, VaultError> {
        let vault = Self { path: path.to_owned(), key: RwLock::new(key) };
        vault.read(&vault.key.read())?;
        Ok(vault)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One secret, read from the file as it stands now: what another process put in is seen without a restart.
    ///
    /// # Errors
    /// [`VaultError::EntryMissing`]; [`VaultError::Damaged`] when this entry was altered or moved.
    pub fn get(&self, name: &str) -> Result<Secret, VaultError> {
        let key = self.key.read();
        let found = self.read(&key)?.entries.remove(name);
        let entry = found.ok_or_else(|| VaultError::EntryMissing { path: self.path.clone(), name: name.to_owned() })?;
        file::open(&key, name, &entry).ok_or_else(|| self.damaged(name))
    }

    /// The names of all entries, in order.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn list(&self) -> Result<Vec<String>, VaultError> {
        Ok(self.read(&self.key.read())?.entries.into_keys().collect())
    }

    /// Puts a secret in or replaces it.
    ///
    /// # Errors
    /// [`VaultError::Limit`] for a name that is not 1 to 128 of `a-z A-Z 0-9 . _ / -`, an empty or oversized secret, or
    /// too many entries; else as [`Vault::open`].
    pub fn put(&self, name: &str, secret: &Secret) -> Result<(), VaultError> {
        check_name(name)?;
        let bytes = secret.expose().len();
        if bytes == 0 || bytes > SECRET_BYTES_MAX {
            return Err(limit(
                "secret_bytes_max",
                format!("a secret of {bytes} bytes; 1 to {SECRET_BYTES_MAX} are allowed"),
            ));
        }
        let key = self.key.read();
        self.change(&key, |content| {
            content.entries.insert(name.to_owned(), file::seal(&key, name, secret)?);
            if content.entries.len() > ENTRIES_MAX {
                return Err(limit(
                    "vault_entries_max",
                    format!("the vault holds {ENTRIES_MAX} entries, which is all it may"),
                ));
            }
            Ok(())
        })
    }

    /// Takes an entry out.
    ///
    /// # Errors
    /// [`VaultError::EntryMissing`] when there is none; else as [`Vault::open`].
    pub fn remove(&self, name: &str) -> Result<(), VaultError> {
        let key = self.key.read();
        self.change(&key, |content| match content.entries.remove(name) {
            Some(_) => Ok(()),
            None => Err(VaultError::EntryMissing { path: self.path.clone(), name: name.to_owned() }),
        })
    }

    /// Seals every entry anew under another key, all or none. From here on only the new key opens the file; other
    /// processes that hold the old one get [`VaultError::WrongKey`] until they are started with the new one.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when an entry does not open: nothing is changed then. Else as [`Vault::open`].
    pub fn rotate_master_key(&self, fresh: MasterKey) -> Result<(), VaultError> {
        let mut key = self.key.write();
        self.change(&key, |content| {
            let mut rotated = VaultFile::new(&fresh)?;
            for (name, entry) in &content.entries {
                let secret = file::open(&key, name, entry).ok_or_else(|| self.damaged(name))?;
                rotated.entries.insert(name.clone(), file::seal(&fresh, name, &secret)?);
            }
            *content = rotated;
            Ok(())
        })?;
        *key = fresh;
        Ok(())
    }

    fn read(&self, key: &MasterKey) -> Result<VaultFile, VaultError> {
        match place::read_capped(&self.path, Exposure::Refused, VAULT_FILE_BYTES_MAX, "vault_file_bytes_max")? {
            Some(bytes) => VaultFile::parse(&bytes, key, &self.path),
            None => VaultFile::new(key),
        }
    }

    fn change(
        &self,
        key: &MasterKey,
        edit: impl FnOnce(&mut VaultFile) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let _lock = self.lock()?;
        let mut content = self.read(key)?;
        edit(&mut content)?;
        let bytes = content.to_bytes();
        if bytes.len() > VAULT_FILE_BYTES_MAX {
            return Err(limit(
                "vault_file_bytes_max",
                format!("the vault would grow beyond {VAULT_FILE_BYTES_MAX} bytes"),
            ));
        }
        place::write_private(&self.path, &bytes)
    }

    /// Held by the returned file until it is dropped; the system lets go when the process dies.
    fn lock(&self) -> Result<File, VaultError> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(".lock");
        let path = self.path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(&path).map_err(VaultError::io(&path))?;
        file.lock().map_err(VaultError::io(&path))?;
        Ok(file)
    }

    fn damaged(&self, name: &str) -> VaultError {
        VaultError::Damaged {
            path: self.path.clone(),
            reason: format!("its entry `{name}` was altered or moved from another name"),
        }
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

fn check_name(name: &str) -> Result<(), VaultError> {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"._/-".contains(&byte);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.bytes().all(fits) {
        return Err(limit(
            "vault_name_bytes_max",
            format!("an entry's name has 1 to {NAME_BYTES_MAX} of a-z, A-Z, 0-9, '.', '_', '/' and '-'"),
        ));
    }
    Ok(())
}

fn limit(limit: &'static str, message: String) -> VaultError {
    VaultError::Limit { limit, message }
}
