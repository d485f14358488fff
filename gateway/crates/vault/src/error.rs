//! Why a secret could not be had, by what the operator can do about it. No text here ever holds a secret.

use std::path::PathBuf;

use renmen_schema::id::TenantId;
use renmen_schema::{Text, text};
use thiserror::Error;

/// Why a secret could not be read or kept.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The environment variable is not there, or set to nothing.
    #[error("{}", text!(
        "the environment variable {name} is not set: set it to the secret before starting, or name another source",
        "环境变量 {name} 未设置：请在启动前将其设为密钥，或写明其他来源"
    ))]
    EnvMissing {
        /// The variable.
        name: String,
    },
    /// A file cannot be used: absent, unreadable, too large, not text.
    #[error("{}", text!(
        "the secret file {}: {reason}",
        "密钥文件 {}：{reason}",
        path.display()
    ))]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: Text,
    },
    /// Other users of this machine can read a file that must be secret.
    #[error("{}", text!(
        "{} can be read by other users of this machine (mode {mode:04o}): run `chmod 600 {}`; where it is mounted and has no \
         modes of its own, as a Kubernetes secret, set `defaultMode: 0440` and an `fsGroup` there",
        "{} 可被本机其他用户读取（权限 {mode:04o}）：请运行 `chmod 600 {}`；若它是挂载的、没有自己的权限（例如 Kubernetes Secret），请在那里设置 `defaultMode: 0440` 与 `fsGroup`",
        path.display(), path.display()
    ))]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file that must be secret is another user's.
    #[error("{}", text!(
        "{} belongs to another user of this machine (uid {owner}), who can read and change it: run `chown {us} {}`",
        "{} 属于本机另一用户（uid {owner}），该用户可以读取并修改它：请运行 `chown {us} {}`",
        path.display(), path.display()
    ))]
    Stranger {
        /// Which file.
        path: PathBuf,
        /// The user id of its owner.
        owner: u32,
        /// The user id of this process.
        us: u32,
    },
    /// A place of the gateway's own is open to other users of this machine.
    #[error("{}", text!(
        "{} is open to other users of this machine (mode {mode:04o}): run `chmod {wanted:o} {}`",
        "{} 对本机其他用户开放（权限 {mode:04o}）：请运行 `chmod {wanted:o} {}`",
        path.display(), path.display()
    ))]
    OpenPlace {
        /// Its path.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they should be.
        wanted: u32,
    },
    /// Another user could put something else in a place of the gateway's own.
    #[error("{}", text!(
        "another user could exchange {}, because of {} above it: {reason}",
        "由于上级目录 {1}，其他用户可以替换 {0}：{reason}",
        path.display(), above.display()
    ))]
    OpenWay {
        /// Which place.
        path: PathBuf,
        /// The directory above it.
        above: PathBuf,
        /// What is wrong with that one, and what to do.
        reason: Text,
    },
    /// A plaintext value in the configuration outside of `--dev`.
    #[error("{}", text!(
        "a secret stands in clear in the configuration: name an environment variable, a file or a vault entry, or start with --dev",
        "配置中有明文密钥：请改为环境变量、文件或保险库条目，或以 --dev 启动"
    ))]
    PlaintextRefused,
    /// A `vault` source, but there is no vault.
    #[error("{}", text!(
        "the secret `{name}` is to come from the vault, but no vault is configured: add a [vault] section with its path and key",
        "密钥 `{name}` 来自保险库，但没有配置保险库：请加上 [vault] 一节，写明路径与密钥"
    ))]
    NoVault {
        /// The entry.
        name: String,
    },
    /// The tenant has no such entry.
    #[error("{}", text!(
        "the vault {} has no entry `{name}` of tenant `{tenant}`: put it in with `renmen secret set {name} --tenant {tenant}`",
        "保险库 {} 中没有租户 `{tenant}` 的条目 `{name}`：请用 `renmen secret set {name} --tenant {tenant}` 存入",
        path.display()
    ))]
    EntryMissing {
        /// The vault's file.
        path: PathBuf,
        /// The tenant that has no such entry.
        tenant: TenantId,
        /// The entry.
        name: String,
    },
    /// The master key is not a valid key.
    #[error("{}", text!(
        "{whence} holds no master key: {reason}. A key is 32 random bytes in base64: make one with `openssl rand -base64 32`",
        "{whence} 中没有主密钥：{reason}。主密钥为 32 个随机字节的 base64：可用 `openssl rand -base64 32` 生成"
    ))]
    BadKey {
        /// Where it was looked for.
        whence: String,
        /// What is wrong with it.
        reason: Text,
    },
    /// The file is whole, but this key does not open it.
    #[error("{}", text!(
        "the vault {} does not open with this key: give the key it was made with (environment variable or key file under [vault]); \
         without that key its entries cannot be recovered, and you must begin a new vault and put the secrets in again",
        "此密钥打不开保险库 {}：请给出创建它时的密钥（[vault] 下的环境变量或密钥文件）；没有该密钥就无法恢复其中的条目，只能新建保险库并重新存入密钥",
        path.display()
    ))]
    WrongKey {
        /// The vault's file.
        path: PathBuf,
    },
    /// The vault's file is torn or was altered.
    #[error("{}", text!(
        "the vault {} is damaged: {reason}: restore it from a backup",
        "保险库 {} 已损坏：{reason}：请从备份恢复",
        path.display()
    ))]
    Damaged {
        /// The vault's file.
        path: PathBuf,
        /// What does not fit.
        reason: Text,
    },
    /// A limit of the vault: entry name, entry size, number of entries.
    #[error("{}", text!(
        "limit {limit}: {message}",
        "限额 {limit}：{message}"
    ))]
    Limit {
        /// `secret_bytes_max`, `vault_entries_max`, `vault_file_bytes_max`, `vault_name_bytes_max`.
        limit: &'static str,
        /// What was seen against what is allowed.
        message: Text,
    },
    /// The system refused: disk full, no permission.
    #[error("{}: {source}", path.display())]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl VaultError {
    pub(crate) fn io(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> VaultError {
        let path = path.to_owned();
        move |source| VaultError::Io { path, source }
    }
}
