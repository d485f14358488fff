//! Applications that are moved and ended: what is compared first, what is written, and what twice the same does.

use connector_feishu::Feishu;
use renmen_plugin::testing::Host;
use renmen_plugin::{Action, Failure, FailureKind, Pull, Receipt};
use serde_json::{Value, json};

use crate::{BASE, payload};

const MOVE: &str = "application.move";
const END: &str = "application.terminate";

fn config() -> Value {
    json!({ "base_url": BASE, "reasons": { "101": "NOT_QUALIFIED", "102": "PAY_TOO_LOW", "爽约": "NO_SHOW" } })
}

fn push(host: &Host, name: &str, input: &Value) -> Result<Receipt, Failure> {
    let action = Action {
        name: name.into(),
        idempotency_key: "key-1".into(),
        attempt: 1,
        input: input.to_string().into_bytes(),
    };
    host.push::<Feishu>(&config(), action)
}

fn stage(id: &str, kind: i64) -> Value {
    json!({ "id": id, "zh_name": id, "type": kind })
}

fn application_url() -> String {
    format!("{BASE}/open-apis/hire/v1/applications/9?user_id_type=open_id")
}

fn transfer_url() -> String {
    format!("{BASE}/open-apis/hire/v1/applications/9/transfer_stage")
}

/// Hire with one application in a stage, and two processes.
fn reads(current: &Value, active: i64) -> Host {
    let application = json!({ "code": 0, "data": { "application": {
        "id": "9", "job_id": "7", "talent_id": "8", "active_status": active, "stage": current } } });
    let social = [stage("s1", 1), stage("s2", 3), stage("hidden", 255), stage("s3", 4), stage("s4", 6), stage("s5", 7)];
    let campus = [stage("c1", 1), stage("c2", 3), stage("c3", 3)];
    let processes = json!({ "code": 0, "data": { "items": [
        { "id": "p1", "stage_list": social }, { "id": "p2", "stage_list": campus } ] } });
    let processes_url = format!("{BASE}/open-apis/hire/v1/job_processes?page_size=100");
    Host::new().answer("GET", &application_url(), 200, application.to_string()).answer(
        "GET",
        &processes_url,
        200,
        processes.to_string(),
    )
}

/// The same, where it takes what is written.
fn hire(current: &Value, active: i64) -> Host {
    let end = format!("{BASE}/open-apis/hire/v1/applications/9/terminate");
    reads(current, active).answer("POST", &transfer_url(), 200, r#"{"code":0,"msg":"success"}"#).answer(
        "POST",
        &end,
        200,
        r#"{"code":0,"data":{}}"#,
    )
}

fn posts(host: &Host) -> Vec<Value> {
    let all = host.requests();
    let bodies = (0..all.len()).filter_map(|n| host.request_body(n));
    bodies.filter_map(|body| serde_json::from_slice(&body).ok()).collect()
}

#[test]
fn an_application_goes_to_the_next_stage_of_its_own_process_or_to_a_later_one_that_is_named() {
    for (input, to) in [
        (json!({ "application_id": "9", "from_kind": "TEST" }), "s3"),
        (json!({ "application_id": "9", "from_stage_id": "s2" }), "s3"),
        (json!({ "application_id": "9", "from_kind": "TEST", "to_stage_id": "s4" }), "s4"),
    ] {
        let host = hire(&stage("s2", 3), 1);
        let receipt = push(&host, MOVE, &input).unwrap();
        assert_eq!(receipt.reference.as_deref(), Some("9"));
        assert_eq!(Value::Object(receipt.detail), json!({ "outcome": "moved", "from_stage_id": "s2", "stage_id": to }));
        assert_eq!(posts(&host), [json!({ "stage_id": to })], "what only the vendor's pages show is not a next stage");
    }
}

#[test]
fn one_that_left_the_stage_is_left_alone_however_late_the_delivery_comes() {
    for (current, active) in [(stage("s3", 4), 1), (stage("s4", 6), 1), (stage("s5", 7), 1), (stage("s3", 4), 2)] {
        let host = hire(&current, active);
        let receipt = push(&host, MOVE, &json!({ "application_id": "9", "from_kind": "TEST" })).unwrap();
        assert_eq!((&receipt.detail["outcome"], receipt.confirmed), (&json!("moved_before"), true), "{current}");
        assert!(posts(&host).is_empty(), "nothing is written");
    }
}

