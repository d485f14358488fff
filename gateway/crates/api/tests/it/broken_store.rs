//! A store whose database is away: it refuses at once, or never answers. Only the keys' look-up still works when asked.

use std::future::pending;

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, ExchangeId, RecordId, RunId, TenantId};
use renmen_store::{
    ApiKeyRow, AuthorOutcome, AuthorStore, AuthoredCommit, Cause, ChangeRow, CommitOutcome, EntityCount, ExchangeRow,
    FoundKey, KeyId, KeyStore, Known, LinkedQuery, NewRun, PageCommit, PageRow, QuarantineRow, RecordQuery, RecordRow,
    RecordWrite, RunEnd, RunRow, ScreenStore, ScreenTokenRow, Slice, Store, StoreError, StreamKey, StreamState,
    TimerRow,
};
use tokio::sync::watch;

pub(crate) struct BrokenStore {
    /// True: it never answers. False: it says that it is unavailable.
    pub(crate) hangs: bool,
    /// What a key's look-up finds; none: the look-up fails as everything does.
    pub(crate) key: Option<ApiKeyRow>,
}

impl BrokenStore {
    pub(crate) async fn fail<T>(&self) -> Result<T, StoreError> {
        if self.hangs {
            pending::<()>().await;
        }
        Err(StoreError::Unavailable("connection refused (10.0.0.5)".into()))
    }
}

