//! The interview loop of the real gateway over the repository's own connectors.toml: decisions on what was pulled, the band
//! match, the timeline, a candidate's screen; and all of it again after it was killed.

use std::time::Duration;

use renmen_tests::interview_vendor::story::Story;
use renmen_tests::{feishu, interview_vendor};
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_feishu, with_interviews};
use crate::harness::{Home, Running};

const CANDIDATES: usize = 30;

/// The interview vendor, Hire and the payroll department of the repository's deployment.
async fn deployment() -> (Home, interview_vendor::Vendor) {
    let vendor = interview_vendor::vendor_of(CANDIDATES, feishu::application_id);
    Story::keep(&vendor, &json!({ "data": { "interviews": under_way() } }));
    let home = with_feishu(example().await, &feishu::tenant(4, CANDIDATES)).await;
    (with_interviews(home, &vendor, "feishu").await, vendor)
}

/// Of each job of Hire an amount within its band, and one beyond.
const PAY: [(usize, &str, &str); 4] =
    [(0, "6000", "7100"), (1, "9500", "13000"), (2, "9900", "5900"), (3, "15000", "17000")];

/// One interview for an application of each job of Hire, and one of an application that Hire does not have. The vendor's others are
/// over: nothing is asked about them any more.
fn under_way() -> Vec<Value> {
    let interview = |id: String, application: String| {
        json!({ "id": id, "modified_at": "2026-03-02T01:00:00.000Z", "application_id": application, "round": 2, "kind": "ai",
                "status": "in_progress" })
    };
    let of_job = |job: usize| interview(format!("int-now-{job}"), feishu::application_id(job));
    (0..PAY.len()).map(of_job).chain([interview("int-now-own".into(), "app-own".into())]).collect()
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
    for connection in ["interview", "payroll", "feishu"] {
        home.run(&["sync", "--dev", connection]).await;
    }
    let results = vendor.lock().unwrap().collections["results"].len();
    // They ended long before this gateway came. It takes them in and leaves them alone; the operator sees what the rules say to
    // them, and then has it decided.
    let past = ["decide-past", "--dev", "interview", "--from", "2026-01-01"];
    let early = home.run(&past).await;
    assert!(!early.status.success() && String::from_utf8_lossy(&early.stderr).contains("start it"), "{early:?}");
    let mut gateway = serving(&home);
    let api = Api::of(&mut gateway).await;
    api.until_the_loop_has_caught_up().await;
    let listed = home.json(&past).await;
    assert_eq!(listed.as_array().unwrap().len(), results, "{listed:#}");
    assert!(data(&api.get("/v1/decisions?limit=100").await).is_empty(), "nothing was written");
    drop(gateway);
    home.json(&[&past[..], &["--apply"]].concat()).await;
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
    let by = json!({ "outcome": "pass", "reason": "Second interview" });
    let (status, made) = api.post(&path, &by).await;
    assert_eq!((status, &made["revision"]), (200, &json!(2)), "{made}");
    let (status, again) = api.post(&path, &by).await;
    assert_eq!((status, &again["revision"]), (200, &json!(2)), "the same ask again decides nothing again");
    let other = json!({ "outcome": "fail", "reason": "Second interview" });
    assert_eq!(api.post(&path, &other).await.0, 409, "another verdict is an override");
    let open_now = api.get("/v1/decisions?status=AWAITING_PERSON&limit=100").await;
    assert!(data(&open_now).iter().all(|decision| decision["id"] != open["id"]));
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

/// Over the payroll department's own file and the jobs of Hire: every job has its band by what the gateway knows.
async fn band_match(api: &Api) {
    let ask_of = |what: &str, id: &str, amount: &str| {
        json!({ "connection": "interview", what: id,
                "expected": { "amount": amount, "currency": "CNY", "per": "MONTH" } })
    };
    let said =
        async |what: &str, id: &str, amount: &str| api.post("/v1/pay-bands/match", &ask_of(what, id, amount)).await;
    for (what, id, status) in [
        ("interview", "int-0", 409),
        ("interview", "int-made-up", 404),
        ("order", "ord-0", 409),
        ("order", "int-now-0", 404),
    ] {
        assert_eq!(said(what, id, "9500").await.0, status, "{id}");
    }
    for (job, within, beyond) in PAY {
        let interview = format!("int-now-{job}");
        assert_eq!(said("interview", &interview, within).await.1, json!({ "match": "in" }), "{job}: {within}");
        assert_eq!(said("interview", &interview, beyond).await.1, json!({ "match": "out" }), "{job}: {beyond}");
    }
    let unknown = said("interview", "int-now-own", "9500").await.1;
    assert_eq!((&unknown["match"], &unknown["reason"]), (&json!("unknown"), &json!("no_job")));
    assert!(unknown["detail"].as_str().unwrap().contains("does not know the job"), "{unknown}");
    assert_eq!(said("interview", "int-now-1", "9999999").await.1, json!({ "match": "out" }));
    let (status, problem) = said("interview", "int-now-1", "10300").await;
    assert_eq!((status, &problem["code"]), (429, &json!("too_many_asks")));
    assert_eq!(said("interview", "int-now-1", "9500").await.0, 200, "an answer can be had again");
    let chosen = json!({ "connection": "interview", "interview": "int-now-2", "position": { "job_family": "研发", "level": "P7" },
                         "expected": { "amount": "17000", "currency": "CNY", "per": "MONTH" } });
    let (_, problem) = api.post("/v1/pay-bands/match", &chosen).await;
    assert_eq!(problem["code"], "invalid_body", "the job is not the asker's to choose");
    let metrics = api.text("/metrics").await;
    for (why, count) in [("not_found", 2), ("not_open", 2), ("interview", 1)] {
        let line = format!("renmen_band_match_refused_total{{why=\"{why}\"}} {count}\n");
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }
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
