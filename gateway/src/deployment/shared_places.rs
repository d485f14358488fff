//! The requests that may be under way to vendors, between egress, which waits, and the store, in which several gateways divide them.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use renmen_egress::{PlacesGrant, PlacesWanted, SharedPlaces};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{PlacesAsk, Store};

struct StoredPlaces {
    store: Arc<dyn Store>,
    gateway: String,
    lease: Duration,
}

/// None for a store that one process holds: it needs to ask no other. The places of a gateway that is gone are the others' after `lease`.
pub(super) fn of(store: &Arc<dyn Store>, gateway: &str, lease: Duration) -> Option<Arc<dyn SharedPlaces>> {
    let places = || StoredPlaces { store: Arc::clone(store), gateway: gateway.to_owned(), lease };
    store.is_shared().then(|| Arc::new(places()) as Arc<dyn SharedPlaces>)
}

#[async_trait]
impl SharedPlaces for StoredPlaces {
    async fn share(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        wanted: PlacesWanted,
    ) -> Result<PlacesGrant, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ask = PlacesAsk {
            gateway: self.gateway.clone(),
            most: wanted.most,
            in_use: wanted.in_use,
            wanted: wanted.wanted,
            lease_ms: i64::try_from(self.lease.as_millis()).unwrap_or(i64::MAX),
            now_us: i64::try_from(now.as_micros()).unwrap_or(i64::MAX),
        };
        let share = self.store.share_places(tenant, connection, ask).await.map_err(|error| error.to_string())?;
        Ok(PlacesGrant { may_use: share.may_use, contended: share.contended, lease: self.lease })
    }
}
