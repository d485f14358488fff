//! A move is killed at each of its steps, with random records before and after: the same command goes on, and what a reader of the feed
//! gets is every change once. The test starts itself again as the child that is killed.
#![cfg(feature = "failpoints")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use rand::{Rng as _, SeedableRng as _};
use renmen_store::{Store, StoreOptions, tenant_moved};

use crate::moving::{Cell, export, forget, import};
use crate::puller::{Puller, everything, gone, key, key_of, rec, tenant};

const CHILD: &str = "RENMEN_STORE_MOVE_CHILD";

/// Where the move is killed: the step, and the place in it.
const KILLS: [(&str, &str); 9] = [
    ("export", "tenant_fenced:1"),
    ("export", "tenant_closed:1"),
    ("export", "tenant_read:1"),
    ("export", "tenant_written:1"),
    ("import", "tenant_read_in:1"),
    ("import", "tenant_filled:1"),
    ("import", "tenant_arrived:1"),
    ("forget", "tenant_forgotten:1"),
    ("forget", "tenant_forgotten:9"),
];

/// The child: one command. Does nothing in a usual test run, where the variable is not set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_moves_until_it_is_killed() {
    let Ok(asked) = std::env::var(CHILD) else { return };
    let parts: Vec<&str> = asked.split('|').collect();
    let [step, url, number, file] = parts[..] else { panic!("{asked}") };
    let options = StoreOptions { cell: Some(number.parse().unwrap()), ..StoreOptions::at(url) };
    let cell = Cell::of(options);
    step_of(step, &cell, Path::new(file)).await;
}

async fn step_of(step: &str, cell: &Cell, file: &Path) {
    match step {
        "export" => drop(export(cell, file).await.unwrap()),
        "import" => drop(import(cell, file).await.unwrap()),
        _ => drop(forget(cell).await.unwrap()),
    }
}

fn kill(step: &str, place: &str, cell: &Cell, file: &Path) {
    let options = &cell.options;
    let asked = format!("{step}|{}|{}|{}", options.url, options.cell.unwrap(), file.display());
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "moving_crash::child_moves_until_it_is_killed", "--nocapture"]).env(CHILD, asked);
    command.env("RENMEN_STORE_FAILPOINT", place);
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(!status.success(), "{step} never came to {place}");
}

/// What a reader of the feed has seen: position, record, revision.
#[derive(Default)]
struct Reader {
    last: i64,
    seen: Vec<(i64, String, i64)>,
}

impl Reader {
    async fn read(&mut self, store: &Arc<dyn Store>) {
        loop {
            let more = store.changes(&tenant(), self.last, None, 7).await.unwrap();
            let Some(last) = more.last() else { return };
            self.last = last.seq;
            self.seen.extend(more.into_iter().map(|change| (change.seq, change.external_id, change.revision)));
        }
    }
}

/// Random pages of a stream; keeps what each record should be.
async fn write(
    store: &Arc<dyn Store>,
    dice: &mut rand::rngs::StdRng,
    at_ms: i64,
    model: &mut BTreeMap<String, (String, bool)>,
) {
    let mut puller = Puller::begin(store, key(), at_ms).await;
    for _ in 0..dice.random_range(1..4) {
        let mut page = BTreeMap::new();
        for _ in 0..dice.random_range(1..6) {
            let id = format!("r{}", dice.random_range(0..12));
            let known = model.get(&id).is_some_and(|(_, live)| *live);
            let record =
                if known && dice.random_bool(0.3) { None } else { Some(format!("body {}", dice.random::<u32>())) };
            page.insert(id, record);
        }
        for (id, body) in &page {
            match body {
                Some(body) => drop(model.insert(id.clone(), (body.clone(), true))),
                None => {
                    if let Some(known) = model.get_mut(id) {
                        known.1 = false;
                    }
                }
            }
        }
        let writes =
            page.iter().map(|(id, body)| body.as_ref().map_or_else(|| gone(id), |body| rec(id, body))).collect();
        puller.put(writes).await;
    }
    puller.finish().await;
}

