//! The encrypted vault: named secrets in one file, each change written whole and at once.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use parking_lot::RwLock;
use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};

use crate::file::VaultFile;
use crate::name::{self, OWN_PREFIX};
use crate::place::{self, Exposure};
use crate::{MasterKey, SECRET_BYTES_MAX, Secret, VaultError};

/// Entries in one vault.
pub const ENTRIES_MAX: usize = 10_000;
/// Bytes of the vault's file.
pub const VAULT_FILE_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Secrets at rest, opened with a master key. Each belongs to one tenant, and a name is a name within its tenant.
/// Reading takes no lock on disk; each change takes a lock file next to the vault, reads what is there now, and
/// replaces it in one step, so that two processes never undo each other's changes.
pub struct Vault {
    path: PathBuf,
    key: RwLock<MasterKey>,
    /// The tenant that owns the entries of a file that was written before entries belonged to tenants.
    first: TenantId,
}

impl Vault {
    /// Opens a vault, or begins an empty one when there is no file yet (nothing is written until the first `put`). The
    /// key is proved now, not at the first use. `first`: the tenant that owns the entries of a file that was written
    /// before entries belonged to tenants; the next change writes them so.
    ///
    /// # Errors
    /// [`VaultError::WrongKey`], [`VaultError::Damaged`], [`VaultError::Exposed`], [`VaultError::Io`].
    pub fn open(path: &Path, key: MasterKey, first: TenantId) -> Result<Self, VaultError> {
        let vault = Self { path: path.to_owned(), key: RwLock::new(key), first };
        vault.read(&vault.key.read())?;
        Ok(vault)
    }

