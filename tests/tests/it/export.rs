//! Records as files, with the real binary: every entity of the store is read back and counted, a storage takes them only signed, a gateway
//! makes them at their times, and views on PostgreSQL show what their schema may.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use parquet::file::reader::{FileReader as _, SerializedFileReader};
use renmen_tests::objects::{self, BUCKET, Files};
use renmen_tests::staff_api;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio_postgres::NoTls;

use crate::cluster::Database;
use crate::example::example;
use crate::harness::{Home, said, serve};
use crate::staff::config;

/// The snapshot's folder and manifest.
fn newest(to: &Path) -> (std::path::PathBuf, Value) {
    let manifest: Value = serde_json::from_slice(&std::fs::read(to.join("latest.json")).unwrap()).unwrap();
    let folder = to.join(manifest["snapshot"].as_str().unwrap());
    assert!(folder.join("manifest.json").is_file());
    (folder, manifest)
}

/// Rows of each entity, counted in the files themselves.
fn counted(folder: &Path, manifest: &Value) -> BTreeMap<String, u64> {
    let mut rows = BTreeMap::new();
    for file in manifest["files"].as_array().unwrap() {
        let bytes = std::fs::read(folder.join(file["path"].as_str().unwrap())).unwrap();
        assert_eq!(hex::encode(Sha256::digest(&bytes)), file["sha256"].as_str().unwrap());
        let reader = SerializedFileReader::new(bytes::Bytes::from(bytes)).unwrap();
        let count = reader.get_row_iter(None).unwrap().map(Result::unwrap).count() as u64;
        assert_eq!(count, file["rows"].as_u64().unwrap());
        *rows.entry(file["entity"].as_str().unwrap().to_owned()).or_default() += count;
    }
    rows
}

