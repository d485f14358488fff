//! A stream of a manifest as a stream of `mapping.toml`: its request, its lists, its records as far as names tell.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use renmen_schema::{EntityKind, fields as schema_fields};
use serde_json::{Map, Value, json};

use super::auth::{self, Authenticated, Place, SECRET_MARK, Slot};
use super::errors::Errors;
use super::jinja::pointer;
use super::left::Lefts;
use super::likeness::{Alike, Mapped, Origin, Property, entity, fields, named, properties, words};
use super::paging::{Paging, follows_addresses};
use super::request::Request;
use super::resolve::Parameters;
use super::router::Router;
use super::spec::Spec;
use super::sync::{Changes, window};
use super::translate::{Partition, Scope};
use super::when::{Lines, condition};
use super::yaml::{self, Kind, Node};

/// Bytes of a schema's file.
const SCHEMA_BYTES_MAX: u64 = 4 << 20;

/// A stream.
#[derive(Debug)]
pub(super) struct Stream {
    /// Its name in plugin.toml.
    pub(super) name: String,
    /// Its name in the manifest.
    pub(super) title: String,
    pub(super) alike: Option<Alike>,
    /// One request for each of its lists.
    pub(super) lists: Vec<Request>,
    pub(super) items: String,
    pub(super) paging: Paging,
    pub(super) changes: Changes,
    /// `for_each` without a parent stream.
    pub(super) for_each: Option<Value>,
    /// The parent stream's name in the manifest.
    pub(super) parent: Option<String>,
    pub(super) when: Lines,
    pub(super) id: Option<String>,
    pub(super) updated: Option<Value>,
    pub(super) mapped: Mapped,
    pub(super) known: BTreeMap<String, Property>,
    pub(super) slot: Option<Slot>,
    /// Why it cannot be read.
    pub(super) blocked: Vec<String>,
}

/// What all streams of a manifest share.
pub(super) struct Around<'m> {
    pub(super) spec: &'m Spec,
    /// The authenticator to take where there are several by name.
    pub(super) auth: Option<&'m str>,
    /// What was said to be in a stream.
    pub(super) entities: &'m BTreeMap<String, EntityKind>,
    /// Where schemas lie that are files.
    pub(super) folder: Option<&'m Path>,
}

impl Stream {
    pub(super) fn of(node: &Node, around: &Around<'_>, errors: &mut Errors, left: &mut Lefts) -> Self {
        let title = node.word("name").unwrap_or("unnamed").to_owned();
        let mut stream = Self::empty(&title);
        let retriever = node.get("retriever").filter(|retriever| retriever.component() == "SimpleRetriever");
        let requester = retriever.and_then(|retriever| retriever.get("requester"));
        let Some((retriever, requester)) = retriever.zip(requester) else {
            let found = node.get("retriever").unwrap_or(node);
            stream.block(found, found.component(), "only a SimpleRetriever is read", left);
            return stream;
        };
        if requester.component() != "HttpRequester" {
            stream.block(requester, requester.component(), "only an HttpRequester is sent", left);
        }
        if let Some(decoder) = retriever.get("decoder").filter(|decoder| decoder.component() != "JsonDecoder") {
            stream.block(decoder, decoder.component(), "answers are read as JSON alone", left);
        }
        let authenticated = requester.get("authenticator").map(|node| auth::read(node, around.auth, around.spec, left));
        stream.request(node, retriever, requester, authenticated, around, left);
        errors.add(requester.get("error_handler"), left);
        stream.select(retriever, left);
        stream.describe(node, retriever, around, left);
        stream
    }

    fn empty(title: &str) -> Self {
        Self {
            name: slug(title),
            title: title.to_owned(),
            alike: None,
            lists: Vec::new(),
            items: String::new(),
            paging: Paging::default(),
            changes: Changes::default(),
            for_each: None,
            parent: None,
            when: Lines::new(),
            id: None,
            updated: None,
            mapped: Mapped::default(),
            known: BTreeMap::new(),
            slot: None,
            blocked: Vec::new(),
        }
    }

