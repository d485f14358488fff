//! What is read: the records that people wrote, and everything that they refer to.

use renmen_schema::EntityKind;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_store::{BUILT_IN_CONNECTION, LinkedQuery, Parent, RecordQuery, RecordRow, Store, StoreError};
use serde_json::Value;

/// Records read at once.
const PAGE: u32 = 1_000;

/// The records of one tenant.
#[derive(Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) tenant: &'a TenantId,
}

/// The connection that stands for the gateway.
pub(crate) fn built_in() -> ConnectionName {
    ConnectionName::new(BUILT_IN_CONNECTION).expect("a name of ours is well formed")
}

/// A stored body.
pub(crate) fn body(row: &RecordRow) -> Value {
    serde_json::from_slice(&row.body).unwrap_or_default()
}

/// The record itself, as references name it.
pub(crate) fn key_of(row: &RecordRow) -> Parent {
    Parent { connection: row.connection.clone(), entity: row.entity.clone(), external_id: row.external_id.clone() }
}

impl Shelf<'_> {
    /// A record by our id, a tombstone too.
    pub(crate) async fn record(&self, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        self.store.record(self.tenant, id).await
    }

    /// A record by the id of a connection, a tombstone too.
    pub(crate) async fn find(&self, key: &Parent) -> Result<Option<RecordRow>, StoreError> {
        let query = RecordQuery {
            entity: Some(key.entity.clone()),
            connection: Some(key.connection.clone()),
            external_id: Some(key.external_id.clone()),
            include_deleted: true,
            limit: 1,
            ..RecordQuery::default()
        };
        Ok(self.store.records(self.tenant, &query).await?.items.into_iter().next())
    }

    /// Every live record of ours of one kind.
    pub(crate) async fn ours(&self, kind: EntityKind) -> Result<Vec<RecordRow>, StoreError> {
        let mut query = RecordQuery {
            entity: Some(kind.name().to_owned()),
            connection: Some(built_in()),
            limit: PAGE,
            ..RecordQuery::default()
        };
        let mut found = Vec::new();
        loop {
            let slice = self.store.records(self.tenant, &query).await?;
            found.extend(slice.items);
            match slice.next {
                Some(next) => query.after = Some(next),
                None => return Ok(found),
            }
        }
    }

    /// Every live record of ours of one kind that belongs to another record.
    pub(crate) async fn ours_of(&self, parent: &Parent, kind: EntityKind) -> Result<Vec<RecordRow>, StoreError> {
        let mut query = LinkedQuery {
            parent: parent.clone(),
            connections: vec![built_in()],
            entities: vec![kind.name().to_owned()],
            after: None,
            limit: PAGE,
        };
        let mut found = Vec::new();
        loop {
            let rows = self.store.linked(self.tenant, &query).await?;
            let whole = rows.len() < PAGE as usize;
            query.after = rows.last().map(|row| row.id);
            found.extend(rows);
            if whole {
                return Ok(found);
            }
        }
    }
}
