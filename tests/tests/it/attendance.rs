//! Attendance, schedules and leave through a whole gateway: what came in is what the vendor has, read over the API. And approvals of
//! Feishu, which are started by a flow and come back by an event.

use std::time::{Duration, Instant};

use renmen_tests::dingtalk::{self, Company};
use renmen_tests::feishu::{self, Sending, Tenant, approvals};
use serde_json::{Value, json};

use crate::harness::{Home, plugin, said, serve};

const STREAMS: [&str; 4] = ["attendance", "schedules", "leave", "leave_balances"];

/// A deployment that reads attendance of a simulated company.
async fn of_dingtalk(n: usize, operator: &str) -> (Company, Home) {
    let company = dingtalk::company(n);
    let url = serve(dingtalk::router(company.clone())).await;
    let config = format!(
        r#"
[connections.people]
plugin = "{}"
config = {{ api_url = "{url}", oapi_url = "{url}", agent_id = 4711, attendance_operator = "{operator}", attendance_punches = true, attendance_days = 14, schedule_days = 14, leave_days = 90 }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.app = {{ env = "DINGTALK_APP" }}
streams.users = {{ manual = true }}
streams.attendance = {{ manual = true }}
streams.schedules = {{ manual = true }}
streams.leave = {{ manual = true }}
streams.leave_balances = {{ manual = true }}
"#,
        plugin("dingtalk").display(),
    );
    let app = json!({ "client_id": dingtalk::APP_KEY, "client_secret": dingtalk::APP_SECRET }).to_string();
    (company, Home::new(&config).env("DINGTALK_APP", &app))
}

async fn records(home: &Home, collection: &str) -> Vec<Value> {
    let records = home.json(&["records", collection, "--dev", "--limit", "1000"]).await;
    records.as_array().unwrap().clone()
}

/// How many records a stream's run created.
fn created(runs: &Value, stream: &str) -> u64 {
    let run = runs.as_array().unwrap().iter().find(|run| run["key"]["stream"] == stream).unwrap();
    run["created"].as_u64().unwrap_or_else(|| panic!("{run}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn every_day_of_everybody_comes_in_once_and_night_shifts_stay_on_their_day_s18() {
    let (company, home) = of_dingtalk(60, "user00000").await;
    company.lock().unwrap().attendance.absent = vec!["user00002".into()];
    let ran = home.json(&["sync", "people", "--dev"]).await;
    for run in ran.as_array().unwrap() {
        assert_eq!((&run["failure"], &run["quarantined"]), (&Value::Null, &json!(0)), "{run}");
    }
    assert_eq!(company.lock().unwrap().attendance.refused, 0, "the connector stays below every limit");
    // Fourteen days have ten of work, whichever day today is.
    assert_eq!(created(&ran, "attendance"), 600);
    assert_eq!(created(&ran, "schedules"), 60 * 14);
    assert_eq!(created(&ran, "leave"), 60);
    assert_eq!(created(&ran, "leave_balances"), 120, "of one of the three kinds there is no balance");

    let days = records(&home, "attendances").await;
    let of = |user: &str| {
        let wanted = format!("{user}:");
        let theirs = |day: &&Value| day["external_id"].as_str().is_some_and(|id| id.starts_with(&wanted));
        let day = days.iter().find(theirs).unwrap_or_else(|| panic!("no day of {user}"));
        day["body"].clone()
    };
    let night = of("user00004");
    let time = |end: &str| night["shift"][end]["utc"].as_str().unwrap().to_owned();
    assert!(time("start").contains("T14:00") && time("end").contains("T22:00"), "{night}");
    assert!(time("start").starts_with(night["work_date"].as_str().unwrap()), "{night}");
    let absent = of("user00002");
    assert_eq!((&absent["status"]["code"], absent.get("punches")), (&json!("ABSENT"), None), "{absent}");
    assert!(days.iter().any(|day| day["body"]["punches"][0]["location"] == "示例路 1 号"), "the place of a raw punch");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_writes_nothing_and_a_refusal_names_what_is_missing_s18() {
    let (company, home) = of_dingtalk(12, "user00000").await;
    home.json(&["sync", "people", "--dev"]).await;
    let again = home.json(&["sync", "people", "--dev"]).await;
    for run in again.as_array().unwrap() {
        assert_eq!((&run["created"], &run["updated"]), (&json!(0), &json!(0)), "{run}");
    }
    company.lock().unwrap().attendance.granted = false;
    for stream in STREAMS {
        let output = home.run(&["sync", "people", stream, "--dev", "--json"]).await;
        let told = said(&output);
        assert!(
            !output.status.success() && told.contains("not-granted") && told.contains("qyapi_"),
            "{stream}: {told}"
        );
    }
    company.lock().unwrap().attendance.granted = true;
    company.lock().unwrap().attendance.operator = "user00007".into();
    let output = home.run(&["sync", "people", "leave_balances", "--dev", "--json"]).await;
    assert!(said(&output).contains("attendance_operator"), "{}", said(&output));
}

/// A deployment that reads attendance and leave of a simulated tenant, and whose approvals it starts.
async fn of_feishu(employees: usize, candidates: usize, more: &str) -> (Tenant, Home) {
    let tenant = feishu::tenant(employees, candidates);
    let url = serve(feishu::router(tenant.clone())).await;
    let config = format!(
        r#"
[connections.feishu]
plugin = "{}"
config = {{ base_url = "{url}", attendance_days = 14, approval_forms = ["{}"], approval_reference = "{}" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.app = {{ env = "FEISHU_APP" }}
slots.encrypt_key = {{ env = "FEISHU_ENCRYPT_KEY" }}
streams.applications = {{ manual = true }}
streams.attendance = {{ manual = true }}
streams.leave = {{ manual = true }}
streams.leave_balances = {{ manual = true }}
streams.approvals = {{ manual = true }}
limits = {{ retries_max = 1, retry_wait_max = "2s", rate = {{ requests = 10000, per = "1s", burst = 1000 }} }}
{more}
"#,
        plugin("feishu").display(),
        approvals::FORM,
        approvals::FIELD,
    );
    let app = json!({ "app_id": feishu::APP_ID, "app_secret": feishu::APP_SECRET }).to_string();
    let home = Home::new(&config).env("FEISHU_APP", &app).env("FEISHU_ENCRYPT_KEY", feishu::ENCRYPT_KEY);
    (tenant, home)
}

#[tokio::test(flavor = "multi_thread")]
async fn feishu_days_come_in_with_the_zone_of_their_group_and_leave_with_where_it_stands_s18() {
    let (tenant, home) = of_feishu(120, 3, "").await;
    let ran = home.json(&["sync", "feishu", "--dev"]).await;
    for run in ran.as_array().unwrap() {
        assert_eq!((&run["failure"], &run["quarantined"]), (&Value::Null, &json!(0)), "{run}");
    }
    // Every tenth has left; fourteen days have ten of work.
    assert_eq!(created(&ran, "attendance"), 108 * 10);
    assert_eq!((created(&ran, "leave"), created(&ran, "leave_balances")), (120, 240));
    let zones = records(&home, "attendances").await;
    let zones: std::collections::BTreeSet<&str> = zones.iter().filter_map(|day| day["body"]["tz"].as_str()).collect();
    assert_eq!(zones.into_iter().collect::<Vec<_>>(), ["Asia/Bangkok", "Asia/Shanghai"]);

    // A leave that is taken back is the same record, in another state.
    let leave = records(&home, "leaves").await;
    let approved = leave.iter().find(|leave| leave["body"]["status"]["code"] == "APPROVED").unwrap();
    let employee = approved["body"]["employee"]["external"]["value"].as_str().unwrap().to_owned();
    tenant.lock().unwrap().leave_status.insert(employee, 8);
    let again = home.json(&["sync", "feishu", "--dev"]).await;
    assert_eq!((created(&again, "leave"), created(&again, "attendance")), (0, 0));
    let id = approved["external_id"].as_str().unwrap();
    let changed = home.json(&["records", "leaves", "--external-id", id, "--dev"]).await;
    assert_eq!(changed[0]["body"]["status"]["code"], "CANCELLED", "{changed}");
}

/// Waits for something that must come, without a fixed sleep.
async fn until(what: &str, mut came: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !came().await {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approval_is_started_once_though_an_answer_is_lost_and_its_outcome_comes_by_event_s08() {
    let application = feishu::application_id(0);
    let flow = format!(
        r#"
[flows.ask]
start = "beginning"
when = {{ entity = "application", change = ["created"], if = "change.external_id == '{application}'" }}
to = {{ connection = "feishu", action = "approval.start" }}
map = {{ originator = "'ou_hr'", about = "{{'kind': 'application', 'id': 'feishu:' + change.external_id}}" }}
"#
    );
    let (tenant, home) = of_feishu(3, 3, &flow).await;
    tenant.lock().unwrap().lose_next_approval = true;
    home.json(&["sync", "feishu", "applications", "--dev"]).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let document = gateway.document().await;
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    let (url, key) = (text("url"), text("key"));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let ask = async |path: &str| -> Value {
        let request = reqwest::Client::new().get(format!("{url}{path}")).bearer_auth(&key);
        request.send().await.unwrap().json().await.unwrap()
    };
    until("the delivery", async || {
        let sent = ask("/v1/deliveries?flow=ask&state=delivered").await;
        sent["data"].as_array().is_some_and(|data| !data.is_empty())
    })
    .await;
    let code = {
        let state = tenant.lock().unwrap();
        assert_eq!(state.approvals.len(), 1, "the answer was lost, and no second one was started");
        state.approvals[0]["instance_code"].as_str().unwrap().to_owned()
    };
    let event = approvals::decide(&tenant, &code, "APPROVED");
    let (status, body) = feishu::send(&format!("{url}/hooks/feishu"), &event, &Sending::default()).await.unwrap();
    assert_eq!(status, 200, "{body}");
    let ended = format!("/v1/process-nodes?external_id={code}:ended");
    until("the outcome", async || ask(&ended).await["data"].as_array().is_some_and(|data| !data.is_empty())).await;
    let node = ask(&ended).await["data"][0]["body"].clone();
    assert_eq!(
        (&node["status"], &node["subject"]["application"]["external"]["value"]),
        (&json!("APPROVED"), &json!(application))
    );
    // The run that goes through the last days finds the same and writes nothing.
    drop(gateway);
    let run = home.json(&["sync", "feishu", "approvals", "--dev"]).await;
    assert_eq!((&run[0]["failure"], &run[0]["updated"]), (&Value::Null, &json!(0)), "{run}");
}
