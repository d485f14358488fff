//! The keys that this process knows: those that were good a moment ago, its own, and when each was last used.
//!
//! A key that was good is believed for a few seconds without asking the store. One that is revoked through this gateway is
//! forgotten at once; one that is revoked elsewhere (by the command line, through another gateway) is refused when those
//! seconds are over. A wrong key is not remembered, so that a flood of them cannot push the good ones out.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use renmen_store::{ApiKeyRow, KeyStore, Store};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::caller::Caller;

/// Keys remembered at most.
const CACHED_KEYS_MAX: usize = 4096;
/// How long the last write may take when the server ends.
const LAST_WRITE: Duration = Duration::from_secs(2);

/// What this process knows of keys.
pub(crate) struct KeyRing {
    life: Duration,
    known: Mutex<Known>,
    /// When keys were used since that was last written down.
    uses: Mutex<HashMap<[u8; 32], i64>>,
}

#[derive(Default)]
struct Known {
    /// Keys of the store that were good a moment ago, by their hash.
    cached: HashMap<[u8; 32], Cached>,
    /// Keys that are in no store: they end with this process, however it ends.
    own: HashMap<[u8; 32], Arc<Caller>>,
    /// How many revocations there were: what was read before one is not cached after it.
    revocations: u64,
}

struct Cached {
    caller: Arc<Caller>,
    expires_at_ms: Option<i64>,
    since: Instant,
}

/// The number of revocations when a look into the store began.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Before(u64);

impl KeyRing {
    pub(crate) fn new(life: Duration) -> Self {
        Self { life, known: Mutex::default(), uses: Mutex::default() }
    }

    /// Takes a key that is good for as long as this process lives.
    pub(crate) fn own(&self, caller: Caller) {
        self.known.lock().own.insert(caller.hash, Arc::new(caller));
    }

    /// A key that is known to be good; otherwise the store must be asked, and [`KeyRing::keep`] told when that began.
    pub(crate) fn find(&self, hash: &[u8; 32], now_ms: i64) -> Result<Arc<Caller>, Before> {
        let known = self.known.lock();
        if let Some(own) = known.own.get(hash) {
            return Ok(Arc::clone(own));
        }
        let good = |cached: &&Cached| {
            cached.since.elapsed() < self.life && cached.expires_at_ms.is_none_or(|end| now_ms < end)
        };
        let found = known.cached.get(hash).filter(good);
        found.map(|cached| Arc::clone(&cached.caller)).ok_or(Before(known.revocations))
    }

    /// Remembers a key of the store that is good, unless one was revoked since the store was asked: it may be this one.
    pub(crate) fn keep(&self, row: ApiKeyRow, before: Before) -> Arc<Caller> {
        let (hash, expires_at_ms) = (row.hash, row.expires_at_ms);
        let caller = Arc::new(Caller::of(row));
        let mut known = self.known.lock();
        if known.cached.len() >= CACHED_KEYS_MAX {
            known.cached.retain(|_, cached| cached.since.elapsed() < self.life);
        }
        if known.cached.len() < CACHED_KEYS_MAX && known.revocations == before.0 {
            known.cached.insert(hash, Cached { caller: Arc::clone(&caller), expires_at_ms, since: Instant::now() });
        }
        caller
    }

    /// A key was revoked through this gateway.
    pub(crate) fn forget(&self, hash: &[u8; 32]) {
        let mut known = self.known.lock();
        known.revocations += 1;
        known.cached.remove(hash);
    }

    /// Keys were revoked elsewhere: each is asked for again.
    pub(crate) fn forget_all(&self) {
        let mut known = self.known.lock();
        known.revocations += 1;
        known.cached.clear();
    }

    /// A key was used. Costs a request no more than this: it is written down later, together with others.
    pub(crate) fn used(&self, caller: &Caller, now_ms: i64) {
        if caller.stored {
            self.uses.lock().insert(caller.hash, now_ms);
        }
    }

    /// Writes down what was used since the last time.
    pub(crate) async fn write_uses(&self, store: &dyn KeyStore) {
        let uses: Vec<_> = self.uses.lock().drain().collect();
        if uses.is_empty() {
            return;
        }
        if let Err(error) = store.note_key_uses(&uses).await {
            tracing::warn!(%error, keys = uses.len(), "Failed to record when keys were last used; trying again later");
            let mut waiting = self.uses.lock();
            for (hash, at_ms) in uses {
                waiting.entry(hash).or_insert(at_ms);
            }
        }
    }
}

