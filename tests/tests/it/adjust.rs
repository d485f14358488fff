//! Instructions to change an interview vendor's model, and actions by hand, from end to end with the flows of the repository's own
//! connectors.toml.

use renmen_tests::interview_vendor::{self, Vendor, send};
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, plugin, said, serve};

/// The interview vendor's part of the shipped file: what is left out of it is of no matter here, and takes long to load.
fn config(scoring: bool) -> String {
    let mut file: toml::Table = include_str!("../../../connectors.toml").parse().unwrap();
    let part = |file: &mut toml::Table, name: &str, keep: fn(&str) -> bool| {
        file[name].as_table_mut().unwrap().retain(|key, _| keep(key));
    };
    part(&mut file, "flows", |key| key.starts_with("adjust-model"));
    part(&mut file, "connections", |key| key == "interview");
    part(&mut file, "interview", |key| key.starts_with("adjust_") || ["vendors", "rules"].contains(&key));
    file.remove("channels");
    let vendor = file["connections"]["interview"].as_table_mut().unwrap();
    vendor.insert("scoring".to_owned(), scoring.into());
    toml::to_string(&file).unwrap()
}

async fn home(vendor: &Vendor, scoring: bool) -> Home {
    let url = serve(interview_vendor::router(vendor.clone())).await;
    Home::new(&config(scoring))
        .env("RENMEN_PLUGINS", &plugin("interview-vendor").parent().unwrap().display().to_string())
        .env("INTERVIEW_URL", &format!("{url}/v1"))
        .env("INTERVIEW_APPLICATIONS", "interview")
        .env("INTERVIEW_KEY", interview_vendor::API_KEY)
        .env("INTERVIEW_WEBHOOK_SECRET", interview_vendor::WEBHOOK_SECRET)
        .env("USER", "li.na")
}

/// The key of another person.
async fn key_of(home: &Home, name: &str) -> String {
    let made = home.json(&["key", "new", name, "--role", "owner", "--dev"]).await;
    made["key"].as_str().unwrap().to_owned()
}

/// From 45 % to 30 %, as the model is at a version.
fn weight(from: u64, to: u64, version: u64) -> Value {
    json!({
        "target": { "vendor_connection": "interview", "profile_version": version },
        "ops": [{ "op": "SET_WEIGHT", "competency": { "external": { "value": "comp-1" } }, "from_bp": from, "to_bp": to }],
    })
}

fn why(mut body: Value) -> Value {
    body["reason"] = json!("r");
    body
}

fn weight_at(vendor: &Vendor) -> u64 {
    vendor.lock().unwrap().model.weights["comp-1"]
}

/// What the vendor tells of an instruction.
async fn told(api: &Api, vendor: &Vendor, number: usize) {
    let object = vendor.lock().unwrap().collections["adjustments"][number].clone();
    let event = json!({ "type": "adjustment.updated", "data": { "adjustments": [object] } });
    let id = format!("msg-{number}-{}", object["status"].as_str().unwrap());
    let answer = send::event(&api.hook("interview"), interview_vendor::WEBHOOK_SECRET, &id, &event).await.unwrap();
    assert!((200..300).contains(&answer.status), "{answer:?}");
}

async fn until_status(api: &Api, url: &str, status: &str) -> Value {
    api.until(url, |record| (record["body"]["status"] == status).then(|| record["body"].clone())).await
}

