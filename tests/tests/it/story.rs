//! The loop from end to end, on the repository's own connectors.toml.

use std::time::Duration;

use renmen_tests::interview_vendor::send;
use renmen_tests::story::{self, Gateway, Stage};
use renmen_tests::{dingtalk, feishu, interview_vendor, sms};
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_dingtalk, with_feishu, with_interviews, with_texts};
use crate::harness::Home;

/// Applications in Hire of which the vendor knows none.
const CANDIDATES: usize = 16;

fn stage() -> Stage {
    Stage {
        hire: feishu::tenant(10, CANDIDATES),
        company: dingtalk::company(20),
        vendor: interview_vendor::vendor_of(0, feishu::application_id),
        phones: sms::Provider::default(),
    }
}

async fn home(stage: &Stage) -> Home {
    let home = with_dingtalk(example().await, &stage.company).await;
    let home = with_feishu(home, &stage.hire).await;
    with_interviews(with_texts(home, &stage.phones).await, &stage.vendor, "feishu").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_in_hire_becomes_an_interview_a_decision_and_a_result_in_hire() {
    let stage = stage();
    let home = home(&stage).await;
    for connection in ["payroll", "feishu"] {
        home.run(&["sync", "--dev", connection]).await;
    }
    let ready = home.path().join("ready.json");
    let file = ready.display().to_string();
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0", "--ready-file", &file]);
    let api = Api::of(&mut gateway).await;
    let reached: Gateway = serde_json::from_slice(&std::fs::read(&ready).unwrap()).unwrap();

    let mut told = Vec::new();
    let end = match story::play(&stage, &reached, |line| told.push(line.to_owned())).await {
        Ok(end) => end,
        Err(error) => {
            let sent = api.get("/v1/deliveries?limit=10").await;
            panic!("{error:#}, after {told:#?}; deliveries: {sent:#}");
        }
    };

    assert_eq!(told.len(), 14, "{told:#?}");
    assert_eq!(
        (&end.decision["body"]["outcome"], &end.decision["body"]["status"]),
        (&json!("PASS"), &json!("DECIDED"))
    );
    let order = stage.vendor.lock().unwrap().orders[0].clone();
    let members: Vec<&String> = order["candidate"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["external_id", "name"], "the vendor is told what `fields` names, and nothing else");
    assert!(order["position"]["name"].is_string());
    let interviews = serde_json::to_string(&stage.hire.lock().unwrap().external_interviews).unwrap();
    assert_eq!(interviews.matches("\"external_application_id\"").count(), 1, "written once: {interviews}");

    // Everything went through the outbox, once, and each delivery names its flow and its version.
    let sent = api.get("/v1/deliveries?limit=100").await;
    let sent: Vec<&Value> = sent["data"].as_array().unwrap().iter().collect();
    let flows: Vec<&str> = sent.iter().map(|one| one["flow"].as_str().unwrap()).collect();
    for flow in ["order-interview", "remind-candidate", "tell-candidate", "ask-a-person", "result-to-hire"] {
        assert_eq!(flows.iter().filter(|name| **name == flow).count(), 1, "{flow} in {flows:?}");
    }
    assert!(sent.iter().all(|one| one["flow_version"] == 1 && one["state"] == "delivered"), "{sent:#?}");

    drop(gateway);
    undone(&home, &end.page).await;
}

/// The link outlives the gateway that made it: whoever decided undoes it, and the old link decides nothing any more.
async fn undone(home: &Home, page: &str) {
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let form = [("content-type", "application/x-www-form-urlencoded".to_owned())];
    let visit = async |method: &str, path: &str, body: &str| {
        let url = format!("{}{path}", api.url());
        renmen_tests::http::ask(method, &url, &form, body, Duration::from_secs(20)).await.unwrap()
    };
    let shown = visit("GET", page, "").await;
    assert!(shown.status == 200 && shown.body.contains("Undo my decision"), "{shown:?}");
    let (rest, last) = page.split_at(page.len() - 1);
    let changed = format!("{rest}{}", if last == "A" { "B" } else { "A" });
    assert_eq!(visit("POST", &changed, "verdict=fail&reason=r").await.status, 404, "a changed link is none");
    assert_eq!(visit("POST", page, "undo=yes").await.status, 303);
    let open = api.get("/v1/decisions?status=AWAITING_PERSON").await;
    assert_eq!(open["data"].as_array().unwrap().len(), 1, "{open:#}");
    assert!(open["data"][0]["body"]["opened_by"]["person"].is_string());
    for (method, body) in [("GET", ""), ("POST", "verdict=pass&reason=r"), ("POST", "undo=yes")] {
        let late = visit(method, page, body).await;
        assert!(late.status == 409 && late.body.contains("took the place"), "{late:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_no_show_that_the_vendor_reports_is_told_to_the_candidate_and_to_the_recruiter_once() {
    let stage = stage();
    let home = home(&stage).await;
    home.run(&["sync", "--dev", "feishu"]).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;

    let now = jiff::Timestamp::now();
    let interview = json!({ "id": "int-away", "modified_at": now.to_string(), "application_id": feishu::application_id(1),
                            "kind": "ai", "status": "no_show", "time_zone": "Asia/Shanghai",
                            "start_at": (now - jiff::SignedDuration::from_mins(20)).to_string() });
    let event =
        json!({ "type": "interview.no_show", "timestamp": now.to_string(), "data": { "interviews": [interview] } });
    let hook = api.hook("interview");
    for _ in 0..2 {
        let answer = send::event(&hook, interview_vendor::WEBHOOK_SECRET, "msg-away", &event).await.unwrap();
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
    let sent = api
        .until("/v1/deliveries?limit=10", |page| {
            let sent = page["data"].as_array().unwrap();
            let is_over = |one: &Value| one["state"] == "delivered" || one["state"] == "dead";
            (sent.len() == 2 && sent.iter().all(is_over)).then(|| sent.clone())
        })
        .await;
    assert!(sent.iter().all(|one| one["state"] == "delivered"), "{sent:#?}");
    let texts: Vec<String> =
        stage.phones.lock().unwrap().iter().map(|one| one["text"].as_str().unwrap().to_owned()).collect();
    assert!(texts.len() == 1 && texts[0].contains("可以另约时间"), "{texts:?}");
    let told: Vec<String> = stage.company.lock().unwrap().tasks.iter().map(|task| task.message.to_string()).collect();
    assert!(told.len() == 1 && told[0].contains("候选人未参加面试"), "{told:?}");
    let messages = api.get("/v1/notifications?connection=renmen").await;
    assert_eq!(messages["data"][0]["body"]["template"], "interview_reschedule");
}
