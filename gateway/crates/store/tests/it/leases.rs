//! Work that one gateway does at a time: who was first has it, and who saw an old beat does not get it.

use renmen_store::LeaseRow;

use crate::bed::on_both;
use crate::puller::tenant;

fn row(holder: Option<&str>, beat: i64, since_ms: i64) -> LeaseRow {
    LeaseRow { holder: holder.map(str::to_owned), beat, since_ms }
}

on_both! {
    async fn of_two_that_ask_at_once_one_has_it_and_the_other_sees_who(bed: &Bed) {
        let (store, tenant) = (&bed.store, tenant());
        assert_eq!(store.lease(&tenant, "loop").await.unwrap(), None);
        let (one, two) = tokio::join!(
            store.beat(&tenant, "loop", Some("one"), 0, 10),
            store.beat(&tenant, "loop", Some("two"), 0, 10),
        );
        let (one, two) = (one.unwrap(), two.unwrap());
        assert_eq!([one, two].into_iter().flatten().collect::<Vec<_>>(), [1]);
        let holder = if one.is_some() { "one" } else { "two" };
        assert_eq!(store.lease(&tenant, "loop").await.unwrap(), Some(row(Some(holder), 1, 10)));
        let other = renmen_schema::id::TenantId::new("globex").unwrap();
        assert_eq!(store.lease(&other, "loop").await.unwrap(), None);
        assert_eq!(store.lease(&tenant, "other").await.unwrap(), None);
    }

    async fn who_saw_an_older_beat_is_too_late(bed: &Bed) {
        let (store, tenant) = (&bed.store, tenant());
        assert_eq!(store.beat(&tenant, "loop", Some("one"), 0, 10).await.unwrap(), Some(1));
        assert_eq!(store.beat(&tenant, "loop", Some("one"), 1, 20).await.unwrap(), Some(2));
        assert_eq!(store.beat(&tenant, "loop", Some("two"), 1, 30).await.unwrap(), None, "it lives: its beat moved");
        assert_eq!(store.lease(&tenant, "loop").await.unwrap(), Some(row(Some("one"), 2, 10)), "held since the first");
        assert_eq!(store.beat(&tenant, "loop", Some("two"), 2, 40).await.unwrap(), Some(3));
        assert_eq!(store.beat(&tenant, "loop", Some("one"), 2, 50).await.unwrap(), None, "and the first one has lost it");
        assert_eq!(store.beat(&tenant, "loop", None, 3, 60).await.unwrap(), Some(4));
        assert_eq!(store.lease(&tenant, "loop").await.unwrap(), Some(row(None, 4, 60)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_opens_a_file_finds_every_lease_given_up() {
    let bed = crate::bed::Bed::sqlite().await;
    bed.store.beat(&tenant(), "loop", Some("one"), 0, 10).await.unwrap();
    let bed = bed.reopened("", "").await;
    assert_eq!(bed.store.lease(&tenant(), "loop").await.unwrap(), Some(row(None, 2, 10)));
    bed.end().await;
}
