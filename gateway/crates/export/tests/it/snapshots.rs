//! Snapshots: rows, columns, partitions, repetition, changes meanwhile, and what a crash leaves.

use std::path::Path;
use std::sync::Mutex;

use async_trait::async_trait;
use renmen_export::{Directory, ExportError, Format, Limits, Manifest, Target, Terms, export};
use renmen_schema::{EntityKind, Sensitivity};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::world::{DAY_MS, FIRST_DAY_MS, World, employee, files, rows, slip, tenant};

fn terms(format: Format, classes: &[Sensitivity]) -> Terms {
    Terms::new(&[], format, classes.iter().copied()).unwrap()
}

async fn filled() -> World {
    let world = World::new().await;
    world
        .put(
            FIRST_DAY_MS,
            &[
                ("employee", "e1", Some(employee("E1", "Made Up"))),
                ("employee", "e2", Some(employee("E2", "Also Made Up"))),
                ("employee", "e3", Some(employee("E3", "Gone"))),
                ("payroll_record", "s1", Some(slip("e1", "9000.01"))),
            ],
        )
        .await;
    world
        .put(FIRST_DAY_MS + DAY_MS, &[("employee", "e2", Some(employee("E2", "Renamed"))), ("employee", "e3", None)])
        .await;
    world
}

fn rows_of<'m>(manifest: &'m Manifest, entity: &str) -> &'m renmen_export::EntityRows {
    manifest.entities.iter().find(|one| one.entity == entity).unwrap()
}

#[tokio::test]
async fn a_snapshot_has_every_live_record_once_by_entity_and_day_s21() {
    let world = filled().await;
    let all = [Sensitivity::Personal, Sensitivity::Sensitive, Sensitivity::Special];
    let done = world.export(&terms(Format::Parquet, &all), &world.out(), Limits::default()).await.unwrap();
    assert!(done.is_new);
    let manifest = &done.manifest;
    let paths: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "entity=employee/day=2026-11-28/part-0000.parquet",
            "entity=employee/day=2026-11-29/part-0000.parquet",
            "entity=payroll_record/day=2026-11-28/part-0000.parquet",
        ]
    );
    assert_eq!((rows_of(manifest, "employee").rows, rows_of(manifest, "org_unit").rows), (2, 0));
    assert_eq!(manifest.entities.len(), EntityKind::ALL.len() - 1, "all but what only auditors read");
    assert_eq!(manifest.watermark.at.as_deref(), Some("2026-11-29T10:00:00.000Z"));
    let folder = world.out().join(&manifest.snapshot);
    for file in &manifest.files {
        let bytes = std::fs::read(folder.join(&file.path)).unwrap();
        assert_eq!((bytes.len() as u64, hex::encode(Sha256::digest(&bytes))), (file.bytes, file.sha256.clone()));
    }
    let first = rows(&folder.join(paths[0])).remove(0);
    assert_eq!((first["record_external_id"].as_str(), first["number"].as_str()), ("\"e1\"", "\"E1\""));
    assert!(first["work_hire_date"].starts_with("2020-02-29"), "{}", first["work_hire_date"]);
    assert!(first["person_emails"].contains("E1@example.com"));
    assert_eq!(rows(&folder.join(paths[1]))[0]["person_names_formatted"], "\"Renamed\"");
    assert_eq!(rows(&folder.join(paths[2]))[0]["net_amount"], "9000.010000");
    let latest: Manifest = serde_json::from_slice(&std::fs::read(world.out().join("latest.json")).unwrap()).unwrap();
    assert_eq!(latest, *manifest);
}

#[tokio::test]
async fn nothing_personal_leaves_without_its_class_and_custom_fields_never() {
    let world = filled().await;
    for (classes, leaves, stays) in [
        (&[][..], &["E1"][..], &["Made Up", "@example.com", "9000.01", "FEMALE", "canary-of-ext"][..]),
        (&[Sensitivity::Personal], &["Made Up", "@example.com"], &["9000.01", "FEMALE", "canary-of-ext"]),
        (&[Sensitivity::Sensitive], &["9000.01", "12000.5"], &["Made Up", "@example.com", "FEMALE", "canary-of-ext"]),
        (
            &[Sensitivity::Personal, Sensitivity::Sensitive, Sensitivity::Special],
            &["Made Up", "9000.01", "FEMALE"],
            &["canary-of-ext"],
        ),
    ] {
        let out = world.folder.path().join(format!("csv-{classes:?}"));
        let done = world.export(&terms(Format::Csv, classes), &out, Limits::default()).await.unwrap();
        let text: String = files(&out).values().map(|bytes| String::from_utf8_lossy(bytes).into_owned()).collect();
        for word in leaves {
            assert!(text.contains(word), "{classes:?}: {word}");
        }
        for word in stays {
            assert!(!text.contains(word), "{classes:?}: {word}");
        }
        let columns = &rows_of(&done.manifest, "payroll_record").columns;
        assert_eq!(columns.iter().any(|name| name == "net_amount"), classes.contains(&Sensitivity::Sensitive));
    }
}

