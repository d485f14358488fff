//! Keys of a running gateway: made and revoked by commands on its own SQLite file, and a developer's key, which ends
//! with the gateway.

use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, Running, said};
use crate::staff::staff;

fn serving(home: &Home) -> Running {
    home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"])
}

fn text<'a>(document: &'a Value, name: &str) -> &'a str {
    document[name].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_made_listed_and_revoked_beside_a_running_gateway() {
    let (_source, home) = staff(10).await;
    let mut gateway = serving(&home);
    let api = Api::of(&mut gateway).await;
    let made = home.json(&["key", "new", "bi", "--role", "consumer", "--expires", "90d", "--dev"]).await;
    let key = text(&made, "key").to_owned();
    assert_eq!(api.status("/v1/employees", Some(&key)).await, 200);
    assert_eq!(api.status("/v1/runs", Some(&key)).await, 403);

    let vendor = home.json(&["key", "new", "v", "--role", "vendor", "--connection", "staff", "--dev"]).await;
    assert_eq!((&vendor["role"], &vendor["connection"]), (&json!("vendor"), &json!("staff")));
    assert_eq!(api.status("/v1/employees", Some(text(&vendor, "key"))).await, 403);

    let listed = home.json(&["key", "list", "--dev"]).await;
    assert_eq!(listed.as_array().unwrap().iter().map(|one| text(one, "label")).collect::<Vec<_>>(), ["bi", "v"]);
    assert!(!listed.to_string().contains("rk_"));

    let revoked = home.json(&["key", "revoke", text(&made, "id"), "--dev"]).await;
    assert!(revoked["revoked_at"].is_string());
    // The gateway believes a key that was good for a few seconds.
    while api.status("/v1/employees", Some(&key)).await == 200 {
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_eq!(api.status("/v1/employees", Some(&key)).await, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_cannot_be_is_refused_with_what_to_write() {
    let (_source, home) = staff(1).await;
    let refused = async |arguments: &[&str], told: &str| {
        let output = home.run(&[&["key"], arguments, &["--dev"]].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains(told), "{}", said(&output));
    };
    refused(&["new", "x"], "--role").await;
    refused(&["new", "x", "--role", "vendor"], "--connection").await;
    refused(&["new", "x", "--role", "vendor", "--connection", "nobody"], "there is no connection `nobody`").await;
    refused(&["new", "x", "--role", "owner", "--connection", "staff"], "--role vendor").await;
    refused(&["new", "x", "--role", "owner", "--tenant", "nobody"], "the configuration has: default").await;
    refused(&["new", "x", "--role", "owner", "--expires", "soon"], "`soon` is").await;
    refused(&["new", " ", "--role", "owner"], "a label has").await;
    refused(&["revoke", "rk_1"], "16 hexadecimal digits").await;
    let absent = home.run(&["key", "revoke", "0000000000000000", "--dev"]).await;
    assert_eq!(absent.status.code(), Some(1), "{}", said(&absent));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_key_of_a_developers_gateway_dies_with_it_even_by_kill_9() {
    let (_source, home) = staff(1).await;
    let mut gateway = serving(&home);
    let greeting = gateway.greeting().await;
    // SIGKILL: nothing of the process runs any more.
    drop(gateway);
    let mut gateway = serving(&home);
    let api = Api::of(&mut gateway).await;
    assert_eq!(api.status("/v1/employees", Some(text(&greeting, "key"))).await, 401);
    assert_eq!(home.json(&["key", "list", "--dev"]).await, json!([]));
}
