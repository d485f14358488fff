//! The released schema and the current one.

use renmen_schema::compat::breaks;
use renmen_schema::{EntityKind, SCHEMA_VERSION, all_schemas, json_schema, sensitivity};
use serde_json::Value;

/// Set it to write the file of the current version, when a release is made.
const WRITE: &str = "RENMEN_WRITE_RELEASED_SCHEMA";

fn released_folder() -> std::path::PathBuf {
    std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("released")
}

#[test]
fn the_current_schema_breaks_no_reader_of_a_released_one() {
    if std::env::var_os(WRITE).is_some() {
        let text = serde_json::to_string(&all_schemas()).unwrap();
        std::fs::write(released_folder().join(format!("{SCHEMA_VERSION}.json")), text + "\n").unwrap();
    }
    let mut compared = 0;
    for file in std::fs::read_dir(released_folder()).unwrap() {
        let path = file.unwrap().path();
        let released: Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        assert!(released["entities"].as_object().unwrap().len() >= 39, "{} is whole", path.display());
        let found: Vec<_> = breaks(&released, &all_schemas()).iter().map(ToString::to_string).collect();
        assert!(found.is_empty(), "{}: a new major version is needed:\n{}", path.display(), found.join("\n"));
        compared += 1;
    }
    assert!(compared > 0, "there is a released schema");
}

#[test]
fn a_change_of_the_real_schema_is_found() {
    let released = all_schemas();
    let mut current = released.clone();
    current["$defs"]["WorkSummary"]["properties"].as_object_mut().unwrap().remove("hire_date");
    let found = breaks(&released, &current);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].path, "employee/work/hire_date");
}

#[test]
fn each_schema_stands_alone_and_says_what_it_is() {
    for &kind in EntityKind::ALL {
        let schema = json_schema(kind);
        assert_eq!(schema["x-entity"], kind.name());
        assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
        assert!(schema["title"].is_string() && schema["description"].is_string(), "{kind}");
        check_references(&schema, &schema);
        assert!(!schema.to_string().contains(r#""null""#), "{kind}: an absent field is absent, not null");
    }
}

fn check_references(root: &Value, node: &Value) {
    if let Some(reference) = node["$ref"].as_str() {
        assert!(root.pointer(reference.trim_start_matches('#')).is_some(), "{reference}");
    }
    let children: Vec<&Value> = match node {
        Value::Object(map) => map.values().collect(),
        Value::Array(items) => items.iter().collect(),
        _ => vec![],
    };
    children.into_iter().for_each(|child| check_references(root, child));
}

/// A review of the schema is a review of this list: every leaf field with its class.
#[test]
fn the_fields_of_every_entity() {
    let mut lines = String::new();
    for &kind in EntityKind::ALL {
        for (pointer, class) in sensitivity(kind) {
            // The inside of a reference and of what every entity carries is the same everywhere.
            let inside =
                ["/external/", "/ext/", "/data_policy/", "/external_ids/"].iter().any(|part| pointer.contains(part));
            if !inside || kind == EntityKind::OrgUnit {
                lines.push_str(&format!("{kind} {pointer} {class}\n"));
            }
        }
    }
    insta::assert_snapshot!(lines);
}
