//! A store copied from one backend to the other and back: every table, every row, or nothing.

use std::path::{Path, PathBuf};
use std::sync::Mutex;

use rand::Rng as _;
use rand::SeedableRng as _;
use renmen_store::{CopiedTable, StoreError, StoreOptions, copy_store, open};
use rusqlite::Connection;
use rusqlite::types::Value;

use crate::bed::Database;
use crate::puller::{Puller, everything, gone, key, rec, tenant};

fn file(folder: &Path, name: &str) -> (PathBuf, StoreOptions) {
    let path = folder.join(name);
    let options = StoreOptions::at(format!("sqlite:{}", path.display()));
    (path, options)
}

async fn copy(from: &StoreOptions, to: &StoreOptions) -> Result<Vec<CopiedTable>, StoreError> {
    copy_store(from.clone(), to.clone(), &|_| ()).await
}

fn tables(connection: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY name";
    connection.prepare(sql).unwrap().query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Name and type of each column.
fn columns(connection: &Connection, table: &str) -> Vec<(String, String, bool)> {
    let mut statement = connection.prepare("SELECT name, type, \"notnull\" OR pk FROM pragma_table_info(?1)").unwrap();
    let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    statement.query_map([table], read).unwrap().map(Result::unwrap).collect()
}

/// Every row of every table, as text that tells kinds apart, and the last numbers that were given out.
fn dump(path: &Path) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut rows = Vec::new();
    let mut all = tables(&connection);
    all.push("sqlite_sequence".into());
    for table in all {
        let mut statement = connection.prepare(&format!("SELECT * FROM \"{table}\"")).unwrap();
        let width = statement.column_count();
        let read =
            |row: &rusqlite::Row<'_>| (0..width).map(|at| row.get::<_, Value>(at)).collect::<Result<Vec<_>, _>>();
        let found = statement.query_map([], read).unwrap().map(|row| format!("{table} {:?}", row.unwrap()));
        rows.extend(found);
    }
    rows.sort();
    rows
}

/// Puts random rows into every table: all kinds of values, in every column that there is.
fn fill(path: &Path, seed: u64) {
    let mut dice = rand::rngs::StdRng::seed_from_u64(seed);
    let connection = Connection::open(path).unwrap();
    for table in tables(&connection).into_iter().filter(|table| !["meta", "exchange_far"].contains(&table.as_str())) {
        let columns = columns(&connection, &table);
        let places: Vec<String> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
        let sql = format!("INSERT OR IGNORE INTO \"{table}\" VALUES ({})", places.join(", "));
        for _ in 0..dice.random_range(1..9) {
            let values: Vec<Value> = columns.iter().map(|(_, kind, needed)| value(&mut dice, kind, *needed)).collect();
            connection.execute(&sql, rusqlite::params_from_iter(values)).unwrap();
        }
    }
}

