//! What a connection may keep on disk, and what it keeps: counted with every commit, in the same transaction.
//!
//! Bytes are those of the rows as they are written, with a fixed part for each row's place, change and index: near what the disk
//! holds, and the same on both backends. They only grow with what is written and shrink with what is pruned; a database's own
//! overhead and free pages are not in them.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::RwLock;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Text, text};

use crate::retention::Owner;
use crate::{ExchangeWrite, PageCommit, RecordWrite, StoreError};

/// Bytes of a revision besides its body, id and pointer: its row, its change and its place in the index.
pub(crate) const REVISION_BYTES: i64 = 200;
/// Bytes of a page besides its cursors.
pub(crate) const PAGE_BYTES: i64 = 150;
/// Bytes of an exchange besides what is packed and its URL; of a body that exchanges share, besides what is packed.
pub(crate) const EXCHANGE_BYTES: i64 = 150;
/// Pages whose exchanges one commit takes out at most: after a limit was lowered the rest goes with the next ones.
pub(crate) const PRUNED_PAGES_MAX: i64 = 256;

/// What one connection may keep. Each has its key under the connection's `[limits]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Bytes of records with their earlier revisions, and of the pages that they came in. Beyond, a page is refused.
    pub records_bytes_max: u64,
    /// Bytes of exchanges; a body that several share counts once. Beyond, the oldest are taken out; a page that is larger by itself is
    /// refused.
    pub exchanges_bytes_max: u64,
    /// Records that may wait in quarantine. Beyond, a page is refused.
    pub quarantine_records_max: u64,
    /// Bytes of them. Beyond, a page is refused.
    pub quarantine_bytes_max: u64,
    /// Reads that deliveries asked for and that are not done. Beyond, a delivery that asks for more is refused.
    pub refreshes_waiting_max: u64,
    /// How long exchanges are kept that nothing points to, by the clock of the pages that they came in. Milliseconds; 0: for ever.
    pub exchanges_age_max_ms: i64,
    /// How long finished runs are kept that wrote nothing, and what other runs could not read; two days at least. Milliseconds; 0: for ever.
    pub runs_age_max_ms: i64,
    /// How long records may wait in quarantine. Milliseconds; 0: for ever.
    pub quarantine_age_max_ms: i64,
}

impl Quota {
    /// For a connection without limits, such as what the gateway writes itself.
    pub const UNLIMITED: Self = Self {
        records_bytes_max: u64::MAX,
        exchanges_bytes_max: u64::MAX,
        quarantine_records_max: u64::MAX,
        quarantine_bytes_max: u64::MAX,
        refreshes_waiting_max: u64::MAX,
        exchanges_age_max_ms: 0,
        runs_age_max_ms: 0,
        quarantine_age_max_ms: 0,
    };
}

/// What one connection keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DiskUse {
    pub connection: ConnectionName,
    /// Bytes of records with their earlier revisions, and of their pages.
    pub records_bytes: u64,
    /// Bytes of exchanges.
    pub exchanges_bytes: u64,
}

/// The quotas of a store's connections.
#[derive(Debug, Clone, Default)]
pub(crate) struct Quotas(Arc<RwLock<HashMap<(TenantId, ConnectionName), Quota>>>);

impl Quotas {
    pub(crate) fn set(&self, tenant: &TenantId, connection: &ConnectionName, quota: Quota) {
        self.0.write().insert((tenant.clone(), connection.clone()), quota);
    }

    pub(crate) fn of(&self, tenant: &TenantId, connection: &ConnectionName) -> Quota {
        let key = (tenant.clone(), connection.clone());
        self.0.read().get(&key).copied().unwrap_or(Quota::UNLIMITED)
    }

    pub(crate) fn all(&self) -> Vec<(Owner, Quota)> {
        self.0.read().iter().map(|(owner, quota)| (owner.clone(), *quota)).collect()
    }
}

/// What a commit adds.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Charge {
    pub(crate) records_bytes: i64,
    pub(crate) exchanges_bytes: i64,
}

impl Charge {
    /// A page; what writes its revisions and its exchanges counts the bytes of those.
    pub(crate) fn of(page: &PageCommit, revisions_bytes: i64, exchanges_bytes: i64) -> Self {
        let cursors = [&page.cursor_before, &page.cursor_after];
        let cursors: usize = cursors.into_iter().flatten().map(String::len).sum();
        Self { records_bytes: revisions_bytes + PAGE_BYTES + len(cursors), exchanges_bytes }
    }

