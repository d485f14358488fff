//! `renmen tenant`: tenants that go from one database to another.

use std::path::PathBuf;

use clap::Subcommand;
use renmen_schema::id::TenantId;

#[derive(Debug, Subcommand)]
#[command(after_help = "\
Moving a tenant from one database to another:
  renmen tenant export acme acme.renmen            # stops it here; it can still be read
  renmen tenant import acme.renmen --cell b        # all of it or nothing
  # in connectors.toml, add acme to cells.b.tenants; renmen reload on both sides
  renmen tenant moved acme --to b                  # its keys get 421 here, with this name
  renmen tenant forget acme                        # deletes its rows here

Each of these commands may be run again after it was stopped. Without --cell they work on the database of [store].")]
pub(crate) enum TenantCommand {
    /// List the tenants of the database, and which of them are being moved.
    List,
    /// Write a tenant to a file and refuse its writes from then on. Works while a gateway runs.
    Export {
        /// Tenant.
        tenant: TenantId,
        /// File to write. It holds everything of the tenant: mode 0600.
        file: PathBuf,
        /// How long deliveries that are being attempted may take to end. What has not ended is sent again where the tenant goes.
        #[arg(long, default_value = "30s")]
        wait: String,
    },
    /// Read a tenant from a file. A gateway may run on a PostgreSQL database, not on a SQLite file.
    Import {
        /// File that `renmen tenant export` wrote.
        file: PathBuf,
    },
    /// Note where an exported tenant is now: its API keys are refused here with this name.
    Moved {
        /// Tenant.
        tenant: TenantId,
        /// Name of the place, such as that of the cell; shown to the tenant.
        #[arg(long)]
        to: String,
    },
    /// Give up a move: the tenant is served here again. Only if its file was imported nowhere.
    Resume {
        /// Tenant.
        tenant: TenantId,
    },
    /// Delete the rows of a tenant that was moved. Works while a gateway runs.
    Forget {
        /// Tenant.
        tenant: TenantId,
    },
}
