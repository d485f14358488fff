//! The command line: commands, flags and their help. What a command does is in `command`.

mod export;
mod journal;
mod keys;
mod people;
pub(crate) mod plugin;
mod tenant;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
pub(crate) use export::ExportAsk;
pub(crate) use journal::Journal;
pub(crate) use keys::{Key, NewKey, Role, Secret};
pub(crate) use people::{Of, PeopleCommand, Which};
pub(crate) use plugin::Plugin;
use renmen_schema::id::{ConnectionName, StreamName};
pub(crate) use tenant::TenantCommand;

use crate::logs::{LogFormat, check_filter};

/// Renmen (人门): a self-hosted HR integration gateway.
///
/// Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 partly done: some streams failed, have findings, or brought only
/// records that are quarantined; 4 busy: another gateway holds the store; 130 stopped by a signal, and the next run continues.
#[derive(Debug, Parser)]
#[command(name = "renmen", version, about, long_about, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// Configuration file.
    #[arg(long, short, global = true, default_value = "connectors.toml", env = "RENMEN_CONFIG")]
    pub(crate) config: PathBuf,
    /// Development mode: accepts plugins without a pinned digest and secrets in files, and prints an API key.
    #[arg(long, global = true, env = "RENMEN_DEV")]
    pub(crate) dev: bool,
    /// Cell to work on: its key under `[cells]`. Without it, the database of `[store]`.
    #[arg(long, global = true, env = "RENMEN_CELL")]
    pub(crate) cell: Option<ConnectionName>,
    /// Directory of compiled plugins; overrides `gateway.cache_dir`. Several gateways of one user can share it.
    #[arg(long, global = true, env = "RENMEN_CACHE_DIR")]
    pub(crate) cache_dir: Option<PathBuf>,
    /// Print one JSON document to standard output instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show every column of a table, one line per row, even if the terminal is narrower.
    #[arg(long, global = true)]
    pub(crate) wide: bool,
    /// Log filter, such as `info,renmen_sync=debug`. Logs go to standard error.
    #[arg(long, global = true, default_value = "warn", env = "RENMEN_LOG", value_parser = check_filter)]
    pub(crate) log: String,
    /// Log format; text by default, JSON with --json.
    #[arg(long, global = true, value_enum, env = "RENMEN_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a first configuration file (--config). Asks for its values on a terminal.
    Init(crate::command::init::Ask),
    /// Run the schedule and the API until stopped.
    Serve(Serve),
    /// Compiles one plugin from standard input. Started by the gateway itself, within limits.
    #[command(hide = true)]
    CompilePlugin,
    /// Have the running gateway read its configuration again, as SIGHUP does, and show what changed.
    Reload,
    /// Pull now: all declared streams, those of one connection, or one stream.
    Sync {
        /// Name of a connection: its key under `[connections]`.
        connection: Option<ConnectionName>,
        /// Name of one of its streams.
        stream: Option<StreamName>,
        /// Reset the cursor and read everything again.
        #[arg(long)]
        full: bool,
    },
    /// Verify the configuration without writing anything: plugins, grants, credentials, one page of each stream.
    Check {
        /// Only this connection.
        connection: Option<ConnectionName>,
    },
    /// Read records from the store.
    Records {
        /// Collection, such as `employees` or `pay-bands`. Without it, shows the number of records in each.
        collection: Option<String>,
        /// Id of a record: shows it with its lineage.
        id: Option<String>,
        /// Only records from this connection.
        #[arg(long)]
        connection: Option<ConnectionName>,
        /// Only records with this id in the vendor's system.
        #[arg(long)]
        external_id: Option<String>,
        /// Include deleted records.
        #[arg(long)]
        deleted: bool,
        /// Show what references mean: their names, such as `--expand=employee,run`; all of them without names.
        #[arg(long, value_name = "NAMES", num_args = 0..=1, require_equals = true, default_missing_value = "all", requires = "collection")]
        expand: Option<String>,
        /// Maximum number of rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// Show who is one person or unit across all connections, and decide it.
    #[command(subcommand)]
    People(PeopleCommand),
    /// List changes to records, in order.
    Changes {
        /// Only changes after this position.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// Only changes to records of this entity, such as `employee`.
        #[arg(long)]
        entity: Option<String>,
        /// Maximum number of rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// List runs, newest first.
    Runs {
        /// Only this connection.
        connection: Option<ConnectionName>,
        /// Maximum number of rows.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// Show one run in full: counts, findings and omissions.
        #[arg(long, conflicts_with = "connection")]
        run: Option<i64>,
    },
    /// Manage quarantined records.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Review deletions that wait for approval because a listing lacked more records than the configured limit.
    #[command(subcommand)]
    Sweep(Sweep),
    /// Manage the database.
    #[command(subcommand)]
    Store(StoreCommand),
    /// Move a tenant to another database.
    #[command(subcommand)]
    Tenant(TenantCommand),
    /// Apply decision rules to interviews that ended before the gateway was set up. Only lists them without --apply.
    DecidePast {
        /// Name of a connection: its key under `[connections]`.
        connection: ConnectionName,
        /// Only interviews that ended on this day (UTC) or later, such as `2026-01-31`.
        #[arg(long)]
        from: String,
        /// Make these decisions. Flows send them like any others.
        #[arg(long)]
        apply: bool,
    },
    /// List flows and test them.
    #[command(subcommand)]
    Flow(Flow),
    /// Run one action for one record by hand. Only shows what would be sent without --apply.
    Act(Act),
    /// Ask questions over many records: funnels, what an interview predicts, pay, performance.
    #[command(subcommand)]
    Insight(Insight),
    /// Write records as Parquet or CSV files for BI.
    Export(ExportAsk),
    /// Post payroll runs to the ledger, and show their document numbers.
    #[command(subcommand)]
    Journal(Journal),
    /// Manage instructions to change a vendor's model.
    #[command(subcommand)]
    Adjust(Adjust),
    /// List deliveries and send failed ones again.
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Run the current plugin over recorded exchanges and list the records that would differ.
    Replay {
        /// Name of a connection: its key under `[connections]`.
        connection: ConnectionName,
        /// Name of one of its streams.
        stream: StreamName,
        /// Write the records that differ.
        #[arg(long)]
        apply: bool,
    },
    /// Print the JSON Schema of the canonical records.
    Schema {
        /// Entity, such as `employee` or `pay_band`. Without it, lists the entities.
        entity: Option<String>,
        /// Print a table of its fields instead: JSON Pointer, type, required, sensitivity.
        #[arg(long, requires = "entity")]
        fields: bool,
    },
    /// Create, build, test, sign and inspect plugins.
    #[command(subcommand)]
    Plugin(Plugin),
    /// Manage the vault, the encrypted store of secrets.
    #[command(subcommand)]
    Secret(Secret),
    /// Manage API keys.
    #[command(subcommand)]
    Key(Key),
    /// Print every limit with its default.
    Limits,
    /// Print a completion script: `renmen completions bash > /etc/bash_completion.d/renmen`.
    Completions {
        /// Shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page per command to a directory.
    Man {
        /// Directory for the pages.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy everything into an empty database, such as from SQLite to PostgreSQL, and compare counts and hashes. All or nothing. The
    /// vault and the data directory are not touched.
    #[command(after_help = "\
Examples:
  renmen store copy configured postgres://renmen@db.example.com/renmen
  renmen store copy postgres://renmen@db.example.com/renmen sqlite:renmen.db

`configured` is the database of the configuration file. A password comes from the environment variable PGPASSWORD.")]
    Copy {
        /// Source: `configured`, `sqlite:PATH` or `postgres://…`. No gateway may run on it.
        from: String,
        /// Target: a file that does not exist yet, or an empty PostgreSQL database.
        to: String,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sweep {
    /// List them.
    List,
    /// Show the records that would be deleted.
    Show {
        /// Id, from `list`.
        run: i64,
        /// Maximum number of rows.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Delete the records. Those that were listed or changed again since then are kept.
    Approve {
        /// Id, from `list`.
        run: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// List them.
    List {
        /// Only this connection.
        connection: Option<ConnectionName>,
        /// Maximum number of rows.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Show one with its original bytes.
    Show {
        /// Id, from `list`.
        id: i64,
    },
    /// Process one again with the current plugin and the checks. Without an id, processes all.
    Retry {
        /// Id, from `list`.
        id: Option<i64>,
    },
    /// Discard one.
    Drop {
        /// Id, from `list`.
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Flow {
    /// List flows and their positions in the change feed.
    List,
    /// Show what a flow would have sent for the latest changes of its entity. Sends nothing.
    DryRun {
        /// Name of the flow: its key under `[flows]`, or its name in the API.
        name: String,
        /// Number of changes.
        #[arg(long, default_value_t = 20)]
        last: u32,
    },
}

/// An action by hand.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  renmen act --list
  renmen act interview interview.cancel --record interview-orders/interview/ord-7 --map '{\"id\": \"change.external_id\"}' --reason 'withdrew'
  renmen act --flow order-interview --record applications/hire/6789 --reason 'by voice' --map '{\"external_id\": \"change.external_id + \\'-2\\'\", \"mode\": \"\\'live_audio\\'\"}'")]
pub(crate) struct Act {
    /// Destination: a key under `[connections]` or `[channels]`.
    pub(crate) connection: Option<ConnectionName>,
    /// Action of the destination, as shown by --list.
    pub(crate) action: Option<String>,
    /// List the actions of all destinations, or of this one, with their inputs.
    #[arg(long)]
    pub(crate) list: bool,
    /// Record to act on: `COLLECTION/ID`, or `COLLECTION/CONNECTION/EXTERNAL-ID`.
    #[arg(long)]
    pub(crate) record: Option<String>,
    /// Send what this flow would send for the record, regardless of the flow's condition. Replaces destination and action.
    #[arg(long)]
    pub(crate) flow: Option<String>,
    /// File with the input as a JSON object; `-` is standard input.
    #[arg(long, conflicts_with_all = ["map", "flow"])]
    pub(crate) input: Option<PathBuf>,
    /// Input as expressions, like a flow's `map`, in JSON. With --flow, replaces keys of the flow's own.
    #[arg(long)]
    pub(crate) map: Option<String>,
    /// Field of the record that --map may see, such as `/overall`. May be repeated.
    #[arg(long)]
    pub(crate) field: Vec<String>,
    /// Related records, like a flow's `with`, in JSON.
    #[arg(long)]
    pub(crate) with: Option<String>,
    /// Reason, kept with the delivery.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Name of the person, kept with the delivery.
    #[arg(long, env = "USER")]
    pub(crate) person: Option<String>,
    /// A second request with the same key has no effect.
    #[arg(long)]
    pub(crate) idempotency_key: Option<String>,
    /// Run the action. A running gateway does it at once; otherwise it is sent when a gateway runs.
    #[arg(long)]
    pub(crate) apply: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Insight {
    /// List the questions and their parameters.
    List,
    /// Answer a question from the records that are there now. Writes nothing.
    #[command(after_help = "\
Examples:
  renmen insight ask funnel from=2026-01-01 to=2026-03-31
  renmen insight ask predict outcome=final_round,probation_passed --csv
  renmen insight ask pay application=01980a5c-3d00-7a10-8000-0000000003f9 --json")]
    Ask {
        /// Name of the question, from `list`.
        question: String,
        /// Parameters of the question, each as NAME=VALUE.
        parameters: Vec<String>,
        /// Print CSV instead of tables.
        #[arg(long)]
        csv: bool,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Adjust {
    /// List them, newest first.
    List {
        /// Only those in this status: PROPOSED, APPROVED, SENT, ACCEPTED, APPLIED, REJECTED, REVERTING, REVERTED.
        #[arg(long)]
        status: Option<String>,
    },
    /// Show one with its history.
    Show {
        /// Id, from `list`.
        id: String,
    },
    /// Propose one. Works while a gateway runs.
    Propose {
        /// File with `target`, `ops` and `evidence` in JSON; `-` is standard input.
        file: PathBuf,
        #[command(flatten)]
        why: Why,
        /// A second request with the same key has no effect.
        #[arg(long)]
        idempotency_key: Option<String>,
    },
    /// Approve one. A flow sends it to the vendor.
    Approve {
        /// Id, from `list`.
        id: String,
        #[command(flatten)]
        why: Why,
    },
    /// Reject a proposed one.
    Reject {
        /// Id, from `list`.
        id: String,
        #[command(flatten)]
        why: Why,
    },
    /// Ask the vendor to revert one that it applied.
    Revert {
        /// Id, from `list`.
        id: String,
        #[command(flatten)]
        why: Why,
        /// Current version of the vendor's model; by default the version that this instruction produced.
        #[arg(long)]
        profile_version: Option<u32>,
    },
}

/// Who does something, and why.
#[derive(Debug, Clone, Args)]
pub(crate) struct Why {
    /// Reason, kept with the instruction.
    #[arg(long)]
    pub(crate) reason: String,
    /// Name of the person, kept with the instruction.
    #[arg(long, env = "USER")]
    pub(crate) person: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Deliveries {
    /// List them, newest first.
    List {
        /// Only deliveries of this flow.
        #[arg(long)]
        flow: Option<String>,
        /// Only deliveries in this state: pending, in_flight, unconfirmed, delivered, dead, withheld, expired.
        #[arg(long)]
        state: Option<String>,
        /// Only deliveries to this connection.
        #[arg(long)]
        connection: Option<ConnectionName>,
        /// Only deliveries for changes to the record with this id.
        #[arg(long)]
        record: Option<String>,
        /// Maximum number of rows.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Send a failed delivery again, or all dead deliveries of a flow. Works while a gateway runs.
    Replay {
        /// Id, from `list`.
        id: Option<i64>,
        /// All dead deliveries of this flow.
        #[arg(long, conflicts_with = "id")]
        flow: Option<String>,
    },
}

/// Options of `renmen serve`.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Address to listen on; overrides `gateway.listen`.
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// Parts of a gateway to run in this process, on PostgreSQL: `api`, `hooks`, `pull`, `push`. All of them by default.
    #[arg(long, value_delimiter = ',', value_name = "ROLE")]
    pub(crate) role: Vec<ServeRole>,
    /// Pull every declared stream once before serving, and print the number of records.
    #[arg(long)]
    pub(crate) pull_first: bool,
    /// Write a JSON object with `url` (and `key`, with --dev) to this file once the gateway serves. Mode 0600.
    #[arg(long)]
    pub(crate) ready_file: Option<PathBuf>,
}

/// One part of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ServeRole {
    /// Answers clients at `/v1`.
    Api,
    /// Takes vendors' deliveries in at `/hooks`.
    Hooks,
    /// Runs the schedule, reads what deliveries announced, holds event connections.
    Pull,
    /// Sends what flows make, runs the interview loop.
    Push,
}
