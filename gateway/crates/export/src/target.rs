//! Where files go. A file is there whole or not at all.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use async_trait::async_trait;

use crate::error::ExportError;
use crate::manifest::{LATEST, MANIFEST};

/// A place that keeps files by name: names have slashes, as in `snapshot/entity=employee/…`.
#[async_trait]
pub trait Target: Send + Sync {
    /// Puts a file of this machine there. One of this name is replaced.
    ///
    /// # Errors
    /// [`ExportError`]; then the one of this name is as it was, or is whole and new.
    async fn put(&self, name: &str, file: &Path) -> Result<(), ExportError>;

    /// The bytes of a small file; none where there is none.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ExportError>;

    /// Takes older snapshots away, and what was left of those that have no manifest: all but the newest so many. Does nothing where
    /// the place keeps its own house.
    ///
    /// # Errors
    /// [`ExportError`].
    async fn tidy(&self, keep: usize) -> Result<u64, ExportError>;
}

/// A folder of this machine, or one that is mounted.
#[derive(Debug, Clone)]
pub struct Directory {
    root: PathBuf,
}

impl Directory {
    /// It need not be there yet; what is written is readable by its owner alone.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    fn put_now(&self, name: &str, file: &Path) -> Result<(), ExportError> {
        let path = self.root.join(name);
        let folder = path.parent().unwrap_or(&self.root).to_path_buf();
        make_private(&folder)?;
        // In the same folder, so that the name is given in one step.
        let failed = |error: std::io::Error| ExportError::file(&path, error);
        let mut temporary = tempfile::Builder::new().prefix(".part-").tempfile_in(&folder).map_err(failed)?;
        let mut source = std::fs::File::open(file).map_err(|error| ExportError::file(file, error))?;
        std::io::copy(&mut source, temporary.as_file_mut()).map_err(failed)?;
        temporary.as_file_mut().flush().and_then(|()| temporary.as_file().sync_all()).map_err(failed)?;
        temporary.persist(&path).map_err(|error| failed(error.error))?;
        std::fs::File::open(&folder).and_then(|folder| folder.sync_all()).map_err(failed)
    }

    fn tidy_now(&self, keep: usize) -> Result<u64, ExportError> {
        let mut whole = Vec::new();
        let mut broken = Vec::new();
        let entries = match std::fs::read_dir(&self.root) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
            Err(error) => return Err(ExportError::file(&self.root, error)),
        };
        for entry in entries {
            let path = entry.map_err(|error| ExportError::file(&self.root, error))?.path();
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default().to_owned();
            // Nothing but what an export made.
            if !path.is_dir() || !name.starts_with(crate::snapshot::SNAPSHOT) {
                continue;
            }
            if path.join(MANIFEST).is_file() { whole.push(path) } else { broken.push(path) }
        }
        // Positions have a fixed width: the newest is the last.
        whole.sort();
        let old = whole.len().saturating_sub(keep);
        let gone: Vec<PathBuf> = whole.drain(..old).chain(broken).collect();
        for path in &gone {
            let failed = |error| ExportError::file(path, error);
            // First what makes it a snapshot: a kill leaves none that lacks files.
            match std::fs::remove_file(path.join(MANIFEST)) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            std::fs::remove_dir_all(path).map_err(failed)?;
        }
        Ok(gone.len() as u64)
    }
}

fn make_private(folder: &Path) -> Result<(), ExportError> {
    use std::os::unix::fs::DirBuilderExt as _;
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|error| ExportError::file(folder, error))
}

#[async_trait]
impl Target for Directory {
    async fn put(&self, name: &str, file: &Path) -> Result<(), ExportError> {
        let (own, name, file) = (self.clone(), name.to_owned(), file.to_path_buf());
        in_thread(move || own.put_now(&name, &file)).await
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ExportError> {
        let path = self.root.join(name);
        in_thread(move || match std::fs::read(&path) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(ExportError::file(&path, error)),
        })
        .await
    }

    async fn tidy(&self, keep: usize) -> Result<u64, ExportError> {
        let own = self.clone();
        in_thread(move || own.tidy_now(keep)).await
    }
}

/// Work that waits for a disk.
async fn in_thread<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ExportError> + Send + 'static,
) -> Result<T, ExportError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(ExportError::Target { name: LATEST.to_owned(), why: error.to_string() }))
}
