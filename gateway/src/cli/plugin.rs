//! `renmen plugin`: the words for whoever writes or installs connectors.

use std::path::PathBuf;

use clap::Subcommand;

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
}
