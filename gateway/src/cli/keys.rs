//! `renmen secret` and `renmen key`: secrets of vendors' systems, and keys of this gateway's API.

use clap::{Args, Subcommand, ValueEnum};
use renmen_schema::id::{ConnectionName, TenantId};

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Add or replace a secret. Reads its value from standard input.
    Set {
        /// Name, as used by `slots.x = { vault = "NAME" }`.
        name: String,
        /// Tenant that owns it: only its connections, channels and endpoints can use it. Default: the tenant of `[gateway]`.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// List tenants and names. Values are never shown.
    List {
        /// Only secrets of this tenant.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Remove a secret.
    Remove {
        /// Name.
        name: String,
        /// Tenant that owns it. Default: the tenant of `[gateway]`.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Re-encrypt everything with the key in RENMEN_VAULT_NEW_KEY.
    Rotate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Create a key. It is shown once. Works while a gateway runs.
    New(NewKey),
    /// List ids, labels, roles and dates. Keys are never shown.
    List {
        /// Only keys of this tenant.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Revoke a key permanently. A running gateway refuses it within seconds.
    Revoke {
        /// Id, from `list`.
        id: String,
    },
}

/// A key to create.
#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// Label: what the key is for.
    pub(crate) label: String,
    /// Role of the key.
    #[arg(long)]
    pub(crate) role: Role,
    /// Connection that a vendor's key is bound to.
    #[arg(long)]
    pub(crate) connection: Option<ConnectionName>,
    /// Tenant of the key; by default that of the vendor's connection, or of `[gateway]`.
    #[arg(long)]
    pub(crate) tenant: Option<TenantId>,
    /// Lifetime, such as `90d`. Without it, the key is valid until it is revoked.
    #[arg(long)]
    pub(crate) expires: Option<String>,
}

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Everything of its tenant.
    Owner,
    /// Reads records, changes, timelines and schemas.
    Consumer,
    /// The same, and decides which records are one person.
    Steward,
    /// Reads how groups of people fared, and nothing else. No other role does.
    Auditor,
    /// For the vendor behind one connection: pay-band questions and screen tokens, only for interviews of that connection.
    Vendor,
}
