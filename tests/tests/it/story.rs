//! The loop from end to end, on the repository's own connectors.toml.

use std::time::Duration;

use renmen_tests::story::{self, Gateway, Stage};
use renmen_tests::{dingtalk, feishu, files, interview_vendor};
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, plugin, serve};

/// Applications in Hire of which the vendor knows none.
const CANDIDATES: usize = 16;

async fn home(stage: &Stage) -> Home {
    let hire = serve(feishu::router(stage.hire.clone())).await;
    let company = serve(dingtalk::router(stage.company.clone())).await;
    let vendor = serve(interview_vendor::router(stage.vendor.clone())).await;
    let folder = plugin("interview-vendor").parent().unwrap().display().to_string();
    let home = Home::new(include_str!("../../../connectors.toml"));
    let inbox = home.path().join("inbox");
    std::fs::create_dir(&inbox).unwrap();
    files::write_demo_files(&inbox).unwrap();
    // A file that was written this very moment may still be growing: it is listed half a second later.
    tokio::time::sleep(Duration::from_millis(700)).await;
    let recruiter = stage.company.lock().unwrap().users[0].userid.clone();
    let dingtalk_app = json!({ "client_id": dingtalk::APP_KEY, "client_secret": dingtalk::APP_SECRET }).to_string();
    let feishu_app = json!({ "app_id": feishu::APP_ID, "app_secret": feishu::APP_SECRET }).to_string();
    home.env("RENMEN_PLUGINS", &folder)
        .env("DINGTALK_URL", &company)
        .env("DINGTALK_OLD_URL", &company)
        .env("DINGTALK_APP", &dingtalk_app)
        .env("DINGTALK_RECRUITER", &recruiter)
        .env("FEISHU_URL", &hire)
        .env("FEISHU_APP", &feishu_app)
        .env("FEISHU_ENCRYPT_KEY", feishu::ENCRYPT_KEY)
        .env("INTERVIEW_URL", &format!("{vendor}/v1"))
        .env("INTERVIEW_KEY", interview_vendor::API_KEY)
        .env("INTERVIEW_WEBHOOK_SECRET", interview_vendor::WEBHOOK_SECRET)
        .env("INBOX", &inbox.display().to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_in_hire_becomes_an_interview_a_decision_and_a_result_in_hire() {
    let stage = Stage {
        hire: feishu::tenant(10, CANDIDATES),
        company: dingtalk::company(20),
        vendor: interview_vendor::vendor_of(0, feishu::application_id),
    };
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

    assert_eq!(told.len(), 11, "{told:#?}");
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
    for flow in ["order-interview", "ask-a-person", "result-to-hire"] {
        assert_eq!(flows.iter().filter(|name| **name == flow).count(), 1, "{flow} in {flows:?}");
    }
    assert!(sent.iter().all(|one| one["flow_version"] == 1 && one["state"] == "delivered"), "{sent:#?}");
}
