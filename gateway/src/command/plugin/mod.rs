//! `renmen plugin`: components and their manifests. Listing and inspecting run no guest code.

mod describe;
mod from_airbyte;
mod trial;
mod trust;
mod write;

use std::path::Path;

use renmen_kit::build::Build;
use renmen_kit::component::{self, read};
use renmen_kit::scaffold::Shape;
use renmen_plugin_host::{Capability, Inspection, Signer, Trust, inspect, signature_path};
use renmen_schema::text;
use serde_json::{Value, json};

use crate::cli::{Common, Plugin as Ask};
use crate::deployment::Deployment;
use crate::exit::Outcome;
use crate::output::{Output, thousands};

/// Runs the command.
pub(crate) async fn run(common: &Common, out: Output, ask: &Ask) -> anyhow::Result<Outcome> {
    match ask {
        Ask::New { name, declarative, like, dir, sdk } => {
            let shape = if *declarative { Shape::Declarative } else { (*like).into() };
            write::new(out, name, shape, dir.as_deref(), sdk.as_deref())
        }
        Ask::FromAirbyte(ask) => from_airbyte::run(out, ask),
        Ask::Sdk { dir } => write::sdk(out, dir),
        Ask::Build { dir, out: to, offline } => {
            write::build(out, &Build { folder: dir.clone(), out: to.clone(), offline: *offline })
        }
        Ask::Check { path, strict } => write::check(out, path, *strict).await,
        Ask::Run { trial, records } => trial::run(out, trial, *records).await,
        Ask::Record { trial, out: to, force } => trial::record(out, trial, to.as_deref(), *force).await,
        Ask::Keygen { name, passphrase, no_passphrase } => trust::keygen(out, name, passphrase, *no_passphrase),
        Ask::Sign { file, key, passphrase } => trust::sign(out, file, key, passphrase),
        Ask::Verify { file, key } => trust::verify(common, out, file, key),
        Ask::List => list(common, out),
        Ask::Inspect { file } => {
            let found = inspect(&read(file)?)?;
            if out.json {
                out.document(&document(&found))?;
            } else {
                out.say(describe::describe(&found));
            }
            Ok(Outcome::Done)
        }
        Ask::Pack { module, manifest, out: to } => pack(out, module, manifest, to),
        Ask::Test(ask) => super::conformance::run(out, ask).await,
        Ask::Misbehave(ask) => super::misbehave::run(out, ask).await,
    }
}

fn pack(out: Output, module: &Path, manifest: &Path, to: &Path) -> anyhow::Result<Outcome> {
    let made = component::make(module, manifest, to)?;
    if out.json {
        out.document(&document(&made))?;
    } else {
        out.say(text!(
            "{} {} {} ({} bytes)",
            "{} {} {}（{} 字节）",
            made.manifest.name,
            made.manifest.version,
            made.digest,
            thousands(made.bytes)
        ));
    }
    Ok(Outcome::Done)
}

fn list(common: &Common, out: Output) -> anyhow::Result<Outcome> {
    let deployment = Deployment::load(common)?;
    let trust = deployment.trust()?;
    let (mut rows, mut documents, mut outcome) = (Vec::new(), Vec::new(), Outcome::Done);
    for (name, connection) in &deployment.config.connections {
        let path = &connection.plugin;
        match inspected(path, &trust) {
            Ok((found, signer)) => {
                let pinned = connection.digest.as_ref().is_some_and(|digest| *digest == found.digest);
                let state = match (&connection.digest, pinned) {
                    (None, _) => "not pinned",
                    (_, true) => "pinned",
                    (_, false) => "another digest is pinned",
                };
                let streams = found
                    .manifest
                    .streams
                    .keys()
                    .map(renmen_schema::id::StreamName::as_str)
                    .collect::<Vec<_>>()
                    .join(" ");
                let manifest = &found.manifest;
                rows.push(vec![
                    name.to_string(),
                    manifest.name.clone(),
                    manifest.version.clone(),
                    state.into(),
                    signer.as_ref().map_or_else(String::new, |signer| signer.name.clone()),
                    streams,
                ]);
                let signer = signer.map(|signer| json!({ "name": signer.name, "key": signer.key }));
                documents.push(json!({
                    "connection": name, "pinned": pinned, "signer": signer, "plugin": document(&found),
                }));
            }
            Err(error) => {
                outcome = Outcome::Failed;
                rows.push(vec![
                    name.to_string(),
                    path.display().to_string(),
                    String::new(),
                    format!("{error:#}"),
                    String::new(),
                    String::new(),
                ]);
                documents.push(json!({ "connection": name, "error": format!("{error:#}") }));
            }
        }
    }
    let head = ["connection", "plugin", "version", "digest", "signer", "streams"];
    out.fitted_table(&head, &["signer", "streams"], rows, &documents)?;
    Ok(outcome)
}

/// What a component says of itself, and who signed it.
fn inspected(path: &Path, trust: &Trust) -> anyhow::Result<(Inspection, Option<Signer>)> {
    let bytes = read(path)?;
    let signature = signature_path(path);
    let text = if signature.exists() { Some(component::read_text(&signature)?) } else { None };
    let signer = if trust.is_used() { trust.check(&bytes, text.as_deref())? } else { None };
    Ok((inspect(&bytes)?, signer))
}

fn document(found: &Inspection) -> Value {
    json!({
        "digest": found.digest, "bytes": found.bytes, "capabilities": capabilities(found), "imports": found.imports, "exports": found.exports,
        "manifest": found.manifest,
    })
}

fn capabilities(found: &Inspection) -> Vec<&'static str> {
    found.capabilities().into_iter().map(Capability::as_str).collect()
}
