//! Who may commit, and what a run tells afterwards.

use renmen_schema::id::RunId;
use renmen_store::{RunEnd, RunState, RunTrigger, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, connection, everything, key, key_of, new_run, rec, tenant};

on_both! {
    async fn a_commit_with_another_cursor_is_fenced_and_writes_nothing(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let mut again = puller.page(vec![rec("b", "1")]);
        again.cursor_before = None;
        assert!(matches!(puller.commit(again).await, Err(StoreError::Fenced(_))));
        assert_eq!(everything(&bed.store).await.len(), 1);
        assert_eq!(puller.put(vec![rec("b", "1")]).await.created, 1);
    }

    async fn a_run_whose_lease_is_over_loses_its_stream_to_the_next(bed: &Bed) {
        let mut first = Puller::begin(&bed.store, key(), 1_000).await;
        first.put(vec![rec("a", "1")]).await;
        // The commit at 1,000 renewed the lease of 60,000.
        let busy = bed.store.begin_run(new_run(&key(), 60_999)).await;
        assert!(matches!(busy, Err(StoreError::Busy(_))), "{busy:?}");
        bed.time_passes(60_000).await;
        let mut second = Puller::begin(&bed.store, key(), 61_000).await;

        let page = first.page(vec![rec("b", "old")]);
        assert!(matches!(first.commit(page).await, Err(StoreError::Fenced(_))));
        let end = RunEnd { findings: Vec::new(), state: RunState::Completed, error: None, retry_at_ms: None, now_ms: 61_001 };
        assert!(matches!(bed.store.finish_run(first.run, end).await, Err(StoreError::Fenced(_))));
        assert_eq!(second.put(vec![rec("b", "new")]).await.created, 1);
        let lost = bed.store.run(&tenant(), first.run).await.unwrap().unwrap();
        assert_eq!((lost.state, lost.ended_at_ms), (RunState::Interrupted, Some(1_000)));
    }

    async fn a_run_whose_row_is_gone_holds_its_stream_no_longer(bed: &Bed) {
        let mut gone = Puller::begin(&bed.store, key(), 1_000).await;
        gone.put(vec![rec("a", "1")]).await;
        assert!(matches!(bed.store.begin_run(new_run(&key(), 1_001)).await, Err(StoreError::Busy(_))), "it is live");
        bed.beside(&format!("DELETE FROM run WHERE id = {}", gone.run.0)).await;

        let mut next = Puller::begin(&bed.store, key(), 1_001).await;
        assert_eq!(next.put(vec![rec("b", "1")]).await.created, 1);
        let page = gone.page(vec![rec("c", "old")]);
        assert!(matches!(gone.commit(page).await, Err(StoreError::Fenced(_))), "and it commits no more");
    }

    async fn streams_do_not_hold_each_other_up(bed: &Bed) {
        let mut employees = Puller::begin(&bed.store, key(), 1_000).await;
        let mut leavers = Puller::begin(&bed.store, key_of("acme", "leavers"), 1_000).await;
        employees.put(vec![rec("a", "1")]).await;
        leavers.put(vec![rec("b", "1")]).await;
        assert_eq!(everything(&bed.store).await.len(), 2);
    }

    async fn a_run_tells_its_figures_its_end_and_its_plugin(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        puller.put(vec![rec("a", "2")]).await;
        let end = RunEnd {
            findings: Vec::new(),
            state: RunState::Failed,
            error: Some("rate_limited: slow down".into()),
            retry_at_ms: Some(9_000),
            now_ms: 2_000,
        };
        bed.store.finish_run(puller.run, end).await.unwrap();
        let run = bed.store.run(&tenant(), puller.run).await.unwrap().unwrap();
        assert_eq!((run.pages, run.records, run.outcome.created, run.outcome.updated, run.outcome.last_seq), (2, 3, 2, 1, 3));
        assert_eq!((run.state, run.started_at_ms, run.ended_at_ms), (RunState::Failed, 1_000, Some(2_000)));
        assert_eq!((run.error.as_deref(), run.retry_at_ms), (Some("rate_limited: slow down"), Some(9_000)));
        assert_eq!((run.plugin.version.as_str(), run.trigger), ("0.1.0", RunTrigger::Manual));
    }

    async fn runs_come_newest_first_and_only_to_their_tenant(bed: &Bed) {
        for now_ms in [1_000, 2_000, 3_000] {
            Puller::begin(&bed.store, key(), now_ms).await.finish().await;
        }
        let theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_000).await;
        let runs = bed.store.runs(&tenant(), Some(&connection()), 2).await.unwrap();
        assert_eq!(runs.iter().map(|run| run.started_at_ms).collect::<Vec<_>>(), [3_000, 2_000]);
        assert!(bed.store.run(&tenant(), theirs.run).await.unwrap().is_none());
        assert!(bed.store.run(&theirs.key.tenant, theirs.run).await.unwrap().is_some());
        assert!(bed.store.run(&tenant(), RunId(99)).await.unwrap().is_none());
    }

    async fn a_stream_tells_where_it_stands_and_forgets_it_when_reset(bed: &Bed) {
        let fresh = bed.store.stream_state(&key()).await.unwrap();
        assert_eq!((fresh.cursor, fresh.mid_run, fresh.sweeping, fresh.records), (None, false, false, 0));
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let cut = bed.store.stream_state(&key()).await.unwrap();
        assert_eq!((cut.cursor.as_deref(), cut.mid_run, cut.records), (Some("1"), true, 1));

        bed.store.reset_stream(&key()).await.unwrap();
        let reset = bed.store.stream_state(&key()).await.unwrap();
        assert_eq!((reset.cursor, reset.mid_run, reset.records), (None, false, 1));
        let page = puller.page(vec![rec("b", "1")]);
        assert!(matches!(puller.commit(page).await, Err(StoreError::Fenced(_))), "a live run is fenced by a reset");
    }
}
