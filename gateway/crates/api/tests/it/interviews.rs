//! The interview loop over HTTP: what is asked of it, and how its refusals look.

use std::sync::Arc;

use async_trait::async_trait;
use axum::http::StatusCode;
use renmen_api::Interviews;
use renmen_interview::{
    Asked, BandAsk, Copied, CorrectionAsk, DecisionAsk, InterviewError, Judged, LoopProgress, PersonVerdict, ReopenAsk,
    RuleUse, ScreenNode, ScreenStage, ScreenToken, ScreenView, SetAside, Step, Timeline, Unknown, Verdict,
};
use renmen_schema::code::OutcomeReason;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::{Cause, RecordRow, Store};
use serde_json::{Value, json};

use crate::rig::{Answer, BEGIN_MS, Rig};

const ID: &str = "018bcfe5-6800-7000-8000-000000000001";
const TOKEN: &str = "rs_0000000000000000000000000000000000000000000000000000000000000000";

/// A loop whose answers are known beforehand.
struct Scripted(Arc<dyn Store>);

#[async_trait]
impl Interviews for Scripted {
    fn progress(&self, _tenant: &TenantId) -> Option<LoopProgress> {
        let aside = SetAside {
            entity: "interview".into(),
            connection: "vendor".into(),
            external_id: "int-1".into(),
            reason: "it has more than 100 results: raise `interview.children_max`".into(),
            since_ms: 1_772_413_200_000,
        };
        Some(LoopProgress {
            place: 7,
            set_aside: 1,
            first_set_aside: vec![aside],
            rules: vec![RuleUse { name: "default".into(), from_file: true, overruled_by: None, results: 3 }],
            ..LoopProgress::default()
        })
    }

    async fn match_band(&self, tenant: &TenantId, caller: &str, ask: BandAsk<'_>) -> Result<Verdict, InterviewError> {
        assert_eq!((tenant.as_str(), caller.len()), ("acme", 16));
        let (Asked::Interview(id) | Asked::Order(id)) = ask.about;
        match (ask.connection.as_str(), id) {
            (_, "nowhere") => Err(InterviewError::NotFound("interview")),
            (_, "often") => Err(InterviewError::TooMany { after_s: 77, limit: "asks_per_minute" }),
            (_, "full") => Err(InterviewError::Overloaded),
            ("vendor", _) if ask.expected.amount.to_string() == "9500" => Ok(Verdict::In),
            _ => Ok(Verdict::Unknown(Unknown::NoBand)),
        }
    }

    async fn decide(&self, tenant: &TenantId, id: RecordId, ask: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        assert_eq!(ask.person, "test", "the name of the key");
        if ask.verdict == PersonVerdict::Fail {
            assert_eq!(ask.reasons, [OutcomeReason::NoShow]);
            return Err(InterviewError::refused("decided before", "已决定"));
        }
        self.0.record(tenant, id).await?.ok_or(InterviewError::NotFound("decision"))
    }

    async fn reopen(&self, _: &TenantId, id: RecordId, ask: &ReopenAsk) -> Result<RecordRow, InterviewError> {
        assert_eq!((ask.person.as_str(), ask.reason.get("und")), ("test", Some("r")));
        Err(InterviewError::Superseded { by: id })
    }

    async fn overrule(&self, tenant: &TenantId, id: RecordId, ask: &DecisionAsk) -> Result<RecordRow, InterviewError> {
        self.decide(tenant, id, ask).await
    }

    async fn judged(&self, _: &TenantId, _: RecordId) -> Result<Judged, InterviewError> {
        unreachable!("nobody comes with a link")
    }

    async fn correct(&self, _: &TenantId, _: RecordId, _: &CorrectionAsk) -> Result<RecordRow, InterviewError> {
        Err(InterviewError::bad("value", "within 0 to 100", "0 到 100"))
    }

