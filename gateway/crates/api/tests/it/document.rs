//! The OpenAPI document: checked in, complete, and free of references to nowhere.

use std::collections::BTreeSet;
use std::path::PathBuf;

use axum::http::StatusCode;
use renmen_schema::EntityKind;
use serde_json::Value;

use crate::rig::Rig;

/// Set it to write the checked-in document again.
const UPDATE: &str = "RENMEN_UPDATE_OPENAPI";

#[test]
fn the_checked_in_document_is_what_the_code_says() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../docs/openapi.json");
    let document = renmen_api::document();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, serde_json::to_string_pretty(&document).unwrap() + "\n").unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    let kept: Value = serde_json::from_str(&kept).unwrap_or_default();
    assert!(
        kept == document,
        "docs/openapi.json is not what the code says: run this test with {UPDATE}=1 and look at the difference"
    );
}

/// A reader has no list of requirements: their numbers stay in commits and in the names of tests.
#[test]
fn no_text_of_the_document_cites_a_number_that_its_reader_cannot_look_up() {
    let document = renmen_api::document().to_string();
    let cites = |at: usize| {
        let rest = &document.as_bytes()[at..];
        matches!(rest, [b'(', b'R' | b'S', a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit())
    };
    let found: Vec<_> = document.match_indices('(').map(|(at, _)| at).filter(|at| cites(*at)).collect();
    assert!(found.is_empty(), "{:?}", found.iter().map(|at| &document[*at..*at + 6]).collect::<Vec<_>>());
}

#[test]
fn every_reference_leads_somewhere_and_every_shape_is_used() {
    let document = renmen_api::document();
    let mut used = BTreeSet::new();
    references(&document, &mut used);
    for reference in &used {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("{reference} leads out of the document"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    for name in document["components"]["schemas"].as_object().unwrap().keys() {
        assert!(used.contains(&format!("#/components/schemas/{name}")), "nothing uses {name}");
    }
}

fn references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => members.iter().for_each(|(name, member)| match member {
            Value::String(reference) if name == "$ref" => {
                found.insert(reference.clone());
            }
            _ => references(member, found),
        }),
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        _ => {}
    }
}

#[test]
fn every_operation_has_its_own_name_a_summary_and_its_problems() {
    let document = renmen_api::document();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(operation["summary"].is_string(), "{method} {path}");
            let answers = operation["responses"].as_object().unwrap();
            let needed: &[&str] = if path.starts_with("/v1/") { &["400", "401", "500", "503"] } else { &["500"] };
            for status in needed {
                assert!(answers.contains_key(*status), "{method} {path} has no {status}");
            }
            // A name in the path, or in the body, may name nothing.
            let names = path.contains('{') || ["make_key", "match_pay_band", "act"].contains(&name);
            assert_eq!(names, answers.contains_key("404"), "{method} {path}");
            let in_path = operation["parameters"].as_array().into_iter().flatten().filter(|one| one["in"] == "path");
            assert_eq!(in_path.count(), path.matches('{').count(), "{method} {path}");
        }
    }
}

#[test]
fn no_member_of_the_document_is_null_and_no_parameter_takes_null() {
    fn look(at: &str, value: &Value) {
        match value {
            Value::Object(members) => members.iter().for_each(|(name, member)| look(&format!("{at}/{name}"), member)),
            Value::Array(items) => items.iter().enumerate().for_each(|(n, item)| look(&format!("{at}/{n}"), item)),
            Value::Null => panic!("{at} is null"),
            _ => {}
        }
    }
    let document = renmen_api::document();
    look("", &document);
    for (path, item) in document["paths"].as_object().unwrap() {
        for operation in item.as_object().unwrap().values() {
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                assert!(!parameter["schema"].to_string().contains("null"), "{path}: {parameter}");
            }
        }
    }
}

#[test]
fn every_entity_has_a_collection_whose_body_is_its_schema() {
    let document = renmen_api::document();
    for kind in EntityKind::ALL {
        let list = &document["paths"][format!("/v1/{}", kind.collection())]["get"];
        let reference = list["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].as_str().unwrap();
        let list = &document.pointer(&reference[1..]).unwrap()["properties"]["data"]["items"]["$ref"];
        let record = document.pointer(&list.as_str().unwrap()[1..]).unwrap();
        assert_eq!(record["properties"]["entity"]["const"], kind.name());
        let body = record["properties"]["body"]["anyOf"][0]["$ref"].as_str().unwrap();
        let body = document.pointer(&body[1..]).unwrap();
        assert_eq!(body["properties"].as_object().unwrap().len(), properties_of(*kind));
    }
}

fn properties_of(kind: EntityKind) -> usize {
    renmen_schema::json_schema(kind)["properties"].as_object().unwrap().len()
}

#[tokio::test]
async fn the_document_and_its_page_need_no_key_and_load_nothing_from_elsewhere() {
    let rig = Rig::new().await;
    for path in ["/openapi.json", "/docs", "/docs/docs.js", "/docs/docs.css"] {
        let response = rig.send("GET", path, None, &[]).await;
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        let answer = crate::rig::Answer::read(response).await;
        if path.starts_with("/docs") {
            assert!(!answer.text.contains("://"), "{path} names another origin");
        }
    }
    let page = rig.send("GET", "/docs", None, &[]).await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap();
    assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"));
    assert_eq!(rig.get("/openapi.json").await.json(), renmen_api::document());
}
