//! One gateway as an operator meets it: second starts, wrong configurations, invalid plugins.

use crate::harness::{Home, plugin, said};
use crate::staff::{config, staff};

#[tokio::test(flavor = "multi_thread")]
async fn a_second_gateway_on_one_file_says_so_and_stops() {
    let (_source, home) = staff(10).await;
    let mut first = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    first.document().await;
    let second = home.run(&["serve", "--dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(second.status.code(), Some(4), "{}", said(&second));
    let reading = home.run(&["records", "--dev"]).await;
    assert!(reading.status.success(), "reading still works: {}", said(&reading));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_run_with_nothing_new_writes_nothing() {
    let (_source, home) = staff(2_500).await;
    let first = home.json(&["sync", "--dev"]).await;
    assert_eq!(first[0]["created"], 2_500);
    let second = home.json(&["sync", "--dev"]).await;
    assert_eq!((&second[0]["created"], &second[0]["updated"]), (&0.into(), &0.into()));
    let full = home.json(&["sync", "--dev", "--full"]).await;
    assert_eq!(
        (&full[0]["created"], &full[0]["updated"], &full[0]["unchanged"]),
        (&0.into(), &0.into(), &2_500.into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_is_pulled_when_it_is_declared_or_named_and_never_when_it_is_off() {
    let (source, home) = staff(10).await;
    let declared = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let line = "streams.employees = { manual = true }\n";
    assert!(declared.contains(line));
    home.configure(&declared.replace(line, ""));
    let nothing = home.run(&["sync", "--dev"]).await;
    assert!(nothing.status.success() && said(&nothing).contains("nothing is pulled"), "{}", said(&nothing));
    let checked = home.run(&["check", "--dev"]).await;
    assert!(checked.status.success(), "{}", said(&checked));
    assert!(said(&checked).contains("not declared under `streams`, so not pulled: employees"), "{}", said(&checked));
    assert_eq!(source.lock().unwrap().requests, 0, "the source was not asked for people");
    let named = home.json(&["sync", "staff", "employees", "--dev"]).await;
    assert_eq!(named[0]["created"], 10, "by its name");

    home.configure(&declared.replace(line, "streams.employees = { enabled = false }\n"));
    assert!(home.run(&["sync", "--dev"]).await.status.success());
    let refused = home.run(&["sync", "staff", "employees", "--dev"]).await;
    assert!(!refused.status.success() && said(&refused).contains("switched off"), "{}", said(&refused));
    assert!(home.run(&["check", "--dev"]).await.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_changed_is_a_second_revision_and_nothing_else_is() {
    let (source, home) = staff(2_000).await;
    home.json(&["sync", "--dev"]).await;
    source.lock().unwrap().touch(50);
    let run = home.json(&["sync", "--dev"]).await;
    assert_eq!((&run[0]["updated"], &run[0]["created"]), (&50.into(), &0.into()));
    let changes = home.json(&["changes", "--dev", "--after", "2000", "--limit", "10000"]).await;
    let changes = changes.as_array().unwrap();
    assert_eq!(changes.len(), 50);
    assert!(changes.iter().all(|change| change["kind"] == "updated" && change["revision"] == 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_configuration_names_file_line_key_and_fix_and_ends_with_2() {
    let home =
        Home::new(&format!("[connections.staff]\nplugin = \"{}\"\ninterval = \"5m\"\n", plugin("staff-api").display()));
    let output = home.run(&["check", "--dev"]).await;
    assert_eq!(output.status.code(), Some(2));
    let text = said(&output);
    assert!(text.contains("connectors.toml:3:") && text.contains("interval"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_dev_a_plugin_must_be_pinned_to_its_digest() {
    let pinned = |digest: &str| {
        config("http://127.0.0.1:9", "staff-api").replace("config =", &format!("digest = \"{digest}\"\nconfig ="))
    };
    let home = Home::new(&config("http://127.0.0.1:9", "staff-api"));
    assert_eq!(home.run(&["sync"]).await.status.code(), Some(2), "no digest");
    home.configure(&pinned(&format!("sha256:{}", "0".repeat(64))));
    let wrong = home.run(&["sync"]).await;
    assert!(!wrong.status.success() && said(&wrong).contains("digest"), "{}", said(&wrong));
    let inspected = home.json(&["plugin", "inspect", &plugin("staff-api").display().to_string()]).await;
    home.configure(&pinned(inspected["digest"].as_str().unwrap()));
    let right = home.run(&["sync"]).await;
    assert_eq!(right.status.code(), Some(1), "it runs, and nothing listens there: {}", said(&right));
    assert!(said(&right).contains("unavailable"), "{}", said(&right));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plugin_that_is_none_is_refused_with_what_to_do() {
    let home = Home::new(&config("http://127.0.0.1:9", "staff-api"));
    let fake = home.path().join("fake.wasm");
    for bytes in [&b"not wasm at all"[..], b"\0asm\x01\0\0\0", b"\x7fELF precompiled"] {
        std::fs::write(&fake, bytes).unwrap();
        home.configure(
            &config("http://127.0.0.1:9", "staff-api").replace(&plugin("staff-api").display().to_string(), "fake.wasm"),
        );
        let output = home.run(&["check", "--dev"]).await;
        assert!(!output.status.success() && said(&output).contains("connection `staff`"), "{}", said(&output));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_config_that_the_manifest_does_not_know_is_refused_by_name() {
    let home = Home::new(&config("http://127.0.0.1:9", "staff-api").replace("base_url =", "base = 1, base_url ="));
    let output = home.run(&["check", "--dev"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("base_url"), "{}", said(&output));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_other_machines_reach_is_refused_on_the_command_line_too() {
    let home = Home::new("");
    for address in ["0.0.0.0:0", "[::]:0"] {
        let output = home.run(&["serve", "--listen", address]).await;
        let text = said(&output);
        assert_eq!(output.status.code(), Some(2), "{text}");
        assert!(text.contains("in clear") && text.contains("allow_plaintext = true"), "{text}");
        let output = home.run(&["serve", "--dev", "--listen", address]).await;
        assert_eq!(output.status.code(), Some(2), "{}", said(&output));
        assert!(said(&output).contains("`--dev` is for this one alone"), "{}", said(&output));
    }
    home.configure("[gateway]\nlisten = \"0.0.0.0:7300\"\n");
    let output = home.run(&["serve"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    assert!(said(&output).contains("connectors.toml:2:"), "{}", said(&output));
}
