//! The conformance kit over every connector of the repository, and over connectors that are broken in one way each.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::harness::{Home, plugin, said};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

/// The score card of a connector by the description in a folder.
async fn card(name: &str, folder: &Path) -> Value {
    let (component, home) = (plugin(name), Home::new(""));
    let (component, folder) = (component.display().to_string(), folder.display().to_string());
    let output = home.run(&["plugin", "test", &component, "--fixtures", &folder, "--format", "json"]).await;
    serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{name}: {}", said(&output)))
}

/// Every check that ended so: stream, id, and what was said.
fn ended(card: &Value, verdict: &str) -> Vec<(String, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let of_stream = |stream: &Value| -> Vec<_> {
        let checks = stream["checks"].as_array().unwrap().iter().filter(|check| check["verdict"] == verdict);
        checks
            .map(|check| (text(&stream["stream"]), text(&check["id"]), text(&check["seen"]) + &text(&check["why"])))
            .collect()
    };
    card["streams"].as_array().unwrap().iter().flat_map(of_stream).collect()
}

/// Gives how many checks passed.
async fn passes(name: &str, folder: &str, least: usize) -> usize {
    let card = card(name, &root().join(folder)).await;
    assert_eq!(ended(&card, "failed"), vec![], "{name}");
    let passed = ended(&card, "passed").len();
    assert!(passed >= least, "{name} passed only {passed}: {:?}", ended(&card, "skipped"));
    passed
}

#[tokio::test]
async fn the_staff_example_passes() {
    passes("staff-api", "plugin-sdk/examples/staff-api", 30).await;
}

#[tokio::test]
async fn dingtalk_passes() {
    passes("dingtalk", "plugins/dingtalk", 80).await;
}

#[tokio::test]
async fn the_interview_vendor_passes() {
    passes("interview-vendor", "plugins/interview-vendor", 85).await;
}

#[tokio::test]
async fn table_file_passes() {
    passes("table-file", "plugins/table-file", 20).await;
}

#[tokio::test]
async fn feishu_passes() {
    passes("feishu", "plugins/feishu", 90).await;
}

/// Every folder with a connector without code.
fn declared() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(root().join("declarative/connectors")).unwrap();
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 3, "the connectors are elsewhere");
    folders
}

/// Every fourth of the connectors without code, from the n-th on: nothing that could be asked fails, and the fixtures are proved.
async fn passes_without_code(nth: usize) {
    for folder in declared().into_iter().skip(nth).step_by(4) {
        let sheet: toml::Table = std::fs::read_to_string(folder.join("plugin.toml")).unwrap().parse().unwrap();
        let name = sheet["name"].as_str().unwrap();
        // The kit asks streams and recorded calls. Without either it has nothing to ask: their tests with a simulator prove these.
        if sheet.get("streams").is_none() && !folder.join("fixtures/calls.json").exists() {
            assert!(["push", "showmebug"].contains(&name), "{name}: record calls in fixtures/calls.json");
            continue;
        }
        let card = card(name, &folder).await;
        assert_eq!(ended(&card, "failed"), vec![], "{name}");
        let fixtures = card["fixtures"].as_array().unwrap_or_else(|| panic!("{name}: no fixtures were played"));
        assert!(fixtures.iter().all(|check| check["verdict"] == "passed"), "{name}: {fixtures:#?}");
    }
}

mod each_connector_without_code_passes {
    use super::passes_without_code;

    #[tokio::test]
    async fn of_the_first_fourth() {
        passes_without_code(0).await;
    }

    #[tokio::test]
    async fn of_the_second_fourth() {
        passes_without_code(1).await;
    }

    #[tokio::test]
    async fn of_the_third_fourth() {
        passes_without_code(2).await;
    }

    #[tokio::test]
    async fn of_the_last_fourth() {
        passes_without_code(3).await;
    }
}

#[test]
fn every_connector_of_the_repository_has_a_description() {
    let mut without = BTreeSet::new();
    for area in ["plugins", "plugin-sdk/examples", "declarative/connectors"] {
        for folder in std::fs::read_dir(root().join(area)).unwrap().map(|entry| entry.unwrap().path()) {
            if folder.join("plugin.toml").is_file() && !folder.join("conformance.toml").is_file() {
                without.insert(folder.file_name().unwrap().to_string_lossy().into_owned());
            }
        }
    }
    assert_eq!(without, BTreeSet::new(), "write a conformance.toml next to plugin.toml (docs/conformance.md)");
}

/// The report card of the broken connector with one fault.
async fn broken(fault: &str) -> Value {
    let text = std::fs::read_to_string(root().join("tests/plugins/broken/conformance.toml")).unwrap();
    let named = text.replace("fault = \"none\"", &format!("fault = \"{fault}\""));
    assert!(named.contains(fault));
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("conformance.toml"), named).unwrap();
    card("broken", folder.path()).await
}

/// A fault and the one check that must find it.
macro_rules! broken {
    ($($fault:ident => $check:literal,)*) => {
        $(#[tokio::test]
        async fn $fault() {
            let found = ended(&broken(stringify!($fault)).await, "failed");
            let ids: Vec<&str> = found.iter().map(|(_, id, _)| id.as_str()).collect();
            assert_eq!(ids, [$check], "{found:?}");
        })*
    };
}

