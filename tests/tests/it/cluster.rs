//! Several gateways on one PostgreSQL database, as processes. Without a server to test with (`RENMEN_TEST_POSTGRES`) they are skipped.

use renmen_tests::staff_api;
use reqwest::Method;
use serde_json::{Value, json};
use tokio_postgres::NoTls;

use crate::api::Api;
use crate::harness::{Home, Running, serve};
use crate::staff::config;

const SERVE: [&str; 5] = ["serve", "--dev", "--json", "--listen", "127.0.0.1:0"];

/// A database of its own, taken away in the end. A test that fails leaves it for a look.
pub struct Database {
    server: String,
    name: String,
}

impl Database {
    #[allow(clippy::print_stderr, reason = "a test that is skipped says so")]
    pub async fn new() -> Option<Self> {
        let Ok(server) = std::env::var("RENMEN_TEST_POSTGRES") else {
            eprintln!("skipped: RENMEN_TEST_POSTGRES names no server");
            return None;
        };
        let name = format!("renmen_cluster_{:016x}", rand::random::<u64>());
        admin(&server, &format!("CREATE DATABASE {name}")).await;
        Some(Self { server, name })
    }

    pub fn url(&self) -> String {
        let (base, query) =
            self.server.split_once('?').map_or((self.server.as_str(), ""), |(base, query)| (base, query));
        let begins = base.find("://").unwrap() + 3;
        let host = base[begins..].split('/').next().unwrap();
        let query = if query.is_empty() { String::new() } else { format!("?{query}") };
        format!("{}{host}/{}{query}", &base[..begins], self.name)
    }

    pub async fn end(self) {
        admin(&self.server, &format!("DROP DATABASE {} WITH (FORCE)", self.name)).await;
    }
}

async fn admin(server: &str, sql: &str) {
    let (client, connection) = tokio_postgres::connect(server, NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute(sql).await.unwrap();
    drop(client);
    connection.await.unwrap().unwrap();
}

/// A gateway with a data directory of its own.
struct Gateway {
    home: Home,
    process: Running,
    api: Api,
}

impl Gateway {
    async fn start(text: &str, more: &[&str]) -> Self {
        let home = Home::new(text).env("RENMEN_VAULT_KEY", "bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=");
        let mut process = home.spawn(&[&SERVE[..], more].concat());
        let api = Api::of(&mut process).await;
        Self { home, process, api }
    }

    async fn stream(&self) -> Value {
        self.api.get("/v1/health").await["connections"][0]["streams"][0].clone()
    }

    async fn pulls(&self) -> bool {
        self.stream().await["state"] == "running"
    }
}

fn on(database: &Database, text: &str, schedule: &str) -> String {
    let text = text.replace("manual = true", schedule);
    format!("[gateway]\nlease = \"2s\"\n[store]\nurl = \"{}\"\n{text}", database.url())
}

#[tokio::test(flavor = "multi_thread")]
async fn of_three_gateways_one_pulls_a_stream_and_when_it_is_killed_another_goes_on_where_it_was() {
    let Some(database) = Database::new().await else { return };
    let source = staff_api::source(15_000);
    // The vendor is slow until all of them are there.
    source.lock().unwrap().wait = std::time::Duration::from_secs(3);
    let url = serve(staff_api::router(source.clone())).await;
    let text = on(&database, &config(&url, "staff-api"), "every = \"1h\"");
    let mut gateways = Vec::new();
    for _ in 0..3 {
        gateways.push(Gateway::start(&text, &[]).await);
    }
    source.lock().unwrap().wait = std::time::Duration::from_millis(200);
    let mut killed = false;
    for _ in 0..1_200 {
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
        let Some(at) = pulling(&gateways).await else { continue };
        if source.lock().unwrap().requests >= 4 {
            drop(gateways.remove(at));
            killed = true;
            break;
        }
    }
    assert!(killed, "one of them pulls");
    let done = |health: &Value| health["connections"][0]["streams"][0]["last_success_at"].as_str().map(drop);
    for gateway in &gateways {
        gateway.api.until("/v1/health", done).await;
    }
    let health = gateways[0].api.get("/v1/health").await;
    assert_eq!(health["connections"][0]["records"]["employee"], json!({ "live": 15_000, "deleted": 0 }));
    let runs = gateways[0].api.get("/v1/runs?connection=staff").await;
    let states: Vec<&str> = runs["data"].as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["completed", "interrupted"], "the survivors did not both pull");
    let pages: u64 = runs["data"].as_array().unwrap().iter().map(|run| run["pages"].as_u64().unwrap()).sum();
    let asked = source.lock().unwrap().requests;
    assert!(asked <= pages + 4, "{asked} requests for {pages} pages: more were fetched again than were in flight");
    let last = gateways[0].api.get("/v1/changes?limit=1&after=14999").await;
    assert_eq!(last["data"].as_array().unwrap().len(), 1, "{last}");
    let beyond = gateways[0].api.get("/v1/changes?limit=1&after=15000").await;
    assert_eq!(beyond["data"].as_array().unwrap().len(), 0, "each record changed once: {beyond}");
    drop(gateways);
    database.end().await;
}

