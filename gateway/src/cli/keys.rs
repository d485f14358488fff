//! `renmen secret` and `renmen key`: what opens a vendor's system, and what opens this one.

use clap::{Args, Subcommand, ValueEnum};
use renmen_schema::id::{ConnectionName, TenantId};

#[derive(Debug, Subcommand)]
pub(crate) enum Secret {
    /// Put one in; its value is read from standard input.
    Set {
        /// The name that `slots.x = { vault = "name" }` uses.
        name: String,
        /// Whose it is: only connections, channels and endpoints of this tenant get it. By default that of `[gateway]`.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Tenants and names, never values.
    List {
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Take one out.
    Remove {
        /// Its name.
        name: String,
        /// Whose it is. By default that of `[gateway]`.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Encrypt everything anew with the key in RENMEN_VAULT_NEW_KEY.
    Rotate,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Make one; it is shown once. Works beside a running gateway.
    New(NewKey),
    /// Ids, labels, roles and dates, never keys.
    List {
        /// Only of this tenant.
        #[arg(long)]
        tenant: Option<TenantId>,
    },
    /// Revoke one for good. Works beside a running gateway, which refuses it within seconds.
    Revoke {
        /// From `list`.
        id: String,
    },
}

/// A key to make.
#[derive(Debug, Args)]
pub(crate) struct NewKey {
    /// What it is for.
    pub(crate) label: String,
    /// What it may do.
    #[arg(long)]
    pub(crate) role: Role,
    /// Of a vendor's key: the one connection that it is bound to.
    #[arg(long)]
    pub(crate) connection: Option<ConnectionName>,
    /// Whose records; by default those of the vendor's connection, or of `[gateway]`.
    #[arg(long)]
    pub(crate) tenant: Option<TenantId>,
    /// When it ends by itself: `90d`. Without it, it is good until it is revoked.
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
    /// For the vendor behind one connection: asks about pay and makes screen tokens, for that connection's interviews alone.
    Vendor,
}
