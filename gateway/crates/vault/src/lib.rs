//! The only holder of plaintext secrets.
//!
//! Owns: [`Secret`], the value that nothing prints or serialises; [`Source`], where an operator says that a secret comes
//! from; [`Vault`], the encrypted file that can hold secrets at rest.
//!
//! Must not know: connections, HTTP, the configuration file. It is asked for a secret by a source, and that is all. Who
//! asks must be egress (or the binary that hands the secret to egress): a test over the workspace keeps it so.
//!
//! Why a file of its own and not the store: the store is copied, queried and backed up by people who may see records and
//! must not see credentials; a separate file with a separate key makes "backup of the data" and "backup of the keys" two
//! decisions.

mod error;
mod file;
mod key;
mod name;
mod place;
mod secret;
mod source;
mod store;

pub use error::VaultError;
pub use key::{MASTER_KEY_BYTES, MasterKey};
pub use name::OWN_PREFIX;
pub use place::{private_directory, private_file, trusted_way};
pub use secret::{SECRET_BYTES_MAX, Secret};
pub use source::{Resolver, Source};
pub use store::{ENTRIES_MAX, Held, VAULT_FILE_BYTES_MAX, Vault};
