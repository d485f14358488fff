//! Manifests of real vendors, which are not part of this repository: what becomes of each, and whether the connector asks for and brings what Airbyte's
//! own runtime does at a server that plays the vendor by the imported mapping.
//!
//! `RENMEN_AIRBYTE_MANIFESTS` names a folder of `NAME.yaml` or `NAME/manifest.yaml` (with `schemas/` next to it). The table is printed as it stands in
//! docs/declarative.md. Without `RENMEN_AIRBYTE_CDK` the comparison is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use renmen_kit::airbyte::{Import, Imported};
use renmen_kit::scaffold::PluginName;
use serde_json::{Value, json};

use super::theirs::{Asked, listen, python_reads};
use super::vendor::{Answer, parameters};
use super::{ours, vendor};

#[test]
#[ignore = "needs RENMEN_AIRBYTE_MANIFESTS, a folder of manifests"]
#[allow(clippy::print_stdout, reason = "its table is what it is run for")]
fn manifests_of_vendors_are_imported_and_read_as_airbyte_reads_them() {
    let folder = std::env::var_os("RENMEN_AIRBYTE_MANIFESTS").expect("RENMEN_AIRBYTE_MANIFESTS is not set");
    let python = std::env::var_os("RENMEN_AIRBYTE_CDK").map(PathBuf::from);
    let manifests = manifests(Path::new(&folder));
    assert!(!manifests.is_empty(), "no manifest in {}", Path::new(&folder).display());
    println!("| manifest | streams | read | like Airbyte | left behind |\n|---|---|---|---|---|");
    let mut sound = 0;
    for (name, manifest) in &manifests {
        let imported = imported(name, manifest);
        sound += usize::from(imported.wrong.is_empty());
        let read: Vec<_> = imported.streams.iter().filter(|one| one.is_read()).collect();
        let compared = python.as_ref().filter(|_| imported.wrong.is_empty()).map(|python| {
            let each =
                read.iter().map(|one| (one.name.clone(), compare(python, manifest, &imported, &one.stream, &one.name)));
            each.collect::<BTreeMap<_, _>>()
        });
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        imported.left.iter().for_each(|left| *kinds.entry(left.what.as_str()).or_default() += 1);
        let kinds: Vec<String> = kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let same = compared
            .as_ref()
            .map_or("-".to_owned(), |compared| compared.values().filter(|one| one.is_ok()).count().to_string());
        println!("| {name} | {} | {} | {same} | {} |", imported.streams.len(), read.len(), kinds.join(", "));
        for wrong in &imported.wrong {
            println!("    {name}: {wrong}");
        }
        for (stream, why) in compared.iter().flatten().filter_map(|(stream, one)| Some((stream, one.as_ref().err()?))) {
            println!("    {name} {stream}: {why}");
        }
    }
    println!("{sound} of {} pass the checker with a stream that can be read", manifests.len());
    assert!(sound > 0);
}

fn manifests(folder: &Path) -> BTreeMap<String, PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let found = entries.filter_map(|path| {
        let name = path.file_stem()?.to_string_lossy().replace('_', "-");
        let file = if path.is_dir() { path.join("manifest.yaml") } else { path };
        (file.is_file() && file.extension()? == "yaml").then_some((name, file))
    });
    found.collect()
}

fn imported(name: &str, manifest: &Path) -> Imported {
    let name = PluginName::new(name).unwrap();
    Import { manifest: manifest.to_owned(), name, auth: None, entities: BTreeMap::new() }.run().unwrap()
}