    fn block(&mut self, node: &Node, what: &str, why: &str, left: &mut Lefts) {
        left.add(node, what, why);
        self.blocked.push(format!("{what}: {why}"));
    }

    /// The requests for its lists.
    fn request(
        &mut self,
        node: &Node,
        retriever: &Node,
        requester: &Node,
        authenticated: Option<Authenticated>,
        around: &Around<'_>,
        left: &mut Lefts,
    ) {
        let none = Authenticated { slot: None, secrets: BTreeSet::new(), marked: None, blocked: None };
        let authenticated = authenticated.unwrap_or(none);
        self.blocked.extend(authenticated.blocked.clone());
        // A request has one slot. What else is called a secret stands in the configuration, and that is told.
        let secrets =
            if authenticated.slot.is_some() { authenticated.secrets.clone() } else { around.spec.secrets.clone() };
        let parameters: Parameters = requester.get("$parameters").map(Node::members).unwrap_or_default().to_vec();
        let sync = node.get("incremental_sync");
        let paginator = retriever.get("paginator");
        let base = |partition: BTreeMap<String, Partition>, alone: bool| Scope {
            parameters: Some(&parameters),
            partition,
            window: window(sync).filter(|_| alone),
            first_page: follows_addresses(paginator),
            secrets: Some(&secrets),
            record: false,
            defaults: Some(&around.spec.defaults),
        };
        let router = Router::of(retriever.get("partition_router"), &base(BTreeMap::new(), false), left);
        self.blocked.extend(router.blocked.clone());
        let alone = router.parent.is_none() && router.for_each.is_none();
        for partition in &router.lists {
            let scope = base(partition.clone(), alone);
            let mut request = Request::of(requester, &scope, left);
            request.config.extend(router.config.iter().cloned());
            for (option, field) in &router.inject {
                let value = match partition.get(field) {
                    Some(Partition::Place(path)) => format!("{{{path}}}"),
                    Some(Partition::Constant(text)) => text.clone(),
                    None => continue,
                };
                request.inject(option, &value, left);
            }
            mark(&mut request, authenticated.marked.as_ref());
            self.paging = Paging::of(paginator, &mut request, left);
            self.changes = Changes::of(sync, alone, &mut request, &scope, left);
            for key in request.config.intersection(&around.spec.secrets) {
                let why = "called a secret there, and plain configuration here: a request has one slot";
                left.add(requester, format!("`{key}`"), why);
            }
            self.blocked.extend(request.blocked.iter().cloned());
            self.slot =
                authenticated.slot.clone().or_else(|| request.secret.as_ref().map(|placed| placed.slot(around.spec)));
            self.known = properties(
                schema(node, around.folder, left).as_ref(),
                node.get("transformations").map(Node::items).unwrap_or_default(),
                &scope,
                left,
            );
            self.lists.push(request);
        }
        if let (Some(by), Some(field)) = (&mut self.changes.by, &self.changes.field)
            && let Some(at) = self.known.get(field).and_then(Property::pointer)
        {
            by["modified"] = at.into();
        }
        self.blocked.dedup();
        self.for_each = router.for_each;
        self.parent = router.parent.map(|(name, _)| name);
    }

    /// Where the items stand, and which of them count.
    fn select(&mut self, retriever: &Node, left: &mut Lefts) {
        let Some(selector) = retriever.get("record_selector") else { return };
        if let Some(extractor) = selector.get("extractor") {
            if extractor.component() != "DpathExtractor" {
                return self.block(extractor, extractor.component(), "items are found by a path alone", left);
            }
            let path = extractor.get("field_path");
            let steps: Vec<String> =
                path.map(Node::items).unwrap_or_default().iter().filter_map(Node::scalar).collect();
            if steps.iter().any(|step| step.contains(['*', '{'])) {
                self.block(path.unwrap_or(extractor), "field_path", "a list is found by names alone", left);
            }
            self.items = pointer(&steps);
        }
        if let Some(filter) = selector.get("record_filter") {
            let condition_of = filter.get("condition").filter(|_| filter.component() == "RecordFilter");
            let Some(text) = condition_of.and_then(Node::text) else {
                return left.add(filter, "record_filter", "every item is taken in");
            };
            let is_truth = |at: &str| self.known.get(&at[1..]).is_some_and(|property| property.types == ["boolean"]);
            let lines = condition(text, "record", &is_truth);
            match lines {
                Ok(lines) => self.when = lines,
                Err(why) => {
                    left.add(filter, "record_filter", format!("{why} has no counterpart; every item is taken in"));
                }
            }
        }
    }

