//! From a slot's source to its secret. The value goes straight on to egress.

use anyhow::Context as _;
use renmen_config::{KeySource, Slot, SlotSource};
use renmen_vault::{MasterKey, Resolver, Secret, Source, Vault};

use super::Deployment;
use crate::exit::Usage;

/// Reads the environment; a function so that the resolver can borrow it.
fn env(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

impl Deployment {
    /// The encrypted store of secrets, when the configuration names one.
    pub(crate) fn vault(&self) -> anyhow::Result<Option<Vault>> {
        let Some(vault) = &self.config.vault else { return Ok(None) };
        let key = match &vault.key {
            KeySource::Env(name) => env_key(name)?,
            KeySource::File(path) => MasterKey::from_file(path, self.config.dev)?,
        };
        let opened = Vault::open(&vault.path, key).with_context(|| format!("[vault] {}", vault.path.display()))?;
        Ok(Some(opened))
    }

    /// The secret that a slot names.
    pub(crate) fn secret(&self, vault: Option<&Vault>, slot: &Slot) -> anyhow::Result<Secret> {
        let source = match slot.source.clone() {
            SlotSource::Env(name) => Source::Env(name),
            SlotSource::File(path) => Source::File(path),
            SlotSource::Vault(name) => Source::Vault(name),
            SlotSource::Value(value) => Source::Plain(Secret::new(value.into_text())),
        };
        Ok(Resolver { vault, env: &env, dev: self.config.dev }.resolve(&source)?)
    }
}

/// A master key from an environment variable.
pub(crate) fn env_key(name: &str) -> anyhow::Result<MasterKey> {
    let text = env(name).ok_or_else(|| {
        Usage(format!("the variable {name} is not set: it holds the key of [vault], 32 bytes in base64; make one with `openssl rand -base64 32`"))
    })?;
    Ok(MasterKey::from_base64(&Secret::new(text), name)?)
}