/// The one that has the run.
async fn pulling(gateways: &[Gateway]) -> Option<usize> {
    for (at, gateway) in gateways.iter().enumerate() {
        if gateway.pulls().await {
            return Some(at);
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_was_killed_takes_its_own_stream_back_at_once() {
    let Some(database) = Database::new().await else { return };
    let source = staff_api::source(15_000);
    source.lock().unwrap().wait = std::time::Duration::from_millis(150);
    let url = serve(staff_api::router(source.clone())).await;
    // Longer than the test may take: it does not wait for the lease.
    let text = on(&database, &config(&url, "staff-api"), "every = \"1h\"").replace("\"2s\"", "\"30m\"");
    let mut gateway = Gateway::start(&text, &[]).await;
    for _ in 0..600 {
        if source.lock().unwrap().requests >= 4 && gateway.pulls().await {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert!(gateway.pulls().await, "it was in the middle");
    gateway.process = {
        drop(gateway.process);
        gateway.home.spawn(&SERVE)
    };
    let api = Api::of(&mut gateway.process).await;
    let done = |health: &Value| health["connections"][0]["streams"][0]["last_success_at"].as_str().map(drop);
    api.until("/v1/health", done).await;
    assert_eq!(api.get("/v1/health").await["connections"][0]["records"]["employee"]["live"], 15_000);
    let runs = api.get("/v1/runs?connection=staff").await;
    let states: Vec<&str> = runs["data"].as_array().unwrap().iter().map(|run| run["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["completed", "interrupted"], "the successor did not wait for the lease");
    drop(gateway);
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_and_endpoints_that_are_changed_through_one_gateway_act_on_the_other() {
    let Some(database) = Database::new().await else { return };
    let vault = tempfile::tempdir().unwrap();
    let text = format!(
        "{}\n[vault]\npath = \"{}\"\nkey_env = \"RENMEN_VAULT_KEY\"\n",
        on(&database, &config("http://127.0.0.1:1", "staff-api"), "manual = true")
            .replace("[store]", "limits = { key_cache_life = \"5m\" }\n[store]"),
        vault.path().join("vault.json").display()
    );
    let (one, other) = (Gateway::start(&text, &[]).await, Gateway::start(&text, &[]).await);
    let (status, made) = one.api.post("/v1/keys", &json!({ "label": "reader", "role": "consumer" })).await;
    assert_eq!(status, 201, "{made}");
    let key = made["key"].as_str().unwrap().to_owned();
    assert_eq!(other.api.status("/v1/tags", Some(&key)).await, 200, "it is asked for");
    let (status, _) = one.api.ask(Method::DELETE, &format!("/v1/keys/{}", made["id"].as_str().unwrap()), None).await;
    assert_eq!(status.as_u16(), 204);
    let mut refused = false;
    for _ in 0..300 {
        refused = other.api.status("/v1/tags", Some(&key)).await == 401;
        if refused {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    assert!(refused, "it would be believed for five minutes");

    let endpoint = json!({ "url": "https://erp.example.com/hooks", "entities": ["tag"] });
    let (status, told) = one.api.ask(Method::PUT, "/v1/endpoints/erp", Some(&endpoint)).await;
    assert!(status.is_success(), "{told}");
    // A gateway that does not know the endpoint finds the flow that feeds it defective.
    let well = |flow: &Value| (flow["defects"] == json!([])).then_some(());
    other.api.until("/v1/flows/events:erp:tag", well).await;
    let (status, _) = other.api.ask(Method::DELETE, "/v1/endpoints/erp", None).await;
    assert_eq!(status.as_u16(), 204);
    let gone = |list: &Value| (list["data"] == json!([])).then_some(());
    one.api.until("/v1/flows", gone).await;
    drop((one, other));
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn roles_run_in_processes_of_their_own_and_each_shows_what_the_others_do() {
    let Some(database) = Database::new().await else { return };
    let source = staff_api::source(30);
    let url = serve(staff_api::router(source.clone())).await;
    let text = on(&database, &config(&url, "staff-api"), "every = \"1h\"");
    let front = Gateway::start(&text, &["--role", "api,hooks"]).await;
    assert_eq!(front.api.get("/v1/health").await["roles"], json!(["api", "hooks"]));
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    assert_eq!(source.lock().unwrap().requests, 0, "it does not pull");
    let back = Gateway::start(&text, &["--role", "pull,push"]).await;
    let done = |health: &Value| health["connections"][0]["streams"][0]["last_success_at"].as_str().map(drop);
    back.api.until("/v1/health", done).await;
    let (status, told) = back.api.ask(Method::GET, "/v1/employees", None).await;
    assert!(status.as_u16() == 404 && told.to_string().contains("without the role `api`"), "{status} {told}");
    assert_eq!(front.api.get("/v1/employees?limit=1").await["data"].as_array().unwrap().len(), 1);
    front.api.until("/v1/health", done).await;
    let metrics = front.api.text("/metrics").await;
    assert!(metrics.contains("renmen_role{role=\"api\"} 1") && !metrics.contains("role=\"pull\""), "{metrics}");
    drop((front, back));
    database.end().await;
}
