//! `renmen plugin`: the words for whoever writes or installs connectors.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use renmen_schema::id::StreamName;

#[derive(Debug, Subcommand)]
pub(crate) enum Plugin {
    /// Write a connector that builds and passes its tests, for a paged JSON API.
    New {
        /// 1 to 63 of a-z, 0-9 and `-`: also its package and its component.
        name: String,
        /// Where it goes; by default a new folder of its name.
        #[arg(long)]
        dir: Option<PathBuf>,
        /// The folder of a renmen-plugin to use instead of the copy that comes along.
        #[arg(long)]
        sdk: Option<PathBuf>,
    },
    /// Replace a connector's copy of the SDK by this release's.
    Sdk {
        /// The connector's folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
    },
    /// Compile a connector with cargo and make its component.
    Build {
        /// The connector's folder.
        #[arg(default_value = ".")]
        dir: PathBuf,
        /// Where the component goes; by default NAME.wasm in the folder.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Tell cargo to use no network.
        #[arg(long)]
        offline: bool,
    },
    /// Lint a connector: manifest, fixtures, imports, size, and grants asked for but never used.
    Check {
        /// The connector's folder, or a `.wasm` file.
        #[arg(default_value = ".")]
        path: PathBuf,
        /// Warnings fail too.
        #[arg(long)]
        strict: bool,
    },
    /// Pull a page of a real system and show each record beside the vendor's JSON. Nothing is kept.
    Run {
        #[command(flatten)]
        trial: Trial,
        /// Records that are shown field by field; all of them with --json.
        #[arg(long, default_value_t = 3)]
        records: usize,
    },
    /// As `run`, and keep the exchanges as a fixture, with secrets and people made up.
    Record {
        #[command(flatten)]
        trial: Trial,
        /// The fixture; by default fixtures/STREAM.http.json in the connector's folder.
        #[arg(long)]
        out: Option<PathBuf>,
        /// Replace a fixture that is there.
        #[arg(long)]
        force: bool,
    },
    /// Make a pair of keys for signing: NAME.key and NAME.pub, in minisign's format.
    Keygen {
        /// Path and name without an ending.
        name: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
        /// Leave the secret key unencrypted.
        #[arg(long)]
        no_passphrase: bool,
    },
    /// Sign a component; the signature goes beside it as FILE.minisig.
    Sign {
        /// A `.wasm` file.
        file: PathBuf,
        /// The secret key's file.
        #[arg(long)]
        key: PathBuf,
        #[command(flatten)]
        passphrase: Passphrase,
    },
    /// Say who signed a component; fails when it is nobody who is trusted.
    Verify {
        /// A `.wasm` file with its signature beside it.
        file: PathBuf,
        /// A public key, or its file; without one those of the configuration.
        #[arg(long)]
        key: Vec<String>,
    },
    /// The plugins of the configuration.
    List,
    /// Manifest, digest, imports and exports of a component; no guest code runs.
    Inspect {
        /// A `.wasm` file.
        file: PathBuf,
    },
    /// Make a component of a core module and its manifest.
    Pack {
        /// What `cargo build --target wasm32-unknown-unknown` made.
        #[arg(long)]
        module: PathBuf,
        /// The connector's `plugin.toml`.
        #[arg(long)]
        manifest: PathBuf,
        /// Where the component goes.
        #[arg(long)]
        out: PathBuf,
    },
    /// Prove that a connector does what a gateway relies on, against a source that is changed and spoilt.
    Test(crate::command::conformance::Ask),
    /// Serve a source that is bad on demand, on loopback.
    Misbehave(crate::command::misbehave::Ask),
}

/// What is pulled, and with what.
#[derive(Debug, Args)]
pub(crate) struct Trial {
    /// The connector's folder, which is built first, or a `.wasm` file.
    #[arg(default_value = ".")]
    pub(crate) plugin: PathBuf,
    /// A stream of its manifest.
    #[arg(long)]
    pub(crate) stream: StreamName,
    /// The connection's `config`, a JSON file.
    #[arg(long)]
    pub(crate) settings: Option<PathBuf>,
    /// One key of the connection's `config`: `base_url=https://hr.example.com/v1`.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
    /// Where a slot's secret is: `api_key=env:API_KEY` or `api_key=file:PATH`. Never the secret itself.
    #[arg(long, value_name = "SLOT=SOURCE")]
    pub(crate) slot: Vec<String>,
    /// Go on here: what the last page left in `next`.
    #[arg(long)]
    pub(crate) cursor: Option<String>,
    /// Records that a page may hold.
    #[arg(long, default_value_t = 1000)]
    pub(crate) max_records: u32,
    /// Pages to pull, at most 100.
    #[arg(long, default_value_t = 1)]
    pub(crate) pages: u32,
    /// Allow plain http and loopback addresses: a simulator on this machine.
    #[arg(long)]
    pub(crate) local: bool,
    /// The drop directory, for a connector that reads files.
    #[arg(long)]
    pub(crate) drop: Option<PathBuf>,
    /// Tell cargo to use no network.
    #[arg(long)]
    pub(crate) offline: bool,
}

/// Where a key's passphrase is.
#[derive(Debug, Args)]
pub(crate) struct Passphrase {
    /// The variable that holds the key's passphrase.
    #[arg(long, value_name = "VARIABLE")]
    pub(crate) passphrase_env: Option<String>,
    /// The file that holds the key's passphrase, readable by its owner alone.
    #[arg(long, value_name = "PATH", conflicts_with = "passphrase_env")]
    pub(crate) passphrase_file: Option<PathBuf>,
}
