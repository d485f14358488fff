//! The flows of a deployment, running: the feed on one side, the couriers on the other.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::RwLock;
use renmen_clock::Clock;
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::Store;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::catalogue::{Catalogue, DestinationEntry};
use crate::definition_cache::DefinitionCache;
use crate::options::FlowOptions;
use crate::seen_feeds::SeenFeeds;

/// How long to wait for a store that is away.
const STORE_WAIT: Duration = Duration::from_secs(1);
/// How long to wait until it is known what belongs to a record that was written just now.
const SOON: Duration = Duration::from_millis(50);

/// How long until every tenant is asked again, although nothing told of a change.
const ALL_AGAIN: Duration = Duration::from_secs(5);

/// The flows and their deliveries.
pub struct FlowEngine {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) options: FlowOptions,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) definitions: DefinitionCache,
    catalogues: RwLock<BTreeMap<TenantId, Arc<Catalogue>>>,
    /// A flow changed: the feed is to be read.
    pub(crate) changed: Notify,
    /// Deliveries were made: couriers are to be woken.
    pub(crate) made: Notify,
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
            definitions: DefinitionCache::default(),
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

    /// Other destinations for a tenant. Attempts under way come to their end where they began.
    pub fn replace_catalogue(&self, tenant: &TenantId, catalogue: Catalogue) {
        self.change_catalogue(tenant, |known| *known = catalogue);
    }

    /// Other destinations for every tenant; one that is not among them has none from now on.
    pub fn replace_catalogues(&self, catalogues: BTreeMap<TenantId, Catalogue>) {
        let mut catalogues: BTreeMap<_, _> =
            catalogues.into_iter().map(|(tenant, one)| (tenant, Arc::new(one))).collect();
        {
            let mut known = self.catalogues.write();
            for tenant in known.keys() {
                // Its flows are still asked, and find nothing to send to: what they have waits.
                catalogues.entry(tenant.clone()).or_default();
            }
            *known = catalogues;
        }
        self.changed.notify_one();
    }

    /// A flow was changed, perhaps through another gateway: the feed is read with it.
    pub fn notice_flows(&self) {
        self.changed.notify_one();
    }

    /// One more destination for a tenant, or another one under a name that it knows.
    pub fn add_destination(&self, tenant: &TenantId, name: ConnectionName, place: DestinationEntry) {
        self.change_catalogue(tenant, |known| known.add(name, place));
    }

    /// One destination less for a tenant: what flows have for it waits until one of this name is there again.
    pub fn remove_destination(&self, tenant: &TenantId, name: &ConnectionName) {
        self.change_catalogue(tenant, |known| known.remove(name));
    }

    fn change_catalogue(&self, tenant: &TenantId, change: impl FnOnce(&mut Catalogue)) {
        {
            let mut catalogues = self.catalogues.write();
            let known = catalogues.entry(tenant.clone()).or_default();
            // Another one in any case: what was checked against the one before is told from it by its identity.
            let mut changed = Catalogue::clone(known);
            change(&mut changed);
            *known = Arc::new(changed);
        }
        self.changed.notify_one();
    }

    pub(crate) fn tenants(&self) -> Vec<(TenantId, Arc<Catalogue>)> {
        self.catalogues.read().iter().map(|(tenant, one)| (tenant.clone(), Arc::clone(one))).collect()
    }

    pub(crate) fn wake_couriers(&self) {
        self.made.notify_one();
    }

    /// Runs until it is cancelled: reads the feed as it grows, and carries what is due. Attempts under way finish
    /// first, so the caller should limit how long it waits for this.
    pub async fn serve(self: Arc<Self>, cancel: CancellationToken) {
        // In one task, so that dropping this ends both.
        let (feed, pruning) = (Arc::clone(&self).follow_feed(cancel.clone()), Arc::clone(&self).prune(cancel.clone()));
        tokio::join!(feed, pruning, self.carry(cancel));
    }

    async fn follow_feed(self: Arc<Self>, cancel: CancellationToken) {
        let mut head = self.store.watch_any();
        let (mut seen, mut forgot) = (SeenFeeds::default(), Instant::now());
        loop {
            head.mark_unchanged();
            if forgot.elapsed() >= ALL_AGAIN {
                seen.forget();
                forgot = Instant::now();
            }
            let wait = match self.pass_moved(&mut seen).await {
                Ok(passed) if passed.more => Duration::ZERO,
                Ok(passed) if passed.soon => SOON,
                Ok(_) => ALL_AGAIN,
                Err(error) => {
                    tracing::warn!(%error, "Failed to read the change feed for the flows");
                    STORE_WAIT
                }
            };
            tokio::select! {
                () = cancel.cancelled() => return,
                () = tokio::time::sleep(wait) => {}
                Ok(()) = head.changed() => {}
                () = self.changed.notified() => seen.forget(),
            }
        }
    }
}
