//! The keys that wait to be sorted: see [`crate::keyed`].

use renmen_schema::id::TenantId;

use super::{Session, values};
use crate::StoreError;
use crate::keyed::{Announced, unpack};
use crate::rows::Columns;

/// Takes a tenant's log out. Its feed's row is held: no other commit adds to it.
pub(crate) async fn take(session: &impl Session, tenant: &TenantId) -> Result<Vec<Announced>, StoreError> {
    let row = |row: &dyn Columns| Ok(unpack(&row.bytes(0)?).collect::<Vec<_>>());
    let found = session.all("SELECT keys FROM key_log WHERE tenant = $1", values![tenant], row).await?;
    session.run("DELETE FROM key_log WHERE tenant = $1", values![tenant]).await?;
    let found = found.concat();
    tracing::info!(%tenant, keys = found.len(), "Sorting alternate keys");
    Ok(found)
}
