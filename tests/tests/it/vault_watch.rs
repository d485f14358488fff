//! A vault that changes while a gateway runs: its secrets are taken without a reload, and a broken one takes nothing away.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::Duration;

use serde_json::Value;

use crate::api::Api;
use crate::harness::{Home, plugin};
use crate::hooks::vendor::{SECRET, Sent, updated};

/// What the vendor signs with from now on. Made up.
const FRESH: &str = "whsec_YW5vdGhlciBvbmUgZm9yIHRoZXNlIHRlc3RzIG9ubHkh";

fn keep(home: &Home, name: &str, secret: &str) {
    let mut command = home.command(&["secret", "set", name, "--dev"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(secret.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success());
}

/// How a delivery is answered that is signed so.
async fn delivered(api: &Api, id: &str, secret: &str) -> u16 {
    let sent = Sent::signed_with(secret, id, &updated("W1", id, 1_000));
    sent.request(&reqwest::Client::new(), api.url()).send().await.unwrap().status().as_u16()
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    for _ in 0..300 {
        if is_so().await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_set_while_the_gateway_runs_is_used_without_a_reload_and_a_broken_vault_takes_nothing_away() {
    let config = format!(
        "[vault]\npath = \"vault.json\"\n[connections.events]\nplugin = \"{}\"\nconfig = {{ base_url = \"http://127.0.0.1:9\" }}\n\
         grant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\nslots.events = {{ vault = \"events\" }}\n",
        plugin("signed-events").display()
    );
    let home = Home::new(&config).env("RENMEN_VAULT_KEY", "bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=");
    keep(&home, "events", SECRET);
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let configuration = async || api.get("/v1/health").await["configuration"].clone();
    assert_eq!((delivered(&api, "m1", SECRET).await, delivered(&api, "m2", FRESH).await), (200, 401));
    let began = configuration().await;

    // Someone is editing the file: that is not read for a secret.
    home.configure(&format!(
        "{config}{}",
        config.split_once('\n').unwrap().1.split_once('\n').unwrap().1.replace(".events]", ".other]")
    ));
    keep(&home, "of_nobody", "made up, and named by no slot");
    keep(&home, "events", FRESH);
    until("the new secret is used", async || delivered(&api, "m3", FRESH).await == 200).await;
    assert_eq!(delivered(&api, "m4", SECRET).await, 401, "the former one is not used any more");
    let taken = configuration().await;
    assert!(taken["secrets_loaded_at"].as_str() > began["secrets_loaded_at"].as_str(), "{taken}");
    assert_eq!(api.get("/v1/connections").await["data"].as_array().unwrap().len(), 1);
    assert!(taken["differs_since"].is_string() && taken["loaded_at"] == began["loaded_at"], "{taken}");
    assert_eq!((&taken["refused"], &taken["secrets_refused"]), (&Value::Null, &Value::Null), "{taken}");

    let vault = home.path().join("vault.json");
    let whole = std::fs::read(&vault).unwrap();
    for (broken, told) in [(&whole[..whole.len() / 2], "damaged"), (b"", "damaged")] {
        std::fs::write(&vault, broken).unwrap();
        std::fs::set_permissions(&vault, std::fs::Permissions::from_mode(0o600)).unwrap();
        let is_told = async || configuration().await["secrets_refused"].as_str().is_some_and(|why| why.contains(told));
        until("the health tells of a broken vault", is_told).await;
        assert_eq!(api.get("/v1/health").await["status"], "degraded");
        assert_eq!(delivered(&api, "m5", FRESH).await, 200, "what was in use stays in use");
        std::fs::write(&vault, &whole).unwrap();
        until("a vault that was restored is well", async || configuration().await["secrets_refused"].is_null()).await;
    }
    let gone = home.run(&["secret", "remove", "events", "--dev"]).await;
    assert!(gone.status.success());
    let is_told = async || configuration().await["secrets_refused"].as_str().is_some_and(|why| why.contains("events"));
    until("the health names the entry that is missing", is_told).await;
    assert_eq!(delivered(&api, "m6", FRESH).await, 200);
    assert!(gateway.0.try_wait().unwrap().is_none(), "the same process");
}
