//! `mapping.toml` for its author: read with line and column, checked against the schema and against plugin.toml, and made ready to be put
//! into the component.

mod codes;
mod places;
mod slots;
mod warnings;

use std::collections::BTreeSet;
use std::fmt;

use renmen_schema::manifest::{Idempotence, Manifest};
use renmen_schema::{EntityKind, Indices, check_place, fields};
use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::act::Act;
use crate::embed::{Offers, embed};
use crate::faults::{Fault, Faults};
use crate::hook::Hook;
use crate::language::{Document, OneOrMore, ReadOf, RecordOf, SourceOf, SourceTable};
use crate::lineage;
use crate::nearest::{known, nearest};
use crate::plan;
use crate::verdict::Judge;
use codes::Maps;
use slots::slots;

/// Bytes of a mapping's text.
pub const MAPPING_BYTES_MAX: usize = 256 << 10;

/// Something that is wrong with the text, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// From 1.
    pub line: usize,
    /// From 1, in characters.
    pub column: usize,
    /// The keys that lead to it.
    pub key: String,
    /// What is wrong, and what to write.
    pub message: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: ", self.line, self.column)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.message)
    }
}

/// A mapping that was read and checked.
#[derive(Debug, Clone)]
pub struct Checked {
    /// As the interpreter reads it.
    pub document: Document,
    /// The same in JSON: what goes into the component.
    pub embedded: Vec<u8>,
    /// The tables `[lineage.…]` that belong to plugin.toml.
    pub lineage: String,
    /// What works and was hardly meant so, in the order of the lines.
    pub warnings: Vec<Wrong>,
    /// The keys of the configuration that it names.
    pub config_keys: BTreeSet<String>,
}

/// Reads a mapping and checks it, against the manifest where there is one.
///
/// # Errors
/// All that is wrong, in the order of the lines.
pub fn read(text: &str, manifest: Option<&Manifest>) -> Result<Checked, Vec<Wrong>> {
    if text.len() > MAPPING_BYTES_MAX {
        let message = format!("{} bytes; expected at most {MAPPING_BYTES_MAX}", text.len());
        return Err(vec![Wrong { line: 1, column: 1, key: String::new(), message }]);
    }
    let document: Document = toml::from_str(text).map_err(|error| vec![of_toml(text, &error)])?;
    let table: toml::Table = toml::from_str(text).map_err(|error| vec![of_toml(text, &error)])?;
    let table = serde_json::to_value(&table).unwrap_or_default();
    let found = places::find(&table);
    let mut faults = Faults::default();
    check(&document, manifest, &mut faults);
    if let Some(manifest) = manifest {
        places::check(&found, manifest, &mut faults);
    }
    let faults = faults.all();
    if !faults.is_empty() {
        return Err(in_order(text, &faults));
    }
    let mut doubts = Faults::default();
    warnings::find(&document, &found, manifest, &mut doubts);
    let embedded = with_required(&document, table);
    let mut origins = lineage::Lineage::new();
    for name in document.streams.keys() {
        plan::stream(&document, name, &mut Faults::default())
            .iter()
            .for_each(|read| lineage::add(&read.records, &mut origins));
    }
    if let Some(hook) = &document.webhook {
        Hook::of(hook, &document, &mut Faults::default()).add_lineage(&mut origins);
    }
    Ok(Checked {
        embedded: embedded.to_string().into_bytes(),
        lineage: lineage::to_toml(&origins),
        warnings: in_order(text, &doubts.all()),
        config_keys: places::config_keys(&found),
        document,
    })
}

/// What was found, each with its line.
fn in_order(text: &str, faults: &[Fault]) -> Vec<Wrong> {
    let table = DeTable::parse(text).ok();
    let mut wrong: Vec<Wrong> = faults.iter().map(|fault| placed(text, table.as_ref(), fault)).collect();
    wrong.sort_by_key(|wrong| (wrong.line, wrong.column));
    wrong
}

/// What a connector without code is made of: a module and the text of its manifest, ready to be made a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// The interpreter with the mapping in it.
    pub module: Vec<u8>,
    /// `plugin.toml` with the lineage of the mapping behind it.
    pub manifest: String,
}

/// Puts a mapping into the interpreter's module, and its lineage behind the text of `plugin.toml`.
///
/// # Errors
/// A module that is not the interpreter's.
pub fn make(interpreter: &[u8], manifest: &str, checked: &Checked) -> Result<Made, String> {
    let module = embed(interpreter, &checked.embedded, Offers::of(&checked.document))?;
    let manifest = format!("{}\n{}", manifest.trim_end(), checked.lineage);
    Ok(Made { module, manifest })
}

