//! Approvals: started once, and how they ended.

use connector_feishu::Feishu;
use renmen_plugin::testing::{Host, NOW_MS};
use renmen_plugin::{Action, Failure, FailureKind, Page, Pull, Receipt};
use serde_json::{Value, json};

use crate::{BASE, payload};

const RECORD: &str = "018f3c1e-0000-7000-8000-000000000001";
const FIELD: &str = "widget-about";

fn config() -> Value {
    json!({ "base_url": BASE, "approval_forms": ["FORM-1", "FORM-2"], "approval_reference": FIELD, "approval_days": 1 })
}

fn start_url() -> String {
    format!("{BASE}/open-apis/approval/v4/instances")
}

fn detail_url(code: &str) -> String {
    format!("{}/{code}?user_id_type=open_id", start_url())
}

fn find_url(form: &str, from_ms: i64, to_ms: i64, size: u32) -> String {
    format!("{}?approval_code={form}&start_time={from_ms}&end_time={to_ms}&page_size={size}", start_url())
}

fn push(host: &Host, name: &str, key: &str, input: &Value) -> Result<Receipt, Failure> {
    let action =
        Action { name: name.into(), idempotency_key: key.into(), attempt: 1, input: input.to_string().into_bytes() };
    host.push::<Feishu>(&config(), action)
}

fn border_case() -> Value {
    json!({
        "originator": "ou_hr", "department": "d1", "approvers": { "node-1": ["ou_boss"] },
        "form": [{ "id": "widget-1", "type": "number", "value": 71.5 }], "about": { "kind": "application", "id": RECORD },
    })
}

fn instance(status: &str, about: &str, uuid: &str) -> String {
    json!({ "code": 0, "data": {
        "instance_code": "x", "approval_code": "FORM-1", "status": status, "reverted": false, "open_id": "ou_hr", "uuid": uuid,
        "start_time": NOW_MS.to_string(), "end_time": if status == "PENDING" { "0".to_owned() } else { (NOW_MS + 60_000).to_string() },
        "form": json!([{ "id": FIELD, "name": "系统编号", "type": "input", "value": about }]).to_string(),
    } })
    .to_string()
}

fn ids(codes: &[&str]) -> String {
    json!({ "code": 0, "data": { "instance_code_list": codes, "has_more": false } }).to_string()
}

fn body_of(host: &Host, index: usize) -> Value {
    serde_json::from_slice(&host.request_body(index).unwrap()).unwrap()
}

#[test]
fn an_approval_is_started_with_the_gateways_key_and_what_it_is_about_s08() {
    let host = Host::new().answer("POST", &start_url(), 200, r#"{"code":0,"data":{"instance_code":"I-1"}}"#);
    let receipt = push(&host, "approval.start", "k1", &border_case()).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("I-1"), true));
    let sent = body_of(&host, 0);
    assert_eq!(
        (&sent["approval_code"], &sent["open_id"], &sent["department_id"]),
        (&json!("FORM-1"), &json!("ou_hr"), &json!("d1"))
    );
    assert_eq!(sent["node_approver_open_id_list"], json!([{ "key": "node-1", "value": ["ou_boss"] }]));
    let form: Value = serde_json::from_str(sent["form"].as_str().unwrap()).unwrap();
    assert_eq!(form[1], json!({ "id": FIELD, "type": "input", "value": format!("application/{RECORD}") }));
    let uuid = sent["uuid"].as_str().unwrap().to_owned();
    let again = Host::new().answer("POST", &start_url(), 200, r#"{"code":0,"data":{"instance_code":"I-1"}}"#);
    push(&again, "approval.start", "k1", &border_case()).unwrap();
    assert_eq!(body_of(&again, 0)["uuid"], uuid.as_str(), "the same key, the same uuid");
}

