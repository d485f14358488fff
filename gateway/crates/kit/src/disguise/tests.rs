#![allow(clippy::unwrap_used)]
use renmen_egress::Response;
use renmen_plugin_host::{Coverage, Envelope, Page, Reject, Usage};
use serde_json::json;

use super::*;

const MANIFEST: &str = r#"
name = "a"
version = "1.0.0"
description = ""
contract = "0.2.0"
[http]
hosts = ["{base_url}"]
[streams.employees]
description = ""
entities = ["employee"]
[lineage.employee]
"/person/names/formatted" = "/name"
"/person/phones/0/number" = "/contact/mobile"
"/person/emails/0/address" = "/mail"
"/work/status" = "/state"
"/work/hire_date" = "/hired"
"/number" = "/no"
"/work/manager" = "/boss/id"
"/work/org_unit" = "/unit"
"#;

fn exchange(url: &str, body: &Value) -> Arc<Exchange> {
    Arc::new(Exchange {
        method: "GET".into(),
        url: url.into(),
        request_headers: vec![],
        request_body: None,
        response: Response {
            status: 200,
            headers: vec![
                ("content-type".into(), "application/json".into()),
                ("x-request-id".into(), "canary-request".into()),
            ],
            body: body.to_string().into(),
        },
        at_ms: 0,
        took_ms: 1,
    })
}

fn people() -> Value {
    json!({ "data": [
        {
            "id": "zhaoxm", "name": "赵晓明", "contact": { "mobile": "13912345678" }, "mail": "zhao@corp.test",
            "state": "在职", "hired": "2024-02-29", "no": "E0001", "idCardNo": "110105199001011237", "leaderId": "qianj1",
            "homeAddress": "三里屯路 7 号", "salary": { "amount": 61234.5, "currency": "CNY" }, "note": "欧阳静 is the deputy of 赵晓明 (13912345678)", "vip": true, "version": 3,
        },
        { "id": "qianj1", "name": "欧阳静", "contact": { "mobile": "13987654321" }, "mail": "q@corp.test", "state": "离职",
          "hired": "2020-01-01", "no": "E0002", "leaderId": null },
    ], "next": "page-2", "access_token": "canary-token-1" })
}

/// What a connector makes of one row.
fn record(index: usize, row: &Value) -> Envelope {
    let mut payload = json!({
        "person": {
            "names": { "formatted": row["name"] }, "phones": [{ "number": row["contact"]["mobile"] }],
            "emails": [{ "address": row["mail"] }],
        },
        "number": row["no"], "work": { "status": { "code": "ACTIVE", "raw": row["state"] }, "hire_date": row["hired"] },
    });
    for (place, id) in [("manager", &row["boss"]["id"]), ("org_unit", &row["unit"])] {
        if !id.is_null() {
            payload["work"][place] = json!({ "external": { "value": id } });
        }
    }
    Envelope {
        entity: "employee".into(),
        external_id: row["id"].as_str().unwrap().into(),
        updated_at_ms: None,
        deleted: false,
        exchange: 0,
        pointer: format!("/data/{index}"),
        payload: payload.to_string().into_bytes(),
    }
}

fn worker(exchange: &Arc<Exchange>, body: &Value) -> Worker {
    let rows = body["data"].as_array().unwrap();
    learned(exchange, rows.iter().enumerate().map(|(index, row)| record(index, row)).collect(), vec![])
}

fn learned(exchange: &Arc<Exchange>, records: Vec<Envelope>, rejects: Vec<Reject>) -> Worker {
    let page = Page {
        records,
        rejects,
        next: None,
        has_more: false,
        findings: Vec::new(),
        omissions: Vec::new(),
        total: None,
        coverage: Coverage::Changes,
        exchanges: vec![exchange.clone()],
        memory: None,
        usage: Usage::default(),
    };
    let manifest = Manifest::parse(MANIFEST).unwrap();
    let mut plan = Plan::default();
    plan.learn(&page, &manifest);
    let origins = origins(&manifest, &json!({ "base_url": "https://hr.corp.test:8443/v1" }));
    let mut worker = Worker { inventor: Inventor::new([1; 32]), origins, searched: None, plan, values: 0 };
    worker.search_for_values().unwrap();
    worker
}

