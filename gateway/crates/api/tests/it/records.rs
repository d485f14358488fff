//! Collections and single records.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use renmen_api::ApiOptions;
use renmen_store::{Content, RecordWrite};
use serde_json::{Value, json};

use crate::rig::{Rig, employee, gone, settled};
use crate::scripted_control::ScriptedControl;

fn external_ids(list: &Value) -> Vec<&str> {
    let rows = list["data"].as_array().unwrap();
    rows.iter().map(|row| row["external_ids"][0]["value"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_record_has_its_envelope_flat_and_its_body_untouched() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let list = rig.get("/v1/employees").await;
    assert_eq!(list.status, StatusCode::OK);
    assert!(list.text.contains(std::str::from_utf8(employee("u1", "001").body()).unwrap()));
    insta::assert_json_snapshot!("list_of_employees", settled(list.json()));
}

#[tokio::test]
async fn who_follows_the_cursor_meets_every_record_once_and_in_order() {
    let rig = Rig::new().await;
    for page in 0..5 {
        let ids: Vec<_> = (0..3).map(|n| format!("u{page}-{n}")).collect();
        let ids: Vec<_> = ids.iter().map(|id| (id.as_str(), "1")).collect();
        rig.employees(&ids).await;
    }
    let mut seen = Vec::new();
    let mut path = "/v1/employees?limit=4".to_owned();
    for _ in 0..10 {
        let list = rig.get(&path).await.json();
        seen.extend(external_ids(&list).into_iter().map(ToOwned::to_owned));
        let Some(next) = list["next_cursor"].as_str() else { break };
        path = format!("/v1/employees?limit=4&cursor={next}");
    }
    assert_eq!(seen.len(), 15);
    assert_eq!(seen.iter().collect::<BTreeSet<_>>().len(), 15);
}

#[tokio::test]
async fn filters_narrow_the_list_and_tombstones_are_left_out_unless_asked_for() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001"), ("u2", "002")]).await;
    rig.commit(vec![gone("u2")], Vec::new()).await;
    rig.employees(&[("u3", "003")]).await;
    let asked = async |query: &str| {
        let list = rig.get(&format!("/v1/employees?{query}")).await;
        assert_eq!(list.status, StatusCode::OK, "{}", list.text);
        external_ids(&list.json())
            .into_iter()
            .map(ToOwned::to_owned)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect::<Vec<_>>()
    };
    assert_eq!(asked("").await, ["u1", "u3"]);
    assert_eq!(asked("deleted=exclude").await, ["u1", "u3"]);
    assert_eq!(asked("deleted=only").await, ["u2"]);
    assert_eq!(asked("deleted=include").await, ["u1", "u2", "u3"]);
    assert_eq!(asked("external_id=u1").await, ["u1"]);
    assert_eq!(asked("external_id=nobody").await, [""; 0]);
    // Longer in bytes than any id in the store: the cursor is fine, there is just no record with that id.
    assert_eq!(asked(&format!("external_id={}", "%E5%BC%A0".repeat(171))).await, [""; 0]);
    assert_eq!(asked("connection=hr").await, ["u1", "u3"]);
    assert_eq!(asked("connection=payroll").await, [""; 0]);
    // R78: by change time, with any offset.
    assert_eq!(asked("updated_since=2023-11-14T22:13:22Z").await, ["u3"]);
    assert_eq!(asked("updated_since=2023-11-15T06:13:22%2B08:00").await, ["u3"]);
}

#[tokio::test]
async fn a_tombstone_says_who_found_it_and_keeps_the_last_body() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    rig.commit(vec![gone("u1")], Vec::new()).await;
    let list = rig.get("/v1/employees?deleted=only").await.json();
    assert_eq!(list["data"][0]["deletion"]["detected_by"], "SOURCE_FLAG");
    assert_eq!(list["data"][0]["body"]["number"], "001");
    assert_eq!(list["data"][0]["revision"], 2);
}

