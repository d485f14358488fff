//! What is written, and what is said of what is not.

use std::collections::BTreeMap;

use renmen_declarative::author;
use renmen_kit::airbyte::Import;
use renmen_kit::scaffold::PluginName;
use renmen_schema::EntityKind;
use renmen_schema::manifest::Manifest;

use super::{MANIFEST, import, path};

#[test]
fn the_folder_is_a_connector_that_passes_its_checks() {
    let imported = import(MANIFEST).unwrap();
    assert_eq!(imported.wrong, Vec::<String>::new());
    let read: Vec<&str> = imported.streams.iter().filter(|one| one.is_read()).map(|one| one.name.as_str()).collect();
    assert_eq!(read, ["jobs", "candidates", "applications", "people", "departments", "teams"]);
    let manifest = Manifest::parse(&imported.files["plugin.toml"]).unwrap();
    author::read(&imported.files["mapping.toml"], Some(&manifest)).unwrap();
    for file in ["README.md", "conformance.toml", "fixtures/people.http.json", "fixtures/records.json"] {
        assert!(imported.files.contains_key(file), "{file}");
    }
    for (file, text) in imported.files.iter().filter(|(file, _)| file.ends_with(".toml") || file.ends_with(".md")) {
        insta::assert_snapshot!(format!("airbyte_{file}"), text);
    }
}

#[test]
fn the_same_manifest_makes_the_same_files() {
    assert_eq!(import(MANIFEST).unwrap().files, import(MANIFEST).unwrap().files);
}

#[test]
fn what_is_left_behind_is_told_with_its_place_in_the_manifest() {
    let imported = import(MANIFEST).unwrap();
    let lines: Vec<&str> = MANIFEST.lines().collect();
    for (at, what) in [
        ("definitions.selective_authenticator", "SelectiveAuthenticator"),
        ("streams.5.retriever.requester.request_parameters.stamp", "parameter `stamp`"),
        ("streams.6.retriever.paginator.pagination_strategy.cursor_value", "cursor_value"),
        ("streams.8.retriever", "AsyncRetriever"),
    ] {
        let found = imported
            .left
            .iter()
            .find(|left| left.what == what)
            .unwrap_or_else(|| panic!("{what}: {:#?}", imported.left));
        assert!(found.at.starts_with(at) || at.starts_with(&found.at), "{what}: {}", found.at);
        let last = found.at.rsplit('.').next().unwrap();
        let line = lines[found.line - 1];
        assert!(line.contains(last) || lines[found.line.saturating_sub(2)].contains(last), "{what}: {line}");
    }
    let blocked: BTreeMap<&str, String> = imported
        .streams
        .iter()
        .filter(|one| !one.is_read())
        .map(|one| (one.stream.as_str(), one.blocked.join("; ")))
        .collect();
    assert!(blocked["offers"].contains("token has no counterpart"), "{blocked:?}");
    assert!(blocked["widgets"].contains("--stream 'widgets=ENTITY'"), "{blocked:?}");
    assert!(blocked["reports"].contains("AsyncRetriever"), "{blocked:?}");
}

#[test]
fn no_secret_of_the_manifest_is_a_key_of_the_configuration() {
    let imported = import(MANIFEST).unwrap();
    let manifest = Manifest::parse(&imported.files["plugin.toml"]).unwrap();
    let schema = manifest.config_schema.unwrap();
    let keys: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
    assert_eq!(keys, ["account", "base_url", "board", "regions", "start_date"]);
    assert_eq!(manifest.slots.len(), 1);
}

#[test]
fn an_entity_or_an_authenticator_can_be_said() {
    let run = |auth: Option<&str>, entity: Option<(&str, EntityKind)>| {
        let import = Import {
            manifest: path("manifest.yaml"),
            name: PluginName::new("acme").unwrap(),
            auth: auth.map(str::to_owned),
            entities: entity.map(|(stream, entity)| (stream.to_owned(), entity)).into_iter().collect(),
        };
        import.run().unwrap()
    };
    let said = run(None, Some(("widgets", EntityKind::OrgUnit)));
    let widgets = said.streams.iter().find(|one| one.stream == "widgets").unwrap();
    assert_eq!(widgets.entity.as_deref(), Some("org_unit"));
    assert!(widgets.blocked.join(";").contains("`/name`"), "what it lacks is said: {:?}", widgets.blocked);
    let client = run(Some("Client"), None);
    assert!(client.files["plugin.toml"].contains("oauth2_refresh_token"), "{}", client.files["plugin.toml"]);
    assert!(client.files["plugin.toml"].contains("https://auth.acme.example/token"));
}

#[test]
fn what_is_no_manifest_is_refused_with_its_line() {
    for (text, told) in [
        ("a: 1\nb: [", "/manifest.yaml:"),
        ("a: 1\n", "/manifest.yaml:1: no `streams`"),
        ("streams: []\n", "without a stream"),
        (
            "streams:\n  - $ref: '#/definitions/none'\n",
            "/manifest.yaml:2: streams.0.$ref: `#/definitions/none` leads to nothing",
        ),
        ("definitions: { a: '#/definitions/a' }\nstreams: ['#/definitions/a']\n", "leads back to itself"),
    ] {
        let error = import(text).unwrap_err();
        assert!(error.contains(told), "{text}: {error}");
    }
}

#[test]
fn a_manifest_of_which_nothing_can_be_read_is_written_and_says_so() {
    let text = "streams: [ { type: DeclarativeStream, name: employees, retriever: { type: CustomRetriever, class_name: a.b } } ]";
    let imported = import(text).unwrap();
    assert!(imported.wrong[0].contains("no stream can be read"), "{:?}", imported.wrong);
    assert!(imported.files["README.md"].contains("CustomRetriever"));
}
