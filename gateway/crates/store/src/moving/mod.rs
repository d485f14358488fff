//! A tenant that goes from one database to another: written to a file, read from it, and deleted where it was.
//!
//! Owns the order of the steps and what makes each of them safe to do again. What a row means is not known here, except whose it is
//! (`tables`). How a database is asked is behind [`place::Place`].
//!
//! Nothing is lost or doubled, because the tenant is fenced before it is read: every transaction that writes for it looks whether it may,
//! and the file is written from a snapshot that begins after every transaction has ended that looked before.

mod arrive;
mod contents;
mod file;
mod forget;
mod leave;
mod place;
mod presence;
mod tables;

use serde::Serialize;

pub use arrive::{Arrival, import_tenant};
pub use forget::{forget_tenant, tenants};
pub use leave::{Departure, export_tenant, resume_tenant, tenant_moved};
pub(crate) use place::{Kind, Place};

/// Where work on a tenant stands.
#[derive(Debug, Clone, Copy)]
pub struct MoveProgress<'t> {
    pub table: &'t str,
    /// Of this table, done so far.
    pub rows: u64,
    /// Of this table, in all; zero where that is not known.
    pub of: u64,
    pub step: MoveStep,
}

/// What is done with a table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MoveStep {
    Writing,
    Reading,
    Comparing,
    Deleting,
}

/// A table of a tenant as it was written or read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct MovedTable {
    pub name: String,
    pub rows: u64,
    /// Of all rows in the order of their keys.
    pub hash: String,
}

/// Tells a caller how far the work is.
pub type TellMove<'t> = &'t (dyn Fn(MoveProgress<'_>) + Send + Sync);
