//! One bad connection is off with its reason, and the others serve.

use renmen_tests::staff_api;
use reqwest::Method;

use crate::api::Api;
use crate::harness::{Home, plugin, said, serve};

/// What is wrong with a connection, by its name: the lines of its table.
fn bad(url: &str) -> Vec<(&'static str, String)> {
    let good = plugin("staff-api");
    let good = good.display();
    let config = format!(
        "config = {{ base_url = \"{url}/v1\" }}\ngrant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}"
    );
    let zeros = "0".repeat(64);
    vec![
        ("no-file", format!("plugin = \"nowhere.wasm\"\n{config}")),
        ("no-wasm", format!("plugin = \"connectors.wasm\"\n{config}")),
        ("other-digest", format!("plugin = \"{good}\"\ndigest = \"sha256:{zeros}\"\n{config}")),
        ("bad-config", format!("plugin = \"{good}\"\nconfig = {{ base = 1 }}")),
        ("stray-slot", format!("plugin = \"{good}\"\n{config}\nslots.nothing = {{ env = \"NOWHERE\" }}")),
        ("stray-stream", format!("plugin = \"{good}\"\n{config}\nstreams.nothing = {{ manual = true }}")),
    ]
}

fn connections(url: &str, good: usize, bad: &[(&str, String)]) -> String {
    let wasm = plugin("staff-api");
    let mut text = String::new();
    for n in 0..good {
        text.push_str(&format!(
            "[connections.good-{n}]\nplugin = \"{}\"\nconfig = {{ base_url = \"{url}/v1\" }}\n\
             grant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\nstreams.employees = {{ manual = true }}\n",
            wasm.display()
        ));
    }
    for (name, lines) in bad {
        text.push_str(&format!("[connections.{name}]\n{lines}\n"));
    }
    text
}

async fn home(good: usize, bad: &[(&str, String)], url: &str) -> Home {
    let home = Home::new(&connections(url, good, bad));
    std::fs::write(home.path().join("connectors.wasm"), b"not wasm at all").unwrap();
    home
}

#[tokio::test(flavor = "multi_thread")]
async fn nine_connections_serve_beside_one_that_cannot_be_loaded_whatever_is_wrong_with_it() {
    let url = serve(staff_api::router(staff_api::source(20))).await;
    let bad = bad(&url);
    let mut text = connections(&url, 9, &bad);
    text.push_str(
        "[flows.waits]\nwhen = { entity = \"employee\" }\nfields = [\"*\"]\nmap = \"record\"\n\
         to = { connection = \"no-file\", action = \"message.send\" }\n",
    );
    let home = home(9, &bad, &url).await;
    home.configure(&text);
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let listed = api.get("/v1/connections").await;
    let listed = listed["data"].as_array().unwrap();
    assert_eq!(listed.len(), 9 + bad.len());
    for connection in listed {
        let (name, off) = (connection["name"].as_str().unwrap(), &connection["off"]);
        assert_eq!(name.starts_with("good-"), off.is_null(), "{connection}");
    }
    let reason = |name: &str| {
        let found = listed.iter().find(|one| one["name"] == name).unwrap();
        found["off"].as_str().unwrap().to_owned()
    };
    for (name, word) in [
        ("no-file", "nowhere.wasm"),
        ("no-wasm", "WebAssembly"),
        ("other-digest", "pinned"),
        ("bad-config", "base_url"),
        ("stray-slot", "nothing"),
        ("stray-stream", "nothing"),
    ] {
        assert!(reason(name).contains(word), "{name}: {}", reason(name));
    }
    // The good ones pull; one that is off says why it does not, and asks its vendor to come again.
    let (status, run) = api.post("/v1/connections/good-3/streams/employees/runs", &serde_json::json!({})).await;
    assert_eq!(status, 202, "{run}");
    let (status, refused) =
        api.post("/v1/connections/other-digest/streams/employees/runs", &serde_json::json!({})).await;
    assert!(status == 409 && refused.to_string().contains("is off"), "{status} {refused}");
    let (status, _) = api.ask(Method::POST, "/hooks/other-digest", Some(&serde_json::json!({}))).await;
    assert_eq!(status.as_u16(), 503);
    let health = api.get("/v1/health").await;
    assert_eq!(health["status"], "blocked");
    // What is to be sent to one that is off waits, and says so.
    let flow = api.get("/v1/flows/waits").await;
    assert!(flow["defects"][0]["message"].as_str().unwrap().contains("`no-file` is off"), "{flow}");
}

#[tokio::test(flavor = "multi_thread")]
async fn check_and_sync_go_on_with_the_good_ones_and_tell_of_the_others() {
    let url = serve(staff_api::router(staff_api::source(20))).await;
    let bad = bad(&url);
    let home = home(1, &bad[2..4], &url).await;
    let checked = home.run(&["check", "--dev", "--json"]).await;
    assert_eq!(checked.status.code(), Some(2), "{}", said(&checked));
    let document: serde_json::Value = serde_json::from_slice(&checked.stdout).unwrap();
    assert_eq!(document.as_array().unwrap().len(), 3);
    assert!(document.to_string().contains("other-digest") && document.to_string().contains("pinned"), "{document}");
    let synced = home.run(&["sync", "--dev"]).await;
    assert_eq!(synced.status.code(), Some(3), "{}", said(&synced));
    assert!(said(&synced).contains("complete") && said(&synced).contains("off:"), "{}", said(&synced));
    // Named alone, it is its error that counts.
    let alone = home.run(&["sync", "other-digest", "--dev"]).await;
    assert!(!alone.status.success() && said(&alone).contains("connection `other-digest`"), "{}", said(&alone));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_of_which_nothing_could_be_loaded_does_not_start_and_says_everything() {
    let home = home(0, &bad("http://127.0.0.1:9"), "http://127.0.0.1:9").await;
    let output = home.run(&["serve", "--dev", "--listen", "127.0.0.1:0"]).await;
    assert_eq!(output.status.code(), Some(2), "{}", said(&output));
    for name in ["no-file", "other-digest", "bad-config", "stray-slot"] {
        assert!(said(&output).contains(&format!("connection `{name}`")), "{}", said(&output));
    }
}
