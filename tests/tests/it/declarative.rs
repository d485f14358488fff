//! What a new author does with the binary alone: a connector without code for a paged API with OAuth2 and deletions, from an empty folder to
//! a delete in the change feed. No compiler is in the path.

use std::fs;
use std::path::{Path, PathBuf};

use renmen_tests::oak::{self, Source};
use serde_json::{Value, json};

use crate::api::Api;
use crate::harness::{Home, said, serve};

/// The places of plugin.toml that an author changes.
const SHEET: [(&str, &str); 5] = [
    ("All employees, then those that changed\"", "All employees, then those that changed or left\""),
    ("entities = [\"employee\"]", "entities = [\"employee\"]\ndeletes = \"explicit\""),
    ("[slots.api_key]", "[slots.app]"),
    (
        "The API key, as the vendor's console shows it",
        "The client of the console, as JSON with client_id and client_secret",
    ),
    (
        "auth = { type = \"static\", place = { in = \"header\", name = \"authorization\", prefix = \"Bearer \" } }",
        "auth = { type = \"oauth2_client_credentials\", token_url = \"{base_url}/oauth/token\" }",
    ),
];

/// A sample of the page that tells an author how to do this: its first block of TOML that begins so.
fn sample(begin: &str) -> String {
    let page = include_str!("../../../docs/declarative.md");
    let blocks = page.split("```toml\n").skip(1).filter_map(|rest| rest.split_once("```"));
    let found = blocks.map(|(block, _)| block.to_owned()).find(|block| block.starts_with(begin));
    found.unwrap_or_else(|| panic!("docs/declarative.md has no sample that begins with {begin}"))
}

fn mapping() -> String {
    sample("[api]")
}

fn conformance() -> String {
    sample("config =")
}

fn edit(file: &Path, changes: &[(&str, &str)]) {
    let mut text = fs::read_to_string(file).unwrap();
    for (from, to) in changes {
        assert!(text.contains(from), "{} has no {from}", file.display());
        text = text.replacen(from, to, 1);
    }
    fs::write(file, text).unwrap();
}

/// A machine with the binary, and nothing in its path.
fn machine() -> Home {
    let secret = json!({ "client_id": oak::CLIENT_ID, "client_secret": oak::CLIENT_SECRET }).to_string();
    let wrong = json!({ "client_id": oak::CLIENT_ID, "client_secret": "another-secret-altogether" }).to_string();
    Home::new("").env("PATH", "/nowhere").env("OAK_APP", &secret).env("OAK_WRONG", &wrong)
}

/// The same with a connector that was begun and edited.
async fn begun() -> (Home, PathBuf) {
    let home = machine();
    done(&home, &["plugin", "new", "--declarative", "acme-hr"]).await;
    let folder = home.path().join("acme-hr");
    edit(&folder.join("plugin.toml"), &SHEET);
    let sheet = fs::read_to_string(folder.join("plugin.toml")).unwrap();
    for table in sample("[streams.employees]\ndescription").split("\n\n") {
        assert!(sheet.contains(table.trim()), "the page shows another plugin.toml: {table}");
    }
    fs::write(folder.join("mapping.toml"), mapping()).unwrap();
    fs::write(folder.join("conformance.toml"), conformance()).unwrap();
    for file in ["employees.http.json", "records.json"] {
        fs::remove_file(folder.join("fixtures").join(file)).unwrap();
    }
    (home, folder)
}

async fn vendor(n: usize) -> (Source, String) {
    let source = oak::source(n);
    let url = serve(oak::router(source.clone())).await;
    (source, format!("base_url={url}/v2"))
}

async fn done(home: &Home, arguments: &[&str]) -> String {
    let output = home.run(arguments).await;
    assert!(output.status.success(), "{arguments:?}: {}\n{}", output.status, said(&output));
    String::from_utf8(output.stdout).unwrap()
}

/// The exit code of a command that must not end well, with what it said.
async fn refused(home: &Home, arguments: &[&str]) -> (i32, String) {
    let output = home.run(arguments).await;
    assert!(!output.status.success(), "{arguments:?}: {}", said(&output));
    (output.status.code().unwrap(), said(&output))
}

const RUN: [&str; 7] = ["plugin", "run", "acme-hr", "--stream", "employees", "--local", "--json"];

