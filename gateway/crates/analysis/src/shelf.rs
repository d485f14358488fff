//! Reads single records: what a reference means, what belongs to what, every record of a kind.

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use renmen_schema::types::Ref;
use renmen_schema::{Entity, WantedKey};
use renmen_store::{BUILT_IN_CONNECTION, RecordQuery, RecordRow, Store};

use crate::AnalysisError;

/// Records of a page.
const PAGE: u32 = 500;

/// The records of a tenant.
#[derive(Clone, Copy)]
pub(crate) struct Shelf<'a> {
    pub(crate) store: &'a dyn Store,
    pub(crate) tenant: &'a TenantId,
}

/// A record with its body.
#[derive(Debug)]
pub(crate) struct Read<E> {
    pub(crate) row: RecordRow,
    pub(crate) body: E,
}

impl<E: Entity> Read<E> {
    /// A live record of this kind.
    pub(crate) fn of(row: RecordRow) -> Option<Self> {
        let fits = row.deleted.is_none() && row.entity == E::KIND.name();
        let body = fits.then(|| serde_json::from_slice(&row.body).ok()).flatten()?;
        Some(Self { row, body })
    }
}

impl Shelf<'_> {
    /// A live record.
    pub(crate) async fn row(self, id: RecordId) -> Result<Option<RecordRow>, AnalysisError> {
        Ok(self.store.record(self.tenant, id).await?.filter(|row| row.deleted.is_none()))
    }

    /// A live record of a kind.
    pub(crate) async fn get<E: Entity>(self, id: RecordId) -> Result<Option<Read<E>>, AnalysisError> {
        Ok(self.row(id).await?.and_then(Read::of))
    }

    /// The live record that a reference means. `from` is the connection of the record that refers.
    pub(crate) async fn meant<E: Entity>(
        self,
        reference: &Ref<E>,
        from: &ConnectionName,
    ) -> Result<Option<Read<E>>, AnalysisError> {
        if let Some(id) = reference.id {
            return self.get(id).await;
        }
        if let Some(external) = &reference.external {
            let connection = external.connection.as_ref().unwrap_or(from);
            return self.find(connection, &external.value).await;
        }
        let value = serde_json::to_value(reference).map_err(|error| AnalysisError::Fault(error.to_string()))?;
        let Some(key) = WantedKey::of(&value, E::KIND) else { return Ok(None) };
        Ok(self.store.keyed(self.tenant, &key, None).await?.one().and_then(Read::of))
    }

    /// The live record with an id in its system.
    pub(crate) async fn find<E: Entity>(
        self,
        connection: &ConnectionName,
        external_id: &str,
    ) -> Result<Option<Read<E>>, AnalysisError> {
        let query = RecordQuery {
            entity: Some(E::KIND.name().to_owned()),
            connection: Some(connection.clone()),
            external_id: Some(external_id.to_owned()),
            limit: 1,
            ..RecordQuery::default()
        };
        Ok(self.store.records(self.tenant, &query).await?.items.into_iter().next().and_then(Read::of))
    }

    /// Every live record of a kind, of one connection where that is said.
    pub(crate) async fn each<E: Entity>(
        self,
        connection: Option<&ConnectionName>,
        take: &mut (dyn FnMut(Read<E>) + Send),
    ) -> Result<(), AnalysisError> {
        let mut query = RecordQuery {
            entity: Some(E::KIND.name().to_owned()),
            connection: connection.cloned(),
            limit: PAGE,
            ..RecordQuery::default()
        };
        loop {
            let slice = self.store.records(self.tenant, &query).await?;
            slice.items.into_iter().filter_map(Read::of).for_each(&mut *take);
            query.after = slice.next;
            if query.after.is_none() {
                return Ok(());
            }
        }
    }
}

/// Does a reference mean this record? `from` is the connection of the record that refers.
pub(crate) fn names<E: Entity>(reference: &Ref<E>, from: &ConnectionName, row: &RecordRow) -> bool {
    let by_external = reference.external.as_ref().is_some_and(|external| {
        external.value == row.external_id && *external.connection.as_ref().unwrap_or(from) == row.connection
    });
    reference.id == Some(row.id) || (reference.id.is_none() && by_external)
}

/// The connection that stands for the gateway.
pub(crate) fn built_in() -> ConnectionName {
    ConnectionName::new(BUILT_IN_CONNECTION).expect("a name of ours is well formed")
}
