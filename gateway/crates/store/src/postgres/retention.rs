//! [`RetentionStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use super::{PostgresStore, exchange_days, in_transaction};
use crate::retention::PassStep;
use crate::sql::retention;
use crate::{Retained, RetentionPass, RetentionStore, StoreError};

#[async_trait]
impl RetentionStore for PostgresStore {
    async fn begin_retention(&self, now_ms: i64, every_ms: i64) -> Result<Option<RetentionPass>, StoreError> {
        // Also where nothing has an age: parts are filled all the same.
        exchange_days::make_ahead(&self.connections, &mut self.client().await?).await?;
        in_transaction!(self, |transaction| retention::begin(&transaction, &self.quotas, now_ms, every_ms))
    }

    async fn go_on_retention(&self, pass: RetentionPass, now_ms: i64) -> Result<Option<RetentionPass>, StoreError> {
        if let PassStep::Days { cut } = pass.at {
            let mut client = self.client().await?;
            let of = (pass.token, cut);
            let cut = exchange_days::turn(&self.connections, &mut client, of, &self.quotas, now_ms).await?;
            return Ok(Some(RetentionPass { at: PassStep::Exchanges { after: 0, cut }, ..pass }));
        }
        in_transaction!(self, |transaction| retention::go_on(&transaction, &self.quotas, pass.clone(), now_ms))
    }

    async fn retained(&self, tenant: &TenantId) -> Result<Vec<Retained>, StoreError> {
        self.read(|c| async move { retention::list(&c, tenant).await }).await
    }
}