/// The line and the column of an error of the TOML reader, with the word that was most likely meant.
fn of_toml(text: &str, error: &toml::de::Error) -> Wrong {
    let (line, column) = place_of(text, error.span().map_or(0, |span| span.start));
    let mut message = error.message().replace('\n', ", ");
    if let Some((found, names)) = message.split_once(", expected ") {
        let found = found.split('`').nth(1).unwrap_or_default();
        let names: Vec<&str> = names.split('`').skip(1).step_by(2).collect();
        if let Some(meant) = nearest(found, &names) {
            message = format!("{message}; did you mean `{meant}`?");
        }
    }
    Wrong { line, column, key: String::new(), message }
}

fn place_of(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1)
}

/// The line of the nearest key that the text has.
fn placed(text: &str, table: Option<&Spanned<DeTable<'_>>>, fault: &Fault) -> Wrong {
    let mut at = table.map_or(0, |table| table.span().start);
    let mut within = table.map(|table| Inside::Table(table.get_ref()));
    let mut steps = fault.at.iter().peekable();
    while let (Some(inside), Some(step)) = (within, steps.next()) {
        let found = match inside {
            Inside::Table(table) => table.get_key_value(step.as_str()).map(|(key, value)| (key.span().start, value)),
            Inside::List(list) => {
                step.parse::<usize>().ok().and_then(|index| list.get(index)).map(|value| (value.span().start, value))
            }
        };
        let Some((place, value)) = found else { break };
        at = place;
        within = match value.get_ref() {
            DeValue::Table(table) => Some(Inside::Table(table)),
            DeValue::Array(list) => Some(Inside::List(list)),
            _ => None,
        };
    }
    let (line, column) = place_of(text, at);
    Wrong { line, column, key: fault.at.join("."), message: fault.message.clone() }
}

#[derive(Clone, Copy)]
enum Inside<'t> {
    Table(&'t DeTable<'t>),
    List(&'t toml::de::DeArray<'t>),
}

fn check(document: &Document, manifest: Option<&Manifest>, faults: &mut Faults) {
    faults.within("api", |faults| {
        Judge::of(&document.api, faults);
        check_base(document, faults);
    });
    faults.within("streams", |faults| {
        for (name, reads) in &document.streams {
            faults.within(name, |faults| {
                plan::stream(document, name, faults);
                each_read(reads, faults, |read, faults| check_records(&read.records, &document.maps, faults));
            });
        }
    });
    faults.within("actions", |faults| {
        for (name, action) in &document.actions {
            faults.within(name, |faults| drop(Act::of(action, document, faults)));
        }
    });
    faults.within("webhook", |faults| {
        if let Some(hook) = &document.webhook {
            Hook::of(hook, document, faults);
            faults.within("events", |faults| {
                for (number, event) in hook.events.iter().enumerate() {
                    faults.within(number.to_string(), |faults| check_records(&event.records, &document.maps, faults));
                }
            });
        }
    });
    if let Some(manifest) = manifest {
        agree(document, manifest, faults);
    }
}

fn check_base(document: &Document, faults: &mut Faults) {
    let base = faults.take("base", crate::template::Template::parse(&document.api.base));
    let others = base.places().any(|place| place.root.as_deref() != Some("config"));
    if document.api.base.is_empty() || others {
        faults.within("base", |faults| {
            faults.add("expected an origin, or a key of the configuration: \"{config/base_url}\"");
        });
    }
    faults.within("headers", |faults| {
        for (name, text) in &document.api.headers {
            faults.take(name, crate::template::Template::parse(text));
        }
    });
}

/// Each list of a stream, under the keys that lead to it.
fn each_read(reads: &OneOrMore<ReadOf>, faults: &mut Faults, mut look: impl FnMut(&ReadOf, &mut Faults)) {
    match reads.0.as_slice() {
        [one] => look(one, faults),
        several => {
            for (number, read) in several.iter().enumerate() {
                faults.within(number.to_string(), |faults| look(read, faults));
            }
        }
    }
}

fn check_records(records: &[RecordOf], maps: &Maps, faults: &mut Faults) {
    faults.within("records", |faults| {
        for (number, record) in records.iter().enumerate() {
            faults.within(number.to_string(), |faults| check_record(record, maps, faults));
        }
    });
}

