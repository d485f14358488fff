//! DingTalk in both directions: its events through both doors, and its own client against our simulator.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use renmen_tests::dingtalk::{self, Company, approvals, events, messages};
use serde_json::{Value, json};

use crate::harness::{Home, Running, plugin, said, serve};

/// The variable under which `cargo xtask test --all` names a Python with the vendor's own library.
const PYTHON: &str = "RENMEN_TEST_PYTHON";

/// Waits for something that must come, without a fixed sleep.
async fn until(what: &str, mut came: impl AsyncFnMut() -> bool) {
    let began = Instant::now();
    while !came().await {
        assert!(began.elapsed() < Duration::from_secs(60), "{what} did not come");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The vendor's own client connects to our simulator, gets its events with their headers and data, gets one of them
/// again, and reconnects when told to; and its answers are understood.
#[tokio::test(flavor = "multi_thread")]
#[allow(clippy::print_stderr, reason = "why nothing was tested")]
async fn the_vendors_own_client_hears_our_simulator() {
    let Some(python) = std::env::var_os(PYTHON) else {
        eprintln!("{PYTHON} is not set: nothing is asked of dingtalk-stream; run `cargo xtask test --all`");
        return;
    };
    let company = dingtalk::company(3);
    let url = serve(dingtalk::router(company.clone())).await;
    events::happen(&company, "user_add_org", json!({ "userId": ["u1", "张三"], "timeStamp": "1" }));
    events::happen(&company, "later_once", json!({ "n": 1 }));
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/official/dingtalk_stream_client.py");
    let mut command = Command::new(python);
    command.arg(script).args([dingtalk::APP_KEY, dingtalk::APP_SECRET, "3"]);
    command.env("DINGTALK_OPENAPI_ENDPOINT", &url).env("NO_PROXY", "127.0.0.1").stdin(Stdio::null());
    let child = tokio::task::spawn_blocking(move || command.output().unwrap());
    let taken = |company: &Company| company.lock().unwrap().events.all.iter().filter(|e| e.taken_by.is_some()).count();
    until("the first two events", async || child.is_finished() || taken(&company) == 2).await;
    events::disconnect(&company);
    until("another connection", async || child.is_finished() || company.lock().unwrap().events.opened == 2).await;
    events::happen(&company, "org_dept_create", json!({ "deptId": [432_825_033] }));
    let output = child.await.unwrap();
    assert!(output.status.success(), "{}", said(&output));
    let lines: Vec<Value> =
        String::from_utf8_lossy(&output.stdout).lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    assert_eq!(lines[0]["token"], true, "{}", said(&output));
    let kinds: Vec<&str> = lines[1..].iter().filter_map(|line| line["type"].as_str()).collect();
    assert_eq!(kinds, ["user_add_org", "later_once", "org_dept_create"]);
    assert_eq!((&lines[1]["corp"], &lines[1]["data"]["userId"][1]), (&json!("dingsimcorp"), &json!("张三")));
    until("its last answer", async || taken(&company) == 3).await;
    let answers = company.lock().unwrap().stream_answers.clone();
    assert!(answers.iter().any(|answer| answer["code"] == 500), "one was asked for again: {answers:?}");
}

/// A deployment with people from a simulated company; `more` is added to its configuration.
async fn deployment(n: usize, more: &str) -> (Company, Home) {
    let company = dingtalk::company(n);
    let url = serve(dingtalk::router(company.clone())).await;
    let config = format!(
        r#"
[connections.people]
plugin = "{}"
config = {{ api_url = "{url}", oapi_url = "{url}", agent_id = {}, callback_owner = "{}", approval_processes = ["{}"], approval_reference = "系统编号" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.app = {{ env = "DINGTALK_APP" }}
slots.callback_token = {{ env = "DINGTALK_TOKEN" }}
slots.callback_key = {{ env = "DINGTALK_KEY" }}
streams.users = {{ manual = true }}
streams.departments = {{ manual = true }}
streams.approvals = {{ manual = true }}
{more}
"#,
        plugin("dingtalk").display(),
        messages::AGENT,
        dingtalk::APP_KEY,
        approvals::PROCESS,
    );
    let app = json!({ "client_id": dingtalk::APP_KEY, "client_secret": dingtalk::APP_SECRET }).to_string();
    let keys = events::keys();
    let home = Home::new(&config).env("DINGTALK_APP", &app);
    (company, home.env("DINGTALK_TOKEN", &keys.token).env("DINGTALK_KEY", &keys.aes_key))
}

/// A gateway that serves.
struct Serving {
    url: String,
    key: String,
    _process: Running,
}

async fn serving(home: &Home) -> Serving {
    let mut process = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let document = process.document().await;
    let text = |name: &str| document[name].as_str().unwrap().to_owned();
    Serving { url: text("url"), key: text("key"), _process: process }
}

impl Serving {
    /// How many deliveries were taken in.
    async fn inbox(&self) -> usize {
        self.records("inbox").await.len()
    }

    /// Every live record of a collection by its external id.
    async fn records(&self, collection: &str) -> Vec<Value> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let request = reqwest::Client::new().get(format!("{}/v1/{collection}?limit=200", self.url));
        let answer: Value = request.bearer_auth(&self.key).send().await.unwrap().json().await.unwrap();
        answer["data"].as_array().cloned().unwrap_or_else(|| panic!("{collection}: {answer}"))
    }

    async fn has(&self, collection: &str, text: &str) -> bool {
        self.records(collection).await.iter().any(|record| record.to_string().contains(text))
    }
}

/// A change for which no pull runs: only the event can bring it.
fn new_title(company: &Company, at: usize, title: &str) -> String {
    let mut state = company.lock().unwrap();
    title.clone_into(&mut state.users[at].title);
    state.users[at].userid.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_stream_mode_are_durable_then_answered_and_read_what_they_name() {
    let (company, home) = deployment(12, "event_socket = true").await;
    home.json(&["sync", "people", "users", "--dev"]).await;
    // What happened while no one was listening is sent when someone is.
    let first = new_title(&company, 3, "首席架构师");
    events::happen(&company, "user_modify_org", json!({ "userid": first }));
    let gateway = serving(&home).await;
    until("the first change", async || gateway.has("employees", "首席架构师").await).await;
    // Another connection, because the vendor wants one; then one because the network broke.
    for (at, title, end) in [(4, "财务总监", events::disconnect as fn(&Company)), (5, "销售总监", events::cut)]
    {
        let opened = company.lock().unwrap().events.opened;
        end(&company);
        let who = new_title(&company, at, title);
        events::happen(&company, "user_modify_org", json!({ "userid": who }));
        until("another connection", async || company.lock().unwrap().events.opened > opened).await;
        until(title, async || gateway.has("employees", title).await).await;
    }
    until("every answer", async || company.lock().unwrap().events.all.iter().all(|e| e.taken_by.is_some())).await;
    let state = company.lock().unwrap();
    assert_eq!(state.events.connections, 1, "one at a time");
    assert!(state.events.all.iter().all(|event| event.taken_by == Some("stream")));
}

#[tokio::test(flavor = "multi_thread")]
async fn callbacks_are_answered_with_an_encrypted_success_and_read_what_they_name() {
    let (company, home) = deployment(12, "").await;
    home.json(&["sync", "people", "users", "--dev"]).await;
    let gateway = serving(&home).await;
    let url = format!("{}/hooks/people", gateway.url);
    let keys = events::keys();
    events::happen(&company, "check_url", json!({}));
    let who = new_title(&company, 3, "首席架构师");
    events::happen(&company, "user_modify_org", json!({ "userId": [who] }));
    let gone = company.lock().unwrap().users.pop().unwrap().userid;
    events::happen(&company, "user_leave_org", json!({ "userId": [gone.clone()] }));
    let delivered = events::call_back_all(&company, &url, &keys).await;
    assert!(delivered.iter().all(|one| one.status == 200 && one.success), "{delivered:?}");
    until("the change", async || gateway.has("employees", "首席架构师").await).await;
    until("who left", async || !gateway.has("employees", &gone).await).await;

    // The same again changes nothing and is answered the same.
    let again = company.lock().unwrap().events.all[1].clone();
    assert!(events::call_back(&url, &again, &keys).await.success);

    // Signed with another key; signed for another owner, or of no use; or sent with the method of a held connection.
    let kept = gateway.inbox().await;
    let wrong = dingtalk::Keys { token: "another".into(), ..keys.clone() };
    let forged = events::call_back(&url, &again, &wrong).await;
    assert_eq!((forged.status, forged.success), (401, false));
    let nonsense = async |keys: &dingtalk::Keys| {
        let (query, body) = keys.close("[1]", jiff::Timestamp::now().as_millisecond());
        events::post(&format!("{url}?{query}"), &body.to_string(), keys).await.status
    };
    assert_eq!(nonsense(&wrong).await, 401);
    assert_eq!(gateway.inbox().await, kept, "of what is not proved nothing is kept");
    let foreign = events::call_back(&url, &again, &dingtalk::Keys { owner: "dingother".into(), ..keys.clone() }).await;
    assert_eq!((foreign.status, foreign.success), (400, false));
    assert_eq!(nonsense(&keys).await, 400);
    assert_eq!(gateway.inbox().await, kept + 2);
    let _ = rustls::crypto::ring::default_provider().install_default();
    let method = reqwest::Method::from_bytes(b"STREAM").unwrap();
    let request = reqwest::Client::new().request(method, &url).header("eventType", "user_modify_org");
    let smuggled = request.body(json!({ "userid": "user00001" }).to_string()).send().await.unwrap();
    assert_eq!(smuggled.status(), 405, "the method of a held connection is not an HTTP method here");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_socket_that_the_plugin_does_not_have_is_refused_at_the_start() {
    let config = crate::staff::config("http://127.0.0.1:9", "staff-api");
    let home = Home::new(&config.replace("config =", "event_socket = true\nconfig ="));
    let output = home.run(&["check", "--dev"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("event_socket"), "{}", said(&output));
}

/// What one command says about the connection's budget while the gateway is serving.
async fn budget(home: &Home) -> (Value, String) {
    let gateway = serving(home).await;
    let ask =
        |path: &str| reqwest::Client::new().get(format!("{}{path}", gateway.url)).bearer_auth(&gateway.key).send();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let health: Value = ask("/v1/health").await.unwrap().json().await.unwrap();
    let mut metrics = String::new();
    until("the figures", async || {
        metrics = ask("/metrics").await.unwrap().text().await.unwrap();
        health["connections"][0]["budget"].is_null() || metrics.contains("renmen_month_calls{")
    })
    .await;
    (health["connections"][0].clone(), metrics)
}

/// Approvals count in the vendor's month, tokens and contacts do not; each command goes on where the one before ended.
#[tokio::test(flavor = "multi_thread")]
async fn the_months_calls_are_counted_over_restarts_and_contacts_go_on_when_they_are_used_up() {
    let (_company, home) = deployment(3, "limits = { month_calls_max = 2 }").await;
    home.json(&["sync", "people", "departments", "--dev"]).await;
    home.json(&["sync", "people", "approvals", "--dev"]).await;
    let (health, _) = budget(&home).await;
    assert_eq!((&health["budget"]["used"], &health["budget"]["max"]), (&json!(1), &json!(2)), "{health}");
    assert_eq!((&health["budget"]["message"], &health["status"]), (&Value::Null, &json!("ok")));
    home.json(&["sync", "people", "approvals", "--dev"]).await;

    let beyond = home.run(&["sync", "people", "approvals", "--dev"]).await;
    let said = said(&beyond);
    assert!(!beyond.status.success() && said.contains("2 of 2") && said.contains("month_calls_max"), "{said}");
    home.json(&["sync", "people", "users", "--dev"]).await;
    let (health, metrics) = budget(&home).await;
    assert_eq!((&health["budget"]["used"], &health["status"]), (&json!(2), &json!("degraded")), "{health}");
    assert!(health["budget"]["message"].as_str().unwrap().contains("waits until"), "{health}");
    let labels = r#"{tenant="default",connection="people"}"#;
    for line in [format!("renmen_month_calls{labels} 2"), format!("renmen_month_calls_max{labels} 2")] {
        assert!(metrics.contains(&line), "{line} in {metrics}");
    }

    let file = home.path().join("connectors.toml");
    let config = std::fs::read_to_string(&file).unwrap();
    for (calls, max) in [("3", json!(3)), ("0", Value::Null)] {
        home.configure(&config.replace("month_calls_max = 2", &format!("month_calls_max = {calls}")));
        home.json(&["sync", "people", "approvals", "--dev"]).await;
        assert_eq!(budget(&home).await.0["budget"]["max"], max);
    }
}
