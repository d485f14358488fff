//! What works and was hardly meant so.

use renmen_schema::manifest::{Deletes, Manifest, StreamManifest, StreamMode};
use serde_json::Value;

use super::places::{Found, names_below};
use crate::faults::Faults;
use crate::language::{ChangesOf, DeletedOf, Document, PagingOf, ReadOf, SourceOf};

/// All warnings of a sound mapping.
pub(super) fn find(document: &Document, found: &[Found], manifest: Option<&Manifest>, faults: &mut Faults) {
    maps(document, faults);
    faults.within("streams", |faults| {
        for (name, reads) in &document.streams {
            let declared = manifest.and_then(|manifest| {
                manifest.streams.iter().find(|(known, _)| known.as_str() == name).map(|(_, stream)| stream)
            });
            faults.within(name, |faults| {
                if let Some(declared) = declared {
                    deletes(&reads.0, declared, document, faults);
                }
                let several = reads.0.len() > 1;
                for (number, read) in reads.0.iter().enumerate() {
                    let number = number.to_string();
                    let mut keys = vec!["streams", name.as_str()];
                    if several {
                        keys.push(&number);
                        faults.within(number.as_str(), |faults| asked(read, &keys, found, declared, faults));
                    } else {
                        asked(read, &keys, found, declared, faults);
                    }
                }
            });
        }
    });
}

/// Maps that no field names.
fn maps(document: &Document, faults: &mut Faults) {
    let lists = document.streams.values().flat_map(|reads| &reads.0).map(|read| &read.records);
    let events = document.webhook.iter().flat_map(|hook| &hook.events).map(|event| &event.records);
    let records = lists.chain(events).flatten();
    let mut named: Vec<&str> = Vec::new();
    records.flat_map(|record| record.fields.values()).for_each(|source| maps_of(source, &mut named));
    faults.within("maps", |faults| {
        for name in document.maps.keys().filter(|name| !named.contains(&name.as_str())) {
            faults.within(name, |faults| faults.add("no field names this map"));
        }
    });
}

fn maps_of<'d>(source: &'d SourceOf, named: &mut Vec<&'d str>) {
    for table in source.tables() {
        if let Some(Value::String(name)) = &table.map {
            named.push(name);
        }
        table.fields.iter().flatten().for_each(|(_, source)| maps_of(source, named));
    }
}

/// What plugin.toml says of deletions, and what is read.
fn deletes(reads: &[ReadOf], declared: &StreamManifest, document: &Document, faults: &mut Faults) {
    let tells = |read: &ReadOf| read.records.iter().any(|record| record.deleted.is_some());
    let by_event = document.webhook.iter().flat_map(|hook| &hook.events).flat_map(|event| &event.records);
    let by_event = by_event.filter(|record| record.deleted.is_some()).count() > 0;
    let by_lookup = |read: &ReadOf| {
        read.lookup.as_ref().is_some_and(|lookup| matches!(lookup.missing, crate::language::Missing::Gone))
    };
    let told = by_event || reads.iter().any(|read| tells(read) || by_lookup(read));
    match declared.deletes {
        Deletes::Explicit if !told => {
            faults.add("plugin.toml says deletes = \"explicit\", and no record has `deleted`: nothing is ever gone");
        }
        Deletes::None if reads.iter().any(tells) => {
            faults.add("a record has `deleted`: write deletes = \"explicit\" for this stream in plugin.toml");
        }
        Deletes::Diff if reads.iter().any(|read| read.changes.is_some()) => {
            faults.add("plugin.toml says deletes = \"diff\", which needs lists that are read whole, without `changes`");
        }
        Deletes::Diff
            if reads.iter().flat_map(|read| &read.records).any(|r| matches!(r.deleted, Some(DeletedOf::Always))) =>
        {
            faults.add("plugin.toml says deletes = \"diff\", and a list tells what is gone: that is \"explicit\"");
        }
        _ => {}
    }
}

/// What a list should be asked with.
fn asked(read: &ReadOf, keys: &[&str], found: &[Found], declared: Option<&StreamManifest>, faults: &mut Faults) {
    let request: Vec<&str> = keys.iter().copied().chain(["request"]).collect();
    let pages = names_below(found, &request, "page");
    let sends = |name: &str| pages.contains(name) || pages.contains("");
    let place = match &read.paging {
        Some(PagingOf::Token { .. }) => "token",
        Some(PagingOf::Number { .. }) => "number",
        Some(PagingOf::Offset { .. }) => "offset",
        _ => "",
    };
    if !place.is_empty() && !sends(place) {
        faults.within("paging", |faults| {
            faults.add(format!("the request has no {{page/{place}}}: each page would be the first one"));
        });
    }
    let Some(changes) = &read.changes else { return };
    let since = !names_below(found, &request, "since").is_empty();
    faults.within("changes", |faults| {
        match changes {
            _ if since => {}
            ChangesOf::Time { .. } => {
                faults.add("the request has no {since}: each run reads the whole list to find what changed");
            }
            ChangesOf::SyncToken { .. } => faults.add("the request has no {since}: the token is never sent"),
        }
        if declared.is_some_and(|declared| declared.mode == StreamMode::Full) {
            faults.add("plugin.toml says mode = \"full\": each run begins without what the last one left");
        }
    });
}