/// Reads one stream on both sides.
fn compare(python: &Path, manifest: &Path, imported: &Imported, title: &str, name: &str) -> Result<(), String> {
    let mapping: Value = toml::from_str(&imported.files["mapping.toml"]).unwrap();
    let played = Arc::new(Played::of(&mapping, &imported.files));
    let server = Arc::clone(&played);
    let (origin, asked) = listen(Arc::new(move |origin: &str, asked: &Asked<'_>| server.answer(origin, asked)));
    let theirs = python_reads(python, manifest, title, &Value::Null, Some(&origin))
        .map_err(|why| format!("airbyte-cdk: {why}"))?;
    let document = ours::document(&imported.files["plugin.toml"], &imported.files["mapping.toml"]);
    let conformance: Value = toml::from_str(&imported.files["conformance.toml"]).unwrap();
    let mut config = conformance["fixtures"]["config"].clone();
    config["base_url"] = ours::ORIGIN.into();
    let answers = |asked: &Asked<'_>| played.answer(ours::ORIGIN, asked);
    let run = ours::run_at(&document, &config, name, None, &answers)?;
    let (there, here) = (played.plain(&asked.lock().unwrap(), name), played.plain(&run.requests, name));
    if there != here {
        let first = |one: &BTreeSet<String>, other: &BTreeSet<String>| {
            one.difference(other).next().cloned().unwrap_or_default()
        };
        return Err(format!("asked there: {} / here: {}", first(&there, &here), first(&here, &there)));
    }
    let (there, here) = (theirs["records"].as_array().unwrap().len(), run.records.len());
    if there == here { Ok(()) } else { Err(format!("{there} records there, {here} here")) }
}

/// A vendor by the lists of a mapping.
struct Played(Vec<List>);

struct List {
    stream: String,
    method: String,
    path: Vec<String>,
    items: String,
    paging: Value,
    query: BTreeMap<String, String>,
    json: Value,
    size: usize,
    row: Value,
    id: Vec<String>,
    is_parent: bool,
}

impl Played {
    fn of(mapping: &Value, files: &BTreeMap<String, String>) -> Self {
        let streams = mapping["streams"].as_object().unwrap();
        let parents: BTreeSet<&str> = streams.values().filter_map(|read| read["for_each"]["stream"].as_str()).collect();
        let each = |(stream, read): (&String, &Value)| {
            let lists = read.as_array().cloned().unwrap_or_else(|| vec![read.clone()]);
            let fixture: Value = serde_json::from_str(&files[&format!("fixtures/{stream}.http.json")]).unwrap();
            let answer = fixture.as_array().unwrap().last().unwrap()["response"]["body"].clone();
            let is_parent = parents.contains(stream.as_str());
            lists.into_iter().map(move |list| List::of(stream, &list, &answer, is_parent)).collect::<Vec<_>>()
        };
        Self(streams.iter().flat_map(each).collect())
    }

    fn answer(&self, origin: &str, asked: &Asked<'_>) -> Answer {
        let steps: Vec<&str> = asked.path.trim_matches('/').split('/').collect();
        let fits = |list: &&List| list.method == asked.method && list.fits(&steps);
        // An address without places before one with some.
        let found =
            self.0.iter().filter(fits).min_by_key(|list| list.path.iter().filter(|step| step.contains('{')).count());
        match found {
            Some(list) => list.answer(origin, asked),
            None => Answer { status: 404, headers: Vec::new(), body: json!({ "error": "no such list" }) },
        }
    }

    /// What was asked for, without the ends of windows, which the two sides cut differently, and in no order.
    fn plain(&self, requests: &[Value], stream: &str) -> BTreeSet<String> {
        let lists = || self.0.iter();
        let window: BTreeSet<&str> = lists()
            .flat_map(|list| &list.query)
            .filter(|(_, text)| text.starts_with("{since") || text.starts_with("{until"))
            .map(|(name, _)| name.as_str())
            .collect();
        let own = |request: &&Value| {
            let path = request["path"].as_str().unwrap_or_default();
            let steps: Vec<&str> = path.trim_matches('/').split('/').collect();
            lists().any(|list| list.stream == stream && list.fits(&steps))
        };
        let each = |request: &Value| {
            let query = request["query"].as_array().unwrap().iter();
            let query: Vec<&Value> =
                query.filter(|pair| !window.contains(pair[0].as_str().unwrap_or_default())).collect();
            json!([
                request["method"],
                request["path"].as_str().unwrap_or_default().replace("//", "/"),
                query,
                request["body"]
            ])
            .to_string()
        };
        requests.iter().filter(own).map(each).collect()
    }
}

impl List {
    fn of(stream: &str, list: &Value, answer: &Value, is_parent: bool) -> Self {
        let request = &list["request"];
        let items = list["items"].as_str().unwrap_or_default().to_owned();
        let query = request["query"].as_object().cloned().unwrap_or_default();
        let has_body = request.get("json").is_some() || request.get("form").is_some();
        let id = list["records"][0]["id"].as_str().unwrap_or_default();
        let id = if id.starts_with('/') {
            vec![id.to_owned()]
        } else {
            id.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(at, _)| at.to_owned()).collect()
        };
        Self {
            stream: stream.to_owned(),
            method: request["method"].as_str().unwrap_or(if has_body { "POST" } else { "GET" }).to_owned(),
            path: pattern(request["path"].as_str().unwrap_or_default()),
            row: answer.pointer(&items).and_then(|rows| rows.get(0)).cloned().unwrap_or_default(),
            paging: list["paging"].clone(),
            query: query.into_iter().map(|(name, text)| (name, text.as_str().unwrap_or_default().to_owned())).collect(),
            json: request["json"].clone(),
            size: list["size_max"].as_u64().unwrap_or(2) as usize,
            items,
            id,
            is_parent,
        }
    }

    fn fits(&self, steps: &[&str]) -> bool {
        let same = |(own, step): (&String, &&str)| own.contains('{') || own == step;
        self.path.len() == steps.len() && self.path.iter().zip(steps).all(same)
    }

    fn place(&self, root: &str, asked: &Asked<'_>) -> Option<String> {
        let leads = |text: &str| text.starts_with(&format!("{{{root}"));
        if let Some((name, _)) = self.query.iter().find(|(_, text)| leads(text)) {
            return parameters(asked.query).into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
        }
        let members = self.json.as_object()?;
        let (name, _) = members.iter().find(|(_, value)| value.as_str().is_some_and(leads))?;
        asked.body[name].as_str().map(str::to_owned)
    }

    fn answer(&self, origin: &str, asked: &Asked<'_>) -> Answer {
        let by = self.paging["by"].as_str().unwrap_or_default();
        let counted = matches!(by, "number" | "offset");
        // Pages that are counted are as long as the size that is asked for; others end where the vendor likes.
        let (rows, size) = match (counted, self.is_parent) {
            (true, false) => (self.size + 1, self.size),
            _ => (3, if counted { self.size } else { 2 }),
        };
        let follow =
            parameters(asked.query).into_iter().find(|(name, _)| name == "renmen_next").map(|(_, value)| value);
        let number = |text: Option<String>| text.and_then(|text| text.trim_start_matches('t').parse::<usize>().ok());
        let begin = match by {
            "number" => {
                let first = self.paging["first"].as_u64().unwrap_or(1) as usize;
                number(self.place("page/number", asked)).unwrap_or(first).saturating_sub(first) * size
            }
            "offset" => number(self.place("page/offset", asked)).unwrap_or(0),
            "token" => number(self.place("page/token", asked)).unwrap_or(0),
            _ => number(follow).unwrap_or(0),
        };
        let page: Vec<Value> = (begin..rows).take(size).map(|number| self.row_of(number, asked.path)).collect();
        let more = begin + size < rows && !by.is_empty();
        let mut body = Value::Null;
        put(&mut body, &self.items, page.into());
        let query = asked
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.starts_with("renmen_next="))
            .collect::<Vec<_>>()
            .join("&");
        let next = match by {
            // Not a number alone: their runtime would send it on as one.
            "token" => format!("t{}", begin + size),
            _ => format!("{origin}{}?{query}&renmen_next={}", asked.path, begin + size),
        };
        let mut headers = Vec::new();
        match by {
            "link" if more => headers.push(("Link".to_owned(), format!("<{next}>; rel=\"next\""))),
            "token" | "url" if more => put(&mut body, self.paging["next"].as_str().unwrap_or_default(), next.into()),
            _ => {}
        }
        if let Some(at) = self.paging["more"].as_str() {
            put(&mut body, at, more.into());
        }
        Answer { status: 200, headers, body }
    }

    fn row_of(&self, number: usize, path: &str) -> Value {
        let mut row = self.row.clone();
        // Lists of different parents have different items.
        let within: usize = path.bytes().map(usize::from).sum::<usize>() * 10_000;
        for at in self.id.iter().filter(|at| at.starts_with('/')) {
            if let Some(id) = row.pointer_mut(at) {
                *id = if id.is_number() {
                    (within + number + 1).into()
                } else {
                    format!("id-{}", within + number + 1).into()
                };
            }
        }
        row
    }
}

