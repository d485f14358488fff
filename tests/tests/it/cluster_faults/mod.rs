//! A cluster under faults: three gateways on one PostgreSQL are killed, stopped beyond their lease and given another time of day, and their
//! server crashes, waits, fills its disk and is replaced by its replica, all while a vendor's records change, webhooks come in, deliveries go
//! out and readers follow the feed. At the end everything is counted: nothing is lost, nothing is doubled (F01, F03, F04, F19).
//!
//! The short form runs with the tests. `cargo xtask faults` runs the long one, and says what each fault cost.

mod account;
mod figures;
mod gateways;
mod judge;
mod load;
mod play;
mod readers;
#[path = "../../../../gateway/crates/store/tests/it/server.rs"]
#[allow(
    dead_code,
    clippy::print_stderr,
    reason = "tests of the store do more to a server; a test that is skipped says so"
)]
pub(crate) mod server;

use std::time::Duration;

use tokio::time::Instant;

use play::Play;
use server::{Server, SmallDisk};

/// Under these `cargo xtask faults` says how much of it. Without them it is the short form.
const MINUTES: &str = "RENMEN_TEST_FAULT_MINUTES";
const RESTARTS: &str = "RENMEN_TEST_POSTGRES_RESTARTS";
const SEED: &str = "RENMEN_TEST_FAULT_SEED";
/// In the long form a gateway is killed this often.
const KILL_EVERY: Duration = Duration::from_secs(10);
/// The promise: everything goes on within this after the database is back.
const RESUMED_WITHIN: Duration = Duration::from_secs(10);

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap())
}

fn seed() -> u64 {
    number(SEED).unwrap_or(20_261_129)
}

/// A client of its own for each, which waits for no answer for ever.
fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().timeout(judge::HANG).build().unwrap()
}

#[allow(clippy::print_stderr, reason = "figures for whoever asked for them")]
async fn settle(play: Play, what: &str) {
    let longest = play.figures.longest_resume();
    let told = play.account(what).await;
    if number(MINUTES).is_some() {
        eprintln!("{told}");
        assert!(longest < RESUMED_WITHIN, "{longest:?} until everything went on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn f01_f03_f19_gateways_that_are_killed_stopped_and_misdated_while_their_server_crashes_lose_and_double_nothing()
{
    let Some(server) = Server::start(&["max_connections = 120"]) else { return };
    let url = server.url();
    let mut play = Play::begin(&url, seed()).await;
    match number(MINUTES) {
        None => {
            play.kill().await;
            play.crash(&server).await;
            play.step().await;
            play.lock(&url).await;
            play.kill().await;
            play.pause().await;
        }
        Some(minutes) => {
            let restarts = number(RESTARTS).unwrap_or(0);
            let (begun, time) = (Instant::now(), Duration::from_secs(minutes * 60));
            let mut done = 0;
            let mut turn = 0;
            while begun.elapsed() < time || done < restarts {
                let next = Instant::now() + KILL_EVERY;
                play.kill().await;
                turn += 1;
                match turn % 6 {
                    1 => play.pause().await,
                    3 => play.step().await,
                    5 => play.lock(&url).await,
                    _ => {}
                }
                let spent = begun.elapsed().as_secs_f64() / time.as_secs_f64().max(1.0);
                while (done as f64) < restarts as f64 * spent.min(1.0) && done < restarts {
                    play.crash(&server).await;
                    done += 1;
                }
                play.rest(next.saturating_duration_since(Instant::now())).await;
            }
        }
    }
    settle(play, "kills, stops, clocks, crashes, locks").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f03_gateways_whose_server_is_replaced_by_its_replica_go_on_there() {
    let Some(primary) = Server::start(&["wal_level = replica", "hot_standby = on", "max_connections = 120"]) else {
        return;
    };
    let replica = Server::replica_of(&primary);
    // A commit counts when the replica has it.
    primary.admin("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
    primary.admin("SELECT pg_reload_conf()").await;
    let url = format!("postgres://renmen@127.0.0.1:{},127.0.0.1:{}/postgres", primary.port, replica.port);
    let mut play = Play::begin(&url, seed()).await;
    if number(MINUTES).is_some() {
        play.rest(Duration::from_secs(20)).await;
        play.kill().await;
    }
    tokio::task::block_in_place(|| primary.crash());
    play.rest(Duration::from_millis(500)).await;
    tokio::task::block_in_place(|| replica.promote());
    play.resumes().await;
    play.kill().await;
    play.figures.crashes += 1;
    settle(play, "a fail-over to the replica").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn f04_gateways_whose_database_has_no_room_left_say_so_and_go_on_when_there_is_some() {
    let Some(server) = Server::start(&["max_connections = 120"]) else { return };
    let Some(disk) = SmallDisk::mount(&server, 120) else { return };
    let url = disk.database(&server).await;
    let mut play = Play::begin(&url, seed()).await;
    for _ in 0..if number(MINUTES).is_some() { 5 } else { 1 } {
        let filler = disk.path().join("filler");
        fill(&filler);
        play.is_told("the disk of the database is full").await;
        play.rest(Duration::from_secs(2)).await;
        std::fs::remove_file(filler).unwrap();
        play.resumes().await;
        play.figures.full_disks += 1;
    }
    settle(play, "a full disk").await;
}

/// Until nothing more fits.
fn fill(file: &std::path::Path) {
    use std::io::Write as _;
    let mut filler = std::fs::File::create(file).unwrap();
    for size in [1 << 20, 4 << 10] {
        while filler.write_all(&vec![1; size]).is_ok() {}
    }
}
