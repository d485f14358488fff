//! [`InboxStore`] on PostgreSQL: deliveries share commits where they may (`intake`).

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{PostgresStore, in_transaction, intake};
use crate::inbox::{InboxRow, Intake, RefreshDone, RefreshFailed, RefreshRow, Taken};
use crate::sql::inbox;
use crate::{InboxStore, StoreError};

#[async_trait]
impl InboxStore for PostgresStore {
    async fn take_in(&self, intake: Intake) -> Result<Taken, StoreError> {
        intake.check()?;
        let committers = self.committers.as_ref().ok_or_else(crate::interface::read_only)?;
        if intake::may_share(&intake) {
            return committers.take_in(intake).await;
        }
        let tenant = intake.tenant.clone();
        let taken = intake::take_alone((&self.connections, &self.writes), intake, &self.quotas).await?;
        self.heads.committed(&tenant, &taken.outcome);
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

    async fn purge_inbox(&self, before_ms: i64, limit: u32, now_ms: i64) -> Result<u64, StoreError> {
        in_transaction!(self, |transaction| inbox::purge(&transaction, before_ms, limit, now_ms))
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
        in_transaction!(self, |transaction| inbox::claim_refreshes(
            &transaction,
            &self.holder,
            now_ms,
            lease_ms,
            but_of,
            limit
        ))
    }

    async fn renew_refreshes(&self, claims: Vec<RefreshDone>, now_ms: i64, lease_ms: i64) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| inbox::renew_refreshes(&transaction, &claims, now_ms, lease_ms))
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