/// The steps of a path; one with a place is `{}`.
fn pattern(path: &str) -> Vec<String> {
    let mut pieces = path.split('{');
    let plain = pieces.next().unwrap_or_default().to_owned();
    let whole = pieces.fold(plain, |whole, piece| whole + "{}" + piece.split_once('}').map_or("", |(_, rest)| rest));
    whole.trim_matches('/').split('/').map(str::to_owned).collect()
}

fn put(root: &mut Value, at: &str, value: Value) {
    let mut place = root;
    for step in at.split('/').skip(1) {
        if place.is_null() {
            *place = json!({});
        }
        place = &mut place[step];
    }
    *place = value;
}

#[test]
fn the_played_vendor_pages_as_the_mapping_says() {
    let imported = super::import(super::MANIFEST).unwrap();
    let mapping: Value = toml::from_str(&imported.files["mapping.toml"]).unwrap();
    let played = Played::of(&mapping, &imported.files);
    let ask = |path: &str, query: &str| -> vendor::Answer {
        played.answer("http://a.example", &Asked { method: "GET", path, query, body: &Value::Null, authorized: true })
    };
    let first = ask("/candidates", "limit=2");
    assert_eq!((first.body["data"].as_array().unwrap().len(), first.body["hasMore"].clone()), (2, json!(true)));
    let last = ask("/candidates", &format!("limit=2&cursor={}", first.body["next"].as_str().unwrap()));
    assert_eq!((last.body["data"].as_array().unwrap().len(), last.body["hasMore"].clone()), (1, json!(false)));
    assert!(ask("/vacancies/main", "").headers[0].1.contains("rel=\"next\""));
    assert_eq!(ask("/none", "").status, 404);
}
