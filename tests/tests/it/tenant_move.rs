//! A tenant moved by the command line from one running gateway's database to another's: its key and its feed go on there, and where it was the
//! answer names the place.

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, Running, plugin, said, serve};
use renmen_tests::staff_api;

/// One connection of the tenant `acme`, and a second database.
fn config(url: &str, moved: bool) -> String {
    let staff =
        crate::staff::config(url, "staff-api").replace("[connections.staff]", "[connections.staff]\ntenant = \"acme\"");
    let tenants = if moved { "[\"acme\"]" } else { "[]" };
    format!(
        "{staff}\n[cells.b]\nnumber = 1\nurl = \"sqlite:b/renmen.db\"\ntenants = {tenants}\npublic_url = \"https://b.example.com\"\n"
    )
}

fn serving(home: &Home, more: &[&str]) -> Running {
    home.spawn(&[&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"], more].concat())
}

async fn refused(home: &Home, arguments: &[&str], told: &str) {
    let output = home.run(&[arguments, &["--dev"]].concat()).await;
    assert!(output.status.code() == Some(2) && said(&output).contains(told), "{arguments:?}: {}", said(&output));
}

/// Every change after a position, and the position to go on from.
async fn changes(api: &Api, after: &str) -> (Vec<Value>, String) {
    let path = format!("/v1/changes?limit=100{after}");
    let (status, page) = api.ask(Method::GET, &path, None).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let next = page["next_cursor"].as_str().unwrap().to_owned();
    (page["data"].as_array().unwrap().iter().map(positioned).collect(), format!("&after={next}"))
}

/// A change without the epoch in its cursor: each database says its own, and knows the other's.
fn positioned(change: &Value) -> Value {
    let mut change = change.clone();
    change["cursor"] = change["cursor"].as_str().unwrap().split('.').next().unwrap().into();
    change
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_goes_to_another_database_with_its_key_and_its_feed() {
    assert!(plugin("staff-api").exists());
    let source = staff_api::source(30);
    let url = serve(staff_api::router(source.clone())).await;
    let home = Home::new(&config(&url, false));
    let mut gateway = serving(&home, &["--pull-first"]);
    let operator = Api::of(&mut gateway).await;
    let made = home.json(&["key", "new", "erp", "--role", "owner", "--tenant", "acme", "--dev"]).await;
    let key = made["key"].as_str().unwrap();
    let client = operator.with_key(key);
    let (before, cursor) = changes(&client, "").await;
    assert_eq!(before.len(), 30);
    let (_, people) = client.ask(Method::GET, "/v1/employees?limit=100", None).await;

    refused(&home, &["tenant", "forget", "acme"], "was not moved away").await;
    refused(&home, &["tenant", "moved", "acme", "--to", "b"], "was not exported").await;
    refused(&home, &["tenant", "export", "nobody", "x"], "`nobody`").await;
    refused(&home, &["tenant", "list", "--cell", "c"], "there are: b").await;
    let exported = home.json(&["tenant", "export", "acme", "acme.renmen", "--dev"]).await;
    assert!(
        exported["tables"].as_array().unwrap().iter().any(|table| table["name"] == "record" && table["rows"] == 30)
    );
    refused(&home, &["tenant", "export", "acme", "connectors.toml"], "exists").await;
    let (status, told) =
        client.ask(Method::POST, "/v1/connections/staff/streams/employees/runs", Some(&json!({}))).await;
    assert_ne!(status, StatusCode::ACCEPTED, "{told}");
    let (status, told) =
        client.ask(Method::POST, "/v1/keys", Some(&json!({ "label": "late", "role": "consumer" }))).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{told}");
    assert!(told["detail"].as_str().unwrap().contains("is being moved"), "{told}");
    let (_, health) = operator.ask(Method::GET, "/v1/health", None).await;
    let moves = &health["tenants_moved"][0];
    assert_eq!(
        (&moves["tenant"], &moves["state"], &health["status"]),
        (&json!("acme"), &json!("moving"), &json!("degraded"))
    );
    assert_eq!(changes(&client, "").await.0, before, "it can be read");

    let imported = home.json(&["tenant", "import", "acme.renmen", "--cell", "b", "--dev"]).await;
    assert_eq!((&imported["tenant"], &imported["again"]), (&json!("acme"), &json!(false)));
    let again = home.json(&["tenant", "import", "acme.renmen", "--cell", "b", "--dev"]).await;
    assert_eq!(again["again"], json!(true));
    home.configure(&config(&url, true));
    let mut second = serving(&home, &["--cell", "b"]);
    let there = Api::of(&mut second).await.with_key(key);
    assert_eq!(changes(&there, "").await.0, before);
    let (_, same) = there.ask(Method::GET, "/v1/employees?limit=100", None).await;
    assert_eq!(same["data"], people["data"], "ids, revisions and all");
    assert!(changes(&there, &cursor).await.0.is_empty(), "the old position is known");
    source.lock().unwrap().touch(7);
    let (status, run) = there.ask(Method::POST, "/v1/connections/staff/streams/employees/runs", Some(&json!({}))).await;
    assert!(status.is_success(), "{run}");
    let later = there
        .until(&format!("/v1/changes?limit=100{cursor}"), |page| {
            page["data"].as_array().filter(|data| !data.is_empty()).cloned()
        })
        .await;
    assert!(later.iter().all(|change| !before.contains(&positioned(change))), "each change once: {later:?}");

    let moved = home.run(&["tenant", "moved", "acme", "--to", "b", "--dev"]).await;
    assert!(moved.status.success() && said(&moved).contains("refused here from now on"), "{}", said(&moved));
    let again = home.json(&["tenant", "moved", "acme", "--to", "b", "--dev"]).await;
    assert_eq!(again, json!({ "tenant": "acme", "state": "moved", "moved_to": "b" }));
    while client.status("/v1/employees", Some(key)).await == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    let (status, told) = client.ask(Method::GET, "/v1/employees", None).await;
    assert_eq!((status.as_u16(), &told["code"]), (421, &json!("tenant_elsewhere")));
    assert!(told["detail"].as_str().unwrap().contains("served by b"), "{told}");
    let (_, reloaded) = operator.ask(Method::POST, "/v1/configuration/reload", None).await;
    assert!(reloaded.to_string().contains("staff"), "{reloaded}");
    let (status, told) = operator.ask(Method::POST, "/hooks/staff", Some(&json!({}))).await;
    assert_eq!((status.as_u16(), &told["code"]), (421, &json!("tenant_elsewhere")), "{told}");
    assert!(told["detail"].as_str().unwrap().contains("https://b.example.com"), "{told}");
    let deleted = home.json(&["tenant", "forget", "acme", "--dev"]).await;
    assert!(deleted.as_array().unwrap().iter().any(|table| table["name"] == "record" && table["rows"] == 30));
    let listed = home.json(&["tenant", "list", "--dev"]).await;
    assert_eq!(
        (&listed[0]["tenant"], &listed[0]["state"], &listed[0]["moved_to"]),
        (&json!("acme"), &json!("moved"), &json!("b"))
    );
    assert_eq!(client.status("/v1/employees", Some(key)).await, 401, "nothing is left of it");
}
