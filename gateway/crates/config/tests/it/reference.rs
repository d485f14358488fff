//! The list of keys is what is read: the reader is asked which keys it takes, and given each default and each example.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use renmen_config::{KeySpec, SectionSpec, ValueKind, configuration_page, configuration_schema, sections};
use serde_json::Value;

use crate::read;

/// A key that no section has, and that resembles none.
const UNKNOWN: &str = "zzzzzzzzzzzzzzzz";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(3).unwrap().to_path_buf()
}

/// Its path with names in it; the slots of a channel have names of their own.
fn path_of(section: &SectionSpec) -> String {
    let slot = if section.id == "receiver.slots.NAME" { "slots.login" } else { "slots.x" };
    section.path.replace("slots.NAME", slot).replace("NAME", "x")
}

/// The smallest file with a section, and a line in it. Of required keys the one that the line is about is left out.
fn file_with(section: &SectionSpec, all: &[SectionSpec], about: Option<&KeySpec>, line: &str) -> String {
    let mut text = String::new();
    if let Some(outer) = all.iter().find(|outer| outer.id == section.within) {
        let opened = section.path.strip_prefix(outer.path).unwrap_or_default().trim_start_matches('.');
        let opened = opened.split('.').next().unwrap();
        text.push_str(&file_with(outer, all, outer.keys.iter().find(|key| key.name == opened), ""));
    }
    text.push_str(&format!("[{}]\n", path_of(section)));
    for key in section.keys.iter().filter(|key| key.required) {
        let replaced = about.is_some_and(|about| about.name == key.name || about.instead_of == key.name)
            // What the key needs may say another value of it.
            || line.contains(&format!("\n{} = ", key.name));
        if !replaced {
            text.push_str(&format!("{} = {}\n", key.name, key.example));
        }
    }
    text.push_str(line);
    text.push('\n');
    text
}

fn accepted(text: &str) -> String {
    let config = read(text, true).unwrap_or_else(|error| panic!("{text}\n{error}"));
    format!("{config:?}")
}

/// The keys that the reader takes in a section, from what it says to a key that it does not know.
fn keys_of_the_reader(section: &SectionSpec, all: &[SectionSpec]) -> BTreeSet<String> {
    let text = file_with(section, all, None, &format!("{UNKNOWN} = 1"));
    let error = read(&text, true).expect_err(&text).to_string();
    let offered = error.split("use one of: ").nth(1).unwrap_or_else(|| panic!("{}: {error}", section.id));
    offered.lines().next().unwrap().split(", ").map(str::to_owned).collect()
}

#[test]
fn the_list_has_the_keys_that_are_read_and_no_others() {
    let all = sections();
    for section in all.iter().filter(|section| section.closed) {
        let mut read = keys_of_the_reader(section, &all);
        // The reader shares these tables with connections, and refuses what makes sense only there.
        match section.id {
            "receiver.grant" => read.retain(|key| !["hosts", "methods", "drop", "entities"].contains(&key.as_str())),
            "receiver.slots.NAME" => read.retain(|key| !["to", "public"].contains(&key.as_str())),
            _ => {}
        }
        let listed: BTreeSet<String> = section.keys.iter().map(|key| key.name.to_owned()).collect();
        assert_eq!(listed, read, "[{}]", section.id);
    }
}

#[test]
fn what_makes_sense_only_for_a_connection_is_refused_for_a_receiver() {
    let all = sections();
    for (id, keys) in [
        (
            "receiver.grant",
            &["hosts = [\"https://a.example\"]", "methods = [\"GET\"]", "drop = \"in\"", "entities = [\"employee\"]"][..],
        ),
        ("receiver.slots.NAME", &["to = [\"https://a.example\"]", "public = [\"id\"]"]),
    ] {
        let section = all.iter().find(|section| section.id == id).unwrap();
        for line in keys {
            let text = file_with(section, &all, None, line);
            assert!(read(&text, true).is_err(), "{text}");
        }
    }
}

/// A file with a key at a value.
fn file_with_key(section: &SectionSpec, all: &[SectionSpec], key: &KeySpec, value: &str) -> String {
    file_with(section, all, Some(key), &format!("{} = {value}\n{}", key.name, key.needs))
}

#[test]
fn each_default_is_what_counts_without_the_key() {
    let all = sections();
    let mut shown = 0;
    for section in all.iter().filter(|section| section.closed) {
        for key in &section.keys {
            let Some(default) = key.default_value() else { continue };
            let with = file_with_key(section, &all, key, default);
            let line = format!("{} = {default}\n", key.name);
            let without = with.replacen(&line, "", 1);
            assert_ne!(with, without, "{line}");
            assert_eq!(
                accepted(&with),
                accepted(&without),
                "{}.{} is not {default} by default",
                section.path,
                key.name
            );
            shown += 1;
        }
    }
    assert!(shown > 100, "{shown} defaults");
}

