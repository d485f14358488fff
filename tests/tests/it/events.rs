//! Outgoing events with the real binary: an endpoint of the file, its fields, its signature, and a receiver that wants no more.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use reqwest::Method;
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, serve};
use crate::staff::staff;

/// Headers and bodies as they came, and what to answer.
#[derive(Default)]
struct Inbox {
    got: Vec<(HeaderMap, Value)>,
    answer: u16,
}

type Shared = Arc<Mutex<Inbox>>;

async fn take(State(inbox): State<Shared>, headers: HeaderMap, body: String) -> StatusCode {
    let mut inbox = inbox.lock().unwrap();
    inbox.got.push((headers, serde_json::from_str(&body).unwrap()));
    StatusCode::from_u16(inbox.answer).unwrap()
}

/// A gateway's folder whose endpoint is this receiver.
async fn receiver(answer: u16) -> (Shared, Home, renmen_tests::staff_api::Source) {
    let inbox: Shared = Arc::new(Mutex::new(Inbox { answer, ..Inbox::default() }));
    let url = serve(Router::new().route("/hooks", post(take)).with_state(Arc::clone(&inbox))).await;
    let (source, home) = staff(5).await;
    let config = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let endpoint = format!(
        "\n[endpoints.hr]\nurl = \"{url}/hooks\"\nentities = [\"employee\"]\nfields = {{ employee = [\"/work/title\"] }}\n\
         slots.secret = {{ env = \"HOOK_SECRET\" }}\ngrant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n"
    );
    home.configure(&format!("{config}{endpoint}"));
    (inbox, home.env("HOOK_SECRET", "whsec_bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldyE="), source)
}

