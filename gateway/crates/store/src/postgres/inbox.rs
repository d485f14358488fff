//! [`InboxStore`] on PostgreSQL: a transaction a delivery; they take turns at the feed's row.

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{PostgresStore, in_time, in_transaction};
use crate::inbox::{InboxRow, Intake, RefreshDone, RefreshFailed, RefreshRow, Taken};
use crate::sql::inbox;
use crate::{InboxStore, StoreError, failpoint, follow};

#[async_trait]
impl InboxStore for PostgresStore {
    async fn take_in(&self, intake: Intake) -> Result<Taken, StoreError> {
        intake.check()?;
        let quota = self.quotas.of(&intake.tenant, &intake.connection);
        let taken = in_transaction!(self, |transaction| async {
            let taken = inbox::take(&transaction, intake, &quota).await;
            failpoint::reach("before_commit");
            taken
        })?;
        failpoint::reach("after_commit");
        follow::raise(&self.head, taken.outcome.last_seq);
        Ok(taken)
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        before_id: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, StoreError> {
        self.read(|c| async move { inbox::list(&c, tenant, connection, before_id, limit).await }).await
    }

    async fn purge_inbox(&self, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
        in_time(async { inbox::purge(&self.client().await?, before_ms, limit).await }).await
    }

    async fn next_refresh_ms(&self) -> Result<Option<i64>, StoreError> {
        self.read(|c| async move { inbox::next_refresh_ms(&c).await }).await
    }

    async fn claim_refreshes(
        &self,
        now_ms: i64,
        lease_ms: i64,
        but_of: &[(TenantId, ConnectionName)],
        limit: u32,
    ) -> Result<Vec<RefreshRow>, StoreError> {
        in_time(async { inbox::claim_refreshes(&self.client().await?, now_ms, lease_ms, but_of, limit).await }).await
    }

    async fn settle_refreshes(
        &self,
        done: Vec<RefreshDone>,
        failed: Vec<RefreshFailed>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| inbox::settle_refreshes(&transaction, &done, &failed, now_ms))
    }
}
