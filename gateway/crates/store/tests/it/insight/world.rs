//! Records of several connections, and what is streamed of them.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, RecordId, StreamName, TenantId};
use renmen_schema::types::LocalDate;
use renmen_schema::{EntityKind, canonicalize};
use renmen_store::insight::{Ask, Batch, GroupsAsk, Need, Read, Rows};
use renmen_store::{Content, DeletedBy, RecordQuery, RecordRow, RecordWrite, Store, StoreError, StreamKey};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::bed::Bed;
use crate::puller::Puller;

/// One tenant's records.
pub(super) struct World {
    pub(super) store: Arc<dyn Store>,
    pub(super) tenant: TenantId,
    pullers: BTreeMap<String, Puller>,
}

/// What was streamed, with names instead of their numbers.
#[derive(Debug)]
pub(super) struct Got {
    pub(super) rows: Vec<Rows>,
    pub(super) names: Vec<String>,
    pub(super) read: Read,
}

/// The rows of one stream.
macro_rules! rows_of {
    ($got:expr, $stream:ident) => {{
        let mut all = Vec::new();
        for rows in &$got.rows {
            if let renmen_store::insight::Rows::$stream(rows) = rows {
                all.extend(rows.iter().cloned());
            }
        }
        all
    }};
}
pub(super) use rows_of;

impl Got {
    pub(super) fn name(&self, number: u32) -> &str {
        &self.names[number as usize]
    }
}

pub(super) fn ask(needs: &[Need]) -> Ask {
    Ask { needs: needs.to_vec(), metrics: None, offset_minutes: 480, entries_max: 10_000 }
}

pub(super) fn day(text: &str) -> LocalDate {
    LocalDate::parse(text).unwrap()
}

impl World {
    pub(super) fn of(bed: &Bed) -> Self {
        Self::named(&bed.store, "acme")
    }

    pub(super) fn named(store: &Arc<dyn Store>, tenant: &str) -> Self {
        Self { store: Arc::clone(store), tenant: TenantId::new(tenant).unwrap(), pullers: BTreeMap::new() }
    }

    async fn puller(&mut self, connection: &str) -> &mut Puller {
        if !self.pullers.contains_key(connection) {
            let key = StreamKey {
                tenant: self.tenant.clone(),
                connection: ConnectionName::new(connection).unwrap(),
                stream: StreamName::new("all").unwrap(),
            };
            let puller = Puller::begin(&self.store, key, 1_000).await;
            self.pullers.insert(connection.to_owned(), puller);
        }
        self.pullers.get_mut(connection).unwrap()
    }

    async fn write(&mut self, connection: &str, id: &str, content: Content, deleted: Option<DeletedBy>) {
        let write = RecordWrite {
            external_id: id.into(),
            content,
            updated_at_ms: None,
            exchange_no: 0,
            pointer: String::new(),
            deleted,
        };
        self.puller(connection).await.put(vec![write]).await;
    }

    /// A record as the schema takes it in.
    pub(super) async fn put(&mut self, connection: &str, kind: EntityKind, id: &str, body: Value) {
        let canonical = canonicalize(kind, body.to_string().as_bytes());
        let canonical = canonical.unwrap_or_else(|defects| panic!("{kind} {id}: {defects:?}"));
        self.write(connection, id, Content::of(kind.name(), canonical), None).await;
    }

    /// A body that no schema of ours took in.
    pub(super) async fn put_raw(&mut self, connection: &str, kind: EntityKind, id: &str, body: &str) {
        self.write(connection, id, Content::of(kind.name(), body.into()), None).await;
    }

    pub(super) async fn gone(&mut self, connection: &str, kind: EntityKind, id: &str) {
        self.write(connection, id, Content::gone(kind.name()), Some(DeletedBy::SourceFlag)).await;
    }

    pub(super) async fn record(&self, connection: &str, kind: EntityKind, id: &str) -> RecordRow {
        let query = RecordQuery {
            entity: Some(kind.name().into()),
            connection: Some(ConnectionName::new(connection).unwrap()),
            external_id: Some(id.into()),
            limit: 1,
            ..RecordQuery::default()
        };
        self.store.records(&self.tenant, &query).await.unwrap().items.remove(0)
    }

    pub(super) async fn id(&self, connection: &str, kind: EntityKind, id: &str) -> RecordId {
        self.record(connection, kind, id).await.id
    }

    /// The key that rows name a record by.
    pub(super) async fn key(&self, connection: &str, kind: EntityKind, id: &str) -> i64 {
        let id = self.id(connection, kind, id).await;
        self.store.insight_key(&self.tenant, id).await.unwrap().unwrap()
    }

    /// Says that two records are one person, or one unit.
    pub(super) async fn link(&self, bed: &Bed, identity: i64, record: i64) {
        let tenant = &self.tenant;
        bed.beside(&format!(
            "INSERT INTO identity_member (tenant, record, identity, kind, too_large, since_ms)
             VALUES ('{tenant}', {record}, {identity}, 1, 0, 0)"
        ))
        .await;
    }

    /// Rows of everything that was committed.
    pub(super) async fn make(&self) {
        for _ in 0..10_000 {
            if self.store.make_insight_rows(&self.tenant, 3).await.unwrap().done {
                return;
            }
        }
        panic!("making rows never ends");
    }

    pub(super) async fn stream(&self, ask: &Ask, groups: Option<&GroupsAsk>) -> Result<Got, StoreError> {
        let (to, mut batches) = mpsc::channel::<Batch>(2);
        let read = async {
            match groups {
                Some(groups) => self.store.audit_rows(&self.tenant, ask, groups, to).await,
                None => self.store.insight_rows(&self.tenant, ask, to).await,
            }
        };
        let taken = async {
            let (mut rows, mut names) = (Vec::new(), Vec::new());
            while let Some(batch) = batches.recv().await {
                names.extend(batch.names.iter().map(ToString::to_string));
                rows.push(batch.rows);
            }
            (rows, names)
        };
        let (read, (rows, names)) = tokio::join!(read, taken);
        Ok(Got { rows, names, read: read? })
    }

    /// Everything of these streams, with all that was committed.
    pub(super) async fn got(&self, needs: &[Need]) -> Got {
        self.make().await;
        let got = self.stream(&ask(needs), None).await.unwrap();
        assert_eq!(got.read.rows, got.rows.iter().map(|rows| rows.len() as u64).sum::<u64>());
        assert_eq!(got.read.behind, 0);
        got
    }
}
