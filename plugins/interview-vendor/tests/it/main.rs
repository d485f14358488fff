//! The connector against answers as the protocol words them.
#![allow(clippy::unwrap_used)]

mod kept;
mod receive;
mod write;

use connector_interview_vendor::InterviewVendor;
use renmen_plugin::testing::{Host, Run, readable};
use renmen_plugin::{FailureKind, Page, Pull};
use serde_json::{Value, json};

const BASE: &str = "https://vendor.test/v1";

fn config() -> Value {
    json!({ "base_url": BASE })
}

fn pull(stream: &str, cursor: Option<&str>) -> Pull {
    Pull { stream: stream.into(), cursor: cursor.map(str::to_owned), max_records: Run::PAGE_RECORDS, ..Pull::default() }
}

/// One page of a collection, with no further one.
fn read(collection: &str, data: Value) -> Page {
    read_with(&config(), collection, data)
}

#[allow(clippy::needless_pass_by_value, reason = "every caller makes it with json!")]
fn read_with(config: &Value, collection: &str, data: Value) -> Page {
    let body = json!({ "data": data, "next_cursor": null }).to_string();
    let host = Host::new().answer("GET", &format!("{BASE}/{collection}?limit=500"), 200, body);
    host.pull::<InterviewVendor>(config, pull(collection, None)).unwrap()
}

fn object(id: &str, mut members: Value) -> Value {
    members["id"] = json!(id);
    members["modified_at"] = json!("2026-03-02T09:30:00.000+08:00");
    members
}

#[test]
fn every_collection_becomes_its_record() {
    let score = json!({ "value": "82.5", "min": "0", "max": "100" });
    let pages = [
        read(
            "candidates",
            json!([object(
                "c1",
                json!({ "name": "赵晓明", "phone": "+8619900000001", "external_id": "req-1",
            "expected_pay": { "min": "8000", "max": "10000", "currency": "CNY", "per": "MONTH" } })
            )]),
        ),
        read(
            "applications",
            json!([object(
                "a1",
                json!({ "candidate_id": "c1", "position": { "id": "p1", "name": "会计" }, "status": "active",
            "stage": "ai_interview", "channel": "boss" })
            )]),
        ),
        read(
            "orders",
            json!([object(
                "o1",
                json!({ "application_id": "a1", "mode": "async_video", "status": "invited", "invite_by": "vendor",
            "profile_version": 3, "start_at": "2026-03-02T01:00:00Z", "time_zone": "Asia/Shanghai", "deadline": "2026-03-09T00:00:00Z" })
            )]),
        ),
        read(
            "interviews",
            json!([object(
                "i1",
                json!({ "application_id": "a1", "round": 1, "kind": "ai", "status": "completed",
            "start_at": "2026-03-02T01:00:00Z", "end_at": "2026-03-02T01:30:00Z",
            "started_at": "2026-03-02T01:02:00Z", "ended_at": "2026-03-02T01:20:00Z", "time_zone": "Asia/Shanghai" })
            )]),
        ),
        read(
            "answers",
            json!([object(
                "n1",
                json!({ "interview_id": "i1", "question": { "id": "q1", "text": { "zh-CN": "请介绍", "en": "Describe" }, "kind": "open" },
            "text": "示例", "observations": [{ "type": "speech_rate", "value": "182", "min": "0", "max": "400" }, { "type": "gaze", "value": "away" }],
            "score": score })
            )]),
        ),
        read(
            "dimension_scores",
            json!([object(
                "d2",
                json!({ "interview_id": "i1", "competency": { "id": "k1", "name": "沟通" }, "score": score,
            "weight_percent": "30", "adjusts_id": "d1", "adjust_reason": "latency", "environment_event_id": "e1" })
            )]),
        ),
        read(
            "environment_events",
            json!([object(
                "e1",
                json!({ "interview_id": "i1", "at": "2026-03-02T01:02:00Z", "type": "network_latency",
            "value": "740", "unit": "ms", "severity": "warning" })
            )]),
        ),
        read(
            "process_nodes",
            json!([object(
                "s1",
                json!({ "interview_id": "i1", "node": "started", "at": "2026-03-02T01:00:00Z", "seq": 1, "clicks": 3, "wait_ms": 125000 })
            )]),
        ),
        read(
            "results",
            json!([object(
                "r1",
                json!({ "interview_id": "i1", "overall": score, "recommendation": "lean_yes", "strengths": ["表达清晰"] })
            )]),
        ),
    ];
    let records: Vec<_> = pages
        .into_iter()
        .flat_map(|page| {
            assert_eq!(page.rejects, []);
            page.records
        })
        .collect();
    insta::assert_json_snapshot!(readable(&records));
}

