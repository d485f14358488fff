//! What waits because it could not be taken in.

use renmen_schema::{Language, Text, text};
use renmen_store::{Known, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, bad, connection, everything, key, key_of, rec, tenant};

async fn refuse(puller: &mut Puller, items: Vec<renmen_store::QuarantineWrite>) {
    let mut page = puller.page(Vec::new());
    page.quarantine = items;
    puller.commit(page).await.unwrap();
}

on_both! {
    async fn f07_a_bad_record_waits_with_its_reason_and_bytes_while_the_rest_lands(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut page = puller.page(vec![rec("a", "1")]);
        page.quarantine = vec![bad(Some("x"), "{\"hire_date\":\"0000-00-00\"}"), bad(None, "\0\u{1}")];
        assert_eq!(puller.commit(page).await.unwrap().quarantined, 2);
        let waiting = bed.store.quarantine(&tenant(), Some(&connection()), 0, 10).await.unwrap();
        assert_eq!(waiting.len(), 2);
        assert_eq!((waiting[0].item.code.as_str(), waiting[0].run, waiting[0].attempts), ("schema", puller.run, 0));
        assert_eq!(waiting[1].item.raw, b"\0\x01");
        assert_eq!(bed.store.quarantine(&tenant(), None, waiting[0].id, 10).await.unwrap().len(), 1);
        assert_eq!(bed.store.page_exchanges(&tenant(), waiting[0].page).await.unwrap().len(), 1);
        assert_eq!(everything(&bed.store).await.len(), 1);
    }

    async fn the_same_bad_record_of_the_next_run_takes_the_place_of_the_first(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        refuse(&mut puller, vec![bad(Some("x"), "old"), bad(None, "same")]).await;
        refuse(&mut puller, vec![bad(Some("x"), "new"), bad(None, "same"), bad(None, "other")]).await;
        let waiting = bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap();
        assert_eq!(waiting.iter().map(|row| row.item.raw.as_slice()).collect::<Vec<_>>(), [b"new".as_slice(), b"same", b"other"]);
        assert_eq!(waiting[0].at_ms, 1_001);
    }

    async fn a_good_record_takes_its_bad_one_out(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        refuse(&mut puller, vec![bad(Some("x"), "{"), bad(Some("y"), "{")]).await;
        puller.put(vec![rec("x", "1")]).await;
        let waiting = bed.store.quarantine(&tenant(), None, 0, 10).await.unwrap();
        assert_eq!(waiting.iter().map(|row| row.item.external_id.as_deref()).collect::<Vec<_>>(), [Some("y")]);
    }

    async fn what_is_accepted_lands_with_the_origin_of_its_page(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        refuse(&mut puller, vec![bad(Some("x"), "{")]).await;
        let item = bed.store.quarantine(&tenant(), None, 0, 1).await.unwrap().remove(0);
        bed.store.quarantine_still(&tenant(), item.id, &Text::verbatim("still no date")).await.unwrap();
        let tried = bed.store.quarantine_get(&tenant(), item.id).await.unwrap().unwrap();
        assert_eq!((tried.attempts, tried.item.reason.english()), (1, "still no date"));

        let outcome = bed.store.quarantine_accept(&tenant(), item.id, rec("x", "1"), 5_000).await.unwrap();
        assert_eq!((outcome.created, outcome.last_seq), (1, 1));
        let row = everything(&bed.store).await.remove(0);
        assert_eq!((row.origin.run, row.origin.exchange.unwrap().page, row.recorded_at_ms), (puller.run, item.page, 5_000));
        assert!(bed.store.quarantine_get(&tenant(), item.id).await.unwrap().is_none());
        let again = bed.store.quarantine_accept(&tenant(), item.id, rec("x", "2"), 5_001).await;
        assert!(matches!(again, Err(StoreError::BadInput(_))));
        let known = bed.store.known(&tenant(), &connection(), &[("employee".into(), "x".into())]).await.unwrap();
        assert_eq!(known, [Some(Known { hash: rec("x", "1").hash(), deleted: false })]);
        puller.put(vec![rec("z", "1")]).await;
    }

    async fn a_reason_is_kept_in_both_languages_and_one_that_has_no_other_form_once(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        refuse(&mut puller, vec![bad(Some("x"), "{")]).await;
        let waiting = bed.store.quarantine(&tenant(), None, 0, 1).await.unwrap().remove(0);
        let both = |reason: &Text| (reason.english().to_owned(), reason.in_language(Language::Chinese).to_owned());
        assert_eq!(both(&waiting.item.reason), ("`hire_date` is not a date".into(), "`hire_date` 不是日期".into()));
        // Another reason takes the place of both forms.
        bed.store.quarantine_still(&tenant(), waiting.id, &Text::verbatim("the vendor's words")).await.unwrap();
        let tried = bed.store.quarantine_get(&tenant(), waiting.id).await.unwrap().unwrap();
        assert_eq!(both(&tried.item.reason), ("the vendor's words".into(), "the vendor's words".into()));
        bed.store.quarantine_still(&tenant(), waiting.id, &text!("still\0no date", "仍\0不是日期")).await.unwrap();
        let tried = bed.store.quarantine_get(&tenant(), waiting.id).await.unwrap().unwrap();
        assert_eq!(both(&tried.item.reason), ("still\u{fffd}no date".into(), "仍\u{fffd}不是日期".into()));
    }

    async fn another_tenants_quarantine_is_out_of_reach(bed: &Bed) {
        let mut theirs = Puller::begin(&bed.store, key_of("globex", "employees"), 1_000).await;
        refuse(&mut theirs, vec![bad(Some("x"), "{")]).await;
        let id = bed.store.quarantine(&theirs.key.tenant, None, 0, 1).await.unwrap()[0].id;
        assert!(bed.store.quarantine_get(&tenant(), id).await.unwrap().is_none());
        assert!(bed.store.quarantine_still(&tenant(), id, &Text::verbatim("no")).await.is_err());
        assert!(bed.store.quarantine_accept(&tenant(), id, rec("x", "1"), 1).await.is_err());
        assert!(!bed.store.quarantine_drop(&tenant(), id).await.unwrap());
        assert!(bed.store.quarantine_drop(&theirs.key.tenant, id).await.unwrap());
        assert!(!bed.store.quarantine_drop(&theirs.key.tenant, id).await.unwrap());
    }
}
