//! What a PostgreSQL server does to its clients: it crashes, becomes a replica, fills its disk, cancels statements. Nothing is lost,
//! nothing is doubled, and the store goes on by itself.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use renmen_store::{Store, StoreError, StoreOptions, Trouble, open};

use crate::bed::Bed;
use crate::puller::{Puller, everything, key, key_of, new_run, rec};
use crate::server::{Server, SmallDisk};

/// Does what sync does: a page that could not be committed is committed again, and where it may have landed the cursor tells.
struct Patient {
    store: Arc<dyn Store>,
    stream: &'static str,
}

impl Patient {
    async fn begin(&self) -> Puller {
        let key = key_of("acme", self.stream);
        loop {
            let state = self.store.stream_state(&key).await;
            let begun = match state {
                // A lease of nothing: what was cut is gone on from at once.
                Ok(_) => self.store.begin_run(renmen_store::NewRun { lease_ms: 0, ..new_run(&key, 1_000) }).await,
                Err(error) => Err(error),
            };
            match begun {
                Ok(run) => match self.store.stream_state(&key).await {
                    Ok(state) => {
                        let store = Arc::clone(&self.store);
                        return Puller { store, key, run, cursor: state.cursor, now_ms: 1_000 };
                    }
                    Err(error) => wait(&error).await,
                },
                Err(error) => wait(&error).await,
            }
        }
    }

    /// Commits pages of one record each until it is told to stop; each record is numbered by its page.
    async fn pull(&self, stop: &AtomicBool, committed: &AtomicU64) -> usize {
        let mut puller = self.begin().await;
        let mut pages = 0;
        while !stop.load(Ordering::Relaxed) {
            pages = puller.cursor.as_ref().map_or(0, |cursor| cursor.parse().unwrap());
            let page = puller.page(vec![rec(&format!("{}-{pages:06}", self.stream), "1")]);
            match puller.commit(page).await {
                Ok(_) => {
                    committed.fetch_add(1, Ordering::Relaxed);
                    pages += 1;
                }
                Err(StoreError::Fenced(_)) => puller = self.begin().await,
                Err(error) => wait(&error).await,
            }
        }
        pages
    }
}

/// Every error of a server that is away passes by itself; anything else is a fault.
async fn wait(error: &StoreError) {
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    tokio::time::sleep(Duration::from_millis(20)).await;
}

/// Every record of every page up to the cursor, once, each with its change.
async fn whole(store: &Arc<dyn Store>, pages: usize) {
    let rows = everything(store).await;
    assert_eq!(rows.len(), pages);
    assert!(rows.iter().all(|row| row.revision == 1));
    let mut changes = Vec::new();
    loop {
        let after = changes.last().copied().unwrap_or(0);
        let more = store.changes(&key().tenant, after, None, 1_000).await.unwrap();
        if more.is_empty() {
            break;
        }
        changes.extend(more.iter().map(|change| change.seq));
    }
    assert_eq!(changes.len(), pages, "a change for each record");
    assert!(changes.windows(2).all(|pair| pair[0] < pair[1]), "each position once");
}

