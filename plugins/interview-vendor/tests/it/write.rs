//! Orders and adjust instructions on their way to the vendor.

use connector_interview_vendor::InterviewVendor;
use renmen_plugin::testing::Host;
use renmen_plugin::{Action, Failure, FailureKind, Receipt};
use serde_json::{Value, json};

use crate::{BASE, config};

fn push(host: &Host, name: &str, input: &Value) -> Result<Receipt, Failure> {
    let action = Action {
        name: name.into(),
        idempotency_key: "0123456789abcdef0123456789abcdef".into(),
        attempt: 1,
        input: input.to_string().into_bytes(),
    };
    host.push::<InterviewVendor>(&config(), action)
}

fn answers(path: &str, status: u16, body: &Value) -> Host {
    Host::new().answer("POST", &format!("{BASE}/{path}"), status, body.to_string())
}

fn order() -> Value {
    json!({ "external_id": "app-1", "candidate": { "external_id": "cand-1", "name": "赵晓明" }, "application_id": "app-1",
            "resume": { "uri": "https://files.example/r/1.pdf", "sha256": "00" },
            "profile": { "position_id": "pos-1", "version": 3 }, "question_ids": ["q-1"],
            "package": "pkg-video", "mode": "async_video", "deadline": "2026-03-09T00:00:00.000Z" })
}

fn profile() -> Value {
    json!({ "position_id": "pos-1", "version": 4, "published_at": "2026-03-02T01:00:00.000Z",
            "competencies": [
                { "id": "comp-1", "weight_bp": 3333, "dimensions": [{ "name": { "en": "Clarity" }, "modality": "VIDEO_TASK", "weight_bp": null }] },
                { "id": "comp-2", "weight_bp": 6667 } ],
            "blocked_features": ["accent"] })
}

#[test]
fn r14_a_version_of_a_profile_is_put_under_its_position_and_number_with_its_weights_as_they_are() {
    let url = format!("{BASE}/profiles/pos-1/versions/4");
    let host = Host::new().answer("PUT", &url, 201, r#"{"id":"pos-1/4","version":4}"#);
    let receipt = push(&host, "profile.publish", &profile()).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("pos-1/4"), true));
    let sent: Value = serde_json::from_slice(&host.request_body(0).unwrap()).unwrap();
    assert_eq!(
        sent,
        json!({ "published_at": "2026-03-02T01:00:00.000Z", "blocked_features": ["accent"], "competencies": [
            { "id": "comp-1", "weight_bp": 3333, "dimensions": [{ "name": { "en": "Clarity" }, "modality": "video_task" }] },
            { "id": "comp-2", "weight_bp": 6667 } ] })
    );
    let known = Host::new().answer("PUT", &url, 200, r#"{"id":"pos-1/4","version":4}"#);
    assert!(push(&known, "profile.publish", &profile()).unwrap().confirmed, "the same once more");
}

#[test]
fn r14_a_version_that_does_not_follow_is_given_up_with_what_to_know() {
    let conflict = r#"{"error":{"code":"version_conflict","message":"no"}}"#;
    let host = Host::new().answer("PUT", &format!("{BASE}/profiles/pos-1/versions/4"), 409, conflict);
    let failure = push(&host, "profile.publish", &profile()).unwrap_err();
    assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::InvalidInput, Some("version_conflict")));
    assert!(failure.message.contains("one that is published does not change"), "{failure}");
    for (key, bad) in [("position_id", json!("../orders")), ("competencies", json!([{ "id": "c", "weight_bp": 12.5 }]))]
    {
        let mut input = profile();
        input[key] = bad;
        let host = Host::new();
        assert_eq!(push(&host, "profile.publish", &input).unwrap_err().kind, FailureKind::InvalidInput, "{key}");
        assert!(host.requests().is_empty());
    }
}

fn adjust() -> Value {
    json!({ "target": { "vendor_connection": "interview", "position": { "external": { "value": "pos-1" } }, "profile_version": 3 },
            "ops": [{ "op": "SET_WEIGHT", "competency": { "external": { "value": "comp-1" } }, "from_bp": 1000, "to_bp": 3000 }] })
}

