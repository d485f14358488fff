//! The broken store's answers about rows for insights.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use renmen_store::insight::{Ask, Batch, GroupsAsk, Read, RowsMade};
use renmen_store::{InsightStore, StoreError};
use tokio::sync::mpsc::Sender;

use crate::broken_store::BrokenStore;

#[async_trait]
impl InsightStore for BrokenStore {
    async fn insight_rows(&self, _tenant: &TenantId, _ask: &Ask, _to: Sender<Batch>) -> Result<Read, StoreError> {
        self.fail().await
    }
    async fn audit_rows(
        &self,
        _tenant: &TenantId,
        _ask: &Ask,
        _groups: &GroupsAsk,
        _to: Sender<Batch>,
    ) -> Result<Read, StoreError> {
        self.fail().await
    }
    async fn make_insight_rows(&self, _tenant: &TenantId, _at_most: u32) -> Result<RowsMade, StoreError> {
        self.fail().await
    }
    async fn insight_key(&self, _tenant: &TenantId, _id: RecordId) -> Result<Option<i64>, StoreError> {
        self.fail().await
    }
    async fn insight_ids(
        &self,
        _tenant: &TenantId,
        _keys: &[i64],
    ) -> Result<Vec<Option<(String, RecordId)>>, StoreError> {
        self.fail().await
    }
}
