//! Collections and single records.

use std::collections::BTreeSet;

use axum::http::StatusCode;
use renmen_api::{ApiOptions, Expand, FollowLimits, Shown, follow};
use renmen_schema::EntityKind;
use renmen_store::{Content, RecordQuery, RecordWrite};
use serde_json::{Value, json};

use crate::rig::{Rig, employee, gone, settled, stream_key};
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

/// An employee with this manager.
fn managed(id: &str, number: &str, manager: &Value) -> RecordWrite {
    let body = json!({ "person": {}, "number": number, "work": { "manager": manager } }).to_string().into_bytes();
    RecordWrite { content: Content::of("employee", body), ..employee(id, number) }
}

#[tokio::test]
async fn a_list_says_what_its_references_mean_and_brings_each_record_that_is_meant_once() {
    let rig = Rig::new().await;
    rig.employees(&[("boss", "E1"), ("twin1", "E7"), ("twin2", "E7")]).await;
    let boss = rig.get("/v1/employees?external_id=boss").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let by = |number: &str| json!({ "key": { "scheme": "employee_number", "value": number } });
    rig.commit(
        vec![
            managed("u1", "E2", &by("E1")),
            managed("u2", "E3", &json!({ "external": { "value": "boss" } })),
            managed("u3", "E4", &json!({ "id": boss })),
            managed("u4", "E5", &by("E7")),
            managed("u5", "E6", &by("E9")),
            managed("u6", "E8", &json!({ "external": { "connection": "elsewhere", "value": "boss" } })),
        ],
        Vec::new(),
    )
    .await;
    for names in ["work.manager", "all", "work.job,work.manager"] {
        let list = rig.get(&format!("/v1/employees?expand={names}")).await.json();
        let states = |id: &str| {
            let rows = list["data"].as_array().unwrap();
            let row = rows.iter().find(|row| row["external_ids"][0]["value"] == id).unwrap();
            assert_eq!(row["references_truncated"], false);
            let references = row["references"].as_array().unwrap();
            references.iter().map(|one| (one["state"].clone(), one["id"].clone())).collect::<Vec<_>>()
        };
        for id in ["u1", "u2", "u3"] {
            assert_eq!(states(id), [(json!("linked"), json!(boss))], "{id} by {names}");
        }
        assert_eq!(states("u4"), [(json!("ambiguous"), Value::Null)]);
        assert_eq!(states("u5"), [(json!("waiting"), Value::Null)]);
        assert_eq!(states("u6"), [(json!("waiting"), Value::Null)]);
        assert!(states("boss").is_empty());
        let expanded = list["expanded"].as_object().unwrap();
        assert_eq!(expanded.keys().collect::<Vec<_>>(), [&boss], "three refer to it, and it is there once");
        assert_eq!(expanded[&boss]["body"]["number"], "E1");
        assert_eq!(list["expanded_truncated"], false);
    }
    let one = rig.get("/v1/employees?external_id=u1").await.json()["data"][0]["id"].as_str().unwrap().to_owned();
    let detail = rig.get(&format!("/v1/employees/{one}?expand=work.manager")).await.json();
    assert_eq!(detail["references"][0]["id"], json!(boss));
    assert_eq!(detail["expanded"][&boss]["entity"], "employee");
    let both = rig.get(&format!("/v1/employees/{one}?include=references&expand=work.job")).await.json();
    assert_eq!(
        (&both["references"][0]["id"], &both["expanded"]),
        (&json!(boss), &json!({})),
        "shown, and not followed"
    );
    let plain = rig.get("/v1/employees").await.json();
    assert!(plain.get("expanded").is_none() && plain["data"][0].get("references").is_none());
}

#[tokio::test]
async fn a_wrong_name_is_refused_with_the_right_ones_on_every_list() {
    let rig = Rig::new().await;
    let problem = rig.get("/v1/applications?expand=candidates").await.problem("invalid_parameter");
    assert_eq!(
        problem["detail"],
        "`expand` must be `all` or some of `candidate`, `data_policy.consent`, `job`, each once, separated by commas"
    );
    for kind in EntityKind::ALL {
        let list = format!("/v1/{}", kind.collection());
        rig.get_where_allowed(&format!("{list}?expand=nothing")).await.problem("invalid_parameter");
        let all = rig.get_where_allowed(&format!("{list}?expand=all")).await;
        assert_eq!(all.json()["expanded"], json!({}), "{list}: {}", all.text);
    }
}

#[tokio::test]
async fn references_beyond_the_limit_are_not_looked_up_and_bodies_beyond_it_not_sent_and_both_is_said() {
    let options = ApiOptions { references_max: 2, page_bytes_max: 700, ..ApiOptions::default() };
    let rig = Rig::with(options, ScriptedControl::default()).await;
    let by = |id: &str| json!({ "external": { "value": id } });
    let (small, large) = ("x", "x".repeat(800));
    let named = |id: &str, name: &str| {
        let body = json!({ "person": { "names": { "formatted": name } } }).to_string().into_bytes();
        RecordWrite { content: Content::of("employee", body), ..employee(id, "1") }
    };
    rig.commit(vec![named("z-small", small), named("z-large", &large)], Vec::new()).await;
    rig.commit(vec![managed("a1", "1", &by("z-large")), managed("a2", "2", &by("z-small"))], Vec::new()).await;
    rig.commit(vec![managed("a3", "3", &by("z-small"))], Vec::new()).await;
    let list = rig.get("/v1/employees?expand=all&limit=3").await.json();
    let cut = |at: usize| {
        let row = &list["data"][at];
        (row["references"].as_array().unwrap().len(), row["references_truncated"].as_bool().unwrap())
    };
    assert_eq!([cut(0), cut(1), cut(2)], [(1, false), (1, false), (0, true)]);
    assert_eq!(list["data"][0]["references"][0]["state"], "linked", "its url leads to it");
    assert_eq!(list["expanded"].as_object().unwrap().len(), 1, "the small one");
    assert_eq!(list["expanded_truncated"], true);
    let list = rig.get("/v1/employees?expand=all&limit=2").await.json();
    assert_eq!(list["data"][1]["references_truncated"], false);
}

#[tokio::test]
async fn a_record_that_the_key_may_not_read_is_not_looked_up_and_that_is_said() {
    let rig = Rig::new().await;
    rig.employees(&[("boss", "E1")]).await;
    rig.commit(vec![managed("u1", "E2", &json!({ "external": { "value": "boss" } }))], Vec::new()).await;
    let (tenant, query) =
        (stream_key().tenant, RecordQuery { external_id: Some("u1".into()), limit: 1, ..RecordQuery::default() });
    let rows = rig.store.records(&tenant, &query).await.unwrap().items;
    let kind = EntityKind::Employee;
    let shown = Shown { references: Expand::all(kind), records: Expand::all(kind) };
    let limits = FollowLimits { references_max: 10, bytes_max: 1_000 };
    let asked = async |may: bool| {
        let followed = follow(&*rig.store, &tenant, (kind, &rows), &shown, &|_| may, limits).await.unwrap();
        (serde_json::to_value(&followed.references[0].0).unwrap(), followed.records.len())
    };
    let (references, records) = asked(true).await;
    assert_eq!((&references[0]["state"], records), (&json!("linked"), 1));
    let (references, records) = asked(false).await;
    assert_eq!((&references[0]["state"], records), (&json!("withheld"), 0));
    assert_eq!((&references[0]["id"], &references[0]["external_id"]), (&Value::Null, &Value::Null));
}