    /// What its items are, by their names.
    fn describe(&mut self, node: &Node, retriever: &Node, around: &Around<'_>, left: &mut Lefts) {
        if let Some(migrations) = node.get("state_migrations").filter(|migrations| !migrations.is_falsy()) {
            left.add(
                migrations,
                "state_migrations",
                "no state of earlier runs is taken over: the first run reads from the beginning",
            );
        }
        let path = retriever.get("requester").and_then(|requester| requester.word("path")).unwrap_or_default();
        let last = path.trim_end_matches('/').rsplit('/').next().filter(|last| !last.contains('{')).unwrap_or_default();
        let within = self.items.rsplit('/').next().unwrap_or_default().to_owned();
        self.alike = match around.entities.get(&self.title) {
            Some(said) => Some(named(*said, &self.title)),
            None => [self.title.as_str(), &within, last].into_iter().find_map(entity),
        };
        self.identify(node);
        self.date();
        let Some(alike) = &self.alike else {
            let hint = format!("no entity is surely like it; `--stream '{}=ENTITY'` says which", self.title);
            return self.blocked.push(hint);
        };
        self.mapped = fields(alike.entity, alike.kind, &self.known);
        let missing = self.missing(alike.entity);
        if !missing.is_empty() {
            let told = format!("{} needs {}, and no member is surely like it", alike.entity, missing.join(" and "));
            self.blocked.push(told);
        }
        if self.id.is_none() {
            self.blocked.push("no primary key, and no member that is surely the id".to_owned());
        }
    }

    /// Required fields that nothing is mapped to.
    fn missing(&self, entity: EntityKind) -> Vec<String> {
        let written = |to: &str| {
            let is = |known: &String| known == to || known.starts_with(&format!("{to}/"));
            self.mapped.fields.keys().chain(self.mapped.set.keys()).any(is)
        };
        let top =
            schema_fields(entity).iter().filter(|field| field.required && field.pointer.matches('/').count() == 1);
        top.filter(|field| !written(&field.pointer)).map(|field| format!("`{}`", field.pointer)).collect()
    }

    fn identify(&mut self, node: &Node) {
        let key = node.get("primary_key");
        let mut names: Vec<String> = Vec::new();
        match key.map(|key| &key.kind) {
            Some(Kind::Text(name)) => names.push(name.clone()),
            Some(Kind::List(items)) => {
                for item in items {
                    names.extend(item.scalar().or_else(|| item.items().last().and_then(Node::scalar)));
                }
            }
            _ => {}
        }
        if names.is_empty() {
            let own = self.alike.as_ref().map(|alike| format!("{}_id", alike.entity));
            let usual = ["id", "uuid", "guid", "worker_id", "employee_id", "person_id", "position_id"];
            let usual: Vec<&str> = own.as_deref().into_iter().chain(usual).collect();
            // An id of its own before one that could lead elsewhere.
            let found = usual.iter().find_map(|name| self.known.iter().find(|(_, property)| property.name == *name));
            names.extend(found.map(|(name, _)| name.clone()));
        }
        let places: Vec<String> = names.iter().map(|name| self.place(name)).collect();
        self.id = match places.as_slice() {
            [] => None,
            [one] => Some(one.clone()),
            several => Some(
                several
                    .iter()
                    .map(|at| if at.starts_with('/') { format!("{{{at}}}") } else { at.clone() })
                    .collect::<Vec<_>>()
                    .join("-"),
            ),
        };
    }

