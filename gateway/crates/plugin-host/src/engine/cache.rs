//! Where compiled code is kept. A user who can write there can run code as the gateway: so the directory must be ours
//! alone, or it is not used.

use std::fs;
use std::path::Path;

use wasmtime::{Cache, CacheConfig};

use crate::load_error::LoadError;

/// How much compiled code is kept before the least used is removed, in bytes.
const TOTAL_BYTES_MAX: u64 = 512 << 20;

/// Opens the cache, making its directory where there is none.
pub(super) fn open(dir: &Path) -> Result<Cache, LoadError> {
    let failed = |reason: String| LoadError::CacheDir { path: dir.to_owned(), reason };
    prepare(dir).map_err(failed)?;
    let dir = dir.canonicalize().map_err(|error| failed(error.to_string()))?;
    let mut config = CacheConfig::new();
    config.with_directory(dir).with_files_total_size_soft_limit(TOTAL_BYTES_MAX);
    Cache::new(config).map_err(|error| failed(format!("{error:#}")))
}

#[cfg(unix)]
fn prepare(dir: &Path) -> Result<(), String> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};

    fs::DirBuilder::new().recursive(true).mode(0o700).create(dir).map_err(|error| error.to_string())?;
    let found = fs::symlink_metadata(dir).map_err(|error| error.to_string())?;
    if !found.is_dir() {
        return Err("it is not a directory of its own but a link; name the directory itself".to_owned());
    }
    // Our own user is the one that owns a file that we make.
    let probe = dir.join(format!(".owner-{}", std::process::id()));
    let ours = fs::File::create(&probe).and_then(|file| file.metadata()).map(|made| made.uid());
    let _gone = fs::remove_file(&probe);
    if ours.map_err(|error| error.to_string())? != found.uid() {
        return Err("it belongs to another user, who could put code there; name a directory of your own".to_owned());
    }
    if found.mode() & 0o077 != 0 {
        tracing::warn!(dir = %dir.display(), mode = format!("{:o}", found.mode() & 0o777), "Other users had access to the directory of compiled code: set its mode to 0700 and emptied it");
        fs::set_permissions(dir, fs::Permissions::from_mode(0o700)).map_err(|error| error.to_string())?;
        empty(dir).map_err(|error| error.to_string())?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn prepare(dir: &Path) -> Result<(), String> {
    fs::create_dir_all(dir).map_err(|error| error.to_string())
}

/// What lay in a directory that others could write to is not trusted.
#[cfg(unix)]
fn empty(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            fs::remove_dir_all(entry.path())?;
        } else {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

    use super::*;

    #[test]
    fn a_new_directory_is_ours_alone() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("data/compiled");
        open(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
    }

    #[test]
    fn an_open_directory_is_closed_and_what_lay_there_is_not_trusted() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("compiled");
        fs::create_dir_all(dir.join("modules")).unwrap();
        fs::write(dir.join("modules/planted"), b"code").unwrap();
        fs::set_permissions(&dir, fs::Permissions::from_mode(0o777)).unwrap();
        open(&dir).unwrap();
        assert_eq!(fs::metadata(&dir).unwrap().mode() & 0o777, 0o700);
        assert!(!dir.join("modules/planted").exists());
    }

    #[test]
    fn a_directory_that_was_ours_alone_keeps_its_content() {
        let root = tempfile::tempdir().unwrap();
        let dir = root.path().join("compiled");
        open(&dir).unwrap();
        fs::write(dir.join("kept"), b"code").unwrap();
        open(&dir).unwrap();
        assert!(dir.join("kept").exists());
    }

    #[test]
    fn a_link_is_refused() {
        let root = tempfile::tempdir().unwrap();
        let (real, link) = (root.path().join("real"), root.path().join("link"));
        fs::create_dir(&real).unwrap();
        symlink(&real, &link).unwrap();
        assert!(matches!(open(&link), Err(LoadError::CacheDir { .. })));
    }
}
