//! Whether a database holds anything of a tenant.

use renmen_schema::id::TenantId;

use super::place::Place;
use super::tables;
use crate::StoreError;

/// Is a row of the tenant in any table?
pub(super) async fn is_here(place: &mut dyn Place, tenant: &TenantId) -> Result<bool, StoreError> {
    let own = place.tables().await?;
    for table in tables::of_tenant(own, tenant)?.iter().filter(|table| table.columns.iter().any(|c| c.name == "tenant"))
    {
        let sql = format!("SELECT CAST(1 AS bigint) FROM \"{}\"{} LIMIT 1", table.name, table.condition());
        if !place.rows(&sql, Vec::new()).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}
