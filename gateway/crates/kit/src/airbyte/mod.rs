//! `renmen plugin from-airbyte`: a connector without code, begun from a declarative manifest of Airbyte.
//!
//! Owns the way from `manifest.yaml` to a connector's folder: the request side is carried over, the mapping of fields is begun by name, and what could
//! not be carried over is listed with its place in the manifest. Must not know a vendor, and carries no manifest: it reads the one that it is given.
//!
//! The way of a manifest: [`yaml`] reads it with its lines, [`resolve`] puts references and parameters in their places, [`stream`] reads each stream
//! ([`request`], [`auth`], [`paging`], [`sync`], [`router`], [`errors`], expressions by [`jinja`], [`translate`] and [`when`]), [`likeness`] compares names with
//! the canonical schema, [`write`], [`readme`] and [`proof`] make the files, and the last one pulls each stream once from a made-up answer.

mod auth;
mod errors;
mod jinja;
mod left;
mod likeness;
mod paging;
mod plugin;
mod proof;
mod readme;
mod request;
mod resolve;
mod router;
mod sample;
mod spec;
mod stream;
mod sync;
mod toml;
mod translate;
mod when;
mod write;
mod yaml;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use renmen_schema::manifest::Rate;
use renmen_schema::{EntityKind, Text};
use serde::Serialize;

pub use left::Left;
pub use yaml::MANIFEST_BYTES_MAX;

use crate::KitError;
use crate::scaffold::PluginName;
use auth::Slot;
use errors::Errors;
use left::Lefts;
use spec::Spec;
use stream::{Around, Stream};
use yaml::{Node, Unreadable};

/// What to import.
#[derive(Debug, Clone)]
pub struct Import {
    /// The manifest.
    pub manifest: PathBuf,
    /// The connector's name.
    pub name: PluginName,
    /// The authenticator to take where there are several by name.
    pub auth: Option<String>,
    /// The manifest's name of a stream to the entity in it, where the name alone does not tell.
    pub entities: BTreeMap<String, EntityKind>,
}

/// What became of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StreamOutcome {
    /// Its name in the manifest.
    pub stream: String,
    /// Its name in the connector.
    pub name: String,
    /// The entity that it is.
    pub entity: Option<String>,
    /// Why it is not read; empty where it is.
    pub blocked: Vec<String>,
    /// How many fields are mapped.
    pub fields: usize,
}

impl StreamOutcome {
    /// Is it read?
    #[must_use]
    pub fn is_read(&self) -> bool {
        self.blocked.is_empty()
    }
}

/// A connector's folder, and what was left behind.
#[derive(Debug, Clone, Serialize)]
pub struct Imported {
    /// Path within the folder to text.
    #[serde(skip)]
    pub files: BTreeMap<String, String>,
    /// Each stream, in the manifest's order.
    pub streams: Vec<StreamOutcome>,
    /// What could not be carried over.
    pub left: Vec<Left>,
    /// What the checker says of the files; nothing where they can be built as they are.
    pub wrong: Vec<String>,
}

/// Everything that was read of a manifest.
struct Source {
    version: String,
    name: String,
    spec: Spec,
    streams: Vec<Stream>,
    slots: Vec<Slot>,
    errors: Errors,
    rate: Option<Rate>,
    /// What the configuration's `base_url` stands for.
    base: String,
    left: Vec<Left>,
}

impl Import {
    /// Reads the manifest and makes the files.
    ///
    /// # Errors
    /// [`KitError::File`] when the manifest cannot be read; [`KitError::Usage`] when it is not a manifest, with file and line.
    pub fn run(&self) -> Result<Imported, KitError> {
        let text = std::fs::read_to_string(&self.manifest).map_err(|error| KitError::file(&self.manifest, error))?;
        self.read(&text).map_err(|unreadable| {
            let (file, Unreadable { line, message }) = (self.manifest.display().to_string(), unreadable);
            KitError::Usage(Text::verbatim(format!("{file}:{line}: {message}")))
        })
    }

