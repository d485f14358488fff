//! The command line as people see it. Its words, nothing of what they do.

mod keys;
pub(crate) mod plugin;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
pub(crate) use keys::{Key, NewKey, Role, Secret};
pub(crate) use plugin::Plugin;
use renmen_schema::id::{ConnectionName, StreamName};

use crate::logs::{LogFormat, check_filter};

/// Renmen (人门): a self-hosted HR integration gateway.
///
/// Exit codes: 0 done; 1 failed; 2 wrong usage or configuration; 3 done in part: some stream failed, has findings, or gave only
/// records that wait in quarantine; 4 busy, another gateway holds the store; 130 stopped by a signal, the next run goes on.
#[derive(Debug, Parser)]
#[command(name = "renmen", version, about, long_about, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) common: Common,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// What every command takes.
#[derive(Debug, Clone, Args)]
pub(crate) struct Common {
    /// The configuration.
    #[arg(long, short, global = true, default_value = "connectors.toml", env = "RENMEN_CONFIG")]
    pub(crate) config: PathBuf,
    /// Relaxes what only production needs: pinned digests, secrets outside of files. Prints a key for the API.
    #[arg(long, global = true, env = "RENMEN_DEV")]
    pub(crate) dev: bool,
    /// One JSON document on standard output instead of tables.
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Every column of a table, each row on one line, however narrow the terminal is.
    #[arg(long, global = true)]
    pub(crate) wide: bool,
    /// What to log, as in `info,renmen_sync=debug`. Logs go to standard error.
    #[arg(long, global = true, default_value = "warn", env = "RENMEN_LOG", value_parser = check_filter)]
    pub(crate) log: String,
    /// How logs look; by default as text, and with --json as JSON.
    #[arg(long, global = true, value_enum, env = "RENMEN_LOG_FORMAT")]
    pub(crate) log_format: Option<LogFormat>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Write a first configuration that `check` accepts, into the file of --config. Asks on a terminal.
    Init(crate::command::init::Ask),
    /// Run the schedule and the API until stopped.
    Serve(Serve),
    /// Compiles one plugin from standard input. Started by the gateway itself, within limits.
    #[command(hide = true)]
    CompilePlugin,
    /// Pull now: every enabled stream, those of one connection, or one.
    Sync {
        /// The key under `[connections]`.
        connection: Option<ConnectionName>,
        /// One of its streams.
        stream: Option<StreamName>,
        /// Forget the cursor first: read everything again.
        #[arg(long)]
        full: bool,
    },
    /// Prove the configuration without writing: plugins, grants, credentials, one page of each stream.
    Check {
        /// Only this connection.
        connection: Option<ConnectionName>,
    },
    /// Read records from the store.
    Records {
        /// `employees`, `pay-bands`, …; without it: how many there are of each.
        collection: Option<String>,
        /// One record by its id, with lineage.
        id: Option<String>,
        /// Only from this connection.
        #[arg(long)]
        connection: Option<ConnectionName>,
        /// Only with this vendor id.
        #[arg(long)]
        external_id: Option<String>,
        /// Tombstones too.
        #[arg(long)]
        deleted: bool,
        /// At most this many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// What happened to records, in order.
    Changes {
        /// Only behind this position.
        #[arg(long, default_value_t = 0)]
        after: i64,
        /// Only of this entity: `employee`.
        #[arg(long)]
        entity: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
    },
    /// What ran, newest first.
    Runs {
        /// Only this connection.
        connection: Option<ConnectionName>,
        /// At most this many.
        #[arg(long, default_value_t = 20)]
        limit: u32,
        /// One run whole: its figures, what it could not read and what it left out.
        #[arg(long, conflicts_with = "connection")]
        run: Option<i64>,
    },
    /// Records that could not be taken in.
    #[command(subcommand)]
    Quarantine(Quarantine),
    /// Deletions that wait for a person: a whole listing no longer held more records than may go by themselves.
    #[command(subcommand)]
    Sweep(Sweep),
    /// List what the rules say to interviews of a connection that ended before the gateway came. Nothing is written without --apply.
    DecidePast {
        /// The key under `[connections]`.
        connection: ConnectionName,
        /// Only interviews that ended on this day or later, in UTC: `2026-01-31`.
        #[arg(long)]
        from: String,
        /// Make these decisions. Flows send them like any other.
        #[arg(long)]
        apply: bool,
    },
    /// Flows: what is sent because a record changed.
    #[command(subcommand)]
    Flow(Flow),
    /// Do one action for one record by hand: cancel, order again, tell somebody. Nothing is sent without --apply.
    Act(Act),
    /// Instructions to change a vendor's model: propose, approve, reject, take back.
    #[command(subcommand)]
    Adjust(Adjust),
    /// What flows sent and will send.
    #[command(subcommand)]
    Deliveries(Deliveries),
    /// Run the current plugin over recorded exchanges and list the records that would differ.
    Replay {
        /// The key under `[connections]`.
        connection: ConnectionName,
        /// One of its streams.
        stream: StreamName,
        /// Write what differs. Without it nothing is written.
        #[arg(long)]
        apply: bool,
    },
    /// The JSON Schema of the canonical records.
    Schema {
        /// `employee`, `pay_band`, …; without it: the list.
        entity: Option<String>,
        /// A table of its fields instead: JSON Pointer, type, whether it is required, sensitivity.
        #[arg(long, requires = "entity")]
        fields: bool,
    },
    /// Plugins: writing, building and inspecting them.
    #[command(subcommand)]
    Plugin(Plugin),
    /// The encrypted store of secrets.
    #[command(subcommand)]
    Secret(Secret),
    /// Keys for the API.
    #[command(subcommand)]
    Key(Key),
    /// Every limit with its default, as a table.
    Limits,
    /// Print a completion script: `renmen completions bash > /etc/bash_completion.d/renmen`.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
    /// Print the manual page, or write one page for each command into a folder.
    Man {
        /// The folder.
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Sweep {
    /// List what waits.
    List,
    /// The records that would be deleted.
    Show {
        /// From `list`.
        run: i64,
        /// At most this many.
        #[arg(long, default_value_t = 100)]
        limit: u32,
    },
    /// Delete them. What was listed or changed again since stays.
    Approve {
        /// From `list`.
        run: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Quarantine {
    /// List what waits.
    List {
        /// Only this connection.
        connection: Option<ConnectionName>,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// One item with its original bytes.
    Show {
        /// From `list`.
        id: i64,
    },
    /// Pass it through the current plugin and the checks again. Without an id: all of them.
    Retry {
        /// From `list`.
        id: Option<i64>,
    },
    /// Give it up.
    Drop {
        /// From `list`.
        id: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum Flow {
    /// The flows and how far they are.
    List,
    /// What a flow would have sent for the last changes of its entity; nothing is sent.
    DryRun {
        /// The key under `[flows]`, or the name that it has in the API.
        name: String,
        /// How many changes.
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
    /// The destination: a key under `[connections]` or `[channels]`.
    pub(crate) connection: Option<ConnectionName>,
    /// What to do there, as `--list` shows it.
    pub(crate) action: Option<String>,
    /// List the actions of all destinations, or of this one, with their inputs.
    #[arg(long)]
    pub(crate) list: bool,
    /// What it is about: `COLLECTION/ID`, or `COLLECTION/CONNECTION/EXTERNAL-ID`.
    #[arg(long)]
    pub(crate) record: Option<String>,
    /// What this flow would send for the record, whatever its condition says; instead of a destination and an action.
    #[arg(long)]
    pub(crate) flow: Option<String>,
    /// The input: a file with a JSON object; `-` is standard input.
    #[arg(long, conflicts_with_all = ["map", "flow"])]
    pub(crate) input: Option<PathBuf>,
    /// The input as a flow's `map` says it, in JSON; beside --flow, keys that take the place of the flow's own.
    #[arg(long)]
    pub(crate) map: Option<String>,
    /// What of the record `--map` may see, as in a flow: `/overall`. May be repeated.
    #[arg(long)]
    pub(crate) field: Vec<String>,
    /// Whom the record refers to, as a flow's `with`, in JSON.
    #[arg(long)]
    pub(crate) with: Option<String>,
    /// Why. Kept with the delivery.
    #[arg(long)]
    pub(crate) reason: Option<String>,
    /// Who: kept with the delivery.
    #[arg(long, env = "USER")]
    pub(crate) person: Option<String>,
    /// The same again with the same key is done once.
    #[arg(long)]
    pub(crate) idempotency_key: Option<String>,
    /// Do it. A gateway that runs does it at once; otherwise it goes out when one runs.
    #[arg(long)]
    pub(crate) apply: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Adjust {
    /// Newest first.
    List {
        /// Only in this status: PROPOSED, APPROVED, SENT, ACCEPTED, APPLIED, REJECTED, REVERTING, REVERTED.
        #[arg(long)]
        status: Option<String>,
    },
    /// One instruction, with what people did about it.
    Show {
        /// From `list`.
        id: String,
    },
    /// Propose one. Works beside a running gateway.
    Propose {
        /// A file with `target`, `ops` and `evidence` in JSON; `-` is standard input.
        file: PathBuf,
        #[command(flatten)]
        why: Why,
        /// The same again with the same key makes one.
        #[arg(long)]
        idempotency_key: Option<String>,
    },
    /// Approve one: a flow carries it to the vendor when the gateway runs.
    Approve {
        /// From `list`.
        id: String,
        #[command(flatten)]
        why: Why,
    },
    /// Reject one that was proposed.
    Reject {
        /// From `list`.
        id: String,
        #[command(flatten)]
        why: Why,
    },
    /// Have the vendor take back one that it applied.
    Revert {
        /// From `list`.
        id: String,
        #[command(flatten)]
        why: Why,
        /// The version that the vendor's model has now; by default the one that it got from this instruction.
        #[arg(long)]
        profile_version: Option<u32>,
    },
}

/// Who does something, and why.
#[derive(Debug, Clone, Args)]
pub(crate) struct Why {
    /// Why. Kept with the instruction.
    #[arg(long)]
    pub(crate) reason: String,
    /// Who. Kept with the instruction.
    #[arg(long, env = "USER")]
    pub(crate) person: String,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Deliveries {
    /// Newest first.
    List {
        /// Only of this flow.
        #[arg(long)]
        flow: Option<String>,
        /// Only in this state: pending, in_flight, unconfirmed, delivered, dead, withheld, expired.
        #[arg(long)]
        state: Option<String>,
        /// Only to this connection.
        #[arg(long)]
        connection: Option<ConnectionName>,
        /// Only for changes of the record with this id.
        #[arg(long)]
        record: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50)]
        limit: u32,
    },
    /// Send one that failed again, or all dead ones of a flow. Works beside a running gateway.
    Replay {
        /// From `list`.
        id: Option<i64>,
        /// Every dead delivery of this flow.
        #[arg(long, conflicts_with = "id")]
        flow: Option<String>,
    },
}

/// How to serve.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// Overrides `gateway.listen`.
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// Pull every stream once first, showing progress, and print what came in.
    #[arg(long)]
    pub(crate) pull_first: bool,
    /// Write a JSON object with the `url` here once it serves, and with --dev the `key`; only its owner can read it.
    #[arg(long)]
    pub(crate) ready_file: Option<PathBuf>,
}