fn check_record(record: &RecordOf, maps: &Maps, faults: &mut Faults) {
    let Some(kind) = EntityKind::from_name(&record.entity) else {
        let names: Vec<&str> = EntityKind::ALL.iter().map(|kind| kind.name()).collect();
        return faults.take("entity", known(&record.entity, &names, "entity"));
    };
    let mut written = BTreeSet::new();
    faults.within("set", |faults| {
        for (to, value) in &record.set {
            faults.within(to, |faults| {
                check_field(kind, to, faults);
                codes::check_constant(kind, to, value, faults);
            });
            written.extend(to.split('/').nth(1).map(str::to_owned));
        }
    });
    faults.within("fields", |faults| {
        for (to, source) in &record.fields {
            faults.within(to, |faults| check_source(kind, to, source, maps, faults));
            written.extend(to.split('/').nth(1).map(str::to_owned));
        }
    });
    if matches!(record.deleted, Some(crate::language::DeletedOf::Always)) {
        return;
    }
    let top = fields(kind).iter().filter(|field| field.required && field.pointer.matches('/').count() == 1);
    for field in top.filter(|field| !written.contains(&field.pointer[1..])) {
        faults.add(format!("{kind} needs `{}`: {}; map it or set it", field.pointer, field.description));
    }
}

fn check_source(kind: EntityKind, to: &str, source: &SourceOf, maps: &Maps, faults: &mut Faults) {
    check_field(kind, to, faults);
    let several = matches!(source, SourceOf::First(_));
    for (number, table) in source.tables().into_iter().enumerate() {
        let look = |faults: &mut Faults| {
            codes::check_source(kind, to, table, maps, faults);
            check_entries(kind, to, table, maps, faults);
        };
        if several { faults.within(number.to_string(), look) } else { look(faults) }
    }
}

/// The fields of the entries of a list.
fn check_entries(kind: EntityKind, to: &str, source: &SourceTable, maps: &Maps, faults: &mut Faults) {
    let list = source.each.is_some();
    faults.within("fields", |faults| {
        for (inner, source) in source.fields.iter().flatten().filter(|_| list) {
            faults.within(inner, |faults| check_source(kind, &format!("{to}/*{inner}"), source, maps, faults));
        }
    });
    faults.within("set", |faults| {
        for (inner, value) in source.set.iter().flatten().filter(|_| list) {
            let to = format!("{to}/*{inner}");
            faults.within(inner, |faults| {
                check_field(kind, &to, faults);
                codes::check_constant(kind, &to, value, faults);
            });
        }
    });
}

/// Is there such a field?
fn check_field(kind: EntityKind, to: &str, faults: &mut Faults) {
    let Some(path) = to.strip_prefix('/') else { return };
    let path: Vec<String> = path.split('/').map(|name| name.replace("~1", "/").replace("~0", "~")).collect();
    // Custom fields have names of their own.
    if path[0] == "ext" {
        return;
    }
    if let Err(stray) = check_place(kind, &path, Indices::Item) {
        faults.add(format!("{}. {}", stray.message, stray.help));
    }
}

