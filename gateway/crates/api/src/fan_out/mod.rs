//! One reader of the change feed a tenant for all event streams of this process: it reads each change once and keeps the last ones in a
//! ring that the streams read. One that falls behind the ring reads the store by itself and comes back to it.
//!
//! Owns the readers and what they keep. Must not know who reads, nor how an event is written to a client.

mod ring;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::{Mutex, RwLock};
use renmen_schema::id::TenantId;
use renmen_store::{Store, StoreError};
use tokio::sync::watch;
use tokio::task::AbortHandle;

pub(crate) use ring::{Piece, RingEntry};

use ring::Ring;

use crate::access::is_unseen;

/// Changes read from the store at once.
const BATCH: u32 = 500;
/// How long to wait for a store that is away.
const AGAIN: Duration = Duration::from_secs(1);

/// The readers of this process.
pub(crate) struct FanOut {
    store: Arc<dyn Store>,
    /// What the ring of one tenant may hold. Bytes.
    ring_bytes_max: usize,
    tenants: Mutex<HashMap<TenantId, Weak<TenantFeed>>>,
}

/// What the streams of one tenant share. The reader ends with the last of them.
struct TenantFeed {
    ring: RwLock<Ring>,
    /// Where the ring ends; changes as it grows, and when the store goes away.
    end: watch::Sender<i64>,
    /// The store is away. The streams read it for themselves then, and so learn why.
    is_away: AtomicBool,
    reader: Mutex<Option<AbortHandle>>,
}

/// One stream's place at its tenant's ring.
pub(crate) struct Seat {
    feed: Arc<TenantFeed>,
    end: watch::Receiver<i64>,
    /// It read from the store last: told once, not with each piece.
    fell_back: bool,
}

impl FanOut {
    pub(crate) fn new(store: Arc<dyn Store>, ring_bytes_max: usize) -> Self {
        Self { store, ring_bytes_max, tenants: Mutex::default() }
    }

    /// A place for one more stream of a tenant.
    pub(crate) fn join(&self, tenant: &TenantId) -> Seat {
        let mut tenants = self.tenants.lock();
        let feed = match tenants.get(tenant).and_then(Weak::upgrade) {
            Some(feed) => feed,
            None => {
                tenants.retain(|_, feed| feed.strong_count() > 0);
                let feed = self.begin(tenant);
                tenants.insert(tenant.clone(), Arc::downgrade(&feed));
                feed
            }
        };
        metrics::gauge!("renmen_change_stream_readers").increment(1.0);
        Seat { end: feed.end.subscribe(), feed, fell_back: false }
    }

    fn begin(&self, tenant: &TenantId) -> Arc<TenantFeed> {
        let head = self.store.watch(tenant);
        let begins_after = *head.borrow();
        let feed = Arc::new(TenantFeed {
            ring: RwLock::new(Ring::new(begins_after, self.ring_bytes_max)),
            end: watch::Sender::new(begins_after),
            is_away: AtomicBool::new(false),
            reader: Mutex::default(),
        });
        let reader = read(Arc::clone(&self.store), tenant.clone(), head, Arc::downgrade(&feed));
        *feed.reader.lock() = Some(tokio::spawn(reader).abort_handle());
        feed
    }
}

/// Follows the feed of a tenant. A store that is away is told to its streams, and tried again.
async fn read(store: Arc<dyn Store>, tenant: TenantId, mut head: watch::Receiver<i64>, of: Weak<TenantFeed>) {
    loop {
        head.mark_unchanged();
        match read_piece(&*store, &tenant, &of).await {
            Ok(true) => {}
            Ok(false) => {
                if head.changed().await.is_err() {
                    return;
                }
            }
            Err(error) => {
                tracing::debug!(%error, %tenant, "Failed to read the change feed for the event streams; trying again");
                if let Some(feed) = of.upgrade() {
                    feed.is_away.store(true, Ordering::Release);
                    feed.end.send_modify(|_| ());
                }
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

/// Reads on from where the ring ends. True when there may be more.
async fn read_piece(store: &dyn Store, tenant: &TenantId, of: &Weak<TenantFeed>) -> Result<bool, StoreError> {
    let Some(after) = of.upgrade().map(|feed| *feed.end.borrow()) else { return Ok(false) };
    metrics::counter!("renmen_change_stream_reads_total", "by" => "tenant").increment(1);
    let mut rows = store.changes(tenant, after, None, BATCH).await?;
    let Some(last) = rows.last().map(|row| row.seq) else {
        if let Some(feed) = of.upgrade() {
            feed.is_away.store(false, Ordering::Release);
        }
        return Ok(false);
    };
    let full = rows.len() >= BATCH as usize;
    rows.retain(|row| !is_unseen(&row.entity));
    let epoch = store.epoch().await?;
    let entries: Vec<_> = rows.into_iter().map(|row| Arc::new(RingEntry::of(row, epoch))).collect();
    let Some(feed) = of.upgrade() else { return Ok(false) };
    feed.is_away.store(false, Ordering::Release);
    feed.ring.write().push(entries, last);
    feed.end.send_replace(last);
    Ok(full)
}

impl Drop for TenantFeed {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.lock().take() {
            reader.abort();
        }
    }
}

impl Seat {
    /// What the ring has after a position; none where the stream must read the store by itself.
    pub(crate) fn read(&mut self, after: i64, entity: Option<&str>, limit: usize) -> Option<Piece> {
        self.end.mark_unchanged();
        if self.feed.is_away.load(Ordering::Acquire) {
            return None;
        }
        let piece = self.feed.ring.read().read(after, entity, limit);
        if piece.is_none() && !self.fell_back {
            metrics::counter!("renmen_change_stream_fallbacks_total").increment(1);
        }
        self.fell_back = piece.is_none();
        piece
    }

    /// Waits until the ring has grown since the last read. False when there will be no more.
    pub(crate) async fn changed(&mut self) -> bool {
        self.end.changed().await.is_ok()
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        metrics::gauge!("renmen_change_stream_readers").decrement(1.0);
    }
}
