//! The rates of vendors between egress, which waits, and the store, in which several gateways keep them together.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use renmen_egress::{RateReservation, SharedRate};
use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::{RateAsk, Store};

struct StoredRate(Arc<dyn Store>);

/// None for a store that one process holds: it needs to ask no other.
pub(super) fn of(store: &Arc<dyn Store>) -> Option<Arc<dyn SharedRate>> {
    store.is_shared().then(|| Arc::new(StoredRate(Arc::clone(store))) as Arc<dyn SharedRate>)
}

#[async_trait]
impl SharedRate for StoredRate {
    async fn reserve(
        &self,
        tenant: &TenantId,
        connection: &ConnectionName,
        wanted: RateReservation,
    ) -> Result<Option<i64>, String> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let ask = RateAsk {
            count: wanted.count,
            interval_us: micros(wanted.interval),
            burst: wanted.burst,
            wait_max_us: micros(wanted.wait_max),
            now_us: micros(now),
        };
        self.0.reserve_requests(tenant, connection, ask).await.map_err(|error| error.to_string())
    }
}

fn micros(duration: Duration) -> i64 {
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)
}