#[tokio::test]
async fn a_value_is_traced_to_connection_exchange_pointer_and_plugin_version() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    rig.employees(&[("u1", "002")]).await;
    let list = rig.get("/v1/employees").await.json();
    let id = list["data"][0]["id"].as_str().unwrap();
    let detail = rig.get(&format!("/v1/employees/{id}?include=revisions,lineage")).await.json();
    // R29: system, record, field, transform and time of every value.
    insta::assert_json_snapshot!("employee_with_revisions_and_lineage", settled(detail.clone()));
    let exchange = rig.get(detail["lineage"]["origin"]["exchange_url"].as_str().unwrap()).await;
    assert_eq!(exchange.status, StatusCode::OK);
    insta::assert_json_snapshot!("exchange", settled(exchange.json()));
    let plain = rig.get(&format!("/v1/employees/{id}")).await.json();
    assert!(plain.get("lineage").is_none() && plain.get("revisions").is_none());
}

#[tokio::test]
async fn an_id_of_another_tenant_another_collection_or_nobody_is_not_found() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let list = rig.get("/v1/employees").await.json();
    let id = list["data"][0]["id"].as_str().unwrap();
    let theirs = rig.send("GET", &format!("/v1/employees/{id}"), Some(&rig.other), &[]).await;
    let theirs = crate::rig::Answer::read(theirs).await;
    theirs.problem("not_found");
    let nobody = rig.get("/v1/employees/0194d6a0-0000-7000-8000-000000000000").await;
    nobody.problem("not_found");
    assert_eq!(settled(theirs.json()), settled(nobody.json()));
    rig.get(&format!("/v1/pay-bands/{id}")).await.problem("not_found");
    rig.get("/v1/employees/17").await.problem("not_found");
    rig.get("/v1/exchanges/999-0").await.problem("not_found");
    rig.get("/v1/exchanges/none").await.problem("not_found");
    let none = rig.send("GET", "/v1/employees", Some(&rig.other), &[]).await;
    assert_eq!(crate::rig::Answer::read(none).await.json()["data"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_page_ends_early_rather_than_grow_beyond_its_bytes_and_nothing_is_missed() {
    let options = ApiOptions { page_bytes_max: 200, ..ApiOptions::default() };
    let rig = Rig::with(options, ScriptedControl::default()).await;
    rig.employees(&[("u1", "1"), ("u2", "2"), ("u3", "3"), ("u4", "4"), ("u5", "5")]).await;
    let mut seen = Vec::new();
    let mut path = "/v1/employees".to_owned();
    for _ in 0..10 {
        let list = rig.get(&path).await.json();
        let page = external_ids(&list);
        assert!(page.len() <= 3, "{page:?}");
        seen.extend(page.into_iter().map(ToOwned::to_owned));
        let Some(next) = list["next_cursor"].as_str() else { break };
        path = format!("/v1/employees?cursor={next}");
    }
    assert_eq!(seen, ["u1", "u2", "u3", "u4", "u5"]);
}

#[tokio::test]
async fn a_record_that_is_larger_than_a_page_still_comes() {
    let options = ApiOptions { page_bytes_max: 1, ..ApiOptions::default() };
    let rig = Rig::with(options, ScriptedControl::default()).await;
    rig.employees(&[("u1", "1"), ("u2", "2")]).await;
    let list = rig.get("/v1/employees").await.json();
    assert_eq!(external_ids(&list), ["u1"]);
    assert!(list["next_cursor"].is_string());
}

#[tokio::test]
async fn more_revisions_than_are_shown_are_told_of() {
    let options = ApiOptions { revisions_max: 2, ..ApiOptions::default() };
    let rig = Rig::with(options, ScriptedControl::default()).await;
    rig.employees(&[("u1", "1")]).await;
    rig.employees(&[("u1", "2")]).await;
    let id = rig.get("/v1/employees").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/employees/{id}?include=revisions");
    assert_eq!(rig.get(&path).await.json()["revisions_truncated"], false);
    rig.employees(&[("u1", "3")]).await;
    let more = rig.get(&path).await.json();
    assert_eq!(more["revisions_truncated"], true);
    assert_eq!(more["revisions"].as_array().unwrap().len(), 2);
    assert_eq!(more["revisions"][0]["body"]["number"], "3");
}

#[tokio::test]
async fn a_list_goes_on_behind_the_longest_id_that_a_vendor_may_give() {
    let rig = Rig::new().await;
    let long = |last: &str| format!("{}{last}", "x".repeat(1023));
    rig.employees(&[(&long("1"), "001"), (&long("2"), "002")]).await;
    for filter in ["", "&connection=hr", "&updated_since=2020-01-01T00:00:00Z"] {
        let first = rig.get(&format!("/v1/employees?limit=1{filter}")).await.json();
        let next = first["next_cursor"].as_str().unwrap();
        let rest = rig.get(&format!("/v1/employees?limit=1{filter}&cursor={next}")).await;
        assert_eq!(rest.json()["data"][0]["external_ids"][0]["value"], long("2"), "{filter}: {}", rest.text);
    }
}

#[tokio::test]
async fn what_the_document_does_not_allow_is_refused() {
    let rig = Rig::new().await;
    rig.employees(&[("u1", "001")]).await;
    let id = rig.get("/v1/employees").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    for (path, code) in [
        ("/v1/employees?cursor=".to_owned(), "invalid_cursor"),
        (format!("/v1/employees?cursor={}", "0".repeat(2083)), "invalid_parameter"),
        (format!("/v1/employees/{id}?include=lineage,revisions,lineage"), "invalid_parameter"),
        (format!("/v1/employees/{id}?include="), "invalid_parameter"),
        ("/v1/deliveries?flow=%C2%85".to_owned(), "invalid_parameter"),
        ("/v1/deliveries?flow=a:b:c:d".to_owned(), "invalid_parameter"),
        ("/v1/changes?after=".to_owned(), "invalid_cursor"),
    ] {
        rig.get(&path).await.problem(code);
    }
    assert_eq!(rig.get(&format!("/v1/employees/{id}?include=lineage,revisions")).await.status, StatusCode::OK);
    assert_eq!(rig.get("/v1/deliveries?flow=endpoint:hr:employee").await.status, StatusCode::OK);
}

#[tokio::test]
async fn references_are_shown_with_the_record_that_they_mean_and_health_counts_the_others() {
    let rig = Rig::new().await;
    let manager = |number: &str| json!({ "key": { "scheme": "employee_number", "value": number } });
    let of = |id: &str, number: &str, manager: Value| {
        let body = json!({ "person": {}, "number": number, "work": { "manager": manager } }).to_string().into_bytes();
        RecordWrite { content: Content::of("employee", body), ..employee(id, number) }
    };
    let external = json!({ "external": { "value": "u1" } });
    let records = vec![of("u1", "E1", manager("E2")), of("u2", "E2", external), of("u3", "E3", manager("E9"))];
    rig.commit(records, Vec::new()).await;
    let list = rig.get("/v1/employees").await.json();
    let id = |at: usize| list["data"][at]["id"].as_str().unwrap().to_owned();
    let shown = async |at: usize| {
        let detail = rig.get(&format!("/v1/employees/{}?include=references", id(at))).await.json();
        assert_eq!(detail["references_truncated"], false);
        detail["references"].clone()
    };
    let linked = |scheme: Value, to: usize, external_id: &str| {
        let id = id(to);
        json!([{ "path": "/work/manager", "entity": "employee", "scheme": scheme, "state": "linked", "matches": null, "id": id,
                 "url": format!("/v1/employees/{id}"), "connection": "hr", "external_id": external_id }])
    };
    assert_eq!(shown(0).await, linked(json!("employee_number"), 1, "u2"));
    assert_eq!(shown(1).await, linked(Value::Null, 0, "u1"));
    let waits = shown(2).await;
    assert_eq!((&waits[0]["state"], &waits[0]["id"]), (&json!("waiting"), &Value::Null));

    let health = rig.get("/v1/health").await.json();
    let unresolved = &health["unresolved_references"];
    assert_eq!(unresolved.as_array().unwrap().len(), 1);
    assert_eq!((&unresolved[0]["scheme"], &unresolved[0]["state"]), (&json!("employee_number"), &json!("waiting")));
    assert_eq!((&unresolved[0]["references"], &unresolved[0]["values"]), (&json!(1), &json!(1)));
    assert!(!health.to_string().contains("E9"), "the value belongs to a person");

    rig.commit(vec![of("u4", "E9", Value::Null), of("u5", "E9", Value::Null)], Vec::new()).await;
    let ambiguous = shown(2).await;
    assert_eq!((&ambiguous[0]["state"], &ambiguous[0]["matches"]), (&json!("ambiguous"), &json!(2)));
    let health = rig.get("/v1/health").await.json();
    assert_eq!(health["unresolved_references"][0]["matches_max"], 2);
    rig.commit(vec![gone("u5")], Vec::new()).await;
    assert_eq!(shown(2).await[0]["state"], "linked");
    assert_eq!(rig.get("/v1/health").await.json()["unresolved_references"], json!([]));
}
