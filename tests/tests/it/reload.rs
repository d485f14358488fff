//! The configuration is read again while the gateway runs: by SIGHUP, by a command, and through the API.

use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, Running, said};
use crate::staff::{config, staff};

const SERVE: [&str; 5] = ["serve", "--dev", "--json", "--listen", "127.0.0.1:0"];

fn hang_up(gateway: &Running) {
    let asked = std::process::Command::new("kill").args(["-HUP", &gateway.0.id().to_string()]).status().unwrap();
    assert!(asked.success());
}

async fn connections(api: &Api) -> Vec<String> {
    let listed = api.get("/v1/connections").await;
    listed["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_and_flows_are_added_changed_and_removed_by_sighup_without_a_restart() {
    let (_source, home) = staff(3).await;
    let text = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let mut gateway = home.spawn(&SERVE);
    let api = Api::of(&mut gateway).await;
    assert_eq!(connections(&api).await, ["staff"]);

    let second = text.replace("connections.staff", "connections.second").replace("manual = true", "every = \"1h\"");
    let with_flow = format!(
        "{text}{second}[endpoints.box]\nurl = \"https://example.invalid/\"\nentities = [\"tag\"]\nslots.secret = {{ value = \"whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE=\" }}\n"
    );
    home.configure(&with_flow);
    hang_up(&gateway);
    // The stream of the added one is due at once.
    let pulled = |listed: &Value| {
        let second = listed["data"].as_array()?.iter().find(|one| one["name"] == "second")?;
        second["streams"][0]["last_success_at"].as_str().map(drop)
    };
    api.until("/v1/connections", pulled).await;
    assert_eq!(connections(&api).await, ["second", "staff"]);
    let endpoints = api.get("/v1/endpoints").await;
    assert_eq!(endpoints["data"][0]["name"], "box");

    home.configure(&with_flow.replace("every = \"1h\"", "every = \"2h\""));
    hang_up(&gateway);
    let changed = |listed: &Value| (listed["data"][0]["streams"][0]["schedule"] == "every 7200s").then_some(());
    api.until("/v1/connections", changed).await;
    home.configure(&text);
    hang_up(&gateway);
    let alone = |listed: &Value| (listed["data"].as_array()?.len() == 1).then_some(());
    api.until("/v1/connections", alone).await;
    assert_eq!(api.get("/v1/endpoints").await["data"], json!([]));
    let (status, _) = api.post("/v1/connections/second/streams/employees/runs", &json!({})).await;
    assert_eq!(status, 404);
    assert!(gateway.0.try_wait().unwrap().is_none(), "the same process");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_file_is_refused_whole_with_its_lines_and_what_was_in_use_goes_on() {
    let (_source, home) = staff(3).await;
    let path = home.path().join("connectors.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let mut gateway = home.spawn(&SERVE);
    let api = Api::of(&mut gateway).await;
    let own = api.get("/v1/health").await["configuration"].clone();
    assert_eq!((&own["differs_since"], &own["refused"]), (&Value::Null, &Value::Null), "{own}");

    let bad = format!("{text}[connections.second]\nplugin = \"nowhere.wasm\"\n");
    home.configure(&bad);
    assert!(api.get("/v1/health").await["configuration"]["differs_since"].is_string());
    let (status, refused) = api.post("/v1/configuration/reload", &json!({})).await;
    assert_eq!(status, 409, "{refused}");
    let line = text.lines().count() + 2;
    let told = refused["detail"].as_str().unwrap();
    assert!(told.contains(&format!("connectors.toml:{line}:")) && told.contains("nowhere.wasm"), "{told}");
    assert_eq!(connections(&api).await, ["staff"], "nothing of it counts");
    let health = api.get("/v1/health").await;
    assert_eq!(health["status"], "degraded", "{health}");
    assert!(health["configuration"]["refused"].as_str().unwrap().contains("nowhere.wasm"));

    // The command tells before it asks.
    home.configure(&format!("{text}[connections.staff.limits]\nrate = 7\n"));
    let output = home.run(&["reload", "--dev"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));

    home.configure(&text);
    let own = api.get("/v1/health").await["configuration"].clone();
    assert_eq!((&own["differs_since"], &own["refused"]), (&Value::Null, &Value::Null), "put back: {own}");

    // The interview loop has its tenants from the start.
    let other = text.replace("connections.staff]", "connections.theirs]\ntenant = \"other\"");
    home.configure(&format!("{text}{other}"));
    let (status, reloaded) = api.post("/v1/configuration/reload", &json!({})).await;
    assert_eq!((status, &reloaded["needs_restart"]), (200, &json!(["interview"])), "{reloaded}");
    assert_eq!(
        api.post("/v1/configuration/reload", &json!({})).await.1["needs_restart"],
        json!(["interview"]),
        "until then"
    );
    home.configure(&text);
    assert_eq!(api.post("/v1/configuration/reload", &json!({})).await.1["needs_restart"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_shows_what_changed_and_names_what_needs_a_restart() {
    let (_source, home) = staff(3).await;
    let text = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let output = home.run(&["reload", "--dev"]).await;
    assert_eq!(output.status.code(), Some(2), "no gateway runs: {}", said(&output));
    let mut gateway = home.spawn(&SERVE);
    let api = Api::of(&mut gateway).await;
    let unchanged = home.run(&["reload", "--dev"]).await;
    assert!(unchanged.status.success() && said(&unchanged).contains("nothing changed"), "{}", said(&unchanged));
    let second = text.replace("connections.staff", "connections.second");
    home.configure(&format!("[gateway]\nlease = \"40s\"\nlisten = \"127.0.0.1:1\"\n{second}"));
    let output = home.run(&["reload", "--dev", "--json"]).await;
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    let changed: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(changed["connections"], json!({ "added": ["second"], "changed": [], "removed": ["staff"] }));
    assert_eq!(changed["needs_restart"], json!(["gateway.listen", "gateway.lease"]));
    assert_eq!(connections(&api).await, ["second"]);
    let health = api.get("/v1/health").await;
    assert_eq!(health["configuration"]["needs_restart"], json!(["gateway.listen", "gateway.lease"]));
    assert_eq!(health["roles"], json!(["api", "hooks", "pull", "push"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_on_sqlite_has_every_role_and_says_why() {
    let home = Home::new(&config("http://127.0.0.1:1", "staff-api"));
    let output = home.run(&["serve", "--dev", "--role", "api,hooks", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("one process holds a SQLite store"), "{}", said(&output));
    let output = home.run(&["serve", "--dev", "--role", "cook"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    let mut gateway = home.spawn(&[&SERVE[..], &["--role", "api,hooks,pull,push"]].concat());
    assert_eq!(Api::of(&mut gateway).await.get("/v1/health").await["roles"].as_array().unwrap().len(), 4);
}
