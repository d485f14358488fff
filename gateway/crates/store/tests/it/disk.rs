//! What is told of a disk that is full and of a file that is damaged. SQLite alone: a server looks after its own.

use std::io::{Seek as _, SeekFrom, Write as _};

use renmen_store::{StoreError, StoreOptions, Trouble};

use crate::bed::Bed;
use crate::puller::{Puller, everything, key, rec};

#[tokio::test]
async fn a_disk_with_less_room_than_asked_for_is_not_ready_and_is_again_when_there_is_room() {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("renmen.db").display());
    let options = StoreOptions { disk_free_bytes_min: u64::MAX, ..StoreOptions::at(url) };
    let store = renmen_store::open(options.clone()).await.unwrap();
    let error = store.ready().await.unwrap_err();
    assert!(matches!(&error, StoreError::Unavailable(text) if text.contains("disk_free_bytes_min")), "{error}");
    assert_eq!(store.trouble(), Some(Trouble::DiskFull));
    let mut puller = Puller::begin(&store, key(), 1_000).await;
    assert_eq!(puller.put(vec![rec("a", "1")]).await.created, 1, "what fits is still written");
    drop((puller, store));
    let store = renmen_store::open(StoreOptions { disk_free_bytes_min: 1, ..options }).await.unwrap();
    store.ready().await.unwrap();
    assert_eq!(store.trouble(), None);
}

#[tokio::test]
async fn a_damaged_file_is_told_by_the_read_that_meets_it_and_stays_told() {
    let bed = Bed::sqlite().await;
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    let body = "x".repeat(20_000);
    puller.put((0..200).map(|n| rec(&format!("r{n:03}"), &body)).collect()).await;
    let path = bed.path();
    drop((puller, bed.store));
    let mut file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let length = file.metadata().unwrap().len();
    // Not the first pages, without which nothing opens: the middle of what was written.
    file.seek(SeekFrom::Start(length / 2)).unwrap();
    file.write_all(&vec![0xA5; usize::try_from(length / 2).unwrap()]).unwrap();
    drop(file);
    let store = renmen_store::open(bed.options).await.unwrap();
    store.ready().await.unwrap();
    let query = renmen_store::RecordQuery { limit: 1_000, ..renmen_store::RecordQuery::default() };
    let met = store.records(&key().tenant, &query).await;
    assert!(matches!(&met, Err(StoreError::Unavailable(text)) if text.contains("restore")), "{:?}", met.err());
    assert_eq!(store.trouble(), Some(Trouble::Damaged));
    assert!(store.ready().await.is_err(), "until the file is restored");
}

#[tokio::test]
async fn a_store_without_trouble_says_none() {
    let bed = Bed::sqlite().await;
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put(vec![rec("a", "1")]).await;
    bed.store.ready().await.unwrap();
    assert_eq!((bed.store.trouble(), everything(&bed.store).await.len()), (None, 1));
}