#[test]
fn no_person_no_credential_and_no_address_is_left() {
    let body = people();
    let real = exchange("https://hr.corp.test:8443/v1/staff?leader=zhaoxm&mail=zhao%40corp.test&limit=10", &body);
    let mut worker = worker(&real, &body);
    let made = worker.exchange(&real).unwrap();
    let text = format!("{} {} {:?}", made.url, String::from_utf8_lossy(&made.response.body), made.response.headers);
    for canary in [
        "赵晓明",
        "欧阳静",
        "13912345678",
        "13987654321",
        "zhao@corp.test",
        "q@corp.test",
        "110105199001011237",
        "三里屯",
        "zhaoxm",
        "qianj1",
        "canary-token-1",
        "canary-request",
        "corp.test",
        "zhao%40",
    ] {
        assert!(!text.contains(canary), "{canary} is left in {text}");
    }
    let disguised = Disguised { exchanges: vec![Arc::new(made)], config: Value::Null, values: 0 };
    assert!(nothing_is_left(&worker.plan, &disguised).is_ok());
    let untouched = Disguised { exchanges: vec![real], config: Value::Null, values: 0 };
    assert!(nothing_is_left(&worker.plan, &untouched).is_err(), "the last look must be able to find something");
}

#[test]
fn what_the_mapping_is_tested_with_stays() {
    let body = people();
    let real = exchange("https://hr.corp.test:8443/v1/staff?limit=10", &body);
    let made = worker(&real, &body).exchange(&real).unwrap();
    let made: Value = serde_json::from_slice(&made.response.body).unwrap();
    let row = &made["data"][0];
    for (key, value) in
        [("state", json!("在职")), ("hired", json!("2024-02-29")), ("vip", json!(true)), ("version", json!(3))]
    {
        assert_eq!(row[key], value, "{key}");
    }
    assert_eq!(row["salary"]["currency"], "CNY");
    assert_eq!(made["next"], "page-2");
    assert_eq!(made["data"][1]["leaderId"], Value::Null);
}

#[test]
fn the_same_person_is_the_same_made_up_one_everywhere() {
    let body = people();
    let real = exchange("https://hr.corp.test:8443/v1/staff?leader=qianj1", &body);
    let made = worker(&real, &body).exchange(&real).unwrap();
    let body: Value = serde_json::from_slice(&made.response.body).unwrap();
    let (first, second) = (&body["data"][0], &body["data"][1]);
    assert_eq!(first["leaderId"], second["id"]);
    assert!(made.url.ends_with(&format!("leader={}", second["id"].as_str().unwrap())), "{}", made.url);
    assert!(made.url.starts_with("https://base-url.example/v1/staff?"), "{}", made.url);
    let note = first["note"].as_str().unwrap();
    assert!(!note.contains("deputy"), "a sentence about people is made up as a whole: {note}");
    assert!(first["contact"]["mobile"].as_str().unwrap().starts_with("1990000"));
}

/// Rows whose managers are on no page, but for the last one's.
fn team() -> Value {
    json!({ "data": [
        { "id": "staff-0001", "name": "赵晓明", "no": "P0001", "unit": "unit-0001", "boss": { "id": "staff-0900" } },
        { "id": "staff-0002", "name": "欧阳静", "no": "P0002", "unit": "unit-0001", "boss": { "id": "staff-0900" } },
        { "id": "staff-0003", "name": "钱伟", "no": 1042, "unit": "unit-0002", "boss": { "id": "staff-0901" } },
        { "id": "17", "name": "孙佳", "no": "17", "boss": { "id": "18" }, "note": "P0001 and staff-0900" },
        { "id": "18", "name": "李方", "no": "18", "boss": { "id": "staff-0001" } },
    ] })
}

