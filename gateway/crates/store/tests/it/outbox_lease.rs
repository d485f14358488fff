//! By which clock a claim of the outbox is over.

use crate::bed::on_both;
use crate::outbox::{arrived, claim, put, settle, step};
use crate::puller::{Puller, key, rec};

on_both! {
    async fn where_several_share_the_store_a_lease_ends_by_its_clock_and_not_by_that_of_who_asks(bed: &Bed) {
        let store = &bed.store;
        let mut puller = Puller::begin(store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let flow = store.put_flow(put("f", "{}")).await.unwrap();
        step(store, &flow).await.unwrap();
        let taken = claim(store, 1, 1_000).await.remove(0);
        let hours_ahead = claim(store, 1, 90_000_000).await;
        assert_eq!(hours_ahead.len(), usize::from(store.backend() == "sqlite"), "one process alone has one clock");
        bed.time_passes(60_000).await;
        // The clock of who asks is behind: what is over is found all the same.
        let again = if store.backend() == "sqlite" { 90_060_000 } else { 1_001 };
        assert!(store.due(again).await.unwrap()[0].next_at_ms <= again);
        let next = claim(store, 1, again).await.remove(0);
        assert!(!settle(store, &taken, arrived("late"), again).await);
        assert!(settle(store, &next, arrived("v1"), again).await);
    }
}
