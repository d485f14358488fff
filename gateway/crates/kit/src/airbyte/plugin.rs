//! `plugin.toml` of an imported connector.

use std::collections::BTreeSet;

use renmen_plugin_host::CONTRACT;
use renmen_schema::manifest::Rate;
use serde_json::{Value, json};

use super::Source;
use super::left::Lefts;
use super::stream::Stream;
use super::toml::{comment, inline, key, text_of};
use super::translate::span;
use super::yaml::Node;

/// The text.
pub(super) fn plugin(source: &Source) -> String {
    let mut text = format!(
        "# What this connector is and asks for. What it reads and makes of it stands in mapping.toml.\n\
         name = {}\nversion = \"0.1.0\"\ndescription = {}\ncontract = {}\n",
        text_of(&source.name),
        text_of(&format!("{}, begun from a declarative manifest", source.name)),
        text_of(CONTRACT),
    );
    for stream in &source.streams {
        let table = of_stream(stream);
        match stream.blocked.is_empty() {
            true => text.push_str(&format!("\n{table}")),
            false => {
                let lines = table.lines().map(|line| comment(line) + "\n").collect::<String>();
                text.push_str(&format!("\n{}\n{lines}", comment(&format!("Not read: {}", stream.blocked.join("; ")))));
            }
        }
    }
    text.push_str(&http(source));
    for slot in &source.slots {
        let (name, about) = (key(&slot.name), text_of(&slot.description));
        let auth = inline(&slot.auth);
        text.push_str(&format!(
            "\n[slots.{name}]\ndescription = {about}\naudience = [\"{{base_url}}\"]\nauth = {auth}\n"
        ));
    }
    text.push('\n');
    text.push_str(&::toml::to_string(&json!({ "config_schema": schema(source) })).unwrap_or_default());
    if let Some(rate) = source.rate {
        text.push_str(&format!("\n[rate]\nrequests = {}\nper_ms = {}\n", rate.requests, rate.per_ms));
    }
    text
}

fn of_stream(stream: &Stream) -> String {
    let entity = stream.alike.as_ref().map_or("?", |alike| alike.entity.name());
    let mut table = format!(
        "[streams.{}]\ndescription = {}\nentities = [{}]\n",
        key(&stream.name),
        text_of(&stream.title),
        text_of(entity)
    );
    if stream.changes.by.is_none() {
        table.push_str("mode = \"full\"\n");
    }
    table
}

fn http(source: &Source) -> String {
    let mut text = "\n[http]\nhosts = [\"{base_url}\"]\n".to_owned();
    let read = || source.streams.iter().filter(|stream| stream.blocked.is_empty());
    let methods: BTreeSet<&str> = read().flat_map(|stream| &stream.lists).map(|list| list.method.as_str()).collect();
    if methods.iter().any(|method| *method != "GET") {
        text.push_str(&format!("methods = {}\n", inline(&json!(methods))));
    }
    let headers: Vec<Value> =
        source.errors.headers.iter().map(|(name, unit)| json!({ "name": name, "unit": unit })).collect();
    if !headers.is_empty() {
        text.push_str(&format!("retry_headers = {}\n", inline(&json!(headers))));
    }
    text
}

/// The keys of the configuration that are named by what is read.
pub(super) fn used(source: &Source) -> BTreeSet<String> {
    let read = source.streams.iter().filter(|stream| stream.blocked.is_empty());
    read.flat_map(|stream| &stream.lists).flat_map(|list| list.config.iter().cloned()).collect()
}

fn schema(source: &Source) -> Value {
    let mut schema = source.spec.schema(&used(source));
    let mut add = |name: &str, about: String| {
        schema["properties"][name] = json!({ "type": "string", "description": about });
        if let Some(required) = schema["required"].as_array_mut() {
            required.push(name.into());
        }
    };
    add("base_url", format!("What stands before every path: {}", shown(&source.base)));
    if let Some(token) = source.slots.iter().find_map(|slot| slot.token_url.as_deref()) {
        add("token_url", format!("Where tokens are asked for: {}", shown(token)));
    }
    schema
}

/// An address with expressions, as a person reads it.
pub(super) fn shown(address: &str) -> String {
    let told = address.replace("{{", "‹").replace("}}", "›");
    told.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first policy of a budget of calls.
pub(super) fn rate(budget: &Node, left: &mut Lefts) -> Option<Rate> {
    let policies = budget.get("policies").map(Node::items).unwrap_or_default();
    let mut found = None;
    for policy in policies {
        let (limit, period) = match policy.component() {
            "FixedWindowCallRatePolicy" => (policy.get("call_limit"), policy.word("period")),
            "MovingWindowCallRatePolicy" => {
                let rate = policy.get("rates").and_then(|rates| rates.items().first());
                (rate.and_then(|rate| rate.get("limit")), rate.and_then(|rate| rate.word("interval")))
            }
            _ => (None, None),
        };
        let requests = limit.and_then(|limit| limit.scalar()?.parse::<u32>().ok());
        let per_ms = period.and_then(|period| span(period).ok()).and_then(|span| in_ms(&span));
        match requests.zip(per_ms) {
            Some((requests, per_ms)) if found.is_none() => found = Some(Rate { requests, per_ms, burst: None }),
            Some(_) => left.add(policy, "api_budget", "one rate counts for all requests: the first one"),
            None => left.add(policy, policy.component(), "a budget of calls of another kind"),
        }
    }
    found.filter(|rate| rate.fault().is_none())
}

fn in_ms(span: &str) -> Option<u64> {
    let at = span.find(|c: char| c.is_alphabetic())?;
    let (number, unit) = span.split_at(at);
    let of = match unit {
        "d" => 86_400_000,
        "h" => 3_600_000,
        "m" => 60_000,
        "s" => 1000,
        _ => 1,
    };
    number.parse::<u64>().ok()?.checked_mul(of)
}
