//! The proof of an archive: unpacked into a folder that becomes the root of a process without a network, the example runs. What a
//! container has is there as well: a `/proc` of its own, `/dev/null` and `/tmp`.

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, bail};
use serde_json::Value;

use crate::{process, say};

/// What the example's store must hold afterwards: twelve people in one month.
const EXPECTED: &[(&str, usize)] =
    &[("compensations", 12), ("payroll-runs", 1), ("payroll-records", 12), ("performance-metrics", 12)];

/// Checks the checksums and the signatures, then runs the example.
pub(super) fn run(archive: &Path, name: &str) -> anyhow::Result<()> {
    let dir = tempfile::tempdir().context("a temporary directory")?;
    process::run("tar", Command::new("tar").arg("-xzf").arg(archive).arg("-C").arg(dir.path()))?;
    let root = dir.path().join(name);
    let mut check = Command::new("sha256sum");
    check.current_dir(&root).args(["--check", "--strict", "--quiet", "SHA256SUMS"]);
    process::run("sha256sum --check", &mut check)?;
    for folder in ["dev", "proc", "tmp"] {
        fs::create_dir(root.join(folder)).with_context(|| folder.to_owned())?;
    }
    // The process that compiles plugins is given no standard error.
    fs::write(root.join("dev/null"), "").context("dev/null")?;
    let connectors = fs::read_dir(root.join("connectors")).context("connectors")?;
    let mut verified = 0;
    for file in connectors.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()) {
        if file.ends_with(".wasm") {
            inside(&root, &["plugin", "verify", &format!("/connectors/{file}"), "--key", "/connectors/renmen.pub"])?;
            verified += 1;
        }
    }
    for command in ["check", "sync"] {
        inside(&root, &["--config", "/example/connectors.toml", command])?;
    }
    for (collection, expected) in EXPECTED {
        let answer = inside(
            &root,
            &["--config", "/example/connectors.toml", "--json", "records", collection, "--limit", "100"],
        )?;
        let found = count(&answer).with_context(|| format!("the answer of renmen records {collection}"))?;
        if found != *expected {
            bail!("the example's store has {found} {collection}, not {expected}");
        }
    }
    say(&format!(
        "the archive's checksums hold, {verified} connectors verify, and the example runs in an empty root without a network"
    ));
    Ok(())
}

/// Runs the archive's binary with its folder as the root: no other file, no network, a `/proc` of its own.
fn inside(root: &Path, arguments: &[&str]) -> anyhow::Result<String> {
    let mut command = Command::new("unshare");
    command.args(["--map-root-user", "--net", "--pid", "--fork", "--mount", "--root"]).arg(root);
    command.args(["--mount-proc=/proc", "/bin/renmen"]).args(arguments).env_clear();
    process::output("the example in an empty root", &mut command).with_context(|| arguments.join(" "))
}

fn count(answer: &str) -> Option<usize> {
    let answer: Value = serde_json::from_str(answer).ok()?;
    answer.as_array().or_else(|| answer.get("data")?.as_array()).map(Vec::len)
}
