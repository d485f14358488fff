//! Events: what each means once the gateway has proved and opened it.

use connector_feishu::Feishu;
use renmen_plugin::testing::{Host, NOW_MS};
use renmen_plugin::{Delivery, Failure, FailureKind, Outcome};
use serde_json::{Value, json};

use crate::config;

/// A delivery as the gateway hands it over: proved and opened.
fn opened(plain: &str) -> Delivery {
    Delivery {
        method: "POST".into(),
        body: br#"{"encrypt":"AAAA"}"#.to_vec(),
        received_at_ms: NOW_MS,
        opened: Some(plain.as_bytes().to_vec()),
        ..Delivery::default()
    }
}

fn receive(delivery: Delivery) -> Result<Outcome, Failure> {
    Host::new().receive::<Feishu>(&config(), delivery)
}

fn event(kind: &str, about: &Value) -> String {
    json!({
        "schema": "2.0",
        "header": { "event_id": "5e3702a8", "event_type": kind, "create_time": "1767225600000", "token": "made-up",
                    "app_id": "cli_made_up", "tenant_key": "made-up" },
        "event": about,
    })
    .to_string()
}

/// An event of version 1.0, as the page "审批实例状态变更" shows one.
fn old_event(kind: &str, about: &Value) -> String {
    let mut about = about.clone();
    about["type"] = json!(kind);
    json!({ "ts": "1502199207.7171419", "uuid": "bc447199585340d1f3728d26b1c0297a", "token": "made-up",
            "type": "event_callback", "event": about })
    .to_string()
}

/// What the outcome asks to be read.
fn asked(outcome: &Outcome) -> Vec<(&str, Vec<&str>)> {
    let asked = outcome.refresh.iter();
    asked.map(|refresh| (refresh.stream.as_str(), refresh.only.iter().map(String::as_str).collect())).collect()
}

fn delivered(kind: &str, about: &Value) -> Outcome {
    receive(opened(&event(kind, about))).unwrap()
}

#[test]
fn the_gateway_proves_and_opens_as_the_manifest_says() {
    let manifest = renmen_schema::manifest::Manifest::parse(include_str!("../../plugin.toml")).unwrap();
    assert_eq!(manifest.check(), []);
    let open = manifest.webhook.unwrap().proof.unwrap().open.unwrap();
    assert!(open.question.is_some() && open.token.is_some());
}

