//! The engine: which connections there are, how their streams are doing, and the doors to everything that can be done with them.

use std::sync::Arc;

use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{Store, StreamKey};
use tokio_util::sync::CancellationToken;

use crate::health::Book;
use crate::intake::RefreshReader;
use crate::schedule_loop::Scheduler;
use crate::shared::Shared;
use crate::{
    Checks, ConnectionRuntime, Deliveries, QuarantineRetries, Replays, Runs, StreamHealth, SyncError, SyncOptions,
    figures,
};

/// Rows read for each connection when the engine recalls earlier runs.
const HISTORY_ROWS: u32 = 1_000;

/// Hands out the doors: [`Engine::runs`], [`Engine::deliveries`], [`Engine::checks`], [`Engine::replays`] and
/// [`Engine::quarantine`]; runs streams by themselves with [`Engine::serve`]. Shared by reference; every method may be called
/// side by side.
pub struct Engine {
    shared: Arc<Shared>,
    runs: Runs,
    deliveries: Deliveries,
    refreshes: RefreshReader,
}

impl Engine {
    /// Puts together what was loaded.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, connections: Vec<ConnectionRuntime>, options: SyncOptions) -> Arc<Self> {
        let connections = connections
            .into_iter()
            .map(|connection| ((connection.tenant().clone(), connection.name().clone()), Arc::new(connection)))
            .collect();
        let shared = Arc::new(Shared { store, connections, options, book: Arc::new(Book::default()) });
        let runs = Runs::new(&shared);
        let deliveries = Deliveries::new(&shared);
        let refreshes = RefreshReader::new(&shared, &runs, &deliveries);
        Arc::new(Self { shared, runs, deliveries, refreshes })
    }

    /// Runs of streams.
    #[must_use]
    pub fn runs(&self) -> &Runs {
        &self.runs
    }

    /// What vendors send of their own accord.
    #[must_use]
    pub fn deliveries(&self) -> &Deliveries {
        &self.deliveries
    }

    /// Proofs of a connection that write nothing.
    #[must_use]
    pub fn checks(&self) -> Checks {
        Checks::new(&self.shared)
    }

    /// Old pages through the connectors of today.
    #[must_use]
    pub fn replays(&self) -> Replays {
        Replays::new(&self.shared)
    }

    /// Quarantined records once more.
    #[must_use]
    pub fn quarantine(&self) -> QuarantineRetries {
        QuarantineRetries::new(&self.shared)
    }

    /// Runs every enabled stream by its schedule until `cancel`; then waits for the runs under way, which end after the pages
    /// that they have read. A stream whose last run was cut goes on at once. What deliveries asked for is read as it comes,
    /// and connections on which vendors send events are held open.
    ///
    /// # Errors
    /// [`SyncError::Store`] when the store cannot be read at the start.
    pub async fn serve(&self, cancel: CancellationToken) -> Result<(), SyncError> {
        self.recall().await?;
        Scheduler::new(&self.shared, &self.runs, &self.deliveries, &self.refreshes).serve(cancel).await;
        Ok(())
    }

    /// The engine's clock, in milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.shared.now_ms()
    }

    /// Every connection, in the order of tenants and names.
    pub fn connections(&self) -> impl Iterator<Item = &Arc<ConnectionRuntime>> {
        self.shared.connections.values()
    }

    /// One connection of a tenant.
    ///
    /// # Errors
    /// [`SyncError::UnknownConnection`].
    pub fn connection(&self, tenant: &TenantId, name: &ConnectionName) -> Result<&Arc<ConnectionRuntime>, SyncError> {
        self.shared.connection(tenant, name)
    }

    /// The key of a stream by its names.
    ///
    /// # Errors
    /// [`SyncError::UnknownConnection`], [`SyncError::UnknownStream`].
    pub fn key(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        stream: &StreamName,
    ) -> Result<StreamKey, SyncError> {
        let connection = self.connection(tenant, connection)?;
        connection.declared(connection.source().as_ref(), stream)?;
        Ok(connection.key(stream))
    }

    /// Reads what the store knows of earlier runs into [`Engine::health`]. [`Engine::serve`] does it by itself.
    ///
    /// # Errors
    /// [`SyncError::Store`].
    pub async fn recall(&self) -> Result<(), SyncError> {
        for connection in self.shared.connections.values() {
            let rows = self.shared.store.runs(connection.tenant(), Some(connection.name()), HISTORY_ROWS).await?;
            for stream in connection.streams().keys() {
                let own: Vec<_> =
                    rows.iter().filter(|row| row.stream == *stream && row.trigger.pulls_stream()).collect();
                self.shared.book.remember(&connection.key(stream), &own);
            }
        }
        Ok(())
    }

    /// Every configured stream with how it is doing, in the order of tenants, connections and streams.
    #[must_use]
    pub fn health(&self) -> Vec<(StreamKey, StreamHealth)> {
        let now_ms = self.now_ms();
        let keys = self.shared.connections.values().flat_map(|c| c.streams().keys().map(|stream| c.key(stream)));
        keys.map(|key| {
            let mut health = self.shared.book.health(&key);
            health.lag_ms = health.last_success_at_ms.map(|at| now_ms.saturating_sub(at).max(0));
            if let Some(lag) = health.lag_ms {
                figures::lag(&key, std::time::Duration::from_millis(lag.unsigned_abs()));
            }
            (key, health)
        })
        .collect()
    }
}
