//! From a slot's source to its secret. The value goes straight on to egress.

use std::collections::BTreeSet;

use anyhow::Context as _;
use renmen_config::{KeySource, Slot, SlotSource, Vault as VaultConfig};
use renmen_schema::id::TenantId;
use renmen_schema::text;
use renmen_store::ContentHash;
use renmen_vault::{MasterKey, Resolver, Secret, Source, Vault, VaultError};

use super::Deployment;
use crate::exit::Usage;

/// What the vault holds of what a configuration names: the same again as long as none of it changed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct SecretsPrint(ContentHash);

impl SecretsPrint {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(ContentHash::of(bytes))
    }
}

/// Reads the environment; a function so that the resolver can borrow it.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Deployment {
    /// The encrypted store of secrets, when the configuration names one.
    pub(crate) fn vault(&self) -> anyhow::Result<Option<Vault>> {
        open_vault(self.config.vault.as_ref(), &self.config.gateway.tenant, self.config.dev)
    }

    /// Says so when the vault is of the format that knew no tenants.
    pub(crate) fn tell_first_format(&self, vault: &Vault) -> anyhow::Result<()> {
        if vault.is_of_first_format()? {
            let tenant = &self.config.gateway.tenant;
            tracing::warn!(
                vault = %vault.path().display(), %tenant,
                "The vault was written before its entries belonged to tenants: all of them are read as this tenant's, and the \
                 next `renmen secret set`, `remove` or `rotate` writes them so; give other tenants theirs with \
                 `renmen secret set NAME --tenant TENANT`"
            );
        }
        Ok(())
    }

    /// Of the vault as it is now.
    ///
    /// # Errors
    /// When it cannot be read, or an entry that is named does not open. An entry that is absent counts as no secret.
    pub(super) fn secrets_print(&self) -> anyhow::Result<SecretsPrint> {
        let vault = self.vault()?;
        let mut print = Vec::new();
        for (tenant, name) in self.vault_entries() {
            print.extend_from_slice(&ContentHash::of(format!("{tenant}/{name}").as_bytes()).0);
            let secret = vault.as_ref().map(|vault| vault.get(tenant, name)).transpose();
            match secret {
                Ok(secret) => {
                    print.extend(secret.iter().flat_map(|secret| ContentHash::of(secret.expose().as_bytes()).0));
                }
                Err(VaultError::EntryMissing { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(SecretsPrint(ContentHash::of(&print)))
    }

    /// Of the database's password, where it stands in the vault; none where it does not, or the vault does not say.
    pub(super) fn password_print(&self) -> Option<SecretsPrint> {
        let Some(SlotSource::Vault(name)) = &self.config.store.password else { return None };
        let vault = self.vault().ok()??;
        let secret = vault.get(&self.config.gateway.tenant, name).ok()?;
        Some(SecretsPrint::of(secret.expose().as_bytes()))
    }

    /// The entries that slots of connections, channels and endpoints name.
    fn vault_entries(&self) -> BTreeSet<(&TenantId, &str)> {
        let config = &self.config;
        let connections = config.connections.values().filter(|one| one.enabled).map(|one| (&one.tenant, &one.slots));
        let channels = config.channels.values().filter(|one| one.enabled).map(|one| (&one.tenant, &one.slots));
        let endpoints = config.endpoints.values().filter(|one| one.enabled).map(|one| (&one.tenant, &one.slots));
        let slots = connections.chain(channels).chain(endpoints);
        let named = slots.flat_map(|(tenant, slots)| slots.values().map(move |slot| (tenant, &slot.source)));
        named
            .filter_map(|(tenant, source)| match source {
                SlotSource::Vault(name) => Some((tenant, name.as_str())),
                _ => None,
            })
            .collect()
    }

    /// The secret that a slot of this tenant's names. Of the vault, a tenant gets its own entries alone.
    pub(crate) fn secret(&self, vault: Option<&Vault>, tenant: &TenantId, slot: &Slot) -> anyhow::Result<Secret> {
        let source = match slot.source.clone() {
            SlotSource::Env(name) => Source::Env(name),
            SlotSource::File(path) => Source::File(path),
            SlotSource::Vault(name) => Source::Vault(name),
            SlotSource::Value(value) => Source::Plain(Secret::new(value.into_text())),
        };
        let vault = vault.map(|vault| (vault, tenant));
        Ok(Resolver { vault, env: &env, dev: self.config.dev }.resolve(&source)?)
    }
}

/// Opens the vault that the configuration names. `first` is the tenant of the entries in a file that was written before
/// entries belonged to tenants: the one of connections that name none.
pub(super) fn open_vault(vault: Option<&VaultConfig>, first: &TenantId, dev: bool) -> anyhow::Result<Option<Vault>> {
    let Some(vault) = vault else { return Ok(None) };
    let key = match &vault.key {
        KeySource::Env(name) => env_key(name)?,
        KeySource::File(path) => MasterKey::from_file(path, dev)?,
    };
    let opened = Vault::open(&vault.path, key, first.clone());
    Ok(Some(opened.with_context(|| format!("[vault] {}", vault.path.display()))?))
}

/// A master key from an environment variable.
pub(crate) fn env_key(name: &str) -> anyhow::Result<MasterKey> {
    let text = env(name).ok_or_else(|| {
        Usage(text!("the variable {name} is not set: it holds the key of [vault], 32 bytes in base64; make one with `openssl rand -base64 32`", "变量 {name} 未设置：它存放 [vault] 的密钥，32 字节的 base64；可用 `openssl rand -base64 32` 生成"))
    })?;
    Ok(MasterKey::from_base64(&Secret::new(text), name)?)
}
