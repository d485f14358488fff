//! `mapping.toml` of an imported connector.

use serde_json::{Map, Value, json};

use super::Source;
use super::request::Request;
use super::stream::Stream;
use super::toml::{comment, inline, key, text_of};

/// The text.
pub(super) fn mapping(source: &Source) -> String {
    let mut text = comment(&format!(
        "Begun from a declarative manifest (version {}). What was not carried over stands in README.md. Fields are mapped by name: compare each with",
        source.version
    ));
    text.push_str("\n# what the vendor sends, write the words of its codes into `map`, and add what is missing (`renmen schema ENTITY`).\n");
    text.push_str("[api]\nbase = \"{config/base_url}\"\n");
    let usual = source.slots.first().map(|slot| slot.name.as_str());
    if let Some(slot) = usual {
        text.push_str(&format!("slot = {}\n", text_of(slot)));
    }
    for rule in &source.errors.rules {
        text.push_str("\n[[api.errors]]\n");
        let table = rule.toml();
        for name in ["status", "when", "is", "message", "wait"] {
            text.extend(table.get(name).map(|value| format!("{name} = {}\n", inline(value))));
        }
    }
    for stream in source.streams.iter().filter(|stream| stream.blocked.is_empty()) {
        text.push_str(&of_stream(stream, usual));
    }
    for stream in source.streams.iter().filter(|stream| !stream.blocked.is_empty() && !stream.lists.is_empty()) {
        text.push_str(&format!(
            "\n{}\n",
            comment(&format!("`{}` is not read: {}.", stream.title, stream.blocked.join("; ")))
        ));
        text.extend(of_stream(stream, usual).trim().lines().map(|line| comment(line).trim_end().to_owned() + "\n"));
    }
    text
}

fn of_stream(stream: &Stream, usual: Option<&str>) -> String {
    let name = format!("streams.{}", key(&stream.name));
    let several = stream.lists.len() > 1;
    let head = if several { format!("[[{name}]]") } else { format!("[{name}]") };
    let mut text = String::new();
    for list in &stream.lists {
        text.push_str(&format!("\n{head}\nrequest = {}\n", inline(&request(list, stream, usual))));
        if !stream.items.is_empty() {
            text.push_str(&format!("items = {}\n", text_of(&stream.items)));
        }
        text.extend(stream.paging.size_max.map(|size| format!("size_max = {size}\n")));
        let tables = [("paging", &stream.paging.by), ("changes", &stream.changes.by), ("for_each", &stream.for_each)];
        for (key, value) in tables {
            text.extend(value.as_ref().map(|value| format!("{key} = {}\n", inline(value))));
        }
        if !stream.when.is_empty() {
            text.push_str(&format!("when = {}\n", inline(&Value::Object(stream.when.clone()))));
        }
        text.push_str(&records(stream, &name));
    }
    text
}

fn records(stream: &Stream, name: &str) -> String {
    let entity = stream.alike.as_ref().map_or("?", |alike| alike.entity.name());
    let id = stream.id.as_deref().unwrap_or("?");
    let mut text = format!("\n[[{name}.records]]\nentity = {}\nid = {}\n", text_of(entity), text_of(id));
    text.extend(stream.updated.as_ref().map(|updated| format!("updated = {}\n", inline(updated))));
    if !stream.mapped.set.is_empty() {
        text.push_str(&format!("set = {}\n", inline(&json!(stream.mapped.set))));
    }
    text.push_str(&format!("\n[{name}.records.fields]\n"));
    for (to, from) in &stream.mapped.fields {
        text.push_str(&format!("{} = {}\n", text_of(to), inline(from)));
    }
    for (to, (from, doubt)) in &stream.mapped.perhaps {
        text.push_str(&comment(&format!("{} = {} # {doubt}", text_of(to), inline(from))));
        text.push('\n');
    }
    text
}

fn request(list: &Request, stream: &Stream, usual: Option<&str>) -> Value {
    // The order of a person: what, then with what.
    let mut table = Map::new();
    table.insert("path".to_owned(), list.path.clone().into());
    let has_body = list.json.is_some() || list.form.is_some();
    if list.method != if has_body { "POST" } else { "GET" } {
        table.insert("method".to_owned(), list.method.clone().into());
    }
    for (name, pairs) in [("query", &list.query), ("headers", &list.headers)] {
        if !pairs.is_empty() {
            table.insert(name.to_owned(), json!(pairs));
        }
    }
    table.extend(list.json.clone().map(|json| ("json".to_owned(), json)));
    table.extend(list.form.as_ref().filter(|_| list.json.is_none()).map(|form| ("form".to_owned(), json!(form))));
    let slot = stream.slot.as_ref().map(|slot| slot.name.as_str());
    if slot != usual {
        table.insert("slot".to_owned(), slot.unwrap_or_default().into());
    }
    Value::Object(table)
}