    fn read(&self, text: &str) -> Result<Imported, Unreadable> {
        let root = yaml::read(text)?;
        let source = self.source(&root)?;
        let mut files = BTreeMap::new();
        files.insert("plugin.toml".to_owned(), plugin::plugin(&source));
        files.insert("mapping.toml".to_owned(), write::mapping(&source));
        let proved = proof::prove(&source, &files["plugin.toml"], &files["mapping.toml"]);
        files.extend(proved.files);
        files.insert("README.md".to_owned(), readme::readme(&source));
        files.insert(".gitignore".to_owned(), "*.wasm\n.disguise-key\n".to_owned());
        let outcome = |stream: &Stream| StreamOutcome {
            stream: stream.title.clone(),
            name: stream.name.clone(),
            entity: stream.alike.as_ref().map(|alike| alike.entity.name().to_owned()),
            blocked: stream.blocked.clone(),
            fields: stream.mapped.fields.len(),
        };
        let streams = source.streams.iter().map(outcome).collect();
        Ok(Imported { files, streams, left: source.left, wrong: proved.wrong })
    }

    fn source(&self, root: &Node) -> Result<Source, Unreadable> {
        let told = |message: &str| Unreadable { line: root.line, message: message.to_owned() };
        let Some(listed) = root.get("streams") else {
            let message = "no `streams`: expected a declarative manifest (`type: DeclarativeSource`)";
            return Err(told(message));
        };
        let mut left = Lefts::default();
        let spec = root.get("spec").map(|spec| resolve::references(root, spec)).transpose()?;
        let spec = spec.map(|spec| Spec::of(&within("spec", spec))).unwrap_or_default();
        let around = Around {
            spec: &spec,
            auth: self.auth.as_deref(),
            entities: &self.entities,
            folder: self
                .manifest
                .parent()
                .map(|folder| if folder.as_os_str().is_empty() { Path::new(".") } else { folder }),
        };
        let (mut streams, mut errors) = (Vec::new(), Errors::default());
        for node in resolve::references(root, listed)?.items() {
            let node = resolve::propagate(node, "DeclarativeSource.streams", &Vec::new());
            if node.component() == "DeclarativeStream" {
                streams.push(Stream::of(&node, &around, &mut errors, &mut left));
            } else {
                left.add(&node, node.component(), "only a DeclarativeStream is read");
            }
        }
        if streams.is_empty() {
            return Err(told("a manifest without a stream that can be read"));
        }
        for key in ["dynamic_streams", "concurrency_level"] {
            if let Some(node) = root.get(key).filter(|_| key == "dynamic_streams") {
                left.add(node, key, "streams that are made up as it runs");
            }
        }
        let rate = root.get("api_budget").map(|budget| resolve::references(root, budget)).transpose()?;
        let rate = rate.and_then(|budget| plugin::rate(&budget, &mut left));
        let base = bases(&mut streams);
        distinct(&mut streams);
        parents(&mut streams);
        let slots = slots(&mut streams);
        let version = root.get("version").and_then(Node::scalar).unwrap_or_default();
        Ok(Source {
            version,
            name: self.name.as_str().to_owned(),
            spec,
            streams,
            slots,
            errors,
            rate,
            base,
            left: left.sorted(),
        })
    }
}

/// A node under a key of its own.
fn within(key: &str, node: Node) -> Node {
    Node { at: node.at.clone(), line: node.line, kind: yaml::Kind::Map(vec![(key.to_owned(), node)]) }
}

