//! [`ScheduleStore`] on PostgreSQL.

use async_trait::async_trait;
use renmen_schema::id::RunId;

use super::{PostgresStore, in_transaction};
use crate::sql::run;
use crate::{NewRun, ScheduleStore, StoreError, StreamKey, StreamStand};

#[async_trait]
impl ScheduleStore for PostgresStore {
    fn is_shared(&self) -> bool {
        true
    }

    async fn stream_stand(&self, key: &StreamKey, now_ms: i64) -> Result<StreamStand, StoreError> {
        self.read(|c| async move { run::stand(&c, key, now_ms).await }).await
    }

    async fn begin_due_run(&self, new: NewRun, last: Option<RunId>) -> Result<RunId, StoreError> {
        in_transaction!(self, |transaction| run::begin_due(&transaction, &self.holder, &new, last))
    }

    async fn renew_run(&self, id: RunId, now_ms: i64) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| run::renew(&transaction, id, now_ms))
    }

    async fn runs_elsewhere(&self, now_ms: i64) -> Result<Vec<StreamKey>, StoreError> {
        self.read(|c| async move { run::elsewhere(&c, &self.holder, now_ms).await }).await
    }

    async fn expired_runs(&self, now_ms: i64) -> Result<Vec<StreamKey>, StoreError> {
        self.read(|c| async move { run::expired(&c, now_ms).await }).await
    }
}
