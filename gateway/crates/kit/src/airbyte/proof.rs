//! What was written, read again: by the checker of manifests, by that of mappings, and by pulling each stream once from a made-up answer.
//!
//! The exchanges of these pulls are the connector's first fixtures, and their records the first snapshot.

use std::collections::BTreeMap;

use renmen_declarative::author;
use renmen_declarative::language::Document;
use renmen_plugin::testing::{Host, readable};
use renmen_plugin::{Envelope, Pull};
use renmen_schema::manifest::Manifest;
use renmen_schema::{EntityKind, canonicalize};
use serde_json::{Value, json};

use super::Source;
use super::sample::{config, item, pointers_of, put};
use super::stream::Stream;
use super::toml::{inline, key};

/// Answers that one pull may want.
const ANSWERS_MAX: usize = 30;
/// Pages of one pull.
const PAGES_MAX: usize = 60;
/// The address of the made-up vendor.
const VENDOR: &str = "https://vendor.example/v1";

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Proved {
    pub(super) files: BTreeMap<String, String>,
    pub(super) wrong: Vec<String>,
}

/// Checks what was written.
pub(super) fn prove(source: &Source, plugin: &str, mapping: &str) -> Proved {
    let mut proved = Proved::default();
    if source.streams.iter().all(|stream| !stream.blocked.is_empty()) {
        proved.wrong.push("plugin.toml: no stream can be read: README.md says why of each".to_owned());
    }
    let manifest = match Manifest::parse(plugin) {
        Ok(manifest) => manifest,
        Err(error) => {
            proved.wrong.push(error.to_string());
            return proved;
        }
    };
    let checked = match author::read(mapping, Some(&manifest)) {
        Ok(checked) => checked,
        Err(wrong) => {
            proved.wrong.extend(wrong.iter().map(|wrong| format!("mapping.toml:{wrong}")));
            return proved;
        }
    };
    match Manifest::parse(&format!("{}\n{}", plugin.trim_end(), checked.lineage)) {
        Ok(whole) => proved.wrong.extend(whole.check().iter().map(|fault| format!("plugin.toml: {fault}"))),
        Err(error) => proved.wrong.push(format!("lineage: {error}")),
    }
    let Ok(document) = serde_json::from_slice::<Document>(&checked.embedded) else {
        proved.wrong.push("mapping.toml: it is not read as it was written".to_owned());
        return proved;
    };
    let schema = manifest.config_schema.clone().unwrap_or_default();
    proved.play(source, &document, &config(&schema, VENDOR));
    proved.files.insert("conformance.toml".to_owned(), conformance(source, &schema));
    proved
}

/// A request and its answer, as fixtures have them.
struct Exchange {
    method: String,
    url: String,
    sent: Option<Value>,
    answer: Value,
}

impl Proved {
    fn play(&mut self, source: &Source, document: &Document, config: &Value) {
        let mut records: Vec<Envelope> = Vec::new();
        for stream in source.streams.iter().filter(|stream| stream.blocked.is_empty()) {
            let parent =
                stream.parent.as_ref().and_then(|parent| source.streams.iter().find(|one| one.title == *parent));
            match pulled(stream, parent, source, document, config) {
                Err(why) => self.wrong.push(format!("{}: it cannot be read from a made-up answer: {why}", stream.name)),
                Ok((exchanges, made)) => {
                    for record in &made {
                        let kind = EntityKind::from_name(&record.entity);
                        let taken = kind.map(|kind| canonicalize(kind, &record.payload));
                        if let Some(Err(defects)) = taken {
                            self.wrong.push(format!("{}: its record is not of the schema: {defects:?}", stream.name));
                        }
                    }
                    if made.is_empty() {
                        self.wrong.push(format!("{}: a made-up answer becomes no record", stream.name));
                    }
                    records.extend(made);
                    self.files.insert(format!("fixtures/{}.http.json", stream.name), fixture(&exchanges));
                }
            }
        }
        self.files.insert("fixtures/records.json".to_owned(), format!("{:#}\n", readable(&records)));
    }
}

/// Pulls a stream to its end; each request that is not known yet gets the answer that comes next.
fn pulled(
    stream: &Stream,
    parent: Option<&Stream>,
    source: &Source,
    document: &Document,
    config: &Value,
) -> Result<(Vec<Exchange>, Vec<Envelope>), String> {
    let mut exchanges: Vec<Exchange> = Vec::new();
    let answers = (answer(stream, source), parent.map(|parent| answer(parent, source)));
    while exchanges.len() <= ANSWERS_MAX {
        let mut host = Host::new();
        for exchange in &exchanges {
            host = host.answer(&exchange.method, &exchange.url, 200, exchange.answer.to_string());
        }
        let failure = match pages(&host, document, config, &stream.name) {
            Ok((records, rejects)) if rejects.is_empty() => return Ok((exchanges, records)),
            Ok((_, rejects)) => return Err(rejects.join("; ")),
            Err(failure) => failure,
        };
        let asked = host.requests();
        let Some((method, url)) = asked.last().and_then(|asked| asked.split_once(' ')) else { return Err(failure) };
        if exchanges.iter().any(|known| known.method == method && known.url == url) {
            return Err(failure);
        }
        let sent = host.request_body(asked.len() - 1).and_then(|body| serde_json::from_slice(&body).ok());
        // The first request of a list with parents is theirs.
        let answer = match &answers.1 {
            Some(parents) if exchanges.is_empty() => parents.clone(),
            _ => answers.0.clone(),
        };
        exchanges.push(Exchange { method: method.to_owned(), url: url.to_owned(), sent, answer });
    }
    Err(format!("no end after {ANSWERS_MAX} answers"))
}

