//! A hostile "survey" connector together with the interview vendor and payroll, and the vendor behind it: nothing that
//! it says of interviews, pay bands and people that are not its own has any effect, and what it was not granted does
//! not even come in.

use std::sync::{Arc, Mutex};

use axum::routing::{get, post};
use axum::{Json, Router};
use renmen_tests::interview_vendor;
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_interviews};
use crate::harness::{Home, plugin, serve};

/// What the vendor behind the connector tells it to say, and what it was sent.
#[derive(Default)]
struct Survey {
    forged: Mutex<Vec<Value>>,
    got: Mutex<Vec<Value>>,
}

impl Survey {
    async fn serve(self: &Arc<Self>) -> String {
        let (says, takes) = (Arc::clone(self), Arc::clone(self));
        let forge = get(move || async move { Json(says.forged.lock().unwrap().clone()) });
        let action = post(move |Json(body): Json<Value>| async move {
            takes.got.lock().unwrap().push(body);
            "taken"
        });
        serve(Router::new().route("/forge", forge).route("/action", action)).await
    }

    fn say(&self, entity: &str, id: &str, body: &Value) {
        self.forged.lock().unwrap().push(json!({ "entity": entity, "id": id, "body": body }));
    }
}

/// The example deployment with the survey in it, and a flow that would send a survey's applicant to it.
async fn deployment(grant: &str) -> (Home, interview_vendor::Vendor, Arc<Survey>) {
    let (vendor, survey) = (interview_vendor::vendor(12), Arc::new(Survey::default()));
    let home = with_interviews(example().await, &vendor, "interview").await;
    let url = survey.serve().await;
    let more = format!(
        r#"
[connections.survey]
plugin = "{}"
config = {{ base_url = "{url}" }}
grant = {{ hosts = ["{{base_url}}"], methods = ["GET", "POST"], plaintext = true, addresses = ["127.0.0.0/8"]{grant} }}
slots.key = {{ value = "made-up-key-of-a-survey", to = ["{{base_url}}"] }}
streams.forge = {{ manual = true }}

[flows.tell-the-survey]
when = {{ entity = "application", connection = ["interview", "survey"], change = ["created"] }}
with.candidate = {{ ref = "/candidate", fields = ["/person/names"] }}
to = {{ connection = "survey", action = "send" }}
map = {{ who = "candidate" }}
"#,
        plugin("hostile").display()
    );
    let file = home.path().join("connectors.toml");
    let text = std::fs::read_to_string(&file).unwrap() + &more;
    home.configure(&text);
    (home, vendor, survey)
}

fn theirs(id: &str) -> Value {
    json!({ "external": { "connection": "interview", "value": id } })
}

/// Everything that the survey says: of an interview that failed, of who may earn what, of a candidate of the vendor's.
fn forge(survey: &Survey, failed: &str) {
    let result =
        json!({ "interview": theirs(failed), "overall": { "value": "99", "min": "0", "max": "100", "scale": "RAW" } });
    survey.say("interview_result", "forged", &result);
    let step = |code: &str, at: &str| json!({ "subject": { "interview": theirs(failed) }, "node": { "code": code }, "at": format!("2026-03-02T0{at}:00:00.000Z") });
    survey.say("process_node", "n1", &step("STARTED", "1"));
    survey.say("process_node", "n2", &step("FEEDBACK_SENT", "2"));
    let own = json!({ "application": theirs("app-0"), "kind": "AI", "status": { "code": "COMPLETED" } });
    survey.say("interview", "own-1", &own);
    let mut of_own = result;
    of_own["interview"] = json!({ "external": { "value": "own-1" } });
    survey.say("interview_result", "own-1", &of_own);
    survey.say(
        "pay_band",
        "wide",
        &json!({
            "key": { "job_family": "研发", "level": "P4" }, "status": "ACTIVE", "visibility": "VENDOR_MATCH_ONLY",
            "range": { "min": "1", "max": "99999", "currency": "CNY", "per": "MONTH" },
        }),
    );
    survey.say(
        "application",
        "deputy",
        &json!({
            "candidate": theirs("cand-0"), "job": { "external": { "value": "j" } }, "status": { "code": "ACTIVE" },
        }),
    );
    // What no manifest can declare and no grant can name.
    survey.say("decision", "d1", &json!({ "interview": theirs(failed), "outcome": "PASS" }));
    survey.say("notification", "m1", &json!({}));
}

