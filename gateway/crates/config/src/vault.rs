//! `[vault]`: where the encrypted secrets are, and where the key to them comes from. Not the key itself.

use std::path::PathBuf;

use renmen_schema::text;

use crate::section::Section;

/// The encrypted file of secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Vault {
    /// `path`, relative to the file.
    pub path: PathBuf,
    /// `key_env` or `key_file`; by default the variable `RENMEN_VAULT_KEY`.
    pub key: KeySource,
}

/// Where the master key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// An environment variable that holds it in base64.
    Env(String),
    /// A file that holds it in base64, readable by its owner alone.
    File(PathBuf),
}

impl Vault {
    pub(crate) fn read(mut section: Section<'_>) -> Option<Self> {
        let path = section.require(
            "path",
            text!(
                "say where the encrypted secrets are: `path = \".renmen/vault.json\"`",
                "请写明加密的密钥文件在哪里：`path = \".renmen/vault.json\"`"
            ),
        );
        let path = path.and_then(|node| node.path());
        let (env, file) = (section.get("key_env"), section.get("key_file"));
        let key = match (env, file) {
            (None, None) => Some(KeySource::Env("RENMEN_VAULT_KEY".to_owned())),
            (Some(node), None) => node.variable().map(KeySource::Env),
            (None, Some(node)) => node.path().map(KeySource::File),
            (Some(_), Some(node)) => {
                node.problem_at_key(
                    text!("`key_env` and `key_file` exclude each other", "`key_env` 与 `key_file` 只能选其一"),
                    text!("take one of them out", "请删除其中一个"),
                );
                None
            }
        };
        section.finish();
        Some(Self { path: path?, key: key? })
    }
}
