//! Where PostgreSQL's programs are; on a bare machine of our own, how they get there.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, bail};

use super::{program, user};
use crate::{process, say};

/// What a usable directory holds.
const PROGRAMS: [&str; 3] = ["initdb", "postgres", "pg_isready"];
/// Where distributions put them, by version.
const VERSIONED: &str = "/usr/lib/postgresql";

/// The directory of the server's programs; they are installed when they are missing and we may.
pub(crate) fn programs() -> anyhow::Result<PathBuf> {
    if let Some(found) = find() {
        return Ok(found);
    }
    let without = "install PostgreSQL 14 or later, or set RENMEN_TEST_SKIP_POSTGRES=1 to leave its tests out";
    if !user::am_root()? || !Path::new("/usr/bin/apt-get").is_file() {
        bail!("PostgreSQL is not installed (looked in the path and in {VERSIONED}): {without}");
    }
    say("PostgreSQL is not installed: installing it with apt-get");
    install().with_context(|| format!("PostgreSQL could not be installed: {without}"))?;
    find().with_context(|| format!("PostgreSQL was installed, but its programs are not found: {without}"))
}

fn install() -> anyhow::Result<()> {
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", "postgresql"]] {
        let mut apt = Command::new("apt-get");
        apt.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        process::run("apt-get", &mut apt)?;
    }
    Ok(())
}

/// The newest of the distribution's versions, else what stands in the path.
fn find() -> Option<PathBuf> {
    let mut versions: Vec<(u32, PathBuf)> = std::fs::read_dir(VERSIONED)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    let path = std::env::var_os("PATH").unwrap_or_default();
    versions.into_iter().map(|(_, dir)| dir).chain(std::env::split_paths(&path)).find(|dir| is_usable(dir))
}

fn is_usable(dir: &Path) -> bool {
    PROGRAMS.iter().all(|name| program(dir, name).is_some())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_directory_is_usable_when_all_programs_are_there() {
        let dir = tempfile::tempdir().unwrap();
        for name in PROGRAMS {
            assert!(!is_usable(dir.path()));
            std::fs::write(dir.path().join(name), "").unwrap();
        }
        assert!(is_usable(dir.path()));
    }
}
