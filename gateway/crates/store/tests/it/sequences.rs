//! Random schedules of commits of several tenants, by several gateways where there are several, with kills, cuts and restarts between them:
//! every reader of a tenant's feed sees each of its changes once and in order, and its positions have no gaps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::{Just, Strategy, prop_oneof};
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};
use renmen_schema::id::{RecordId, StreamName, TenantId};
use renmen_store::inbox::{DeliveryWrite, Intake, IntakePage};
use renmen_store::{AuthoredCommit, AuthoredRecord, RecordQuery, RecordWrite, Store, StoreError, StoreOptions};

use crate::bed::Bed;
use crate::puller::{Puller, connection, exchange, key_of, new_run, rec};

const TENANTS: [&str; 3] = ["acme", "globex", "initech"];

#[derive(Debug, Clone, Copy)]
enum Kind {
    Page,
    Delivery,
    /// The same delivery as the one before it in its step.
    Repeat,
    Authored,
}

/// One commit: whose, and which records with which bodies.
#[derive(Debug, Clone)]
struct Commit {
    tenant: usize,
    kind: Kind,
    records: Vec<(u8, u8)>,
}

#[derive(Debug, Clone)]
enum Step {
    /// At the same time.
    Together(Vec<Commit>),
    /// The caller goes away while it is under way, after so many turns of the scheduler.
    Cut(Commit, u8),
    /// Connections end, as a server that is stopped leaves them.
    Kill,
    Restart,
    /// A reader begins where the feed ends.
    Join(usize),
    /// Readers of a tenant read on.
    Read(usize, u32),
}

fn commits() -> impl Strategy<Value = Commit> {
    let kind = prop_oneof![
        3 => Just(Kind::Page),
        6 => Just(Kind::Delivery),
        1 => Just(Kind::Repeat),
        1 => Just(Kind::Authored),
    ];
    (0..TENANTS.len(), kind, proptest::collection::vec((0..6_u8, 0..3_u8), 1..4))
        .prop_map(|(tenant, kind, records)| Commit { tenant, kind, records })
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        6 => proptest::collection::vec(commits(), 1..9).prop_map(Step::Together),
        2 => (commits(), 0..6_u8).prop_map(|(commit, turns)| Step::Cut(commit, turns)),
        1 => Just(Step::Kill),
        1 => Just(Step::Restart),
        2 => (0..TENANTS.len()).prop_map(Step::Join),
        4 => (0..TENANTS.len(), 1..5_u32).prop_map(|(tenant, limit)| Step::Read(tenant, limit)),
    ];
    proptest::collection::vec(step, 1..14)
}

struct Reader {
    tenant: usize,
    from: i64,
    after: i64,
    seen: Vec<(i64, RecordId, i64)>,
}

/// The gateways: one on SQLite, two on a server.
struct World {
    bed: Bed,
    other: Option<Arc<dyn Store>>,
    readers: Vec<Reader>,
    count: usize,
    /// Stands for the store while it is closed.
    nothing: Arc<dyn Store>,
}

fn tenant(at: usize) -> TenantId {
    TenantId::new(TENANTS[at]).unwrap()
}