    async fn candidate_timeline(&self, tenant: &TenantId, id: RecordId) -> Result<Timeline, InterviewError> {
        let Timeline { steps, .. } = self.timeline(tenant, id).await?;
        let at = |n: i64| Step { at_ms: BEGIN_MS + n / 2, revision: n + 1, ..steps[0].clone() };
        Ok(Timeline { steps: (0..5).map(at).collect(), truncated: false })
    }

    async fn timeline(&self, _: &TenantId, id: RecordId) -> Result<Timeline, InterviewError> {
        let step = Step {
            at_ms: BEGIN_MS,
            recorded_at_ms: BEGIN_MS,
            kind: "decision",
            code: Some("PASS".into()),
            status: Some("DECIDED".into()),
            record: id,
            entity: "decision".into(),
            revision: 2,
            connection: ConnectionName::new("renmen").unwrap(),
            external_id: "d".into(),
            causes: vec![Cause { record: id, revision: 1 }],
            delivery: Some(7),
            copies: vec![Copied {
                record: id,
                entity: "interview".into(),
                connection: ConnectionName::new("hr").unwrap(),
                external_id: "i".into(),
            }],
        };
        Ok(Timeline { steps: vec![step], truncated: false })
    }

    async fn screen_token(&self, _: &TenantId, _: RecordId) -> Result<ScreenToken, InterviewError> {
        Ok(ScreenToken { token: TOKEN.into(), expires_at_ms: BEGIN_MS })
    }

    async fn screen(&self, token: &str, interview: RecordId) -> Result<Option<ScreenView>, InterviewError> {
        let node = ScreenNode { id: interview, code: "STARTED", at_ms: BEGIN_MS, done: Some(2), of: Some(5) };
        Ok((token == TOKEN).then(|| ScreenView {
            tenant: TenantId::new("acme").unwrap(),
            stage: ScreenStage::InProgress,
            nodes: vec![node],
        }))
    }
}

async fn rig() -> Rig {
    Rig::with_interviews(|store| Arc::new(Scripted(store))).await
}

fn question(interview: &str, amount: &str) -> serde_json::Value {
    json!({ "connection": "vendor", "interview": interview,
            "expected": { "amount": amount, "currency": "CNY", "per": "MONTH" } })
}

async fn ask(rig: &Rig, body: &serde_json::Value) -> Answer {
    rig.post("/v1/pay-bands/match", &body.to_string()).await
}

#[tokio::test]
async fn r05_a_band_match_says_in_out_or_why_nobody_can_say_and_no_more() {
    let rig = rig().await;
    let answer = ask(&rig, &question("int-1", "9500")).await;
    assert_eq!((answer.status, answer.json()), (StatusCode::OK, json!({ "match": "in" })));
    let unknown = json!({ "match": "unknown", "reason": "no_band", "detail": Unknown::NoBand.says() });
    assert_eq!(ask(&rig, &question("int-1", "1")).await.json(), unknown);
    let mut of_order = question("-", "9500");
    of_order.as_object_mut().unwrap().remove("interview");
    of_order["order"] = json!("ord-1");
    assert_eq!(ask(&rig, &of_order).await.json(), json!({ "match": "in" }));
    for (member, what) in [("interview", "interview"), ("order", "order")] {
        let mut missing = of_order.clone();
        missing.as_object_mut().unwrap().remove("order");
        missing[member] = json!("nowhere");
        let problem = ask(&rig, &missing).await.problem("not_found");
        assert!(problem["detail"].as_str().unwrap().contains(what), "{problem}");
    }
    let often = ask(&rig, &question("often", "1")).await;
    often.problem("too_many_asks");
    assert_eq!((often.status.as_u16(), &often.headers["retry-after"]), (429, &"77".parse().unwrap()));
    ask(&rig, &question("full", "1")).await.problem("overloaded");
}

