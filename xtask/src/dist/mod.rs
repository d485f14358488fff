//! `cargo xtask dist`: what an operator carries to a machine. One archive a platform: the gateway without symbols, the connectors
//! with their signatures, an example that needs no network, a systemd unit, completions and man page, licences, a bill of materials
//! and the checksums of all of it.
//!
//! Everything is built here and packed in a fixed order with fixed times, so that two builds of one commit can be compared.

mod bill;
mod licences;
mod trial;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context as _, bail};

use self::licences::Library;
use crate::workspace::Workspace;
use crate::{plugins, process, say};

/// The platform that is built for where none is named: linked statically, so that it runs on any Linux of this processor.
const TARGET: &str = concat!(env!("XTASK_ARCH"), "-unknown-linux-musl");
/// The profile of the workspace.
const PROFILE: &str = "dist";

/// What to pack, and where to.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// The platform, as rustc names it.
    #[arg(long, default_value = TARGET)]
    target: String,
    /// The secret key that signs the connectors (`renmen plugin keygen`). Without it a key is made for this archive and thrown away:
    /// the archive then shows that its connectors belong together, not who built them.
    #[arg(long)]
    key: Option<PathBuf>,
    /// Directory of the archive.
    #[arg(long, default_value = "target/archive")]
    out: PathBuf,
    /// Afterwards run the example out of the archive, in an empty root without a network.
    #[arg(long = "try")]
    trial: bool,
}