#[test]
fn the_recorded_collections_come_in_and_what_is_marked_is_gone() {
    let host = Host::new().fixtures(concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures")).at_ms(1_772_496_000_000);
    for (collection, expected) in [
        ("candidates", &[("cand-1", false), ("cand-2", true)][..]),
        ("interviews", &[("int-1", false)]),
        ("results", &[("res-1", false)]),
    ] {
        let run = host.pull_all::<InterviewVendor>(&config(), collection, None).unwrap();
        assert_eq!(run.rejects, [], "{collection}");
        let found: Vec<(&str, bool)> =
            run.records.iter().map(|record| (record.external_id.as_str(), record.deleted)).collect();
        assert_eq!(found, expected, "{collection}");
    }
}

#[test]
fn ids_that_the_customers_system_gave_name_their_connection_where_it_is_configured() {
    let data = |collection: &str| match collection {
        "candidates" => object("c1", json!({ "name": "赵晓明", "external_id": "t-1" })),
        _ => object(
            "a1",
            json!({ "candidate_id": "c1", "position": { "id": "p1", "name": "会计" }, "status": "active", "external_id": "t-1" }),
        ),
    };
    let named = json!({ "base_url": BASE, "applications": "hr" });
    for collection in ["candidates", "applications"] {
        for (config, connection) in [(config(), Value::Null), (named.clone(), json!("hr"))] {
            let page = read_with(&config, collection, json!([data(collection)]));
            let record: Value = serde_json::from_slice(&page.records[0].payload).unwrap();
            let id = &record["external_ids"][0];
            assert_eq!((&id["value"], &id["connection"]), (&json!("t-1"), &connection), "{collection}");
        }
    }
}

#[test]
fn r41_why_an_application_ended_comes_in_as_codes_and_the_vendors_own_words_are_kept() {
    let body = json!({ "candidate_id": "c1", "position": { "id": "p1" }, "status": "withdrawn",
                       "outcome_reasons": ["no_show", "moved_abroad"], "outcome_note": "未出现" });
    let page = read("applications", json!([object("a1", body)]));
    let record: Value = serde_json::from_slice(&page.records[0].payload).unwrap();
    let reasons = json!([{ "code": "NO_SHOW", "raw": "no_show" }, { "code": "OTHER", "raw": "moved_abroad" }]);
    assert_eq!(record["outcome"]["reasons"], reasons);
    assert_eq!(
        (&record["outcome"]["code"]["code"], &record["outcome"]["note"]),
        (&json!("WITHDRAWN"), &json!("未出现"))
    );
    let open = json!({ "candidate_id": "c1", "position": { "id": "p1" }, "status": "active" });
    let page = read("applications", json!([object("a1", open)]));
    let record: Value = serde_json::from_slice(&page.records[0].payload).unwrap();
    assert_eq!(record["outcome"], Value::Null);
}

#[test]
fn r49_an_instruction_is_read_with_what_became_of_it() {
    let op =
        json!({ "op": "set_weight", "competency_id": "comp-1", "modality": "speech", "from_bp": 1000, "to_bp": 3000 });
    let said = json!({ "position_id": "pos-1", "expected_version": 3, "ops": [op], "status": "applied", "version": 4 });
    let page = read("adjustments", json!([object("adj-1", said.clone())]));
    let record: Value = serde_json::from_slice(&page.records[0].payload).unwrap();
    assert_eq!((&record["status"], &record["applied_version"]), (&json!("APPLIED"), &json!(4)));
    let op = &record["ops"][0];
    assert_eq!(
        (&op["op"], &op["modality"]["code"], &op["from_bp"]),
        (&json!("SET_WEIGHT"), &json!("SPEECH"), &json!(1000))
    );
    let mut other = said;
    other["status"] = json!("pending");
    assert_eq!(read("adjustments", json!([object("adj-1", other)])).rejects.len(), 1, "a status that is not known");
}

#[test]
fn a_word_that_nobody_knows_is_kept() {
    let page = read("results", json!([object("r1", json!({ "interview_id": "i1", "recommendation": "lean_yes" }))]));
    let record: Value = serde_json::from_slice(&page.records[0].payload).unwrap();
    assert_eq!(record["recommendation"], json!({ "code": "OTHER", "raw": "lean_yes" }));
}

#[test]
fn pay_without_its_unit_is_rejected_and_the_rest_goes_in() {
    let page = read(
        "candidates",
        json!([
            object("c1", json!({ "name": "赵晓明", "expected_pay": { "min": "8", "max": "10", "currency": "CNY" } })),
            object("c2", json!({ "name": "钱静" })),
        ]),
    );
    assert_eq!(page.records.iter().map(|r| r.external_id.as_str()).collect::<Vec<_>>(), ["c2"]);
    assert_eq!(page.rejects[0].external_id.as_deref(), Some("c1"));
    assert!(page.rejects[0].reason.contains("per"), "{}", page.rejects[0].reason);
}

#[test]
fn a_deleted_object_is_told_and_needs_nothing_else() {
    let page = read("interviews", json!([{ "id": "i1", "modified_at": "2026-03-02T01:00:00Z", "deleted": true }]));
    assert!(page.records[0].deleted);
}

#[test]
fn the_next_run_asks_from_ten_minutes_before_the_newest_time_inclusive() {
    let later = || Host::new().at_ms(1_772_500_000_000);
    // The protocol says null or nothing at the end; an empty text would be the first page again.
    for end in [json!(null), json!("")] {
        let body = json!({ "data": [object("c1", json!({ "name": "赵晓明" }))], "next_cursor": end }).to_string();
        let host = later().answer("GET", &format!("{BASE}/candidates?limit=500"), 200, body);
        let page = host.pull::<InterviewVendor>(&config(), pull("candidates", None)).unwrap();
        assert!(!page.has_more, "{end}");
        let url = format!("{BASE}/candidates?limit=500&modified_since=2026-03-02T09%3A20%3A00.000%2B08%3A00");
        let host = later().answer("GET", &url, 200, r#"{"data":[]}"#);
        let next = host.pull::<InterviewVendor>(&config(), pull("candidates", page.next.as_deref())).unwrap();
        assert!(!next.has_more);
    }
}

#[test]
fn the_overlap_and_the_skew_are_what_the_operator_declares() {
    let newest_ms = 1_772_415_000_000; // 2026-03-02T09:30:00.000+08:00
    let body = json!({ "data": [object("c1", json!({ "name": "赵晓明" }))] }).to_string();
    let next = |config: &Value, now_ms: i64| {
        let host = Host::new().at_ms(now_ms).answer("GET", &format!("{BASE}/candidates?limit=500"), 200, body.clone());
        host.pull::<InterviewVendor>(config, pull("candidates", None)).unwrap().next.unwrap()
    };
    let overlap = next(&json!({ "base_url": BASE, "overlap_minutes": 90 }), newest_ms + 86_400_000);
    assert!(overlap.contains("2026-03-02T08:00:00.000+08:00"), "{overlap}");
    let hour_behind_ms = newest_ms - 3_600_000;
    assert!(next(&json!({ "base_url": BASE, "skew_minutes": 60 }), hour_behind_ms).contains("from"));
    assert_eq!(next(&json!({ "base_url": BASE, "skew_minutes": 59 }), hour_behind_ms), "{}");
}

#[test]
fn a_list_that_is_not_in_the_protocols_order_is_refused() {
    let at = |id: &str, time: &str| json!({ "id": id, "modified_at": time, "name": "赵晓明" });
    let newest_first = json!([at("c2", "2026-03-02T09:30:01Z"), at("c1", "2026-03-02T09:30:00Z")]);
    let body = json!({ "data": newest_first }).to_string();
    let host = Host::new().at_ms(1_772_500_000_000).answer("GET", &format!("{BASE}/candidates?limit=500"), 200, body);
    let failure = host.pull::<InterviewVendor>(&config(), pull("candidates", None)).unwrap_err();
    assert_eq!(failure.kind, FailureKind::UpstreamChanged);
    assert!(failure.message.contains("not in the order"), "{}", failure.message);
}

#[test]
fn the_protocols_errors_mean_what_it_says() {
    let cases = [
        (401, "unauthorized", FailureKind::AuthRequired),
        (403, "forbidden", FailureKind::NotGranted),
        (404, "unknown_collection", FailureKind::BadConfig),
        (410, "cursor_expired", FailureKind::UpstreamUnavailable),
        (429, "rate_limited", FailureKind::RateLimited),
        (500, "oops", FailureKind::UpstreamUnavailable),
    ];
    for (status, code, kind) in cases {
        let body = json!({ "error": { "code": code, "message": "x" } }).to_string();
        let host = Host::new().answer("GET", &format!("{BASE}/results?limit=500"), status, body);
        let failure = host.pull::<InterviewVendor>(&config(), pull("results", None)).unwrap_err();
        assert_eq!((failure.kind, failure.code.as_deref()), (kind, Some(code)));
    }
}
