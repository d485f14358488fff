//! What an item becomes.

use hmac::{Hmac, KeyInit as _, Mac as _};
use renmen_plugin::testing::{Host, SealCall};
use renmen_schema::{EntityKind, canonicalize};
use serde_json::json;
use sha2::Sha256;

use crate::world::{body, map, pull_all};

const URL: &str = "https://hr.example/v1/staff";

const MAPPING: &str = r#"
[api]
base = "{config/base_url}"

[maps]
status = { active = "ACTIVE", gone = "TERMINATED" }

[streams.staff]
request = { path = "/staff" }
items = "/data"
when = { "/kind" = ["person", ""] }

[[streams.staff.records]]
entity = "employee"
id = "/id"
updated = "/changed"
deleted = { "/status" = "removed" }

[streams.staff.records.fields]
"/person/names/formatted" = { from = ["/display", "/name"], required = true }
"/person/emails/0/address" = "/mail"
"/person/phones" = { each = "/phones", when = { "/no" = "*" }, fields = { "/number" = "/no" }, set = { "/kind" = "WORK" } }
"/number" = { from = "/columns/[code=number]/values/0/value", blank = ["-"] }
"/work/status" = [{ value = { code = "LEAVE" }, when = { "/away" = true } }, { from = "/status", as = "code", map = "status" }]
"/work/title" = { from = "/extra", json = "/job/title" }
"/work/manager" = { from = "/manager", as = "ref" }
"/work/hire_date" = { from = "/hired", as = "date" }

[streams.staff.records.set]
"/person/emails/0/kind" = "WORK"

[[streams.staff.records]]
entity = "assignment"
each = "/jobs"
id = "{/unit}-{/title}"
[streams.staff.records.fields]
"/employee" = { from = "/of", as = "ref" }
"/title" = "/title"
"/org_unit" = { from = "/unit", as = "ref" }
"#;

fn one(row: serde_json::Value) -> renmen_plugin::testing::Run {
    map(MAPPING);
    pull_all(&Host::new().answer("GET", URL, 200, json!({ "data": [row] }).to_string()), "staff", None).unwrap()
}

#[test]
fn an_item_becomes_several_records_with_nested_fields_lists_lookups_and_coded_columns() {
    let run = one(json!({
        "id": 7, "name": "Wei \"W\"", "mail": "w@x.test", "phones": [{ "no": "1" }, { "no": "" }, { "no": "2" }],
        "columns": [{ "code": "other", "values": [] }, { "code": "number", "values": [{ "value": "E7" }] }],
        "status": "active", "extra": "{\"job\":{\"title\":\"Analyst\"}}", "manager": 3, "hired": "2020-02-29",
        "changed": "2025-12-31T10:00:00+08:00", "jobs": [{ "of": 7, "title": "A", "unit": "u1" }, { "of": 7, "title": "B", "unit": "u2" }],
    }));
    assert_eq!(run.rejects, []);
    let employee = &run.records[0];
    assert_eq!(
        body(employee),
        json!({
            "person": {
                "names": { "formatted": "Wei \"W\"" },
                "emails": [{ "address": "w@x.test", "kind": "WORK" }],
                "phones": [{ "number": "1", "kind": "WORK" }, { "number": "2", "kind": "WORK" }],
            },
            "number": "E7",
            "work": {
                "status": { "code": "ACTIVE", "raw": "active" }, "title": "Analyst",
                "manager": { "external": { "value": "3" } }, "hire_date": "2020-02-29",
            },
        })
    );
    assert_eq!(
        (employee.external_id.as_str(), employee.updated_at_ms, employee.pointer.as_str()),
        ("7", Some(1_767_146_400_000), "/data/0")
    );
    let told: Vec<(&str, &str)> =
        run.records[1..].iter().map(|r| (r.external_id.as_str(), r.pointer.as_str())).collect();
    assert_eq!(told, [("u1-A", "/data/0/jobs/0"), ("u2-B", "/data/0/jobs/1")]);
    for record in &run.records {
        let kind = EntityKind::from_name(&record.entity).unwrap();
        assert!(canonicalize(kind, &record.payload).is_ok(), "{:?}", canonicalize(kind, &record.payload));
    }
}

#[test]
fn an_item_that_makes_several_records_is_never_cut_and_never_makes_a_page_too_large() {
    map(MAPPING);
    let job = |unit: &str| json!({ "of": 7, "title": "A", "unit": unit });
    let rows: Vec<_> = (0..4).map(|id| json!({ "id": id, "name": "A", "jobs": [job(&format!("u{id}"))] })).collect();
    let host = Host::new().answer("GET", URL, 200, json!({ "data": rows }).to_string());
    let (mut cursor, mut sizes) = (None, Vec::new());
    loop {
        let page = crate::world::page(&host, "staff", cursor, 3).unwrap();
        sizes.push(page.records.len());
        cursor = page.next;
        if !page.has_more {
            break;
        }
    }
    assert_eq!(sizes, [2, 2, 2, 2]);
}

#[test]
fn what_is_absent_null_or_blank_is_left_out_with_the_constants_beside_it() {
    let run = one(
        json!({ "id": "7", "name": "A", "mail": " ", "phones": null, "manager": null, "extra": "", "columns": [] }),
    );
    assert_eq!(body(&run.records[0]), json!({ "person": { "names": { "formatted": "A" } } }));
    let run = one(
        json!({ "id": "7", "name": "A", "away": true, "status": "active", "columns": [{ "code": "number", "values": [{ "value": "-" }] }] }),
    );
    assert_eq!(body(&run.records[0])["work"], json!({ "status": { "code": "LEAVE" } }));
    assert_eq!(body(&run.records[0]).get("number"), None);
}

