//! Where a secret comes from, and the step from there to a [`Secret`].

use std::path::PathBuf;

use renmen_schema::id::TenantId;
use renmen_schema::text;

use crate::place::{self, Exposure};
use crate::{SECRET_BYTES_MAX, Secret, Vault, VaultError};

/// Where an operator says that a secret is. Only the variant [`Source::Plain`] holds a secret itself.
#[derive(Debug, Clone)]
pub enum Source {
    /// An environment variable.
    Env(String),
    /// A file whose whole content is the secret.
    File(PathBuf),
    /// An entry of the encrypted vault.
    Vault(String),
    /// In clear; refused unless the gateway runs with `--dev`.
    Plain(Secret),
}

/// Turns sources into secrets. Built once at start; the environment is passed in so that a test needs none of its own.
pub struct Resolver<'a> {
    /// The opened vault, when one is configured, and the tenant whose entries of it can be had.
    pub vault: Option<(&'a Vault, &'a TenantId)>,
    /// Reads an environment variable.
    pub env: &'a dyn Fn(&str) -> Option<String>,
    /// Allows plaintext values and files that others can read.
    pub dev: bool,
}

impl Resolver<'_> {
    /// The secret behind a source. Never empty, never longer than [`SECRET_BYTES_MAX`].
    ///
    /// # Errors
    /// One [`VaultError`] for each way in which a source can disappoint; it names the source, never the secret.
    pub fn resolve(&self, source: &Source) -> Result<Secret, VaultError> {
        let secret = match source {
            Source::Env(name) => {
                (self.env)(name).map(Secret::new).ok_or_else(|| VaultError::EnvMissing { name: name.clone() })?
            }
            Source::File(path) => {
                place::read_secret(path, if self.dev { Exposure::Allowed } else { Exposure::Refused })?
            }
            Source::Vault(name) => {
                let (vault, tenant) = self.vault.ok_or_else(|| VaultError::NoVault { name: name.clone() })?;
                vault.get(tenant, name)?
            }
            Source::Plain(_) if !self.dev => return Err(VaultError::PlaintextRefused),
            Source::Plain(secret) => secret.clone(),
        };
        if secret.is_empty()
            && let Source::Env(name) = source
        {
            return Err(VaultError::EnvMissing { name: name.clone() });
        }
        if secret.expose().len() > SECRET_BYTES_MAX {
            return Err(VaultError::Limit {
                limit: "secret_bytes_max",
                message: text!(
                    "a secret of {} bytes, {SECRET_BYTES_MAX} are allowed",
                    "密钥有 {} 字节，允许 {SECRET_BYTES_MAX} 字节",
                    secret.expose().len()
                ),
            });
        }
        Ok(secret)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn env(name: &str) -> Option<String> {
        match name {
            "APP_TOKEN" => Some("made-up-token".to_owned()),
            "EMPTY" => Some(String::new()),
            "HUGE" => Some("x".repeat(SECRET_BYTES_MAX + 1)),
            _ => None,
        }
    }

    #[test]
    fn a_variable_that_is_set_gives_its_value() {
        let resolver = Resolver { vault: None, env: &env, dev: false };
        assert_eq!(resolver.resolve(&Source::Env("APP_TOKEN".into())).unwrap().expose(), "made-up-token");
    }

    #[test]
    fn a_variable_that_is_absent_or_empty_is_named() {
        let resolver = Resolver { vault: None, env: &env, dev: false };
        for name in ["ABSENT", "EMPTY"] {
            let error = resolver.resolve(&Source::Env(name.into())).unwrap_err();
            assert!(error.to_string().contains(name), "{error}");
        }
    }

    #[test]
    fn a_secret_beyond_the_limit_is_refused() {
        let resolver = Resolver { vault: None, env: &env, dev: false };
        let error = resolver.resolve(&Source::Env("HUGE".into())).unwrap_err();
        assert!(matches!(error, VaultError::Limit { limit: "secret_bytes_max", .. }), "{error}");
    }

    #[test]
    fn plaintext_needs_dev() {
        let plain = Source::Plain(Secret::new("canary-plain".to_owned()));
        let strict = Resolver { vault: None, env: &env, dev: false };
        let error = strict.resolve(&plain).unwrap_err();
        assert!(matches!(error, VaultError::PlaintextRefused));
        assert!(!format!("{error} {plain:?}").contains("canary-plain"));
        let dev = Resolver { vault: None, env: &env, dev: true };
        assert_eq!(dev.resolve(&plain).unwrap().expose(), "canary-plain");
    }

    #[test]
    fn a_vault_source_without_a_vault_says_what_to_configure() {
        let resolver = Resolver { vault: None, env: &env, dev: false };
        let error = resolver.resolve(&Source::Vault("dingtalk".into())).unwrap_err();
        assert!(error.to_string().contains("[vault]"), "{error}");
    }
}
