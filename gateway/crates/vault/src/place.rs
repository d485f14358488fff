//! Files that must be secret: reading them only when nobody else can, writing them so that nobody else can and none is torn.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::Path;

use zeroize::Zeroizing;

use crate::{SECRET_BYTES_MAX, Secret, VaultError};

/// May other users of the machine be able to read the file?
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exposure {
    /// No: that is an error.
    Refused,
    /// Only under `--dev`.
    Allowed,
}

/// Reads a text file of at most [`SECRET_BYTES_MAX`] bytes; one line end at its end is not part of the secret.
pub(crate) fn read_secret(path: &Path, exposure: Exposure) -> Result<Secret, VaultError> {
    let refuse = |reason: &str| VaultError::File { path: path.to_owned(), reason: reason.to_owned() };
    let bytes = read_capped(path, exposure, SECRET_BYTES_MAX, "secret_bytes_max")?
        .ok_or_else(|| refuse("it does not exist: create it with the secret as its only content, mode 0600"))?;
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| refuse("it is not UTF-8 text: put the secret in as text (binary as base64)"))?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(refuse("it is empty: put the secret in as its only content"));
    }
    Ok(Secret::new(text.to_owned()))
}

/// Reads a regular file up to a cap; `None` when there is none.
pub(crate) fn read_capped(
    path: &Path,
    exposure: Exposure,
    bytes_max: usize,
    limit: &'static str,
) -> Result<Option<Zeroizing<Vec<u8>>>, VaultError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(VaultError::io(path)(error)),
    };
    // Of the open file, not of the path: nobody can swap it between the look and the read.
    let metadata = file.metadata().map_err(VaultError::io(path))?;
    if !metadata.is_file() {
        return Err(VaultError::File { path: path.to_owned(), reason: "it is not a regular file".to_owned() });
    }
    if exposure == Exposure::Refused {
        refuse_exposed(path, &metadata)?;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).min(bytes_max)));
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(VaultError::io(path))?;
    if bytes.len() > bytes_max {
        return Err(VaultError::Limit {
            limit,
            message: format!("{} has more than {bytes_max} bytes: is it the right file?", path.display()),
        });
    }
    Ok(Some(bytes))
}

#[cfg(unix)]
fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), VaultError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = metadata.permissions().mode() & 0o7777;
    // Nothing for others, and no writing for the group. Reading by the group stays allowed: orchestrators mount secrets
    // as root:app 0440, and there the group is this process alone.
    if mode & 0o027 != 0 {
        return Err(VaultError::Exposed { path: path.to_owned(), mode });
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_exposed(_path: &Path, _metadata: &fs::Metadata) -> Result<(), VaultError> {
    Ok(())
}

/// Replaces a file in one step, mode 0600, durable before it returns: a reader sees the old or the new one, never a part.
pub(crate) fn write_private(path: &Path, bytes: &[u8]) -> Result<(), VaultError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = path.with_file_name(name);
    let written = write_fresh(&fresh, bytes).and_then(|()| fs::rename(&fresh, path));
    if let Err(error) = written {
        // The original error counts; a left-over file holds nothing in clear.
        let _ = fs::remove_file(&fresh);
        return Err(VaultError::io(path)(error));
    }
    sync_directory(path).map_err(VaultError::io(path))
}

fn write_fresh(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(unix)]
fn sync_directory(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
}

#[cfg(not(unix))]
fn sync_directory(_path: &Path) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file_with(content: &[u8], mode: u32) -> (tempfile::TempDir, std::path::PathBuf) {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("secret");
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        (dir, path)
    }

    #[test]
    fn one_line_end_is_no_part_of_the_secret() {
        for (content, want) in [(&b"tok\n"[..], "tok"), (b"tok\r\n", "tok"), (b"tok", "tok"), (b" a b \n\n", " a b \n")]
        {
            let (_dir, path) = file_with(content, 0o600);
            assert_eq!(read_secret(&path, Exposure::Refused).unwrap().expose(), want);
        }
    }

    #[test]
    fn a_file_that_others_can_read_is_refused_unless_dev() {
        for mode in [0o644, 0o604, 0o620, 0o601] {
            let (_dir, path) = file_with(b"tok", mode);
            let error = read_secret(&path, Exposure::Refused).unwrap_err();
            assert!(matches!(error, VaultError::Exposed { .. }), "{mode:o}: {error}");
            assert!(error.to_string().contains("chmod 600"), "{error}");
            assert_eq!(read_secret(&path, Exposure::Allowed).unwrap().expose(), "tok");
        }
        for mode in [0o600, 0o400, 0o440] {
            let (_dir, path) = file_with(b"tok", mode);
            assert!(read_secret(&path, Exposure::Refused).is_ok(), "{mode:o}");
        }
    }

    #[test]
    fn absent_empty_binary_and_oversized_files_are_named_in_the_error() {
        let (dir, path) = file_with(b"", 0o600);
        let absent = dir.path().join("absent");
        assert!(read_secret(&absent, Exposure::Refused).unwrap_err().to_string().contains("does not exist"));
        assert!(read_secret(&path, Exposure::Refused).unwrap_err().to_string().contains("is empty"));
        let (_dir, path) = file_with(&[0xff, 0xfe], 0o600);
        assert!(read_secret(&path, Exposure::Refused).unwrap_err().to_string().contains("UTF-8"));
        assert!(read_secret(dir.path(), Exposure::Refused).unwrap_err().to_string().contains("regular file"));
        let (_dir, path) = file_with(&vec![b'x'; SECRET_BYTES_MAX], 0o600);
        assert!(read_secret(&path, Exposure::Refused).is_ok());
        let (_dir, path) = file_with(&vec![b'x'; SECRET_BYTES_MAX + 1], 0o600);
        let error = read_secret(&path, Exposure::Refused).unwrap_err();
        assert!(matches!(error, VaultError::Limit { limit: "secret_bytes_max", .. }), "{error}");
    }

    #[test]
    fn a_written_file_is_private_and_replaces_the_old_one() {
        use std::os::unix::fs::PermissionsExt as _;
        let (dir, path) = file_with(b"old", 0o600);
        write_private(&path, b"new").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"new");
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left beside it");
        assert!(write_private(&dir.path().join("no/such/dir/x"), b"new").is_err());
    }
}