/// Waits until so many more pages were committed.
async fn progress(committed: &AtomicU64, more: u64) {
    let until = committed.load(Ordering::Relaxed) + more;
    while committed.load(Ordering::Relaxed) < until {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_server_that_crashes_under_load_loses_and_doubles_nothing() {
    let Some(server) = Server::start(&[]) else { return };
    let (one, two) =
        (open(StoreOptions::at(server.url())).await.unwrap(), open(StoreOptions::at(server.url())).await.unwrap());
    let (stop, committed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let pullers: Vec<_> = [(&one, "a"), (&one, "b"), (&two, "c"), (&two, "d")]
        .into_iter()
        .map(|(store, stream)| {
            let (patient, stop, committed) =
                (Patient { store: Arc::clone(store), stream }, Arc::clone(&stop), Arc::clone(&committed));
            tokio::spawn(async move { patient.pull(&stop, &committed).await })
        })
        .collect();
    // The long form, `cargo xtask faults`, says how often, and looks at the clock.
    let long: Option<u32> = std::env::var("RENMEN_TEST_POSTGRES_RESTARTS").ok().map(|times| times.parse().unwrap());
    let mut longest = Duration::ZERO;
    for _ in 0..long.unwrap_or(3) {
        progress(&committed, 20).await;
        server.crash();
        let away = one.ready().await.unwrap_err();
        assert!(matches!(away, StoreError::Unavailable(_)), "{away:?}");
        if long.is_some() {
            tokio::time::sleep(Duration::from_millis(u64::from(rand::random::<u8>()) * 8)).await;
        }
        server.up();
        let begun = std::time::Instant::now();
        progress(&committed, 1).await;
        longest = longest.max(begun.elapsed());
    }
    if let Some(times) = long {
        eprintln!("{times} crashes; a page was committed again after {} ms at most", longest.as_millis());
        assert!(longest < Duration::from_secs(10));
    }
    progress(&committed, 20).await;
    stop.store(true, Ordering::Relaxed);
    let mut pages = 0;
    for puller in pullers {
        pages += puller.await.unwrap();
    }
    whole(&two, pages).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_promoted_replica_is_found_and_nothing_that_was_committed_is_missing() {
    let Some(primary) = Server::start(&["wal_level = replica", "hot_standby = on"]) else { return };
    let replica = Server::replica_of(&primary);
    // A commit counts when the replica has it: otherwise a fail-over may lose the last ones, and no client can prevent it.
    primary.admin("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    primary.admin("SELECT pg_reload_conf()").await;
    let url = format!("postgres://renmen@127.0.0.1:{},127.0.0.1:{}/postgres", primary.port, replica.port);
    let options = StoreOptions { connect_timeout_ms: 1_000, ..StoreOptions::at(url) };
    let store = open(options).await.unwrap();
    let (stop, committed) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let patient = Patient { store: Arc::clone(&store), stream: "a" };
    let pulling = tokio::spawn({
        let (stop, committed) = (Arc::clone(&stop), Arc::clone(&committed));
        async move { patient.pull(&stop, &committed).await }
    });
    progress(&committed, 20).await;
    primary.crash();
    replica.promote();
    progress(&committed, 20).await;
    stop.store(true, Ordering::Relaxed);
    whole(&store, pulling.await.unwrap()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f03_a_server_that_takes_no_writes_is_unavailable_until_it_does_again() {
    let Some(bed) = Bed::postgres().await else { return };
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put(vec![rec("a", "1")]).await;
    bed.admin(&format!("ALTER DATABASE {} SET default_transaction_read_only = on", bed.database())).await;
    let cut = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{}'", bed.database());
    bed.admin(&cut).await;
    let page = puller.page(vec![rec("b", "1")]);
    let refused = loop {
        match puller.commit(page.clone()).await {
            Err(StoreError::Unavailable(why)) if why.contains("takes no writes") => break why,
            Err(error) => wait(&error).await,
            Ok(_) => panic!("a read-only server took a page"),
        }
    };
    assert!(refused.contains("25006"), "{refused}");
    bed.store.ready().await.unwrap();
    bed.admin(&format!("ALTER DATABASE {} RESET default_transaction_read_only", bed.database())).await;
    // The connections to a server that took no writes still answer reads. The first write that meets one has all of them closed.
    if let Err(error) = puller.commit(page.clone()).await {
        assert!(error.to_string().contains("takes no writes"), "{error}");
        assert_eq!(puller.commit(page).await.unwrap().created, 1);
    }
    assert_eq!(everything(&bed.store).await.len(), 2);
    bed.end().await;
}

/// What the server says when something is wrong with it, as a trigger says it too.
const INJECTED: [(&str, Option<Trouble>); 6] = [
    ("53100", Some(Trouble::DiskFull)),
    ("57014", None),
    ("53300", None),
    ("40001", None),
    ("40P01", None),
    ("57P01", None),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_each_fault_of_a_server_is_unavailable_writes_nothing_and_passes() {
    let Some(bed) = Bed::postgres().await else { return };
    let mut puller = Puller::begin(&bed.store, key(), 1_000).await;
    puller.put(vec![rec("first", "1")]).await;
    for (at, (code, trouble)) in INJECTED.into_iter().enumerate() {
        bed.beside(&format!(
            "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'injected' USING ERRCODE = '{code}'; END $$;
             CREATE TRIGGER fail BEFORE INSERT OR UPDATE ON page FOR EACH ROW EXECUTE FUNCTION fail();"
        ))
        .await;
        let page = puller.page(vec![rec(&format!("r{at}"), "1")]);
        let error = puller.commit(page.clone()).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable(why) if why.contains(code)), "{code}: {error:?}");
        assert_eq!(bed.store.trouble(), trouble, "{code}");
        assert_eq!(everything(&bed.store).await.len(), 1 + at, "{code}: nothing of it was written");
        bed.beside("DROP TRIGGER fail ON page; DROP FUNCTION fail").await;
        bed.store.ready().await.unwrap();
        assert_eq!(bed.store.trouble(), None, "{code}: readiness was asked of the disk");
        assert_eq!(puller.commit(page).await.unwrap().created, 1, "{code}");
    }
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_that_is_given_up_ends_in_the_server_and_its_connection_is_not_used_again() {
    let Some(bed) = Bed::postgres().await else { return };
    let options = StoreOptions { read_timeout_ms: 300, connections_max: 2, ..bed.options.clone() };
    let store = open(options).await.unwrap();
    // A session that holds the table keeps readers out.
    let (client, connection) = tokio_postgres::connect(&bed.options.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("BEGIN; LOCK TABLE quarantine IN ACCESS EXCLUSIVE MODE").await.unwrap();
    for _ in 0..4 {
        let late = store.quarantine_get(&key().tenant, 1).await.unwrap_err();
        assert!(matches!(&late, StoreError::Unavailable(why) if why.contains("300 ms")), "{late:?}");
    }
    // Twice as many as there are connections: each was free again, and none had a statement left that waits.
    let waiting =
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
    loop {
        let row = client.query_one(waiting, &[]).await.unwrap();
        if row.get::<_, i64>(0) == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    store.ready().await.unwrap();
    client.batch_execute("COMMIT").await.unwrap();
    assert!(store.quarantine_get(&key().tenant, 1).await.unwrap().is_none());
    drop((client, store));
    connection.await.unwrap().unwrap();
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_write_in_the_way_of_another_is_done_again_and_one_that_waits_too_long_is_given_up() {
    let Some(bed) = Bed::postgres().await else { return };
    bed.beside(
        "CREATE SEQUENCE tries;
         CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
           IF nextval('tries') < 3 THEN RAISE EXCEPTION 'injected' USING ERRCODE = '40P01'; END IF; RETURN NEW; END $$;
         CREATE TRIGGER fail BEFORE INSERT ON run FOR EACH ROW EXECUTE FUNCTION fail();",
    )
    .await;
    bed.store.begin_run(new_run(&key(), 1_000)).await.unwrap();
    bed.beside("DROP TRIGGER fail ON run; DROP FUNCTION fail; DROP SEQUENCE tries").await;

    let options = StoreOptions { statement_timeout_ms: 300, ..bed.options.clone() };
    let store = open(options).await.unwrap();
    let (client, connection) = tokio_postgres::connect(&bed.options.url, tokio_postgres::NoTls).await.unwrap();
    let connection = tokio::spawn(connection);
    client.batch_execute("BEGIN; LOCK TABLE run IN ACCESS EXCLUSIVE MODE").await.unwrap();
    let late = store.begin_run(new_run(&key_of("acme", "other"), 1_000)).await.unwrap_err();
    assert!(matches!(&late, StoreError::Unavailable(why) if why.contains("store.statement_timeout")), "{late:?}");
    client.batch_execute("COMMIT").await.unwrap();
    store.begin_run(new_run(&key_of("acme", "other"), 1_000)).await.unwrap();
    drop((client, store));
    connection.await.unwrap().unwrap();
    bed.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f04_a_full_disk_takes_no_page_is_told_and_passes_when_there_is_room() {
    let Some(server) = Server::start(&[]) else { return };
    let Some(disk) = SmallDisk::mount(&server, 28) else { return };
    let options = StoreOptions::at(disk.database(&server).await);
    let store = open(options.clone()).await.unwrap();
    let filler = disk.path().join("filler");
    std::fs::write(&filler, vec![1; 6 << 20]).unwrap();
    let mut puller = Puller::begin(&store, key(), 1_000).await;
    let mut pages = 0;
    let (page, full) = loop {
        // Nothing that could be packed.
        let body: String = (0..3_000).map(|_| format!("{:016x}", rand::random::<u64>())).collect();
        let page = puller.page(vec![rec(&format!("{pages:06}"), &body)]);
        match puller.commit(page.clone()).await {
            Ok(_) => pages += 1,
            Err(error) => break (page, error),
        }
        assert!(pages < 2_000, "the disk is never full");
    };
    assert!(
        matches!(&full, StoreError::Unavailable(why) if why.contains("the disk is full") && why.contains("53100")),
        "{full:?}"
    );
    assert_eq!(store.trouble(), Some(Trouble::DiskFull));
    // A read may need the disk too: the server writes a changed block out to make room for another.
    std::fs::remove_file(filler).unwrap();
    assert_eq!(puller.commit(page).await.unwrap().created, 1);
    store.ready().await.unwrap();
    assert_eq!(
        (store.trouble(), everything(&store).await.len()),
        (None, pages + 1),
        "nothing of the refused try, nothing lost"
    );
    drop((puller, store));
    drop(server);
}