#[tokio::test]
async fn what_only_an_auditor_reads_is_refused_by_name() {
    let bad = Terms::new(&[EntityKind::BiasAudit], Format::Csv, []).unwrap_err();
    assert!(bad.0.english().contains("bias_audit is never exported"), "{:?}", bad.0);
}

#[tokio::test]
async fn the_same_records_are_the_same_bytes_and_an_export_of_nothing_new_writes_nothing() {
    let world = filled().await;
    for format in [Format::Parquet, Format::Csv] {
        let terms = terms(format, &[Sensitivity::Personal]);
        let (one, other) =
            (world.folder.path().join(format!("a{format:?}")), world.folder.path().join(format!("b{format:?}")));
        world.export(&terms, &one, Limits::default()).await.unwrap();
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        world.export(&terms, &other, Limits::default()).await.unwrap();
        assert_eq!(files(&one), files(&other));
        assert!(!world.export(&terms, &one, Limits::default()).await.unwrap().is_new);
        assert_eq!(files(&one), files(&other));
    }
    let scratch: Vec<_> = std::fs::read_dir(world.scratch()).unwrap().collect();
    assert!(scratch.is_empty(), "nothing is left of the files under way");
}

/// Puts so many files, then fails as a process does that ends: without a word.
struct Dies {
    inner: Directory,
    puts: Mutex<usize>,
}

#[async_trait]
impl Target for Dies {
    async fn put(&self, name: &str, file: &Path) -> Result<(), ExportError> {
        {
            let mut left = self.puts.lock().unwrap();
            if *left == 0 {
                return Err(ExportError::Target { name: name.to_owned(), why: "gone".to_owned() });
            }
            *left -= 1;
        }
        self.inner.put(name, file).await
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ExportError> {
        self.inner.get(name).await
    }

    async fn tidy(&self, keep: usize) -> Result<u64, ExportError> {
        self.inner.tidy(keep).await
    }
}

#[tokio::test]
async fn an_export_that_was_cut_off_anywhere_has_no_manifest_and_the_next_one_completes_it() {
    let world = filled().await;
    let terms = terms(Format::Parquet, &[]);
    let whole = world.folder.path().join("whole");
    let done = world.export(&terms, &whole, Limits::default()).await.unwrap();
    // Three files, the manifest, the newest.
    for puts in 0..=4 {
        let out = world.folder.path().join(format!("cut-{puts}"));
        let target = Dies { inner: Directory::new(&out), puts: Mutex::new(puts) };
        let cut =
            export(&*world.store, &tenant(), &terms, (&target, &world.scratch()), Limits::default(), &|| false).await;
        assert!(cut.is_err());
        let there = files(&out);
        assert_eq!(
            there.contains_key(&format!("{}/manifest.json", done.manifest.snapshot)),
            puts == 4,
            "after {puts} files"
        );
        world.export(&terms, &out, Limits::default()).await.unwrap();
        assert_eq!(files(&out), files(&whole), "after {puts} files");
    }
    let (tenant, out, scratch) = (tenant(), Directory::new(world.out()), world.scratch());
    let stopped = export(&*world.store, &tenant, &terms, (&out, &scratch), Limits::default(), &|| true);
    assert!(matches!(stopped.await, Err(ExportError::Stopped)));
    assert!(files(&world.out()).is_empty());
}

/// Changes records while the first file goes out.
struct Changes<'w> {
    inner: Directory,
    world: &'w World,
    done: Mutex<bool>,
}