#[test]
fn what_a_person_has_to_look_at_is_refused_and_nothing_is_written() {
    for (current, active, input, part) in [
        (stage("s1", 1), 1, json!({ "from_kind": "TEST" }), "earlier stage"),
        (stage("s2", 3), 2, json!({ "from_kind": "TEST" }), "was ended"),
        (stage("s2", 3), 1, json!({ "from_kind": "TEST", "to_stage_id": "s1" }), "no such stage follows"),
        (stage("s2", 3), 1, json!({ "from_kind": "TEST", "to_stage_id": "s2" }), "no such stage follows"),
        (stage("s2", 3), 1, json!({ "from_kind": "TEST", "to_stage_id": "c2" }), "not a stage of the process"),
        (stage("s2", 3), 1, json!({ "from_kind": "TEST", "to_stage_id": "s5" }), "those who joined"),
        (stage("s4", 6), 1, json!({ "from_stage_id": "s4" }), "those who joined"),
        (stage("s2", 3), 1, json!({ "from_kind": "OFFER" }), "no such stage as it is to leave"),
        (stage("c2", 3), 1, json!({ "from_kind": "TEST" }), "several stages of this kind"),
        (stage("c3", 3), 1, json!({ "from_stage_id": "c3" }), "no such stage follows"),
        (stage("gone", 3), 1, json!({ "from_kind": "TEST" }), "any more"),
        (stage("s2", 3), 1, json!({ "from_kind": "TEST", "from_stage_id": "s2" }), "just one of"),
        (stage("s2", 3), 1, json!({}), "just one of"),
    ] {
        let host = hire(&current, active);
        let mut input = input;
        input["application_id"] = json!("9");
        let failure = push(&host, MOVE, &input).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{input}");
        assert!(failure.message.contains(part), "{input}: {failure}");
        assert!(posts(&host).is_empty());
    }
}

