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
    let file = renmen_api::document_file();
    if std::env::var_os(UPDATE).is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &file).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert_eq!(serde_json::from_str::<Value>(&file).unwrap(), renmen_api::document());
    assert!(
        kept == file,
        "docs/openapi.json is not what the code says: run this test with {UPDATE}=1 and look at the difference"
    );
}

/// A generated client takes the first media type that it finds.
#[tokio::test]
async fn json_is_the_first_media_type_of_every_answer_that_has_it() {
    let served = Rig::new().await.get("/openapi.json").await.text;
    for text in [renmen_api::document_file(), served] {
        let contents: Vec<&str> = text.split("\"content\":").skip(1).map(str::trim_start).collect();
        assert!(contents.len() > 100, "{}", contents.len());
        for content in contents {
            let first = content.trim_start_matches('{').trim_start();
            // The only answer with two media types, which sort the other way.
            assert!(!first.starts_with("\"application/cloudevents-batch+json\""), "{}", &first[..60]);
        }
    }
    let both = &renmen_api::document()["paths"]["/v1/changes"]["get"]["responses"]["200"]["content"];
    assert_eq!(both.as_object().unwrap().len(), 2);
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
            // A name in the path, in the body, or in a parameter of a question may name nothing.
            let asks = path.starts_with("/v1/insights/");
            let of_a_body =
                ["make_key", "match_pay_band", "act", "decide_people", "decide_units", "post_journal"].contains(&name);
            let names = asks || of_a_body || path.contains('{');
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
    for path in ["/openapi.json", "/docs", "/docs/docs.js", "/docs/schema.js", "/docs/docs.css"] {
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

const SCRIPTS: [&str; 2] = [include_str!("../../assets/docs.js"), include_str!("../../assets/schema.js")];

#[test]
fn nothing_in_the_document_can_become_a_script_of_its_page() {
    for way in
        ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "Function(", "setAttribute(\"on"]
    {
        assert!(SCRIPTS.iter().all(|script| !script.contains(way)), "{way}");
    }
}

#[test]
fn the_page_has_the_same_words_in_both_languages() {
    let (_, words) = SCRIPTS[0].split_once("const LANGUAGES = {").unwrap();
    let (words, _) = words.split_once("\n};").unwrap();
    let (english, chinese) = words.split_once("\n  zh: {").unwrap();
    let english = english.trim_start().strip_prefix("en: {").unwrap();
    // What stands between quotes is a word, and what is left is the keys.
    let parts = |words: &str, odd: usize| {
        words
            .split(['"', '`'])
            .enumerate()
            .filter(|(at, _)| at % 2 == odd)
            .map(|(_, part)| part.to_owned())
            .collect::<Vec<_>>()
    };
    let keys = |words: &str| {
        let code = parts(words, 0).concat();
        code.split_whitespace().filter_map(|word| Some(word.strip_suffix(':')?.to_owned())).collect::<BTreeSet<_>>()
    };
    assert_eq!(keys(english), keys(chinese));
    assert!(keys(english).len() > 20, "{:?}", keys(english));
    let (english, chinese) = (parts(english, 1), parts(chinese, 1));
    for (english, chinese) in english.iter().zip(&chinese).filter(|(english, _)| english.contains(char::is_alphabetic))
    {
        // The hint of the search names paths, which are the same in every language.
        assert!(!chinese.is_ascii() || english.contains("employees"), "{english}: {chinese}");
    }
}