/// The same by DuckDB, where `RENMEN_DUCKDB` names a Python that has it.
fn counted_by_duckdb(folder: &Path, entities: &BTreeMap<String, u64>) -> Option<BTreeMap<String, u64>> {
    let python = std::env::var_os("RENMEN_DUCKDB")?;
    let script = "import duckdb, json, sys\n\
        folder, entities = sys.argv[1], sys.argv[2:]\n\
        count = lambda e: duckdb.sql(f\"SELECT count(*), count(DISTINCT record_id) FROM read_parquet('{folder}/entity={e}/**/*.parquet', union_by_name = true)\").fetchall()[0]\n\
        rows = {e: count(e) for e in entities}\n\
        assert all(a == b for a, b in rows.values()), rows\n\
        print(json.dumps({e: a for e, (a, _) in rows.items()}))";
    let output = Command::new(python).args(["-c", script]).arg(folder).args(entities.keys()).output().unwrap();
    assert!(output.status.success(), "{}", said(&output));
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_entity_of_the_example_is_read_back_from_the_files_and_counted_s21() {
    let home = example().await;
    let _ = home.run(&["sync", "payroll", "--dev"]).await;
    let counts = home.json(&["records", "--dev"]).await;
    let mut wanted: BTreeMap<String, u64> = BTreeMap::new();
    for one in counts.as_array().unwrap() {
        *wanted.entry(one["entity"].as_str().unwrap().to_owned()).or_default() += one["live"].as_u64().unwrap();
    }
    wanted.retain(|_, live| *live > 0);
    assert!(wanted.len() >= 5, "{wanted:?}");
    let export =
        ["export", "--to", "out", "--class", "PERSONAL", "--class", "SENSITIVE", "--class", "SPECIAL", "--dev"];
    let first = home.json(&export).await;
    assert_eq!(first["new"], true);
    let (folder, manifest) = newest(&home.path().join("out"));
    assert_eq!(counted(&folder, &manifest), wanted);
    if let Some(rows) = counted_by_duckdb(&folder, &wanted) {
        assert_eq!(rows, wanted);
    }
    assert_eq!(home.json(&export).await["new"], false, "nothing changed");
    let csv = home.json(&["export", "--to", "csv", "--format", "csv", "--entity", "payroll_record", "--dev"]).await;
    let columns = csv["manifest"]["entities"][0]["columns"].as_array().unwrap();
    assert!(!columns.contains(&json!("net_amount")), "pay leaves only where it was asked for");
    for (arguments, told) in [
        (&["export", "--to", "x", "--entity", "bias_audit", "--dev"][..], "never exported"),
        (&["export", "--to", "x", "--entity", "salaries", "--dev"], "no entity `salaries`"),
        (&["export", "--to", "x", "--class", "SECRET", "--dev"], "not a class"),
        (&["export", "nightly", "--dev"], "no `[exports.nightly]`"),
        (&["export", "--dev"], "--to"),
    ] {
        let output = home.run(arguments).await;
        assert!(!output.status.success() && said(&output).contains(told), "{told}: {}", said(&output));
    }
}

fn with_storage(url: &str, schedule: &str) -> String {
    format!(
        "[exports.bi]\n{schedule}\nto = \"s3://{BUCKET}/renmen\"\nendpoint = \"{url}\"\nentities = [\"employee\"]\nclasses = [\"PERSONAL\"]\n\
         slots.key = {{ env = \"STORAGE_KEY\" }}\ngrant = {{ plaintext = true, addresses = [\"127.0.0.0/8\"] }}\n"
    )
}

fn key(secret: &str) -> String {
    json!({ "access_key_id": objects::KEY_ID, "secret_access_key": secret }).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_storage_gets_the_files_signed_and_the_manifest_last() {
    let staff = serve(staff_api::router(staff_api::source(40))).await;
    let files = Files::default();
    let storage = serve(objects::router(files.clone())).await;
    let text = format!("{}\n{}", config(&staff, "staff-api"), with_storage(&storage, ""));
    let home = Home::new(&text).env("STORAGE_KEY", &key(objects::SECRET));
    assert!(home.run(&["sync", "--dev"]).await.status.success());
    files.lock().unwrap().takes = Some(0);
    let output = home.run(&["export", "bi", "--dev"]).await;
    assert!(!output.status.success() && said(&output).contains("503"), "{}", said(&output));
    assert!(!said(&output).contains(objects::SECRET));
    files.lock().unwrap().takes = None;
    let done = home.json(&["export", "bi", "--dev"]).await;
    assert_eq!((&done["new"], &done["manifest"]["entities"][0]["rows"]), (&json!(true), &json!(40)));
    {
        let kept = files.lock().unwrap();
        let snapshot = done["manifest"]["snapshot"].as_str().unwrap();
        assert_eq!(
            kept.order[kept.order.len() - 2..],
            [format!("renmen/{snapshot}/manifest.json"), "renmen/latest.json".to_owned()]
        );
        let file = &done["manifest"]["files"][0];
        let bytes = &kept.files[&format!("renmen/{snapshot}/{}", file["path"].as_str().unwrap())];
        assert_eq!(hex::encode(Sha256::digest(bytes)), file["sha256"].as_str().unwrap());
    }
    assert_eq!(home.json(&["export", "bi", "--dev"]).await["new"], false);
    let other = Home::new(&text).env("STORAGE_KEY", &key("another"));
    assert!(other.run(&["sync", "--dev"]).await.status.success());
    let refused = other.run(&["export", "bi", "--dev"]).await;
    assert!(!refused.status.success() && said(&refused).contains("SignatureDoesNotMatch"), "{}", said(&refused));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_exports_by_itself_and_again_when_records_changed() {
    let source = staff_api::source(10);
    let staff = serve(staff_api::router(source.clone())).await;
    let text = config(&staff, "staff-api").replace("manual = true", "every = \"1s\"");
    let home = Home::new(&format!(
        "{text}\n[exports.bi]\nevery = \"1s\"\nto = \"out\"\nkeep = 1\nentities = [\"employee\"]\n"
    ));
    let mut gateway = home.spawn(&["serve", "--dev", "--json", "--listen", "127.0.0.1:0"]);
    gateway.document().await;
    let position = |to: &Path| {
        let bytes = std::fs::read(to.join("latest.json")).ok()?;
        let manifest: Value = serde_json::from_slice(&bytes).ok()?;
        (manifest["entities"][0]["rows"] == 10).then(|| manifest["watermark"]["position"].as_i64().unwrap())
    };
    let out = home.path().join("out");
    let mut first = None;
    for _ in 0..600 {
        first = position(&out);
        if first.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let first = first.expect("a snapshot with every employee");
    source.lock().unwrap().touch(3);
    let mut later = first;
    for _ in 0..600 {
        later = position(&out).unwrap_or(first);
        if later > first {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(later > first, "and another one after they changed");
}

#[tokio::test(flavor = "multi_thread")]
async fn views_show_a_role_what_their_schema_may_and_nothing_else() {
    let Some(database) = Database::new().await else { return };
    let staff = serve(staff_api::router(staff_api::source(25))).await;
    let home = Home::new(&format!("[store]\nurl = \"{}\"\n{}", database.url(), config(&staff, "staff-api")));
    assert!(home.run(&["sync", "--dev"]).await.status.success());
    let (client, connection) = tokio_postgres::connect(&database.url(), NoTls).await.unwrap();
    tokio::spawn(connection);
    let role = format!("bi_{:016x}", rand::random::<u64>());
    client
        .batch_execute(&format!(
            "CREATE ROLE {role}; GRANT USAGE ON SCHEMA renmen_bi TO {role}; GRANT SELECT ON ALL TABLES IN SCHEMA renmen_bi TO {role}; SET ROLE {role}"
        ))
        .await
        .unwrap();
    let row = client
        .query_one(
            "SELECT count(*), count(work_hire_date), min(record_recorded_at) > now() - interval '1 hour', min(work_hire_date)::text FROM renmen_bi.employee",
            &[],
        )
        .await
        .unwrap();
    let (all, hired, recent, first): (i64, i64, bool, String) = (row.get(0), row.get(1), row.get(2), row.get(3));
    assert_eq!((all, hired, recent, first.len()), (25, 25, true, 10));
    for entity in renmen_schema::EntityKind::ALL.iter().filter(|kind| !kind.is_for_audits_only()) {
        let rows = client.query(&format!("SELECT * FROM renmen_bi.\"{}\"", entity.name()), &[]).await.unwrap();
        assert_eq!(rows.len(), if entity.name() == "employee" { 25 } else { 0 }, "{entity}");
    }
    for forbidden in [
        "SELECT person_names_formatted FROM renmen_bi.employee",
        "SELECT person_names_formatted FROM renmen_bi_all.employee",
        "SELECT body FROM record",
        "DELETE FROM renmen_bi.employee",
    ] {
        assert!(client.query(forbidden, &[]).await.is_err(), "{forbidden}");
    }
    client.batch_execute("RESET ROLE").await.unwrap();
    let names = client.query("SELECT person_names_formatted FROM renmen_bi_all.employee", &[]).await.unwrap();
    assert_eq!(names.len(), 25);
    client.batch_execute(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await.unwrap();
    drop(client);
    database.end().await;
}
