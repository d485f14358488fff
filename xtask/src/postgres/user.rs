//! As whom the server runs: it refuses to run as root, so root lends it another user.

use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};

use crate::{process, say};

/// The user that the distribution's package makes.
const PACKAGED: &str = "postgres";
/// The one that is made where the programs came without a user.
const OWN: &str = "renmen-postgres";

/// As whom the server's programs run.
pub(crate) enum ServerUser {
    /// As ourselves.
    Same,
    /// As another: user and group.
    Other(u32, u32),
}

/// Do we run as root?
pub(crate) fn am_root() -> anyhow::Result<bool> {
    Ok(id(&["-u"])? == 0)
}

impl ServerUser {
    /// Ourselves, or when we are root a user that is not; it is made when there is none.
    pub(crate) fn find() -> anyhow::Result<Self> {
        if !am_root()? {
            return Ok(Self::Same);
        }
        for name in [PACKAGED, OWN] {
            if let Some(found) = Self::named(name) {
                return Ok(found);
            }
        }
        say(&format!("PostgreSQL does not run as root: making the user {OWN}"));
        let mut add = Command::new("useradd");
        process::run("useradd", add.args(["--system", "--no-create-home", "--shell", "/usr/sbin/nologin", OWN]))?;
        match Self::named(OWN) {
            Some(found) => Ok(found),
            None => bail!("the user {OWN} was made and is not found"),
        }
    }

    fn named(name: &str) -> Option<Self> {
        let known = Command::new("id").args(["-u", name]).output().ok()?;
        if !known.status.success() {
            return None;
        }
        Some(Self::Other(id(&["-u", name]).ok()?, id(&["-g", name]).ok()?))
    }

    /// Gives it a directory.
    pub(crate) fn own(&self, dir: &Path) -> anyhow::Result<()> {
        match self {
            Self::Same => Ok(()),
            Self::Other(user, group) => std::os::unix::fs::chown(dir, Some(*user), Some(*group))
                .with_context(|| format!("giving {} to another user", dir.display())),
        }
    }

    /// Makes a command run as it.
    pub(crate) fn become_it(&self, command: &mut Command) {
        use std::os::unix::process::CommandExt as _;
        if let Self::Other(user, group) = self {
            command.uid(*user).gid(*group);
        }
    }
}

fn id(arguments: &[&str]) -> anyhow::Result<u32> {
    let answer = process::output("id", Command::new("id").args(arguments))?;
    answer.trim().parse().with_context(|| format!("id {arguments:?} answered {answer:?}"))
}