#[test]
fn what_an_earlier_attempt_started_is_found_by_its_uuid_s08() {
    let refused = || Host::new().answer("POST", &start_url(), 400, r#"{"code":60012,"msg":"uuid is conflict"}"#);
    let first = refused();
    let failure = push(&first, "approval.start", "k1", &border_case());
    assert!(failure.is_err(), "no answer to the search");
    let uuid = body_of(&first, 0)["uuid"].as_str().unwrap().to_owned();
    let period = 36_000_000;
    let host = refused()
        .answer("GET", &find_url("FORM-1", NOW_MS - period, NOW_MS, 100), 200, ids(&["I-0"]))
        .answer("GET", &find_url("FORM-1", NOW_MS - 2 * period, NOW_MS - period, 100), 200, ids(&["I-1"]))
        .answer("GET", &detail_url("I-0"), 200, instance("PENDING", "x", "another"))
        .answer("GET", &detail_url("I-1"), 200, instance("PENDING", "x", &uuid.to_lowercase()));
    let receipt = push(&host, "approval.start", "k1", &border_case()).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("I-1"), true));
}

#[test]
fn an_input_that_cannot_become_an_approval_is_refused_before_anything_is_sent() {
    let change = |pointer: &str, value: Value| {
        let mut input = border_case();
        *input.pointer_mut(pointer).unwrap() = value;
        input
    };
    let field = |id: &str| json!({ "id": id, "type": "input", "value": "x" });
    for (input, place) in [
        (change("/about/id", json!("4711")), "/about"),
        (change("/about/kind", json!("person")), "/about"),
        (change("/form", json!([field(FIELD)])), "/form"),
        (change("/form", json!(vec![field("a"); 150])), "/form"),
    ] {
        let host = Host::new();
        let failure = push(&host, "approval.start", "k", &input).unwrap_err();
        assert_eq!((failure.kind, host.requests().len()), (FailureKind::InvalidInput, 0), "{failure}");
        assert!(failure.message.contains(place), "{place}: {failure}");
    }
    for good in [change("/form", json!(vec![field("a"); 149])), change("/about/id", json!("hire:4711"))] {
        let host = Host::new().answer("POST", &start_url(), 200, r#"{"code":0,"data":{"instance_code":"I"}}"#);
        assert!(push(&host, "approval.start", "k", &good).is_ok());
    }
}

#[test]
fn the_vendors_refusals_have_the_kind_that_decides_what_happens_next() {
    for (status, code, kind) in [
        (400, 1_390_001, FailureKind::InvalidInput),
        (400, 1_390_004, FailureKind::InvalidInput),
        (400, 1_390_015, FailureKind::BadConfig),
        (400, 1_390_002, FailureKind::BadConfig),
        (403, 1_390_009, FailureKind::NotGranted),
        (400, 1_395_001, FailureKind::UpstreamUnavailable),
        (429, 99_991_400, FailureKind::RateLimited),
    ] {
        let host = Host::new().answer("POST", &start_url(), status, format!(r#"{{"code":{code},"msg":"x"}}"#));
        assert_eq!(push(&host, "approval.start", "k", &border_case()).unwrap_err().kind, kind, "{code}");
    }
}

#[test]
fn a_look_at_an_approval_is_confirmed_once_it_has_ended_s08() {
    for (status, confirmed) in [("PENDING", false), ("APPROVED", true), ("REJECTED", true)] {
        let host = Host::new().answer("GET", &detail_url("I-1"), 200, instance(status, "x", ""));
        let receipt = push(&host, "approval.get", "k", &json!({ "reference": "I-1" })).unwrap();
        assert_eq!((receipt.confirmed, &receipt.detail["status"]), (confirmed, &json!(status)));
    }
    let gone = Host::new().answer("GET", &detail_url("I-1"), 400, r#"{"code":1390003,"msg":"x"}"#);
    assert_eq!(
        push(&gone, "approval.get", "k", &json!({ "reference": "I-1" })).unwrap_err().kind,
        FailureKind::InvalidInput
    );
    let path = push(&Host::new(), "approval.get", "k", &json!({ "reference": "../x" })).unwrap_err();
    assert_eq!(path.kind, FailureKind::InvalidInput);
}

fn named(host: &Host, only: &[&str]) -> Page {
    let only = only.iter().map(ToString::to_string).collect();
    host.pull::<Feishu>(&config(), Pull { stream: "approvals".into(), only, max_records: 100, ..Pull::default() })
        .unwrap()
}

#[test]
fn an_approval_of_ours_is_two_steps_of_what_it_is_about_and_another_is_none_s08() {
    let about = format!("application/{RECORD}");
    for (status, wanted) in [
        ("APPROVED", json!(["REVIEWED", "APPROVED", "APPROVED"])),
        ("REJECTED", json!(["REVIEWED", "REJECTED", "REFUSED"])),
        ("CANCELED", json!(["OTHER", "APPROVAL_WITHDRAWN", "TERMINATED"])),
        ("DELETED", json!(["OTHER", "APPROVAL_WITHDRAWN", "TERMINATED"])),
    ] {
        let host = Host::new().answer("GET", &detail_url("I-1"), 200, instance(status, &about, ""));
        let page = named(&host, &["I-1:started", "I-1:ended", "I-1"]);
        let ids: Vec<&str> = page.records.iter().map(|record| record.external_id.as_str()).collect();
        assert_eq!((ids, host.requests().len()), (vec!["I-1:started", "I-1:ended"], 1));
        let ended = payload(&page.records[1]);
        renmen_schema::canonicalize(renmen_schema::EntityKind::ProcessNode, &page.records[1].payload).unwrap();
        assert_eq!(json!([ended["node"]["code"], ended["node"]["raw"], ended["status"]]), wanted);
        assert_eq!(ended["subject"]["application"]["id"], RECORD);
    }
    let running = Host::new().answer("GET", &detail_url("I-1"), 200, instance("PENDING", &about, ""));
    assert_eq!(named(&running, &["I-1"]).records.len(), 1);
    let foreign = Host::new().answer("GET", &detail_url("I-1"), 200, instance("APPROVED", "出差", ""));
    assert_eq!(named(&foreign, &["I-1"]).records.len(), 0);
    let strange = Host::new().answer("GET", &detail_url("I-1"), 200, instance("MERGED", &about, ""));
    let page = named(&strange, &["I-1"]);
    assert_eq!((page.records.len(), page.rejects.len()), (0, 1));
}

#[test]
fn a_run_goes_form_by_form_through_the_last_days_in_periods_of_ten_hours() {
    let (hour, from) = (3_600_000, NOW_MS - 86_400_000);
    let periods = [(from, from + 10 * hour), (from + 10 * hour, from + 20 * hour), (from + 20 * hour, NOW_MS)];
    let about = format!("application/{RECORD}");
    let mut host = Host::new().answer("GET", &detail_url("I-1"), 200, instance("APPROVED", &about, "")).answer(
        "GET",
        &detail_url("I-2"),
        200,
        instance("PENDING", &about, ""),
    );
    for (at, (from, to)) in periods.into_iter().enumerate() {
        let found: &[&str] = if at == 1 { &["I-1", "I-2"] } else { &[] };
        host = host.answer("GET", &find_url("FORM-2", from, to, 100), 200, ids(found));
        host = host.answer("GET", &find_url("FORM-1", from, to, 100), 400, r#"{"code":1390002,"msg":"x"}"#);
    }
    let run = host.pull_all::<Feishu>(&config(), "approvals", None).unwrap();
    let ids: Vec<&str> = run.records.iter().map(|record| record.external_id.as_str()).collect();
    assert_eq!(ids, ["I-1:started", "I-1:ended", "I-2:started"]);
    let told: Vec<&str> = run.findings.iter().map(|finding| finding.part.as_str()).collect();
    assert_eq!(told, ["approvals of the form FORM-1"], "once, and the other form is read");
    assert_eq!(host.requests().len(), 6);
}
