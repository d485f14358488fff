//! `renmen journal`: payroll to the ledger.

use clap::Subcommand;

#[derive(Debug, Subcommand)]
pub(crate) enum Journal {
    /// Show what would be posted of a payroll run, and why it would not. Writes nothing.
    #[command(after_help = "\
Examples:
  renmen journal preview payroll --run payroll-runs/payroll/2025-03
  renmen journal post payroll --run payroll-runs/payroll/2025-03 --reason 'March is approved'
  renmen journal list")]
    Preview {
        /// Table of accounts: a key under `[journals]`.
        journal: String,
        /// Payroll run: `payroll-runs/ID`, or `payroll-runs/CONNECTION/EXTERNAL-ID`.
        #[arg(long)]
        run: String,
    },
    /// Post a payroll run, once. Asked again, shows the posting that is there.
    Post {
        /// Table of accounts: a key under `[journals]`.
        journal: String,
        /// Payroll run: `payroll-runs/ID`, or `payroll-runs/CONNECTION/EXTERNAL-ID`.
        #[arg(long)]
        run: String,
        /// Reason, kept with the posting.
        #[arg(long)]
        reason: String,
        /// Name of the person, kept with the posting.
        #[arg(long, env = "USER")]
        person: String,
    },
    /// List postings with their document numbers, newest first.
    List {
        /// Only postings of this run.
        #[arg(long)]
        run: Option<String>,
        /// Maximum number of rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
}
