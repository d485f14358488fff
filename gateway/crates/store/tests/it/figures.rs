//! Counters that are kept, against what they count.

use crate::bed::on_both;
use crate::puller::{Puller, gone, key, of_kind, rec, tenant};

on_both! {
    async fn counts_follow_creation_deletion_and_return(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let unit = of_kind("org_unit", rec("u", "1"));
        puller.put(vec![rec("a", "1"), rec("b", "1"), rec("c", "1"), unit]).await;
        puller.put(vec![gone("a"), gone("b")]).await;
        puller.put(vec![rec("a", "9")]).await;
        let told: Vec<_> = bed.store.counts(&tenant()).await.unwrap().into_iter().map(|c| (c.entity, c.live, c.deleted)).collect();
        assert_eq!(told, [("employee".to_owned(), 2, 1), ("org_unit".to_owned(), 1, 0)]);
        assert_eq!(bed.store.stream_state(&key()).await.unwrap().records, 4);
    }

    async fn it_says_that_it_is_ready(bed: &Bed) {
        bed.store.ready().await.unwrap();
    }
}
