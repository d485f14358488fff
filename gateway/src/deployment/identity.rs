//! Who this gateway is among those on one database: a name that it makes once, in its data directory. Started again, it is the same
//! one, and need not wait for the leases of its earlier process. A second process in the same directory is another gateway.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::OnceLock;

use anyhow::Context as _;
use renmen_schema::text;

/// In the data directory.
const FILE: &str = "gateway.id";
/// Bytes of a name.
const NAME_BYTES_MAX: usize = 200;

/// Held until the process ends, however it ends.
static OWN: OnceLock<Identity> = OnceLock::new();

struct Identity {
    name: String,
    /// Locked; `None` for a process that shares the directory with another one.
    _file: Option<File>,
}

/// This gateway's name. The first call decides for the process.
pub(super) fn name(data_dir: &Path) -> anyhow::Result<&'static str> {
    if let Some(own) = OWN.get() {
        return Ok(&own.name);
    }
    let path = data_dir.join(FILE);
    let own = take(&path)
        .with_context(|| text!("the file with this gateway's name, {}", "记录此网关名称的文件 {}", path.display()))?;
    Ok(&OWN.get_or_init(|| own).name)
}

/// A name that ends with the process.
pub(super) fn of_this_process() -> &'static str {
    &OWN.get_or_init(|| Identity { name: fresh_name(), _file: None }).name
}

fn take(path: &Path) -> anyhow::Result<Identity> {
    let mut file =
        std::fs::OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => return Ok(Identity { name: fresh_name(), _file: None }),
        Err(std::fs::TryLockError::Error(error)) => return Err(error.into()),
    }
    let mut known = Vec::new();
    std::io::Read::by_ref(&mut file).take(NAME_BYTES_MAX as u64 + 1).read_to_end(&mut known)?;
    let known = String::from_utf8(known).unwrap_or_default();
    // A name that was written in part only, because the process was killed, is replaced.
    if let Some(name) = known.strip_suffix('\n').filter(|name| !name.is_empty() && name.len() <= NAME_BYTES_MAX) {
        return Ok(Identity { name: name.to_owned(), _file: Some(file) });
    }
    let name = fresh_name();
    file.rewind()?;
    file.set_len(0)?;
    file.write_all(format!("{name}\n").as_bytes())?;
    file.sync_all()?;
    Ok(Identity { name, _file: Some(file) })
}

/// A name that no other gateway has; people know it by its machine.
fn fresh_name() -> String {
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let host: String = host.trim().chars().take(64).collect();
    let host = if host.is_empty() { "gateway" } else { &host };
    format!("{host}/{:016x}", rand::random::<u64>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_is_started_again_is_the_same_and_one_beside_it_is_another() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(FILE);
        let first = take(&path)?;
        let beside = take(&path)?;
        assert_ne!(first.name, beside.name);
        let name = first.name.clone();
        drop(first);
        assert_eq!(take(&path)?.name, name, "its successor");
        drop(beside);
        std::fs::write(&path, "half")?;
        assert_ne!(take(&path)?.name, "half", "a name that was not written whole");
        Ok(())
    }
}
