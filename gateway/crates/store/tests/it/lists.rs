//! Lists: filters, order, and what a client that pages to the end may rely on.

use renmen_store::{RecordQuery, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, connection, drain, gone, key, key_of, of_kind, rec, tenant};

fn names(rows: &[renmen_store::RecordRow]) -> Vec<&str> {
    rows.iter().map(|row| row.external_id.as_str()).collect()
}

fn all(limit: u32) -> RecordQuery {
    RecordQuery { limit, ..RecordQuery::default() }
}

on_both! {
    async fn filters_narrow_by_entity_connection_id_and_deletion(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let unit = of_kind("org_unit", rec("u", "1"));
        puller.put(vec![rec("a", "1"), rec("b", "1"), unit]).await;
        puller.put(vec![gone("b")]).await;
        let ask = |change: fn(&mut RecordQuery)| {
            let mut query = all(10);
            change(&mut query);
            query
        };
        let cases: [(RecordQuery, &[&str]); 8] = [
            (ask(|_| {}), &["a", "u"]),
            (ask(|query| query.entity = Some("employee".into())), &["a"]),
            (ask(|query| query.entity = Some("nothing".into())), &[]),
            (ask(|query| query.deleted = Some(true)), &["b"]),
            (ask(|query| query.deleted = Some(false)), &["a", "u"]),
            (ask(|query| query.include_deleted = true), &["a", "b", "u"]),
            (ask(|query| query.external_id = Some("u".into())), &["u"]),
            (ask(|query| query.external_id = Some("b".into())), &[]),
        ];
        for (query, wanted) in cases {
            assert_eq!(names(&drain(&bed.store, query.clone()).await), wanted, "{query:?}");
            let since = RecordQuery { updated_since_ms: Some(0), ..query.clone() };
            let mut rows = drain(&bed.store, since).await;
            rows.sort_by(|a, b| a.external_id.cmp(&b.external_id));
            assert_eq!(names(&rows), wanted, "since 0: {query:?}");
        }
        let other = RecordQuery { connection: Some(renmen_schema::id::ConnectionName::new("other").unwrap()), ..all(10) };
        assert!(drain(&bed.store, other).await.is_empty());
        let ours = RecordQuery { connection: Some(connection()), ..all(10) };
        assert_eq!(names(&drain(&bed.store, ours).await), ["a", "u"]);
    }

    async fn updated_since_takes_its_first_millisecond_and_orders_by_change(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1"), rec("c", "1")]).await;
        puller.put(vec![rec("d", "1")]).await;
        puller.put(vec![rec("b", "2")]).await;
        let since = |since_ms| RecordQuery { updated_since_ms: Some(since_ms), ..all(1) };
        assert_eq!(names(&drain(&bed.store, since(1_000)).await), ["a", "c", "d", "b"]);
        assert_eq!(names(&drain(&bed.store, since(1_001)).await), ["d", "b"]);
        assert_eq!(names(&drain(&bed.store, since(1_002)).await), ["b"]);
        assert!(drain(&bed.store, since(1_003)).await.is_empty());
    }

    async fn paging_is_in_order_for_every_page_size(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let kind = |at: usize| if at.is_multiple_of(3) { "org_unit" } else { "employee" };
        let records: Vec<_> = (0..25).map(|at| of_kind(kind(at), rec(&format!("{at:02}"), "1"))).collect();
        puller.put(records).await;
        let whole = drain(&bed.store, all(100)).await;
        assert_eq!(whole.len(), 25);
        for limit in [1, 2, 7, 24, 25] {
            assert_eq!(names(&drain(&bed.store, all(limit)).await), names(&whole), "{limit} a page");
        }
        assert!(bed.store.records(&tenant(), &all(25)).await.unwrap().next.is_none(), "no empty last page");
    }

    async fn no_record_is_skipped_or_doubled_while_others_write(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put((0..60).map(|at| rec(&format!("{at:03}"), "0")).collect()).await;
        for since in [None, Some(0)] {
            let mut query = RecordQuery { updated_since_ms: since, include_deleted: true, ..all(7) };
            let mut seen = Vec::new();
            let mut turn = 0;
            loop {
                let slice = bed.store.records(&tenant(), &query).await.unwrap();
                seen.extend(slice.items.into_iter().map(|row| row.external_id));
                let Some(next) = slice.next else { break };
                query.after = Some(next);
                turn += 1;
                // Updates before and behind the reader, some twice; new ones at both ends; a deletion.
                let body = format!("{since:?}{turn}");
                let at = |number: i32| format!("{:03}", number % 60);
                puller.put(vec![rec(&at(turn), &body), rec(&at(59 - turn), &body), rec(&at(turn * 17), &body)]).await;
                puller.put(vec![gone(&at(turn * 5)), rec(&format!("!{body}"), "n"), rec(&format!("~{body}"), "n")]).await;
            }
            let mut old: Vec<_> = seen.into_iter().filter(|id| id.starts_with('0')).collect();
            old.sort();
            assert_eq!(old, (0..60).map(|at| format!("{at:03}")).collect::<Vec<_>>(), "since {since:?}");
        }
    }

    async fn a_cursor_of_another_query_or_of_nobody_is_refused(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        puller.put(vec![rec("a", "1"), rec("b", "1")]).await;
        let next = bed.store.records(&tenant(), &all(1)).await.unwrap().next;
        assert!(next.is_some());
        let other = RecordQuery { entity: Some("employee".into()), after: next.clone(), ..all(1) };
        assert!(matches!(bed.store.records(&tenant(), &other).await, Err(StoreError::BadInput(_))));
        let theirs = key_of("globex", "employees").tenant;
        let stolen = RecordQuery { after: next, ..all(1) };
        assert!(matches!(bed.store.records(&theirs, &stolen).await, Err(StoreError::BadInput(_))));
        for text in ["", "zz", "01", "'; --"] {
            let query = RecordQuery { after: Some(text.into()), ..all(1) };
            assert!(matches!(bed.store.records(&tenant(), &query).await, Err(StoreError::BadInput(_))), "{text:?}");
        }
    }
}
