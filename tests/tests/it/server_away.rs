//! While the database server is away: what clients, vendors and operators are told, and that work goes on by itself when it is back (F03).
//! Without the programs of PostgreSQL it is skipped.

use std::time::{Duration, Instant};

use renmen_tests::staff_api;
use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};

use crate::cluster_faults::server::Server;
use crate::harness::{Home, plugin, serve};
use crate::hooks::vendor::{SECRET, Sent, updated};

/// The promise: everything goes on within this after the server is back.
const RESUMED_WITHIN: Duration = Duration::from_secs(10);
/// No answer takes longer.
const ANSWERED_WITHIN: Duration = Duration::from_secs(5);

struct Asker {
    client: Client,
    url: String,
    key: String,
}

impl Asker {
    fn get(&self, path: &str) -> RequestBuilder {
        self.client.get(format!("{}{path}", self.url)).bearer_auth(&self.key)
    }

    fn hook(&self, id: &str) -> RequestBuilder {
        Sent::new(id, &updated("W1", id, 1_000)).request(&self.client, &self.url)
    }
}

/// Refused for now: when to come again, and the problem.
async fn later(what: &str, request: RequestBuilder) -> Value {
    let answer = request.send().await.unwrap_or_else(|error| panic!("{what}: {error}"));
    let after = answer.headers().get("retry-after").map(|after| after.to_str().unwrap().to_owned());
    let status = answer.status();
    let said: Value = answer.json().await.unwrap();
    assert_eq!(status, 503, "{what}: {said}");
    assert!(after.is_some_and(|after| after.parse::<u32>().is_ok_and(|seconds| seconds > 0)), "{what}: no Retry-After");
    said
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_while_the_server_is_away_answers_are_503_with_retry_after_and_all_goes_on_within_ten_seconds_of_its_return()
 {
    let Some(server) = Server::start(&[]) else { return };
    let source = staff_api::source(50);
    let staff = serve(staff_api::router(source.clone())).await;
    let config = format!(
        r#"
[store]
url = "{}"
[connections.staff]
plugin = "{}"
config = {{ base_url = "{staff}/v1" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
streams.employees = {{ every = "1s" }}
[connections.events]
plugin = "{}"
config = {{ base_url = "http://127.0.0.1:9" }}
grant = {{ plaintext = true, addresses = ["127.0.0.0/8"] }}
slots.events = {{ env = "EVENTS_SECRET" }}
"#,
        server.url(),
        plugin("staff-api").display(),
        plugin("signed-events").display()
    );
    let home = Home::new(&config).env("EVENTS_SECRET", SECRET);
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let greeting = gateway.greeting().await;
    let text = |name: &str| greeting[name].as_str().unwrap().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().timeout(ANSWERED_WITHIN).build().unwrap();
    let asker = Asker { client, url: text("url"), key: text("key") };
    assert_eq!(asker.get("/readyz").send().await.unwrap().status(), 200);
    assert_eq!(asker.hook("before").send().await.unwrap().status(), 200);

    tokio::task::block_in_place(|| server.crash());
    for path in ["/v1/employees", "/v1/changes", "/v1/changes?wait=5", "/v1/runs", "/v1/health", "/v1/inbox"] {
        let said = later(path, asker.get(path)).await;
        assert_eq!(said["code"], "store_unavailable", "{path}: {said}");
    }
    let closed = asker.get("/v1/changes/stream").send().await.unwrap().text().await.unwrap();
    assert!(closed.contains("event: closed") && closed.contains("store_unavailable"), "{closed}");
    let unknown = asker.client.get(format!("{}/v1/employees", asker.url)).bearer_auth("rk_that_no_gateway_made");
    assert!([401, 503].contains(&unknown.send().await.unwrap().status().as_u16()));
    let body = json!({ "label": "late", "role": "consumer" }).to_string();
    let made = asker.client.post(format!("{}/v1/keys", asker.url)).bearer_auth(&asker.key).body(body);
    later("a write", made.header("content-type", "application/json")).await;
    later("a webhook", asker.hook("while")).await;
    let why = later("/readyz", asker.get("/readyz")).await;
    assert!(why["detail"].as_str().unwrap().contains("PostgreSQL server cannot be reached"), "{why}");
    assert_eq!(asker.get("/healthz").send().await.unwrap().status(), 200, "the process is alive");
    assert!(gateway.0.try_wait().unwrap().is_none());

    let asked = source.lock().unwrap().asked;
    tokio::task::block_in_place(|| server.up());
    let back = Instant::now();
    let mut waits = vec!["readiness", "reads", "webhooks", "pulls"];
    while !waits.is_empty() {
        let mut still = Vec::new();
        for what in waits {
            let answer = match what {
                "readiness" => asker.get("/readyz").send().await,
                "reads" => asker.get("/v1/employees").send().await,
                "webhooks" => asker.hook("after").send().await,
                _ if source.lock().unwrap().asked > asked => continue,
                _ => {
                    still.push(what);
                    continue;
                }
            };
            if !answer.is_ok_and(|answer| answer.status() == 200) {
                still.push(what);
            }
        }
        waits = still;
        assert!(back.elapsed() < RESUMED_WITHIN, "not back: {waits:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
