//! The manifest agrees with the code.

use renmen_schema::manifest::Manifest;

#[test]
fn the_manifest_contradicts_nothing_and_names_every_stream_of_the_configuration_schema() {
    let manifest = Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    assert_eq!(manifest.check(), []);
    let schema = manifest.config_schema.unwrap();
    let mut declared: Vec<&str> =
        schema["properties"]["streams"]["properties"].as_object().unwrap().keys().map(String::as_str).collect();
    let mut streams: Vec<&str> = manifest.streams.keys().map(renmen_schema::id::StreamName::as_str).collect();
    declared.sort_unstable();
    streams.sort_unstable();
    assert_eq!(declared, streams);
}
