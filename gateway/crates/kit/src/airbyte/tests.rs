//! What streams of one manifest share: addresses, names, parents, slots.
#![allow(clippy::unwrap_used)]
use super::*;

fn imported(text: &str) -> Imported {
    let name = PluginName::new("acme").unwrap();
    let import = Import { manifest: "manifest.yaml".into(), name, auth: None, entities: BTreeMap::new() };
    import.read(text).unwrap_or_else(|unreadable| panic!("{}: {}", unreadable.line, unreadable.message))
}

/// A stream of departments.
fn stream(name: &str, requester: &str, more: &str) -> String {
    format!(
        "  - type: DeclarativeStream\n    name: {name}\n    primary_key: id\n    retriever: {{ type: SimpleRetriever, requester: {{ {requester} }}, record_selector: {{ extractor: {{ field_path: [data] }} }} {more} }}\n    schema_loader: {{ type: InlineSchemaLoader, schema: {{ properties: {{ id: {{ type: string }}, name: {{ type: string }} }} }} }}\n"
    )
}

#[test]
fn paths_begin_where_the_addresses_of_streams_part() {
    let one = stream("departments", "url_base: 'https://a.example/api/v1/', path: departments", "");
    let other = stream("teams", "url_base: 'https://a.example/api/v2', path: /teams", "");
    let stranger = stream("companies", "url_base: 'https://b.example/api/v1', path: /companies", "");
    let imported = imported(&format!("streams:\n{one}{other}{stranger}"));
    let mapping = &imported.files["mapping.toml"];
    assert!(mapping.contains("path = \"/v1/departments\"") && mapping.contains("path = \"/v2/teams\""), "{mapping}");
    assert!(imported.files["plugin.toml"].contains("https://a.example/api"), "{}", imported.files["plugin.toml"]);
    assert!(imported.streams[2].blocked[0].contains("https://b.example"), "{:?}", imported.streams[2]);
    assert_eq!(imported.wrong, Vec::<String>::new());
}

#[test]
fn streams_of_one_name_and_slots_of_two_kinds_stay_apart() {
    let with = |name: &str, token: &str| {
        let auth = format!(
            "authenticator: {{ type: ApiKeyAuthenticator, header: {token}, api_token: '{{{{ config.{token} }}}}' }}"
        );
        stream(name, &format!("url_base: 'https://a.example', path: /d, {auth}"), "")
    };
    let imported = imported(&format!(
        "streams:\n{}{}{}",
        with("'All teams'", "a"),
        with("all-teams", "b"),
        with("departments", "a")
    ));
    let names: Vec<&str> = imported.streams.iter().map(|one| one.name.as_str()).collect();
    assert_eq!(names, ["all_teams", "all_teams_2", "departments"]);
    assert!(imported.files["plugin.toml"].contains("[slots.key_2]"), "{}", imported.files["plugin.toml"]);
    assert!(imported.files["mapping.toml"].contains("slot = \"key_2\""), "{}", imported.files["mapping.toml"]);
    assert_eq!(imported.wrong, Vec::<String>::new());
}

#[test]
fn a_parent_that_is_not_read_or_has_one_itself_stops_its_children() {
    let base = "url_base: 'https://a.example', path: ";
    let router = |parent: &str| {
        format!(
            ", partition_router: {{ type: SubstreamPartitionRouter, parent_stream_configs: [ {{ parent_key: id, partition_field: p, stream: {{ name: {parent} }} }} ] }}"
        )
    };
    let child =
        |name: &str, parent: &str| stream(name, &format!("{base}'/x/{{{{ stream_partition.p }}}}'"), &router(parent));
    let text = format!(
        "streams:\n{}{}{}{}{}",
        stream("companies", &format!("{base}/c"), ""),
        stream("widgets", &format!("{base}/w"), ""),
        child("teams", "companies"),
        child("divisions", "teams"),
        child("offices", "widgets"),
    );
    let imported = imported(&text);
    let why: Vec<String> = imported.streams.iter().map(|one| one.blocked.join("; ")).collect();
    assert_eq!((why[0].as_str(), why[2].as_str()), ("", ""));
    assert!(why[3].contains("`teams` has a parent itself"), "{why:?}");
    assert!(why[4].contains("`widgets` is not read"), "{why:?}");
    assert!(imported.files["mapping.toml"].contains("for_each = { stream = \"companies\" }"));
    assert_eq!(imported.wrong, Vec::<String>::new());
}

#[test]
fn a_parents_key_is_looked_for_where_the_vendor_has_it() {
    let base = "url_base: 'https://a.example', path: ";
    let router = ", partition_router: { type: SubstreamPartitionRouter, parent_stream_configs: [ { parent_key: key, partition_field: p, stream: { name: companies } } ] }";
    let renamed =
        "    transformations: [ { type: AddFields, fields: [ { path: [key], value: '{{ record._id }}' } ] } ]\n";
    let parent = stream("companies", &format!("{base}/c"), "") + renamed;
    let child = stream("teams", &format!("{base}'/x/{{{{ stream_partition.p }}}}'"), router);
    let imported = imported(&format!("streams:\n{child}{parent}"));
    assert!(
        imported.files["mapping.toml"].contains("path = \"/x/{parent/_id}\""),
        "{}",
        imported.files["mapping.toml"]
    );
    assert_eq!(imported.wrong, Vec::<String>::new());
}

#[test]
fn a_budget_of_calls_becomes_a_rate() {
    let text = format!(
        "streams:\n{}api_budget: {{ policies: [ {{ type: MovingWindowCallRatePolicy, rates: [ {{ limit: 10, interval: PT1S }} ] }}, {{ type: UnlimitedCallRatePolicy }} ] }}\n",
        stream("teams", "url_base: 'https://a.example', path: /d", "")
    );
    let imported = imported(&text);
    assert!(
        imported.files["plugin.toml"].contains("requests = 10\nper_ms = 1000"),
        "{}",
        imported.files["plugin.toml"]
    );
    assert_eq!(imported.left.len(), 1);
}
