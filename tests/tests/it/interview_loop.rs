//! The interview loop of the real gateway over the repository's own connectors.toml: decisions on what was pulled, the band
//! match, the timeline, a candidate's screen; and all of it again after it was killed.

use std::time::Duration;

use renmen_tests::interview_vendor;
use renmen_tests::interview_vendor::story::Story;
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_interviews};
use crate::harness::{Home, Running};

const CANDIDATES: usize = 30;

/// The interview vendor and the payroll department of the repository's deployment.
async fn deployment() -> (Home, interview_vendor::Vendor) {
    let vendor = interview_vendor::vendor(CANDIDATES);
    Story::keep(&vendor, &json!({ "data": { "interviews": [under_way()] } }));
    (with_interviews(example().await, &vendor, "interview").await, vendor)
}

/// The vendor's others are over: nothing is asked about them any more.
fn under_way() -> Value {
    json!({ "id": "int-now", "modified_at": "2026-03-02T01:00:00.000Z", "application_id": "app-0", "round": 2, "kind": "ai",
            "status": "in_progress" })
}

/// A gateway that serves.
fn serving(home: &Home) -> Running {
    home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"])
}

fn data(page: &Value) -> &Vec<Value> {
    page["data"].as_array().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_pulled_is_decided_asked_about_and_told_even_after_a_kill() {
    let (home, vendor) = deployment().await;
    for connection in ["interview", "payroll"] {
        home.run(&["sync", "--dev", connection]).await;
    }
    let results = vendor.lock().unwrap().collections["results"].len();
    let mut gateway = serving(&home);
    let api = Api::of(&mut gateway).await;
    let decisions =
        api.until("/v1/decisions?limit=100", |page| (data(page).len() == results).then(|| data(page).clone())).await;
    for decision in &decisions {
        let body = &decision["body"];
        let score: f64 = body["score"].as_str().unwrap().parse().unwrap();
        let expected = if (75.0..80.0).contains(&score) {
            "REVIEW"
        } else if score >= 80.0 {
            "PASS"
        } else {
            "FAIL"
        };
        assert_eq!(body["outcome"], expected, "{score}");
    }
    band_match(&api).await;

    let open = decisions.iter().find(|decision| decision["body"]["outcome"] == "REVIEW").unwrap();
    let path = format!("/v1/decisions/{}", open["id"].as_str().unwrap());
    let by = json!({ "outcome": "pass", "person": "li.na", "reason": "Second interview" });
    assert_eq!(api.post(&path, &by).await.0, 200);
    assert_eq!(api.post(&path, &by).await.0, 409, "once");
    timeline(&api, open).await;

    drop(gateway);
    let mut gateway = serving(&home);
    let api = Api::of(&mut gateway).await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let again = api.get("/v1/decisions?limit=100").await;
    assert_eq!(data(&again).len(), results, "nothing is decided twice by a gateway that was killed");
    let by_person = data(&again).iter().find(|decision| decision["id"] == open["id"]).unwrap();
    assert_eq!((&by_person["revision"], &by_person["body"]["outcome"]), (&json!(2), &json!("PASS")));
}

/// R05, over the payroll department's own file: P4 earns 8-10K.
async fn band_match(api: &Api) {
    let ask_of = |interview: &str, level: &str, amount: &str| {
        json!({ "connection": "interview", "interview": interview, "position": { "job_family": "研发", "level": level },
                "expected": { "amount": amount, "currency": "CNY", "per": "MONTH" } })
    };
    let ask = |level: &str, amount: &str| ask_of("int-now", level, amount);
    for (interview, status) in [("int-0", 409), ("int-made-up", 404)] {
        assert_eq!(api.post("/v1/pay-bands/match", &ask_of(interview, "P4", "9500")).await.0, status, "{interview}");
    }
    let said = async |level: &str, amount: &str| api.post("/v1/pay-bands/match", &ask(level, amount)).await.1;
    assert_eq!(said("P4", "9500").await, json!({ "match": "in" }));
    assert_eq!(said("P4", "13000").await, json!({ "match": "out" }));
    assert_eq!(said("P9", "13000").await, json!({ "match": "unknown", "reason": "no_band" }));
    assert_eq!(said("P4", "9999999").await, json!({ "match": "out" }));
    let (status, problem) = api.post("/v1/pay-bands/match", &ask("P4", "10300")).await;
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_asks")));
}

async fn timeline(api: &Api, decision: &Value) {
    let application = decision["body"]["application"]["id"].as_str().unwrap();
    let wanted = ["application", "order", "interview", "node", "result", "decision"];
    let steps = api
        .until(&format!("/v1/applications/{application}/timeline"), |timeline| {
            let steps = timeline["steps"].as_array().unwrap();
            let by_person = steps.iter().any(|step| step["kind"] == "decision" && step["revision"] == 2);
            by_person.then(|| steps.clone())
        })
        .await;
    for kind in wanted {
        assert!(steps.iter().any(|step| step["kind"] == kind), "{kind} in {steps:#?}");
    }
    let made = steps.iter().find(|step| step["kind"] == "decision" && step["revision"] == 1).unwrap();
    let cause = made["causes"][0]["record_id"].as_str().unwrap();
    assert_eq!(api.get(&format!("/v1/interview-results/{cause}")).await["id"], *cause);
    let lineage = steps.iter().find(|step| step["kind"] == "result").unwrap()["lineage_url"].as_str().unwrap();
    assert!(api.get(lineage).await["lineage"].is_object());
}