/// Records, and the reasons of what was set aside.
fn pages(
    host: &Host,
    document: &Document,
    config: &Value,
    stream: &str,
) -> Result<(Vec<Envelope>, Vec<String>), String> {
    let (mut records, mut rejects, mut cursor) = (Vec::new(), Vec::new(), None);
    for _ in 0..PAGES_MAX {
        let pull = Pull { stream: stream.to_owned(), cursor, max_records: 1000, ..Pull::default() };
        let page = host.run(|| renmen_declarative::pull(document, config, &pull)).map_err(|failure| failure.message)?;
        records.extend(page.records);
        rejects.extend(page.rejects.into_iter().map(|reject| reject.reason));
        if !page.has_more {
            return Ok((records, rejects));
        }
        cursor = page.next;
    }
    Err(format!("no end after {PAGES_MAX} pages"))
}

/// An answer with one item, which is also the last.
fn answer(stream: &Stream, source: &Source) -> Value {
    // What lists below it look at in the item.
    let below = source.streams.iter().filter(|child| child.parent.as_deref() == Some(stream.title.as_str()));
    let texts = below.flat_map(|child| &child.lists).flat_map(|list| {
        let pairs = list.query.values().chain(list.headers.values()).cloned();
        pairs.chain([list.path.clone(), list.json.as_ref().map(Value::to_string).unwrap_or_default()])
    });
    let more: Vec<String> =
        texts.flat_map(|text| pointers_of(&format!(" {}", text.replace("{parent/", "{/")))).collect();
    let item = item(stream, &more);
    let mut answer = Value::Null;
    put(&mut answer, &stream.items, json!([item]));
    if let Some(more) = stream.paging.by.as_ref().and_then(|by| by["more"].as_str()) {
        put(&mut answer, more, false.into());
    }
    answer
}

fn fixture(exchanges: &[Exchange]) -> String {
    let each = |exchange: &Exchange| {
        let mut request = json!({ "method": exchange.method, "url": exchange.url });
        if let Some(sent) = &exchange.sent {
            request["body"] = sent.clone();
        }
        json!({ "request": request, "response": { "status": 200, "body": exchange.answer } })
    };
    format!("{:#}\n", exchanges.iter().map(each).collect::<Value>())
}

/// How the kit plays the vendor.
fn conformance(source: &Source, schema: &Value) -> String {
    let mut text = "# The vendor as the kit plays it: `renmen plugin test` (docs/conformance.md explains every key). Begun from the manifest: compare it with\n\
         # what the vendor answers. Lists below a parent are proved by the fixtures.\n"
        .to_owned();
    text.push_str(&format!("config = {}\n", inline(&config(schema, "{source}"))));
    text.push_str(&format!("\n[fixtures]\nconfig = {}\n", inline(&config(schema, VENDOR))));
    for stream in source.streams.iter().filter(|stream| stream.blocked.is_empty() && stream.for_each.is_none()) {
        let Some(list) = stream.lists.first().filter(|list| !list.path.contains('{') && stream.lists.len() == 1) else {
            continue;
        };
        let serve = served(stream, list);
        let id = stream.id.as_deref().filter(|id| id.starts_with('/')).unwrap_or("/id");
        let mut table = json!({ "record": item(stream, &[]), "id": id, "serve": [serve] });
        if let Some(modified) = stream.changes.by.as_ref().and_then(|by| by["modified"].as_str()) {
            table["modified"] = modified.into();
            table["order"] = "fixed".into();
        }
        if let Some(change) = changing(stream) {
            table["change"] = change.into();
        }
        text.push_str(&format!("\n[streams.{}]\nsource = {}\n", key(&stream.name), inline(&table)));
    }
    text
}

/// A text that a canonical field holds as it is.
fn changing(stream: &Stream) -> Option<String> {
    let from = |value: &Value| match value {
        Value::String(at) => Some(at.clone()),
        Value::Object(table) if table.get("as").is_some_and(|form| form == "localized") => {
            table.get("from")?.as_str().map(str::to_owned)
        }
        _ => None,
    };
    let text = |at: &String| !at.to_lowercase().contains("mail") && !at.to_lowercase().contains("phone");
    stream.mapped.fields.values().filter_map(from).find(text)
}

fn served(stream: &Stream, list: &super::request::Request) -> Value {
    let mut serve = json!({ "path": list.path, "list": stream.items });
    if list.method != "GET" {
        serve["method"] = list.method.clone().into();
    }
    let place = |root: &str| {
        let leads = |text: &str| text.starts_with(&format!("{{{root}"));
        let named = list.query.iter().find(|(_, text)| leads(text)).map(|(name, _)| name.clone());
        named.or_else(|| member(list.json.as_ref()?, &leads))
    };
    for (key, root) in [("size", "page/size"), ("since", "since"), ("cursor", "page/")] {
        let found = match key {
            "cursor" => ["page/token", "page/number", "page/offset"].iter().find_map(|root| place(root)),
            _ => place(root),
        };
        if let Some(found) = found {
            serve[key] = found.into();
        }
    }
    if let Some(by) = &stream.paging.by {
        for name in ["next", "more"] {
            if let Some(at) = by[name].as_str() {
                serve[name] = at.into();
            }
        }
        match by["by"].as_str() {
            Some("link") => serve["link"] = true.into(),
            Some("url") => serve["next_is_url"] = true.into(),
            Some("number") => serve["first_number"] = by["first"].clone(),
            _ => {}
        }
    }
    serve
}

/// The pointer to a text in a body.
fn member(body: &Value, leads: &dyn Fn(&str) -> bool) -> Option<String> {
    body.as_object()?.iter().find_map(|(name, value)| match value.as_str() {
        Some(text) => leads(text).then(|| format!("/{name}")),
        None => Some(format!("/{name}{}", member(value, leads)?)),
    })
}
