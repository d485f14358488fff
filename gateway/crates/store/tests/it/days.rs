//! Exchanges on a server lie in parts that are dropped as a whole: who reads or writes them does not notice.

use renmen_schema::id::ConnectionName;
use renmen_store::{ExchangeWrite, Quota, RetainedKind, StreamKey};

use crate::bed::Bed;
use crate::puller::{Puller, connection, everything, exchange, key, rec, tenant};

/// The first page of a part.
const fn first_of(part: i64) -> i64 {
    part << 24
}

async fn pass(bed: &Bed, now_ms: i64) {
    let mut at = bed.store.begin_retention(now_ms, 0).await.unwrap();
    assert!(at.is_some(), "a pass begins");
    while let Some(step) = at {
        at = bed.store.go_on_retention(step, now_ms).await.unwrap();
    }
}

fn ages(bed: &Bed, name: &ConnectionName, age_ms: i64) {
    let quota = Quota { exchanges_age_max_ms: age_ms, ..Quota::UNLIMITED };
    bed.store.set_quota(&tenant(), name, quota);
}

/// The part that was begun last becomes yesterday's.
async fn a_day_goes_by(bed: &Bed, part: i64) {
    bed.beside(&format!("COMMENT ON TABLE exchange_{part} IS '2020-01-01'")).await;
}

async fn assert_sql(bed: &Bed, holds: &str) {
    let failed = format!("DO $$ BEGIN IF NOT ({holds}) THEN RAISE EXCEPTION 'it does not hold'; END IF; END $$");
    bed.beside(&failed).await;
}

fn answered(own: &str, answer: u8) -> ExchangeWrite {
    let mut packed = own.as_bytes().to_vec();
    packed.extend(vec![answer; 5_000]);
    ExchangeWrite { body_hash: [answer; 32], packed, body_at: Some(own.len() as u32), ..exchange(0) }
}

/// Commits a page whose clock shows this; gives its id.
async fn put(puller: &mut Puller, clock_ms: i64, id: &str, answer: u8) -> i64 {
    puller.now_ms = clock_ms + 500;
    let mut page = puller.page(vec![rec(id, &answer.to_string())]);
    page.exchanges = vec![answered(id, answer)];
    puller.commit(page).await.unwrap();
    puller.store.pages(&puller.key, 0, 1_000).await.unwrap().last().unwrap().id
}

async fn exchanges(bed: &Bed, page: i64) -> Vec<Vec<u8>> {
    let rows = bed.store.page_exchanges(&tenant(), page).await.unwrap();
    rows.into_iter().map(|row| row.exchange.packed).collect()
}

