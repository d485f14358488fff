//! Where the gateway keeps its things must be its own: records, keys and compiled code lie there. What is open to others is
//! refused before anything is read or written, with the command that closes it.

use std::path::{Path, PathBuf};

use renmen_schema::{Text, text};
use renmen_vault::{VaultError, private_directory, private_file, trusted_way};

use super::Deployment;
use crate::exit::Usage;

impl Deployment {
    /// The data directory, the database and the vault, as far as they are there.
    ///
    /// # Errors
    /// [`Usage`]. With `--dev` it is only told: a developer's disk may know no modes.
    pub(super) fn private_places(&self) -> Result<(), Usage> {
        let (gateway, database) = (&self.config.gateway, self.database());
        let vault = self.config.vault.as_ref().map(|vault| vault.path.as_path());
        let dir = gateway.data_dir.as_path();
        self.demand("gateway.data_dir", private_directory(dir))?;
        for file in database.iter().flat_map(|file| files_of(file)) {
            self.demand("store.url", private_file(&file))?;
        }
        self.demand("gateway.data_dir", private_file(&self.link_key_file()))?;
        if gateway.data_dir_parents_trusted {
            return Ok(());
        }
        for (key, place) in [("gateway.data_dir", Some(dir)), ("store.url", database.as_deref()), ("vault.path", vault)]
        {
            if let Some(place) = place {
                self.demand(key, trusted_way(place))?;
            }
        }
        Ok(())
    }

    /// The file of the database, when it is one.
    fn database(&self) -> Option<PathBuf> {
        self.config.store.url.expose().strip_prefix("sqlite:").map(PathBuf::from)
    }

    fn demand(&self, key: &str, found: Result<(), VaultError>) -> Result<(), Usage> {
        let Err(error) = found else { return Ok(()) };
        let more = match &error {
            VaultError::OpenWay { .. } => {
                text!(
                    "; where no other user has access, as in a container, set `gateway.data_dir_parents = \"trust\"`",
                    "；若没有其他用户可以访问（例如在容器中），请设置 `gateway.data_dir_parents = \"trust\"`"
                )
            }
            _ => Text::default(),
        };
        let told = text!("`{key}`: {error}{more}", "`{key}`：{error}{more}");
        if self.config.dev {
            tracing::warn!("{told}");
            return Ok(());
        }
        Err(Usage(told))
    }
}

/// A database and the files next to it.
fn files_of(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|end| {
        let mut name = database.as_os_str().to_owned();
        name.push(end);
        PathBuf::from(name)
    })
}
