//! The flows of a deployment, running: the feed on one side, the couriers on the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::outbox::DeliveryRow;
use renmen_store::{Store, StoreError};
use tokio::sync::Notify;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::book::Book;
use crate::by_hand::ByHand;
use crate::catalogue::Catalogue;
use crate::courier::{Courier, Policy};
use crate::definition::{Definition, Target};
use crate::options::{Clock, FlowOptions, millis};

/// How long to wait for a store that is away.
const STORE_WAIT: Duration = Duration::from_secs(1);
/// How long to wait until it is known what belongs to a record that was written just now.
const SOON: Duration = Duration::from_millis(50);
/// How often old deliveries are forgotten.
const PRUNE_EVERY: Duration = Duration::from_secs(600);

/// The flows and their deliveries.
pub struct FlowEngine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: FlowOptions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) book: Book,
    catalogues: RwLock<BTreeMap<TenantId, Arc<Catalogue>>>,
    /// A flow changed: the feed is to be read.
    pub(crate) changed: Notify,
    /// Deliveries were made: couriers are to be woken.
    made: Notify,
}

/// What a delivery's flow says of failures.
#[derive(Clone, Default)]
pub(crate) struct FlowPolicy {
    pub(crate) attempt: Policy,
    pub(crate) on_failure: Option<Target>,
}

impl FlowEngine {
    /// Puts the flows of several tenants together with their destinations. Nothing runs yet.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        catalogues: BTreeMap<TenantId, Catalogue>,
        options: FlowOptions,
        clock: Arc<dyn Clock>,
    ) -> Arc<Self> {
        let catalogues = catalogues.into_iter().map(|(tenant, one)| (tenant, Arc::new(one))).collect();
        Arc::new(Self {
            store,
            options,
            clock,
            book: Book::default(),
            catalogues: RwLock::new(catalogues),
            changed: Notify::new(),
            made: Notify::new(),
        })
    }

    /// The destinations of a tenant; none of a tenant that has none.
    #[must_use]
    pub fn catalogue(&self, tenant: &TenantId) -> Arc<Catalogue> {
        self.catalogues.read().get(tenant).cloned().unwrap_or_default()
    }

    /// Other destinations for a tenant, from the next start of a courier on.
    pub fn replace_catalogue(&self, tenant: TenantId, catalogue: Catalogue) {
        self.catalogues.write().insert(tenant, Arc::new(catalogue));
        self.book.forget();
        self.changed.notify_one();
    }

    pub(crate) fn tenants(&self) -> Vec<(TenantId, Arc<Catalogue>)> {
        self.catalogues.read().iter().map(|(tenant, one)| (tenant.clone(), Arc::clone(one))).collect()
    }

    pub(crate) fn wake_couriers(&self) {
        self.made.notify_one();
    }

    /// What a delivery's flow says of failures; the defaults for a flow that is gone or unreadable.
    pub(crate) async fn policy(&self, delivery: &DeliveryRow) -> FlowPolicy {
        let of = |definition: &Definition| FlowPolicy {
            attempt: Policy { retries: definition.retries.clone(), patience: definition.patience },
            on_failure: definition.on_failure.clone(),
        };
        if let Some(by_hand) = ByHand::of(delivery) {
            return by_hand.definition().map(|definition| of(&definition)).unwrap_or_default();
        }
        let DeliveryRow { tenant, flow, .. } = delivery;
        let Ok(Some(row)) = self.store.flow(tenant, flow).await else { return FlowPolicy::default() };
        self.book.read(&row, &self.catalogue(tenant)).map(|definition| of(&definition)).unwrap_or_default()
    }

    /// Runs until it is cancelled: reads the feed as it grows, and carries what is due. Attempts under way come to their end
    /// first; whoever waits for this should not wait for ever.
    pub async fn serve(self: Arc<Self>, cancel: CancellationToken) {
        // In one task, so that whoever drops this ends both.
        tokio::join!(Arc::clone(&self).evaluate(cancel.clone()), self.carry(cancel));
    }

    async fn evaluate(self: Arc<Self>, cancel: CancellationToken) {
        let mut head = self.store.watch();
        loop {
            head.mark_unchanged();
            let wait = match self.pass().await {
                Ok(passed) if passed.more => Duration::ZERO,
                Ok(passed) if passed.soon => SOON,
                Ok(_) => Duration::from_secs(5),
                Err(error) => {
                    tracing::warn!(%error, "Flows cannot read the feed");
                    STORE_WAIT
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                Ok(()) = head.changed() => {}
                () = self.changed.notified() => {}
            }
        }
    }

    async fn carry(self: Arc<Self>, cancel: CancellationToken) {
        let mut couriers: BTreeMap<(TenantId, ConnectionName), Arc<Notify>> = BTreeMap::new();
        let mut running = JoinSet::new();
        let mut pruned = tokio::time::Instant::now();
        while !cancel.is_cancelled() {
            match self.store.due().await {
                Ok(due) => {
                    let now_ms = self.clock.now_ms();
                    for row in due.into_iter().filter(|row| row.next_at_ms <= now_ms) {
                        let key = (row.tenant, row.connection);
                        if let Some(wake) = couriers.get(&key) {
                            wake.notify_one();
                            continue;
                        }
                        // What waits for a destination that is not there any more waits until it is there again.
                        let Some(place) = self.catalogue(&key.0).place(&key.1).cloned() else { continue };
                        let wake = Arc::new(Notify::new());
                        let courier = Courier::new(Arc::clone(&self), key.0.clone(), key.1.clone(), place);
                        running.spawn(courier.run(Arc::clone(&wake), cancel.clone()));
                        couriers.insert(key, wake);
                    }
                }
                Err(error) => tracing::warn!(%error, "It cannot be seen which deliveries are due"),
            }
            if pruned.elapsed() >= PRUNE_EVERY {
                pruned = tokio::time::Instant::now();
                self.prune().await;
            }
            tokio::select! {
                () = cancel.cancelled() => {}
                () = tokio::time::sleep(self.options.tick) => {}
                () = self.made.notified() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn prune(&self) {
        let before_ms = self.clock.now_ms().saturating_sub(millis(self.options.keep));
        let pruned: Result<u64, StoreError> = self.store.prune_deliveries(before_ms).await;
        if let Err(error) = pruned {
            tracing::warn!(%error, "Old deliveries cannot be forgotten");
        }
    }
}