/// What stands before every path: what all bases begin with. The rest goes into the paths.
fn bases(streams: &mut [Stream]) -> String {
    let trimmed = |base: &str| base.trim_end_matches('/').to_owned();
    let all: Vec<String> = streams.iter().flat_map(|stream| &stream.lists).map(|list| trimmed(&list.base)).collect();
    // Where they differ in more than the end of constant addresses, the one of most streams counts.
    let origin = |base: &str| base.split('/').take(3).collect::<Vec<_>>().join("/");
    let shared_by = |base: &&String| all.iter().filter(|other| origin(other) == origin(base)).count();
    let Some(first) = all.iter().rev().max_by_key(shared_by).cloned() else { return String::new() };
    let same = |base: &&String| !base.contains("{{") && origin(base) == origin(&first);
    let mut shared: Vec<&str> = first.split('/').collect();
    for base in all.iter().filter(same) {
        let common = shared.iter().zip(base.split('/')).take_while(|(one, other)| **one == *other).count();
        shared.truncate(common.max(3));
    }
    let shared = if first.contains("{{") { first.clone() } else { shared.join("/") };
    for stream in streams {
        for list in &mut stream.lists {
            match trimmed(&list.base).strip_prefix(&shared) {
                Some(rest) => list.path = format!("{rest}{}", list.path),
                None => stream.blocked.push(format!("it is asked for at another address: {}", list.base)),
            }
        }
    }
    shared
}

/// No two streams have one name.
fn distinct(streams: &mut [Stream]) {
    let mut taken = BTreeSet::new();
    for stream in streams {
        let plain = stream.name.clone();
        for number in 2.. {
            if taken.insert(stream.name.clone()) {
                break;
            }
            stream.name = format!("{plain}_{number}");
        }
    }
}

/// A list is read once for each item of a stream that is read itself, and has no parent of its own.
fn parents(streams: &mut [Stream]) {
    for number in 0..streams.len() {
        let Some(parent) = streams[number].parent.clone() else { continue };
        let found = streams.iter().find(|stream| stream.title == parent);
        let leads = match found {
            None => Err(format!("its parent `{parent}` is not a stream of the manifest")),
            Some(found) if !found.blocked.is_empty() => Err(format!("its parent `{parent}` is not read")),
            Some(found) if found.parent.is_some() || found.for_each.is_some() => {
                Err(format!("its parent `{parent}` has a parent itself"))
            }
            Some(found) => {
                let mut for_each = serde_json::json!({ "stream": found.name });
                if !found.when.is_empty() {
                    for_each["when"] = found.when.clone().into();
                }
                Ok((for_each, renamed(&found.known)))
            }
        };
        let stream = &mut streams[number];
        match leads {
            Err(why) => stream.blocked.push(why),
            Ok((for_each, renamed)) => {
                stream.lists.iter_mut().for_each(|list| list.rename(&renamed));
                stream.for_each = Some(for_each);
            }
        }
    }
}

/// Members of a parent that the manifest gives other names: places into the parent by those names, and by the vendor's.
fn renamed(known: &BTreeMap<String, likeness::Property>) -> Vec<(String, String)> {
    let place = |at: &str| format!("{{parent{at}");
    let each = known.iter().filter_map(|(name, property)| {
        let (own, at) = (jinja::pointer(std::slice::from_ref(name)), property.pointer()?);
        (own != at).then(|| (place(&own), place(at)))
    });
    each.collect()
}

/// The slots of all streams, each once, with names of their own.
fn slots(streams: &mut [Stream]) -> Vec<Slot> {
    let mut slots: Vec<Slot> = Vec::new();
    let read = streams.iter_mut().filter(|stream| stream.blocked.is_empty());
    for slot in read.filter_map(|stream| stream.slot.as_mut()) {
        match slots.iter().find(|known| known.auth == slot.auth && known.token_url == slot.token_url) {
            Some(known) => *slot = known.clone(),
            None => {
                let taken = slots.iter().filter(|known| known.name.starts_with(&slot.name)).count();
                if taken > 0 {
                    slot.name = format!("{}_{}", slot.name, taken + 1);
                }
                slots.push(slot.clone());
            }
        }
    }
    slots
}

#[cfg(test)]
mod tests;
