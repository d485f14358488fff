//! `renmen people`: who is one person, across all connections.

use clap::{Args, Subcommand};
use renmen_schema::id::{ConnectionName, RecordId};

use super::Why;

#[derive(Debug, Subcommand)]
pub(crate) enum PeopleCommand {
    /// List people, or organisational units: records of all connections that are one.
    List {
        #[command(flatten)]
        which: Which,
        /// Only those with a record from this connection.
        #[arg(long)]
        connection: Option<ConnectionName>,
        /// Only those with a proposal or a conflict.
        #[arg(long)]
        unresolved: bool,
        /// Only those with at least so many records.
        #[arg(long, default_value_t = 1)]
        records_min: u32,
    },
    /// Show one: its records, each field with every value, what links the records and why, and what happened.
    Show {
        /// Id of a person or unit, or of one of its records.
        id: RecordId,
    },
    /// List who may be one: rules found much in common, and too little to link them.
    Proposals {
        #[command(flatten)]
        which: Which,
    },
    /// List links that are held back: one person cannot be both.
    Conflicts {
        #[command(flatten)]
        which: Which,
    },
    /// List what people decided, also what was undone.
    Decisions {
        /// Maximum number of rows.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Decide that records are one. Works while a gateway runs.
    Link {
        #[command(flatten)]
        of: Of,
    },
    /// Decide that records are not who the other records of their person or unit are. Works while a gateway runs.
    Split {
        #[command(flatten)]
        of: Of,
    },
    /// Decide that records are never one. Works while a gateway runs.
    Never {
        #[command(flatten)]
        of: Of,
    },
    /// Undo a decision: the rules say again what is one. Works while a gateway runs.
    Undo {
        /// Number, from `decisions`.
        number: i64,
        #[command(flatten)]
        why: Why,
    },
}

/// People or units, and how many.
#[derive(Debug, Clone, Args)]
pub(crate) struct Which {
    /// Organisational units instead of people.
    #[arg(long)]
    pub(crate) units: bool,
    /// Maximum number of rows.
    #[arg(long, default_value_t = 20)]
    pub(crate) limit: u32,
}

/// Of which records, and why.
#[derive(Debug, Clone, Args)]
pub(crate) struct Of {
    /// Ids of records; the id of a person stands for their oldest record.
    #[arg(required = true)]
    pub(crate) records: Vec<RecordId>,
    #[command(flatten)]
    pub(crate) why: Why,
}