async fn bytes(bed: &Bed) -> u64 {
    let all = bed.store.disk_use(&tenant()).await.unwrap();
    all.into_iter().find(|one| one.connection == connection()).map_or(0, |one| one.exchanges_bytes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_is_dropped_as_a_whole_but_for_what_is_in_use() {
    let Some(bed) = Bed::postgres().await else { return };
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    ages(&bed, &connection(), 10_000);
    let before = put(&mut puller, 1_000, "a", 1).await;
    pass(&bed, 5_000).await;
    let first = put(&mut puller, 20_000, "b", 2).await;
    assert!(before < first_of(1) && first > first_of(1), "{before} {first}: the day has a part");
    let second = put(&mut puller, 21_000, "c", 3).await;
    let third = put(&mut puller, 22_000, "c", 4).await;
    let fourth = put(&mut puller, 23_000, "c", 4).await;
    a_day_goes_by(&bed, 1).await;
    pass(&bed, 24_000).await;
    let next = put(&mut puller, 40_000, "d", 4).await;
    assert!(next > first_of(2));
    // The whole day is left until it is over for all of it.
    pass(&bed, 32_500).await;
    for page in [first, second, third, fourth] {
        assert_eq!(exchanges(&bed, page).await.len(), 1);
    }
    let row = |id: &str| (150 + id.len() + exchange(0).url.len()) as u64;
    let body = 150 + 5_000;
    assert_eq!(bytes(&bed).await, 6 * row("a") + 4 * body);
    pass(&bed, 33_001).await;
    assert_sql(&bed, "to_regclass('exchange_1') IS NULL AND to_regclass('exchange_2') IS NOT NULL").await;
    assert_eq!(exchanges(&bed, first).await, [answered("b", 2).packed]);
    assert_eq!(exchanges(&bed, third).await, [answered("c", 4).packed], "the newest revision of c");
    assert_eq!((exchanges(&bed, second).await.len(), exchanges(&bed, fourth).await.len()), (0, 0));
    assert_eq!(exchanges(&bed, before).await.len(), 1, "of the time before, a is still in use");
    assert_eq!(bytes(&bed).await, 4 * row("a") + 3 * body, "one body went, and one is still referred to");
    let told = bed.store.retained(&tenant()).await.unwrap();
    let told = told.iter().find(|one| one.kind == RetainedKind::Exchanges).unwrap();
    assert_eq!((told.dropped, told.dropped_at_ms, told.oldest_at_ms), (2, Some(33_001), Some(1_000)));
    // What was in use goes when a newer revision takes its place.
    put(&mut puller, 41_000, "b", 5).await;
    pass(&bed, 42_000).await;
    assert_eq!(exchanges(&bed, first).await.len(), 0);
    assert_eq!(exchanges(&bed, third).await, [answered("c", 4).packed]);
    assert_eq!(everything(&bed.store).await.len(), 4);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_day_with_something_that_may_stay_is_gone_through_page_by_page() {
    let Some(bed) = Bed::postgres().await else { return };
    let other = ConnectionName::new("other").unwrap();
    let theirs = StreamKey { connection: other.clone(), ..key() };
    ages(&bed, &connection(), 10_000);
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    put(&mut puller, 1_000, "a", 1).await;
    pass(&bed, 5_000).await;
    let ours = put(&mut puller, 20_000, "a", 2).await;
    put(&mut puller, 21_000, "a", 3).await;
    let mut puller = Puller::begin(&bed.store, theirs, 20_000).await;
    let kept = put(&mut puller, 20_000, "x", 2).await;
    put(&mut puller, 20_500, "x", 3).await;
    a_day_goes_by(&bed, 1).await;
    pass(&bed, 24_000).await;
    put(&mut puller, 60_000, "x", 4).await;
    pass(&bed, 50_000).await;
    assert_sql(&bed, "to_regclass('exchange_1') IS NOT NULL").await;
    assert_eq!((exchanges(&bed, ours).await.len(), exchanges(&bed, kept).await.len()), (0, 1));
    ages(&bed, &other, 10_000);
    pass(&bed, 50_000).await;
    assert_sql(&bed, "to_regclass('exchange_1') IS NULL").await;
    assert_eq!(exchanges(&bed, kept).await.len(), 0);
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_whose_part_is_not_there_is_kept_and_moves_to_it_later() {
    let Some(bed) = Bed::postgres().await else { return };
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    put(&mut puller, 1_000, "a", 1).await;
    assert_sql(&bed, "to_regclass('exchange_4') IS NOT NULL AND to_regclass('exchange_5') IS NULL").await;
    bed.beside(&format!("SELECT setval('page_id_seq', {})", first_of(9))).await;
    let page = put(&mut puller, 2_000, "b", 2).await;
    assert_sql(&bed, "(SELECT count(*) FROM exchange_kept) = 1").await;
    assert_eq!(exchanges(&bed, page).await.len(), 1);
    // Two gateways look at once.
    let looks = [bed.store.begin_retention(3_000, 0), bed.store.begin_retention(3_000, 0)];
    for look in futures_util::future::join_all(looks).await {
        assert!(look.unwrap().is_none(), "nothing has an age");
    }
    assert_sql(&bed, "(SELECT count(*) FROM exchange_9) = 1 AND (SELECT count(*) FROM exchange_kept) = 0").await;
    assert_sql(&bed, "to_regclass('exchange_13') IS NOT NULL").await;
    assert_eq!(exchanges(&bed, page).await, [answered("b", 2).packed]);
    bed.end().await;
}
