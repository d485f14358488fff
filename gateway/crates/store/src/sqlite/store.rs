//! [`Store`] on SQLite: each call is handed to the writer or to a reader, with copies of what it needs there.

use async_trait::async_trait;
use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, ExchangeId, RecordId, RunId, TenantId};
use rusqlite::Connection;
use tokio::sync::watch;

use super::query::at_once;
use super::{SqliteStore, exchange, feed, known, list};
use crate::listing::Listing;
use crate::sql::{commit, feed as positions, quarantine, record, record_list, run, stream};
use crate::{
    ChangeRow, CommitOutcome, EntityCount, ExchangeRow, Known, NewRun, PageCommit, PageRow, QuarantineRow, RecordQuery,
    RecordRow, RecordWrite, RunEnd, RunRow, Slice, Store, StoreError, StreamKey, StreamState, Trouble, limits,
};

#[async_trait]
impl Store for SqliteStore {
    fn backend(&self) -> &'static str {
        "sqlite"
    }

    async fn ready(&self) -> Result<(), StoreError> {
        self.readers.run(|c| at_once(positions::heads(c)).map(drop)).await?;
        if self.condition.trouble() == Some(Trouble::Damaged) {
            return Err(Trouble::Damaged.error("a read or a write met it"));
        }
        let Some(writer) = &self.writer else { return Ok(()) };
        self.condition.check_room()?;
        if self.condition.trouble().is_some() { writer.prove().await } else { Ok(()) }
    }

    fn trouble(&self) -> Option<Trouble> {
        self.condition.trouble()
    }

    async fn begin_run(&self, new: NewRun) -> Result<RunId, StoreError> {
        let holder = self.holder.clone();
        self.writer()?.run(move |c| at_once(run::begin(c, &holder, &new))).await
    }

    async fn commit_page(&self, page: PageCommit) -> Result<CommitOutcome, StoreError> {
        limits::check_page(&page)?;
        let quota = self.quotas.of(&page.key.tenant, &page.key.connection);
        let tenant = page.key.tenant.clone();
        let work = move |c: &Connection| at_once(commit::commit_page(c, page, &quota));
        self.writer()?.commit(&tenant, |outcome: &CommitOutcome| outcome.last_seq, work).await
    }

    async fn finish_run(&self, id: RunId, end: RunEnd) -> Result<(), StoreError> {
        self.writer()?.run(move |c| at_once(run::finish(c, id, &end))).await
    }

    async fn run(&self, tenant: &TenantId, id: RunId) -> Result<Option<RunRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(run::get(c, &tenant, id))).await
    }

    async fn runs(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.cloned());
        self.readers.run(move |c| at_once(run::list(c, &tenant, connection.as_ref(), limit))).await
    }

    async fn stream_state(&self, key: &StreamKey) -> Result<StreamState, StoreError> {
        let key = key.clone();
        self.readers.run(move |c| at_once(stream::state(c, &key))).await
    }

    async fn reset_stream(&self, key: &StreamKey) -> Result<(), StoreError> {
        let key = key.clone();
        self.writer()?.run(move |c| at_once(stream::reset(c, &key))).await
    }

    async fn known(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        asked: &[(String, String)],
    ) -> Result<Vec<Option<Known>>, StoreError> {
        let (tenant, connection, asked) = (tenant.clone(), connection.clone(), asked.to_vec());
        let look = move |c: &Connection| known::known(c, &tenant, &connection, &asked);
        match &self.writer {
            Some(writer) => writer.look(look).await,
            None => self.readers.run(look).await,
        }
    }

    async fn record(&self, tenant: &TenantId, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(record::get(c, &ids, &tenant, id))).await
    }

    async fn records(&self, tenant: &TenantId, query: &RecordQuery) -> Result<Slice<RecordRow>, StoreError> {
        let (tenant, query, ids) = (tenant.clone(), query.clone(), self.ids.clone());
        self.readers
            .run(move |c| {
                let listing = Listing::new(&tenant, &query)?;
                match listing.since_ms {
                    None => at_once(record_list::by_key(c, &ids, &listing)),
                    Some(since_ms) => list::by_change(c, &ids, &listing, since_ms),
                }
            })
            .await
    }

    async fn revisions(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<RecordRow>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(record::revisions(c, &ids, &tenant, id, limit))).await
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<EntityCount>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(record::counts(c, &tenant))).await
    }

    async fn changes(
        &self,
        tenant: &TenantId,
        after_seq: i64,
        entity: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ChangeRow>, StoreError> {
        let (tenant, entity, ids) = (tenant.clone(), entity.map(str::to_owned), self.ids.clone());
        self.readers.run(move |c| feed::changes(c, &ids, &tenant, after_seq, entity.as_deref(), limit)).await
    }

    async fn epoch(&self) -> Result<u32, StoreError> {
        self.readers.run(|c| at_once(positions::epoch(c))).await
    }

    async fn holds_position(&self, tenant: &TenantId, seq: i64, epoch: Option<u32>) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(positions::holds_position(c, &tenant, seq, epoch))).await
    }

    fn watch(&self, tenant: &TenantId) -> watch::Receiver<i64> {
        self.heads.watch(tenant)
    }

    fn watch_any(&self) -> watch::Receiver<u64> {
        self.heads.watch_any()
    }

    async fn exchange(&self, tenant: &TenantId, id: ExchangeId) -> Result<Option<ExchangeRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| exchange::get(c, &tenant, id)).await
    }

    async fn page_exchanges(&self, tenant: &TenantId, page: i64) -> Result<Vec<ExchangeRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| exchange::of_page(c, &tenant, page)).await
    }

    async fn pages(&self, key: &StreamKey, after_page: i64, limit: u32) -> Result<Vec<PageRow>, StoreError> {
        let key = key.clone();
        self.readers.run(move |c| at_once(positions::pages(c, &key, after_page, limit))).await
    }

    async fn quarantine(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        after_id: i64,
        limit: u32,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.cloned());
        self.readers.run(move |c| at_once(quarantine::list(c, &tenant, connection.as_ref(), after_id, limit))).await
    }

    async fn quarantine_get(&self, tenant: &TenantId, id: i64) -> Result<Option<QuarantineRow>, StoreError> {
        let tenant = tenant.clone();
        self.readers.run(move |c| at_once(quarantine::get(c, &tenant, id))).await
    }

    async fn quarantine_accept(
        &self,
        tenant: &TenantId,
        id: i64,
        record: RecordWrite,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        limits::check_record(0, &record)?;
        let (of, quotas) = (tenant.clone(), self.quotas.clone());
        let work = move |c: &Connection| at_once(quarantine::accept(c, &of, id, record, now_ms, &quotas));
        self.writer()?.commit(tenant, |outcome: &CommitOutcome| outcome.last_seq, work).await
    }

    async fn quarantine_still(&self, tenant: &TenantId, id: i64, reason: &Text) -> Result<(), StoreError> {
        let (tenant, reason) = (tenant.clone(), reason.clone());
        self.writer()?.run(move |c| at_once(quarantine::note_attempt(c, &tenant, id, &reason))).await
    }

    async fn quarantine_drop(&self, tenant: &TenantId, id: i64) -> Result<bool, StoreError> {
        let tenant = tenant.clone();
        self.writer()?.run(move |c| at_once(quarantine::delete(c, &tenant, id))).await
    }
}
