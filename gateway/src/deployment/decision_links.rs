//! Links to decisions: the address that they begin with, and the key that seals them. The gateway makes that key once,
//! in its data directory, and shows it to no one; gateways that share a database are given the same one.

use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use renmen_config::{Config, KeySource};
use renmen_flow::DecisionLinks;
use renmen_interview::{LinkDesk, LinkKey};
use renmen_schema::id::{RecordId, TenantId};
use renmen_schema::text;
use renmen_vault::MasterKey;

use super::{Deployment, env_key};

/// The key's file in the data directory.
const KEY_FILE: &str = "decision-links.key";
/// The path of the page below the gateway's address.
const PAGE: &str = "decide";

/// Links to decisions. They can be named before there is a key, so that a flow can be checked by a command that writes nothing.
pub(crate) struct Links {
    url: String,
    desk: OnceLock<LinkDesk>,
}

impl Links {
    /// `None`: the configuration does not say at which address people reach this gateway.
    pub(super) fn of(config: &Config) -> Option<Arc<Self>> {
        let url = config.gateway.public_url.clone()?;
        Some(Arc::new(Self { url, desk: OnceLock::new() }))
    }

    /// Begins to make links, with the key that it finds or makes.
    ///
    /// # Errors
    /// The key cannot be read, or cannot be made.
    pub(crate) fn begin(&self, deployment: &Deployment) -> anyhow::Result<LinkDesk> {
        let life = deployment.config.interview.decision_link_life;
        let desk = LinkDesk::new(deployment.link_key()?, i64::try_from(life.as_millis()).unwrap_or(i64::MAX));
        Ok(self.desk.get_or_init(|| desk).clone())
    }
}

impl DecisionLinks for Links {
    fn link(&self, tenant: &TenantId, decision: RecordId, person: &str, now_ms: i64) -> Option<String> {
        let token = self.desk.get()?.issue(tenant, decision, person, now_ms)?;
        Some(format!("{}/{PAGE}/{token}", self.url))
    }
}

impl Deployment {
    fn link_key(&self) -> anyhow::Result<LinkKey> {
        let key = match &self.config.interview.decision_link_key {
            Some(KeySource::Env(name)) => env_key(name)?,
            Some(KeySource::File(path)) => MasterKey::from_file(path, self.config.dev)?,
            None => {
                let path = self.link_key_file();
                make(&path).with_context(|| {
                    text!("the key that seals decision links, {}", "密封决定链接的密钥 {}", path.display())
                })?;
                MasterKey::from_file(&path, self.config.dev)?
            }
        };
        LinkKey::new(key.to_base64().expose().as_bytes())
            .context(text!("the key that seals decision links is too short", "密封决定链接的密钥过短"))
    }

    /// The file of the key that the gateway makes.
    pub(super) fn link_key_file(&self) -> PathBuf {
        self.config.gateway.data_dir.join(KEY_FILE)
    }
}

/// Makes the key's file if it does not exist: the whole file or none, even if several processes make it at the same
/// time.
fn make(path: &Path) -> anyhow::Result<()> {
    if path.exists() {
        return Ok(());
    }
    let key = MasterKey::generate()?.to_base64();
    let draft = path.with_extension(format!("{}.new", std::process::id()));
    let mut file = std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&draft)?;
    file.write_all(key.expose().as_bytes())?;
    file.sync_all()?;
    // A hard link, unlike a rename, does not replace a file that exists.
    let linked = std::fs::hard_link(&draft, path);
    std::fs::remove_file(&draft)?;
    match linked {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn the_key_is_made_once_for_its_owner_alone() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join(KEY_FILE);
        make(&path)?;
        let first = std::fs::read(&path)?;
        make(&path)?;
        assert_eq!(std::fs::read(&path)?, first);
        assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path())?.count(), 1, "no draft stays");
        assert!(MasterKey::from_file(&path, false).is_ok());
        Ok(())
    }
}