#[tokio::test]
async fn a_question_without_a_unit_an_interview_or_with_more_than_is_asked_is_refused() {
    let rig = rig().await;
    let both = json!({ "order": "ord-1" });
    let cases = [
        (Some(&both), "", "invalid_parameter"),
        (None, "interview", "invalid_parameter"),
        (None, "connection", "invalid_value"),
    ];
    for (more, less, code) in cases {
        let mut wrong = question("int-1", "1");
        let members = wrong.as_object_mut().unwrap();
        members.remove(less);
        members.extend(more.into_iter().flat_map(|more| more.as_object().unwrap().clone()));
        ask(&rig, &wrong).await.problem(code);
    }
    for (pointer, value) in [
        ("/expected/per", json!("K")),
        ("/expected/amount", json!(9500)),
        ("/expected/currency", json!("yuan")),
        // The job is the gateway's to know: the asker cannot choose it.
        ("/position", json!({ "job_family": "研发", "level": "P4" })),
        ("/job", json!("67001")),
    ] {
        let mut wrong = question("int-1", "1");
        let (parent, member) = pointer.rsplit_once('/').unwrap();
        wrong.pointer_mut(parent).unwrap()[member] = value;
        ask(&rig, &wrong).await.problem("invalid_body");
    }
    for (text, good) in [("x".repeat(200), true), ("x".repeat(201), false), (" ".into(), false)] {
        let answer = ask(&rig, &question(&text, "1")).await;
        assert_eq!(answer.status.is_success(), good);
    }
    rig.post("/v1/pay-bands/match", "{").await.problem("invalid_body");
}

#[tokio::test]
async fn a_decision_and_a_correction_are_told_and_refused_in_the_apis_own_words() {
    let rig = rig().await;
    let path = format!("/v1/decisions/{ID}");
    let body = |outcome: &str| json!({ "outcome": outcome, "reason": "r" }).to_string();
    let fail = json!({ "outcome": "fail", "reason": "r", "reasons": ["NO_SHOW"] }).to_string();
    let overrule = format!("{path}/override");
    for path in [&path, &overrule] {
        rig.post(path, &body("pass")).await.problem("not_found");
        rig.post(path, &fail).await.problem("refused");
        rig.post(path, &body("maybe")).await.problem("invalid_body");
    }
    let unknown = rig.post(&path, &fail.replace("NO_SHOW", "OTHER")).await.problem("invalid_body");
    assert!(unknown["detail"].as_str().unwrap().contains("`RETURNED_BY_DEPARTMENT`"), "{unknown}");
    let superseded = rig.post(&format!("{path}/reopen"), r#"{"reason":"r"}"#).await.problem("refused");
    assert_eq!(superseded["related"], format!("/v1/decisions/{ID}"));
    rig.post("/v1/decisions/none", &body("pass")).await.problem("not_found");
    let correction = json!({ "value": "101", "reason": "r" }).to_string();
    let refused = rig.post(&format!("/v1/dimension-scores/{ID}/corrections"), &correction).await;
    assert_eq!(refused.problem("invalid_value")["parameter"], "value");
}

#[tokio::test]
async fn a_body_that_still_names_a_person_is_told_where_the_name_comes_from() {
    let rig = rig().await;
    for (path, mut body) in [
        (format!("/v1/decisions/{ID}"), json!({ "outcome": "pass", "reason": "r" })),
        (format!("/v1/decisions/{ID}/override"), json!({ "outcome": "pass", "reason": "r" })),
        (format!("/v1/decisions/{ID}/reopen"), json!({ "reason": "r" })),
        (format!("/v1/dimension-scores/{ID}/corrections"), json!({ "value": "50", "reason": "r" })),
    ] {
        for person in [json!("li.na"), json!(null)] {
            body["person"] = person;
            let problem = rig.post(&path, &body.to_string()).await.problem("invalid_body");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.contains("name of the API key"), "{path}: {detail}");
        }
    }
}

