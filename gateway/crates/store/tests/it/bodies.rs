//! Answers that come again are kept once: for one connection, however often they come, and until nothing refers to them.

use std::sync::Arc;

use renmen_schema::id::{ExchangeId, TenantId};
use renmen_store::{ExchangeWrite, Quota, Store, StoreError};

use crate::bed::on_both;
use crate::puller::{Puller, connection, exchange, key, key_of, new_run, rec, tenant};

const BODY: usize = 10_000;

/// An exchange whose answer is this one: what is kept with it differs from exchange to exchange.
fn answered(no: u32, own: &str, answer: u8) -> ExchangeWrite {
    let mut packed = own.as_bytes().to_vec();
    packed.extend(vec![answer; BODY]);
    let body_at = Some(own.len() as u32);
    ExchangeWrite { body_hash: [answer; 32], packed, body_at, ..exchange(no) }
}

async fn kept(store: &Arc<dyn Store>, of: &TenantId) -> i64 {
    let all = store.disk_use(of).await.unwrap();
    all.iter().find(|one| one.connection == connection()).map_or(0, |one| one.exchanges_bytes.cast_signed())
}

/// What the row of such an exchange counts, and a body.
fn row_bytes(own: &str) -> i64 {
    (150 + own.len() + exchange(0).url.len()) as i64
}
const BODY_BYTES: i64 = 150 + BODY as i64;

/// Commits a page with these exchanges; gives its id.
async fn put(puller: &mut Puller, exchanges: Vec<ExchangeWrite>) -> i64 {
    let mut page = puller.page(vec![rec("a", "1")]);
    page.exchanges = exchanges;
    puller.commit(page).await.unwrap();
    puller.store.pages(&puller.key, 0, 1_000).await.unwrap().last().unwrap().id
}

async fn packed(store: &Arc<dyn Store>, of: &TenantId, page: i64) -> Vec<Vec<u8>> {
    let rows = store.page_exchanges(of, page).await.unwrap();
    rows.into_iter().map(|row| row.exchange.packed).collect()
}

