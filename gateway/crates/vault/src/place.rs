//! Files and directories that must be secret: reading them only if no other user can, and writing them so that no other
//! user can read them and none is left half written.
//!
//! The rules are those of sshd: a place belongs to us or to root, is closed to all other users, and no directory above
//! it lets another user replace it.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

use renmen_schema::{Text, text};
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
    let refuse = |reason: Text| VaultError::File { path: path.to_owned(), reason };
    let bytes = read_capped(path, exposure, SECRET_BYTES_MAX, "secret_bytes_max")?.ok_or_else(|| {
        refuse(text!(
            "it does not exist: create it with the secret as its only content, mode 0600",
            "不存在：请创建，仅含密钥，权限 0600"
        ))
    })?;
    let text = std::str::from_utf8(&bytes).map_err(|_| {
        refuse(text!(
            "it is not UTF-8 text: put the secret in as text (binary as base64)",
            "不是 UTF-8 文本：请以文本存入密钥（二进制用 base64）"
        ))
    })?;
    let text = text.strip_suffix('\n').map_or(text, |line| line.strip_suffix('\r').unwrap_or(line));
    if text.is_empty() {
        return Err(refuse(text!("it is empty: put the secret in as its only content", "为空：请存入密钥，仅此内容")));
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
    // Of the open file, not of the path: it cannot be swapped between the check and the read.
    let metadata = file.metadata().map_err(VaultError::io(path))?;
    if !metadata.is_file() {
        return Err(VaultError::File {
            path: path.to_owned(),
            reason: text!("it is not a regular file", "不是普通文件"),
        });
    }
    if exposure == Exposure::Refused {
        refuse_exposed(path, &metadata)?;
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0).min(bytes_max)));
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).map_err(VaultError::io(path))?;
    if bytes.len() > bytes_max {
        return Err(VaultError::Limit {
            limit,
            message: text!(
                "{} has more than {bytes_max} bytes: is it the right file?",
                "{} 超过 {bytes_max} 字节：是否选错了文件？",
                path.display()
            ),
        });
    }
    Ok(Some(bytes))
}

/// Bits of a secret that is only read: nothing for others, and no writing for the group. Reading by the group stays allowed:
/// orchestrators mount secrets as root:app 0440, and there the group is this process alone.
const OPEN_SECRET: u32 = 0o027;
/// Bits of what we write ourselves.
const OPEN: u32 = 0o077;

fn refuse_exposed(path: &Path, metadata: &fs::Metadata) -> Result<(), VaultError> {
    let mode = metadata.mode() & 0o7777;
    if mode & OPEN_SECRET != 0 {
        return Err(VaultError::Exposed { path: path.to_owned(), mode });
    }
    refuse_stranger(path, metadata)
}

fn refuse_stranger(path: &Path, metadata: &fs::Metadata) -> Result<(), VaultError> {
    let (owner, us) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if is_trusted(owner, us) { Ok(()) } else { Err(VaultError::Stranger { path: path.to_owned(), owner, us }) }
}

/// Root can do everything anyway.
fn is_trusted(owner: u32, us: u32) -> bool {
    owner == us || owner == 0
}

/// Refuses a directory of ours that is there and open to others.
///
/// # Errors
/// [`VaultError::OpenPlace`] with the command that closes it; [`VaultError::Stranger`]; [`VaultError::Io`].
pub fn private_directory(path: &Path) -> Result<(), VaultError> {
    private(path, 0o700)
}

/// Refuses a file of ours that is there and open to others.
///
/// # Errors
/// As [`private_directory`].
pub fn private_file(path: &Path) -> Result<(), VaultError> {
    private(path, 0o600)
}

fn private(path: &Path, wanted: u32) -> Result<(), VaultError> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(VaultError::io(path)(error)),
    };
    refuse_stranger(path, &metadata)?;
    let mode = metadata.mode() & 0o7777;
    if mode & OPEN == 0 {
        return Ok(());
    }
    Err(VaultError::OpenPlace { path: path.to_owned(), mode, wanted })
}

