//! Deletes by diff: only what a whole listing did not list.

use renmen_store::{DeletedBy, StoreError, Sweep};

use crate::bed::on_both;
use crate::puller::{Puller, bad, everything, gone, key, key_of, rec};

async fn live(store: &std::sync::Arc<dyn renmen_store::Store>) -> Vec<String> {
    everything(store).await.into_iter().filter(|row| row.deleted.is_none()).map(|row| row.external_id).collect()
}

on_both! {
    async fn what_a_whole_sweep_did_not_list_gets_a_tombstone(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.sweep(true, true, vec![rec("a", "1"), rec("b", "1"), rec("c", "1"), rec("d", "1")]).await;
        puller.sweep(true, false, vec![rec("a", "1")]).await;
        assert!(bed.store.stream_state(&key()).await.unwrap().sweeping);
        let mut last = puller.page(vec![rec("e", "1")]);
        last.sweep = Some(Sweep { begins: false, ends: true, partial: false, brake: None });
        last.unchanged = vec![("employee".into(), "b".into()), ("nothing".into(), "b".into())];
        last.quarantine = vec![bad(Some("c"), "{"), bad(None, "{")];
        assert_eq!(puller.commit(last).await.unwrap().deleted, 1);
        assert_eq!(live(&bed.store).await, ["a", "b", "c", "e"], "c is in quarantine, which is not gone");
        assert!(!bed.store.stream_state(&key()).await.unwrap().sweeping);
        let tombstone = everything(&bed.store).await.into_iter().find(|row| row.external_id == "d").unwrap();
        assert_eq!((tombstone.deleted, tombstone.body.as_slice()), (Some(DeletedBy::FullDiff), b"1".as_slice()));
        assert_eq!(tombstone.origin.exchange, None, "no exchange shows what is not there");
    }

    async fn a_sweep_that_did_not_end_deletes_nothing_and_goes_on_in_the_next_run(bed: &Bed) {
        let mut first = Puller::begin(&bed.store, key(), 1_000).await;
        first.sweep(true, true, vec![rec("a", "1"), rec("b", "1"), rec("c", "1")]).await;
        first.sweep(true, false, vec![rec("a", "1")]).await;
        first.finish().await;
        assert_eq!(live(&bed.store).await.len(), 3);

        let mut second = Puller::begin(&bed.store, key(), 2_000).await;
        assert_eq!(second.sweep(false, true, vec![rec("b", "1")]).await.deleted, 1);
        assert_eq!(live(&bed.store).await, ["a", "b"]);
    }

    async fn a_new_sweep_forgets_what_the_one_before_saw(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.sweep(true, false, vec![rec("a", "1"), rec("b", "1")]).await;
        puller.sweep(true, false, vec![rec("a", "1")]).await;
        assert_eq!(puller.sweep(false, true, vec![]).await.deleted, 1);
        assert_eq!(live(&bed.store).await, ["a"]);
    }

    async fn a_page_outside_breaks_a_sweep_off_and_its_rest_is_fenced(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.sweep(true, false, vec![rec("a", "1"), rec("b", "1")]).await;
        puller.put(vec![rec("c", "1")]).await;
        let mut rest = puller.page(vec![]);
        rest.sweep = Some(Sweep { begins: false, ends: true, partial: false, brake: None });
        assert!(matches!(puller.commit(rest).await, Err(StoreError::Fenced(_))));
        assert_eq!(live(&bed.store).await.len(), 3);
    }

    async fn a_sweep_leaves_what_another_stream_or_tenant_brought(bed: &Bed) {
        let mut leavers = Puller::begin(&bed.store, key_of("acme", "leavers"), 1_000).await;
        leavers.put(vec![rec("left", "1")]).await;
        let mut theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_000).await;
        theirs.put(vec![rec("x", "1")]).await;
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.sweep(true, true, vec![rec("a", "1")]).await;
        assert_eq!(puller.sweep(true, true, vec![]).await.deleted, 1);
        assert_eq!(live(&bed.store).await, ["left"]);
        assert_eq!(bed.store.counts(&theirs.key.tenant).await.unwrap()[0].live, 1);
    }

    async fn a_tombstone_is_not_swept_again(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.sweep(true, true, vec![rec("a", "1"), rec("b", "1")]).await;
        puller.put(vec![gone("a")]).await;
        let swept = puller.sweep(true, true, vec![rec("b", "1")]).await;
        assert_eq!((swept.deleted, swept.last_seq), (0, 3));
    }
}