async fn check(store: &Arc<dyn Store>, model: &BTreeMap<String, (String, bool)>) {
    let found: BTreeMap<String, (String, bool)> = everything(store)
        .await
        .into_iter()
        .map(|row| (row.external_id, (String::from_utf8(row.body).unwrap(), row.deleted.is_none())))
        .collect();
    assert_eq!(&found, model);
}

async fn moves_whatever_kills_it(one: Cell, two: Cell, folder: &Path, seed: u64) {
    let mut dice = rand::rngs::StdRng::seed_from_u64(seed);
    let (mut model, mut reader) = (BTreeMap::new(), Reader::default());
    let (mut from, mut to) = (&one, &two);
    write(&one.open().await, &mut dice, 1_000, &mut model).await;
    for (round, (step, place)) in KILLS.into_iter().enumerate() {
        let file = folder.join(format!("{seed}-{round}"));
        let at_ms = 1_000_000 * (round as i64 + 2);
        let source = from.open().await;
        write(&source, &mut dice, at_ms, &mut model).await;
        reader.read(&source).await;
        let resident = to.open().await;
        let mut other = Puller::begin(&resident, key_of("globex", "employees"), at_ms).await;
        other.put(vec![rec(&format!("g{round}"), "1")]).await;
        other.finish().await;
        drop((source, other, resident));
        for now in ["export", "import", "forget"] {
            let cell = if now == "import" { to } else { from };
            if now == "forget" {
                tenant_moved(from.options.clone(), &tenant(), "the other", at_ms).await.unwrap();
            }
            if now == step {
                kill(step, place, cell, &file);
            }
            let asked = from.open().await;
            let begins = asked.begin_run(crate::puller::new_run(&key(), at_ms + 500_000)).await;
            if now == step || now != "export" {
                assert!(begins.is_err(), "{place}: it is refused from the fence on");
            } else if let Ok(run) = begins {
                let end = renmen_store::RunEnd {
                    findings: Vec::new(),
                    state: renmen_store::RunState::Completed,
                    error: None,
                    retry_at_ms: None,
                    now_ms: at_ms + 500_001,
                };
                asked.finish_run(run, end).await.unwrap();
            }
            drop(asked);
            step_of(now, cell, &file).await;
        }
        let target = to.open().await;
        check(&target, &model).await;
        reader.read(&target).await;
        assert!(everything(&from.open().await).await.is_empty(), "{place}: nothing stays where it was");
        drop(target);
        (from, to) = (to, from);
    }
    let home = from.open().await;
    write(&home, &mut dice, 90_000_000, &mut model).await;
    check(&home, &model).await;
    reader.read(&home).await;
    let mut revisions: BTreeMap<String, i64> = BTreeMap::new();
    assert!(reader.seen.is_sorted_by(|one, other| one.0 < other.0), "positions only grow");
    for (_, id, revision) in &reader.seen {
        let last = revisions.entry(id.clone()).or_default();
        assert_eq!(*revision, *last + 1, "{id}: each change once, none left out");
        *last = *revision;
    }
    for row in everything(&home).await {
        assert_eq!(revisions.get(&row.external_id), Some(&row.revision));
    }
    drop(home);
    one.end().await;
    two.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_two_files() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    std::fs::create_dir_all(&one).unwrap();
    std::fs::create_dir_all(&two).unwrap();
    moves_whatever_kills_it(Cell::sqlite(&one, 0), Cell::sqlite(&two, 1), folder.path(), rand::random()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_a_file_and_a_server() {
    let folder = tempfile::tempdir().unwrap();
    let Some(server) = Cell::postgres(1).await else { return };
    moves_whatever_kills_it(Cell::sqlite(folder.path(), 0), server, folder.path(), rand::random()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn between_two_servers() {
    let folder = tempfile::tempdir().unwrap();
    let (Some(one), Some(two)) = (Cell::postgres(0).await, Cell::postgres(1).await) else { return };
    moves_whatever_kills_it(one, two, folder.path(), rand::random()).await;
}
