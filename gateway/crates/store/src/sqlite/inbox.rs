//! [`InboxStore`] on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::SqliteStore;
use super::query::at_once;
use crate::inbox::{InboxRow, Intake, RefreshDone, RefreshFailed, RefreshRow, Taken};
use crate::sql::inbox;
use crate::{InboxStore, StoreError};

#[async_trait]
impl InboxStore for SqliteStore {
    async fn take_in(&self, intake: Intake) -> Result<Taken, StoreError> {
        intake.check()?;
        let writer = self.writer()?;
        let answered = self.group.add(intake);
        let group = Arc::clone(&self.group);
        writer.run_group(move |connection| group.commit(connection)).await?;
        answered.await.map_err(|_| StoreError::Fault("the store's writer has ended".into()))?
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        before_id: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.cloned());
        self.readers.run(move |c| at_once(inbox::list(c, &tenant, connection.as_ref(), before_id, limit))).await
    }

    async fn purge_inbox(&self, before_ms: i64, limit: u32, now_ms: i64) -> Result<u64, StoreError> {
        self.writer()?.run(move |c| at_once(inbox::purge(c, before_ms, limit, now_ms))).await
    }

    async fn next_refresh_ms(&self) -> Result<Option<i64>, StoreError> {
        self.readers.run(move |c| at_once(inbox::next_refresh_ms(c))).await
    }

    async fn claim_refreshes(
        &self,
        now_ms: i64,
        lease_ms: i64,
        but_of: &[(TenantId, ConnectionName)],
        limit: u32,
    ) -> Result<Vec<RefreshRow>, StoreError> {
        let (but_of, holder) = (but_of.to_vec(), self.holder.clone());
        self.writer()?.run(move |c| at_once(inbox::claim_refreshes(c, &holder, now_ms, lease_ms, &but_of, limit))).await
    }

    async fn renew_refreshes(&self, claims: Vec<RefreshDone>, now_ms: i64, lease_ms: i64) -> Result<(), StoreError> {
        self.writer()?.run(move |c| at_once(inbox::renew_refreshes(c, &claims, now_ms, lease_ms))).await
    }

    async fn settle_refreshes(
        &self,
        done: Vec<RefreshDone>,
        failed: Vec<RefreshFailed>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.writer()?.run(move |c| at_once(inbox::settle_refreshes(c, &done, &failed, now_ms))).await
    }
}
