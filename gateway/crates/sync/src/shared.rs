//! What every part of the engine works with: the store, the connections, the options, and how each stream is doing.

use std::collections::BTreeMap;
use std::sync::Arc;

use arc_swap::ArcSwap;
use parking_lot::Mutex;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::health::Book;
use crate::{ConnectionRuntime, SyncError, SyncOptions};

/// See the module.
pub(crate) struct Shared {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) connections: ConnectionSet,
    pub(crate) options: SyncOptions,
    pub(crate) book: Arc<Book>,
}

impl Shared {
    pub(crate) fn connection(
        &self,
        tenant: &TenantId,
        name: &ConnectionName,
    ) -> Result<Arc<ConnectionRuntime>, SyncError> {
        let key = (tenant.clone(), name.clone());
        self.connections.all().get(&key).cloned().ok_or_else(|| SyncError::UnknownConnection(name.clone()))
    }

    pub(crate) fn now_ms(&self) -> i64 {
        self.options.clock.now_ms()
    }
}

/// The connections by tenant and name.
pub(crate) type Connections = BTreeMap<(TenantId, ConnectionName), Arc<ConnectionRuntime>>;

/// The connections as they are now. Others may be put in their place while runs are under way.
pub(crate) struct ConnectionSet {
    now: ArcSwap<Connections>,
    /// Of each name: cancelled when it is taken away, however often what stands for it was replaced before.
    removals: Mutex<BTreeMap<(TenantId, ConnectionName), CancellationToken>>,
    changes: watch::Sender<u64>,
}

impl ConnectionSet {
    pub(crate) fn of(connections: impl IntoIterator<Item = Arc<ConnectionRuntime>>) -> Self {
        let now = by_name(connections);
        let removals = now.keys().map(|key| (key.clone(), CancellationToken::new())).collect();
        Self { now: ArcSwap::from_pointee(now), removals: Mutex::new(removals), changes: watch::Sender::new(0) }
    }

    pub(crate) fn all(&self) -> Arc<Connections> {
        self.now.load_full()
    }

    /// Puts others in their place. Runs of a connection that is gone end at their next page; all others end as they began.
    pub(crate) fn replace(&self, connections: impl IntoIterator<Item = Arc<ConnectionRuntime>>) {
        let after = by_name(connections);
        {
            let mut removals = self.removals.lock();
            removals.retain(|key, removal| {
                let stays = after.contains_key(key);
                if !stays {
                    removal.cancel();
                }
                stays
            });
            for key in after.keys() {
                removals.entry(key.clone()).or_default();
            }
            self.now.store(Arc::new(after));
        }
        self.changes.send_modify(|count| *count += 1);
    }

    /// Cancelled when the connection of this name is taken away.
    pub(crate) fn removal(&self, tenant: &TenantId, name: &ConnectionName) -> CancellationToken {
        let removals = self.removals.lock();
        removals.get(&(tenant.clone(), name.clone())).cloned().unwrap_or_else(|| {
            let gone = CancellationToken::new();
            gone.cancel();
            gone
        })
    }

    /// Changes with every replacement.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }
}

fn by_name(connections: impl IntoIterator<Item = Arc<ConnectionRuntime>>) -> Connections {
    connections.into_iter().map(|one| ((one.tenant().clone(), one.name().clone()), one)).collect()
}
