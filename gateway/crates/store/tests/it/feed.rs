//! The change feed.

use std::time::Duration;

use renmen_store::{ChangeKind, open_read_only};

use crate::bed::on_both;
use crate::puller::{Puller, gone, key, key_of, rec, tenant};

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

    async fn an_entity_and_a_tenant_see_their_own_entries_only(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_000).await;
        let mut unit = rec("u", "1");
        unit.entity = "org_unit".into();
        puller.put(vec![rec("a", "1")]).await;
        theirs.put(vec![rec("x", "1")]).await;
        puller.put(vec![unit, rec("b", "1")]).await;
        let seqs = |rows: Vec<renmen_store::ChangeRow>| rows.iter().map(|row| row.seq).collect::<Vec<_>>();
        assert_eq!(seqs(bed.store.changes(&tenant(), 0, None, 100).await.unwrap()), [1, 3, 4]);
        assert_eq!(seqs(bed.store.changes(&tenant(), 0, Some("org_unit"), 100).await.unwrap()), [4]);
        assert_eq!(seqs(bed.store.changes(&theirs.key.tenant, 0, None, 100).await.unwrap()), [2]);
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
        let (mut here, mut there) = (bed.store.watch(), beside.watch());
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
            let mut watch = bed.store.watch();
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
