//! The exit codes of the README, each produced by the real binary.

use std::process::Stdio;

use crate::harness::{Home, plugin, said};
use crate::staff::{config, staff};

/// An address at which nothing listens.
const NOWHERE: &str = "http://127.0.0.1:9";

fn with(config: &str, from: &str, to: &str) -> String {
    assert!(config.contains(from), "{from}");
    config.replace(from, to)
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_usage_and_a_wrong_configuration_end_with_2_whatever_finds_them() {
    let good = config(NOWHERE, "staff-api");
    let digest = format!("digest = \"sha256:{}\"\nconfig =", "0".repeat(64));
    let wasm = plugin("staff-api").display().to_string();
    let vendor = format!(
        "[connections.staff]\nplugin = \"{}\"\nconfig = {{ base_url = \"{NOWHERE}/v1\" }}\n\
         grant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\nslots.key = {{ env = \"NOT_SET_ANYWHERE\" }}\n",
        plugin("interview-vendor").display()
    );
    let flow = "[flows.notes]\nwhen = { entity = \"employee\" }\nmap = { a = \"record.nothing\" }\nto = { connection = \"staff\", action = \"a\" }\n";
    for (what, config) in [
        ("an unknown key", with(&good, "limits", "limit")),
        ("another digest", with(&good, "config =", &digest)),
        ("no such file", with(&good, &wasm, "nowhere.wasm")),
        ("an unknown stream", with(&good, "streams.employees", "streams.people")),
        ("a key that the plugin does not know", with(&good, "base_url =", "url =")),
        ("a variable that is not set", vendor),
        ("a flow that cannot run", format!("{good}\n{flow}")),
    ] {
        let home = Home::new(&config);
        for command in
            [&["check"][..], &["check", "staff"], &["sync"], &["sync", "staff"], &["serve", "--listen", "127.0.0.1:0"]]
        {
            let output = home.run(&[command, &["--dev"]].concat()).await;
            // A flow is not looked at where one connection alone is loaded.
            if what == "a flow that cannot run" && command.len() == 2 && command[0] != "serve" {
                continue;
            }
            assert_eq!(output.status.code(), Some(2), "{what}: {command:?}: {}", said(&output));
        }
    }
    let home = Home::new(&good);
    for arguments in [
        &["nonsense"][..],
        &["sync", "nobody"],
        &["sync", "staff", "nothing"],
        &["check", "nobody"],
        &["records", "nothing"],
        &["schema", "nothing"],
        &["runs", "--log", "inof"],
        &["flow", "dry-run", "nothing"],
    ] {
        let output = home.run(&[arguments, &["--dev"]].concat()).await;
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", said(&output));
    }
    let missing = home.run(&["check", "--config", "nowhere.toml"]).await;
    assert_eq!(missing.status.code(), Some(2), "{}", said(&missing));
}

#[tokio::test(flavor = "multi_thread")]
async fn done_is_0_failed_is_1_and_a_store_that_is_held_is_4() {
    let (_source, home) = staff(3).await;
    for arguments in [&["check"][..], &["sync"], &["records"], &["runs"]] {
        let output = home.run(&[arguments, &["--dev"]].concat()).await;
        assert_eq!(output.status.code(), Some(0), "{arguments:?}: {}", said(&output));
    }
    let id = "0000000000000000000000";
    for arguments in [&["runs", "--run", "999"][..], &["quarantine", "show", "999"], &["key", "revoke", id]] {
        let output = home.run(&[arguments, &["--dev"]].concat()).await;
        assert!(matches!(output.status.code(), Some(1 | 2)), "{arguments:?}: {}", said(&output));
    }
    let away = Home::new(&config(NOWHERE, "staff-api"));
    for arguments in [&["check"][..], &["sync"]] {
        let output = away.run(&[arguments, &["--dev"]].concat()).await;
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_of_which_nothing_came_in_is_done_in_part() {
    let (source, home) = staff(40).await;
    source.lock().unwrap().spoil(40);
    let strict = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    home.configure(&with(&strict, "page_records_max = 1000", "page_records_max = 1000, quarantine_ratio_max = 1.0"));
    let synced = home.run(&["sync", "--dev"]).await;
    assert_eq!(synced.status.code(), Some(3), "{}", said(&synced));
    assert!(said(&synced).contains("all in quarantine: renmen quarantine list staff"), "{}", said(&synced));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_is_stopped_ends_with_130_and_the_next_one_goes_on() {
    let (source, home) = staff(5_000).await;
    source.lock().unwrap().wait = std::time::Duration::from_millis(400);
    let mut child = home.command(&["sync", "--dev"]).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    while source.lock().unwrap().requests < 2 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let stopped = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(stopped.success());
    let ended = tokio::task::spawn_blocking(move || child.wait().unwrap()).await.unwrap();
    assert_eq!(ended.code(), Some(130));
    source.lock().unwrap().wait = std::time::Duration::ZERO;
    let next = home.json(&["sync", "--dev"]).await;
    assert_eq!(next[0]["resumed"], true, "{next}");
}
