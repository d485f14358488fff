//! What only a server has: it goes away, and others share it.

use renmen_store::{StoreError, StoreOptions, open};

use crate::bed::Bed;
use crate::puller::{Puller, everything, key, key_of, new_run, rec};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_every_connection_is_cut_and_the_next_calls_go_on_without_loss() {
    let Some(bed) = Bed::postgres().await else { return };
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    for at in 0..5 {
        puller.put(vec![rec(&format!("{at}"), "1")]).await;
        let cut =
            format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", bed.database());
        bed.admin(&cut).await;
        // A call may meet a dead connection of the pool; each one met is thrown away, so a few tries are enough.
        for tries in 1.. {
            match bed.store.ready().await {
                Ok(()) => break,
                Err(error) => assert!(matches!(error, StoreError::Unavailable(_)) && tries < 20, "{error}"),
            }
        }
    }
    assert_eq!(everything(&bed.store).await.len(), 5);
    bed.end().await;
}

#[tokio::test]
async fn f03_a_server_that_is_not_there_is_unavailable() {
    // A port that was free a moment ago: no server listens on it.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let refused =
        open(StoreOptions::at(format!("postgres://renmen:hush@127.0.0.1:{port}/renmen"))).await.err().unwrap();
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused}");
    assert!(!refused.to_string().contains("hush"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_share_a_database_and_a_stream_belongs_to_one_of_them() {
    let Some(bed) = Bed::postgres().await else { return };
    let other = open(bed.options.clone()).await.unwrap();
    let mut here = Puller::begin(&bed.store, key(), 1_000).await;
    assert!(matches!(other.begin_run(new_run(&key(), 1_000)).await, Err(StoreError::Busy(_))));
    let mut there = Puller::begin(&other, key_of("acme", "leavers"), 1_000).await;
    for at in 0..5 {
        let (one, two) =
            tokio::join!(here.put(vec![rec(&format!("h{at}"), "1")]), there.put(vec![rec(&format!("t{at}"), "1")]));
        assert_eq!(one.created + two.created, 2);
    }
    assert_eq!(everything(&other).await.len(), 10);
    drop((there, other));
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gateways_that_start_together_migrate_once() {
    let Some(bed) = Bed::postgres().await else { return };
    let opened = futures_util::future::join_all((0..4).map(|_| open(bed.options.clone()))).await;
    assert!(opened.iter().all(Result::is_ok));
    drop(opened);
    bed.end().await;
}
