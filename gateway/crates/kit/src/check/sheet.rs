//! What can be wrong with `plugin.toml` beyond its form.

use std::path::Path;

use renmen_plugin_host::CONTRACT;
use renmen_schema::manifest::{Manifest, SealUse};
use toml::de::{DeTable, DeValue};

use super::Lints;
use crate::component;

/// Contradictions, the contract's release, and what a reader will look for.
pub(super) fn check(manifest: &Manifest, place: &dyn Fn(&str) -> String, lints: &mut Lints) {
    for fault in [manifest.check(), renmen_egress::host_faults(manifest)].concat() {
        lints.error("manifest", place(&fault.key), fault.message);
    }
    if line(&manifest.contract) != line(CONTRACT) {
        let given = &manifest.contract;
        let message = format!(
            "it is written for the contract {given}, this renmen builds for {CONTRACT}: run `renmen plugin sdk` and set `contract = \"{CONTRACT}\"`"
        );
        lints.error("contract", place("contract"), message);
    }
    for (name, stream) in &manifest.streams {
        for entity in &stream.entities {
            if manifest.lineage.get(entity).is_none_or(std::collections::BTreeMap::is_empty) {
                let message = format!("its values cannot be traced to their source: write [lineage.{entity}]");
                lints.warning("no_lineage", place(&format!("streams.{name}")), message);
            }
        }
    }
    for (name, slot) in &manifest.slots {
        if slot.description.trim().is_empty() {
            lints.warning(
                "no_description",
                place(&format!("slots.{name}")),
                "say what an operator has to put in, and where it is found",
            );
        }
    }
    seals(manifest, place, lints);
    if manifest.rate.is_none() && !manifest.http.hosts.is_empty() && manifest.http.hosts != ["drop:"] {
        lints.warning(
            "no_rate",
            place("http"),
            "the vendor's rate is not stated: write [rate] if the vendor publishes one, or it will throttle",
        );
    }
    if let Some(schema) = &manifest.config_schema
        && schema.get("additionalProperties") != Some(&serde_json::Value::Bool(false))
    {
        let message = "a mistyped key of the configuration would be passed over: write `additionalProperties = false`";
        lints.warning("open_config", place("config_schema"), message);
    }
}

/// A secret that an operator would give for nothing.
fn seals(manifest: &Manifest, place: &dyn Fn(&str) -> String, lints: &mut Lints) {
    let webhook = manifest.webhook.as_ref();
    let proof = webhook.and_then(|webhook| webhook.proof.as_ref());
    let open = proof.and_then(|proof| proof.open.as_ref());
    let used = [
        proof.map(|proof| &proof.slot),
        open.map(|open| &open.slot),
        open.and_then(|open| open.token.as_ref()).map(|token| &token.slot),
    ];
    for (name, slot) in &manifest.slots {
        let opens_socket =
            webhook.and_then(|webhook| webhook.socket.as_ref()).is_some_and(|socket| socket.slot == *name);
        let host = slot.seal.is_some_and(|seal| seal.used == SealUse::Host);
        if slot.auth.is_none() && slot.seal.is_none() && !opens_socket {
            let message = "nothing can use it: write `auth = …` for a credential, or `seal = …` for a key";
            lints.warning("idle_slot", place(&format!("slots.{name}")), message);
        } else if host && !used.contains(&Some(name)) {
            let message = "only the gateway may use it, and [webhook.proof] does not name it";
            lints.warning("idle_slot", place(&format!("slots.{name}.seal")), message);
        }
    }
}

/// `Cargo.toml` and `plugin.toml` must not tell two versions.
pub(super) fn package(folder: &Path, manifest: &Manifest, lints: &mut Lints) {
    let file = folder.join("Cargo.toml");
    let Ok(text) = component::read_text(&file) else { return };
    let Ok(cargo) = text.parse::<toml::Table>() else { return };
    let version = cargo.get("package").and_then(|package| package.get("version")).and_then(toml::Value::as_str);
    if let Some(version) = version.filter(|version| *version != manifest.version) {
        let message = format!("version {version}, plugin.toml says {}: give both the same", manifest.version);
        lints.warning("two_versions", file.display().to_string(), message);
    }
}

/// File and line of a key, or of what it is in.
pub(super) fn place(file: &Path, text: &str, key: &str) -> String {
    let (table, _) = DeTable::parse_recoverable(text);
    let mut table = Some(table.get_ref().clone());
    let mut at = None;
    for part in key.split('.') {
        let Some(found) =
            table.as_ref().and_then(|table| table.iter().find(|(name, _)| name.get_ref().as_ref() == part))
        else {
            break;
        };
        at = Some(found.0.span().start);
        table = match found.1.get_ref() {
            DeValue::Table(inner) => Some(inner.clone()),
            _ => None,
        };
    }
    let line = at.and_then(|at| text.get(..at)).map(|before| before.matches('\n').count() + 1);
    match line {
        Some(line) => format!("{}:{line}: {key}", file.display()),
        None => format!("{}: {key}", file.display()),
    }
}

/// What semantic versioning calls compatible.
fn line(version: &str) -> Option<(&str, Option<&str>)> {
    let mut numbers = version.split('.');
    let (major, minor) = (numbers.next()?, numbers.next()?);
    Some((major, (major == "0").then_some(minor)))
}
