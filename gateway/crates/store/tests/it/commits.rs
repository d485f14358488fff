//! What a page does to the records.

use renmen_store::{CommitOutcome, DeletedBy, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, connection, everything, gone, key, rec, tenant};

on_both! {
    async fn a_page_is_created_then_unchanged_then_updated(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let first = puller.put(vec![rec("b", "1"), rec("a", "1")]).await;
        assert_eq!(first, CommitOutcome { created: 2, last_seq: 2, ..CommitOutcome::default() });
        let same = puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        assert_eq!(same, CommitOutcome { unchanged: 2, last_seq: 2, ..CommitOutcome::default() });
        let other = puller.put(vec![rec("a", "2"), rec("b", "1"), rec("c", "1")]).await;
        assert_eq!(other, CommitOutcome { created: 1, updated: 1, unchanged: 1, last_seq: 4, ..CommitOutcome::default() });

        let rows = everything(&bed.store).await;
        let seen: Vec<_> = rows.iter().map(|row| (row.external_id.as_str(), row.revision, row.body.as_slice())).collect();
        assert_eq!(seen, [("a", 2, b"2".as_slice()), ("b", 1, b"1"), ("c", 1, b"1")]);
        assert_eq!((rows[0].created_at_ms, rows[0].recorded_at_ms), (1_000, 1_002));
    }

    async fn the_last_of_two_with_the_same_id_in_a_page_wins(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let outcome = puller.put(vec![rec("a", "1"), rec("b", "1"), rec("a", "2")]).await;
        assert_eq!((outcome.created, outcome.repeated, outcome.unchanged, outcome.last_seq), (2, 1, 0, 2));
        assert_eq!(everything(&bed.store).await[0].body, b"2");
    }

    async fn a_deletion_keeps_the_last_body_and_the_way_back_is_an_update(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        assert_eq!(puller.put(vec![gone("a"), gone("never-seen")]).await.deleted, 1);
        let row = everything(&bed.store).await.remove(0);
        assert_eq!((row.deleted, row.body.as_slice(), row.revision), (Some(DeletedBy::SourceFlag), b"1".as_slice(), 2));
        assert_eq!(row.source_updated_at_ms, Some(7));
        assert_eq!(puller.put(vec![gone("a")]).await.unchanged, 1);

        let back = puller.put(vec![rec("a", "1")]).await;
        assert_eq!((back.updated, back.last_seq), (1, 3));
        let revisions = bed.store.revisions(&tenant(), row.id, 10).await.unwrap();
        let told: Vec<_> = revisions.iter().map(|row| (row.revision, row.deleted.is_some())).collect();
        assert_eq!(told, [(3, false), (2, true), (1, false)]);
        assert_eq!(bed.store.revisions(&tenant(), row.id, 2).await.unwrap().len(), 2);
    }

    async fn what_is_known_comes_in_the_order_asked(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "2")]).await;
        puller.put(vec![gone("b")]).await;
        let ask = |entity: &str, id: &str| (entity.to_owned(), id.to_owned());
        let asked = [ask("employee", "b"), ask("org_unit", "a"), ask("employee", "x\0"), ask("employee", "a"), ask("employee", "b")];
        let known = bed.store.known(&tenant(), &connection(), &asked).await.unwrap();
        let told: Vec<_> = known.iter().map(|known| known.map(|known| (known.hash == rec("a", "1").hash(), known.deleted))).collect();
        assert_eq!(told, [Some((false, true)), None, None, Some((true, false)), Some((false, true))]);
    }

    async fn a_page_over_a_limit_is_refused_whole(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        for wrong in ["", "nul\0", &"x".repeat(1_025)] {
            let page = puller.page(vec![rec("a", "1"), rec(wrong, "1")]);
            let error = puller.commit(page).await.unwrap_err();
            assert!(matches!(&error, StoreError::BadInput(text) if text.starts_with("record 1 of the page")), "{error}");
        }
        assert!(everything(&bed.store).await.is_empty());
        assert_eq!(puller.put(vec![rec(&"x".repeat(1_024), "1")]).await.created, 1);
    }

    async fn an_empty_page_moves_the_cursor_and_nothing_else(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut page = puller.page(Vec::new());
        page.exchanges.clear();
        assert_eq!(puller.commit(page).await.unwrap(), CommitOutcome::default());
        assert_eq!(bed.store.stream_state(&key()).await.unwrap().cursor.as_deref(), Some("1"));
    }
}