async fn commit(store: Arc<dyn Store>, commit: Commit, number: usize) -> Result<(), StoreError> {
    let records: Vec<_> = commit.records.iter().map(|(id, body)| rec(&format!("{id:02}"), &body.to_string())).collect();
    match commit.kind {
        Kind::Page => {
            let key = key_of(TENANTS[commit.tenant], &format!("s{number}"));
            let run = store.begin_run(new_run(&key, 1_000)).await?;
            let puller = Puller { store: Arc::clone(&store), key, run, cursor: None, now_ms: 1_000 };
            store.commit_page(puller.page(records)).await.map(drop)
        }
        Kind::Delivery | Kind::Repeat => {
            let page = IntakePage {
                stream: StreamName::new("employees").unwrap(),
                records: records.into_iter().map(|record| RecordWrite { updated_at_ms: None, ..record }).collect(),
                quarantine: Vec::new(),
                exchanges: vec![exchange(0)],
            };
            let intake = Intake {
                tenant: tenant(commit.tenant),
                connection: connection(),
                plugin: new_run(&key_of("acme", "s"), 0).plugin,
                delivery: Some(DeliveryWrite {
                    identity: *blake3::hash(&number.to_be_bytes()).as_bytes(),
                    delivery_id: None,
                    repeats_after_ms: None,
                    received_at_ms: 1_000,
                }),
                pages: vec![page],
                refreshes: Vec::new(),
                done: Vec::new(),
                held: Vec::new(),
                clock_ms: 1_000,
                now_ms: 1_000,
            };
            store.take_in(intake).await.map(drop)
        }
        Kind::Authored => {
            let record = AuthoredRecord {
                entity: "decision".into(),
                external_id: format!("{:02}", commit.records[0].0),
                body: format!("{{\"n\":{number}}}").into_bytes(),
                deleted: None,
                causes: Vec::new(),
                expect: None,
                parents: Vec::new(),
            };
            let stream = StreamName::new("decisions").unwrap();
            let authored =
                AuthoredCommit { records: vec![record], ..AuthoredCommit::of(tenant(commit.tenant), stream, 1_000) };
            store.author(authored).await.map(drop)
        }
    }
}

impl World {
    fn store(&self, number: usize) -> Arc<dyn Store> {
        match &self.other {
            Some(other) if number % 2 == 1 => Arc::clone(other),
            _ => Arc::clone(&self.bed.store),
        }
    }

    /// The number of a commit: a repeat has that of the delivery before it.
    fn number(&mut self, commit: &Commit) -> usize {
        if !matches!(commit.kind, Kind::Repeat) {
            self.count += 1;
        }
        self.count
    }

    async fn play(&mut self, step: Step) {
        match step {
            Step::Together(commits) => {
                let mut tasks = tokio::task::JoinSet::new();
                for (at, one) in commits.into_iter().enumerate() {
                    let number = self.number(&one);
                    tasks.spawn(commit(self.store(at), one, number));
                }
                for done in tasks.join_all().await {
                    // A connection that was cut is met by the next calls.
                    assert!(matches!(done, Ok(()) | Err(StoreError::Unavailable(_))), "{done:?}");
                }
            }
            Step::Cut(one, turns) => {
                let number = self.number(&one);
                let task = tokio::spawn(commit(self.store(number), one, number));
                for _ in 0..turns {
                    tokio::task::yield_now().await;
                }
                task.abort();
                let _ = task.await;
            }
            Step::Kill if self.other.is_some() => {
                let name = self.bed.database();
                let sql = format!("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'");
                self.bed.admin(&sql).await;
            }
            Step::Kill | Step::Restart => self.restart().await,
            Step::Join(at) => {
                let from = *self.bed.store.watch(&tenant(at)).borrow();
                self.readers.push(Reader { tenant: at, from, after: from, seen: Vec::new() });
            }
            Step::Read(at, limit) => {
                let store = self.store(limit as usize);
                for reader in self.readers.iter_mut().filter(|reader| reader.tenant == at) {
                    let _ = reader.read(&*store, limit).await;
                }
            }
        }
    }

    async fn restart(&mut self) {
        let options = self.bed.options.clone();
        drop(std::mem::replace(&mut self.bed.store, Arc::clone(&self.nothing)));
        if self.other.take().is_some() {
            // What the server still does for a gateway that is gone comes to its end first.
            let name = self.bed.database();
            let sql = format!(
                "DO $$ BEGIN WHILE EXISTS (SELECT 1 FROM pg_stat_activity WHERE datname = '{name}')
                 LOOP PERFORM pg_sleep(0.005); PERFORM pg_stat_clear_snapshot(); END LOOP; END $$"
            );
            self.bed.admin(&sql).await;
            self.other = Some(open(&options).await);
        }
        self.bed.store = open(&options).await;
    }