async fn run(api: &Api, connection: &str, stream: &str) {
    let (status, begun) = api.post(&format!("/v1/connections/{connection}/streams/{stream}/runs"), &json!({})).await;
    assert_eq!(status, 202, "{begun}");
    let id = begun["run"].clone();
    let ended = |runs: &Value| {
        let runs = runs["data"].as_array().unwrap();
        runs.iter().find(|run| run["id"] == id && run["state"] != "running").cloned()
    };
    let ended = api.until(&format!("/v1/runs?connection={connection}&limit=20"), ended).await;
    assert_eq!(ended["state"], "completed", "{ended}");
}

async fn decisions(api: &Api, count: usize) -> Vec<Value> {
    let all = |page: &Value| Some(page["data"].as_array().unwrap().clone()).filter(|found| found.len() >= count);
    api.until("/v1/decisions?limit=100", all).await
}

/// An honest result, last in the feed: when it is decided, everything before it was looked at.
async fn next_result(api: &Api, vendor: &interview_vendor::Vendor) {
    {
        let mut state = vendor.lock().unwrap();
        let mut last = state.collections["results"][0].clone();
        last["id"] = json!("res-last");
        last["modified_at"] = json!("2026-03-05T01:00:00.000Z");
        state.collections.get_mut("results").unwrap().push(last);
    }
    run(api, "interview", "results").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_that_speaks_of_others_decides_nothing_answers_nothing_and_learns_nothing() {
    // Without `grant.entities`, everything that the manifest carries comes in, as --dev allows.
    let (home, vendor, survey) = deployment("").await;
    for connection in ["interview", "payroll"] {
        home.run(&["sync", "--dev", connection]).await;
    }
    // What ended before the gateway came is decided here too.
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    Api::of(&mut gateway).await.until_the_loop_has_caught_up().await;
    drop(gateway);
    home.json(&["decide-past", "--dev", "interview", "--from", "2026-01-01", "--apply"]).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let results = vendor.lock().unwrap().collections["results"].len();
    let before = decisions(&api, results).await;
    let failed = before.iter().find(|decision| decision["body"]["outcome"] == "FAIL").unwrap();
    let of = failed["body"]["interview"]["external"]["value"].as_str().unwrap().to_owned();
    forge(&survey, &of);
    run(&api, "survey", "forge").await;
    next_result(&api, &vendor).await;

    let after = decisions(&api, results + 1).await;
    assert_eq!(after.len(), results + 1, "one for each honest result and no more");
    assert!(after.iter().all(|decision| decision["source"]["connection"] == "renmen"));
    let still: Vec<_> =
        after.iter().filter(|decision| decision["body"]["interview"] == failed["body"]["interview"]).collect();
    assert!(still.iter().all(|decision| decision["body"]["outcome"] == "FAIL"), "{still:?}");
    let application = failed["body"]["application"]["id"].as_str().unwrap();
    let timeline = api.get(&format!("/v1/applications/{application}/timeline")).await;
    let steps = timeline["steps"].as_array().unwrap();
    assert!(!steps.is_empty() && steps.iter().all(|step| step["connection"] != "survey"), "{steps:?}");

    // The one flow that names the survey sends it what it is owed, and nothing of the candidate that it chose.
    let dead = api.deliveries("flow=tell-the-survey&state=dead", 1).await;
    let reason = dead[0]["error"].as_str().unwrap();
    assert!(
        reason.contains("with.candidate: a record of connection `survey` refers to one of connection `interview`"),
        "{reason}"
    );
    assert!(survey.got.lock().unwrap().is_empty(), "{:?}", survey.got.lock().unwrap());
    let waiting = api.get("/v1/quarantine?connection=survey").await;
    let mut refused: Vec<_> = waiting["data"].as_array().unwrap().iter().map(|row| row["code"].clone()).collect();
    refused.dedup();
    assert_eq!(refused, ["gateway_only"], "{waiting}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_survey_that_may_write_surveys_writes_nothing_else() {
    let (home, _vendor, survey) = deployment(", entities = [\"survey\"]").await;
    forge(&survey, "int-0");
    survey.say("survey", "s1", &json!({ "interview": theirs("int-0"), "comment": "Fine" }));
    home.run(&["sync", "--dev", "survey", "forge"]).await;
    let kept = home.json(&["quarantine", "list", "survey", "--dev"]).await;
    let codes: Vec<&str> = kept.as_array().unwrap().iter().filter_map(|row| row["code"].as_str()).collect();
    assert_eq!(codes.iter().filter(|code| **code == "entity_not_granted").count(), 7, "{kept}");
    for entity in ["interview-results", "process-nodes", "interviews", "applications", "pay-bands", "decisions"] {
        let rows = home.json(&["records", entity, "--dev"]).await;
        assert_eq!(rows.as_array().map(Vec::len), Some(0), "{entity}: {rows}");
    }
}
