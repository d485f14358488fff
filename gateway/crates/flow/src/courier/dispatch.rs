//! Which couriers there are: one for each destination that something is due for.

use std::collections::BTreeMap;
use std::sync::Arc;

use renmen_schema::id::{ConnectionName, TenantId};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::Courier;
use crate::engine::FlowEngine;

impl FlowEngine {
    /// Carries what is due until it is cancelled; attempts under way come to their end first.
    pub(crate) async fn carry(self: Arc<Self>, cancel: CancellationToken) {
        let mut couriers: BTreeMap<(TenantId, ConnectionName), Arc<Notify>> = BTreeMap::new();
        let mut running = JoinSet::new();
        while !cancel.is_cancelled() {
            while running.try_join_next().is_some() {}
            // One that left, because its destination is another by now, or that broke: the next one takes its place.
            couriers.retain(|_, wake| Arc::strong_count(wake) > 1);
            let now_ms = self.clock.now_ms();
            match self.store.due(now_ms).await {
                Ok(due) => {
                    for row in due.into_iter().filter(|row| row.next_at_ms <= now_ms) {
                        let key = (row.tenant, row.connection);
                        if let Some(wake) = couriers.get(&key) {
                            wake.notify_one();
                            continue;
                        }
                        // What waits for a destination that is not there any more waits until it is there again.
                        let Some(place) = self.catalogue(&key.0).entry(&key.1).cloned() else { continue };
                        let wake = Arc::new(Notify::new());
                        let courier = Courier::new(Arc::clone(&self), key.0.clone(), key.1.clone(), place);
                        running.spawn(courier.run(Arc::clone(&wake), cancel.clone()));
                        couriers.insert(key, wake);
                    }
                }
                Err(error) => tracing::warn!(%error, "Failed to list the deliveries that are due"),
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(self.options.tick) => {}
                () = self.made.notified() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }
}
