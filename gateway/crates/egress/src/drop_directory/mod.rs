//! The drop directory: files that people put there, read through the same interface as HTTP. Owns listing and reading;
//! it never writes.
//!
//! Listing: `[{"name", "bytes", "modified_ms", "sha256"}]`, sorted by name; regular files only, no dot files, no
//! symbolic links, no names that are not UTF-8, nothing that is still being written.

use std::collections::HashMap;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use parking_lot::Mutex;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::EgressError;

/// One directory with its limits.
#[derive(Clone)]
pub(crate) struct DropDirectory {
    shared: Arc<Shared>,
}

struct Shared {
    path: PathBuf,
    settle: Duration,
    files_max: usize,
    bytes_max: u64,
    /// Hashes by what a file was when it was hashed.
    hashes: Mutex<HashMap<Identity, String>>,
}

/// A file as it was: another time or size is another content.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Identity {
    name: String,
    bytes: u64,
    modified: SystemTime,
}

#[derive(Serialize)]
struct Entry<'e> {
    name: &'e str,
    bytes: u64,
    modified_ms: u64,
    sha256: &'e str,
}

impl DropDirectory {
    pub(crate) fn new(path: PathBuf, settle: Duration, files_max: usize, bytes_max: u64) -> Self {
        Self { shared: Arc::new(Shared { path, settle, files_max, bytes_max, hashes: Mutex::default() }) }
    }

    /// The listing as JSON.
    ///
    /// # Errors
    /// [`EgressError::Unavailable`] when the directory cannot be read, [`EgressError::Limit`] when it holds too many files.
    pub(crate) async fn list(&self) -> Result<Bytes, EgressError> {
        let shared = self.shared.clone();
        blocking(move || shared.list()).await
    }

    /// How long a file is.
    ///
    /// # Errors
    /// As [`DropDirectory::read`].
    pub(crate) async fn bytes(&self, name: &str) -> Result<u64, EgressError> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        let stat = move || {
            let open = open_regular(&shared.path.join(name)).map_err(|e| unreadable("the file", &e))?;
            Ok(open.metadata().map_or(0, |metadata| metadata.len()).min(shared.bytes_max))
        };
        blocking(stat).await
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// [`EgressError::Unavailable`] when no regular file has this name, [`EgressError::Limit`] when it is too large.
    pub(crate) async fn read(&self, name: &str) -> Result<Bytes, EgressError> {
        let (shared, name) = (self.shared.clone(), name.to_owned());
        blocking(move || shared.read(&name)).await
    }
}

impl Shared {
    fn list(&self) -> Result<Bytes, EgressError> {
        let mut files = self.settled_files().map_err(|e| unreadable("the drop directory", &e))?;
        if files.len() > self.files_max {
            return Err(EgressError::Limit {
                limit: "drop_files_max",
                message: format!("{} files, {} are allowed; move away what was taken in", files.len(), self.files_max),
            });
        }
        files.sort_by(|a, b| a.name.cmp(&b.name));
        let mut hashed = Vec::with_capacity(files.len());
        for file in files {
            // Gone or replaced since it was listed: the next listing tells.
            if let Ok(hash) = self.hash(&file) {
                hashed.push((file, hash));
            }
        }
        let entries: Vec<Entry<'_>> = hashed
            .iter()
            .map(|(file, hash)| Entry {
                name: &file.name,
                bytes: file.bytes,
                modified_ms: epoch_ms(file.modified),
                sha256: hash,
            })
            .collect();
        let json = serde_json::to_vec(&entries).expect("texts and numbers are always JSON");
        *self.hashes.lock() = hashed.into_iter().collect();
        Ok(json.into())
    }

    fn settled_files(&self) -> io::Result<Vec<Identity>> {
        let mut found = Vec::new();
        let now = SystemTime::now();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            // Neither follows a link.
            let (Ok(name), Ok(metadata)) = (entry.file_name().into_string(), entry.metadata()) else { continue };
            if !metadata.is_file() || name.starts_with('.') || name.contains('\\') {
                continue;
            }
            let modified = metadata.modified()?;
            // A time in the future says nothing about now; such a file is taken as it is.
            if now.duration_since(modified).is_ok_and(|age| age < self.settle) {
                continue;
            }
            found.push(Identity { name, bytes: metadata.len(), modified });
        }
        Ok(found)
    }

    fn hash(&self, file: &Identity) -> io::Result<String> {
        if let Some(known) = self.hashes.lock().get(file) {
            return Ok(known.clone());
        }
        let mut open = open_regular(&self.path.join(&file.name))?;
        let mut hasher = Sha256::new();
        let mut room = vec![0; 64 * 1024];
        loop {
            let read = open.read(&mut room)?;
            if read == 0 {
                return Ok(hex::encode(hasher.finalize()));
            }
            hasher.update(&room[..read]);
        }
    }

    fn read(&self, name: &str) -> Result<Bytes, EgressError> {
        let open = open_regular(&self.path.join(name)).map_err(|e| unreadable("the file", &e))?;
        let stated = open.metadata().map_or(0, |metadata| metadata.len());
        let too_large = |bytes: u64| EgressError::Limit {
            limit: "response_bytes_max",
            message: format!(
                "the file has {bytes} bytes or more, {} are allowed; split it or raise the limit",
                self.bytes_max
            ),
        };
        if stated > self.bytes_max {
            return Err(too_large(stated));
        }
        let mut body = Vec::with_capacity(usize::try_from(stated).unwrap_or(0) + 1);
        open.take(self.bytes_max + 1).read_to_end(&mut body).map_err(|e| unreadable("the file", &e))?;
        if body.len() as u64 > self.bytes_max {
            return Err(too_large(body.len() as u64));
        }
        Ok(body.into())
    }
}

/// Opens a regular file, never what a link points to: what was opened must be what stood there under its own name.
fn open_regular(path: &Path) -> io::Result<File> {
    let named = fs::symlink_metadata(path)?;
    let refused = || io::Error::new(io::ErrorKind::PermissionDenied, "no regular file");
    if !named.is_file() {
        return Err(refused());
    }
    let file = File::open(path)?;
    if same_file(&named, &file.metadata()?) { Ok(file) } else { Err(refused()) }
}

#[cfg(unix)]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(not(unix))]
fn same_file(a: &Metadata, b: &Metadata) -> bool {
    b.is_file() && a.created().ok() == b.created().ok()
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, EgressError> + Send + 'static,
) -> Result<T, EgressError> {
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|_| Err(EgressError::Unavailable("reading the drop directory was cut short".into())))
}

/// By kind alone: a path is the operator's business, not the connector's.
fn unreadable(what: &str, error: &io::Error) -> EgressError {
    EgressError::Unavailable(format!("{what} cannot be read: {}", error.kind()))
}

fn epoch_ms(at: SystemTime) -> u64 {
    u64::try_from(at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests;