fn made_of(worker: &mut Worker, real: &Exchange) -> (String, Value) {
    let made = worker.exchange(real).unwrap();
    let body = serde_json::from_slice(&made.response.body).unwrap();
    let disguised = Disguised { exchanges: vec![Arc::new(made.clone())], config: Value::Null, values: 0 };
    nothing_is_left(&worker.plan, &disguised).unwrap();
    (made.url, body)
}

#[test]
fn a_reference_to_somebody_who_is_on_no_page_is_made_up_and_still_the_same_one() {
    let body = team();
    let real = exchange("https://hr.corp.test:8443/v1/staff?leader=staff-0900", &body);
    let (url, made) = made_of(&mut worker(&real, &body), &real);
    let text = format!("{url} {made}");
    for id in ["staff-0900", "staff-0901", "staff-0001"] {
        assert!(!text.contains(id), "{id} is left in {text}");
    }
    let rows = &made["data"];
    assert_eq!(rows[0]["boss"]["id"], rows[1]["boss"]["id"]);
    assert_ne!(rows[0]["boss"]["id"], rows[2]["boss"]["id"]);
    assert_eq!(rows[4]["boss"]["id"], rows[0]["id"], "one who is on the page is met there");
    assert!(url.ends_with(&format!("leader={}", rows[0]["boss"]["id"].as_str().unwrap())), "{url}");
    assert_eq!(rows[0]["unit"], "unit-0001", "a unit is not a person");
}

#[test]
fn a_staff_number_is_made_up_wherever_it_stands() {
    let body = team();
    let real = exchange("https://hr.corp.test:8443/v1/staff?no=P0001", &body);
    let (url, made) = made_of(&mut worker(&real, &body), &real);
    let text = format!("{url} {made}");
    assert!(!text.contains("P0001") && !text.contains("P0002") && !text.contains("1042"), "{text}");
    assert!(made["data"][2]["no"].is_u64(), "a number stays a number");
}

#[test]
fn a_short_id_stays_in_all_places_so_that_references_still_match() {
    let body = team();
    let real = exchange("https://hr.corp.test:8443/v1/staff", &body);
    let (_, made) = made_of(&mut worker(&real, &body), &real);
    let (first, second) = (&made["data"][3], &made["data"][4]);
    assert_eq!(first["boss"]["id"], second["id"]);
    assert_eq!((&first["no"], &first["id"]), (&json!("17"), &json!("17")), "this one's staff number is the id");
}

#[test]
fn a_row_that_was_refused_gives_nobody_away_either() {
    let body = team();
    let real = exchange("https://hr.corp.test:8443/v1/staff", &body);
    let refused = Reject {
        entity: "employee".into(),
        external_id: Some("staff-0003".into()),
        exchange: 0,
        pointer: "/data/2".into(),
        reason: "name: too short".into(),
        raw: vec![],
        code: "connector",
    };
    let (_, made) = made_of(&mut learned(&real, vec![record(0, &body["data"][0])], vec![refused]), &real);
    let row = made["data"][2].to_string();
    assert!(!row.contains("staff-0901") && !row.contains("staff-0003") && !row.contains("1042"), "{row}");
}

#[test]
fn an_answer_that_is_no_text_is_refused() {
    let body = people();
    let real = exchange("https://hr.corp.test:8443/v1/staff", &body);
    let mut worker = worker(&real, &body);
    let mut binary = (*real).clone();
    binary.response.body = Bytes::from_static(b"PK\x03\x04\xff\xfe");
    assert!(worker.exchange(&binary).unwrap_err().to_string().contains("neither JSON nor text"));
}

#[test]
fn a_short_name_is_not_torn_out_of_a_word() {
    assert!(!stands_alone("Living", 0, 2) && stands_alone("Li, Wei", 0, 2) && stands_alone("(Wei)", 1, 4));
    assert!(stands_alone("问赵晓明好", 3, 12), "Chinese text has no gaps between words");
}
