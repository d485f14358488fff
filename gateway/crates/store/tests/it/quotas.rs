//! What a connection may keep on disk: counted with every commit, refused or pruned beyond, on both sides of each limit.

use std::sync::Arc;

use renmen_store::inbox::{DeliveryWrite, Intake, RefreshAsk, RefreshRow};
use renmen_store::{Quota, Store, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, bad, connection, everything, exchange, gone, key, key_of, new_run, rec, tenant};

async fn kept(store: &Arc<dyn Store>) -> (u64, u64) {
    let all = store.disk_use(&tenant()).await.unwrap();
    let own = all.into_iter().find(|one| one.connection == connection());
    own.map_or((0, 0), |one| (one.records_bytes, one.exchanges_bytes))
}

fn limited(store: &Arc<dyn Store>, change: impl FnOnce(&mut Quota)) {
    let mut quota = Quota::UNLIMITED;
    change(&mut quota);
    store.set_quota(&tenant(), &connection(), quota);
}

fn limit(result: Result<renmen_store::CommitOutcome, StoreError>) -> &'static str {
    match result {
        Err(StoreError::Quota { limit, message }) => {
            assert!(message.english().contains(limit) && message.english().contains("cursor stays"), "{message}");
            limit
        }
        other => panic!("{other:?}"),
    }
}

