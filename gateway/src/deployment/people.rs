//! Who is one person, as the configuration says it.

use std::sync::Arc;

use renmen_people::{People, PeopleOptions, PeopleWork, SystemClock};
use renmen_schema::id::TenantId;
use renmen_store::Store;

use super::{Deployment, Running};

/// Keeps the persons of every tenant that has a connection and for which `[identity]` is on.
pub(crate) fn open(running: &Running) -> anyhow::Result<(Arc<People>, PeopleWork)> {
    let current = running.current();
    let said = &current.deployment.config.identity;
    let mut tenants: Vec<TenantId> = current.deployment.tenants().into_iter().collect();
    tenants.retain(|tenant| said.keeps(tenant));
    let options = options(&current.deployment, current.deployment.gateway_name()?);
    Ok(People::open(Arc::clone(&running.store), Arc::new(SystemClock), &tenants, options))
}

/// Those of a store, for a command: what was found is read, and what is decided is settled at once. No tenant's persons are kept.
pub(crate) fn over(deployment: &Deployment, store: Arc<dyn Store>) -> Arc<People> {
    People::open(store, Arc::new(SystemClock), &[], options(deployment, "a command")).0
}

fn options(deployment: &Deployment, gateway: &str) -> PeopleOptions {
    let said = &deployment.config.identity;
    PeopleOptions {
        rules: said.rules.clone(),
        prefer: said.prefer.clone(),
        history_ms: i64::try_from(said.history.as_millis()).unwrap_or(i64::MAX),
        gateway: gateway.to_owned(),
        takeover_after: said.takeover_after,
        ..PeopleOptions::default()
    }
}
