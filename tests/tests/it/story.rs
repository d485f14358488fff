//! The loop from end to end, on the repository's own connectors.toml.

use std::time::Duration;

use renmen_tests::interview_vendor::send;
use renmen_tests::interview_vendor::story::Story;
use renmen_tests::sap_business_one::Company;
use renmen_tests::story::{self, Gateway, Stage};
use renmen_tests::{dingtalk, feishu, interview_vendor, office, sms};
use serde_json::{Value, json};

use crate::api::Api;
use crate::example::{example, with_books, with_dingtalk, with_feishu, with_interviews, with_texts};
use crate::harness::Home;

/// Applications in Hire of which the vendor knows none.
const CANDIDATES: usize = 16;

fn stage() -> Stage {
    Stage {
        hire: feishu::tenant(10, CANDIDATES),
        company: dingtalk::company(20),
        vendor: interview_vendor::vendor_of(0, feishu::application_id),
        phones: sms::Provider::default(),
        ledger: office::open(Company::of_the_example()),
    }
}

async fn home(stage: &Stage) -> Home {
    let home = with_dingtalk(example().await, &stage.company).await;
    let home = with_books(with_feishu(home, &stage.hire).await, &stage.ledger).await;
    with_interviews(with_texts(home, &stage.phones).await, &stage.vendor, "feishu").await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_application_in_hire_becomes_an_interview_a_decision_and_a_result_in_hire() {
    // Of those whom the vendor interviewed before, some were hired.
    let vendor =
        interview_vendor::vendor_for(8, feishu::application_id, |n| feishu::candidate_person(n, 10, CANDIDATES));
    let stage = Stage { vendor, ..stage() };
    let home = home(&stage).await;
    for connection in ["payroll", "feishu", "dingtalk", "interview", "odoo", "odoo-crm", "salesforce"] {
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

    assert_eq!(told.len(), 24, "{told:#?}");
    let [.., one, all, _, _, posted] = &told[..] else { panic!("{told:#?}") };
    assert!(all.contains("salesforce") && all.contains("odoo") && all.contains("all stand on one person"), "{all}");
    assert!(posted.contains("the ledger has one document"), "{posted}");
    assert!(one.contains(" is one person in ") && one.contains("(rule ") && one.contains(" of 100"), "{one}");
    assert_eq!(
        (&end.decision["body"]["outcome"], &end.decision["body"]["status"]),
        (&json!("PASS"), &json!("DECIDED"))
    );
    let order = stage.vendor.lock().unwrap().orders[0].clone();
    let members: Vec<&String> = order["candidate"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["external_id", "name"], "the vendor is told what `fields` names, and nothing else");
    assert!(order["position"]["name"].is_string());
    assert!(order["position"]["id"].is_string());
    let shown = in_hire(&stage);
    let dimensions = shown["interview_assessments"][0]["assessment_dimension_list"].as_array().unwrap();
    let scores: Vec<(&str, i64)> =
        dimensions.iter().filter_map(|one| Some((one["title"].as_str()?, one["score"].as_i64()?))).collect();
    assert_eq!(scores, [("综合得分", 77), ("沟通", 77), ("专业能力", 77), ("稳定性", 77)]);
    assert_eq!(dimensions[1]["description"], "依据回答中的具体事例");
    let content = shown["interview_assessments"][0]["content"].as_str().unwrap();
    assert!(
        content.starts_with("优势：表达清晰\n不足：案例不够具体\n报告：https://vendor.example/reports/"),
        "{content}"
    );
    assert!(shown["begin_time"].as_i64() <= shown["end_time"].as_i64() && shown["begin_time"].is_i64(), "{shown}");

    // Everything went through the outbox, once, and each delivery names its flow and its version.
    let sent = api.get("/v1/deliveries?limit=100").await;
    let sent: Vec<&Value> = sent["data"].as_array().unwrap().iter().collect();
    let flows: Vec<&str> = sent.iter().map(|one| one["flow"].as_str().unwrap()).collect();
    for (flow, many) in [
        ("order-interview", 1),
        ("remind-candidate", 1),
        ("tell-candidate", 1),
        ("ask-a-person", 1),
        // While it waited for a person, and when they had decided.
        ("result-to-hire", 2),
        ("pass-moves-on", 1),
        ("tell-reopened", 0),
        ("late-report", 0),
    ] {
        assert_eq!(flows.iter().filter(|name| **name == flow).count(), many, "{flow} in {flows:?}");
    }
    // Whether an instruction was applied, the vendor told by itself; its receipt is looked at later.
    let arrived =
        |one: &Value| one["state"] == "delivered" || (one["flow"] == "adjust-model" && one["state"] == "unconfirmed");
    assert!(sent.iter().all(|one| one["flow_version"] == 1 && arrived(one)), "{sent:#?}");

    drop(gateway);
    undone(&stage, &home, &end.page).await;
}

/// The one interview that Hire holds: it is one, no matter how often it was written.
fn in_hire(stage: &Stage) -> Value {
    let state = stage.hire.lock().unwrap();
    assert_eq!(state.external_interviews.len(), 1, "{:#?}", state.external_interviews);
    state.external_interviews[0].clone()
}

/// The link outlives the gateway that made it: the person who decided undoes the decision, and the old link decides
/// nothing any more.
async fn undone(stage: &Stage, home: &Home, page: &str) {
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
    assert_eq!(visit("POST", &changed, "verdict=fail&reason=r").await.status, 404, "a changed link is invalid");
    assert_eq!(visit("POST", page, "undo=yes").await.status, 303);
    let open = api.get("/v1/decisions?status=AWAITING_PERSON").await;
    assert_eq!(open["data"].as_array().unwrap().len(), 1, "{open:#}");
    assert!(open["data"][0]["body"]["opened_by"]["person"].is_string());
    for (method, body) in [("GET", ""), ("POST", "verdict=pass&reason=r"), ("POST", "undo=yes")] {
        let late = visit(method, page, body).await;
        assert!(late.status == 409 && late.body.contains("was replaced"), "{late:?}");
    }
    corrected(stage, &api).await;
}

/// Hire follows: undecided again, and a corrected score replaces the first. The stage stays, and the recruiter is told.
async fn corrected(stage: &Stage, api: &Api) {
    let scores = api.get("/v1/dimension-scores?connection=interview").await;
    let open = api.get("/v1/decisions?status=AWAITING_PERSON").await;
    let ours = |one: &&Value| {
        let of = |body: &Value| body["interview"]["external"]["value"].clone();
        of(&one["body"]) == of(&open["data"][0]["body"]) && one["body"]["weight_used"]["bp"] == 3000
    };
    let first = scores["data"].as_array().unwrap().iter().find(ours).unwrap_or_else(|| panic!("{scores:#}\n{open:#}"));
    let path = format!("/v1/dimension-scores/{}/corrections", first["id"].as_str().unwrap());
    let (status, answer) = api.post(&path, &json!({ "value": "90", "reason": "网络延迟" })).await;
    assert!((200..300).contains(&status), "{answer}");
    let changed = |shown: &Value| {
        let assessment = &shown["interview_assessments"][0];
        let score = &assessment["assessment_dimension_list"][1];
        (assessment["conclusion"] == 3 && score["score"] == 90).then(|| score.clone())
    };
    let mut score = None;
    for _ in 0..300 {
        score = changed(&in_hire(stage));
        if score.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let score = score.unwrap_or_else(|| panic!("never corrected: {:#}", in_hire(stage)));
    assert_eq!((&score["title"], &score["description"]), (&json!("沟通"), &json!("人工更正：网络延迟")));
    api.deliveries("flow=tell-reopened&state=delivered", 1).await;
    let state = stage.hire.lock().unwrap();
    assert_eq!(state.moves.len(), 1, "moved once, and not back: {:?}", state.moves);
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

/// Writes and publishes a version of a profile.
async fn publish(api: &Api, job: &str, version: u32, weights: [u16; 2]) {
    let part = |n: usize, bp: u16| {
        json!({ "competency": { "external": { "connection": "interview", "value": format!("comp-{n}") } }, "weight": { "bp": bp },
                "dimensions": [{ "name": { "zh-CN": "语速" }, "modality": { "code": "SPEECH" }, "weight": { "bp": 5000 } }] })
    };
    let body = json!({
        "position": { "external": { "connection": "feishu", "value": job } }, "version": version,
        "published_at": "2026-03-02T01:00:00.000Z", "complete": true, "blocked_features": ["accent"],
        "competencies": [part(0, weights[0]), part(1, weights[1])],
    });
    let (status, made) = api.post("/v1/position-profiles", &json!({ "reason": "新的岗位要求", "body": body })).await;
    assert_eq!(status, 201, "{made}");
}

/// Moves an application to the AI interview, after which the vendor has one more order.
async fn ordered(stage: &Stage, api: &Api, number: usize) -> Value {
    let (before, id) = (stage.vendor.lock().unwrap().orders.len(), feishu::application_id(number));
    assert!(feishu::move_application(&stage.hire, &id, "stage-2"));
    let about = json!({ "application_id": id, "target_stage_id": "stage-2" });
    let event = feishu::event(&format!("ev-{number}"), "hire.application.stage_changed_v1", &about);
    let (status, _) = feishu::send(&api.hook("feishu"), &event, &feishu::Sending::default()).await.unwrap();
    assert_eq!(status, 200);
    for _ in 0..300 {
        if stage.vendor.lock().unwrap().orders.len() > before {
            let state = stage.vendor.lock().unwrap();
            let orders = &state.collections["orders"];
            return orders.iter().find(|one| one["application_id"] == id.as_str()).unwrap().clone();
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never ordered: {:#}", api.get("/v1/deliveries?limit=10").await);
}

/// Two versions of a job's profile reach the vendor in their order, and an order that comes afterwards names the newer one.
async fn profiles_reach_the_vendor(stage: &Stage, api: &Api, number: usize) {
    let job = stage.hire.lock().unwrap().applications[number]["job_id"].as_str().unwrap().to_owned();
    publish(api, &job, 1, [3333, 6667]).await;
    publish(api, &job, 2, [2500, 7500]).await;
    let sent = api.deliveries("flow=profile-to-vendor&state=delivered", 2).await;
    assert_eq!(sent.len(), 2);
    let held = stage.vendor.lock().unwrap().profiles[&job].clone();
    assert_eq!(held.keys().collect::<Vec<_>>(), [&1, &2], "in their order");
    let weights: Vec<&Value> =
        held[&1]["competencies"].as_array().unwrap().iter().map(|one| &one["weight_bp"]).collect();
    assert_eq!(weights, [&json!(3333), &json!(6667)]);
    assert_eq!(held[&2]["competencies"][0]["dimensions"][0]["modality"], "speech");
    assert_eq!(held[&2]["blocked_features"], json!(["accent"]));
    assert_eq!(ordered(stage, api, number).await["profile_version"], 2);
}

/// The deployment with the flow that its file shows in a comment, and with what the company's reasons in Hire mean.
fn with_rejections(home: &Home) {
    let file = home.path().join("connectors.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let from = text.find("# [flows.fail-ends]").unwrap();
    let end = from + text[from..].find("\n\n").unwrap();
    let block: Vec<&str> = text[from..end].lines().map(|line| line.strip_prefix("# ").unwrap()).collect();
    let hire = "config = { base_url = \"${FEISHU_URL:-https://open.feishu.cn}\" }";
    assert!(text.contains(hire));
    let meant = hire.replace(" }", &format!(", reasons = {{ \"{NOT_QUALIFIED}\" = \"NOT_QUALIFIED\" }} }}"));
    let text = format!("{}{}{}", &text[..from], block.join("\n"), &text[end..]).replace(hire, &meant);
    std::fs::write(file, text).unwrap();
}

/// Hire's id of a reason of the company.
const NOT_QUALIFIED: &str = "6891560630172518601";

/// A person declines, with reasons; Hire has the end of the application, and what Hire has comes back as codes.
async fn declined(stage: &Stage, api: &Api) {
    let story = Story::of_order(&stage.vendor, 0, "declined").unwrap();
    let mut result = story.result(77);
    result["data"]["results"][0]["report"] = json!([]);
    for (number, event) in [story.invited(), story.started(), story.completed(), result].iter().enumerate() {
        let id = format!("msg-declined-{number}");
        let answer = send::event(&api.hook("interview"), interview_vendor::WEBHOOK_SECRET, &id, event).await.unwrap();
        assert!((200..300).contains(&answer.status), "{answer:?}");
    }
    let open = |page: &Value| page["data"].get(0).map(|one| one["id"].as_str().unwrap().to_owned());
    let id = api.until("/v1/decisions?status=AWAITING_PERSON", open).await;
    let verdict = json!({ "outcome": "fail", "reason": "经验不足", "reasons": ["NOT_QUALIFIED"] });
    let (status, answer) = api.post(&format!("/v1/decisions/{id}"), &verdict).await;
    assert!((200..300).contains(&status), "{answer}");

    api.deliveries("flow=fail-ends&state=delivered", 1).await;
    api.deliveries("flow=result-to-hire&state=delivered", 2).await;
    let application = feishu::application_id(0);
    {
        let state = stage.hire.lock().unwrap();
        let ended = state.applications.iter().find(|one| one["id"] == application.as_str()).unwrap();
        assert_eq!((&ended["active_status"], &ended["termination_type"]), (&json!(2), &json!(1)));
        let reasons = json!([NOT_QUALIFIED]);
        assert_eq!((&ended["termination_reason_list"], &ended["stage"]["id"]), (&reasons, &json!("stage-2")));
        assert_eq!(state.moves, [("terminate".to_owned(), application.clone())]);
    }
    assert_eq!(in_hire(stage)["interview_assessments"][0]["conclusion"], 1);
    // The vendor scores again afterwards, and has its report: a review is opened, and until it is decided Hire shows what the person
    // decided.
    let answer =
        send::event(&api.hook("interview"), interview_vendor::WEBHOOK_SECRET, "msg-again", &story.result(95)).await;
    assert!((200..300).contains(&answer.unwrap().status));
    api.deliveries("flow=result-to-hire&state=delivered", 3).await;
    let shown = in_hire(stage)["interview_assessments"][0].clone();
    assert_eq!((&shown["conclusion"], &shown["assessment_dimension_list"][0]["score"]), (&json!(1), &json!(95)));
    api.deliveries("flow=late-report&state=delivered", 1).await;
    let note = stage.hire.lock().unwrap().notes[0].clone();
    assert_eq!(note["application_id"], application.as_str());
    assert!(note["content"].as_str().unwrap().contains("https://vendor.example/reports/"), "{note}");
    assert!(api.get("/v1/deliveries?flow=pass-moves-on").await["data"].as_array().unwrap().is_empty());

    let about = json!({ "application_id": application });
    let event = feishu::event("ev-ended", "hire.application.stage_changed_v1", &about);
    let (status, _) = feishu::send(&api.hook("feishu"), &event, &feishu::Sending::default()).await.unwrap();
    assert_eq!(status, 200);
    let outcome = |page: &Value| {
        let all = page["data"].as_array().unwrap();
        let ours = all.iter().find(|one| one["external_ids"][0]["value"] == application.as_str())?;
        ours["body"]["outcome"].as_object().cloned()
    };
    let outcome = api.until("/v1/applications?connection=feishu&limit=100", outcome).await;
    let reason = &outcome["reasons"][0];
    assert_eq!((&outcome["code"]["code"], &reason["code"]), (&json!("REJECTED"), &json!("NOT_QUALIFIED")));
    assert_eq!(reason["raw"], "能力不符");
}

/// One deployment for both: to make one costs more than what is tested in it.
#[tokio::test(flavor = "multi_thread")]
async fn r14_r41_a_decline_ends_the_application_with_its_reasons_and_the_next_order_names_the_new_profile() {
    let stage = stage();
    let home = home(&stage).await;
    with_rejections(&home);
    home.run(&["sync", "--dev", "feishu"]).await;
    // Two applications in screening for the same job.
    let (first, second) = (0, 12);
    {
        let state = stage.hire.lock().unwrap();
        assert_eq!(state.applications[first]["job_id"], state.applications[second]["job_id"]);
    }
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    assert_eq!(ordered(&stage, &api, first).await["profile_version"], Value::Null, "no profile was published yet");
    declined(&stage, &api).await;
    profiles_reach_the_vendor(&stage, &api, second).await;
    let state = stage.vendor.lock().unwrap();
    let early = state.collections["orders"].iter().find(|one| one["application_id"] == feishu::application_id(first));
    assert!(early.is_some_and(|order| order["profile_version"] != 2), "what was under way stays as it was");
}