    /// What must hold in the end.
    async fn agree(mut self) {
        self.restart().await;
        for (at, name) in TENANTS.iter().enumerate() {
            let all = self.whole_feed(at).await;
            let seqs: Vec<i64> = all.iter().map(|(seq, ..)| *seq).collect();
            assert_eq!(seqs, (1..=all.len() as i64).collect::<Vec<_>>(), "{name}");
            let mut revisions: BTreeMap<RecordId, Vec<i64>> = BTreeMap::new();
            for (_, record, revision) in &all {
                revisions.entry(*record).or_default().push(*revision);
            }
            let query = RecordQuery { include_deleted: true, limit: 1_000, ..RecordQuery::default() };
            let rows = self.bed.store.records(&tenant(at), &query).await.unwrap().items;
            assert_eq!(rows.iter().map(|row| row.id).collect::<BTreeSet<_>>(), revisions.keys().copied().collect());
            for row in rows {
                assert_eq!(revisions[&row.id], (1..=row.revision).collect::<Vec<_>>(), "each version has its change");
            }
            assert!(self.bed.store.holds_position(&tenant(at), all.len() as i64, None).await.unwrap());
            assert!(!self.bed.store.holds_position(&tenant(at), all.len() as i64 + 1, None).await.unwrap());
            assert_eq!(*self.bed.store.watch(&tenant(at)).borrow(), all.len() as i64);
            let store = Arc::clone(&self.bed.store);
            for reader in self.readers.iter_mut().filter(|reader| reader.tenant == at) {
                while reader.read(&*store, 3).await.unwrap() {}
                let wanted: Vec<_> = all.iter().filter(|(seq, ..)| *seq > reader.from).copied().collect();
                assert_eq!(reader.seen, wanted, "{name}");
            }
        }
        drop(self.other);
        self.bed.end().await;
    }

    async fn whole_feed(&self, at: usize) -> Vec<(i64, RecordId, i64)> {
        let mut reader = Reader { tenant: at, from: 0, after: 0, seen: Vec::new() };
        while reader.read(&*self.bed.store, 100).await.unwrap() {}
        reader.seen
    }
}

/// Opens it again; a call that meets a connection that was cut is tried again.
async fn open(options: &StoreOptions) -> Arc<dyn Store> {
    for _ in 0..20 {
        match renmen_store::open(options.clone()).await {
            Ok(store) => return store,
            Err(StoreError::Busy(_)) => tokio::time::sleep(std::time::Duration::from_millis(20)).await,
            Err(error) => panic!("{error}"),
        }
    }
    panic!("the store stays busy");
}

impl Reader {
    /// Reads on; true when there was something.
    async fn read(&mut self, store: &dyn Store, limit: u32) -> Result<bool, StoreError> {
        let changes = store.changes(&tenant(self.tenant), self.after, None, limit).await?;
        self.after = changes.last().map_or(self.after, |change| change.seq);
        self.seen.extend(changes.iter().map(|change| (change.seq, change.id, change.revision)));
        Ok(!changes.is_empty())
    }
}

type Gateways = (Bed, Option<Arc<dyn Store>>);

/// Plays schedules, each on its own store; says which one failed and its steps.
fn schedules(cases: u32, make: impl AsyncFn() -> Option<Gateways>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let mut runner = TestRunner::new(Config::default());
    let folder = tempfile::tempdir().unwrap();
    let nothing = StoreOptions::at(format!("sqlite:{}", folder.path().join("nothing.db").display()));
    let nothing = runtime.block_on(renmen_store::open(nothing)).unwrap();
    for case in 0..cases {
        let schedule = steps().new_tree(&mut runner).unwrap().current();
        eprintln!("schedule {case}: {schedule:?}");
        let played = runtime.block_on(async {
            let Some((bed, other)) = make().await else { return false };
            let nothing = Arc::clone(&nothing);
            let mut world = World { bed, other, readers: Vec::new(), count: 0, nothing };
            for step in schedule {
                world.play(step).await;
            }
            world.agree().await;
            true
        });
        if !played {
            return;
        }
    }
}

#[test]
fn f01_every_reader_sees_each_change_of_its_tenant_once_and_in_order_on_sqlite() {
    schedules(25, async || Some((Bed::sqlite().await, None)));
}

#[test]
fn f01_every_reader_sees_each_change_of_its_tenant_once_and_in_order_on_postgres() {
    schedules(12, async || {
        let bed = Bed::postgres().await?;
        let other = open(&bed.options).await;
        Some((bed, Some(other)))
    });
}
