//! The inbox of a store whose database is away.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::inbox::{InboxRow, Intake, RefreshDone, RefreshFailed, RefreshRow, Taken};
use renmen_store::{InboxStore, StoreError};

use crate::broken_store::BrokenStore;

#[async_trait]
impl InboxStore for BrokenStore {
    async fn take_in(&self, _intake: Intake) -> Result<Taken, StoreError> {
        self.fail().await
    }
    async fn inbox(
        &self,
        _tenant: &TenantId,
        _connection: Option<&ConnectionName>,
        _before_id: Option<i64>,
        _limit: u32,
    ) -> Result<Vec<InboxRow>, StoreError> {
        self.fail().await
    }
    async fn purge_inbox(&self, _before_ms: i64, _limit: u32, _now_ms: i64) -> Result<u64, StoreError> {
        self.fail().await
    }
    async fn next_refresh_ms(&self) -> Result<Option<i64>, StoreError> {
        self.fail().await
    }
    async fn claim_refreshes(
        &self,
        _now: i64,
        _lease: i64,
        _but_of: &[(TenantId, ConnectionName)],
        _limit: u32,
    ) -> Result<Vec<RefreshRow>, StoreError> {
        self.fail().await
    }
    async fn renew_refreshes(&self, _claims: Vec<RefreshDone>, _now_ms: i64, _lease: i64) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn settle_refreshes(
        &self,
        _done: Vec<RefreshDone>,
        _failed: Vec<RefreshFailed>,
        _now_ms: i64,
    ) -> Result<(), StoreError> {
        self.fail().await
    }
}
