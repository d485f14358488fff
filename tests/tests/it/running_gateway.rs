//! Commands while a gateway holds the store: it does what they would have done.

use std::os::unix::fs::PermissionsExt as _;

use crate::api::Api;
use crate::harness::{Home, said};
use crate::staff::staff;

const SERVE: [&str; 5] = ["serve", "--dev", "--json", "--listen", "127.0.0.1:0"];

/// The exit code of a command with what it said.
async fn ended(home: &Home, arguments: &[&str]) -> (i32, String) {
    let output = home.run(&[arguments, &["--dev"]].concat()).await;
    (output.status.code().unwrap(), said(&output))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_beside_a_gateway_is_done_by_it_and_what_it_cannot_do_says_what_to_do() {
    let (source, home) = staff(30).await;
    let mut gateway = home.spawn(&SERVE);
    let api = Api::of(&mut gateway).await;
    let runs = home.json(&["sync", "--dev"]).await;
    assert_eq!((&runs[0]["created"], &runs[0]["state"]), (&30.into(), &"completed".into()), "{runs}");
    assert_eq!(api.get(&format!("/v1/runs/{}", runs[0]["id"])).await["created"], 30, "the gateway's own run");
    source.lock().unwrap().touch(5);
    let (code, told) = ended(&home, &["sync", "staff", "employees"]).await;
    assert!(code == 0 && told.contains("complete"), "{code} {told}");
    let (code, told) = ended(&home, &["sync", "staff", "nothing"]).await;
    assert!(code != 0 && told.contains("nothing"), "{code} {told}");
    for refused in [&["sync", "--full"][..], &["replay", "staff", "employees", "--apply"]] {
        let (code, told) = ended(&home, refused).await;
        assert_eq!(code, 4, "{refused:?}: {told}");
        assert!(told.contains("stop it, run this again, and start it"), "{told}");
    }
    let (code, told) = ended(&home, &["serve", "--listen", "127.0.0.1:0"]).await;
    assert!(code == 4 && told.contains("held by another gateway"), "a second gateway: {code} {told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn quarantine_is_retried_and_dropped_by_the_gateway() {
    let (source, home) = staff(40).await;
    source.lock().unwrap().spoil(2);
    let mut gateway = home.spawn(&SERVE);
    gateway.document().await;
    let runs = home.json(&["sync", "--dev"]).await;
    assert_eq!((&runs[0]["created"], &runs[0]["quarantined"]), (&38.into(), &2.into()), "{runs}");
    let waiting = home.json(&["quarantine", "list", "--dev"]).await;
    let id = waiting[0]["id"].to_string();
    let (code, told) = ended(&home, &["quarantine", "retry"]).await;
    assert!(code == 3 && told.contains(&id), "{code} {told}");
    assert_eq!(ended(&home, &["quarantine", "drop", &id]).await, (0, "dropped\n".to_owned()));
    assert_eq!(ended(&home, &["quarantine", "drop", &id]).await.0, 1, "it is gone");
    assert_eq!(ended(&home, &["quarantine", "retry", &id]).await.0, 2, "it is gone");
    assert_eq!(home.json(&["quarantine", "list", "--dev"]).await.as_array().unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_gateway_is_its_owners_alone_and_one_left_behind_hinders_nobody() {
    let (_source, home) = staff(3).await;
    let file = home.path().join(".renmen/gateway.json");
    let mut gateway = home.spawn(&SERVE);
    let api = Api::of(&mut gateway).await;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let address: serde_json::Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let machine = api.with_key(address["key"].as_str().unwrap());
    assert!(machine.get("/v1/keys").await["data"].as_array().unwrap().is_empty(), "it is in no store");
    let asked = std::process::Command::new("kill").args(["-TERM", &gateway.0.id().to_string()]).status().unwrap();
    assert!(asked.success());
    let ended_with = tokio::task::spawn_blocking(move || gateway.0.wait().unwrap()).await.unwrap();
    assert_eq!(ended_with.code(), Some(0));
    assert!(!file.exists(), "a gateway takes its address away");

    let mut killed = home.spawn(&SERVE);
    killed.document().await;
    drop(killed);
    assert!(file.exists(), "one that was killed did not");
    let (code, told) = ended(&home, &["sync"]).await;
    assert_eq!(code, 0, "no process holds the store: {told}");
    let mut next = home.spawn(&SERVE);
    next.document().await;
    std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o644)).unwrap();
    let (code, told) = ended(&home, &["sync"]).await;
    assert!(code == 2 && told.contains("open to others"), "{code} {told}");
}
