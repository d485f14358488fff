//! One record, its lineage, its exchanges, and the wall between tenants.

use renmen_schema::id::{ExchangeId, RecordId};
use renmen_store::{StoreError, open_read_only};

use crate::bed::on_both;
use crate::puller::{Puller, everything, exchange, key, key_of, new_run, rec, tenant};

on_both! {
    async fn a_record_names_its_exchange_pointer_stream_run_and_plugin(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut record = rec("a", "1");
        record.exchange_no = 1;
        let mut page = puller.page(vec![record, rec("b", "1")]);
        page.exchanges.push(exchange(1));
        puller.commit(page).await.unwrap();

        let rows = everything(&bed.store).await;
        let origin = &rows[0].origin;
        assert_eq!((origin.stream.as_str(), origin.run, origin.pointer.as_str()), ("employees", puller.run, "/result/list/a"));
        assert_eq!((origin.plugin.name.as_str(), origin.plugin.digest.as_str()), ("dingtalk", "sha256:00"));
        let id = origin.exchange.unwrap();
        let kept = bed.store.exchange(&tenant(), id).await.unwrap().unwrap();
        assert_eq!((id.no, kept.run, kept.exchange.packed), (1, puller.run, exchange(1).packed));
        let both = bed.store.page_exchanges(&tenant(), id.page).await.unwrap();
        assert_eq!(both.iter().map(|row| row.exchange.no).collect::<Vec<_>>(), [0, 1]);
        for (page, no) in [(id.page, 2), (id.page + 1, 0), (-1, 0), (i64::MAX, 0), (id.page, u32::MAX)] {
            assert!(bed.store.exchange(&tenant(), ExchangeId { page, no }).await.unwrap().is_none());
        }
    }

    async fn an_older_revision_keeps_its_own_body_and_lineage(bed: &Bed) {
        let mut first = Puller::begin(&bed.store, key(), 1_000).await;
        first.put(vec![rec("a", "1")]).await;
        first.finish().await;
        let mut second = Puller::begin(&bed.store, key(), 2_000).await;
        second.put(vec![rec("a", "2")]).await;
        let id = everything(&bed.store).await[0].id;
        let revisions = bed.store.revisions(&tenant(), id, 10).await.unwrap();
        let told: Vec<_> = revisions.iter().map(|row| (row.revision, row.body.as_slice(), row.origin.run, row.id)).collect();
        assert_eq!(told, [(2, b"2".as_slice(), second.run, id), (1, b"1", first.run, id)]);
        assert_eq!(revisions[1].recorded_at_ms, 1_000);
    }

    async fn f17_ids_of_another_tenant_give_nothing(bed: &Bed) {
        let mut theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_000).await;
        theirs.put(vec![rec("a", "1")]).await;
        let their_tenant = theirs.key.tenant.clone();
        let change = bed.store.changes(&their_tenant, 0, None, 1).await.unwrap().remove(0);
        let page = bed.store.pages(&theirs.key, 0, 1).await.unwrap()[0].id;
        assert!(bed.store.record(&their_tenant, change.id).await.unwrap().is_some());

        assert!(bed.store.record(&tenant(), change.id).await.unwrap().is_none());
        assert!(bed.store.revisions(&tenant(), change.id, 9).await.unwrap().is_empty());
        assert!(bed.store.exchange(&tenant(), ExchangeId { page, no: 0 }).await.unwrap().is_none());
        assert!(bed.store.page_exchanges(&tenant(), page).await.unwrap().is_empty());
        assert!(bed.store.pages(&key(), 0, 9).await.unwrap().is_empty());
        assert!(bed.store.counts(&tenant()).await.unwrap().is_empty());
        assert!(everything(&bed.store).await.is_empty());
    }

    async fn an_id_that_is_changed_in_one_bit_is_unknown(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let id = everything(&bed.store).await[0].id;
        for bit in 0..128 {
            let other = RecordId(uuid::Uuid::from_u128(id.0.as_u128() ^ (1 << bit)));
            assert!(bed.store.record(&tenant(), other).await.unwrap().is_none(), "bit {bit}");
        }
    }

    async fn pages_tell_what_they_were_asked_with_and_the_connectors_clock(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        for at in 0..3 {
            puller.put(vec![rec(&at.to_string(), "1")]).await;
        }
        let pages = bed.store.pages(&key(), 0, 2).await.unwrap();
        let told: Vec<_> = pages.iter().map(|p| (p.cursor_before.as_deref(), p.cursor_after.as_deref(), p.now_ms)).collect();
        assert_eq!(told, [(None, Some("1"), 500), (Some("1"), Some("2"), 501)]);
        assert_eq!(bed.store.pages(&key(), pages[1].id, 9).await.unwrap().len(), 1);
    }

    async fn a_store_opened_for_reading_reads_beside_the_gateway_and_writes_nothing(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1")]).await;
        let beside = open_read_only(bed.options.clone()).await.unwrap();
        assert_eq!(everything(&beside).await.len(), 1);
        let page = puller.page(vec![rec("b", "1")]);
        assert!(matches!(beside.commit_page(page).await, Err(StoreError::Busy(_))));
        assert!(matches!(beside.begin_run(new_run(&key(), 1)).await, Err(StoreError::Busy(_))));
        assert!(matches!(beside.quarantine_drop(&tenant(), 1).await, Err(StoreError::Busy(_))));
        puller.put(vec![rec("b", "1")]).await;
        assert_eq!(everything(&beside).await.len(), 2);
    }
}
