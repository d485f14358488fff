//! F01: the process is killed, and what is on disk is whole pages up to the cursor.
//!
//! The test starts itself again as a child that does nothing but commit pages, kills it, and looks.

use std::io::{Read as _, Write as _};
use std::process::{Child, Command, Stdio};

use renmen_store::{RunState, Store, StoreOptions, open};

use crate::puller::{Puller, everything, key, rec, tenant};

const CHILD: &str = "RENMEN_STORE_CRASH_CHILD";
const PAGE: usize = 20;

/// The child: commits until it is killed. Does nothing in a usual test run, where the variable is not set.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn child_commits_until_it_is_killed() {
    let Ok(url) = std::env::var(CHILD) else { return };
    let store = open(StoreOptions::at(url)).await.unwrap();
    let mut puller = Puller::begin(&store, key(), 1_000).await;
    for _ in 0..100_000 {
        let from = puller.cursor.as_ref().map_or(0, |cursor| cursor.parse::<usize>().unwrap()) * PAGE;
        puller.put((from..from + PAGE).map(|at| rec(&format!("{at:08}"), "1")).collect()).await;
        // The parent counts the pages.
        std::io::stderr().write_all(b".").unwrap();
    }
}

fn child(url: &str, failpoint: Option<&str>) -> Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "crash::child_commits_until_it_is_killed", "--nocapture"]).env(CHILD, url);
    if let Some(failpoint) = failpoint {
        command.env("RENMEN_STORE_FAILPOINT", failpoint);
    }
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

/// Pages up to the cursor, whole, once, each with its changes; nothing else.
async fn whole(url: &str) -> usize {
    let store = open(StoreOptions::at(url)).await.unwrap();
    let pages = store.stream_state(&key()).await.unwrap().cursor.map_or(0, |cursor| cursor.parse().unwrap());
    let rows = everything(&store).await;
    assert_eq!(rows.len(), pages * PAGE);
    assert!(rows.iter().enumerate().all(|(at, row)| row.external_id == format!("{at:08}") && row.revision == 1));
    assert_eq!(*store.watch(&tenant()).borrow(), rows.len() as i64);
    let mut changes = Vec::new();
    loop {
        let after = changes.last().copied().unwrap_or(0);
        let more = store.changes(&tenant(), after, None, 1_000).await.unwrap();
        if more.is_empty() {
            break;
        }
        changes.extend(more.iter().map(|change| change.seq));
    }
    assert_eq!(changes, (1..=rows.len() as i64).collect::<Vec<_>>());
    interrupted(&*store).await;
    pages
}

async fn interrupted(store: &dyn Store) {
    for run in store.runs(&tenant(), None, 100).await.unwrap() {
        assert_eq!(run.state, RunState::Interrupted);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_kill_at_a_random_moment_leaves_whole_pages_up_to_the_cursor() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("renmen.db").display());
    let mut before = 0;
    for _ in 0..6 {
        let mut child = child(&url, None);
        // Killed somewhere within the page after so many, no matter what it is doing then: a clock does not decide.
        let mut pages = vec![0; 1 + usize::from(rand::random::<u8>()) % 60];
        child.stderr.as_mut().unwrap().read_exact(&mut pages).unwrap();
        for _ in 0..u32::from(rand::random::<u16>()) {
            std::hint::spin_loop();
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let pages = whole(&url).await;
        assert!(pages > before, "{pages} pages after {before}: the child went on where the last one was killed");
        before = pages;
    }
}

#[cfg(feature = "failpoints")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f01_an_end_at_each_named_place_of_a_commit_leaves_it_whole_or_undone() {
    let end = async |place: &str| {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("renmen.db").display());
        let status = child(&url, Some(place)).wait().unwrap();
        assert!(!status.success(), "{place} was never reached");
        whole(&url).await
    };
    // Only pages have records. Opening a store and beginning a run are commits too.
    assert_eq!(end("after_records:3").await, 2);
    let undone = end("before_commit:6").await;
    assert!((1..5).contains(&undone), "{undone} pages before the sixth commit");
    assert_eq!(end("after_commit:6").await, undone + 1);
}
