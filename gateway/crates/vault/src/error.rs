//! Why a secret could not be had, by what the operator can do about it. No text here ever holds a secret.

use std::path::PathBuf;

use renmen_schema::id::TenantId;
use thiserror::Error;

/// Why a secret could not be read or kept.
#[derive(Debug, Error)]
pub enum VaultError {
    /// The environment variable is not there, or set to nothing.
    #[error("the environment variable {name} is not set: set it to the secret before starting, or name another source")]
    EnvMissing {
        /// The variable.
        name: String,
    },
    /// A file cannot be used: absent, unreadable, too large, not text.
    #[error("the secret file {}: {reason}", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// What is wrong and what to do.
        reason: String,
    },
    /// Other users of this machine can read a file that must be secret.
    #[error(
        "{} can be read by other users of this machine (mode {mode:04o}): run `chmod 600 {}`; where it is mounted and has no \
         modes of its own, as a Kubernetes secret, set `defaultMode: 0440` and an `fsGroup` there",
        path.display(), path.display()
    )]
    Exposed {
        /// Which file.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
    },
    /// A file that must be secret is another user's.
    #[error(
        "{} belongs to another user of this machine (uid {owner}), who can read and change it: run `chown {us} {}`",
        path.display(), path.display()
    )]
    Stranger {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
        /// Who we are.
        us: u32,
    },
    /// A place of the gateway's own is open to other users of this machine.
    #[error(
        "{} is open to other users of this machine (mode {mode:04o}): run `chmod {wanted:o} {}`",
        path.display(), path.display()
    )]
    OpenPlace {
        /// Which.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they should be.
        wanted: u32,
    },
    /// Another user could put something else in a place of the gateway's own.
    #[error("another user could exchange {}, because of {} above it: {reason}", path.display(), above.display())]
    OpenWay {
        /// Which place.
        path: PathBuf,
        /// The directory above it.
        above: PathBuf,
        /// What is wrong with that one, and what to do.
        reason: String,
    },
    /// A plaintext value in the configuration outside of `--dev`.
    #[error(
        "a secret stands in clear in the configuration: name an environment variable, a file or a vault entry, or start with --dev"
    )]
    PlaintextRefused,
    /// A `vault` source, but there is no vault.
    #[error(
        "the secret `{name}` is to come from the vault, but no vault is configured: add a [vault] section with its path and key"
    )]
    NoVault {
        /// The entry.
        name: String,
    },
    /// The tenant has no such entry.
    #[error(
        "the vault {} has no entry `{name}` of tenant `{tenant}`: put it in with `renmen secret set {name} --tenant {tenant}`",
        path.display()
    )]
    EntryMissing {
        /// The vault's file.
        path: PathBuf,
        /// Whose.
        tenant: TenantId,
        /// The entry.
        name: String,
    },
    /// The master key is no key.
    #[error(
        "{whence} holds no master key: {reason}. A key is 32 random bytes in base64: make one with `openssl rand -base64 32`"
    )]
    BadKey {
        /// Where it was looked for.
        whence: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The file is whole, but this key does not open it.
    #[error(
        "the vault {} does not open with this key: give the key it was made with (environment variable or key file under [vault]); \
         without that key its entries cannot be recovered, and you must begin a new vault and put the secrets in again",
        path.display()
    )]
    WrongKey {
        /// The vault's file.
        path: PathBuf,
    },
    /// The vault's file is torn or was altered.
    #[error("the vault {} is damaged: {reason}: restore it from a backup", path.display())]
    Damaged {
        /// The vault's file.
        path: PathBuf,
        /// What does not fit.
        reason: String,
    },
    /// A limit of the vault: entry name, entry size, number of entries.
    #[error("limit {limit}: {message}")]
    Limit {
        /// `secret_bytes_max`, `vault_entries_max`, `vault_file_bytes_max`, `vault_name_bytes_max`.
        limit: &'static str,
        /// What was seen against what is allowed.
        message: String,
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