/// Refuses a place if another user could replace a directory above it: one that belongs to another user, or that all
/// users may write in without the sticky bit.
///
/// # Errors
/// [`VaultError::OpenWay`] with the command that closes it; [`VaultError::Io`].
pub fn trusted_way(path: &Path) -> Result<(), VaultError> {
    let us = rustix::process::geteuid().as_raw();
    let there = path.ancestors().find(|part| part.exists()).unwrap_or(Path::new("."));
    let real = there.canonicalize().map_err(VaultError::io(path))?;
    // What is not there yet will be made in the last directory that is.
    let own = usize::from(there == path);
    for above in real.ancestors().skip(own) {
        let metadata = fs::metadata(above).map_err(VaultError::io(above))?;
        if let Some(reason) = way_fault(metadata.uid(), metadata.mode(), us) {
            return Err(VaultError::OpenWay { path: path.to_owned(), above: above.to_owned(), reason });
        }
    }
    Ok(())
}

/// Why another user could replace what is in a directory of this owner and mode, and what to do.
fn way_fault(owner: u32, mode: u32, us: u32) -> Option<Text> {
    if !is_trusted(owner, us) {
        return Some(text!("it belongs to another user (uid {owner})", "属于另一用户（uid {owner}）"));
    }
    let exchangeable = mode & 0o002 != 0 && mode & 0o1000 == 0;
    exchangeable.then(|| {
        text!(
            "everybody may write in it (mode {:04o}): run `chmod o-w` on it",
            "任何人都可写入（权限 {:04o}）：请对它运行 `chmod o-w`",
            mode & 0o7777
        )
    })
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
    options.mode(0o600);
    let mut file = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn sync_directory(path: &Path) -> std::io::Result<()> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(parent)?.sync_all()
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
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1, "nothing is left next to it");
        assert!(write_private(&dir.path().join("no/such/dir/x"), b"new").is_err());
    }

    #[test]
    fn what_is_not_ours_nor_roots_is_a_strangers() {
        for (owner, us, trusted) in
            [(1000, 1000, true), (0, 1000, true), (0, 0, true), (1001, 1000, false), (1000, 0, false)]
        {
            assert_eq!(is_trusted(owner, us), trusted, "{owner} {us}");
        }
    }

    #[test]
    fn a_place_of_ours_is_closed_to_everybody_else_or_refused_with_what_closes_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("data");
        assert!(private_directory(&place).is_ok(), "what is not there is made closed");
        fs::create_dir(&place).unwrap();
        for (mode, taken) in [
            (0o700, true),
            (0o500, true),
            (0o755, false),
            (0o777, false),
            (0o710, false),
            (0o701, false),
            (0o1777, false),
        ] {
            fs::set_permissions(&place, fs::Permissions::from_mode(mode)).unwrap();
            let found = private_directory(&place);
            assert_eq!(found.is_ok(), taken, "{mode:o}");
            if let Err(error) = found {
                assert!(error.to_string().contains(&format!("run `chmod 700 {}`", place.display())), "{error}");
            }
        }
        let (_dir, file) = file_with(b"records", 0o644);
        assert!(private_file(&file).unwrap_err().to_string().contains("chmod 600"));
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(private_file(&file).is_ok());
    }

    #[test]
    fn a_place_that_somebody_could_exchange_is_refused_by_the_directory_above() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = tempfile::tempdir().unwrap();
        let (above, place) = (dir.path().join("above"), dir.path().join("above/data"));
        fs::create_dir_all(&place).unwrap();
        // The directory itself is judged by another rule, whether or not it is there yet.
        for place in [place.clone(), above.join("new/deep")] {
            for (mode, taken) in [(0o755, true), (0o1777, true), (0o775, true), (0o777, false), (0o703, false)] {
                fs::set_permissions(&above, fs::Permissions::from_mode(mode)).unwrap();
                let found = trusted_way(&place);
                assert_eq!(found.is_ok(), taken, "{mode:o} {found:?}");
                if let Err(error) = found {
                    let told = error.to_string();
                    assert!(told.contains("above") && told.contains("chmod o-w"), "{told}");
                }
            }
        }
        assert!(way_fault(1001, 0o755, 1000).unwrap().english().contains("uid 1001"));
        assert_eq!(way_fault(0, 0o755, 1000), None);
    }
}
