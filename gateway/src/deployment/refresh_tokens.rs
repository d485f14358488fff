//! Refresh tokens between egress, which uses them up, and the vault, in which the newest one is kept. Blocking work is done aside: the vault
//! is a file, and its locks wait for other processes.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use renmen_config::{Config, Vault as VaultConfig};
use renmen_egress::{HeldRefresh, RefreshTokens, SlotOf};
use renmen_schema::id::TenantId;
use renmen_vault::{Held, OWN_PREFIX, Secret, Vault, VaultError};

use super::secrets::open_vault;

/// None where there is no vault.
pub(super) fn of(config: &Config) -> Option<Arc<dyn RefreshTokens>> {
    let vault = config.vault.clone()?;
    Some(Arc::new(Kept { vault, first: config.gateway.tenant.clone(), dev: config.dev }))
}

/// The vault as the configuration names it: opened for each use, so that a new master key is taken without a restart.
#[derive(Clone)]
struct Kept {
    vault: VaultConfig,
    first: TenantId,
    dev: bool,
}

struct HeldSlot {
    vault: Arc<Vault>,
    tenant: TenantId,
    entry: String,
    _lock: Held,
}

#[async_trait]
impl RefreshTokens for Kept {
    async fn hold(&self, slot: &SlotOf) -> Result<Box<dyn HeldRefresh>, String> {
        let (own, slot) = (self.clone(), slot.clone());
        aside(move || {
            let vault = open_vault(Some(&own.vault), &own.first, own.dev).map_err(|error| format!("{error:#}"))?;
            let vault =
                vault.ok_or_else(|| format!("there is no vault at {}", PathBuf::from(&own.vault.path).display()))?;
            let entry = format!("{OWN_PREFIX}refresh/{}/{}", slot.connection, slot.slot);
            let lock = vault.hold(&slot.tenant, &entry).map_err(|error| error.to_string())?;
            let held = HeldSlot { vault: Arc::new(vault), tenant: slot.tenant, entry, _lock: lock };
            Ok(Box::new(held) as Box<dyn HeldRefresh>)
        })
        .await
    }
}

#[async_trait]
impl HeldRefresh for HeldSlot {
    async fn kept(&self) -> Result<Option<Secret>, String> {
        let (vault, tenant, entry) = (Arc::clone(&self.vault), self.tenant.clone(), self.entry.clone());
        aside(move || match vault.get(&tenant, &entry) {
            Ok(secret) => Ok(Some(secret)),
            Err(VaultError::EntryMissing { .. }) => Ok(None),
            Err(error) => Err(error.to_string()),
        })
        .await
    }

    async fn keep(&self, secret: &Secret) -> Result<(), String> {
        let (vault, tenant, entry) = (Arc::clone(&self.vault), self.tenant.clone(), self.entry.clone());
        let secret = secret.clone();
        aside(move || vault.put_own(&tenant, &entry, &secret).map_err(|error| error.to_string())).await
    }
}

async fn aside<T: Send + 'static>(work: impl FnOnce() -> Result<T, String> + Send + 'static) -> Result<T, String> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(error.to_string()))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
    use std::path::Path;
    use std::time::Duration;

    use renmen_config::KeySource;
    use renmen_schema::id::{ConnectionName, SlotName};
    use renmen_vault::MasterKey;

    use super::*;

    fn kept(dir: &Path) -> Kept {
        std::fs::set_permissions(dir, std::fs::Permissions::from_mode(0o700)).unwrap();
        let key = dir.join("key");
        if !key.exists() {
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&key).unwrap();
            std::io::Write::write_all(&mut file, MasterKey::generate().unwrap().to_base64().expose().as_bytes())
                .unwrap();
        }
        let vault = VaultConfig { path: dir.join("vault"), key: KeySource::File(key) };
        Kept { vault, first: TenantId::new("acme").unwrap(), dev: false }
    }

    fn slot(name: &str) -> SlotOf {
        SlotOf {
            tenant: TenantId::new("acme").unwrap(),
            connection: ConnectionName::new("erp").unwrap(),
            slot: SlotName::new(name).unwrap(),
        }
    }

    #[tokio::test]
    async fn what_is_kept_is_there_for_another_process_and_for_no_other_slot() {
        let dir = tempfile::tempdir().unwrap();
        let held = kept(dir.path()).hold(&slot("app")).await.unwrap();
        assert!(held.kept().await.unwrap().is_none());
        held.keep(&Secret::new("refresh-2".into())).await.unwrap();
        drop(held);
        let again = kept(dir.path()).hold(&slot("app")).await.unwrap();
        assert_eq!(again.kept().await.unwrap().unwrap().expose(), "refresh-2");
        assert!(kept(dir.path()).hold(&slot("other")).await.unwrap().kept().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_slot_that_is_held_makes_others_wait_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let (keeper, held) = (kept(dir.path()), kept(dir.path()).hold(&slot("app")).await.unwrap());
        let waiting = tokio::spawn(async move { keeper.hold(&slot("app")).await.is_ok() });
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert!(!waiting.is_finished());
        drop(held);
        assert!(tokio::time::timeout(Duration::from_secs(10), waiting).await.unwrap().unwrap());
    }
}