#[test]
fn each_example_is_accepted_and_means_something() {
    let all = sections();
    for section in &all {
        for key in &section.keys {
            let text = file_with_key(section, &all, key, &key.example);
            let with = accepted(&text);
            // A kind that is the default is written for its readers.
            let is_only_word = matches!(key.kind, ValueKind::OneOf([_]));
            if key.required || !section.closed || is_only_word {
                continue;
            }
            let without = text.replacen(&format!("{} = {}\n", key.name, key.example), "", 1);
            // Without it the file may be refused: it means something there too.
            if key.instead_of.is_empty()
                && let Ok(without) = read(&without, true)
            {
                let without = format!("{without:?}");
                assert_ne!(with, without, "{}: the example of `{}` changes nothing", section.path, key.name);
            }
        }
    }
}

#[test]
fn a_default_that_is_wrong_would_be_found() {
    let all = sections();
    let section = all.iter().find(|section| section.id == "store").unwrap();
    let key = section.keys.iter().find(|key| key.name == "readers").unwrap();
    let text = |value: &str| accepted(&file_with_key(section, &all, key, value));
    assert_ne!(text("5"), accepted("[store]\n"));
    assert_eq!(text("4"), accepted("[store]\n"));
}

/// docs/configuration.md and docs/connectors.schema.json are made from the list. `RENMEN_UPDATE_DOCS=1` writes them.
#[test]
fn the_page_and_the_schema_are_those_of_the_code() {
    let schema = format!("{}\n", serde_json::to_string_pretty(&configuration_schema()).unwrap());
    for (file, wanted) in [("docs/configuration.md", configuration_page()), ("docs/connectors.schema.json", schema)] {
        let path = root().join(file);
        if std::env::var_os("RENMEN_UPDATE_DOCS").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{file} is out of date: run this test with RENMEN_UPDATE_DOCS=1");
    }
}

fn as_json(toml: &str) -> Value {
    serde_json::to_value(toml::from_str::<toml::Table>(toml).unwrap()).unwrap()
}

#[test]
fn the_schema_takes_the_shipped_file_and_refuses_wrong_keys_and_values() {
    let schema = jsonschema::draft7::new(&configuration_schema()).unwrap();
    let shipped = std::fs::read_to_string(root().join("connectors.toml")).unwrap();
    assert!(shipped.starts_with("#:schema docs/connectors.schema.json\n"), "editors find the schema by the first line");
    let errors: Vec<String> =
        schema.iter_errors(&as_json(&shipped)).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(errors, Vec::<String>::new());
    for wrong in [
        "[gateway]\nlistn = \"127.0.0.1:7300\"",
        "[gateway]\nshutdown_wait = \"30 seconds\"",
        "[gateway]\nkeep_exchanges = \"yes\"",
        "[gateway]\nmetrics = \"public\"",
        "[store]\ncache_bytes = \"64 megabytes\"",
        "[store]\nreaders = -1",
        "[limits]\npages = 3",
        "[connections.people]\ndigest = \"sha256:00\"",
        "[connections.People]\nplugin = \"p.wasm\"",
        "[connections.people]\nplugin = \"p.wasm\"\nslots.app = { evn = \"APP\" }",
        "[connections.people]\nplugin = \"p.wasm\"\nstreams.users = { evry = \"15m\" }",
        "[channels.mail]\nkind = \"fax\"",
        "[channels.mail]\nkind = \"mail\"\nhost = \"smtp.example.com\"",
        "[endpoints.hr]\nurl = \"https://hr.example.com\"\nentities = [\"employee\"]\nslots.secret = { env = \"S\" }\nchanges = [\"made\"]",
        "[interview.rules.default]\npass = \"80\"",
        "[conections.people]\nplugin = \"p.wasm\"",
    ] {
        assert!(!schema.is_valid(&as_json(wrong)), "{wrong}");
        assert!(read(wrong, true).is_err(), "the reader takes it: {wrong}");
    }
}

#[test]
fn the_schema_takes_what_the_reader_takes() {
    let schema = jsonschema::draft7::new(&configuration_schema()).unwrap();
    let all = sections();
    for section in &all {
        for key in &section.keys {
            for value in key.default_value().into_iter().chain([&*key.example]) {
                let text = file_with_key(section, &all, key, value);
                let errors: Vec<String> = schema
                    .iter_errors(&as_json(&text))
                    .map(|error| format!("{}: {error}", error.instance_path()))
                    .collect();
                assert_eq!(errors, Vec::<String>::new(), "{text}");
            }
        }
    }
}
