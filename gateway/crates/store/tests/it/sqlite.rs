//! What only a file has: a lock, rights, and a disk that fills.

use std::os::unix::fs::PermissionsExt;

use renmen_store::{RunState, StoreError, StoreOptions, open, open_read_only};

use crate::bed::Bed;
use crate::puller::{Puller, everything, key, rec, tenant};

#[tokio::test]
async fn f01_two_gateways_on_one_file_the_second_says_so_and_stops() {
    let bed = Bed::sqlite().await;
    let refused = open(bed.options.clone()).await.err().unwrap();
    assert!(matches!(&refused, StoreError::Busy(text) if text.contains("another gateway")), "{refused}");
    let options = bed.options.clone();
    let Bed { store, .. } = bed;
    drop(store);
    // The folder went with the bed; the point is that the lock did too.
    assert!(open(options).await.is_ok());
}

#[tokio::test]
async fn folder_and_file_are_their_owners_alone() {
    let bed = Bed::sqlite().await;
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(bed.path().parent().unwrap()), 0o700);
    for entry in std::fs::read_dir(bed.path().parent().unwrap()).unwrap() {
        let path = entry.unwrap().path();
        assert_eq!(mode(&path), 0o600, "{}", path.display());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_was_cut_is_interrupted_at_the_next_start_and_its_stream_is_free() {
    let bed = Bed::sqlite().await;
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put(vec![rec("a", "1")]).await;
    let (options, run) = (bed.options.clone(), puller.run);
    drop(puller);
    let bed = reopened(bed).await;
    let cut = bed.store.run(&tenant(), run).await.unwrap().unwrap();
    assert_eq!(cut.state, RunState::Interrupted);
    let mut puller = Puller::begin(&bed.store, key(), 1_001).await;
    assert_eq!(puller.put(vec![rec("b", "1")]).await.created, 1);
    assert_eq!(options.url, bed.options.url);
}

async fn reopened(mut bed: Bed) -> Bed {
    let nothing =
        open(StoreOptions::at(format!("sqlite:{}", bed.path().with_file_name("other.db").display()))).await.unwrap();
    drop(std::mem::replace(&mut bed.store, nothing));
    bed.store = open(bed.options.clone()).await.unwrap();
    bed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_full_disk_tears_nothing_and_the_pull_goes_on_when_there_is_room() {
    let bed = Bed::sqlite().await;
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put(vec![rec("a", "1")]).await;
    // A ballast that fills the file system would fill everybody's; a small one of its own needs root.
    let Some(small) = SmallDisk::mount(8) else {
        eprintln!("skipped: mounting a small file system needs root");
        return;
    };
    let options = StoreOptions::at(format!("sqlite:{}", small.0.path().join("renmen.db").display()));
    let store = open(options).await.unwrap();
    let ballast = small.0.path().join("ballast");
    std::fs::write(&ballast, vec![0; 5 << 20]).unwrap();
    let mut puller = Puller::begin(&store, key(), 1_000).await;
    let body = format!("\"{}\"", "x".repeat(40_000));
    let mut landed = 0;
    let error = loop {
        let page = puller.page((0..10).map(|at| rec(&format!("{landed:04}-{at}"), &body)).collect());
        match puller.commit(page).await {
            Ok(_) => landed += 1,
            Err(error) => break error,
        }
        assert!(landed < 100, "the disk never filled");
    };
    assert!(matches!(error, StoreError::Unavailable(_)), "{error}");
    assert_eq!(everything(&store).await.len(), landed * 10, "reads go on and show whole pages");
    assert_eq!(store.stream_state(&key()).await.unwrap().cursor, puller.cursor);

    std::fs::remove_file(&ballast).unwrap();
    let page = puller.page((0..10).map(|at| rec(&format!("{landed:04}-{at}"), &body)).collect());
    assert_eq!(puller.commit(page).await.unwrap().created, 10);
    assert_eq!(everything(&store).await.len(), (landed + 1) * 10);
    drop(puller);
    drop(store);
    let file = rusqlite::Connection::open(small.0.path().join("renmen.db")).unwrap();
    let verdict: String = file.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(verdict, "ok");
}

/// A file system in memory of a few MiB; gone when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount(mebibytes: u32) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mounted = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={mebibytes}m"), "tmpfs"])
            .arg(folder.path())
            .output();
        mounted.is_ok_and(|output| output.status.success()).then_some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn what_is_no_database_of_ours_is_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| StoreOptions::at(format!("sqlite:{}", folder.path().join(name).display()));
    let missing = open_read_only(at("missing.db")).await.err().unwrap();
    assert!(matches!(&missing, StoreError::Unavailable(text) if text.contains("start the gateway once")), "{missing}");

    std::fs::write(folder.path().join("text.db"), "no database, but long enough to look at: ".repeat(40)).unwrap();
    assert!(matches!(open(at("text.db")).await, Err(StoreError::Fault(_))));

    let theirs = rusqlite::Connection::open(folder.path().join("theirs.db")).unwrap();
    theirs.execute_batch("CREATE TABLE t (a)").unwrap();
    drop(theirs);
    let refused = open(at("theirs.db")).await.err().unwrap();
    assert!(refused.to_string().contains("another program"), "{refused}");
}

#[tokio::test]
async fn a_read_that_takes_too_long_is_given_up_and_the_next_one_works() {
    let bed = Bed::sqlite().await;
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put((0..5_000).map(|at| rec(&format!("{at}"), "1")).collect()).await;
    let mut options = bed.options.clone();
    options.read_timeout_ms = 1;
    options.readers = 1;
    let hasty = open_read_only(options).await.unwrap();
    let asked: Vec<_> = (0..90_000).map(|at| ("employee".to_owned(), at.to_string())).collect();
    let late = hasty.known(&tenant(), &crate::puller::connection(), &asked).await;
    assert!(matches!(late, Err(StoreError::Unavailable(_))), "{late:?}");
    assert_eq!(bed.store.known(&tenant(), &crate::puller::connection(), &asked[..1]).await.unwrap().len(), 1);
}