mod each_fault_is_found_by_its_check_and_by_no_other {
    use super::{broken, ended};

    broken! {
        ignores_max_records => "limits.records",
        skips_last_page => "pages.complete",
        order_by_clock => "deterministic",
        stops_at_empty => "pages.empty",
        follows_offset => "pages.moved",
        begins_anew => "cursor.foreign",
        loses_ties => "changes.ties",
        believes_the_order => "pages.order",
        follows_an_empty_cursor => "pages.end",
        reads_without_overlap => "changes.late",
        believes_the_future => "changes.future",
        invents_deletes => "deletes.not_invented",
        page_fails_for_one => "records.bad_one",
        drops_bad_rows => "records.bad_one",
        utc_dates => "exact.dates",
        float_money => "exact.money",
        drops_unknown_codes => "codes.unknown",
        auth_is_internal => "errors.auth",
        html_is_empty => "errors.html",
        asks_elsewhere => "grant.kept",
        logs_secret => "secrets.kept",
        logs_people => "people.kept",
        quotes_people => "people.kept",
    }
}

#[tokio::test]
async fn a_connector_that_takes_the_newest_time_for_its_cursor_is_caught_in_all_four_ways() {
    let found = ended(&broken("newest_is_the_cursor").await, "failed");
    let ids: Vec<&str> = found.iter().map(|(_, id, _)| id.as_str()).collect();
    assert_eq!(ids, ["pages.order", "pages.end", "changes.late", "changes.future"], "{found:?}");
}

#[tokio::test]
async fn the_same_connector_without_its_fault_passes() {
    assert_eq!(ended(&broken("none").await, "failed"), vec![]);
}

#[tokio::test]
async fn a_build_server_gets_junit_and_an_exit_code() {
    let home = Home::new("");
    let (component, folder) = (plugin("staff-api"), root().join("plugin-sdk/examples/staff-api"));
    let (component, folder) = (component.display().to_string(), folder.display().to_string());
    let output = home.run(&["plugin", "test", &component, "--fixtures", &folder, "--format", "junit"]).await;
    let text = said(&output);
    assert!(output.status.success() && text.contains("<testsuite name=\"employees\""), "{text}");

    let output = home.run(&["plugin", "test", &component]).await;
    assert_eq!(output.status.code(), Some(2), "no description next to the component");
    assert!(said(&output).contains("conformance.toml"), "{}", said(&output));
    std::fs::write(home.path().join("conformance.toml"), "[streams.employees]\nsorce = 1\n").unwrap();
    let output = home.run(&["plugin", "test", &component, "--fixtures", "."]).await;
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("line 2") && said(&output).contains("sorce"), "{}", said(&output));
}

#[tokio::test]
async fn a_source_that_runs_is_tested_through_the_same_kit() {
    let model = renmen_misbehave::Source::Model(Box::new(renmen_misbehave::generated(120)));
    let server = renmen_misbehave::serve(model, renmen_misbehave::Plan::default(), 0).await.unwrap();
    let home = Home::new("");
    std::fs::write(home.path().join("connect.toml"), "config = { base_url = \"{source}/v1\" }\n").unwrap();
    let component = plugin("staff-api").display().to_string();
    let url = server.url();
    let output = home
        .run(&["plugin", "test", &component, "--against", &url, "--connect", "connect.toml", "--format", "json"])
        .await;
    let card: Value = serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", said(&output)));
    assert_eq!(ended(&card, "failed"), vec![]);
    assert!(ended(&card, "passed").len() >= 14, "{:?}", ended(&card, "skipped"));
    let output = home
        .run(&["plugin", "test", &component, "--against", "http://192.0.2.1:80", "--connect", "connect.toml"])
        .await;
    assert!(output.status.code() == Some(2) && said(&output).contains("this machine"), "{}", said(&output));
}

#[tokio::test]
async fn a_source_is_misbehaved_from_the_command_line() {
    let home = Home::new("");
    let list = home.json(&["plugin", "misbehave", "--list"]).await;
    assert!(list.as_array().unwrap().iter().any(|fault| fault["name"] == "html_ban"), "{list}");
    let output = home.run(&["plugin", "misbehave", "--fault", "rain"]).await;
    assert!(output.status.code() == Some(2) && said(&output).contains("cut_body"), "{}", said(&output));
    let output = home.run(&["plugin", "misbehave", "--source", "http://127.0.0.1:9", "--fault", "rows_moved"]).await;
    assert!(output.status.code() == Some(2) && said(&output).contains("rows are known"), "{}", said(&output));

    let folder = root().join("plugins/interview-vendor").display().to_string();
    let mut running =
        home.spawn(&["plugin", "misbehave", "--source", &folder, "--fault", "html_ban@2", "--rows", "7", "--json"]);
    let url = running.document().await["url"].as_str().unwrap().to_owned();
    let _ = rustls::crypto::ring::default_provider().install_default();
    let get = async || reqwest::get(format!("{url}/v1/candidates?limit=5")).await.unwrap().text().await.unwrap();
    let first: Value = serde_json::from_str(&get().await).unwrap();
    assert_eq!(first["data"].as_array().unwrap().len(), 5);
    assert!(get().await.starts_with("<html>"));
}