    /// Where a member of the manifest's name stands in what the vendor sends.
    fn place(&self, name: &str) -> String {
        match self.known.get(name).map(|property| &property.from) {
            Some(Origin::Pointer(at)) => at.clone(),
            Some(Origin::Text(text)) => text.clone(),
            None => pointer(&[name.to_owned()]),
        }
    }

    /// When an item was changed.
    fn date(&mut self) {
        let is_change = |name: &str| ["updat", "modif", "chang"].iter().any(|part| words(name).contains(part));
        let by_cursor = self.changes.field.clone().filter(|field| is_change(field));
        self.updated = match by_cursor {
            Some(field) => {
                let from = self.place(&field);
                let mut table = Map::from_iter([("from".to_owned(), Value::from(from.as_str()))]);
                table.extend(self.changes.clock.clone());
                Some(if table.len() == 1 { from.into() } else { Value::Object(table) })
            }
            None => {
                let dated =
                    |property: &&Property| is_change(&property.name) && property.format.as_deref() == Some("date-time");
                self.known.values().find(dated).and_then(Property::pointer).map(Value::from)
            }
        };
    }
}

/// A body that holds the secret holds a mark in its place.
fn mark(request: &mut Request, marked: Option<&Place>) {
    match marked {
        Some(Place::Json(at)) => {
            let body = request.json.get_or_insert_with(|| json!({}));
            if body.is_object() {
                body[at.trim_start_matches('/')] = SECRET_MARK.into();
            }
        }
        Some(Place::Form(name)) => {
            drop(request.form.get_or_insert_default().insert(name.clone(), SECRET_MARK.to_owned()));
        }
        _ => {}
    }
}

/// The schema of a stream's items.
fn schema(node: &Node, folder: Option<&Path>, left: &mut Lefts) -> Option<Node> {
    let Some(loader) = node.get("schema_loader") else {
        return node.word("name").and_then(|name| file(&format!("{name}.json"), folder));
    };
    match loader.component() {
        "InlineSchemaLoader" => loader.get("schema").cloned(),
        "JsonFileSchemaLoader" => {
            let path = loader.word("file_path").filter(|path| !path.contains("{{"));
            let named = path.and_then(|path| path.rsplit('/').next()).map(str::to_owned);
            let named = named.or_else(|| Some(format!("{}.json", node.word("name")?)))?;
            let found = file(&named, folder);
            if found.is_none() {
                left.add(
                    loader,
                    "JsonFileSchemaLoader",
                    format!("no schemas/{named} lies next to the manifest: no field is mapped by name"),
                );
            }
            found
        }
        other => {
            left.add(loader, other, "without a schema no field is mapped by name");
            None
        }
    }
}

fn file(name: &str, folder: Option<&Path>) -> Option<Node> {
    // A name and nothing else: a manifest leads to no other file.
    if name.contains(['/', '\\']) || name.contains("..") {
        return None;
    }
    let path = folder?.join("schemas").join(name);
    if std::fs::metadata(&path).ok()?.len() > SCHEMA_BYTES_MAX {
        return None;
    }
    yaml::read(&std::fs::read_to_string(path).ok()?).ok()
}

/// A name as plugin.toml has them.
pub(super) fn slug(title: &str) -> String {
    let slug: String = words(title).chars().filter(char::is_ascii).take(60).collect();
    match slug.chars().next() {
        Some(first) if first.is_ascii_alphabetic() => slug,
        _ => format!("s_{slug}").trim_end_matches('_').to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::slug;

    #[test]
    fn names_of_streams_become_names_of_plugin_toml() {
        for (title, wanted) in [
            ("Custom reports", "custom_reports"),
            ("job-applications", "job_applications"),
            ("2fa", "s_2fa"),
            ("人", "s"),
        ] {
            assert_eq!(slug(title), wanted);
        }
    }
}
