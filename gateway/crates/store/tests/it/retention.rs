//! What is deleted for its age, on both sides of each age; and what stays at any age.

use std::sync::Arc;

use renmen_store::{Quota, Retained, RetainedKind, RunEnd, RunFinding, RunState, Store};

use crate::bed::{Bed, on_both};
use crate::puller::{Puller, bad, connection, everything, gone, key, key_of, rec, tenant};

const DAY: i64 = 86_400_000;

fn keeps(store: &Arc<dyn Store>, change: impl FnOnce(&mut Quota)) {
    let mut quota = Quota::UNLIMITED;
    change(&mut quota);
    store.set_quota(&tenant(), &connection(), quota);
}

/// A whole pass.
async fn pass(store: &Arc<dyn Store>, now_ms: i64) {
    let mut at = store.begin_retention(now_ms, 0).await.unwrap();
    assert!(at.is_some(), "a pass begins");
    for _ in 0..10_000 {
        let Some(step) = at else { return };
        at = store.go_on_retention(step, now_ms).await.unwrap();
    }
    panic!("the pass never ends");
}

/// How many exchanges each page of the stream has left.
async fn left(store: &Arc<dyn Store>) -> Vec<usize> {
    let mut left = Vec::new();
    for page in store.pages(&key(), 0, 1_000).await.unwrap() {
        left.push(store.page_exchanges(&tenant(), page.id).await.unwrap().len());
    }
    left
}

async fn retained(store: &Arc<dyn Store>, kind: RetainedKind) -> Option<Retained> {
    store.retained(&tenant()).await.unwrap().into_iter().find(|one| one.kind == kind)
}

/// Commits a page at a time; the clock of a page is half a second before.
async fn put_at(puller: &mut Puller, now_ms: i64, records: Vec<renmen_store::RecordWrite>) {
    puller.now_ms = now_ms;
    puller.put(records).await;
}

async fn end(puller: &Puller, findings: Vec<RunFinding>) {
    let end = RunEnd { findings, state: RunState::Completed, error: None, retry_at_ms: None, now_ms: puller.now_ms };
    puller.store.finish_run(puller.run, end).await.unwrap();
}