#[tokio::test]
async fn a_timeline_links_every_step_to_its_source() {
    let rig = rig().await;
    let step = rig.get(&format!("/v1/applications/{ID}/timeline")).await.json()["steps"][0].clone();
    assert_eq!(step["lineage_url"], format!("/v1/decisions/{ID}?include=lineage"));
    assert_eq!(step["delivery_url"], "/v1/deliveries/7");
    assert_eq!(step["causes"], json!([{ "record_id": ID, "revision": 1 }]));
    let copy = json!({ "record_id": ID, "entity": "interview", "connection": "hr", "external_id": "i",
                       "lineage_url": format!("/v1/interviews/{ID}?include=lineage") });
    assert_eq!(step["copies"], json!([copy]));
}

#[tokio::test]
async fn r40_a_screen_reads_its_interview_with_its_token_and_with_no_key() {
    let rig = rig().await;
    let made = rig.post(&format!("/v1/interviews/{ID}/screen-tokens"), "").await;
    assert_eq!((made.status, &made.json()["token"]), (StatusCode::CREATED, &json!(TOKEN)));
    let path = made.json()["stream_url"].as_str().unwrap().to_owned();
    for query in ["", "?token=rs_1", "?token="] {
        let refused = Answer::read(rig.send("GET", &format!("{path}{query}"), None, &[]).await).await;
        refused.problem("unauthorized");
    }
    let unknown = Answer::read(rig.send("GET", "/v1/interviews/none/nodes/stream?token=x", None, &[]).await).await;
    unknown.problem("unauthorized");
    let stream = rig.send("GET", &format!("{path}?token={TOKEN}"), None, &[]).await;
    assert_eq!(stream.status(), StatusCode::OK);
    let mut body = stream.into_body().into_data_stream();
    let mut text = String::new();
    while !text.contains("event: stage") {
        let piece = futures_util::StreamExt::next(&mut body).await.unwrap().unwrap();
        text.push_str(std::str::from_utf8(&piece).unwrap());
    }
    assert!(text.contains("event: node") && text.contains(r#"{"node":"STARTED","#), "{text}");
    assert!(text.contains(r#""done":2,"of":5}"#) && text.contains("data: in_progress"), "{text}");
}

#[tokio::test]
async fn a_tenant_that_the_loop_does_not_serve_has_no_interview_and_no_loop_to_look_at() {
    let rig = Rig::new().await;
    ask(&rig, &question("int-1", "1")).await.problem("not_found");
    assert_eq!(rig.get("/v1/health").await.json()["interview_loop"], Value::Null);
}

#[tokio::test]
async fn health_names_what_the_interview_loop_set_aside() {
    let rig = rig().await;
    let health = rig.get("/v1/health").await.json();
    let own = &health["interview_loop"];
    assert_eq!((&own["place"], &own["set_aside"], &own["behind_since"]), (&json!(7), &json!(1), &Value::Null));
    assert_eq!(own["first_set_aside"][0]["since"], "2026-03-02T01:00:00.000Z");
    assert_eq!(own["rules"], json!([{ "name": "default", "from_file": true, "overruled_by": null, "results": 3 }]));
}

#[tokio::test]
async fn a_candidates_timeline_is_read_page_by_page_r25() {
    let rig = rig().await;
    let (mut read, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = rig.get(&format!("/v1/candidates/{ID}/timeline?limit=2{cursor}")).await.json();
        read.extend(page["data"].as_array().unwrap().iter().map(|step| step["revision"].as_i64().unwrap()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(read, [1, 2, 3, 4, 5], "each step once, also those of one time");
    for wrong in ["7", "1_2_3_4_5", "a_b_c_d_e"] {
        let refused = rig.get(&format!("/v1/candidates/{ID}/timeline?cursor={wrong}")).await;
        assert_eq!(
            (refused.status, refused.json()["code"].as_str()),
            (StatusCode::BAD_REQUEST, Some("invalid_cursor")),
            "{wrong}"
        );
    }
}
