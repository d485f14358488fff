//! How a backend writes what a commit changes: each in its own fast way, and both to the same end.

use std::future::Future;

use renmen_schema::id::{ConnectionName, TenantId};

use super::feed::FeedEnd;
use super::{Scopes, Session};
use crate::decide::{QuarantineIdentity, Tally};
use crate::keyed::KeyChanges;
use crate::retention::RemovedExchange;
use crate::seen::Seen;
use crate::{CommitOutcome, ExchangeWrite, RecordWrite, StoreError};

/// Where one commit stands.
pub(crate) struct CommitState {
    pub(crate) tally: Tally,
    /// The rows of every record that was put, written or not.
    pub(crate) seen: Seen,
    /// The page that the records come from.
    pub(crate) page: i64,
    /// The row of the tenant's feed.
    pub(crate) feed: i64,
    /// The last position of the feed that is given out.
    pub(crate) seq: i64,
    /// The time of the commit.
    pub(crate) now_ms: i64,
    /// What the page's exchanges added to what the connection keeps.
    pub(crate) exchanges_bytes: i64,
    /// What is put came as events: it may be out of order.
    pub(crate) events: bool,
    /// What the bodies that come and go say of keys.
    pub(crate) keys: KeyChanges,
}

impl CommitState {
    /// After the last entry of the tenant's feed. Its times never go back.
    pub(crate) fn after(tenant: &TenantId, end: FeedEnd, now_ms: i64) -> Self {
        Self {
            tally: Tally::default(),
            seen: Seen::default(),
            page: 0,
            feed: end.feed,
            seq: end.seq,
            now_ms: now_ms.max(end.at_ms),
            exchanges_bytes: 0,
            events: false,
            keys: KeyChanges::of(tenant.clone()),
        }
    }

    /// Another commit of the same transaction gave this feed an end: this one goes on there.
    pub(crate) fn go_on_after(&mut self, end: FeedEnd) {
        if self.feed == end.feed {
            self.seq = self.seq.max(end.seq);
            self.now_ms = self.now_ms.max(end.at_ms);
        }
    }

    /// Where the feed ends with what this commit has written by now.
    pub(crate) fn end(&self) -> FeedEnd {
        FeedEnd { feed: self.feed, seq: self.seq, at_ms: self.now_ms }
    }
}

/// A live record that a listing of everything did not list. In the order of scopes, then of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct MissingRecord {
    pub(crate) scope: i64,
    pub(crate) row: i64,
    pub(crate) body_bytes: i64,
}

/// A transaction that writes records.
pub(crate) trait CommitWriter: Session {
    /// Waits for its turn: from here on no other commit of the tenant is under way.
    fn begin(&self, tenant: &TenantId, now_ms: i64) -> impl Future<Output = Result<CommitState, StoreError>> + Send;

    /// Takes records in; no two of them are the same. They are sorted by entity and vendor id.
    fn put(
        &self,
        commit: &mut CommitState,
        scopes: &mut Scopes<'_>,
        stream: i64,
        records: &[RecordWrite],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Tombstones for live records that a sweep did not list.
    fn delete_missing(
        &self,
        commit: &mut CommitState,
        missing: &[MissingRecord],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// Gives the feed its new end, adds the sums to the scopes' counters, and writes what changed of keys.
    fn finish(&self, commit: CommitState) -> impl Future<Output = Result<CommitOutcome, StoreError>> + Send;

    /// Puts the rows of exchanges in, without the bodies that they share.
    fn insert_exchanges(
        &self,
        page: i64,
        exchanges: &[ExchangeWrite],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    /// The first pages of a connection, from one on and before another, that were committed with exchanges: at most
    /// [`crate::quota::PRUNED_PAGES_MAX`].
    fn exchange_pages(
        &self,
        owner: (&TenantId, &ConnectionName),
        pages: std::ops::Range<i64>,
    ) -> impl Future<Output = Result<Vec<i64>, StoreError>> + Send;

    /// Takes the rows of a page's exchanges out.
    fn remove_exchanges(&self, page: i64) -> impl Future<Output = Result<Vec<RemovedExchange>, StoreError>> + Send;

    /// The rows of those records (entity, vendor id) that there are.
    fn listed_rows(
        &self,
        owner: (&TenantId, &ConnectionName),
        listed: &[(&str, &str)],
    ) -> impl Future<Output = Result<Vec<i64>, StoreError>> + Send;

    /// Live records that a stream wrote last, up to a page, and that were not seen.
    fn missing(
        &self,
        stream: i64,
        to_page: i64,
        seen: &Seen,
    ) -> impl Future<Output = Result<Vec<MissingRecord>, StoreError>> + Send;

    /// Takes those of a stream's quarantined records out that there are.
    fn delete_quarantined(
        &self,
        stream: i64,
        identities: &[QuarantineIdentity],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;
}