async fn until_sent(api: &Api, count: usize) {
    let all = "/v1/deliveries?connection=interview";
    let taken = |page: &Value| {
        let rows = page["data"].as_array().unwrap();
        let ended = rows.iter().filter(|row| row["state"] != "pending" && row["state"] != "in_flight").count();
        (ended >= count).then_some(())
    };
    api.until(all, taken).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn r49_r50_an_instruction_is_proposed_approved_applied_and_taken_back_and_an_old_weight_is_refused() {
    let vendor = interview_vendor::vendor_of(0, |i| format!("app-{i}"));
    let home = home(&vendor, false).await;
    let (proposer, approver) = (key_of(&home, "Li Na").await, key_of(&home, "Wang Wei").await);
    let consumer =
        home.json(&["key", "new", "bi", "--role", "consumer", "--dev"]).await["key"].as_str().unwrap().to_owned();
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let (li, wang) = (api.with_key(&proposer), api.with_key(&approver));

    let all = "/v1/model-adjustments";
    assert_eq!(api.with_key(&consumer).post(all, &why(weight(4_500, 3_000, 3))).await.0, 403);
    let (status, first) = li.post(all, &why(weight(4_500, 3_000, 3))).await;
    assert_eq!(status, 201, "{first}");
    // Both from the same weight: the vendor decides which of them is first.
    let (_, rival) = li.post(all, &why(weight(4_500, 2_000, 3))).await;
    let (url, other) = (first["url"].as_str().unwrap(), rival["url"].as_str().unwrap());
    let (status, refused) = li.post(&format!("{url}/approve"), &why(json!({}))).await;
    assert_eq!((status, &refused["code"]), (409, &json!("refused")));
    assert!(refused["detail"].as_str().unwrap().contains("another person's key"), "{refused}");
    assert_eq!(wang.post(&format!("{url}/approve"), &why(json!({}))).await.0, 200);
    until_sent(&api, 1).await;
    assert_eq!(wang.post(&format!("{other}/approve"), &why(json!({}))).await.0, 200);
    let kept = until_status(&api, other, "REJECTED").await;
    assert_eq!(kept["refusal"], "version_conflict", "{kept}");
    assert_eq!(weight_at(&vendor), 3_000);

    // The vendor reports it by itself: no one waits for the next poll.
    told(&api, &vendor, 0).await;
    let kept = until_status(&api, url, "APPLIED").await;
    assert_eq!((&kept["applied_version"], &kept["vendor_receipt"]), (&json!(4), &json!("adj-0")));
    for (old, says) in [(weight(4_500, 2_000, 3), "version 4"), (weight(4_500, 2_000, 4), "the weight is 3000")] {
        let (status, refused) = li.post(all, &why(old)).await;
        assert_eq!(status, 409);
        assert!(refused["detail"].as_str().unwrap().contains(says), "{refused}");
    }
    assert_eq!(li.post(&format!("{url}/revert"), &why(json!({}))).await.0, 200);
    let kept = until_status(&api, url, "REVERTED").await;
    assert_eq!((&kept["applied_version"], weight_at(&vendor)), (&json!(5), 4_500));
    let acts: Vec<_> = kept["acts"].as_array().unwrap().iter().map(|act| (&act["to"], &act["by"])).collect();
    let by = |to: &str, by: &str| (json!(to), json!(by));
    let wanted = [by("PROPOSED", "Li Na"), by("APPROVED", "Wang Wei"), by("REVERTING", "Li Na")];
    assert_eq!(acts, wanted.iter().map(|(to, by)| (to, by)).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn r49_the_command_line_does_the_same_beside_no_gateway_and_what_was_approved_meanwhile_is_applied_once() {
    let vendor = interview_vendor::vendor_of(0, |i| format!("app-{i}"));
    let home = home(&vendor, false).await;
    let file = home.path().join("instruction.json");
    std::fs::write(&file, weight(4_500, 3_000, 3).to_string()).unwrap();
    let file = file.display().to_string();
    // The flows are there once it has served, and begin with the next change.
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    drop(Api::of(&mut gateway).await);
    drop(gateway);

    let made =
        home.json(&["adjust", "propose", &file, "--reason", "too heavy", "--idempotency-key", "k", "--dev"]).await;
    let id = made["id"].as_str().unwrap().to_owned();
    let done = home.json(&["adjust", "approve", &id, "--reason", "r", "--person", "wang.wei", "--dev"]).await;
    assert_eq!(done["body"]["status"], "APPROVED");

    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    until_sent(&api, 1).await;
    told(&api, &vendor, 0).await;
    until_status(&api, &format!("/v1/model-adjustments/{id}"), "APPLIED").await;
    let list = home.json(&["adjust", "list", "--status", "APPLIED", "--dev"]).await;
    assert_eq!((list.as_array().unwrap().len(), &list[0]["id"]), (1, &json!(id)), "read while the gateway is running");
    // The gateway that holds the store does it, for the person who typed it.
    let back = home.json(&["adjust", "revert", &id, "--reason", "worse", "--dev"]).await;
    assert_eq!((&back["body"]["status"], &back["body"]["acts"][2]["by"]), (&json!("REVERTING"), &json!("li.na")));
    until_status(&api, &format!("/v1/model-adjustments/{id}"), "REVERTED").await;
    assert_eq!((weight_at(&vendor), vendor.lock().unwrap().model.version), (4_500, 5), "each once");
}

#[tokio::test(flavor = "multi_thread")]
async fn r37_an_order_is_called_off_by_hand_once_and_a_dry_run_sends_nothing() {
    let vendor = interview_vendor::vendor_of(3, |i| format!("app-{i}"));
    let home = home(&vendor, false).await;
    for stream in ["orders", "applications"] {
        home.run(&["sync", "--dev", "interview", stream]).await;
    }
    // `ord-2` waits for its candidate.
    let record = "interview-orders/interview/ord-2";
    let map = r#"{"id": "change.external_id"}"#;
    let cancel =
        ["act", "interview", "interview.cancel", "--record", record, "--map", map, "--reason", "withdrew", "--dev"];
    let shown = home.json(&cancel).await;
    assert_eq!((&shown["input"], &shown["dry_run"]), (&json!({ "id": "ord-2" }), &json!(true)));
    let listed = home.json(&["act", "--list", "interview", "--dev"]).await;
    let names: Vec<_> = listed.as_array().unwrap().iter().map(|one| one["action"].as_str().unwrap()).collect();
    assert!(names.contains(&"interview.cancel") && names.contains(&"interview.order"), "{names:?}");

    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let orders = api.get("/v1/interview-orders?external_id=ord-2").await;
    let order = orders["data"][0]["id"].as_str().unwrap();
    let status = || {
        let state = vendor.lock().unwrap();
        state.collections["orders"].iter().find(|order| order["id"] == "ord-2").unwrap()["status"].clone()
    };
    let body = json!({
        "record": order, "connection": "interview", "action": "interview.cancel", "map": { "id": "change.external_id" },
        "reason": "withdrew", "dry_run": true,
    });
    let (code, dry) = api.post("/v1/actions", &body).await;
    assert_eq!((code, &dry["input"], &dry["delivery"]), (200, &json!({ "id": "ord-2" }), &Value::Null));
    let mut typed = body.clone();
    typed.as_object_mut().unwrap().remove("map");
    typed["input"] = json!({ "id": "ord-2", "pay": "9000" });
    let (code, dry) = api.post("/v1/actions", &typed).await;
    assert_eq!((code, dry["defects"].as_array().unwrap().len()), (200, 1), "{dry}");
    typed["dry_run"] = json!(false);
    assert_eq!(api.post("/v1/actions", &typed).await.0, 422);
    assert_eq!(api.get("/v1/deliveries").await["data"], json!([]));
    assert_eq!(status(), "invited", "a dry run sends nothing");

    let mut earnest = body.clone();
    earnest["dry_run"] = json!(false);
    let (first, second) = tokio::join!(
        api.post_keyed("/v1/actions", &earnest, "click"),
        api.post_keyed("/v1/actions", &earnest, "click")
    );
    let mut codes = [first.0, second.0];
    codes.sort_unstable();
    assert_eq!(
        (codes, &first.1["delivery"]["id"]),
        ([200, 201], &second.1["delivery"]["id"]),
        "a double click acts once"
    );
    let row = api.until("/v1/deliveries", |page| {
        let rows = page["data"].as_array().unwrap();
        (rows.len() == 1 && rows[0]["state"] == "delivered").then(|| rows[0].clone())
    });
    let row = row.await;
    assert_eq!((&row["flow"], &row["by_hand"]["reason"]), (&json!("by:hand"), &json!("withdrew")));
    assert_eq!(status(), "cancelled");
    let applications = api.get("/v1/applications?external_id=app-2").await;
    let timeline = format!("/v1/applications/{}/timeline", applications["data"][0]["id"].as_str().unwrap());
    let step = |timeline: &Value| {
        let steps = timeline["steps"].as_array().unwrap();
        steps.iter().find(|step| step["code"] == "by:hand:interview.cancel").map(|step| step["status"].clone())
    };
    assert_eq!(api.until(&timeline, step).await, "DELIVERED", "it is a step of the application");
    earnest["reason"] = json!("another one");
    assert_eq!(api.post_keyed("/v1/actions", &earnest, "click").await.0, 409);
}

#[tokio::test(flavor = "multi_thread")]
async fn r72_what_is_withheld_from_a_vendor_that_scores_is_refused_by_hand_too() {
    let vendor = interview_vendor::vendor_of(3, |i| format!("app-{i}"));
    let home = home(&vendor, true).await;
    home.run(&["sync", "--dev", "interview", "orders"]).await;
    let input = home.path().join("input.json");
    let order = |candidate: &Value| json!({ "external_id": "app-2-again", "candidate": candidate, "package": "pkg-video", "mode": "live_audio" });
    let file = input.display().to_string();
    let record = "interview-orders/interview/ord-2";
    let ask = ["act", "interview", "interview.order", "--record", record, "--input", &file, "--reason", "r", "--dev"];
    std::fs::write(&input, order(&json!({ "name": "Made Up", "gender": "F" })).to_string()).unwrap();
    let refused = home.run(&ask).await;
    let told = said(&refused);
    assert!(refused.status.code() == Some(2) && told.contains("withheld from connection `interview`"), "{told}");
    assert!(told.contains("/candidate/gender"), "{told}");
    std::fs::write(&input, order(&json!({ "name": "Made Up" })).to_string()).unwrap();
    assert_eq!(home.json(&ask).await["input"]["mode"], "live_audio");
    assert!(vendor.lock().unwrap().orders.is_empty());
}
