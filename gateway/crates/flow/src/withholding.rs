//! What is withheld may change while deliveries wait. Those that were made by another rule and did not arrive are worked out again: an
//! input that was made before a field was withheld would still carry it.

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_store::outbox::{DeliveryQuery, DeliveryState};
use renmen_store::{Store, StoreError};

use crate::catalogue::Catalogue;
use crate::evaluation;

/// Deliveries read at once.
const PAGE: u32 = 1_000;
/// States in which a delivery may still be sent.
const OPEN: [DeliveryState; 5] = [
    DeliveryState::Pending,
    DeliveryState::InFlight,
    DeliveryState::Dead,
    DeliveryState::Withheld,
    DeliveryState::Expired,
];

/// Compares what is withheld from each destination with what it was.
pub(crate) async fn settle(store: &dyn Store, tenant: &TenantId, catalogue: &Catalogue) -> Result<(), StoreError> {
    for (name, place) in catalogue.entries() {
        let policy = place.policy();
        let known = store.policy(tenant, name).await?;
        if known == Some(policy) {
            continue;
        }
        let forget = if known.is_some() || place.withholds() { mapped(store, tenant, name).await? } else { Vec::new() };
        let forgotten = store.put_policy(tenant, name, policy, forget).await?;
        if forgotten > 0 {
            tracing::warn!(
                %tenant, connection = %name, deliveries = forgotten,
                "The withheld fields changed: computing undelivered deliveries again"
            );
        }
    }
    Ok(())
}

/// Deliveries to a destination that a map made and that may still be sent.
async fn mapped(store: &dyn Store, tenant: &TenantId, name: &ConnectionName) -> Result<Vec<i64>, StoreError> {
    let mut found = Vec::new();
    for state in OPEN {
        let (connection, state) = (Some(name.clone()), Some(state));
        let mut query = DeliveryQuery { connection, state, limit: PAGE, ..DeliveryQuery::default() };
        loop {
            let rows = store.deliveries(tenant, &query).await?;
            found.extend(rows.iter().filter(|row| evaluation::is_mapped(row)).map(|row| row.id));
            match rows.last() {
                Some(last) if rows.len() >= PAGE as usize => query.before = Some(last.id),
                _ => break,
            }
        }
    }
    Ok(found)
}