on_both! {
    async fn old_exchanges_go_but_for_those_that_a_live_record_came_in(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        put_at(&mut puller, 1_500, vec![rec("a", "1")]).await;
        put_at(&mut puller, 2_500, vec![rec("b", "1")]).await;
        put_at(&mut puller, 3_500, vec![rec("b", "1")]).await;
        put_at(&mut puller, 4_500, vec![rec("a", "2")]).await;
        put_at(&mut puller, 5_500, vec![rec("c", "1")]).await;
        put_at(&mut puller, 6_500, vec![gone("c")]).await;
        put_at(&mut puller, 7_500, vec![rec("b", "1")]).await;
        let before = everything(&bed.store).await;
        let bytes = bed.store.disk_use(&tenant()).await.unwrap()[0].exchanges_bytes;
        keeps(&bed.store, |quota| quota.exchanges_age_max_ms = 10_000);
        // The fourth page's clock showed 4,000: it is not older than ten seconds yet.
        pass(&bed.store, 14_000).await;
        assert_eq!(left(&bed.store).await, [0, 1, 0, 1, 1, 1, 1], "the second is where b came from");
        let now = bed.store.disk_use(&tenant()).await.unwrap()[0].exchanges_bytes;
        assert_eq!(now, bytes / 7 * 5, "what went is not counted any more");
        pass(&bed.store, 16_001).await;
        assert_eq!(left(&bed.store).await, [0, 1, 0, 1, 0, 0, 1], "of a record that is deleted nothing is in use");
        let told = retained(&bed.store, RetainedKind::Exchanges).await.unwrap();
        assert_eq!((told.dropped, told.dropped_at_ms, told.oldest_at_ms), (4, Some(16_001), Some(2_000)));
        assert_eq!(told.connection, Some(connection()));
        // A newer revision of it frees the page.
        put_at(&mut puller, 16_500, vec![rec("b", "2")]).await;
        pass(&bed.store, 16_600).await;
        assert_eq!(left(&bed.store).await, [0, 0, 0, 1, 0, 0, 1, 1]);
        assert_eq!(everything(&bed.store).await.len(), before.len());
        assert_eq!(bed.store.revisions(&tenant(), before[0].id, 10).await.unwrap().len(), 2, "no revision goes");
    }

    async fn what_is_in_quarantine_keeps_its_exchange_and_goes_by_its_own_age(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut page = puller.page(Vec::new());
        page.quarantine = vec![bad(Some("x"), "{")];
        puller.commit(page).await.unwrap();
        puller.put(Vec::new()).await;
        keeps(&bed.store, |quota| quota.exchanges_age_max_ms = 1);
        pass(&bed.store, 100_000).await;
        assert_eq!(left(&bed.store).await, [1, 0]);
        keeps(&bed.store, |quota| {
            quota.exchanges_age_max_ms = 1;
            quota.quarantine_age_max_ms = 99_000;
        });
        pass(&bed.store, 100_000).await;
        assert_eq!(bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap().len(), 1, "not a moment before");
        assert_eq!(retained(&bed.store, RetainedKind::Quarantine).await.unwrap().oldest_at_ms, Some(1_000));
        pass(&bed.store, 100_001).await;
        assert!(bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap().is_empty());
        let told = retained(&bed.store, RetainedKind::Quarantine).await.unwrap();
        assert_eq!((told.dropped, told.dropped_at_ms, told.oldest_at_ms), (1, Some(100_001), None));
        pass(&bed.store, 100_002).await;
        assert_eq!(left(&bed.store).await, [0, 0]);
    }

    async fn a_connection_without_an_age_and_another_tenant_keep_what_they_have(bed: &Bed) {
        let mut theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_000).await;
        theirs.put(Vec::new()).await;
        assert!(bed.store.begin_retention(DAY, 0).await.unwrap().is_none(), "nothing has an age");
        let mut ours = Puller::begin(&bed.store, key(), 1_000).await;
        ours.put(Vec::new()).await;
        keeps(&bed.store, |quota| quota.exchanges_age_max_ms = 1_000);
        pass(&bed.store, DAY).await;
        assert_eq!(left(&bed.store).await, [0]);
        let page = bed.store.pages(&theirs.key, 0, 10).await.unwrap().remove(0);
        assert_eq!(bed.store.page_exchanges(&theirs.key.tenant, page.id).await.unwrap().len(), 1);
        assert!(bed.store.retained(&theirs.key.tenant).await.unwrap().is_empty());
    }

    async fn runs_that_wrote_nothing_go_with_their_pages_and_of_others_the_findings(bed: &Bed) {
        let mut runs = Vec::new();
        for n in 0..106_i64 {
            let mut puller = Puller::begin(&bed.store, key(), n * 1_000).await;
            let records = if n == 2 { vec![rec("a", "1")] } else { Vec::new() };
            puller.put(records).await;
            let finding = RunFinding {
                part: "department 7".into(),
                code: "forbidden".into(),
                message: "may not be read".into(),
                needs: renmen_schema::Remedy::Operator,
                missing: false,
            };
            end(&puller, vec![finding]).await;
            runs.push(puller.run);
        }
        let bytes = bed.store.disk_use(&tenant()).await.unwrap()[0].records_bytes;
        keeps(&bed.store, |quota| quota.runs_age_max_ms = 1);
        pass(&bed.store, 2 * DAY).await;
        assert!(bed.store.run(&tenant(), runs[0]).await.unwrap().is_some(), "two days at least");
        pass(&bed.store, 3 * DAY).await;
        let mut there = Vec::new();
        for (n, run) in runs.iter().enumerate() {
            if bed.store.run(&tenant(), *run).await.unwrap().is_some() {
                there.push(n);
            }
        }
        let wanted: Vec<usize> = [2].into_iter().chain(5..106).collect();
        assert_eq!(there, wanted, "what a record came with stays, and so do the newest");
        assert_eq!(left(&bed.store).await.len(), 102);
        let findings = |run| async move { bed.store.run_notes(&tenant(), run).await.unwrap().findings.len() };
        assert_eq!((findings(runs[2]).await, findings(runs[50]).await), (0, 1));
        assert_eq!(everything(&bed.store).await.len(), 1, "its record is shown as before");
        assert_eq!(retained(&bed.store, RetainedKind::Runs).await.unwrap().dropped, 4);
        let now = bed.store.disk_use(&tenant()).await.unwrap()[0].records_bytes;
        assert!((4 * 150..4 * 160).contains(&(bytes - now)), "{}", bytes - now);
        Puller::begin(&bed.store, key(), 3 * DAY).await.put(vec![rec("a", "2")]).await;
    }

    async fn one_pass_goes_on_at_a_time_and_one_that_stood_still_deletes_nothing(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(Vec::new()).await;
        keeps(&bed.store, |quota| quota.exchanges_age_max_ms = 1_000);
        let old = bed.store.begin_retention(DAY, 0).await.unwrap().unwrap();
        assert!(bed.store.begin_retention(DAY, 0).await.unwrap().is_none(), "one is under way");
        stands_still(bed, DAY).await;
        let later = DAY + 600_001;
        let new = bed.store.begin_retention(later, 0).await.unwrap().unwrap();
        assert!(bed.store.go_on_retention(old, later).await.unwrap().is_none());
        assert_eq!(left(&bed.store).await, [1]);
        let mut at = Some(new);
        while let Some(step) = at {
            at = bed.store.go_on_retention(step, later).await.unwrap();
        }
        assert_eq!(left(&bed.store).await, [0]);
        assert!(bed.store.begin_retention(later, DAY).await.unwrap().is_none(), "the last one began today");
        assert!(bed.store.begin_retention(later, 0).await.unwrap().is_some());
    }
}

/// Lets ten minutes pass for a pass by the clock of the leases.
async fn stands_still(bed: &Bed, _since_ms: i64) {
    if bed.store.backend() == "postgres" {
        bed.beside("UPDATE retention_pass SET touched_at = touched_at - 600001").await;
    }
}