fn value(dice: &mut rand::rngs::StdRng, kind: &str, needed: bool) -> Value {
    const TEXTS: [&str; 7] = ["", "a", "人门", "Ä", "z\u{10FFFF}", "O'Brien\t\\", "\u{1}"];
    if !needed && dice.random_bool(0.3) {
        return Value::Null;
    }
    match kind {
        "INTEGER" => Value::Integer(dice.random_range(0..1_i64 << 40)),
        "TEXT" => {
            let (one, two) = (TEXTS[dice.random_range(0..7)], dice.random_range(0..1_000_000_u32));
            Value::Text(format!("{one}{two}"))
        }
        _ => {
            let mut bytes = vec![0; dice.random_range(0..40)];
            dice.fill(bytes.as_mut_slice());
            Value::Blob(bytes)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_and_back_is_the_same_store_whatever_is_in_it() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 0..4 {
        let (path, one) = file(folder.path(), &format!("one{seed}.db"));
        let (back, two) = file(folder.path(), &format!("two{seed}.db"));
        drop(open(one.clone()).await.unwrap());
        fill(&path, seed);
        let before = dump(&path);
        let Some(database) = Database::empty().await else { return };
        let there = copy(&one, &StoreOptions::at(&database.url)).await.unwrap();
        let home = copy(&StoreOptions::at(&database.url), &two).await.unwrap();
        assert_eq!(there, home, "counts and hashes");
        let connection = Connection::open(&path).unwrap();
        for table in tables(&connection).iter().filter(|table| *table != "meta" && *table != "exchange_far") {
            let copied = there.iter().find(|copied| copied.name == *table);
            assert!(copied.is_some_and(|copied| copied.rows > 0), "{table} was not copied");
        }
        assert_eq!(dump(&back), before, "seed {seed}");
        assert_eq!(dump(&path), before, "the source is as it was");
        database.end().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_store_goes_on_where_the_first_one_stood() {
    let folder = tempfile::tempdir().unwrap();
    let (_, one) = file(folder.path(), "one.db");
    let Some(database) = Database::empty().await else { return };
    let store = open(one.clone()).await.unwrap();
    let mut puller = Puller::begin(&store, key(), 1_000).await;
    puller.put(vec![rec("a", "1"), rec("b", "1"), rec("c", "1")]).await;
    puller.put(vec![rec("a", "2"), gone("b")]).await;
    puller.finish().await;
    let (rows, changes) = (everything(&store).await, store.changes(&tenant(), 0, None, 9).await.unwrap());
    drop((puller, store));
    let told = Mutex::new(Vec::new());
    let to = StoreOptions::at(&database.url);
    let progress = |at: renmen_store::CopyProgress<'_>| {
        told.lock().unwrap().push((at.table.to_owned(), at.verifying, at.rows, at.of));
    };
    copy_store(one, to.clone(), &progress).await.unwrap();
    let told = told.into_inner().unwrap();
    assert!(
        told.contains(&("record".into(), false, 3, 3)) && told.contains(&("record".into(), true, 3, 3)),
        "{told:?}"
    );

    let store = open(to.clone()).await.unwrap();
    let copied = everything(&store).await;
    assert_eq!(format!("{copied:?}"), format!("{rows:?}"), "ids, revisions and origins are the same");
    assert_eq!(format!("{:?}", store.changes(&tenant(), 0, None, 9).await.unwrap()), format!("{changes:?}"));
    let mut puller = Puller::begin(&store, key(), 2_000).await;
    assert_eq!(puller.cursor.as_deref(), Some("2"), "nothing is pulled again");
    assert_eq!(puller.put(vec![rec("d", "1"), rec("a", "3")]).await.created, 1);
    let later = store.changes(&tenant(), changes.last().unwrap().seq, None, 9).await.unwrap();
    assert_eq!(later.len(), 2, "positions go on after those of the first");
    assert!(
        everything(&store)
            .await
            .iter()
            .filter(|row| row.external_id == "d")
            .all(|row| rows.iter().all(|old| old.id != row.id))
    );
    drop((puller, store));

    let (_, two) = file(folder.path(), "two.db");
    copy(&to, &two).await.unwrap();
    let store = open(two).await.unwrap();
    assert_eq!(everything(&store).await.len(), 4);
    let mut puller = Puller::begin(&store, key(), 3_000_000).await;
    assert_eq!(puller.put(vec![rec("e", "1")]).await.created, 1);
    database.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_source_in_use_and_a_target_that_is_not_empty_are_refused_and_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let (path, one) = file(folder.path(), "one.db");
    let (other, two) = file(folder.path(), "two.db");
    let Some(database) = Database::empty().await else { return };
    let postgres = StoreOptions::at(&database.url);
    let refused = |result: Result<Vec<CopiedTable>, StoreError>| result.unwrap_err();

    let nothing = refused(copy(&one, &postgres).await);
    assert!(matches!(&nothing, StoreError::Configuration(why) if why.to_string().contains("one.db")), "{nothing}");
    let gateway = open(one.clone()).await.unwrap();
    assert!(matches!(refused(copy(&one, &postgres).await), StoreError::Busy(_)));
    drop(gateway);
    assert!(matches!(refused(copy(&one, &one).await), StoreError::Configuration(_)));
    drop(open(two.clone()).await.unwrap());
    let taken = refused(copy(&one, &two).await);
    assert!(taken.to_string().contains("two.db"), "{taken}");

    // A row that PostgreSQL cannot keep ends the copy in its middle: nothing of it stays, and the next one may begin.
    Connection::open(&path).unwrap().execute("INSERT INTO timer VALUES ('t', 's', ?1, 1)", ["a\0b"]).unwrap();
    refused(copy(&one, &postgres).await);
    Connection::open(&path).unwrap().execute("DELETE FROM timer", []).unwrap();
    copy(&one, &postgres).await.unwrap();
    let full = refused(copy(&one, &postgres).await);
    assert!(full.to_string().contains("not empty"), "{full}");

    let gateway = open(postgres.clone()).await.unwrap();
    std::fs::remove_file(&other).unwrap();
    let busy = refused(copy(&postgres, &two).await);
    assert!(matches!(&busy, StoreError::Busy(why) if why.contains("stop all gateways")), "{busy}");
    assert!(!other.exists());
    drop(gateway);
    // What a copy that was stopped left is not in the way.
    std::fs::write(folder.path().join("two.db.copying"), "half").unwrap();
    for tries in 1.. {
        match copy(&postgres, &two).await {
            Ok(_) => break,
            // The server may see the gateway's connections a moment longer.
            Err(StoreError::Busy(_)) if tries < 100 => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(!folder.path().join("two.db.copying").exists());

    database.run("UPDATE meta SET version = 99").await;
    let (_, three) = file(folder.path(), "three.db");
    let newer = refused(copy(&postgres, &three).await);
    assert!(newer.to_string().contains("newer program"), "{newer}");
    database.end().await;
}
