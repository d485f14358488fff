//! A first configuration, written by `renmen init` from what a plugin says of itself.

use renmen_tests::{dingtalk, staff_api};

use crate::harness::{Home, plugin, said, serve};

/// A folder without a configuration.
fn empty() -> Home {
    let home = Home::new("");
    std::fs::remove_file(home.path().join("connectors.toml")).unwrap();
    home
}

fn written(home: &Home) -> String {
    std::fs::read_to_string(home.path().join("connectors.toml")).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_from_a_plugin_alone_passes_its_check_and_pulls_outside_of_dev() {
    let url = serve(staff_api::router(staff_api::source(7))).await;
    let home = empty();
    let wasm = plugin("staff-api").display().to_string();
    let set = format!("base_url={url}/v1");
    let init = ["init", "--yes", "--plugin", &wasm, "--name", "staff", "--set", &set, "--local"];
    let made = home.run(&init).await;
    assert!(made.status.success(), "{}", said(&made));
    assert!(said(&made).contains("renmen check"), "{}", said(&made));
    let text = written(&home);
    for line in [
        "digest = \"sha256:",
        "hosts = [\"{base_url}\"]",
        "methods = [\"GET\"]",
        "entities = [",
        "employees = { every = \"1h\" }",
    ] {
        assert!(text.contains(line), "{line}: {text}");
    }
    let checked = home.run(&["check"]).await;
    assert!(checked.status.success(), "{}", said(&checked));
    let synced = home.json(&["sync"]).await;
    assert_eq!(synced[0]["created"], 7);

    let again = home.run(&init).await;
    assert_eq!(again.status.code(), Some(2), "{}", said(&again));
    assert!(said(&again).contains("is not replaced"), "{}", said(&again));
    assert_eq!(written(&home), text);
}

#[tokio::test(flavor = "multi_thread")]
async fn slots_get_a_source_and_the_places_that_their_secrets_may_go_to() {
    let home = empty();
    let wasm = plugin("dingtalk").display().to_string();
    let base = ["init", "--yes", "--plugin", &wasm, "--name", "people"];
    let missing = home.run(&base).await;
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
    assert!(said(&missing).contains("--set api_url=VALUE"), "{}", said(&missing));
    let set = ["--set", "api_url=https://api.dingtalk.com", "--set", "oapi_url=https://oapi.dingtalk.com"];
    let plain = home.run(&[&base[..], &set, &["--slot", dingtalk::APP_SECRET]].concat()).await;
    assert_eq!(plain.status.code(), Some(2));
    assert!(!said(&plain).contains(dingtalk::APP_SECRET), "a secret that was typed is not repeated");
    let streams = ["--stream", "users=15m", "--stream", "departments"];
    let made = home.run(&[&base[..], &set, &streams, &["--slot", "app=env:DING"]].concat()).await;
    assert!(made.status.success(), "{}", said(&made));
    let text = written(&home);
    assert!(text.contains("slots.app = { env = \"DING\", to = [\"{api_url}\""), "{text}");
    assert!(
        text.contains("users = { every = \"15m\" }") && text.contains("departments = { every = \"1h\" }"),
        "{text}"
    );
    assert!(!text.contains("leavers"), "what was not named is not pulled: {text}");
    // The only thing that is missing is the secret itself, and it is told at its line.
    let checked = home.run(&["check"]).await;
    assert_eq!(checked.status.code(), Some(2));
    assert!(
        said(&checked).contains("DING is not set") && said(&checked).contains("key: connections.people.slots.app"),
        "{}",
        said(&checked)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_plugin_a_gateway_is_described_and_starts() {
    let home = empty();
    let made = home.run(&["init", "--yes", "--data-dir", "state", "--listen", "127.0.0.1:7311"]).await;
    assert!(made.status.success(), "{}", said(&made));
    assert!(written(&home).contains("listen = \"127.0.0.1:7311\""), "{}", written(&home));
    assert!(home.run(&["check"]).await.status.success());
    assert!(home.path().join("state").exists(), "the data directory is the one that was named");
    let other = home.run(&["init", "--yes", "--config", "other.toml", "--listen", "nowhere"]).await;
    assert_eq!(other.status.code(), Some(2), "{}", said(&other));
    assert!(!home.path().join("other.toml").exists(), "what is wrong is not written");
}