    /// What a delivery brought for one stream: a page without cursors.
    pub(crate) fn of_delivery(exchanges: &[ExchangeWrite], revisions_bytes: i64) -> Self {
        Self {
            records_bytes: revisions_bytes + PAGE_BYTES,
            exchanges_bytes: exchanges.iter().map(|exchange| exchange_bytes(exchange, &exchange.packed)).sum(),
        }
    }
}

/// An exchange of which so much is kept in its own row.
pub(crate) fn exchange_bytes(exchange: &ExchangeWrite, own: &[u8]) -> i64 {
    EXCHANGE_BYTES + len(own.len() + exchange.url.len())
}

/// A body that exchanges share.
pub(crate) fn body_bytes(packed: usize) -> i64 {
    EXCHANGE_BYTES + len(packed)
}

/// A first revision, or another one with a body of its own.
pub(crate) fn revision_bytes(write: &RecordWrite) -> i64 {
    REVISION_BYTES + len(write.body().len() + write.external_id.len() + write.pointer.len())
}

pub(crate) fn len(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// Refuses what is beyond a quota; the transaction is then rolled back.
pub(crate) fn within(limit: &'static str, what: &Text, seen: i64, allowed: u64) -> Result<(), StoreError> {
    if seen.max(0).unsigned_abs() <= allowed {
        return Ok(());
    }
    let message = text!(
        "{what} {seen}, allowed are {allowed}. The page was not committed and the cursor stays, so nothing is lost. Raise `{limit}` \
         under the connection's [limits], or find out why there is so much",
        "{what} {seen}，上限为 {allowed}。该页未提交，游标未移动，因此没有数据丢失。请调高该连接 [limits] 下的 `{limit}`，\
         或查明数量为何如此之多"
    );
    Err(StoreError::Quota { limit, message })
}

/// The two figures of what waits in quarantine.
pub(crate) fn within_quarantine(records: i64, bytes: i64, quota: &Quota) -> Result<(), StoreError> {
    let what = text!("records of the connection that would wait in quarantine:", "该连接在隔离区中等待的记录数：");
    within("quarantine_records_max", &what, records, quota.quarantine_records_max)?;
    let what =
        text!("bytes of the connection's records that would wait in quarantine:", "该连接在隔离区中等待的记录字节数：");
    within("quarantine_bytes_max", &what, bytes, quota.quarantine_bytes_max)
}

/// Checks the number of reads that deliveries asked for and that still wait.
pub(crate) fn within_refreshes(waiting: i64, quota: &Quota) -> Result<(), StoreError> {
    if waiting.max(0).unsigned_abs() <= quota.refreshes_waiting_max {
        return Ok(());
    }
    let limit = "refreshes_waiting_max";
    let message = text!(
        "{waiting} reads that deliveries of the connection asked for would wait, allowed are {}. The delivery was not kept; its vendor \
         sends it again. See in `GET /v1/health` why the connection cannot read, or raise `{limit}` under its [limits]",
        "该连接由投递请求的读取将有 {waiting} 次在等待，上限为 {}。该投递未保留，厂商会重新发送。请在 `GET /v1/health` 中查看\
         该连接为何无法读取，或调高其 [limits] 下的 `{limit}`",
        quota.refreshes_waiting_max
    );
    Err(StoreError::Quota { limit, message })
}

/// The figure of what is kept of records.
pub(crate) fn within_records(bytes: i64, quota: &Quota) -> Result<(), StoreError> {
    let what = text!("bytes of the connection's records and pages:", "该连接的记录与数据页字节数：");
    within("records_bytes_max", &what, bytes, quota.records_bytes_max)
}

/// The figure of what is kept of exchanges, when nothing older is left to take out.
pub(crate) fn within_exchanges(bytes: i64, quota: &Quota) -> Result<(), StoreError> {
    let what = text!("bytes of this page's exchanges alone:", "仅该页的请求记录字节数：");
    within("exchanges_bytes_max", &what, bytes, quota.exchanges_bytes_max)
}

/// Is there something to take out?
pub(crate) fn excess(exchanges_bytes: i64, quota: &Quota) -> i64 {
    exchanges_bytes.saturating_sub(i64::try_from(quota.exchanges_bytes_max).unwrap_or(i64::MAX)).max(0)
}