#[async_trait]
impl Target for Changes<'_> {
    async fn put(&self, name: &str, file: &Path) -> Result<(), ExportError> {
        let first = !std::mem::replace(&mut *self.done.lock().unwrap(), true);
        if first {
            let later = FIRST_DAY_MS + 3 * DAY_MS;
            let records = [
                ("payroll_record", "s1", Some(slip("e1", "1.00"))),
                ("payroll_record", "s2", Some(slip("e2", "2.00"))),
                ("org_unit", "u1", Some(json!({ "name": { "en": "New" }, "kind": { "code": "TEAM" } }))),
            ];
            self.world.put(later, &records).await;
        }
        self.inner.put(name, file).await
    }

    async fn get(&self, name: &str) -> Result<Option<Vec<u8>>, ExportError> {
        self.inner.get(name).await
    }

    async fn tidy(&self, keep: usize) -> Result<u64, ExportError> {
        self.inner.tidy(keep).await
    }
}

#[tokio::test]
async fn a_snapshot_shows_records_as_they_stood_at_its_position_although_they_change_meanwhile() {
    let world = filled().await;
    let terms = terms(Format::Parquet, &[Sensitivity::Sensitive]);
    let still = world.folder.path().join("still");
    world.export(&terms, &still, Limits::default()).await.unwrap();
    let moving = world.folder.path().join("moving");
    let target = Changes { inner: Directory::new(&moving), world: &world, done: Mutex::new(false) };
    export(&*world.store, &tenant(), &terms, (&target, &world.scratch()), Limits::default(), &|| false).await.unwrap();
    assert_eq!(files(&moving), files(&still));
    let next = world.export(&terms, &moving, Limits::default()).await.unwrap();
    assert_eq!((next.is_new, rows_of(&next.manifest, "payroll_record").rows), (true, 2));
}

#[tokio::test]
async fn large_days_are_several_files_and_rows_are_held_in_groups() {
    let world = World::new().await;
    let bodies: Vec<(String, serde_json::Value)> =
        (0..2_500).map(|n| (format!("e{n:05}"), employee(&format!("E{n}"), &"x".repeat(200)))).collect();
    for piece in bodies.chunks(500) {
        let records: Vec<_> = piece.iter().map(|(id, body)| ("employee", id.as_str(), Some(body.clone()))).collect();
        world.put(FIRST_DAY_MS, &records).await;
    }
    let limits = Limits { group_rows: 200, group_bytes: 1 << 20, file_bytes: 64 << 10 };
    let done = world.export(&terms(Format::Csv, &[Sensitivity::Personal]), &world.out(), limits).await.unwrap();
    assert!(done.manifest.files.len() > 2, "{}", done.manifest.files.len());
    assert!(done.manifest.files.iter().all(|file| file.bytes < 2 * limits.file_bytes));
    assert_eq!(done.manifest.files.iter().map(|file| file.rows).sum::<u64>(), 2_500);
    let parquet = world.folder.path().join("parquet");
    let done = world.export(&terms(Format::Parquet, &[]), &parquet, limits).await.unwrap();
    let path = parquet.join(&done.manifest.snapshot).join(&done.manifest.files[0].path);
    let reader = parquet::file::reader::SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap();
    let groups = parquet::file::reader::FileReader::metadata(&reader).num_row_groups();
    assert!(groups > 5, "{groups}");
}

#[tokio::test]
async fn older_snapshots_go_and_what_is_not_an_export_stays() {
    let world = filled().await;
    let (terms, out) = (terms(Format::Csv, &[]), world.out());
    let mut names = Vec::new();
    for day in 2..6 {
        world
            .put(FIRST_DAY_MS + day * DAY_MS, &[("employee", "e1", Some(employee(&format!("E1-{day}"), "Made Up")))])
            .await;
        names.push(world.export(&terms, &out, Limits::default()).await.unwrap().manifest.snapshot);
    }
    std::fs::create_dir_all(out.join("snapshot=half/entity=employee")).unwrap();
    std::fs::create_dir_all(out.join("reports")).unwrap();
    let target = Directory::new(&out);
    assert_eq!(target.tidy(2).await.unwrap(), 3);
    let mut left: Vec<String> =
        std::fs::read_dir(&out).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    left.sort();
    assert_eq!(left, ["latest.json", "reports", &names[2], &names[3]]);
    let modes = |path: &Path| std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions()) & 0o777;
    assert_eq!((modes(&out.join(&names[3])), modes(&out.join("latest.json"))), (0o700, 0o600));
}