#[test]
fn filters_leave_items_out_and_a_flag_means_gone() {
    assert_eq!(one(json!({ "id": "7", "name": "A", "kind": "robot" })).records.len(), 0);
    let run = one(json!({ "id": "7", "kind": "person", "status": "removed" }));
    assert_eq!((run.records[0].deleted, run.records[0].payload.len()), (true, 0));
}

#[test]
fn a_bad_item_is_set_aside_with_the_vendors_name_for_the_member_and_its_bytes() {
    for (row, told) in [
        (json!({ "id": "7" }), "/display or /name: nothing"),
        (json!({ "id": "7", "name": ["Canary"] }), "/name: a list"),
        (json!({ "name": "A" }), "/id: nothing"),
        (json!({ "id": { "a": 1 }, "name": "A" }), "/id: an object"),
        (json!({ "id": "7", "name": "A", "hired": "2023-02-29" }), "/hired: a text that is not a day"),
        (json!({ "id": "7", "name": "A", "extra": "Canary" }), "/extra: a text that is not JSON"),
        (json!({ "id": "7", "name": "A", "phones": "Canary" }), "/phones: a text; expected a list"),
        (json!({ "id": "7", "name": "A", "changed": "Canary" }), "/changed: a text that is not a point in time"),
    ] {
        let run = one(row.clone());
        assert_eq!((run.records.len(), run.rejects.len()), (0, 1), "{row}");
        assert!(run.rejects[0].reason.starts_with(told), "{}", run.rejects[0].reason);
        assert!(!run.rejects[0].reason.contains("Canary"));
        assert_eq!(run.rejects[0].raw, row.to_string().into_bytes());
    }
}

#[test]
fn a_pointer_that_meets_nothing_is_told_after_the_first_page() {
    map(MAPPING);
    let host =
        Host::new().answer("GET", URL, 200, json!({ "data": [{ "id": "7", "name": "A", "mail": "m" }] }).to_string());
    let page = crate::world::page(&host, "staff", None, 10).unwrap();
    let told: Vec<String> = host.logs().into_iter().map(|(_, line)| line).collect();
    assert!(told.iter().any(|line| line.contains("`/manager`")), "{told:?}");
    assert!(!told.iter().any(|line| line.contains("`/mail`")), "{told:?}");
    assert!(!page.has_more);
}

#[test]
fn an_entry_of_a_list_knows_the_item_around_it_and_where_it_was_found() {
    map(r#"
[api]
base = "{config/base_url}"

[streams.staff]
request = { path = "/staff" }
items = "/data"

[[streams.staff.records]]
entity = "assignment"
each = "/relations/[primary=true]/jobs"
id = "{outer/id}-{/no}"
fields = { "/employee" = { text = "{outer/id}", as = "ref" }, "/title" = "/title" }
"#);
    let relations = json!([{ "primary": false, "jobs": [{ "no": 1 }] }, { "primary": true, "jobs": [{ "no": 2, "title": "Analyst" }, { "no": 3 }] }]);
    let answer = json!({ "data": [{ "id": 7, "relations": relations }, { "id": 8, "relations": [] }] }).to_string();
    let run = pull_all(&Host::new().answer("GET", URL, 200, answer), "staff", None).unwrap();
    let seen: Vec<_> =
        run.records.iter().map(|record| (record.external_id.as_str(), record.pointer.as_str())).collect();
    assert_eq!(seen, [("7-2", "/data/0/relations/1/jobs/0"), ("7-3", "/data/0/relations/1/jobs/1")]);
    assert_eq!(body(&run.records[0])["employee"], json!({ "external": { "value": "7" } }));
    assert_eq!(body(&run.records[0])["title"], "Analyst");
}

#[test]
fn a_pseudonym_is_the_same_for_the_same_value_and_another_by_another_key() {
    let mapping = MAPPING.replacen(
        "\"/work/title\" =",
        "\"/work/grade\" = { text = \"{/secret | pseudonym 'names'}\" }\n\"/work/title\" =",
        1,
    );
    map(&mapping);
    let made = |key: &'static str, secret: serde_json::Value| {
        let row = json!({ "id": 7, "name": "Wei", "secret": secret });
        let sign = move |call: &SealCall| {
            assert_eq!((call.function, call.slot.as_str()), ("sign", "names"));
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).unwrap();
            call.parts.iter().for_each(|part| mac.update(part));
            Ok(mac.finalize().into_bytes().to_vec())
        };
        let host = Host::new().on_seal(sign).answer("GET", URL, 200, json!({ "data": [row] }).to_string());
        let run = pull_all(&host, "staff", None).unwrap();
        body(&run.records[0])["work"]["grade"].as_str().map(str::to_owned)
    };
    let one = made("key", json!("E1")).unwrap();
    assert_eq!((one.len(), made("key", json!(" E1 ")).as_ref()), (32, Some(&one)));
    assert_ne!(made("key", json!("E2")).unwrap(), one);
    assert_ne!(made("other", json!("E1")).unwrap(), one);
    assert_eq!(made("key", json!(null)), None);
    // Without a key the record is set aside.
    let host = Host::new().answer(
        "GET",
        URL,
        200,
        json!({ "data": [{ "id": 7, "name": "Wei", "secret": "E1" }] }).to_string(),
    );
    let run = pull_all(&host, "staff", None).unwrap();
    assert!(run.records.is_empty() && !format!("{:?}", run.rejects).contains("E1"));
}
