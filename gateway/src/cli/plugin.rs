//! `renmen plugin`: commands for authors of connectors and for those who install them.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use renmen_schema::id::StreamName;

/// The shapes that a connector can be begun from.
#[derive(Debug, Clone, Copy, Default, clap::ValueEnum)]
pub(crate) enum Shape {
    /// A list that can be asked what changed, with a page cursor.
    #[default]
    Cursor,
    /// A list that is read whole by offset, with OAuth2.
    Offset,
    /// Signed events, with a list for what they do not carry.
    Webhook,
    /// Actions that write and read nothing.
    Action,
}

impl From<Shape> for renmen_kit::scaffold::Shape {
    fn from(shape: Shape) -> Self {
        match shape {
            Shape::Cursor => Self::Cursor,
            Shape::Offset => Self::Offset,
            Shape::Webhook => Self::Webhook,
            Shape::Action => Self::Action,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Create a connector that builds and passes its tests.
    New {
        /// Name of the connector, its package and its component: 1 to 63 characters of a-z, 0-9 and `-`.
        name: String,
        /// No code: `plugin.toml` and `mapping.toml`, for which nothing but this program is needed.
        #[arg(long, conflicts_with_all = ["like", "sdk"])]
        declarative: bool,
        /// What the vendor's API is like.
        #[arg(long, value_enum, default_value_t, value_name = "SHAPE")]
        like: Shape,
        /// Directory to create; by default its name.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// Directory of the SDK (renmen-plugin) to use instead of the bundled copy.
        #[arg(long)]
        sdk: Option<PathBuf>,
    },
    /// Begin a connector without code from an Airbyte low-code manifest.
    FromAirbyte(FromAirbyte),
    /// Replace a connector's copy of the SDK with that of this release.
    Sdk {
        /// Directory of the connector.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Build the component of a connector: compile it with cargo, or make it of its mapping.
    Build {
        /// Directory of the connector.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// File of the component; by default NAME.wasm in the directory.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Run cargo with --offline.
        #[arg(long)]
        offline: bool,
    },
    /// Lint a connector: manifest, mapping, fixtures, imports, size, and unused permissions.
    Check {
        /// Directory of the connector, or a `.wasm` file.
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Fail on warnings too.
        #[arg(long)]
        strict: bool,
    },
    /// Pull a page from a real system and show each record next to the vendor's JSON. Keeps nothing.
    Run {
        #[command(flatten)]
        trial: Trial,
        /// Number of records to show field by field; --json shows all.
        #[arg(long, default_value_t = 3)]
        records: usize,
    },
    /// Like `run`, but save the exchanges as an anonymised fixture.
    Record {
        #[command(flatten)]
        trial: Trial,
        /// File of the fixture; by default fixtures/STREAM.http.json in the connector's directory.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Replace an existing fixture.
        #[arg(long)]
        force: bool,
    },
    /// Create a key pair for signing: NAME.key and NAME.pub, in minisign's format.
    Keygen {
        /// Path without an extension.
        name: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
        /// Do not encrypt the secret key.
        #[arg(long)]
        no_passphrase: bool,
    },
    /// Sign a component. Writes the signature to FILE.minisig.
    Sign {
        /// A `.wasm` file.
        file: PathBuf,
        /// File of the secret key.
        #[arg(long)]
        key: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Verify a component's signature against the trusted keys.
    Verify {
        /// A `.wasm` file; its signature is FILE.minisig.
        file: PathBuf,
        /// Public key, or its file; by default the trusted keys of the configuration. May be repeated.
        #[arg(long)]
        key: Vec<String>,
    },
    /// List the plugins of the configuration.
    List,
    /// Show manifest, digest, imports and exports of a component without running it.
    Inspect {
        /// A `.wasm` file.
        file: PathBuf,
    },
    /// Build a component from a core module and a manifest.
    Pack {
        /// Core module, as built by `cargo build --target wasm32-unknown-unknown`.
        #[arg(long)]
        module: PathBuf,
        /// Manifest of the connector (`plugin.toml`).
        #[arg(long)]
        manifest: PathBuf,
        /// File of the component.
        #[arg(long)]
        out: PathBuf,
    },
    /// Run the conformance kit: a simulated vendor that changes and misbehaves.
    Test(crate::command::conformance::Ask),
    /// Serve a simulated vendor that misbehaves on demand, on loopback.
    Misbehave(crate::command::misbehave::Ask),
}

/// Which manifest to begin from.
#[derive(Debug, Default, Args)]
pub(crate) struct FromAirbyte {
    /// Manifest of the connector (`manifest.yaml`).
    pub(crate) manifest: PathBuf,
    /// Directory to create; by default the connector's name.
    pub(crate) dir: Option<PathBuf>,
    /// Name of the connector; by default that of the directory.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Authenticator to use, where the manifest has several by name.
    #[arg(long)]
    pub(crate) auth: Option<String>,
    /// Entity of a stream, where its name does not tell: `opportunities=candidate`. May be repeated.
    #[arg(long, value_name = "STREAM=ENTITY")]
    pub(crate) stream: Vec<String>,
    /// Write no files; show what would be in them and what was left behind.
    #[arg(long)]
    pub(crate) dry_run: bool,
}

/// What to pull, and with which settings.
#[derive(Debug, Args)]
pub(crate) struct Trial {
    /// Directory of the connector, which is built first, or a `.wasm` file.
    #[arg(default_value = ".")]
    pub(crate) plugin: PathBuf,
    /// Name of a stream.
    #[arg(long)]
    pub(crate) stream: StreamName,
    /// JSON file with the connection's `config`.
    #[arg(long)]
    pub(crate) settings: Option<PathBuf>,
    /// One key of the connection's `config`: `base_url=https://hr.example.com/v1`. May be repeated.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Source of a slot's secret: `api_key=env:API_KEY` or `api_key=file:PATH`, not the secret itself. May be repeated.
    #[arg(long, value_name = "SLOT=SOURCE")]
    pub(crate) slot: Vec<String>,
    /// Cursor to continue from: the `next` of the last page.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// Maximum number of records per page.
    #[arg(long, default_value_t = 1000)]
    pub(crate) max_records: u32,
    /// Number of pages to pull, at most 100.
    #[arg(long, default_value_t = 1)]
    pub(crate) pages: u32,
    /// Allow plain http and loopback addresses, for a simulator on this machine.
    #[arg(long)]
    pub(crate) local: bool,
    /// Drop directory, for a connector that reads files.
    #[arg(long)]
    pub(crate) drop: Option<PathBuf>,
    /// Run cargo with --offline.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Source of a key's passphrase.
#[derive(Debug, Args)]
pub(crate) struct Passphrase {
    /// Environment variable with the passphrase of the key.
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) passphrase_env: Option<String>,
    /// File with the passphrase of the key; only its owner may be able to read it.
    #[arg(long, value_name = "PATH", conflicts_with = "passphrase_env")]
    pub(crate) passphrase_file: Option<PathBuf>,
}
