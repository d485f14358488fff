//! The change feed.

use std::time::Duration;

use renmen_store::{ChangeKind, open_read_only};

use crate::bed::on_both;
use crate::puller::{Puller, gone, key, key_of, of_kind, rec, tenant};

on_both! {
    async fn every_revision_has_one_entry_in_order(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        puller.put(vec![rec("a", "2")]).await;
        puller.put(vec![gone("b"), rec("a", "2")]).await;
        let changes = bed.store.changes(&tenant(), 0, None, 100).await.unwrap();
        let told: Vec<_> = changes.iter().map(|c| (c.seq, c.kind, c.external_id.as_str(), c.revision, c.at_ms)).collect();
        assert_eq!(told, [
            (1, ChangeKind::Created, "a", 1, 1_000),
            (2, ChangeKind::Created, "b", 1, 1_000),
            (3, ChangeKind::Updated, "a", 2, 1_001),
            (4, ChangeKind::Deleted, "b", 2, 1_002),
        ]);
        let record = bed.store.record(&tenant(), changes[0].id).await.unwrap().unwrap();
        assert_eq!((record.external_id.as_str(), record.revision), ("a", 2));
        let rest = bed.store.changes(&tenant(), 2, None, 1).await.unwrap();
        assert_eq!(rest.iter().map(|change| change.seq).collect::<Vec<_>>(), [3]);
    }

    async fn a_position_is_held_until_the_store_is_restored_from_an_earlier_state(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        let before = bed.store.epoch().await.unwrap();
        for (seq, epoch, held) in [(2, Some(before), true), (0, Some(before), true), (3, Some(before), false),
            (2, None, true), (3, None, false), (1, Some(before.wrapping_add(1)), false)] {
            assert_eq!(bed.store.holds_position(&tenant(), seq, epoch).await.unwrap(), held, "{seq} {epoch:?}");
        }
        // Another writer begins another epoch, as a gateway does that was started after a restore: what the first epoch handed
        // out after that point was never here.
        let after = renmen_store::open_read_only(bed.options.clone()).await.unwrap();
        assert_eq!(after.epoch().await.unwrap(), before, "a reader begins none");
        puller.put(vec![rec("c", "1")]).await;
        assert!(bed.store.holds_position(&tenant(), 3, Some(before)).await.unwrap());
    }

    async fn an_entity_and_a_tenant_see_their_own_entries_only(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_000).await;
        let unit = of_kind("org_unit", rec("u", "1"));
        puller.put(vec![rec("a", "1")]).await;
        theirs.put(vec![rec("x", "1")]).await;
        puller.put(vec![unit, rec("b", "1")]).await;
        let seqs = |rows: Vec<renmen_store::ChangeRow>| rows.iter().map(|row| row.seq).collect::<Vec<_>>();
        assert_eq!(seqs(bed.store.changes(&tenant(), 0, None, 100).await.unwrap()), [1, 2, 3]);
        assert_eq!(seqs(bed.store.changes(&tenant(), 0, Some("org_unit"), 100).await.unwrap()), [3]);
        assert_eq!(seqs(bed.store.changes(&theirs.key.tenant, 0, None, 100).await.unwrap()), [1], "each counts its own");
    }

    async fn the_times_of_the_feed_never_go_back_though_a_clock_does(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 5_000).await;
        puller.put(vec![rec("a", "1")]).await;
        puller.now_ms = 1_000;
        puller.put(vec![rec("b", "1")]).await;
        let times: Vec<_> = bed.store.changes(&tenant(), 0, None, 9).await.unwrap().iter().map(|change| change.at_ms).collect();
        assert_eq!(times, [5_000, 5_000]);
    }

    async fn a_commit_of_this_process_and_of_another_is_told(bed: &Bed) {
        let beside = open_read_only(bed.options.clone()).await.unwrap();
        let (mut here, mut there) = (bed.store.watch(&tenant()), beside.watch(&tenant()));
        assert_eq!((*here.borrow_and_update(), *there.borrow_and_update()), (0, 0));
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        assert_eq!(*here.borrow_and_update(), 1, "at once");
        // 30 s only so that a broken build ends; within a second is what is promised.
        tokio::time::timeout(Duration::from_secs(30), there.wait_for(|seq| *seq == 1)).await.unwrap().unwrap();
    }

    async fn concurrent_streams_give_a_feed_without_gaps_or_doubles(bed: &Bed) {
        let mut tasks = Vec::new();
        for stream in ["s1", "s2", "s3", "s4"] {
            let mut puller = Puller::begin(&bed.store, key_of("acme", stream), 1_000).await;
            tasks.push(tokio::spawn(async move {
                for page in 0..10 {
                    puller.put((0..5).map(|at| rec(&format!("{stream}-{page}-{at}"), "1")).collect()).await;
                }
            }));
        }
        // A reader that goes after the last it saw must in the end have seen all of them.
        let mut followed = Vec::new();
        while followed.len() < 200 {
            let mut watch = bed.store.watch(&tenant());
            let after = followed.last().copied().unwrap_or(0);
            let new = bed.store.changes(&tenant(), after, None, 1_000).await.unwrap();
            if new.is_empty() {
                watch.wait_for(|seq| *seq > after).await.unwrap();
            }
            followed.extend(new.iter().map(|change| change.seq));
        }
        assert_eq!(followed, (1..=200).collect::<Vec<i64>>());
        for task in tasks {
            task.await.unwrap();
        }
    }
}

/// A copy of the file is put back: what a restore from a backup is to SQLite.
#[tokio::test]
async fn a_position_of_a_later_state_is_not_held_by_a_restored_file_however_far_the_feed_grows_again() {
    let bed = crate::bed::Bed::sqlite().await;
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put(vec![rec("a", "1")]).await;
    let (path, options) = (bed.path(), bed.options.clone());
    let backup = path.with_extension("backup");
    drop((puller, bed.store));
    std::fs::copy(&path, &backup).unwrap();

    let store = renmen_store::open(options.clone()).await.unwrap();
    let mut puller = Puller::begin(&store, key(), 100_000).await;
    puller.put(vec![rec("b", "1"), rec("c", "1")]).await;
    let (seq, epoch) = (*store.watch(&tenant()).borrow(), store.epoch().await.unwrap());
    assert!(store.holds_position(&tenant(), seq, Some(epoch)).await.unwrap());
    drop((puller, store));
    let reopened = renmen_store::open(options.clone()).await.unwrap();
    assert!(reopened.holds_position(&tenant(), seq, Some(epoch)).await.unwrap(), "a restart alone gives nothing up");
    drop(reopened);

    std::fs::copy(&backup, &path).unwrap();
    let restored = renmen_store::open(options).await.unwrap();
    assert!(!restored.holds_position(&tenant(), seq, Some(epoch)).await.unwrap());
    let mut puller = Puller::begin(&restored, key(), 200_000).await;
    puller.put((0..10).map(|n| rec(&format!("d{n}"), "1")).collect()).await;
    assert!(!restored.holds_position(&tenant(), seq, Some(epoch)).await.unwrap(), "other changes stand there now");
    assert!(restored.holds_position(&tenant(), seq, None).await.unwrap(), "which a number alone cannot tell");
}
