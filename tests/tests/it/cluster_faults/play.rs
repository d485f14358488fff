//! Three gateways on a database of their own, the load on them, and each fault that can be done to them. What a fault cost is noted.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use renmen_tests::desk::{self, Notes};
use renmen_tests::{front, staff_api};
use reqwest::Client;
use serde_json::Value;
use tokio::time::Instant;
use tokio_postgres::NoTls;

use super::figures::Figures;
use super::gateways::{ClockShim, Gateway};
use super::judge::Judge;
use super::load::Load;
use super::readers::Readers;
use super::server::Server;
use crate::harness::{plugin, serve};
use crate::hooks::vendor;

/// The lease of the gateways: what a stop must exceed.
pub(super) const LEASE: Duration = Duration::from_secs(3);
/// A statement that waits longer is given up.
const STATEMENT_MAX: Duration = Duration::from_secs(2);
/// Records of the vendor's.
const RECORDS: usize = 600;
/// How long the vendor takes for an answer.
const ANSWER: Duration = Duration::from_millis(60);
/// All that goes on must have gone on by then.
const PATIENCE: Duration = Duration::from_secs(60);

/// See the module.
pub(super) struct Play {
    pub(super) gateways: Vec<Gateway>,
    pub(super) key: String,
    pub(super) client: Client,
    pub(super) source: staff_api::Source,
    pub(super) notes: Notes,
    pub(super) judge: Arc<Judge>,
    pub(super) load: Option<Load>,
    pub(super) readers: Readers,
    pub(super) figures: Figures,
    pub(super) dice: StdRng,
    _clock: ClockShim,
}

impl Play {
    /// `url`: the database's, with all of its servers.
    pub(super) async fn begin(url: &str, seed: u64) -> Self {
        let source = staff_api::source(RECORDS);
        source.lock().unwrap().wait = ANSWER;
        let staff = serve(staff_api::router(source.clone())).await;
        let notes = Notes::default();
        let desk = serve(desk::router(notes.clone())).await;
        let events = serve(vendor::router(vendor::Employees::default())).await;
        let text = config(url, &[staff, events, desk]);
        let clock = ClockShim::build();
        let mut gateways: Vec<Gateway> = (0..3).map(|_| Gateway::new(&text, &clock)).collect();
        let made = gateways[0].home.json(&["key", "new", "load", "--role", "owner", "--dev"]).await;
        let key = made["key"].as_str().unwrap().to_owned();
        gateways.iter_mut().for_each(Gateway::start);
        let front = front::serve(gateways.iter().map(|gateway| gateway.listen.clone()).collect()).await.unwrap();
        let judge = Arc::new(Judge::default());
        let readers = Readers::begin(&front, &key, &judge);
        let load = Some(Load::begin(&front, &source, &judge, seed));
        let (figures, dice) = (Figures::default(), StdRng::seed_from_u64(seed));
        let client = super::client();
        let mut play =
            Self { gateways, key, client, source, notes, judge, load, readers, figures, dice, _clock: clock };
        play.all_serve().await;
        play
    }

