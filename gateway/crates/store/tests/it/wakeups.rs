//! Commits of other gateways are heard of at once where the connection passes that on, and found by looking where it does not.

use std::sync::Arc;
use std::time::Duration;

use renmen_store::{Store, StoreOptions, Wakeup, open};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::bed::Bed;
use crate::puller::{Puller, key, key_of, rec, tenant};

/// Only so that a broken build ends.
const LONG: Duration = Duration::from_secs(30);
/// Longer than any test takes: nothing is found by looking.
const NEVER_MS: u64 = 3_600_000;

async fn until(store: &Arc<dyn Store>, wanted: Wakeup) {
    let reached = async {
        while store.wakeup() != wanted {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LONG, reached).await.unwrap_or_else(|_| panic!("{:?}, not {wanted:?}", store.wakeup()));
}

async fn gateway(options: &StoreOptions, poll_ms: u64) -> Arc<dyn Store> {
    open(StoreOptions { poll_ms, ..options.clone() }).await.unwrap()
}

async fn sees(store: &Arc<dyn Store>, of: &renmen_schema::id::TenantId, seq: i64) {
    let mut head = store.watch(of);
    tokio::time::timeout(LONG, head.wait_for(|known| *known >= seq)).await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_of_another_gateway_is_heard_of_without_looking() {
    let Some(bed) = Bed::postgres().await else { return };
    let (one, two) = (gateway(&bed.options, NEVER_MS).await, gateway(&bed.options, NEVER_MS).await);
    until(&one, Wakeup::Listening).await;
    until(&two, Wakeup::Listening).await;
    let mut ours = Puller::begin(&one, key(), 1_000).await;
    let mut theirs = Puller::begin(&two, key_of("globex", "employees"), 1_000).await;
    let globex = theirs.key.tenant.clone();
    for seq in 1..=5 {
        ours.put(vec![rec(&format!("a{seq}"), "1")]).await;
        theirs.put(vec![rec(&format!("x{seq}"), "1")]).await;
        sees(&two, &tenant(), seq).await;
        sees(&one, &globex, seq).await;
    }
    // Links move no feed; who waits for it looks again all the same.
    let mut feed = two.watch(&tenant());
    feed.mark_unchanged();
    let child = one.changes(&tenant(), 0, None, 1).await.unwrap()[0].id;
    let links = vec![renmen_store::LinkWrite { child, parents: Vec::new() }];
    let stream = renmen_schema::id::StreamName::new("links").unwrap();
    one.author(renmen_store::AuthoredCommit { links, ..renmen_store::AuthoredCommit::of(tenant(), stream, 1) })
        .await
        .unwrap();
    tokio::time::timeout(LONG, feed.changed()).await.unwrap().unwrap();
    assert_eq!(*feed.borrow(), 5);
    drop((ours, theirs, one, two));
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_whose_connection_is_cut_hears_again_and_misses_nothing() {
    let Some(bed) = Bed::postgres().await else { return };
    let two = gateway(&bed.options, NEVER_MS).await;
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    for seq in 1..=3 {
        until(&two, Wakeup::Listening).await;
        let cut = format!(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
             WHERE datname = '{}' AND application_name = 'renmen-wakeup'",
            bed.database()
        );
        let least = if seq == 1 { 1 } else { 0 };
        let none = "RAISE EXCEPTION 'no connection hears'";
        bed.admin(&format!("DO $$ BEGIN IF ({cut}) < {least} THEN {none}; END IF; END $$")).await;
        puller.put(vec![rec(&format!("a{seq}"), "1")]).await;
        sees(&two, &tenant(), seq).await;
    }
    drop(two);
    bed.end().await;
}

/// Passes a connection on, and swallows notifications, as a pooler does that gives the server's connection to another
/// client after each transaction.
async fn pooler(server: std::net::SocketAddr) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            tokio::spawn(async move {
                if let Ok(server) = TcpStream::connect(server).await {
                    let _ = pass_on(client, server).await;
                }
            });
        }
    });
    address
}

async fn pass_on(mut client: TcpStream, server: TcpStream) -> std::io::Result<()> {
    const TLS_ASKED: u32 = 80_877_103;
    let (mut from_server, mut to_server) = server.into_split();
    let mut head = [0; 8];
    client.read_exact(&mut head).await?;
    if u32::from_be_bytes([head[4], head[5], head[6], head[7]]) == TLS_ASKED {
        client.write_all(b"N").await?;
    } else {
        to_server.write_all(&head).await?;
    }
    let (mut from_client, mut to_client) = client.into_split();
    let up = tokio::spawn(async move { tokio::io::copy(&mut from_client, &mut to_server).await });
    while let Ok(kind) = from_server.read_u8().await {
        let length = from_server.read_u32().await?;
        let mut body = vec![0; length as usize - 4];
        from_server.read_exact(&mut body).await?;
        if kind == b'A' {
            continue;
        }
        let mut message = vec![kind];
        message.extend(length.to_be_bytes());
        message.extend(body);
        to_client.write_all(&message).await?;
    }
    up.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn behind_a_pooler_that_passes_nothing_on_changes_are_found_by_looking_and_others_hear_of_its_own() {
    let Some(bed) = Bed::postgres().await else { return };
    let url = &bed.options.url;
    let begin = url.find("://").unwrap() + 3;
    let rest = &url[begin..];
    let (user, host) = rest.split('/').next().unwrap().rsplit_once('@').unwrap_or(("postgres", rest));
    let host = host.split('/').next().unwrap();
    let server = tokio::net::lookup_host(host).await.unwrap().next().unwrap();
    let through = pooler(server).await;
    let options =
        StoreOptions { url: format!("postgres://{user}@{through}/{}", bed.database()), ..bed.options.clone() };
    let (pooled, direct) = (gateway(&options, 50).await, gateway(&bed.options, NEVER_MS).await);
    until(&pooled, Wakeup::Polling).await;
    until(&direct, Wakeup::Listening).await;
    let mut here = Puller::begin(&direct, key(), 1_000).await;
    here.put(vec![rec("a", "1")]).await;
    sees(&pooled, &tenant(), 1).await;
    let mut there = Puller::begin(&pooled, key_of("acme", "leavers"), 1_000).await;
    there.put(vec![rec("b", "1")]).await;
    sees(&direct, &tenant(), 2).await;
    drop((here, there, pooled, direct));
    bed.end().await;
}

#[tokio::test]
async fn a_file_has_one_writer_and_nothing_to_hear() {
    let bed = Bed::sqlite().await;
    assert_eq!(bed.store.wakeup(), Wakeup::Local);
    bed.end().await;
}
