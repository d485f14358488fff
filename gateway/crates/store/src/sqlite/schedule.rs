//! [`ScheduleStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::RunId;

use super::SqliteStore;
use super::query::at_once;
use crate::sql::run;
use crate::{NewRun, ScheduleStore, StoreError, StreamKey, StreamStand};

#[async_trait]
impl ScheduleStore for SqliteStore {
    fn is_shared(&self) -> bool {
        false
    }

    async fn stream_stand(&self, key: &StreamKey, now_ms: i64) -> Result<StreamStand, StoreError> {
        let key = key.clone();
        self.readers.run(move |c| at_once(run::stand(c, &key, now_ms))).await
    }

    async fn begin_due_run(&self, new: NewRun, last: Option<RunId>) -> Result<RunId, StoreError> {
        let holder = self.holder.clone();
        self.writer()?.run(move |c| at_once(run::begin_due(c, &holder, &new, last))).await
    }

    async fn renew_run(&self, id: RunId, now_ms: i64) -> Result<(), StoreError> {
        self.writer()?.run(move |c| at_once(run::renew(c, id, now_ms))).await
    }

    async fn runs_elsewhere(&self, now_ms: i64) -> Result<Vec<StreamKey>, StoreError> {
        let holder = self.holder.clone();
        self.readers.run(move |c| at_once(run::elsewhere(c, &holder, now_ms))).await
    }

    async fn expired_runs(&self, now_ms: i64) -> Result<Vec<StreamKey>, StoreError> {
        self.readers.run(move |c| at_once(run::expired(c, now_ms))).await
    }
}
