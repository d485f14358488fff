//! The broken store's answers about signatures, references, leases and moves.

use async_trait::async_trait;
use renmen_schema::WantedKey;
use renmen_schema::id::{ConnectionName, RecordId, RunId, TenantId};
use renmen_store::{
    Answered, Keyed, LeaseRow, LeaseStore, MoveStore, Named, NewRun, OnceKey, ReferenceStore, RegistryStore,
    RegistryVersions, ScheduleStore, SignStore, SignedRevision, StoreError, StreamKey, StreamStand, TenantMove,
    UnresolvedKeys,
};

use crate::broken_store::BrokenStore;

#[async_trait]
impl SignStore for BrokenStore {
    async fn signatures(
        &self,
        _tenant: &TenantId,
        _id: RecordId,
        _limit: u32,
    ) -> Result<Vec<SignedRevision>, StoreError> {
        self.fail().await
    }
    async fn answered(&self, _key: OnceKey<'_>, _now_ms: i64) -> Result<Option<Answered>, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl ReferenceStore for BrokenStore {
    async fn keyed(
        &self,
        _tenant: &TenantId,
        _key: &WantedKey,
        _connections: Option<&[ConnectionName]>,
    ) -> Result<Keyed, StoreError> {
        self.fail().await
    }
    async fn meant(&self, _tenant: &TenantId, _names: &[Named]) -> Result<Vec<Keyed>, StoreError> {
        self.fail().await
    }
    async fn unresolved_keys(&self, _tenant: &TenantId) -> Result<Vec<UnresolvedKeys>, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl LeaseStore for BrokenStore {
    async fn lease(&self, _tenant: &TenantId, _name: &str) -> Result<Option<LeaseRow>, StoreError> {
        self.fail().await
    }
    async fn beat(
        &self,
        _tenant: &TenantId,
        _name: &str,
        _holder: Option<&str>,
        _seen: i64,
        _now_ms: i64,
    ) -> Result<Option<i64>, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl ScheduleStore for BrokenStore {
    fn is_shared(&self) -> bool {
        false
    }
    async fn stream_stand(&self, _key: &StreamKey, _now_ms: i64) -> Result<StreamStand, StoreError> {
        self.fail().await
    }
    async fn begin_due_run(&self, _run: NewRun, _last: Option<RunId>) -> Result<RunId, StoreError> {
        self.fail().await
    }
    async fn renew_run(&self, _run: RunId, _now_ms: i64) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn runs_elsewhere(&self, _now_ms: i64) -> Result<Vec<StreamKey>, StoreError> {
        self.fail().await
    }
    async fn expired_runs(&self, _now_ms: i64) -> Result<Vec<StreamKey>, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl RegistryStore for BrokenStore {
    async fn registry_versions(&self) -> Result<RegistryVersions, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl MoveStore for BrokenStore {
    async fn tenant_moves(&self) -> Result<Vec<TenantMove>, StoreError> {
        self.fail().await
    }
    /// A part of a key's look-up.
    async fn tenant_move(&self, _tenant: &TenantId) -> Result<Option<TenantMove>, StoreError> {
        if self.key.is_some() { Ok(None) } else { self.fail().await }
    }
}