async fn until(what: &str, met: impl Fn() -> bool) {
    for _ in 0..1_200 {
        if met() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_change_is_told_once_signed_and_with_the_fields_that_may_leave() {
    let (inbox, home, source) = receiver(204).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0", "--pull-first"]);
    gateway.greeting().await;
    until("five events", || inbox.lock().unwrap().got.len() >= 5).await;
    drop(gateway);
    source.lock().unwrap().touch(1);
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0", "--pull-first"]);
    gateway.greeting().await;
    until("a sixth event", || inbox.lock().unwrap().got.len() >= 6).await;
    let got = std::mem::take(&mut inbox.lock().unwrap().got);
    assert_eq!(got.len(), 6);
    let mut ids: Vec<&str> = got.iter().map(|(headers, _)| headers["webhook-id"].to_str().unwrap()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 6, "each its own id");
    for (headers, event) in &got {
        assert!(headers["webhook-signature"].to_str().unwrap().starts_with("v1,"));
        assert_eq!(headers["content-type"], "application/cloudevents+json");
        assert_eq!(event["specversion"], "1.0");
        let record = event["data"]["record"].as_object().unwrap();
        assert!(record.keys().all(|key| key == "work"), "{record:?}");
        assert!(record["work"].as_object().unwrap().keys().all(|key| key == "title"), "{record:?}");
    }
    assert_eq!(got.iter().filter(|(_, event)| event["type"] == "cn.renmen.employee.created").count(), 5);
    assert_eq!(got[5].1["type"], "cn.renmen.employee.updated");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receiver_that_is_gone_hears_no_more_until_somebody_switches_it_on() {
    let (inbox, home, _source) = receiver(410).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0", "--pull-first"]);
    let api = Api::of(&mut gateway).await;
    let ask = async |method: Method, path: &str| api.ask(method, path, None).await;
    let dead = async || ask(Method::GET, "/v1/deliveries?state=dead").await.1["data"].as_array().unwrap().len();
    for _ in 0..1_200 {
        if dead().await == 5 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(dead().await, 5);
    let heard = inbox.lock().unwrap().got.len();
    assert!((1..=4).contains(&heard), "{heard} were under way when it said so");
    let (_, endpoint) = ask(Method::GET, "/v1/endpoints/hr").await;
    assert!(endpoint["off"]["reason"].as_str().unwrap().contains("410") && endpoint["from_file"] == true, "{endpoint}");

    inbox.lock().unwrap().answer = 200;
    let (status, endpoint) = ask(Method::POST, "/v1/endpoints/hr/enable").await;
    assert_eq!((status.as_u16(), &endpoint["off"]), (200, &Value::Null));
    let (_, none) = ask(Method::POST, "/v1/endpoints/hr/replay?since=2099-01-01T00:00:00Z").await;
    assert_eq!(none["replayed"], 0);
    let (_, replayed) = ask(Method::POST, "/v1/endpoints/hr/replay").await;
    assert_eq!(replayed["replayed"], 5);
    until("all five", || inbox.lock().unwrap().got.len() >= heard + 5).await;
    assert_eq!(ask(Method::DELETE, "/v1/endpoints/hr").await.0, 409, "it is of the file");
    assert_eq!(ask(Method::POST, "/v1/endpoints/nobody/enable").await.0, 404);
}

/// A gateway's folder with a vault.
fn with_vault(home: Home) -> Home {
    let config = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    home.configure(&format!("[vault]\npath = \"vault.json\"\n{config}"));
    home.env("RENMEN_VAULT_KEY", "bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=")
}

fn erp() -> Value {
    json!({
        "url": "https://localhost:9/hooks", "entities": ["employee"], "fields": { "employee": ["/number"] },
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_of_the_api_is_checked_used_kept_and_taken_away_and_reaches_no_private_address() {
    let (_inbox, home, _source) = receiver(204).await;
    let home = with_vault(home);
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let mut api = Api::of(&mut gateway).await;
    let mut erp = erp();
    for (key, bad, status, told) in [
        ("url", json!("http://127.0.0.1:9/"), 422, "https://"),
        ("url", json!("https://127.0.0.1:9/hooks"), 422, "not public"),
        ("entities", json!(["employe"]), 422, "not an entity"),
        ("fields", json!({ "employee": ["/numbre"] }), 422, "numbre"),
        // Where a secret is, is not a client's to say.
        ("secret", json!({ "vault": "canary" }), 400, "the gateway generates the secret"),
    ] {
        let mut wrong = erp.clone();
        wrong[key] = bad;
        let (answered, problem) = api.ask(Method::PUT, "/v1/endpoints/erp", Some(&wrong)).await;
        let text = problem.to_string();
        assert_eq!((answered.as_u16(), text.contains(told)), (status, true), "{key}: {text}");
        assert!(!text.contains("canary") && !text.contains("vault.json"), "{text}");
    }
    assert_eq!(vault_names(&home).await, [""; 0], "nothing is kept of what was refused");
    assert_eq!(api.ask(Method::PUT, "/v1/endpoints/hr", Some(&erp)).await.0, 409, "it is of the file");
    assert_eq!(api.ask(Method::POST, "/v1/endpoints/hr/rotate", None).await.0, 409, "it is of the file");
    assert_eq!(api.ask(Method::PUT, "/v1/endpoints/staff", Some(&erp)).await.0, 409, "it is a connection");
    let (status, made) = api.ask(Method::PUT, "/v1/endpoints/erp", Some(&erp)).await;
    assert_eq!((status.as_u16(), &made["from_file"]), (200, &json!(false)), "{made}");

    api.ask(Method::POST, "/v1/connections/staff/streams/employees/runs", None).await;
    let refused = async |api: &Api| {
        let (_, list) = api.ask(Method::GET, "/v1/deliveries?connection=erp", None).await;
        let errors =
            list["data"].as_array().unwrap().iter().filter(|one| one["error"].to_string().contains("loopback"));
        errors.count()
    };
    for _ in 0..1_200 {
        if refused(&api).await > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(refused(&api).await > 0, "its address was refused");

    // It is there again after a restart, and it can be changed and taken away.
    drop(gateway);
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    api = Api::of(&mut gateway).await;
    let (_, all) = api.ask(Method::GET, "/v1/endpoints", None).await;
    let names: Vec<&str> = all["data"].as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["erp", "hr"]);
    erp["entities"] = json!(["employee", "job"]);
    assert_eq!(api.ask(Method::PUT, "/v1/endpoints/erp", Some(&erp)).await.1["entities"], json!(["employee", "job"]));
    assert_eq!(api.ask(Method::DELETE, "/v1/endpoints/erp", None).await.0, 204);
    assert_eq!(api.ask(Method::GET, "/v1/endpoints/erp", None).await.0, 404);
    let (_, withheld) = api.ask(Method::GET, "/v1/deliveries?connection=erp&state=withheld", None).await;
    assert!(!withheld["data"].as_array().unwrap().is_empty(), "what it still had to get");
    assert_eq!(vault_names(&home).await, [""; 0], "its secret went with it");

    // Its flows went with it: another endpoint of the name begins with what happens from then on.
    let (_, flows) = api.ask(Method::GET, "/v1/flows", None).await;
    assert!(!flows.to_string().contains("events:erp:"), "{flows}");
    assert_eq!(api.ask(Method::DELETE, "/v1/endpoints/erp", None).await.0, 404);
    let (status, again) = api.ask(Method::PUT, "/v1/endpoints/erp", Some(&erp)).await;
    assert!(status.is_success() && again["secret"].is_string(), "{again}");
}

/// The names in a home's vault.
async fn vault_names(home: &Home) -> Vec<String> {
    let list = home.json(&["secret", "list", "--dev"]).await;
    list.as_array().unwrap().iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_gateway_makes_the_signing_secret_of_an_endpoint_shows_it_once_and_changes_it_with_an_overlap() {
    let (_inbox, home, _source) = receiver(204).await;
    let home = with_vault(home);
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let ask = async |method: Method, path: &str| api.ask(method, path, None).await.1;
    let made = api.ask(Method::PUT, "/v1/endpoints/erp", Some(&erp())).await.1;
    let first = made["secret"].as_str().unwrap().to_owned();
    assert!(first.starts_with("whsec_") && first.len() > 40, "{made}");
    let again = api.ask(Method::PUT, "/v1/endpoints/erp", Some(&erp())).await.1;
    let rotated = ask(Method::POST, "/v1/endpoints/erp/rotate?overlap_s=600").await;
    let second = rotated["secret"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(rotated["previous_until"].is_string(), "{rotated}");
    assert_eq!(vault_names(&home).await.len(), 2, "both sign");
    let at_once = ask(Method::POST, "/v1/endpoints/erp/rotate?overlap_s=0").await;
    assert_eq!(at_once["previous_until"], Value::Null, "{at_once}");
    assert_eq!(vault_names(&home).await.len(), 1, "what signs no more is gone");
    let (shown, all) = (ask(Method::GET, "/v1/endpoints/erp").await, ask(Method::GET, "/v1/endpoints").await);
    drop(gateway);
    let later: String = [again, shown, all].iter().map(Value::to_string).collect();
    for secret in [&first, &second, at_once["secret"].as_str().unwrap()] {
        assert!(!later.contains(secret), "shown once");
        for (path, bytes) in home.every_byte() {
            let holds = bytes.windows(secret.len()).any(|window| window == secret.as_bytes());
            assert!(!holds, "{} holds a signing secret in clear", path.display());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_vault_an_endpoint_of_the_api_is_refused_with_what_to_do() {
    let (_inbox, home, _source) = receiver(204).await;
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let (status, problem) = api.ask(Method::PUT, "/v1/endpoints/erp", Some(&erp())).await;
    assert_eq!(status.as_u16(), 409);
    assert!(problem.to_string().contains("[vault]"), "{problem}");
    assert_eq!(api.ask(Method::GET, "/v1/endpoints/erp", None).await.0, 404);
}
