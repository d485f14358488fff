//! An author's way with the real binary: from nothing to a signed component that a gateway loads, in a folder outside the
//! repository.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::SystemTime;

use renmen_misbehave::model::Edit;
use renmen_tests::staff_api;
use serde_json::Value;

use crate::harness::{Home, plugin, renmen, said, serve};

/// Where cargo builds connectors for these tests: kept, so that the SDK is compiled when it changed and not each time.
fn cargo_target() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("author-target")
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(renmen());
    command.args(arguments).current_dir(folder).stdin(Stdio::null());
    command
        .env_remove("RENMEN_DEV")
        .env("LC_ALL", "C")
        .env("CARGO_TARGET_DIR", cargo_target())
        .env("ACME_KEY", "made-up-key-canary-77");
    command.output().unwrap()
}

fn done(output: &Output) -> String {
    assert!(output.status.success(), "{}\n{}", output.status, said(output));
    String::from_utf8(output.stdout.clone()).unwrap()
}

/// A connector made by `renmen plugin new`, always in the same place for a name, with the times of the SDK's own files: cargo
/// compares times, so what did not change in the repository is not compiled again.
fn new_connector(name: &str) -> PathBuf {
    new_connector_like(name, "cursor")
}

fn new_connector_like(name: &str, shape: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    let folder_text = folder.to_str().unwrap();
    done(&run(Path::new("/"), &["plugin", "new", name, "--like", shape, "--dir", folder_text]));
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    for (copy, original) in [("sdk/renmen-plugin", "plugin-sdk"), ("sdk/renmen-schema", "plugin-sdk/schema")] {
        same_times(&folder.join(copy), &root.join(original));
    }
    folder
}

fn same_times(copy: &Path, original: &Path) {
    for entry in fs::read_dir(copy).unwrap() {
        let path = entry.unwrap().path();
        let original = original.join(path.file_name().unwrap());
        if path.is_dir() {
            same_times(&path, &original);
        } else {
            let time = original.metadata().and_then(|meta| meta.modified()).unwrap_or(SystemTime::UNIX_EPOCH);
            fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
        }
    }
}

