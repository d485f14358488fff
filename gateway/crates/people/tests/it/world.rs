//! Records of a few systems, and what was found of them by the names of the records.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use renmen_people::{Ask, ManualClock, People, PeopleOptions, PeopleWork, PersonQuery, Portrait, Subject};
use renmen_schema::id::{ConnectionName, RecordId, RunId, StreamName, TenantId};
use renmen_store::{
    Content, DeletedBy, NewRun, PageCommit, PluginRef, RecordQuery, RecordWrite, RunTrigger, Store, StreamKey,
};
use serde_json::{Value, json};

pub(crate) fn tenant() -> TenantId {
    TenantId::new("acme").unwrap()
}

/// A record of a system.
#[derive(Debug, Clone)]
pub(crate) struct Rec {
    pub(crate) connection: &'static str,
    pub(crate) entity: &'static str,
    pub(crate) id: String,
    /// None: it is deleted.
    pub(crate) body: Option<Value>,
}

impl Rec {
    pub(crate) fn new(connection: &'static str, entity: &'static str, id: &str, body: Value) -> Self {
        Self { connection, entity, id: id.to_owned(), body: Some(body) }
    }

    pub(crate) fn employee(connection: &'static str, id: &str, name: &str, body: Value) -> Self {
        let mut whole = json!({ "person": { "names": { "formatted": name } } });
        merge(&mut whole, body);
        Self::new(connection, "employee", id, whole)
    }

    pub(crate) fn gone(mut self) -> Self {
        self.body = None;
        self
    }
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (key, value) in more {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

/// Systems that bring records.
pub(crate) struct World {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) clock: Arc<ManualClock>,
    runs: BTreeMap<&'static str, (RunId, u64)>,
}

impl World {
    pub(crate) fn of(store: &Arc<dyn Store>) -> Self {
        let clock = Arc::new(ManualClock::at(1_700_000_000_000));
        Self { store: Arc::clone(store), clock, runs: BTreeMap::new() }
    }

    fn key(connection: &str) -> StreamKey {
        StreamKey {
            tenant: tenant(),
            connection: ConnectionName::new(connection).unwrap(),
            stream: StreamName::new("people").unwrap(),
        }
    }

    /// Each connection's as one page, in their order.
    pub(crate) async fn put(&mut self, records: &[Rec]) {
        for chunk in records.chunk_by(|a, b| a.connection == b.connection) {
            let connection = chunk[0].connection;
            let key = Self::key(connection);
            let now_ms = 1_700_000_000_000;
            if !self.runs.contains_key(connection) {
                let plugin = PluginRef { name: "x".into(), version: "0.1.0".into(), digest: "sha256:00".into() };
                let run =
                    NewRun { key: key.clone(), plugin, trigger: RunTrigger::Manual, now_ms, lease_ms: 3_600_000_000 };
                self.runs.insert(connection, (self.store.begin_run(run).await.unwrap(), 0));
            }
            let (run, cursor) = self.runs.get_mut(connection).unwrap();
            let before = (*cursor > 0).then(|| cursor.to_string());
            *cursor += 1;
            let page = PageCommit {
                key,
                run: *run,
                cursor_before: before,
                cursor_after: Some(cursor.to_string()),
                has_more: true,
                sweep: None,
                records: chunk.iter().map(write).collect(),
                unchanged: Vec::new(),
                quarantine: Vec::new(),
                notes: renmen_store::PageNotes::default(),
                exchanges: Vec::new(),
                clock_ms: now_ms,
                now_ms,
            };
            self.store.commit_page(page).await.unwrap();
        }
    }

    pub(crate) fn people(&self, options: PeopleOptions) -> (Arc<People>, PeopleWork) {
        let clock = Arc::clone(&self.clock) as Arc<dyn renmen_people::Clock>;
        People::open(Arc::clone(&self.store), clock, &[tenant()], options)
    }

    /// With everything done that is to be done.
    pub(crate) async fn settled(&self, options: PeopleOptions) -> Arc<People> {
        let (people, work) = self.people(options);
        work.catch_up().await.unwrap();
        people
    }

    /// The id of a record by its system and its id there.
    pub(crate) async fn id(&self, connection: &str, entity: &str, id: &str) -> RecordId {
        let query = RecordQuery {
            entity: Some(entity.to_owned()),
            connection: Some(ConnectionName::new(connection).unwrap()),
            external_id: Some(id.to_owned()),
            include_deleted: true,
            limit: 1,
            ..RecordQuery::default()
        };
        self.store.records(&tenant(), &query).await.unwrap().items[0].id
    }

    pub(crate) async fn employee(&self, connection: &str, id: &str) -> RecordId {
        self.id(connection, "employee", id).await
    }

    /// The names of all records, tombstones too.
    pub(crate) async fn names(&self) -> BTreeMap<RecordId, String> {
        let mut names = BTreeMap::new();
        let mut query = RecordQuery { include_deleted: true, limit: 1_000, ..RecordQuery::default() };
        loop {
            let slice = self.store.records(&tenant(), &query).await.unwrap();
            names.extend(slice.items.iter().map(|row| (row.id, format!("{}/{}", row.connection, row.external_id))));
            match slice.next {
                Some(next) => query.after = Some(next),
                None => return names,
            }
        }
    }
}

fn write(record: &Rec) -> RecordWrite {
    let content = match &record.body {
        Some(body) => Content::of(record.entity, body.to_string().into_bytes()),
        None => Content::gone(record.entity),
    };
    RecordWrite {
        external_id: record.id.clone(),
        content,
        deleted: record.body.is_none().then_some(DeletedBy::SourceFlag),
        updated_at_ms: None,
        exchange_no: 0,
        pointer: String::new(),
    }
}

/// Polls work so many times, then kills it: what it had asked of the store may land, and nothing more is asked.
pub(crate) async fn killed_after<F: Future>(polls: usize, work: F) -> Option<F::Output> {
    Killed { work: Box::pin(work), polls }.await
}

struct Killed<F> {
    work: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Killed<F> {
    type Output = Option<F::Output>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if self.polls == 0 {
            return Poll::Ready(None);
        }
        self.polls -= 1;
        self.work.as_mut().poll(context).map(Some)
    }
}

pub(crate) fn query(subject: Subject) -> PersonQuery {
    PersonQuery { subject, connection: None, unresolved: false, records_min: 0, after: None, limit: 100 }
}

/// Everyone, by the names of their records.
pub(crate) async fn everyone(world: &World, people: &Arc<People>) -> BTreeSet<BTreeSet<String>> {
    let names = world.names().await;
    let (mut found, mut asked) = (BTreeSet::new(), query(Subject::Person));
    asked.limit = 3;
    loop {
        let page = people.list(&tenant(), &asked).await.unwrap();
        for person in page.items {
            assert_eq!(person.id, person.sources[0].record.id, "named after its oldest record");
            found.insert(person.sources.iter().map(|source| names[&source.record.id].clone()).collect());
        }
        match page.next {
            Some(next) => asked.after = Some(next),
            None => return found,
        }
    }
}

pub(crate) fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

pub(crate) async fn portrait(people: &People, id: RecordId) -> Portrait {
    people.get(&tenant(), id).await.unwrap().unwrap()
}

pub(crate) fn ask(act: renmen_people::Act, records: &[RecordId]) -> Ask {
    Ask { act, records: records.to_vec(), who: "Li Na".into(), why: "I know them".into(), request: None }
}