/// Builds, signs, packs; with `--try` also proves.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> anyhow::Result<ExitCode> {
    let binary = build(workspace, &options.target)?;
    let tool = workspace.build_gateway()?;
    plugins::build(workspace, &workspace.shipped(), &tool)?;

    let name = format!("renmen-{}-{}", env!("CARGO_PKG_VERSION"), options.target);
    let out = workspace.root.join(&options.out);
    let stage = out.join(&name);
    if stage.exists() {
        fs::remove_dir_all(&stage).with_context(|| stage.display().to_string())?;
    }
    let stage = Stage(stage);
    stage.copy(&binary, "bin/renmen")?;
    connectors(workspace, &tool, options.key.as_deref(), &stage)?;
    texts(workspace, &tool, &stage)?;
    let libraries = Library::built_in(workspace, &options.target)?;
    stage.write("share/doc/renmen/THIRD-PARTY-LICENCES.txt", &licences::of(&libraries)?)?;
    stage.write("share/doc/renmen/renmen.cdx.json", &bill::of(workspace, &libraries)?)?;
    checksums(&stage)?;
    let archive = pack(workspace, &out, &name)?;
    say(&format!("packed {}", archive.display()));
    if options.trial {
        trial::run(&archive, &name)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn build(workspace: &Workspace, target: &str) -> anyhow::Result<PathBuf> {
    if target.ends_with("-musl") {
        process::output("musl-gcc", Command::new("musl-gcc").arg("--version")).context(
            "a static build needs musl's C compiler: install the package musl-tools, or name another --target",
        )?;
    }
    let mut add = Command::new("rustup");
    add.current_dir(&workspace.root).args(["target", "add", target]);
    process::run("rustup target add", &mut add)?;
    let mut build = workspace.cargo();
    build.args(["build", "--locked", "--profile", PROFILE, "-p", "renmen", "--target", target]);
    process::run("building the gateway for other machines", &mut build)?;
    Ok(workspace.target.join(target).join(PROFILE).join("renmen"))
}

/// The connectors, each with its signature, and the key that verifies them.
fn connectors(workspace: &Workspace, tool: &Path, key: Option<&Path>, stage: &Stage) -> anyhow::Result<()> {
    let made = tempfile::tempdir().context("a temporary directory")?;
    let (secret, public) = match key {
        Some(key) => (key.to_owned(), key.with_extension("pub")),
        None => {
            let base = made.path().join("archive");
            let mut keygen = Command::new(tool);
            keygen.args(["--json", "plugin", "keygen", "--no-passphrase"]).arg(&base);
            let answer = process::output("renmen plugin keygen", &mut keygen)?;
            let answer: serde_json::Value =
                serde_json::from_str(&answer).context("the answer of renmen plugin keygen")?;
            let path =
                |name: &str| answer[name].as_str().map(PathBuf::from).context("renmen plugin keygen named no file");
            (path("secret")?, path("public")?)
        }
    };
    stage.copy(&public, "connectors/renmen.pub")?;
    for connector in workspace.shipped() {
        let file = format!("connectors/{}.wasm", connector.name);
        stage.copy(&workspace.plugins_dir().join(format!("{}.wasm", connector.name)), &file)?;
        let mut sign = Command::new(tool);
        sign.args(["--json", "plugin", "sign"]).arg(stage.path(&file)).arg("--key").arg(&secret);
        process::output("renmen plugin sign", &mut sign).with_context(|| file.clone())?;
    }
    Ok(())
}

/// Everything that people read, and the example with the digest of its connector filled in.
fn texts(workspace: &Workspace, tool: &Path, stage: &Stage) -> anyhow::Result<()> {
    let packaging = workspace.root.join("xtask/packaging");
    stage.copy(&workspace.root.join("LICENSE"), "share/doc/renmen/LICENSE")?;
    stage.copy(&workspace.root.join("CHANGELOG.md"), "share/doc/renmen/CHANGELOG.md")?;
    stage.copy(&workspace.root.join("docs/install.md"), "share/doc/renmen/install.md")?;
    stage.copy(&workspace.root.join("docs/operations.md"), "share/doc/renmen/operations.md")?;
    stage.copy(&workspace.root.join("docs/configuration.md"), "share/doc/renmen/configuration.md")?;
    stage.copy(&workspace.root.join("docs/connectors.schema.json"), "share/doc/renmen/connectors.schema.json")?;
    stage.copy(&packaging.join("renmen.service"), "lib/systemd/system/renmen.service")?;
    for entry in fs::read_dir(packaging.join("example/inbox")).context("the example's files")? {
        let file = entry?;
        stage.copy(&file.path(), &format!("example/inbox/{}", file.file_name().to_string_lossy()))?;
    }
    let inspected = process::output(
        "renmen plugin inspect",
        Command::new(tool).args(["--json", "plugin", "inspect"]).arg(stage.path("connectors/table-file.wasm")),
    )?;
    let inspected: serde_json::Value =
        serde_json::from_str(&inspected).context("the answer of renmen plugin inspect")?;
    let digest = inspected["digest"].as_str().context("renmen plugin inspect told no digest")?;
    let example = fs::read_to_string(packaging.join("example/connectors.toml")).context("the example")?;
    stage.write("example/connectors.toml", &example.replace("@DIGEST@", digest))?;
    for (shell, file) in [
        ("bash", "bash-completion/completions/renmen"),
        ("zsh", "zsh/site-functions/_renmen"),
        ("fish", "fish/vendor_completions.d/renmen.fish"),
    ] {
        let text = process::output("renmen completions", Command::new(tool).args(["completions", shell]))?;
        stage.write(&format!("share/{file}"), &text)?;
    }
    stage.write("share/man/man1/renmen.1", &process::output("renmen man", Command::new(tool).arg("man"))?)
}

/// `SHA256SUMS`: what `sha256sum --check` reads, of every file but itself.
fn checksums(stage: &Stage) -> anyhow::Result<()> {
    let files = stage.files()?;
    let mut sum = Command::new("sha256sum");
    sum.current_dir(&stage.0).arg("--").args(&files);
    let text = process::output("sha256sum", &mut sum)?;
    stage.write("SHA256SUMS", &text)
}

/// The archive, and its own checksum next to it.
fn pack(workspace: &Workspace, out: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let mut ask = Command::new("git");
    ask.current_dir(&workspace.root).args(["log", "-1", "--format=%ct"]);
    // Outside of a checkout there is no commit to take the time of.
    let time = process::output("git log", &mut ask).unwrap_or_else(|_| "0".to_owned());
    let archive = out.join(format!("{name}.tar.gz"));
    let mut tar = Command::new("tar");
    tar.current_dir(out).args(["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu"]);
    tar.arg(format!("--mtime=@{}", time.trim())).args(["--use-compress-program", "gzip -9n", "-cf"]);
    process::run("tar", tar.arg(&archive).arg(name))?;
    let file = archive.file_name().context("the archive has a name")?;
    let sum = process::output("sha256sum", Command::new("sha256sum").current_dir(out).arg(file))?;
    fs::write(archive.with_extension("gz.sha256"), sum).context("the archive's checksum")?;
    Ok(archive)
}

/// The folder that is packed.
struct Stage(PathBuf);

impl Stage {
    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn place(&self, name: &str) -> anyhow::Result<PathBuf> {
        let path = self.path(name);
        let folder = path.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        Ok(path)
    }

    fn copy(&self, from: &Path, name: &str) -> anyhow::Result<()> {
        fs::copy(from, self.place(name)?).with_context(|| from.display().to_string()).map(drop)
    }

    fn write(&self, name: &str, text: &str) -> anyhow::Result<()> {
        fs::write(self.place(name)?, text).with_context(|| name.to_owned())
    }

    /// Names of all files, in order.
    fn files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let (mut found, mut open) = (Vec::new(), vec![self.0.clone()]);
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(&folder).with_context(|| folder.display().to_string())? {
                let path = entry?.path();
                if path.is_dir() {
                    open.push(path);
                } else {
                    found.push(path.strip_prefix(&self.0)?.to_owned());
                }
            }
        }
        if found.is_empty() {
            bail!("nothing was staged in {}", self.0.display());
        }
        found.sort();
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn checksums_name_every_file_and_find_a_changed_one() {
        let dir = tempfile::tempdir().unwrap();
        let stage = Stage(dir.path().to_owned());
        stage.write("bin/renmen", "a program").unwrap();
        stage.write("share/doc/LICENSE", "a text").unwrap();
        checksums(&stage).unwrap();
        let check = || {
            let mut check = Command::new("sha256sum");
            check.current_dir(dir.path()).args(["--check", "--strict", "--quiet", "SHA256SUMS"]);
            process::output("sha256sum", &mut check)
        };
        assert_eq!(fs::read_to_string(dir.path().join("SHA256SUMS")).unwrap().lines().count(), 2);
        check().unwrap();
        stage.write("bin/renmen", "another program").unwrap();
        assert!(check().is_err());
    }

    #[test]
    fn the_example_is_whole() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("packaging/example");
        let text = fs::read_to_string(root.join("connectors.toml")).unwrap();
        let table: toml::Table = text.parse().unwrap();
        let streams = table["connections"]["payroll"]["config"]["streams"].as_table().unwrap();
        for (name, stream) in streams {
            let (begin, end) = stream["files"].as_str().unwrap().split_once('*').unwrap();
            let fits = |file: &str| file.starts_with(begin) && file.ends_with(end);
            let files = fs::read_dir(root.join("inbox")).unwrap();
            assert!(files.flatten().any(|file| fits(&file.file_name().to_string_lossy())), "{name} has no file");
        }
        assert!(text.contains("@DIGEST@"));
    }
}