#[test]
fn a_move_that_hire_refuses_is_told_with_its_code() {
    let gone = Host::new().answer("GET", &application_url(), 500, r#"{"code":1002054,"msg":"x"}"#);
    let failure = push(&gone, MOVE, &json!({ "application_id": "9", "from_kind": "TEST" })).unwrap_err();
    assert!(failure.kind == FailureKind::InvalidInput && failure.message.contains("application_id"));
    for (status, body, kind, code) in [
        (500, r#"{"code":1002205,"msg":"张三"}"#, FailureKind::InvalidInput, "1002205"),
        (400, r#"{"code":1002002,"msg":"张三"}"#, FailureKind::InvalidInput, "1002002"),
        (400, r#"{"code":99991672,"msg":"x"}"#, FailureKind::NotGranted, "99991672"),
        (500, r#"{"code":1002001,"msg":"x"}"#, FailureKind::UpstreamUnavailable, "1002001"),
    ] {
        let host = reads(&stage("s2", 3), 1).answer("POST", &transfer_url(), status, body);
        let failure = push(&host, MOVE, &json!({ "application_id": "9", "from_kind": "TEST" })).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_deref()), (kind, Some(code)), "{failure}");
        assert!(!failure.message.contains("张三"), "the vendor's text may hold a person's data");
    }
}

#[test]
fn r41_an_end_says_whose_it_is_with_the_companys_ids_of_its_reasons() {
    for (input, body) in [
        (
            json!({ "reasons": ["NOT_QUALIFIED"], "note": "经验不足" }),
            json!({ "termination_type": 1, "termination_reason_list": ["101"], "termination_reason_note": "经验不足" }),
        ),
        (
            json!({ "reasons": ["PAY_TOO_LOW", "LOCATION"] }),
            json!({ "termination_type": 22, "termination_reason_list": ["102"] }),
        ),
        // A name is not an id of Hire's, so only the side is told.
        (json!({ "reasons": ["NO_SHOW"] }), json!({ "termination_type": 22 })),
        (json!({ "reasons": ["POSITION_CLOSED"] }), json!({ "termination_type": 27 })),
        (
            json!({ "ended_by": "OTHER", "reasons": ["NOT_QUALIFIED"], "from_kind": "TEST" }),
            json!({ "termination_type": 27, "termination_reason_list": ["101"] }),
        ),
    ] {
        let host = hire(&stage("s2", 3), 1);
        let mut input = input;
        input["application_id"] = json!("9");
        assert_eq!(push(&host, END, &input).unwrap().detail["outcome"], "ended");
        assert_eq!(posts(&host), [body], "{input}");
    }
}

#[test]
fn one_that_is_ended_stays_as_it_is_and_one_that_moved_on_is_not_ended() {
    let host = hire(&stage("s2", 3), 2);
    let again = push(&host, END, &json!({ "application_id": "9", "reasons": ["NO_SHOW"] })).unwrap();
    assert_eq!((&again.detail["outcome"], posts(&host).len()), (&json!("ended_before"), 0));
    for (input, part) in [
        (json!({ "application_id": "9", "from_kind": "TEST", "reasons": ["NO_SHOW"] }), "another stage by now"),
        (json!({ "application_id": "9" }), "expected `ended_by`"),
        (json!({ "application_id": "9", "reasons": ["BAD_HAIR"] }), "a code that no outcome reason has"),
    ] {
        let host = hire(&stage("s3", 4), 1);
        let failure = push(&host, END, &input).unwrap_err();
        assert!(failure.kind == FailureKind::InvalidInput && failure.message.contains(part), "{failure}");
        assert!(posts(&host).is_empty());
    }
}

/// What Hire tells of one application that was ended for these reasons, and of its declined offer.
fn ended(kind: i64, ids: &[&str]) -> Host {
    let application = json!({ "code": 0, "data": { "application": {
        "id": "9", "job_id": "7", "talent_id": "8", "active_status": 2, "modify_time": "1767225600000",
        "termination_type": kind, "termination_reason_list": ids, "termination_reason_note": "面谈" } } });
    let reasons = json!({ "code": 0, "data": { "items": [
        { "id": "102", "name": { "zh_cn": "薪资不符合预期", "en_us": "Pay" } },
        { "id": "103", "name": { "zh_cn": "爽约" } },
        { "id": "104", "name": { "zh_cn": "项目暂停" } } ] } });
    let offer = json!({ "code": 0, "data": { "offer": { "id": "5", "application_id": "9", "offer_status": 8 } } });
    let offer_url =
        format!("{BASE}/open-apis/hire/v1/offers/5?user_id_type=open_id&department_id_type=open_department_id");
    Host::new()
        .answer("GET", &application_url(), 200, application.to_string())
        .answer("GET", &format!("{BASE}/open-apis/hire/v1/job_processes?page_size=100"), 200, r#"{"code":0,"data":{}}"#)
        .answer("GET", &format!("{BASE}/open-apis/hire/v1/termination_reasons?page_size=200"), 200, reasons.to_string())
        .answer("GET", &offer_url, 200, offer.to_string())
}

fn one(host: &Host, stream: &str, id: &str) -> Value {
    let pull = Pull { stream: stream.into(), only: vec![id.into()], max_records: 10, ..Pull::default() };
    let page = host.pull::<Feishu>(&config(), pull).unwrap();
    assert!(page.rejects.is_empty(), "{:?}", page.rejects);
    payload(&page.records[0])
}

#[test]
fn r41_reasons_of_an_end_come_in_as_codes_and_unknown_ones_as_their_names() {
    let outcome = one(&ended(22, &["102", "103", "104", "999"]), "applications", "9")["outcome"].clone();
    let reasons: Vec<(&str, &str)> = outcome["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| (reason["code"].as_str().unwrap(), reason["raw"].as_str().unwrap()))
        .collect();
    assert_eq!(
        reasons,
        [("PAY_TOO_LOW", "薪资不符合预期"), ("NO_SHOW", "爽约"), ("OTHER", "项目暂停"), ("OTHER", "999")],
        "by id, by name, by neither, and one that Hire does not list"
    );
    assert_eq!((&outcome["note"], &outcome["code"]["code"]), (&json!("面谈"), &json!("WITHDRAWN")));
    let none = ended(1, &[]);
    assert_eq!(one(&none, "applications", "9")["outcome"]["reasons"], Value::Null);
    assert_eq!(none.requests().len(), 2, "names are asked for only where there is a reason");
}

#[test]
fn r41_an_application_of_another_system_has_its_reason_in_words() {
    let talents = r#"{"code":0,"data":{"items":[{"id":"8"}]}}"#;
    let application = |reason: &str| json!({ "id": reason, "talent_id": "8", "job_title": "会计", "termination_type": "候选人", "termination_reason": reason });
    let applications = json!({ "code": 0, "data": { "items": [application("爽约"), application("搬家")] } });
    let hanging = |what: &str, id: &str| {
        format!("{BASE}/open-apis/hire/v1/{what}/batch_query?external_application_id={id}&page_size=20")
    };
    let mut host = Host::new()
        .answer(
            "GET",
            &format!("{BASE}/open-apis/hire/v1/talents?page_size=20&sort_by=4&query_option=ignore_empty_error"),
            200,
            talents,
        )
        .answer(
            "GET",
            &format!("{BASE}/open-apis/hire/v1/external_applications?talent_id=8&page_size=20"),
            200,
            applications.to_string(),
        );
    for what in ["external_interviews", "external_background_checks"] {
        for id in ["%E7%88%BD%E7%BA%A6", "%E6%90%AC%E5%AE%B6"] {
            host = host.answer("POST", &hanging(what, id), 200, r#"{"code":0,"data":{}}"#);
        }
    }
    let run = host.pull_all::<Feishu>(&config(), "external_records", None).unwrap();
    let reasons: Vec<Value> =
        run.records.iter().map(|record| payload(record)["outcome"]["reasons"][0].clone()).collect();
    assert_eq!(reasons, [json!({ "code": "NO_SHOW", "raw": "爽约" }), json!({ "code": "OTHER", "raw": "搬家" })]);
}

#[test]
fn r41_a_declined_offer_has_the_reasons_for_which_its_candidate_withdrew() {
    let declined = one(&ended(22, &["102"]), "offers", "5");
    assert_eq!(declined["status"]["code"], "DECLINED");
    assert_eq!(declined["decline_reasons"][0]["code"], "PAY_TOO_LOW");
    let ours = one(&ended(1, &["101"]), "offers", "5");
    assert_eq!(ours["decline_reasons"], Value::Null, "why the company ended it is not why the candidate declined");
}