#[async_trait]
impl Store for BrokenStore {
    fn backend(&self) -> &'static str {
        "broken"
    }
    async fn ready(&self) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn begin_run(&self, _run: NewRun) -> Result<RunId, StoreError> {
        self.fail().await
    }
    async fn commit_page(&self, _page: PageCommit) -> Result<CommitOutcome, StoreError> {
        self.fail().await
    }
    async fn finish_run(&self, _run: RunId, _end: RunEnd) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn run(&self, _tenant: &TenantId, _id: RunId) -> Result<Option<RunRow>, StoreError> {
        self.fail().await
    }
    async fn runs(
        &self,
        _tenant: &TenantId,
        _connection: Option<&ConnectionName>,
        _limit: u32,
    ) -> Result<Vec<RunRow>, StoreError> {
        self.fail().await
    }
    async fn stream_state(&self, _key: &StreamKey) -> Result<StreamState, StoreError> {
        self.fail().await
    }
    async fn reset_stream(&self, _key: &StreamKey) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn known(
        &self,
        _tenant: &TenantId,
        _connection: &ConnectionName,
        _asked: &[(String, String)],
    ) -> Result<Vec<Option<Known>>, StoreError> {
        self.fail().await
    }
    async fn record(&self, _tenant: &TenantId, _id: RecordId) -> Result<Option<RecordRow>, StoreError> {
        self.fail().await
    }
    async fn records(&self, _tenant: &TenantId, _query: &RecordQuery) -> Result<Slice<RecordRow>, StoreError> {
        self.fail().await
    }
    async fn revisions(&self, _tenant: &TenantId, _id: RecordId, _limit: u32) -> Result<Vec<RecordRow>, StoreError> {
        self.fail().await
    }
    async fn counts(&self, _tenant: &TenantId) -> Result<Vec<EntityCount>, StoreError> {
        self.fail().await
    }
    async fn changes(
        &self,
        _tenant: &TenantId,
        _after_seq: i64,
        _entity: Option<&str>,
        _limit: u32,
    ) -> Result<Vec<ChangeRow>, StoreError> {
        self.fail().await
    }
    async fn epoch(&self) -> Result<u32, StoreError> {
        self.fail().await
    }
    async fn holds_position(&self, _tenant: &TenantId, _seq: i64, _epoch: Option<u32>) -> Result<bool, StoreError> {
        self.fail().await
    }
    fn watch(&self, _tenant: &TenantId) -> watch::Receiver<i64> {
        watch::channel(0).1
    }
    fn watch_any(&self) -> watch::Receiver<u64> {
        watch::channel(0).1
    }
    async fn exchange(&self, _tenant: &TenantId, _id: ExchangeId) -> Result<Option<ExchangeRow>, StoreError> {
        self.fail().await
    }
    async fn page_exchanges(&self, _tenant: &TenantId, _page: i64) -> Result<Vec<ExchangeRow>, StoreError> {
        self.fail().await
    }
    async fn pages(&self, _key: &StreamKey, _after_page: i64, _limit: u32) -> Result<Vec<PageRow>, StoreError> {
        self.fail().await
    }
    async fn quarantine(
        &self,
        _tenant: &TenantId,
        _connection: Option<&ConnectionName>,
        _after_id: i64,
        _limit: u32,
    ) -> Result<Vec<QuarantineRow>, StoreError> {
        self.fail().await
    }
    async fn quarantine_get(&self, _tenant: &TenantId, _id: i64) -> Result<Option<QuarantineRow>, StoreError> {
        self.fail().await
    }
    async fn quarantine_accept(
        &self,
        _tenant: &TenantId,
        _id: i64,
        _record: RecordWrite,
        _now_ms: i64,
    ) -> Result<CommitOutcome, StoreError> {
        self.fail().await
    }
    async fn quarantine_still(
        &self,
        _tenant: &TenantId,
        _id: i64,
        _reason: &renmen_schema::Text,
    ) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn quarantine_drop(&self, _tenant: &TenantId, _id: i64) -> Result<bool, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl KeyStore for BrokenStore {
    async fn put_api_key(&self, _key: ApiKeyRow) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn api_key(&self, hash: &[u8; 32]) -> Result<Option<ApiKeyRow>, StoreError> {
        match &self.key {
            Some(row) => Ok(Some(row.clone()).filter(|row| row.hash == *hash)),
            None => self.fail().await,
        }
    }
    async fn find_api_key(&self, hash: &[u8; 32]) -> Result<Option<FoundKey>, StoreError> {
        Ok(self.api_key(hash).await?.map(|key| FoundKey { key, gone_to: None }))
    }
    async fn api_keys(
        &self,
        _tenant: Option<&TenantId>,
        _after: Option<&ApiKeyRow>,
        _limit: u32,
    ) -> Result<Vec<ApiKeyRow>, StoreError> {
        self.fail().await
    }
    async fn api_key_by_id(&self, _tenant: Option<&TenantId>, _id: KeyId) -> Result<Option<ApiKeyRow>, StoreError> {
        self.fail().await
    }
    async fn revoke_api_key(
        &self,
        _tenant: Option<&TenantId>,
        _id: KeyId,
        _now_ms: i64,
    ) -> Result<Option<ApiKeyRow>, StoreError> {
        self.fail().await
    }
    async fn note_key_uses(&self, _uses: &[([u8; 32], i64)]) -> Result<(), StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl AuthorStore for BrokenStore {
    async fn author(&self, _commit: AuthoredCommit) -> Result<AuthorOutcome, StoreError> {
        self.fail().await
    }
    async fn causes(&self, _tenant: &TenantId, _id: RecordId, _revision: i64) -> Result<Vec<Cause>, StoreError> {
        self.fail().await
    }
    async fn due_timers(
        &self,
        _tenant: &TenantId,
        _stream: &str,
        _now_ms: i64,
        _limit: u32,
    ) -> Result<Vec<TimerRow>, StoreError> {
        self.fail().await
    }
    async fn linked(&self, _tenant: &TenantId, _query: &LinkedQuery) -> Result<Vec<RecordRow>, StoreError> {
        self.fail().await
    }
}

#[async_trait]
impl ScreenStore for BrokenStore {
    async fn put_screen_token(&self, _token: ScreenTokenRow, _now_ms: i64) -> Result<(), StoreError> {
        self.fail().await
    }
    async fn screen_token(&self, _hash: &[u8; 32]) -> Result<Option<ScreenTokenRow>, StoreError> {
        self.fail().await
    }
}