#[test]
fn r51_an_instruction_goes_out_in_the_protocols_words_with_the_feed_that_it_refers_to() {
    let host = answers("adjustments", 202, &json!({ "id": "adj-1", "status": "accepted" }));
    let mut input = adjust();
    input["ops"][0]["modality"] = json!({ "code": "SPEECH" });
    input["ops"].as_array_mut().unwrap().extend([
        json!({ "op": "ADD_SIGNAL", "signal": { "connection": "interview", "value": "feed-retention" } }),
        json!({ "op": "DROP_QUESTION", "question": { "value": "q-9" } }),
        json!({ "op": "ADD_QUESTION", "text": { "zh-CN": "请举例", "en": "Give an example" } }),
        json!({ "op": "BLOCK_FEATURE", "feature": "accent" }),
    ]);
    input["evidence"] = json!({ "metric": "retention_12m", "before": "0.61", "sample": 240 });
    push(&host, "interview.adjust", &input).unwrap();
    let sent: Value = serde_json::from_slice(&host.request_body(0).unwrap()).unwrap();
    assert_eq!(
        sent,
        json!({ "position_id": "pos-1", "expected_version": 3,
                "evidence": { "metric": "retention_12m", "before": "0.61", "sample": 240 },
                "ops": [{ "op": "set_weight", "competency_id": "comp-1", "modality": "speech", "from_bp": 1000, "to_bp": 3000 },
                        { "op": "add_signal", "signal": "feed-retention" },
                        { "op": "drop_question", "question_id": "q-9" },
                        { "op": "add_question", "text": { "zh-CN": "请举例", "en": "Give an example" } },
                        { "op": "block_feature", "feature": "accent" }] })
    );
    let mut ours = adjust();
    ours["ops"][0]["competency"] = json!({ "id": "0195e0a0-0000-7000-8000-000000000001" });
    assert_eq!(push(&Host::new(), "interview.adjust", &ours).unwrap_err().kind, FailureKind::InvalidInput);
}

#[test]
fn r01_an_order_carries_what_it_was_given_and_the_receipt_names_it() {
    let host = answers(
        "orders",
        201,
        &json!({ "id": "ord-1", "status": "requested", "access_url": "https://x.example/secret" }),
    );
    let receipt = push(&host, "interview.order", &order()).unwrap();
    assert_eq!((receipt.reference.as_deref(), receipt.confirmed), (Some("ord-1"), true));
    assert_eq!(Value::Object(receipt.detail), json!({ "status": "requested" }), "the candidate's link is not kept");
    let sent: Value = serde_json::from_slice(&host.request_body(0).unwrap()).unwrap();
    assert_eq!(sent, order());
}

#[test]
fn an_order_with_a_member_that_the_protocol_does_not_have_never_leaves() {
    let host = Host::new();
    let mut input = order();
    input["salary"] = json!("9000");
    let failure = push(&host, "interview.order", &input).unwrap_err();
    assert_eq!(failure.kind, FailureKind::InvalidInput);
    assert!(host.requests().is_empty());
    assert_eq!(push(&host, "interview.dance", &order()).unwrap_err().kind, FailureKind::InvalidInput);
}

#[test]
fn r50_an_instruction_whose_old_weight_is_not_so_is_given_up_with_the_vendors_code() {
    for code in ["weight_conflict", "version_conflict"] {
        let host = answers("adjustments", 409, &json!({ "error": { "code": code, "message": "no" } }));
        let failure = push(&host, "interview.adjust", &adjust()).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_deref()), (FailureKind::InvalidInput, Some(code)));
    }
}

#[test]
fn r49_what_is_accepted_is_confirmed_only_by_a_later_read() {
    let host = answers("adjustments", 202, &json!({ "id": "adj-1", "status": "accepted" })).answer(
        "GET",
        &format!("{BASE}/adjustments/adj-1"),
        200,
        json!({ "id": "adj-1", "status": "applied", "version": 4 }).to_string(),
    );
    let receipt = push(&host, "interview.adjust", &adjust()).unwrap();
    assert!(!receipt.confirmed);
    let read =
        push(&host, "interview.adjust.status", &json!({ "reference": receipt.reference, "detail": {} })).unwrap();
    assert!(read.confirmed);
    assert_eq!(Value::Object(read.detail), json!({ "status": "applied", "version": 4 }));

    let rejected = answers("adjustments", 202, &json!({ "id": "adj-2", "status": "rejected" }));
    assert_eq!(push(&rejected, "interview.adjust", &adjust()).unwrap_err().code.as_deref(), Some("rejected"));
}

#[test]
fn an_instruction_is_taken_back_and_an_order_ended_by_an_id_that_stays_in_its_path() {
    let host = answers("adjustments/adj-1/revert", 200, &json!({ "id": "adj-1", "status": "reverted", "version": 5 }));
    assert!(
        push(&host, "interview.adjust.revert", &json!({ "id": "adj-1", "expected_version": 4 })).unwrap().confirmed
    );
    let host = answers("orders/ord-1/cancel", 200, &json!({ "id": "ord-1", "status": "cancelled" }));
    assert!(push(&host, "interview.cancel", &json!({ "id": "ord-1", "reason": "withdrawn" })).unwrap().confirmed);
    for id in ["../candidates", "a/b", "", "..", "a?b"] {
        let failure = push(&Host::new(), "interview.cancel", &json!({ "id": id })).unwrap_err();
        assert_eq!(failure.kind, FailureKind::InvalidInput, "{id}");
    }
}

#[test]
fn a_vendor_that_is_away_or_slows_down_is_tried_again() {
    let away = answers("orders", 503, &json!({ "error": { "code": "down", "message": "" } }));
    assert_eq!(push(&away, "interview.order", &order()).unwrap_err().kind, FailureKind::UpstreamUnavailable);
    let slow = answers("orders", 429, &json!({ "error": { "code": "rate_limited", "message": "" } }));
    assert_eq!(push(&slow, "interview.order", &order()).unwrap_err().kind, FailureKind::RateLimited);
}
