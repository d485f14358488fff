//! [`Store`] on PostgreSQL: each call takes a connection, a write a transaction.

use async_trait::async_trait;
use renmen_schema::Text;
use renmen_schema::id::{ConnectionName, ExchangeId, RecordId, RunId, TenantId};
use tokio::sync::watch;

use super::query::run as run_statement;
use super::{PostgresStore, exchange, feed, in_transaction, known, list};
use crate::listing::Listing;
use crate::sql::{PROVE_WRITE, commit, feed as positions, quarantine, record, record_list, run, stream};
use crate::{
    ChangeRow, CommitOutcome, EntityCount, ExchangeRow, Known, NewRun, PageCommit, PageRow, QuarantineRow, RecordQuery,
    RecordRow, RecordWrite, RunEnd, RunRow, Slice, Store, StoreError, StreamKey, StreamState, Trouble, Wakeup,
    failpoint, limits,
};

/// A write that needs a megabyte, which is gone with its transaction.
const PROVE_ROOM: &str =
    "CREATE TEMP TABLE renmen_room ON COMMIT DROP AS SELECT n, md5(n::text) FROM generate_series(1, 20000) n";

#[async_trait]
impl Store for PostgresStore {
    fn backend(&self) -> &'static str {
        "postgres"
    }

    async fn ready(&self) -> Result<(), StoreError> {
        let ready = match self.trouble() {
            // A server that is back, or takes no writes, can be read.
            None | Some(Trouble::Away) => self.read(|c| async move { positions::epoch(&c).await.map(drop) }).await,
            Some(trouble) => {
                let proof = if trouble == Trouble::DiskFull { PROVE_ROOM } else { PROVE_WRITE };
                in_transaction!(self, |transaction| run_statement(&transaction, proof, &[])).map(drop)
            }
        };
        self.writes.proved(&ready);
        ready
    }

    fn wakeup(&self) -> Wakeup {
        self.wakeup.as_ref().map_or(Wakeup::Polling, |state| *state.lock())
    }

    fn trouble(&self) -> Option<Trouble> {
        self.writes.trouble()
    }

    async fn begin_run(&self, new: NewRun) -> Result<RunId, StoreError> {
        in_transaction!(self, |transaction| run::begin(&transaction, &self.holder, &new))
    }

    async fn commit_page(&self, page: PageCommit) -> Result<CommitOutcome, StoreError> {
        limits::check_page(&page)?;
        let tenant = page.key.tenant.clone();
        self.in_time(async {
            let _turn = self.turns.take(&tenant).await;
            let mut client = self.client().await?;
            let transaction = self.connections.begin(&mut client).await?;
            let quota = self.quotas.of(&page.key.tenant, &page.key.connection);
            let outcome = commit::commit_page(&transaction, page, &quota).await?;
            failpoint::reach("before_commit");
            transaction.commit().await?;
            failpoint::reach("after_commit");
            self.heads.committed(&tenant, &outcome);
            Ok(outcome)
        })
        .await
    }

    async fn finish_run(&self, id: RunId, end: RunEnd) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| run::finish(&transaction, id, &end))
    }

    async fn run(&self, tenant: &TenantId, id: RunId) -> Result<Option<RunRow>, StoreError> {
        self.read(|c| async move { run::get(&c, tenant, id).await }).await
    }

    async fn runs(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        self.read(|c| async move { run::list(&c, tenant, connection, limit).await }).await
    }

    async fn stream_state(&self, key: &StreamKey) -> Result<StreamState, StoreError> {
        self.read(|c| async move { stream::state(&c, key).await }).await
    }

    async fn reset_stream(&self, key: &StreamKey) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| stream::reset(&transaction, key))
    }

    async fn known(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        asked: &[(String, String)],
    ) -> Result<Vec<Option<Known>>, StoreError> {
        self.read(|c| async move { known::known(&*c, tenant, connection, asked).await }).await
    }

    async fn record(&self, tenant: &TenantId, id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        self.read(|c| async move { record::get(&c, &self.ids, tenant, id).await }).await
    }

    async fn records(&self, tenant: &TenantId, query: &RecordQuery) -> Result<Slice<RecordRow>, StoreError> {
        let listing = Listing::new(tenant, query)?;
        self.read(|c| async move {
            match listing.since_ms {
                None => record_list::by_key(&c, &self.ids, &listing).await,
                Some(since_ms) => list::by_change(&c, &self.ids, &listing, since_ms).await,
            }
        })
        .await
    }

    async fn revisions(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<RecordRow>, StoreError> {
        self.read(|c| async move { record::revisions(&c, &self.ids, tenant, id, limit).await }).await
    }

    async fn counts(&self, tenant: &TenantId) -> Result<Vec<EntityCount>, StoreError> {
        self.read(|c| async move { record::counts(&c, tenant).await }).await
    }

    async fn changes(
        &self,
        tenant: &TenantId,
        after_seq: i64,
        entity: Option<&str>,
        limit: u32,
    ) -> Result<Vec<ChangeRow>, StoreError> {
        self.read(|c| async move { feed::changes(&*c, &self.ids, tenant, after_seq, entity, limit).await }).await
    }

    async fn epoch(&self) -> Result<u32, StoreError> {
        self.read(|c| async move { positions::epoch(&c).await }).await
    }

    async fn holds_position(&self, tenant: &TenantId, seq: i64, epoch: Option<u32>) -> Result<bool, StoreError> {
        self.read(|c| async move { positions::holds_position(&c, tenant, seq, epoch).await }).await
    }

    fn watch(&self, tenant: &TenantId) -> watch::Receiver<i64> {
        self.heads.watch(tenant)
    }

    fn watch_any(&self) -> watch::Receiver<u64> {
        self.heads.watch_any()
    }

    async fn exchange(&self, tenant: &TenantId, id: ExchangeId) -> Result<Option<ExchangeRow>, StoreError> {
        self.read(|c| async move { exchange::get(&*c, tenant, id).await }).await
    }

    async fn page_exchanges(&self, tenant: &TenantId, page: i64) -> Result<Vec<ExchangeRow>, StoreError> {
        self.read(|c| async move { exchange::of_page(&*c, tenant, page).await }).await
    }

    async fn pages(&self, key: &StreamKey, after_page: i64, limit: u32) -> Result<Vec<PageRow>, StoreError> {
        self.read(|c| async move { positions::pages(&c, key, after_page, limit).await }).await
    }

    async fn quarantine(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        after_id: i64,
        limit: u32,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        self.read(|c| async move { quarantine::list(&c, tenant, connection, after_id, limit).await }).await
    }

    async fn quarantine_get(&self, tenant: &TenantId, id: i64) -> Result<Option<QuarantineRow>, StoreError> {
        self.read(|c| async move { quarantine::get(&c, tenant, id).await }).await
    }

    async fn quarantine_accept(
        &self,
        tenant: &TenantId,
        id: i64,
        record: RecordWrite,
        now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        limits::check_record(0, &record)?;
        let accepted = in_transaction!(self, |transaction| quarantine::accept(
            &transaction,
            tenant,
            id,
            record.clone(),
            now_ms,
            &self.quotas
        ))?;
        self.heads.committed(tenant, &accepted);
        Ok(accepted)
    }

    async fn quarantine_still(&self, tenant: &TenantId, id: i64, reason: &Text) -> Result<(), StoreError> {
        in_transaction!(self, |transaction| quarantine::note_attempt(&transaction, tenant, id, reason))
    }

    async fn quarantine_drop(&self, tenant: &TenantId, id: i64) -> Result<bool, StoreError> {
        in_transaction!(self, |transaction| quarantine::delete(&transaction, tenant, id))
    }
}
