//! Tells `/metrics` of references by alternate key that lead to no record.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use renmen_schema::id::TenantId;
use renmen_store::UnresolvedKeys;

use super::Running;

/// How often the figures are renewed.
const FIGURES_EVERY: Duration = Duration::from_secs(30);

/// Tenant, entity and scheme, and whether the key is ambiguous.
type Figure = (TenantId, String, String, bool);

/// For as long as it is polled.
pub(crate) async fn report(running: Arc<Running>) {
    let mut told = BTreeSet::new();
    loop {
        for tenant in running.current().deployment.tenants() {
            match running.store.unresolved_keys(&tenant).await {
                Ok(unresolved) => show(&tenant, unresolved, &mut told),
                Err(error) => tracing::debug!(%error, %tenant, "Failed to count references"),
            }
        }
        tokio::time::sleep(FIGURES_EVERY).await;
    }
}

/// Sets the figures of a tenant; those that are resolved now go back to zero.
fn show(tenant: &TenantId, unresolved: Vec<UnresolvedKeys>, told: &mut BTreeSet<Figure>) {
    for (of, entity, scheme, ambiguous) in told.iter().filter(|(of, ..)| of == tenant) {
        gauge(of, entity, scheme, *ambiguous).set(0.0);
    }
    for one in unresolved {
        #[allow(clippy::cast_precision_loss, reason = "a gauge is a float")]
        gauge(tenant, &one.entity, &one.scheme, one.ambiguous).increment(one.records as f64);
        told.insert((tenant.clone(), one.entity, one.scheme, one.ambiguous));
    }
}

fn gauge(tenant: &TenantId, entity: &str, scheme: &str, ambiguous: bool) -> metrics::Gauge {
    let name = if ambiguous { "renmen_references_ambiguous" } else { "renmen_references_waiting" };
    metrics::gauge!(name, "tenant" => tenant.to_string(), "entity" => entity.to_owned(), "scheme" => scheme.to_owned())
}