/// Writes down, every so often and a last time at the end, when keys were used.
pub(crate) struct UseWriting {
    task: JoinHandle<()>,
    end: CancellationToken,
}

impl UseWriting {
    pub(crate) fn begin(keys: Arc<KeyRing>, store: Arc<dyn Store>, every: Duration) -> Self {
        let end = CancellationToken::new();
        let ending = end.clone();
        let task = tokio::spawn(async move {
            while !ending.is_cancelled() {
                tokio::select! { () = tokio::time::sleep(every) => {}, () = ending.cancelled() => {} }
                keys.write_uses(&*store).await;
            }
        });
        Self { task, end }
    }

    /// A store that is away costs no more than a moment.
    pub(crate) async fn end(self) {
        self.end.cancel();
        if tokio::time::timeout(LAST_WRITE, self.task).await.is_err() {
            tracing::warn!("Failed to record when keys were last used before shutdown");
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use renmen_schema::id::TenantId;
    use renmen_store::KeyRole;

    use super::*;

    fn row(n: u64) -> ApiKeyRow {
        let mut hash = [0; 32];
        hash[..8].copy_from_slice(&n.to_le_bytes());
        ApiKeyRow::new(hash, "test", TenantId::new("acme").unwrap(), KeyRole::Owner, 0)
    }

    /// As a request does: asks, and keeps what the store says.
    fn look(ring: &KeyRing, row: &ApiKeyRow) {
        let before = ring.find(&row.hash, 0).unwrap_err();
        ring.keep(row.clone(), before);
    }

    #[test]
    fn a_key_is_believed_for_its_life_and_no_longer() {
        let long = KeyRing::new(Duration::from_secs(60));
        look(&long, &row(1));
        assert_eq!(long.find(&row(1).hash, 0).unwrap().key, row(1).id());
        assert!(long.find(&row(2).hash, 0).is_err());
        let none = KeyRing::new(Duration::ZERO);
        look(&none, &row(1));
        assert!(none.find(&row(1).hash, 0).is_err());
    }

    #[test]
    fn a_key_that_ends_is_believed_until_then() {
        let ring = KeyRing::new(Duration::from_secs(60));
        look(&ring, &ApiKeyRow { expires_at_ms: Some(100), ..row(1) });
        assert!(ring.find(&row(1).hash, 99).is_ok());
        assert!(ring.find(&row(1).hash, 100).is_err());
    }

    #[test]
    fn a_revoked_key_is_forgotten_even_by_a_request_that_read_it_before() {
        let ring = KeyRing::new(Duration::from_secs(60));
        look(&ring, &row(1));
        let slow = ring.find(&row(2).hash, 0).unwrap_err();
        ring.forget(&row(1).hash);
        ring.forget(&row(2).hash);
        assert!(ring.find(&row(1).hash, 0).is_err());
        ring.keep(row(2), slow);
        assert!(ring.find(&row(2).hash, 0).is_err(), "it was read before it was revoked");
    }

    #[test]
    fn after_a_revocation_elsewhere_no_key_is_believed_unasked() {
        let ring = KeyRing::new(Duration::from_secs(60));
        look(&ring, &row(1));
        let slow = ring.find(&row(2).hash, 0).unwrap_err();
        ring.forget_all();
        assert!(ring.find(&row(1).hash, 0).is_err());
        ring.keep(row(2), slow);
        assert!(ring.find(&row(2).hash, 0).is_err(), "it was read before");
        look(&ring, &row(1));
        assert!(ring.find(&row(1).hash, 0).is_ok());
    }

    #[test]
    fn the_cache_has_a_limit() {
        let ring = KeyRing::new(Duration::from_secs(60));
        for n in 0..=CACHED_KEYS_MAX as u64 {
            look(&ring, &row(n));
        }
        assert_eq!(ring.known.lock().cached.len(), CACHED_KEYS_MAX);
    }

    #[test]
    fn a_key_of_the_process_is_found_and_never_written_down() {
        let ring = KeyRing::new(Duration::ZERO);
        ring.own(Caller { stored: false, ..Caller::of(row(1)) });
        let own = ring.find(&row(1).hash, i64::MAX).unwrap();
        ring.used(&own, 5);
        assert!(ring.uses.lock().is_empty());
        ring.used(&Caller::of(row(2)), 5);
        assert_eq!(ring.uses.lock().len(), 1);
    }
}
