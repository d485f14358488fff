//! What the operator says and the gateway holds to, with the real binary outside of --dev: hosts and methods, where secrets go,
//! whose they are, and who may enter the places where the gateway keeps its things.

use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use renmen_tests::{dingtalk, feishu, interview_vendor};
use serde_json::{Value, json};

use crate::example::{example, with_dingtalk, with_feishu, with_interviews};
use crate::harness::{Home, plugin, said};
use crate::staff::{config, staff};

/// The configuration of a home with the digest of each connection's plugin in it.
async fn pin(home: &Home) {
    let mut text = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    for name in ["dingtalk", "feishu", "interview-vendor", "table-file", "staff-api"] {
        let line = text.lines().find(|line| line.starts_with("plugin = ") && line.ends_with(&format!("{name}.wasm\"")));
        let Some(line) = line.map(str::to_owned) else { continue };
        let inspected = home.json(&["plugin", "inspect", &plugin(name).display().to_string()]).await;
        let digest = inspected["digest"].as_str().unwrap();
        text = text.replacen(&line, &format!("{line}\ndigest = \"{digest}\""), 1);
    }
    home.configure(&text);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_shipped_deployment_passes_its_check_outside_of_dev_and_shows_where_each_secret_goes() {
    let (tenant, vendor) = (feishu::tenant(5, 5), interview_vendor::vendor(3));
    let home = with_dingtalk(example().await, &dingtalk::company(12)).await;
    let home = with_interviews(with_feishu(home, &tenant).await, &vendor, "feishu").await;
    pin(&home).await;
    for name in ["dingtalk", "feishu", "interview"] {
        let checked = home.run(&["check", name]).await;
        assert!(checked.status.success(), "{}", said(&checked));
    }
    // The demo's files have bad rows on purpose: what is refused of the whole is theirs alone.
    let output = home.run(&["check", "--json"]).await;
    let reports: Value = serde_json::from_slice(&output.stdout).unwrap();
    let of = |name: &str| {
        let found = reports.as_array().unwrap().iter().find(|report| report["connection"] == name);
        found.unwrap_or_else(|| panic!("{name}: {reports}")).clone()
    };
    let refused: u64 =
        of("payroll")["streams"].as_array().unwrap().iter().map(|s| s["refused"].as_u64().unwrap()).sum();
    assert!(refused > 0 && of("payroll")["streams"].as_array().unwrap().iter().all(|s| s["failure"].is_null()));
    let reach = |name: &str| of(name)["reach"].clone();
    let dingtalk = reach("dingtalk");
    let url = dingtalk["hosts"][0].as_str().unwrap().to_owned();
    assert!(url.starts_with("http://127.0.0.1:"), "{dingtalk}");
    assert_eq!(dingtalk["methods"], json!(["GET", "POST"]));
    let app = &dingtalk["slots"]["app"];
    assert_eq!(
        (&app["to"], app["how"].as_str()),
        (&json!([url]), Some("in the header x-acs-dingtalk-access-token, as a token"))
    );
    assert_eq!(app["token_url"], format!("{url}/v1.0/oauth2/accessToken"));
    assert_eq!(dingtalk["slots"]["app_old"]["how"], "in the query, as access_token, as a token");
    let encrypt_key = reach("feishu")["slots"]["encrypt_key"].clone();
    assert_eq!((&encrypt_key["to"], &encrypt_key["how"]), (&json!([]), &Value::Null), "never sent");
    assert!(encrypt_key["sealed"].as_str().unwrap().contains("for the gateway alone"), "{encrypt_key}");
    assert_eq!(reach("payroll")["hosts"], json!(["drop:"]));
    for secret in [dingtalk::APP_SECRET, feishu::APP_SECRET, interview_vendor::API_KEY] {
        assert!(!said(&output).contains(secret));
    }
    let table = said(&home.run(&["check", "feishu"]).await);
    assert!(table.contains("slot: app") && table.contains("never sent"), "{table}");
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_of_dev_a_plugin_goes_nowhere_until_the_operator_says_where() {
    let (_source, home) = staff(3).await;
    pin(&home).await;
    let whole = std::fs::read_to_string(home.path().join("connectors.toml")).unwrap();
    let pulled = home.run(&["sync"]).await;
    assert!(pulled.status.success(), "{}", said(&pulled));
    for (from, key) in [("hosts = [\"{base_url}\"], ", "grant.hosts"), ("methods = [\"GET\"], ", "grant.methods")] {
        assert!(whole.contains(from));
        home.configure(&whole.replace(from, ""));
        let refused = home.run(&["sync"]).await;
        let told = said(&refused);
        assert_eq!(refused.status.code(), Some(2), "{told}");
        assert!(told.contains(&format!("key: connections.staff.{key}")) && told.contains("add to `grant`"), "{told}");
        assert!(told.contains("connectors.toml:"), "{told}");
        let tried = home.run(&["sync", "--dev"]).await;
        assert!(tried.status.success(), "a developer need not say it: {}", said(&tried));
    }
    // What was pasted from the error is enough.
    home.configure(&whole.replace("hosts = [\"{base_url}\"]", "hosts = [\"https://elsewhere.example\"]"));
    let refused = home.run(&["sync"]).await;
    assert!(!refused.status.success() && said(&refused).contains("not-granted"), "{}", said(&refused));
}

/// Puts a secret into the vault of a home.
fn keep(home: &Home, arguments: &[&str], value: &str) -> bool {
    let mut command = home.command(&[&["secret", "set"], arguments].concat());
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(value.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_the_vault_is_one_tenants() {
    let vendor = format!(
        "[vault]\npath = \"vault.json\"\n[connections.interview]\ntenant = \"beta\"\nplugin = \"{}\"\n\
         config = {{ base_url = \"http://127.0.0.1:9/v1\" }}\nslots.key = {{ vault = \"key\", to = [\"{{base_url}}\"] }}\n\
         grant = {{ hosts = [\"{{base_url}}\"], methods = [\"GET\", \"POST\"], entities = [\"interview\"], plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n",
        plugin("interview-vendor").display()
    );
    let home = Home::new(&vendor).env("RENMEN_VAULT_KEY", "bWFkZS11cC1tYWRlLXVwLW1hZGUtdXAtbWFkZS11cCE=");
    pin(&home).await;
    assert!(keep(&home, &["key"], "of the default tenant"));
    let refused = home.run(&["check"]).await;
    let told = said(&refused);
    assert!(!refused.status.success() && told.contains("renmen secret set key --tenant beta"), "{told}");
    assert!(keep(&home, &["key", "--tenant", "beta"], "of beta"));
    assert!(!keep(&home, &["key", "--tenant", "No Tenant"], "x"));
    let checked = home.run(&["check"]).await;
    assert_eq!(checked.status.code(), Some(1), "it loads, and nothing listens there: {}", said(&checked));
    let list = home.json(&["secret", "list"]).await;
    assert_eq!(list, json!([{ "tenant": "beta", "name": "key" }, { "tenant": "default", "name": "key" }]));
    assert_eq!(home.json(&["secret", "list", "--tenant", "beta"]).await.as_array().unwrap().len(), 1);
    assert!(home.run(&["secret", "remove", "key"]).await.status.success(), "the default tenant's");
    assert!(!home.run(&["secret", "remove", "key"]).await.status.success(), "it does not touch beta's");
    assert_eq!(home.json(&["secret", "list"]).await, json!([{ "tenant": "beta", "name": "key" }]));
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_that_is_open_to_others_is_refused_with_the_command_that_closes_it() {
    let home = Home::new("");
    let data = home.path().join(".renmen");
    std::fs::create_dir(&data).unwrap();
    let records = async || home.run(&["records"]).await;
    set_mode(&data, 0o777);
    let refused = home.run(&["sync"]).await;
    let told = said(&refused);
    assert_eq!(refused.status.code(), Some(2), "{told}");
    assert!(told.contains("gateway.data_dir") && told.contains(".renmen") && told.contains("chmod 700"), "{told}");
    assert_eq!(records().await.status.code(), Some(2), "reading too");
    set_mode(&data, 0o700);
    assert!(home.run(&["sync"]).await.status.success(), "closed, it is used");
    assert!(records().await.status.success());

    let database = data.join("renmen.db");
    set_mode(&database, 0o644);
    let told = said(&records().await);
    assert!(told.contains("store.url") && told.contains("chmod 600"), "{told}");
    set_mode(&database, 0o600);

    set_mode(home.path(), 0o777);
    let told = said(&records().await);
    assert!(told.contains("above it") && told.contains("chmod o-w") && told.contains("data_dir_parents"), "{told}");
    assert!(home.run(&["records", "--dev"]).await.status.success(), "a developer is only told");
    home.configure("[gateway]\ndata_dir_parents = \"trust\"\n");
    assert!(records().await.status.success(), "the operator answers for what is above");
    set_mode(home.path(), 0o700);
    home.configure("");
    assert!(records().await.status.success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_that_deceives_is_shown_as_it_is() {
    let home = Home::new(&config("http://127.0.0.1:9", "staff-api"));
    let manifest = include_str!("../../../plugin-sdk/examples/staff-api/plugin.toml");
    let described = manifest.lines().find(|line| line.starts_with("description = ")).unwrap();
    let liar = manifest.replacen(
        described,
        "description = \"Staff\\u001B[5A\\rhosts     https://good.example\\u202E\\u200B\"",
        1,
    );
    std::fs::write(home.path().join("plugin.toml"), liar).unwrap();
    // What `cargo xtask plugins` packs, with another manifest.
    let built =
        plugin("staff-api").parent().unwrap().with_file_name("wasm32-unknown-unknown/plugin/example_staff_api.wasm");
    let module = built.display().to_string();
    let pack = ["plugin", "pack", "--module", &module, "--manifest", "plugin.toml", "--out", "liar.wasm"];
    let packed = home.run(&pack).await;
    assert!(packed.status.success(), "{}", said(&packed));
    for arguments in [&["plugin", "inspect", "liar.wasm"][..], &["plugin", "inspect", "liar.wasm", "--json"]] {
        let shown = said(&home.run(arguments).await);
        assert!(!shown.chars().any(|c| c != '\n' && renmen_schema::shown::is_deceptive(c)), "{shown:?}");
        assert!(shown.contains("[5A"), "{shown}");
    }
}