on_both! {
    async fn an_answer_that_comes_again_is_kept_once_and_reads_as_it_came(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let first = put(&mut puller, vec![answered(0, "head 1", 7), answered(1, "head 2", 7)]).await;
        assert_eq!(kept(&bed.store, &tenant()).await, 2 * row_bytes("head 1") + BODY_BYTES, "twice in one page");
        puller.finish().await;
        // Another run, on another day.
        let mut puller = Puller::begin(&bed.store, key(), 1_000 + 86_400_000).await;
        let again = put(&mut puller, vec![answered(0, "head 3", 7)]).await;
        assert_eq!(kept(&bed.store, &tenant()).await, 3 * row_bytes("head 1") + BODY_BYTES, "and with the next pull");
        let other = put(&mut puller, vec![answered(0, "head 4", 8), exchange(1)]).await;
        for (page, wanted) in [
            (first, vec![answered(0, "head 1", 7), answered(1, "head 2", 7)]),
            (again, vec![answered(0, "head 3", 7)]),
            (other, vec![answered(0, "head 4", 8), exchange(1)]),
        ] {
            let wanted: Vec<Vec<u8>> = wanted.into_iter().map(|exchange| exchange.packed).collect();
            assert_eq!(packed(&bed.store, &tenant(), page).await, wanted, "page {page}");
        }
        let row = bed.store.exchange(&tenant(), ExchangeId { page: again, no: 0 }).await.unwrap().unwrap();
        assert_eq!(row.exchange.packed, answered(0, "head 3", 7).packed);
        assert_eq!(row.exchange.body_at, Some(6));
    }

    async fn neither_two_connections_nor_two_tenants_share_one(bed: &Bed) {
        let own_body = row_bytes("head") + BODY_BYTES;
        for of in [key(), key_of("beta", "employees")] {
            let mut puller = Puller::begin(&bed.store, of.clone(), 1_000).await;
            put(&mut puller, vec![answered(0, "head", 7)]).await;
            assert_eq!(kept(&bed.store, &of.tenant).await, own_body, "{}", of.tenant);
        }
        let mut neighbour = key();
        neighbour.connection = renmen_schema::id::ConnectionName::new("neighbour").unwrap();
        let mut puller = Puller::begin(&bed.store, neighbour.clone(), 1_000).await;
        let page = put(&mut puller, vec![answered(0, "head", 7)]).await;
        assert_eq!(kept(&bed.store, &tenant()).await, own_body, "each is charged for its own");
        // One that loses its own takes nothing from the others.
        bed.store.set_quota(&tenant(), &connection(), Quota { exchanges_bytes_max: 2_000, ..Quota::UNLIMITED });
        let run = bed.store.begin_run(new_run(&key(), 2_000)).await;
        assert!(matches!(run, Err(StoreError::Busy(_))) || run.is_ok());
        let mut own = Puller::begin(&bed.store, key_of("acme", "leavers"), 2_000).await;
        put(&mut own, vec![exchange(0)]).await;
        assert!(kept(&bed.store, &tenant()).await < BODY_BYTES, "its own is gone");
        assert_eq!(packed(&bed.store, &tenant(), page).await, [answered(0, "head", 7).packed]);
    }

    async fn a_body_goes_with_the_last_exchange_that_refers_to_it(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let mut pages = Vec::new();
        for n in 0..3 {
            pages.push(put(&mut puller, vec![answered(0, &n.to_string(), 7)]).await);
        }
        let row = row_bytes("0");
        // Room for one body and three rows: a small page takes the oldest row, and not the body.
        let quota = |bytes: i64| Quota { exchanges_bytes_max: bytes.unsigned_abs(), ..Quota::UNLIMITED };
        bed.store.set_quota(&tenant(), &connection(), quota(BODY_BYTES + 3 * row));
        put(&mut puller, vec![answered(0, "3", 7)]).await;
        assert_eq!(kept(&bed.store, &tenant()).await, BODY_BYTES + 3 * row);
        assert!(packed(&bed.store, &tenant(), pages[0]).await.is_empty());
        assert_eq!(packed(&bed.store, &tenant(), pages[1]).await, [answered(0, "1", 7).packed], "still referred to");
        // Another answer needs the room of all of them.
        bed.store.set_quota(&tenant(), &connection(), quota(BODY_BYTES + row));
        let last = put(&mut puller, vec![answered(0, "4", 8)]).await;
        assert_eq!(kept(&bed.store, &tenant()).await, BODY_BYTES + row);
        assert_eq!(packed(&bed.store, &tenant(), last).await, [answered(0, "4", 8).packed]);
        // The first one comes again: it is kept once more.
        let last = put(&mut puller, vec![answered(0, "5", 7)]).await;
        assert_eq!(packed(&bed.store, &tenant(), last).await, [answered(0, "5", 7).packed]);
        assert_eq!(kept(&bed.store, &tenant()).await, BODY_BYTES + row);
    }

    async fn a_page_that_is_refused_leaves_no_reference(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        put(&mut puller, vec![answered(0, "0", 7)]).await;
        let before = kept(&bed.store, &tenant()).await;
        let mut page = puller.page(vec![rec("b", "1")]);
        page.exchanges = vec![answered(0, "1", 7), answered(1, "1", 9)];
        page.cursor_before = Some("another".into());
        assert!(matches!(puller.store.commit_page(page).await, Err(StoreError::Fenced(_))));
        assert_eq!(kept(&bed.store, &tenant()).await, before);
        bed.store.set_quota(&tenant(), &connection(), Quota { exchanges_bytes_max: 1_000, ..Quota::UNLIMITED });
        put(&mut puller, vec![exchange(0)]).await;
        assert_eq!(kept(&bed.store, &tenant()).await, 150 + 4 + exchange(0).url.len() as i64, "the body went with its only one");
    }

    async fn an_exchange_without_its_body_is_told_as_damage(bed: &Bed) {
        let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
        let page = put(&mut puller, vec![answered(0, "0", 7)]).await;
        bed.beside("DELETE FROM exchange_body").await;
        let error = bed.store.page_exchanges(&tenant(), page).await.unwrap_err();
        assert!(matches!(&error, StoreError::Fault(text) if text.contains("without its body")), "{error}");
    }
}