#[tokio::test(flavor = "multi_thread")]
async fn the_skeleton_works_as_it_is_written_without_a_compiler() {
    let home = machine();
    let written = home.json(&["plugin", "new", "--declarative", "acme-hr"]).await;
    let mut names: Vec<String> =
        written["files"].as_array().unwrap().iter().map(|file| file.as_str().unwrap().to_owned()).collect();
    names.sort();
    let expected = [
        ".gitignore",
        "README.md",
        "conformance.toml",
        "fixtures/employees.http.json",
        "fixtures/records.json",
        "mapping.toml",
        "plugin.toml",
    ];
    assert_eq!(names, expected.map(|name| format!("acme-hr/{name}")));
    let checked = home.json(&["plugin", "check", "acme-hr"]).await;
    let codes: Vec<&str> =
        checked["lints"].as_array().unwrap().iter().map(|lint| lint["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["no_rate"], "{checked}");
    let built = home.json(&["plugin", "build", "acme-hr"]).await;
    assert_eq!(built["digest"], checked["digest"], "what is checked is what is built");
    assert_eq!(built["manifest"]["lineage"]["employee"]["/work/title"], "/jobTitle");
    let card: Value =
        serde_json::from_str(&done(&home, &["plugin", "test", "acme-hr", "--format", "json"]).await).unwrap();
    assert!(card["fixtures"].as_array().unwrap().iter().all(|check| check["verdict"] == "passed"), "{card}");
    assert_eq!(card["fixtures"].as_array().unwrap().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn from_two_files_to_a_delete_in_the_change_feed() {
    let (home, folder) = begun().await;
    let (source, set) = vendor(60).await;
    source.lock().unwrap().dismiss(59);

    let checked = home.json(&["plugin", "check", "acme-hr"]).await;
    assert!(checked["lints"].as_array().unwrap().iter().all(|lint| lint["level"] == "warning"), "{checked}");

    let good = ["--set", &set, "--slot", "app=env:OAK_APP", "--pages", "5"];
    let report = home.json(&[&RUN[..6], &good].concat()).await;
    let records = report["records"].as_array().unwrap();
    assert_eq!((records.len(), records[59]["deleted"].as_bool()), (60, Some(true)), "59 people and one who is gone");
    assert_eq!(report["refused"], json!([]));
    assert_eq!(source.lock().unwrap().given, 1, "one token for all pages");

    // A fixture of the real thing, and the proof that the connector makes of it what it made.
    let few = ["--set", &set, "--slot", "app=env:OAK_APP", "--pages", "5"];
    let recorded =
        home.json(&[&["plugin", "record", "acme-hr", "--stream", "employees", "--local"][..], &few[..]].concat()).await;
    assert_eq!(recorded["records"], 60);
    let fixtures = format!(
        "\n[fixtures]\nconfig = {{ base_url = {} }}\nnow = {}\n",
        recorded["config"]["base_url"], recorded["now"]
    );
    fs::write(folder.join("conformance.toml"), format!("{}{fixtures}", conformance())).unwrap();
    let fixture = fs::read_to_string(folder.join("fixtures/employees.http.json")).unwrap();
    assert!(!fixture.contains("person.3@example.test") && !fixture.contains("made-up-oak-secret"), "{fixture:.600}");
    done(&home, &["plugin", "test", "acme-hr", "--update"]).await;
    let card: Value =
        serde_json::from_str(&done(&home, &["plugin", "test", "acme-hr", "--format", "json"]).await).unwrap();
    assert_eq!(
        (&card["fixtures"][0]["verdict"], &card["fixtures"][1]["verdict"]),
        (&json!("passed"), &json!("passed"))
    );
    edit(&folder.join("fixtures/records.json"), &[("\"ACTIVE\"", "\"RETIRED\"")]);
    let (code, told) = refused(&home, &["plugin", "test", "acme-hr"]).await;
    assert!(code == 1 && told.contains("differs at /payload/work/status/code") && told.contains("--update"), "{told}");

    // Signed, and in a gateway.
    let key = home.json(&["plugin", "keygen", "acme", "--no-passphrase"]).await;
    done(&home, &["plugin", "sign", "acme-hr/acme-hr.wasm", "--key", "acme.key"]).await;
    let digest = home.json(&["plugin", "inspect", "acme-hr/acme-hr.wasm"]).await["digest"].clone();
    let url = set.strip_prefix("base_url=").unwrap();
    home.configure(&format!(
        "[plugins]\nrequire_signature = true\ntrusted_keys = {{ acme = {} }}\n\n[connections.people]\nplugin = \"acme-hr/acme-hr.wasm\"\ndigest = {digest}\n\
         config = {{ base_url = \"{url}\" }}\nslots.app = {{ env = \"OAK_APP\", to = [\"{{base_url}}\"] }}\nstreams.employees = {{ manual = true }}\n\n\
         [connections.people.grant]\nhosts = [\"{{base_url}}\"]\nmethods = [\"GET\"]\nentities = [\"employee\"]\nplaintext = true\naddresses = [\"127.0.0.0/8\"]\n",
        key["key"]
    ));
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    let api = Api::of(&mut gateway).await;
    let first = home.json(&["sync", "--dev"]).await;
    assert_eq!((&first[0]["records"], &first[0]["state"]), (&json!(60), &json!("completed")), "{first}");
    source.lock().unwrap().promote(4, "Director");
    source.lock().unwrap().dismiss(7);
    let second = home.json(&["sync", "--dev"]).await;
    assert_eq!((&second[0]["updated"], &second[0]["deleted"]), (&json!(1), &json!(1)), "{second}");
    let feed = api.get("/v1/changes?limit=200").await;
    let gone: Vec<&Value> =
        feed["data"].as_array().unwrap().iter().filter(|change| change["kind"] == "deleted").collect();
    assert!(gone.iter().any(|change| change["external_id"] == oak::id(7)), "{gone:?}");
    let people = api.get("/v1/employees?limit=200").await;
    assert_eq!(people["data"].as_array().unwrap().len(), 58);
    assert!(people.to_string().contains("Director"));
}

/// Each thing that may be wrong with a mapping: what is written instead, the words of its line that tell it, and what was meant.
const BROKEN: [(&str, &str, &str, &str); 7] = [
    (
        "entity = \"employee\"\nid = \"/id\"",
        "entity = \"employe\"\nid = \"/id\"",
        "employe\"",
        "did you mean `employee`?",
    ),
    ("items = \"/people\"", "itmes = \"/people\"", "itmes", "did you mean `items`?"),
    ("\"/work/title\"", "\"/work/titel\"", "/work/titel", "did you mean `/work/title`?"),
    ("{config/base_url}", "{config/base_ulr}", "base_ulr", "did you mean `base_url`?"),
    ("on_leave = \"LEAVE\"", "on_leave = \"LEAV\"", "LEAV\"", "did you mean `LEAVE`?"),
    ("changed_since = \"{since}\"", "changed_since = \"{since | dat}\"", "dat}", "did you mean `date`?"),
    ("slot = \"app\"", "slot = \"ap\"", "slot = \"ap\"", "did you mean `app`?"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_mapping_is_told_with_file_line_key_and_the_nearest_word_by_check_and_by_build() {
    let (home, folder) = begun().await;
    let file = folder.join("mapping.toml");
    for (from, to, in_line, meant) in BROKEN {
        fs::write(&file, mapping()).unwrap();
        edit(&file, &[(from, to)]);
        let broken = fs::read_to_string(&file).unwrap();
        let line = broken.lines().position(|line| line.contains(in_line)).unwrap() + 1;
        let place = format!("acme-hr/mapping.toml:{line}:");
        let (code, told) = refused(&home, &["plugin", "build", "acme-hr"]).await;
        assert!(code == 2 && told.contains(&place) && told.contains(meant), "{to}: {told}");
        let output = home.run(&["plugin", "check", "acme-hr", "--json"]).await;
        let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
        let lint = checked["lints"].as_array().unwrap().iter().find(|lint| lint["code"] == "mapping");
        let lint = lint.unwrap_or_else(|| panic!("{to}: {checked}"));
        assert!(lint["place"].as_str().unwrap().starts_with(&place), "{to}: {lint}");
        assert!(lint["message"].as_str().unwrap().contains(meant) && output.status.code() == Some(1), "{to}: {lint}");
    }
    assert!(!folder.join("acme-hr.wasm").exists(), "nothing was built of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_works_and_was_hardly_meant_so_is_a_warning() {
    let (home, folder) = begun().await;
    let file = folder.join("mapping.toml");
    for (from, to, wanted) in [
        ("cursor = \"{page/token}\", changed_since", "changed_since", "{page/token}"),
        (", changed_since = \"{since}\"", "", "{since}"),
        ("[[api", "[maps]\nidle = { a = \"B\" }\n\n[[api", "no field names this map"),
    ] {
        fs::write(&file, mapping()).unwrap();
        edit(&file, &[(from, to)]);
        let checked = home.json(&["plugin", "check", "acme-hr"]).await;
        let told = checked["lints"].as_array().unwrap().iter().any(|lint| {
            lint["code"] == "mapping"
                && lint["level"] == "warning"
                && lint["message"].as_str().unwrap().contains(wanted)
        });
        assert!(told, "{to}: {checked}");
    }
    fs::write(&file, mapping()).unwrap();
    let quiet = home.json(&["plugin", "check", "acme-hr"]).await;
    assert!(quiet["lints"].as_array().unwrap().iter().all(|lint| lint["code"] != "mapping"), "{quiet}");
    // What the file says is told although a component of other files lies there.
    done(&home, &["plugin", "build", "acme-hr"]).await;
    edit(&file, &[("size_max = 50", "size_max = 40")]);
    let stale = home.json(&["plugin", "check", "acme-hr"]).await;
    assert!(stale["lints"].as_array().unwrap().iter().any(|lint| lint["code"] == "stale"), "{stale}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_that_meets_nothing_is_told_by_run_and_by_test_and_fails_neither() {
    let (home, folder) = begun().await;
    let (_source, set) = vendor(3).await;
    edit(&folder.join("mapping.toml"), &[("\"/title\"", "\"/titel\"")]);
    let good = ["--set", &set, "--slot", "app=env:OAK_APP"];
    let report = home.json(&[&RUN[..6], &good].concat()).await;
    let lines = report["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line.as_str().unwrap().contains("`/titel`")), "{lines:?}");
    let told = said(&home.run(&[&RUN[..6], &good].concat()).await);
    assert!(
        told.contains("the connector says") && told.contains("`/titel` of mapping.toml met nothing in 3 records"),
        "{told}"
    );

    let recorded = home
        .json(
            &[&["plugin", "record", "acme-hr", "--stream", "employees", "--local", "--pages", "3"][..], &good[..]]
                .concat(),
        )
        .await;
    let fixtures = format!(
        "\n[fixtures]\nconfig = {{ base_url = {} }}\nnow = {}\n",
        recorded["config"]["base_url"], recorded["now"]
    );
    let kept = conformance().replace("change = \"/title\"", "change = \"/name\"");
    fs::write(folder.join("conformance.toml"), format!("{kept}{fixtures}")).unwrap();
    let tested = home.run(&["plugin", "test", "acme-hr", "--update"]).await;
    assert!(
        tested.status.success() && said(&tested).contains("`/titel` of mapping.toml met nothing"),
        "{}",
        said(&tested)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_secret_a_lost_token_and_a_page_that_is_too_large_end_as_they_should() {
    let (home, folder) = begun().await;
    let (source, set) = vendor(120).await;
    let with = |slot: &'static str| [&RUN[..], &["--set", &set, "--slot", slot, "--pages", "9"]].concat();
    let (code, told) = refused(&home, &with("app=env:OAK_WRONG")).await;
    assert!(code == 1 && told.contains("auth-required"), "{told}");
    assert!(!told.contains("another-secret") && !told.contains(oak::CLIENT_SECRET), "{told}");
    let (code, told) = refused(&home, &with("app=env:OAK_UNSET")).await;
    assert!(code == 2 && told.contains("OAK_UNSET"), "{told}");
    let (code, told) = refused(&home, &[&RUN[..], &["--set", &set]].concat()).await;
    assert!(code == 2 && told.contains("slot `app` is empty"), "{told}");
    let (code, told) = refused(&home, &[&with("app=env:OAK_APP")[..], &["--set", "colour=red"]].concat()).await;
    assert!(code == 2 && told.contains("colour"), "{told}");

    edit(&folder.join("mapping.toml"), &[("size_max = 50", "size_max = 80")]);
    let (code, told) = refused(&home, &with("app=env:OAK_APP")).await;
    assert!(code == 1 && told.contains("at most 50 people at once"), "{told}");
    edit(&folder.join("mapping.toml"), &[("size_max = 80", "size_max = 50")]);
    // The vendor takes its tokens back early: another one is fetched, and nothing is lost.
    source.lock().unwrap().lists_per_token = Some(2);
    let given = source.lock().unwrap().given;
    let report: Value = serde_json::from_str(&done(&home, &with("app=env:OAK_APP")).await).unwrap();
    assert_eq!(report["records"].as_array().unwrap().len(), 120);
    assert!(source.lock().unwrap().given >= given + 2, "one token was not enough");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_that_is_neither_or_both_is_refused() {
    let (home, folder) = begun().await;
    fs::write(folder.join("Cargo.toml"), "[package]\n").unwrap();
    let (code, told) = refused(&home, &["plugin", "build", "acme-hr"]).await;
    assert!(code == 2 && told.contains("code or a mapping"), "{told}");
    fs::remove_file(folder.join("Cargo.toml")).unwrap();
    fs::remove_file(folder.join("mapping.toml")).unwrap();
    let (code, told) = refused(&home, &["plugin", "build", "acme-hr"]).await;
    assert!(code == 2 && told.contains("with --declarative one without code"), "{told}");
    let (code, told) = refused(&home, &["plugin", "new", "--declarative", "other", "--like", "offset"]).await;
    assert!(code == 2 && told.contains("--like"), "{told}");
    let (code, told) = refused(&home, &["plugin", "new", "--declarative", "acme-hr"]).await;
    assert!(code == 2 && told.contains("is not empty"), "{told}");
}
