//! [`RetentionStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::TenantId;

use super::SqliteStore;
use super::query::at_once;
use crate::sql::retention;
use crate::{Retained, RetentionPass, RetentionStore, StoreError};

#[async_trait]
impl RetentionStore for SqliteStore {
    async fn begin_retention(&self, now_ms: i64, every_ms: i64) -> Result<Option<RetentionPass>, StoreError> {
        let quotas = self.quotas.clone();
        self.writer()?.run(move |c| at_once(retention::begin(c, &quotas, now_ms, every_ms))).await
    }

    async fn go_on_retention(&self, pass: RetentionPass, now_ms: i64) -> Result<Option<RetentionPass>, StoreError> {
        let quotas = self.quotas.clone();
        self.writer()?.run(move |c| at_once(retention::go_on(c, &quotas, pass, now_ms))).await
    }

    async fn retained(&self, tenant: &TenantId) -> Result<Vec<Retained>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(retention::list(c, &tenant))).await
    }
}