    /// Was the file written before entries belonged to tenants?
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn is_of_first_format(&self) -> Result<bool, VaultError> {
        Ok(self.read(&self.key.read())?.first_format)
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// One secret of a tenant's, read from the file as it stands now: what another process put in is seen without a restart.
    ///
    /// # Errors
    /// [`VaultError::EntryMissing`], whether or not another tenant has an entry of this name; [`VaultError::Damaged`] when this
    /// entry was altered or moved.
    pub fn get(&self, tenant: &TenantId, name: &str) -> Result<Secret, VaultError> {
        let key = self.key.read();
        let found = self.read(&key)?.get(&key, tenant, name, &self.path)?;
        found.ok_or_else(|| self.missing(tenant, name))
    }

    /// Tenants and names of all entries, in order.
    ///
    /// # Errors
    /// As [`Vault::open`].
    pub fn list(&self) -> Result<Vec<(TenantId, String)>, VaultError> {
        let file = self.read(&self.key.read())?;
        Ok(file.names().map(|(tenant, name)| (tenant.clone(), name.to_owned())).collect())
    }

    /// Puts a secret of a tenant's in or replaces it.
    ///
    /// # Errors
    /// [`VaultError::Limit`] for a name that is not 1 to 128 of `a-z A-Z 0-9 . _ / -`, an empty or oversized secret, or
    /// too many entries; else as [`Vault::open`].
    pub fn put(&self, tenant: &TenantId, name: &str, secret: &Secret) -> Result<(), VaultError> {
        if !name::is_given(name) {
            return Err(name::bad());
        }
        self.keep(tenant, name, secret)
    }

    /// Puts a secret in that the gateway made itself. Its name begins with [`OWN_PREFIX`], which no other one can.
    ///
    /// # Errors
    /// As [`Vault::put`].
    pub fn put_own(&self, tenant: &TenantId, name: &str, secret: &Secret) -> Result<(), VaultError> {
        if !name.starts_with(OWN_PREFIX) || !name::is_name(name) {
            return Err(name::bad());
        }
        self.keep(tenant, name, secret)
    }

    fn keep(&self, tenant: &TenantId, name: &str, secret: &Secret) -> Result<(), VaultError> {
        let bytes = secret.expose().len();
        if bytes == 0 || bytes > SECRET_BYTES_MAX {
            return Err(limit(
                "secret_bytes_max",
                text!(
                    "a secret of {bytes} bytes; 1 to {SECRET_BYTES_MAX} are allowed",
                    "密钥有 {bytes} 字节；允许 1 到 {SECRET_BYTES_MAX} 字节"
                ),
            ));
        }
        let key = self.key.read();
        self.change(&key, |content| {
            content.put(&key, tenant, name, secret)?;
            if content.names().count() > ENTRIES_MAX {
                return Err(limit(
                    "vault_entries_max",
                    text!(
                        "the vault holds {ENTRIES_MAX} entries, which is all it may",
                        "保险库已有 {ENTRIES_MAX} 个条目，这是上限"
                    ),
                ));
            }
            Ok(())
        })
    }

    /// Takes an entry for a while: until what is given back is dropped, no other process gets it so. Reading and writing it is not
    /// hindered; who uses up what an entry holds, and then replaces it, asks for this first. Waits for as long as it takes.
    ///
    /// # Errors
    /// [`VaultError::Io`] when the lock file next to the vault cannot be written.
    pub fn hold(&self, tenant: &TenantId, name: &str) -> Result<Held, VaultError> {
        let name: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        Ok(Held { _lock: self.lock_file(&format!(".{tenant}-{name}.lock"))? })
    }

    /// Takes an entry out.
    ///
    /// # Errors
    /// [`VaultError::EntryMissing`] when there is none; else as [`Vault::open`].
    pub fn remove(&self, tenant: &TenantId, name: &str) -> Result<(), VaultError> {
        let key = self.key.read();
        self.change(&key, |content| if content.remove(tenant, name) { Ok(()) } else { Err(self.missing(tenant, name)) })
    }

    /// Seals every entry again under another key, all or none. From here on only the new key opens the file; other
    /// processes that hold the old one get [`VaultError::WrongKey`] until they are started with the new one.
    ///
    /// # Errors
    /// [`VaultError::Damaged`] when an entry does not open: nothing is changed then. Else as [`Vault::open`].
    pub fn rotate_master_key(&self, fresh: MasterKey) -> Result<(), VaultError> {
        let mut key = self.key.write();
        self.change_under(&key, &fresh, |content| {
            *content = content.under(&key, &fresh, &self.path)?;
            Ok(())
        })?;
        *key = fresh;
        Ok(())
    }

    fn read(&self, key: &MasterKey) -> Result<VaultFile, VaultError> {
        match place::read_capped(&self.path, Exposure::Refused, VAULT_FILE_BYTES_MAX, "vault_file_bytes_max")? {
            Some(bytes) => VaultFile::parse(&bytes, key, &self.path, &self.first),
            None => VaultFile::new(key),
        }
    }

    fn change(
        &self,
        key: &MasterKey,
        edit: impl FnOnce(&mut VaultFile) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        self.change_under(key, key, edit)
    }

    /// Reads with one key and writes with another: they differ when the key is changed.
    fn change_under(
        &self,
        key: &MasterKey,
        after: &MasterKey,
        edit: impl FnOnce(&mut VaultFile) -> Result<(), VaultError>,
    ) -> Result<(), VaultError> {
        let _lock = self.lock()?;
        let mut content = self.read(key)?;
        edit(&mut content)?;
        let bytes = content.to_bytes(after, &self.path)?;
        if bytes.len() > VAULT_FILE_BYTES_MAX {
            return Err(limit(
                "vault_file_bytes_max",
                text!(
                    "the vault would grow beyond {VAULT_FILE_BYTES_MAX} bytes",
                    "保险库将超过 {VAULT_FILE_BYTES_MAX} 字节"
                ),
            ));
        }
        place::write_private(&self.path, &bytes)
    }

    fn lock(&self) -> Result<File, VaultError> {
        self.lock_file(".lock")
    }

    /// Held by the returned file until it is dropped; the system lets go when the process dies.
    fn lock_file(&self, ending: &str) -> Result<File, VaultError> {
        let mut name = self.path.file_name().unwrap_or_default().to_owned();
        name.push(ending);
        let path = self.path.with_file_name(name);
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        options.mode(0o600);
        let file = options.open(&path).map_err(VaultError::io(&path))?;
        file.lock().map_err(VaultError::io(&path))?;
        Ok(file)
    }

    fn missing(&self, tenant: &TenantId, name: &str) -> VaultError {
        VaultError::EntryMissing { path: self.path.clone(), tenant: tenant.clone(), name: name.to_owned() }
    }
}

/// An entry that is held. See [`Vault::hold`].
#[derive(Debug)]
pub struct Held {
    _lock: File,
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("path", &self.path).finish_non_exhaustive()
    }
}

fn limit(limit: &'static str, message: Text) -> VaultError {
    VaultError::Limit { limit, message }
}