/// What plugin.toml and mapping.toml must say alike.
fn agree(document: &Document, manifest: &Manifest, faults: &mut Faults) {
    faults.within("streams", |faults| {
        let declared: Vec<&str> = manifest.streams.keys().map(renmen_schema::id::StreamName::as_str).collect();
        for (name, reads) in &document.streams {
            faults.within(name, |faults| match manifest.streams.iter().find(|(known, _)| known.as_str() == name) {
                None => faults.take("", known(name, &declared, "stream of plugin.toml")),
                Some((_, stream)) => {
                    each_read(reads, faults, |read, faults| entities(&read.records, &stream.entities, faults));
                }
            });
        }
        for name in declared.iter().filter(|name| !document.streams.contains_key(**name)) {
            faults.add(format!("plugin.toml names the stream `{name}`, and it is not mapped here"));
        }
    });
    faults.within("actions", |faults| {
        let declared: Vec<&String> = manifest.actions.keys().collect();
        for (name, action) in &document.actions {
            faults.within(name, |faults| {
                faults.take("", known(name, &declared, "action of plugin.toml"));
                let act = Act::of(action, document, &mut Faults::default());
                match manifest.actions.get(name).map(|action| action.idempotent) {
                    Some(Idempotence::Key) if !act.names_key() => {
                        faults.add("plugin.toml says idempotent = \"key\", and no `{key}` is sent");
                    }
                    Some(Idempotence::ReadBeforeWrite) if !act.looks_first() => {
                        faults.add("plugin.toml says idempotent = \"read-before-write\", and there is no `before`");
                    }
                    _ => {}
                }
            });
        }
        for name in declared.iter().filter(|name| !document.actions.contains_key(**name)) {
            faults.add(format!("plugin.toml names the action `{name}`, and it is not mapped here"));
        }
    });
    faults.within("webhook", |faults| match (&document.webhook, &manifest.webhook) {
        (Some(_), None) => faults.add("plugin.toml has no [webhook]"),
        (None, Some(_)) => faults.add("plugin.toml has a [webhook], and it is not mapped here"),
        (Some(hook), Some(declared)) => {
            let proof = Hook::of(hook, document, &mut Faults::default()).proof_slot().map(str::to_owned);
            match (proof, &declared.proof) {
                (None, None) => {
                    faults.add("nothing proves a delivery: write `signature`, or [webhook.proof] in plugin.toml");
                }
                (Some(_), Some(_)) => {
                    faults.add("`signature` and [webhook.proof] of plugin.toml both prove a delivery; keep one");
                }
                _ => {}
            }
            for (number, event) in hook.events.iter().enumerate() {
                faults.within("events", |faults| {
                    faults.within(number.to_string(), |faults| entities(&event.records, &declared.entities, faults));
                });
            }
        }
        (None, None) => {}
    });
    slots(document, manifest, faults);
    if !manifest.lineage.is_empty() {
        faults.add("plugin.toml has [lineage]: it is derived from this file; take it out there");
    }
}

fn entities(records: &[RecordOf], declared: &[String], faults: &mut Faults) {
    for (number, record) in records.iter().enumerate().filter(|(_, record)| !declared.contains(&record.entity)) {
        faults.within("records", |faults| {
            faults.within(number.to_string(), |faults| {
                faults.within("entity", |faults| {
                    faults.add(format!("plugin.toml does not name `{}` among the entities here", record.entity));
                });
            });
        });
    }
}

fn within_all(faults: &mut Faults, keys: &[&str], message: &str) {
    match keys.split_first() {
        None => faults.add(message),
        Some((first, rest)) => faults.within(*first, |faults| within_all(faults, rest, message)),
    }
}

/// Fields without which the schema takes no record are required of the vendor as well, so that what lacks one is set aside with the
/// vendor's name for it.
fn with_required(document: &Document, mut embedded: Value) -> Value {
    let of_records = |records: &[RecordOf], embedded: Option<&mut Value>| {
        let Some(Value::Array(tables)) = embedded else { return };
        for (record, table) in records.iter().zip(tables) {
            let Some(kind) = EntityKind::from_name(&record.entity) else { continue };
            let required: BTreeSet<&str> =
                fields(kind).iter().filter(|field| field.required).map(|field| field.pointer.as_str()).collect();
            let Some(Value::Object(sources)) = table.get_mut("fields") else { continue };
            let top = |to: &str| required.contains(to) && to.matches('/').count() == 1;
            sources.iter_mut().filter(|(to, _)| top(to)).for_each(|(_, source)| require(source));
        }
    };
    for (name, reads) in &document.streams {
        let Some(tables) = embedded.get_mut("streams").and_then(|streams| streams.get_mut(name)) else { continue };
        match tables {
            Value::Array(list) => {
                for (read, table) in reads.0.iter().zip(list) {
                    of_records(&read.records, table.get_mut("records"));
                }
            }
            one => reads.0.iter().for_each(|read| of_records(&read.records, one.get_mut("records"))),
        }
    }
    let events = document.webhook.iter().flat_map(|hook| &hook.events);
    for (number, event) in events.enumerate() {
        let table =
            embedded.get_mut("webhook").and_then(|hook| hook.get_mut("events")).and_then(|list| list.get_mut(number));
        of_records(&event.records, table.and_then(|table| table.get_mut("records")));
    }
    embedded
}

fn require(source: &mut Value) {
    match source {
        Value::String(from) => *source = serde_json::json!({ "from": from, "required": true }),
        // Of several the last one must have something.
        Value::Array(list) => list.last_mut().into_iter().for_each(require),
        Value::Object(table) if !table.contains_key("default") => {
            table.insert("required".to_owned(), true.into());
        }
        _ => {}
    }
}