#[test]
fn a_signed_question_about_the_address_is_answered_too() {
    let question = json!({ "challenge": "ajls384kdjx98XX", "token": "x", "type": "url_verification" }).to_string();
    let outcome = receive(opened(&question)).unwrap();
    assert_eq!((outcome.answer.status, outcome.answer.sealed), (200, false));
    assert_eq!(outcome.answer.body, br#"{"challenge":"ajls384kdjx98XX"}"#);
    assert_eq!((outcome.delivery_id, outcome.refresh.len()), (None, 0));
}

#[test]
fn what_the_gateway_did_not_open_is_refused() {
    let plain = event("hire.talent.deleted_v1", &json!({ "talent_id": "1" }));
    assert!(receive(opened(&plain)).is_ok());
    let clear = Delivery { body: plain.into_bytes(), opened: None, ..opened("") };
    assert_eq!(receive(clear).unwrap_err().kind, FailureKind::AuthRequired);
}

#[test]
fn an_event_that_says_only_that_something_changed_asks_for_just_that_record() {
    let cases = [
        (
            "hire.application.stage_changed_v1",
            json!({ "application_id": "9", "origin_stage_id": "1", "target_stage_id": "2", "update_time": 1_652_806_656_258_i64 }),
            vec![("applications", vec!["9"])],
        ),
        ("hire.offer.status_changed_v1", json!({ "offer_id": "5" }), vec![("offers", vec!["5"])]),
        (
            "hire.talent.tag_subscription_v1",
            json!({ "talent_id": "8", "application_id": "9", "type": 1 }),
            vec![("applications", vec!["9"]), ("candidates", vec!["8"])],
        ),
        (
            "corehr.employment.updated_v1",
            json!({ "employment_id": "7", "field_changes": ["x"] }),
            vec![("employees", vec!["7"])],
        ),
        (
            "corehr.employee.domain_event_v2",
            json!({ "event_type": 7, "employment_id": "7" }),
            vec![("employees", vec!["7"])],
        ),
        (
            "corehr.job_change.updated_v1",
            json!({ "employment_id": "7", "job_change_id": "2", "status": 2 }),
            vec![("employees", vec!["7"])],
        ),
        (
            "corehr.job_change.status_updated_v2",
            json!({ "employment_id": "7", "job_change_id": "2", "status": 9 }),
            vec![("employees", vec!["7"])],
        ),
        (
            "corehr.offboarding.updated_v1",
            json!({ "employment_id": "7", "offboarding_id": "4", "status": 1 }),
            vec![("employees", vec!["7"])],
        ),
        (
            "corehr.person.updated_v1",
            json!({ "person_id": "31", "field_changes": ["phone_list"] }),
            vec![("employees", vec!["person/31"])],
        ),
        ("corehr.person.updated_v1", json!({ "person_id": "" }), vec![]),
        (
            "hire.ehr_import_task_for_internship_offer.imported_v1",
            json!({ "application_id": "9", "offer_id": "5" }),
            vec![("applications", vec!["9"])],
        ),
        ("corehr.department.updated_v2", json!({ "department_id": "3" }), vec![("departments", vec![])]),
        ("corehr.employment.updated_v1", json!({}), vec![]),
    ];
    for (kind, about, wanted) in cases {
        let outcome = delivered(kind, &about);
        assert_eq!(asked(&outcome), wanted, "{kind}");
        assert_eq!(outcome.delivery_id.as_deref(), Some("5e3702a8"));
        assert_eq!((outcome.answer.status, outcome.records.len()), (200, 0));
    }
}

#[test]
fn an_event_of_version_1_is_opened_known_by_its_uuid_and_read_or_left_to_be_kept() {
    let about =
        json!({ "approval_code": "7C468A54", "instance_code": "81D31358", "status": "PENDING", "uuid": "6525bffb" });
    let cases = [
        ("approval_instance", about, vec![("approvals", vec!["81D31358"])]),
        ("approval_instance", json!({ "status": "PENDING" }), vec![]),
        ("leave_approval", json!({}), vec![]),
        ("corehr.offboarding.updated_v1", json!({ "employment_id": "7" }), vec![("employees", vec!["7"])]),
    ];
    for (kind, about, wanted) in cases {
        let outcome = receive(opened(&old_event(kind, &about))).unwrap();
        assert_eq!(outcome.delivery_id.as_deref(), Some("bc447199585340d1f3728d26b1c0297a"), "{kind}");
        assert_eq!((outcome.answer.status, asked(&outcome)), (200, wanted), "{kind}");
        assert!(outcome.records.is_empty());
    }
}

#[test]
fn what_is_signed_but_is_not_an_event_cannot_be_used_and_is_not_quoted() {
    for nonsense in [
        "",
        "张三",
        "[1]",
        "{}",
        r#"{"event":{"type":"approval_instance","name":"张三"}}"#,
        r#"{"uuid":"1","type":"event_callback","event":{"name":"张三"}}"#,
        r#"{"uuid":"1","type":"event_callback"}"#,
        r#"{"type":"url_verification"}"#,
        r#"{"header":{"event_id":7,"event_type":"张三"}}"#,
    ] {
        let failure = receive(opened(nonsense)).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{nonsense}");
        assert!(!failure.message.contains("张三"), "{}", failure.message);
    }
}

#[test]
fn an_event_that_says_that_something_is_gone_says_all() {
    let outcome = delivered("hire.application.deleted_v1", &json!({ "application_ids": ["1", "2"] }));
    let gone: Vec<_> = outcome.records.iter().map(|r| (r.entity.as_str(), r.external_id.as_str(), r.deleted)).collect();
    assert_eq!(gone, [("application", "1", true), ("application", "2", true)]);
    assert_eq!(outcome.records[0].updated_at_ms, Some(NOW_MS));
    let outcome = delivered("corehr.employment.deleted_v1", &json!({ "employment_id": "7" }));
    let gone: Vec<_> = outcome.records.iter().map(|r| r.entity.as_str()).collect();
    assert_eq!(gone, ["assignment", "employment", "employee"]);
    assert!(outcome.refresh.is_empty());
}

#[test]
fn an_unknown_event_and_one_of_another_shape_are_answered_and_left_to_be_kept() {
    for (kind, about) in [
        ("im.message.receive_v1", json!({ "message": {} })),
        ("hire.offer.status_changed_v1", json!({ "offer_id": 5 })),
        ("hire.offer.status_changed_v1", json!("nothing")),
    ] {
        let outcome = delivered(kind, &about);
        assert_eq!((outcome.answer.status, outcome.delivery_id.as_deref()), (200, Some("5e3702a8")), "{kind}");
        assert_eq!((outcome.records.len(), outcome.refresh.len()), (0, 0), "{kind}");
    }
}
