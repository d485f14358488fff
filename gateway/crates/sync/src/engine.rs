//! The engine: which connections there are, how their streams are doing, and the doors to everything that can be done with them.

use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::{ConnectionName, StreamName, TenantId};
use renmen_store::{Store, StreamKey};
use tokio_util::sync::CancellationToken;

use crate::health::Book;
use crate::intake::RefreshReader;
use crate::schedule_loop::Scheduler;
use crate::shared::{ConnectionSet, Shared};
use crate::{
    Checks, ConnectionRuntime, Deliveries, QuarantineRetries, Replays, Runs, StreamHealth, SyncError, SyncOptions,
    figures,
};

/// Rows read for each connection when the engine recalls earlier runs.
const HISTORY_ROWS: u32 = 1_000;
/// How often a gateway without a schedule of its own reads what others did.
const WATCH_EVERY: Duration = Duration::from_secs(5);

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
        let connections = ConnectionSet::of(connections.into_iter().map(Arc::new));
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

    /// Shows how other gateways' runs stand, where this one has no schedule of its own, until `cancel`.
    ///
    /// # Errors
    /// [`SyncError::Store`] when the store cannot be read at the start.
    pub async fn watch(&self, cancel: CancellationToken) -> Result<(), SyncError> {
        self.recall().await?;
        loop {
            tokio::select! {
                () = cancel.cancelled() => return Ok(()),
                () = tokio::time::sleep(WATCH_EVERY) => {}
            }
            for connection in self.connections() {
                for stream in connection.streams().keys() {
                    let key = connection.key(stream);
                    match self.shared.store.stream_stand(&key, self.now_ms()).await {
                        Ok(stand) => self.shared.book.learn(&key, &stand.runs),
                        Err(error) => tracing::debug!(%error, "Failed to read how a stream stands"),
                    }
                }
            }
        }
    }

    /// The engine's clock, in milliseconds since the epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.shared.now_ms()
    }

    /// Every connection, in the order of tenants and names.
    #[must_use]
    pub fn connections(&self) -> Vec<Arc<ConnectionRuntime>> {
        self.shared.connections.all().values().cloned().collect()
    }

    /// Puts other connections in the place of all that there are. A run under way ends as it began, with the code, the limits and the
    /// grant that it had; one of a connection that is gone ends after the pages that it has read. Streams that wait after a failure are
    /// tried at once.
    pub fn replace_connections(&self, connections: impl IntoIterator<Item = Arc<ConnectionRuntime>>) {
        self.shared.connections.replace(connections);
    }

    /// One connection of a tenant.
    ///
    /// # Errors
    /// [`SyncError::UnknownConnection`].
    pub fn connection(&self, tenant: &TenantId, name: &ConnectionName) -> Result<Arc<ConnectionRuntime>, SyncError> {
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
        for connection in self.connections() {
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
        let connections = self.connections();
        let keys = connections.iter().flat_map(|c| c.streams().keys().map(|stream| c.key(stream)));
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