    /// Lets it go on for a while; starts gateways again that are to be.
    pub(super) async fn rest(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while Instant::now() < until {
            self.gateways.iter_mut().for_each(Gateway::tend);
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Waits until it is so, and says how long that took.
    pub(super) async fn until(&mut self, what: &str, mut is_so: impl FnMut(&Self) -> bool) -> Duration {
        let begun = Instant::now();
        while !is_so(self) {
            assert!(begun.elapsed() < PATIENCE, "never: {what}; {}", self.told());
            self.rest(Duration::from_millis(5)).await;
        }
        begun.elapsed()
    }

    pub(super) async fn all_serve(&mut self) {
        for at in 0..self.gateways.len() {
            self.serves(at).await;
        }
    }

    /// Waits until a gateway answers that its store can be read and written.
    async fn serves(&mut self, at: usize) -> Duration {
        let begun = Instant::now();
        loop {
            self.rest(Duration::from_millis(20)).await;
            let asked = self.client.get(format!("{}/readyz", self.gateways[at].url())).send();
            if asked.await.is_ok_and(|answer| answer.status() == 200) {
                return begun.elapsed();
            }
            assert!(begun.elapsed() < PATIENCE, "gateway {at} does not serve: {}", self.gateways[at].log());
        }
    }

    pub(super) fn asked(&self) -> u64 {
        self.source.lock().unwrap().asked
    }

    pub(super) fn taken(&self) -> u64 {
        self.load.as_ref().map_or(0, |load| load.hooks.taken.load(Ordering::SeqCst))
    }

    /// The gateway that pulls now.
    async fn pulling(&mut self) -> usize {
        let begun = Instant::now();
        loop {
            for at in 0..self.gateways.len() {
                if self.gateways[at].is_there() && self.pulls(at).await {
                    return at;
                }
            }
            assert!(begun.elapsed() < PATIENCE, "no gateway pulls; {}", self.told());
            self.rest(Duration::from_millis(5)).await;
        }
    }

    async fn pulls(&self, at: usize) -> bool {
        let asked = self.client.get(format!("{}/v1/connections", self.gateways[at].url())).bearer_auth(&self.key);
        let Ok(answer) = asked.send().await else { return false };
        let Ok(listed) = answer.json::<Value>().await else { return false };
        let all = listed["data"].as_array().cloned().unwrap_or_default();
        all.iter().any(|one| one["name"] == "staff" && one["streams"][0]["state"] == "running")
    }

    /// `kill -9` of one of those that are there; every second time of the one that pulls.
    pub(super) async fn kill(&mut self) {
        let aimed = self.dice.random_bool(0.5);
        let at = if aimed { self.pulling().await } else { self.any() };
        let asked = self.asked();
        self.gateways[at].kill();
        let again = Duration::from_millis(self.dice.random_range(200..8_000));
        self.gateways[at].start_in(again);
        self.figures.kills += 1;
        let took = self.until("a stream is pulled after a kill", |play| play.asked() > asked).await;
        if aimed {
            self.figures.takeovers.push(took);
        }
    }

    fn any(&mut self) -> usize {
        let there: Vec<usize> = (0..self.gateways.len()).filter(|at| self.gateways[*at].is_there()).collect();
        there[self.dice.random_range(0..there.len())]
    }

    /// Stops the one that pulls for longer than its lease. What it wakes up with is refused. A run that ended just before the stop has nothing
    /// to refuse: then it is stopped again.
    pub(super) async fn pause(&mut self) {
        for _ in 0..12 {
            if self.sleep_through_lease().await {
                return;
            }
        }
        panic!("a gateway that slept was never refused; {}", self.told());
    }

    async fn sleep_through_lease(&mut self) -> bool {
        self.source.lock().unwrap().wait = Duration::from_millis(600);
        let at = self.pulling().await;
        self.judge.stop();
        self.gateways[at].pause(true);
        let asked = self.asked();
        self.source.lock().unwrap().wait = ANSWER;
        // What it asked for last may still arrive.
        let took = self.until("a stream is pulled after a stop", |play| play.asked() > asked + 1).await;
        self.figures.takeovers.push(took);
        self.rest(LEASE).await;
        let before = self.gateways[at].log().len();
        self.gateways[at].pause(false);
        let woke = Instant::now();
        let mut refused = false;
        while !refused && woke.elapsed() < LEASE * 2 {
            self.rest(Duration::from_millis(50)).await;
            refused = self.gateways[at].log()[before..].contains("fenced");
        }
        self.serves(at).await;
        self.judge.stop();
        self.figures.pauses += 1;
        refused
    }

    /// Sets the time of day of one of them, and sets it right again after a while.
    pub(super) async fn step(&mut self) {
        self.all_serve().await;
        let at = self.any();
        let off_by_ms = self.dice.random_range(600_000..3_600_000) * if self.dice.random_bool(0.5) { 1 } else { -1 };
        self.gateways[at].set_clock(off_by_ms);
        // Answers are dated from a cache until its time comes, so only a clock that was set forward shows in them; one that was set back is
        // read from the same place.
        let begun = Instant::now();
        while off_by_ms > 0 && self.off_by_s(at).await.abs() < 300 {
            assert!(begun.elapsed() < PATIENCE, "its clock does not step; {}", self.told());
            self.rest(Duration::from_millis(50)).await;
        }
        self.rest(Duration::from_secs(2)).await;
        self.gateways[at].set_clock(0);
        self.rest(Duration::from_secs(1)).await;
        self.figures.steps += 1;
    }

    /// How far from the machine's time a gateway's answers are dated.
    async fn off_by_s(&self, at: usize) -> i64 {
        let asked = self.client.get(format!("{}/healthz", self.gateways[at].url())).send().await;
        let date = asked.ok().and_then(|answer| Some(answer.headers().get("date")?.to_str().ok()?.to_owned()));
        let date = date.and_then(|date| jiff::fmt::rfc2822::parse(&date).ok());
        date.map_or(0, |date| date.timestamp().as_second() - jiff::Timestamp::now().as_second())
    }

    /// The database's server stops as by a crash, and is back after a while.
    pub(super) async fn crash(&mut self, server: &Server) {
        tokio::task::block_in_place(|| server.crash());
        let off = Duration::from_millis(self.dice.random_range(100..2_000));
        self.rest(off).await;
        tokio::task::block_in_place(|| server.up());
        self.resumes().await;
        self.figures.crashes += 1;
    }

    /// From now on, how long it takes until each part does something again.
    pub(super) async fn resumes(&mut self) {
        let (asked, taken, begun) = (self.asked(), self.taken(), Instant::now());
        let mut first = [None; 3];
        while first.iter().any(Option::is_none) {
            self.rest(Duration::from_millis(10)).await;
            let read = match first[0] {
                None => self.reads().await,
                Some(_) => false,
            };
            for (at, is_so) in [read, self.taken() > taken, self.asked() > asked + 1].into_iter().enumerate() {
                if is_so && first[at].is_none() {
                    first[at] = Some(begun.elapsed());
                }
            }
            assert!(begun.elapsed() < PATIENCE, "reads, webhooks and pulls went on after {first:?}; {}", self.told());
        }
        let [reads, hooks, pulls] = first.map(Option::unwrap_or_default);
        self.figures.resumes.push((reads, hooks, pulls));
    }

    async fn reads(&mut self) -> bool {
        let at = self.any();
        let asked = self.client.get(format!("{}/v1/employees?limit=1", self.gateways[at].url()));
        asked.bearer_auth(&self.key).send().await.is_ok_and(|answer| answer.status() == 200)
    }

    /// Another session holds a table for longer than a statement may take.
    pub(super) async fn lock(&mut self, url: &str) {
        let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
        let connection = tokio::spawn(connection);
        let table = if self.dice.random_bool(0.5) { "run" } else { "inbox" };
        client.batch_execute(&format!("BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")).await.unwrap();
        self.rest(STATEMENT_MAX + Duration::from_millis(1_500)).await;
        client.batch_execute("COMMIT").await.unwrap();
        drop(client);
        connection.await.unwrap().unwrap();
        self.resumes().await;
        self.figures.locks += 1;
    }

    /// Waits until `/readyz` of a gateway says this.
    pub(super) async fn is_told(&mut self, why: &str) {
        let begun = Instant::now();
        loop {
            self.rest(Duration::from_millis(50)).await;
            let at = self.any();
            let Ok(answer) = self.client.get(format!("{}/readyz", self.gateways[at].url())).send().await else {
                continue;
            };
            let status = answer.status();
            let said = answer.text().await.unwrap_or_default();
            if status == 503 && said.contains(why) {
                return;
            }
            assert!(begun.elapsed() < PATIENCE, "/readyz never says {why:?}: {status} {said}; {}", self.told());
        }
    }

    /// For a failure: what the gateways said last.
    pub(super) fn told(&self) -> String {
        let end = |gateway: &Gateway| {
            let log = gateway.log();
            let lines: Vec<&str> = log.lines().collect();
            lines[lines.len().saturating_sub(15)..].join("\n")
        };
        let logs: Vec<String> = self.gateways.iter().map(end).collect();
        format!("{:?}\n{}", self.judge.faults.lock().unwrap(), logs.join("\n--\n"))
    }
}

fn config(database: &str, [staff, events, desk]: &[String; 3]) -> String {
    let [staff_api, signed_events, desk_plugin] =
        ["staff-api", "signed-events", "desk"].map(|name| plugin(name).display().to_string());
    let grant = "grant = { plaintext = true, addresses = [\"127.0.0.0/8\"] }";
    format!(
        r#"
[gateway]
lease = "{}s"

[store]
url = "{database}"
statement_timeout = "{}s"

[connections.staff]
plugin = "{staff_api}"
config = {{ base_url = "{staff}/v1" }}
{grant}
streams.employees = {{ every = "1s" }}
limits = {{ page_records_max = 20 }}

[connections.events]
plugin = "{signed_events}"
config = {{ base_url = "{events}" }}
{grant}
slots.events = {{ env = "EVENTS_SECRET" }}
limits = {{ webhooks_per_second = 1000000, webhook_deadline = "4s", webhook_window = "3h" }}

# Only changes of the source and of webhooks are counted.
[insight]
default_plans = false

[connections.desk]
plugin = "{desk_plugin}"
config = {{ base_url = "{desk}" }}
{grant}
limits = {{ parallel_max = 4, retries_max = 0 }}

[flows.notes]
start = "beginning"
when = {{ entity = "employee", connection = "staff" }}
fields = ["/work/title"]
to = {{ connection = "desk", action = "note.put" }}
map = {{ id = "change.external_id", revision = "change.revision", title = "record.work.title" }}
backoff = {{ base = "50ms", max = "500ms" }}
"#,
        LEASE.as_secs(),
        STATEMENT_MAX.as_secs()
    )
}