on_both! {
    async fn every_revision_and_page_is_counted_and_an_unchanged_record_is_not(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let body = "x".repeat(10_000);
        puller.put(vec![rec("a", &body), rec("b", &body)]).await;
        let (first, exchanges) = kept(&bed.store).await;
        assert!((20_000..21_500).contains(&first), "{first}");
        assert!((150..400).contains(&exchanges), "{exchanges}");
        puller.put(vec![rec("a", &body), rec("b", &body)]).await;
        let (same, _) = kept(&bed.store).await;
        assert!(same - first < 300, "a page and nothing else: {}", same - first);
        // The old body is kept along with the new one, and a tombstone keeps the last one.
        puller.put(vec![rec("a", &"y".repeat(5_000))]).await;
        let (changed, _) = kept(&bed.store).await;
        assert!((5_000..6_000).contains(&(changed - same)), "{}", changed - same);
        puller.put(vec![gone("b")]).await;
        let (deleted, _) = kept(&bed.store).await;
        assert!((10_000..11_000).contains(&(deleted - changed)), "{}", deleted - changed);
        // What a listing did not list is a tombstone too.
        puller.sweep(true, true, vec![rec("c", "1")]).await;
        let (swept, _) = kept(&bed.store).await;
        assert!((5_000..7_000).contains(&(swept - deleted)), "{}", swept - deleted);
    }

    async fn records_beyond_their_quota_stop_the_page_and_leave_all_as_it_was(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let body = "x".repeat(10_000);
        puller.put(vec![rec("a", &body)]).await;
        let before = kept(&bed.store).await;
        limited(&bed.store, |quota| quota.records_bytes_max = before.0 + 10_600);
        let page = puller.page(vec![rec("b", &body), rec("c", &body)]);
        assert_eq!(limit(puller.commit(page).await), "records_bytes_max");
        assert_eq!((kept(&bed.store).await, everything(&bed.store).await.len()), (before, 1));
        assert_eq!(bed.store.stream_state(&key()).await.unwrap().cursor.as_deref(), Some("1"), "the cursor stays");
        // One of them fits; and a long cursor does not get around the limit.
        puller.put(vec![rec("b", &body)]).await;
        let mut page = puller.page(Vec::new());
        page.cursor_after = Some("9".repeat(60_000));
        assert_eq!(limit(puller.commit(page).await), "records_bytes_max");
    }

    async fn another_connection_is_not_limited_by_it(bed: &Bed) {
        limited(&bed.store, |quota| quota.records_bytes_max = 1);
        let mut limited = Puller::begin(&bed.store, key(), 1_000).await;
        let page = limited.page(vec![rec("a", "1")]);
        assert_eq!(limit(limited.commit(page).await), "records_bytes_max");
        let mut other = Puller::begin(&bed.store, key_of("beta", "employees"), 1_000).await;
        assert_eq!(other.put(vec![rec("a", "1")]).await.created, 1);
    }

    async fn exchanges_beyond_their_quota_lose_the_oldest_and_the_run_goes_on(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let heavy = |no| renmen_store::ExchangeWrite { packed: vec![7; 10_000], ..exchange(no) };
        limited(&bed.store, |quota| quota.exchanges_bytes_max = 35_000);
        let mut pruned = 0;
        for n in 0..10 {
            let mut page = puller.page(vec![rec(&n.to_string(), "1")]);
            page.exchanges = vec![heavy(0)];
            pruned += puller.commit(page).await.unwrap().exchanges_pruned;
            assert!(kept(&bed.store).await.1 <= 35_000);
        }
        assert_eq!(pruned, 7);
        let pages = bed.store.pages(&key(), 0, 100).await.unwrap();
        let mut left = Vec::new();
        for page in &pages {
            left.push(bed.store.page_exchanges(&tenant(), page.id).await.unwrap().len());
        }
        assert_eq!(left, [0, 0, 0, 0, 0, 0, 0, 1, 1, 1], "the newest are left");
        assert_eq!(everything(&bed.store).await.len(), 10, "no record is lost with them");
        // A page that is too large by itself is refused.
        let mut page = puller.page(Vec::new());
        page.exchanges = (0..4).map(heavy).collect();
        assert_eq!(limit(puller.commit(page).await), "exchanges_bytes_max");
        let mut page = puller.page(Vec::new());
        page.exchanges = (0..3).map(heavy).collect();
        assert_eq!(puller.commit(page).await.unwrap().exchanges_pruned, 3);
    }

    async fn a_full_quarantine_stops_the_page_and_drops_nothing(bed: &Bed) {
        limited(&bed.store, |quota| (quota.quarantine_records_max, quota.quarantine_bytes_max) = (3, 1_000));
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut page = puller.page(vec![rec("good", "1")]);
        page.quarantine = vec![bad(Some("x"), "{"), bad(Some("y"), "{")];
        puller.commit(page).await.unwrap();
        let mut page = puller.page(vec![rec("good", "2")]);
        page.quarantine = vec![bad(Some("z"), "{"), bad(Some("w"), "{")];
        assert_eq!(limit(puller.commit(page).await), "quarantine_records_max");
        // What is there already is counted once, and a good record makes room.
        let mut page = puller.page(vec![rec("x", "1")]);
        page.quarantine = vec![bad(Some("y"), "{{"), bad(Some("z"), "{"), bad(Some("w"), "{")];
        puller.commit(page).await.unwrap();
        assert_eq!(bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap().len(), 3);
        let mut page = puller.page(Vec::new());
        page.quarantine = vec![bad(Some("y"), &"{".repeat(999))];
        assert_eq!(limit(puller.commit(page).await), "quarantine_bytes_max");
        let mut page = puller.page(Vec::new());
        page.quarantine = vec![bad(Some("y"), &"{".repeat(998))];
        puller.commit(page).await.unwrap();
        // One that is given up makes room as well.
        let waiting = bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap();
        assert!(bed.store.quarantine_drop(&tenant(), waiting[0].id).await.unwrap());
    }

    async fn a_record_that_leaves_quarantine_is_counted_like_any_other(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut page = puller.page(Vec::new());
        page.quarantine = vec![bad(Some("x"), "{")];
        puller.commit(page).await.unwrap();
        let waiting = bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap();
        let (before, _) = kept(&bed.store).await;
        limited(&bed.store, |quota| quota.records_bytes_max = before + 5_000);
        let heavy = rec("x", &"x".repeat(10_000));
        assert_eq!(limit(bed.store.quarantine_accept(&tenant(), waiting[0].id, heavy, 2_000).await), "records_bytes_max");
        assert_eq!(bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap().len(), 1, "it waits on");
        let light = rec("x", &"x".repeat(1_000));
        bed.store.quarantine_accept(&tenant(), waiting[0].id, light, 2_000).await.unwrap();
        assert!((1_000..2_000).contains(&(kept(&bed.store).await.0 - before)));
    }

    async fn a_delivery_that_asks_for_more_reads_than_may_wait_is_refused_whole(bed: &Bed) {
        limited(&bed.store, |quota| quota.refreshes_waiting_max = 3);
        let asks = |ids: &[&str]| -> Vec<RefreshAsk> {
            ids.iter().map(|id| RefreshAsk { stream: key().stream, external_id: Some((*id).to_owned()) }).collect()
        };
        bed.store.take_in(Intake { refreshes: asks(&["1", "2"]), ..delivery(1) }).await.unwrap();
        let refused = bed.store.take_in(Intake { refreshes: asks(&["3", "4"]), ..delivery(2) }).await;
        assert!(matches!(refused, Err(StoreError::Quota { limit: "refreshes_waiting_max", .. })));
        // It was not kept, so it may come again; what waits already is counted once.
        let taken = bed.store.take_in(Intake { refreshes: asks(&["2", "3"]), ..delivery(2) }).await.unwrap();
        assert!(!taken.repeated);
        let claimed = bed.store.claim_refreshes(10_000, 1_000, &[], 10).await.unwrap();
        let done = claimed.iter().map(RefreshRow::done).collect();
        bed.store.settle_refreshes(done, Vec::new(), 10_000).await.unwrap();
        bed.store.take_in(Intake { refreshes: asks(&["3", "4"]), ..delivery(3) }).await.unwrap();
    }
}

/// A delivery that brings nothing.
fn delivery(number: u8) -> Intake {
    Intake {
        tenant: tenant(),
        connection: connection(),
        plugin: new_run(&key(), 0).plugin,
        delivery: Some(DeliveryWrite {
            identity: [number; 32],
            delivery_id: None,
            repeats_after_ms: None,
            received_at_ms: 1_000,
        }),
        pages: Vec::new(),
        refreshes: Vec::new(),
        held: Vec::new(),
        done: Vec::new(),
        clock_ms: 1_000,
        now_ms: 1_000,
    }
}