#[tokio::test]
async fn from_nothing_to_a_page_and_a_fixture_without_people() {
    let folder = new_connector("acme-hr");
    let tested = Command::new("cargo")
        .args(["test", "--offline", "--quiet"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", cargo_target())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert!(tested.status.success(), "{}", said(&tested));

    let built = done(&run(&folder, &["plugin", "build", "--offline", "--json"]));
    let built: Value = serde_json::from_str(&built).unwrap();
    assert!(built["digest"].as_str().unwrap().starts_with("sha256:"));
    assert!(folder.join("acme-hr.wasm").is_file());

    let source = serve(staff_api::router(staff_api::source(40))).await;
    let set = format!("base_url={source}/v1");
    let common = ["--stream", "employees", "--set", &set, "--slot", "api_key=env:ACME_KEY", "--local", "--offline"];
    let at = folder.clone();
    let arguments = [&["plugin", "run", "acme-hr.wasm", "--json"], &common[..]].concat().join("\n");
    let pulled =
        tokio::task::spawn_blocking(move || run(&at, &arguments.split('\n').collect::<Vec<_>>())).await.unwrap();
    let report: Value = serde_json::from_str(&done(&pulled)).unwrap();
    assert_eq!(report["records"].as_array().unwrap().len(), 40);
    assert_eq!(report["refused"].as_array().unwrap().len(), 0);
    let name =
        report["records"][0]["fields"].as_array().unwrap().iter().find(|f| f["pointer"] == "/person/names/formatted");
    assert_eq!(name.unwrap()["value"], name.unwrap()["vendor"][0], "canonical next to the vendor's");
    assert!(!said(&pulled).contains("made-up-key-canary"));

    let at = folder.clone();
    let arguments = [&["plugin", "record", "acme-hr.wasm", "--force", "--json"], &common[..]].concat().join("\n");
    let recorded =
        tokio::task::spawn_blocking(move || run(&at, &arguments.split('\n').collect::<Vec<_>>())).await.unwrap();
    let recorded: Value = serde_json::from_str(&done(&recorded)).unwrap();
    assert_eq!(recorded["records"], 40);
    assert_eq!(recorded["config"]["base_url"], "https://base-url.example/v1");
    let fixture = fs::read_to_string(folder.join("fixtures/employees.http.json")).unwrap();
    for record in report["records"].as_array().unwrap() {
        for pointer in ["/displayName", "/workEmail", "/mobile", "/id", "/firstName", "/employeeNumber"] {
            let real = record["vendor"].pointer(pointer).unwrap().to_string();
            assert!(!fixture.contains(&real), "{pointer} {real} is left in the fixture");
        }
    }
    assert!(!fixture.contains("made-up-key-canary") && !fixture.contains("127.0.0.1"), "{fixture:.400}");
}

/// One name for all, so that they are one package to cargo: the SDK is compiled once.
#[test]
fn a_connector_of_each_shape_passes_its_own_tests_and_the_lints() {
    for shape in ["offset", "webhook", "action"] {
        let folder = new_connector_like("acme-shape", shape);
        let mut tested = Command::new("cargo");
        tested.args(["test", "--offline", "--quiet"]).current_dir(&folder).env("CARGO_TARGET_DIR", cargo_target());
        let tested = tested.stdin(Stdio::null()).output().unwrap();
        assert!(tested.status.success(), "{shape}: {}", said(&tested));
        // What the kit finds of a pull it finds once: the other shapes pull as the default one does, or not at all.
        if shape == "offset" {
            let tested = run(&folder, &["plugin", "test", "--offline"]);
            assert_eq!(tested.status.code(), Some(0), "{shape}: {}", said(&tested));
        }
        let checked: Value = serde_json::from_str(&done(&run(&folder, &["plugin", "check", "--json"]))).unwrap();
        let lints = checked["lints"].as_array().unwrap();
        let known = |lint: &Value| ["no_rate", "not_built"].contains(&lint["code"].as_str().unwrap());
        assert!(lints.iter().all(known), "{shape}: {checked}");
    }
    let unknown = run(Path::new("/"), &["plugin", "new", "acme-shape", "--like", "soap"]);
    assert_eq!(unknown.status.code(), Some(2));
    assert!(said(&unknown).contains("cursor, offset, webhook, action"), "{}", said(&unknown));
}

/// A row of a vendor whose managers are on no page: every one has the same.
#[tokio::test]
async fn a_manager_who_is_on_no_page_is_made_up_in_a_fixture() {
    let mut model = renmen_misbehave::generated(3);
    let rows = model.rows_mut("employees").unwrap();
    for number in 0..3 {
        rows.row_mut(number).unwrap().edits.push(("/managerId".into(), Edit::Set("emp-0".into())));
    }
    let source = renmen_misbehave::Source::Model(Box::new(model));
    let server = renmen_misbehave::serve(source, renmen_misbehave::Plan::default(), 0).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let (component, file) = (plugin("staff-api"), dir.path().join("recorded.http.json"));
    let set = format!("base_url={}/v1", server.url());
    let arguments = [
        &["plugin", "record", component.to_str().unwrap(), "--stream", "employees", "--set", &set][..],
        &["--local", "--out", file.to_str().unwrap()],
    ]
    .concat()
    .join("\n");
    let at = dir.path().to_owned();
    let recorded =
        tokio::task::spawn_blocking(move || run(&at, &arguments.split('\n').collect::<Vec<_>>())).await.unwrap();
    done(&recorded);
    let fixture: Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
    let rows = fixture[0]["response"]["body"]["data"].as_array().unwrap();
    let managers: Vec<_> = rows.iter().map(|row| row["managerId"].as_str().unwrap()).collect();
    assert!(
        managers.len() == 3 && managers[0] != "emp-0" && managers.iter().all(|id| *id == managers[0]),
        "{managers:?}"
    );
    assert!(rows.iter().all(|row| row["employeeNumber"] != "E0001"), "{rows:?}");
    assert!(rows.iter().all(|row| row["department"]["id"] == "dept-1"), "the id of a unit is kept");
}

#[test]
fn what_was_changed_after_the_build_is_told_by_check_and_tested_by_test() {
    let folder = new_connector("acme-pay");
    done(&run(&folder, &["plugin", "build", "--offline"]));
    // A second component next to the built one, as when an author keeps the last release.
    fs::copy(folder.join("acme-pay.wasm"), folder.join("acme-pay-0.wasm")).unwrap();
    let source = folder.join("src/record.rs");
    let code = fs::read_to_string(&source).unwrap();
    let refusing =
        "if self.status == \"active\" {\n return Err(Unfit::field(\"status\", \"spoilt\"));\n}\nlet hire_date =";
    let spoilt = code.replacen("let hire_date =", refusing, 1);
    assert_ne!(code, spoilt);
    fs::write(&source, spoilt).unwrap();

    let checked: Value = serde_json::from_str(&done(&run(&folder, &["plugin", "check", "--json"]))).unwrap();
    let lints = checked["lints"].as_array().unwrap();
    let stale = lints.iter().find(|lint| lint["code"] == "stale").unwrap_or_else(|| panic!("{checked}"));
    assert!(stale["place"].as_str().unwrap().ends_with("src/record.rs"), "{stale}");

    let tested = run(&folder, &["plugin", "test", "--offline"]);
    assert_eq!(tested.status.code(), Some(1), "the code that lies there refuses every row\n{}", said(&tested));
    fs::write(&source, code).unwrap();
    done(&run(&folder, &["plugin", "test", "--offline"]));
}

#[test]
fn a_trial_that_may_not_reach_this_machine_is_told_of_local() {
    let dir = tempfile::tempdir().unwrap();
    let component = plugin("staff-api").display().to_string();
    for url in ["http://127.0.0.1:1/v1", "https://127.0.0.1:1/v1"] {
        let set = format!("base_url={url}");
        let arguments = ["plugin", "run", &component, "--stream", "employees", "--set", &set];
        let refused = run(dir.path(), &arguments);
        assert!(!refused.status.success() && said(&refused).contains("add --local"), "{url}: {}", said(&refused));
        let local = run(dir.path(), &[&arguments[..], &["--local"]].concat());
        assert!(!local.status.success() && !said(&local).contains("add --local"), "{url}: {}", said(&local));
    }
}

#[test]
fn what_is_wrong_is_told_before_a_compiler_runs() {
    let dir = tempfile::tempdir().unwrap();
    let refused = run(dir.path(), &["plugin", "new", "Acme HR"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(said(&refused).contains("1 to 63 of a-z"), "{}", said(&refused));
    let nothing = run(dir.path(), &["plugin", "build"]);
    assert_eq!(nothing.status.code(), Some(2));
    assert!(said(&nothing).contains("renmen plugin new NAME"), "{}", said(&nothing));
}

/// A plugin in a home of its own, so that it can be signed and spoiled.
fn home(trust: &str) -> Home {
    let config = format!(
        "{trust}\n[connections.staff]\nplugin = \"staff-api.wasm\"\nconfig = {{ base_url = \"http://127.0.0.1:1/v1\" }}\n\
         grant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\nstreams.employees = {{ manual = true }}\n"
    );
    let home = Home::new(&config);
    fs::copy(plugin("staff-api"), home.path().join("staff-api.wasm")).unwrap();
    home
}

fn key(home: &Home, name: &str) -> String {
    let made = run(home.path(), &["plugin", "keygen", name, "--no-passphrase", "--json"]);
    serde_json::from_str::<Value>(&done(&made)).unwrap()["key"].as_str().unwrap().to_owned()
}

fn trusting(key: &str) -> String {
    format!("[plugins]\nrequire_signature = true\ntrusted_keys = {{ acme = \"{key}\" }}\n")
}

#[tokio::test]
async fn only_what_a_trusted_key_signed_is_loaded_where_a_signature_is_required() {
    let first = home("");
    let acme = key(&first, "acme");
    let home = home(&trusting(&acme));
    for name in ["acme.key", "acme.pub"] {
        fs::copy(first.path().join(name), home.path().join(name)).unwrap();
    }
    let refused = home.run(&["sync", "--dev"]).await;
    assert!(!refused.status.success());
    assert!(said(&refused).contains("no signature file"), "{}", said(&refused));

    done(&run(home.path(), &["plugin", "sign", "staff-api.wasm", "--key", "acme.key"]));
    let list = home.json(&["plugin", "list", "--dev"]).await;
    assert_eq!(list[0]["signer"]["name"], "acme");
    let verified = home.json(&["plugin", "verify", "staff-api.wasm", "--dev"]).await;
    assert!(verified["comment"].as_str().unwrap().starts_with("staff-api "), "{verified}");
    // Loaded now: what fails is the vendor, which is not there.
    let pulled = home.run(&["sync", "--dev"]).await;
    assert!(!said(&pulled).contains("signature"), "{}", said(&pulled));

    let stranger = key(&home, "stranger");
    let verified = run(home.path(), &["plugin", "verify", "staff-api.wasm", "--key", &stranger]);
    assert!(!verified.status.success() && said(&verified).contains("was signed with the key"), "{}", said(&verified));

    // One byte of the manifest's description: the file still is a plugin that would load.
    let file = home.path().join("staff-api.wasm");
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.windows(10).rposition(|window| window == b"Staff from").unwrap();
    bytes[at] = b's';
    fs::write(&file, bytes).unwrap();
    let refused = home.run(&["sync", "--dev"]).await;
    assert!(said(&refused).contains("was changed after it was signed"), "{}", said(&refused));
}
