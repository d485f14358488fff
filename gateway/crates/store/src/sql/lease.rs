//! Which gateway does which work.

use renmen_schema::id::TenantId;

use super::{Session, values};
use crate::rows::{self, LEASE_SELECT};
use crate::{LeaseRow, StoreError};

pub(crate) async fn get(session: &impl Session, tenant: &TenantId, name: &str) -> Result<Option<LeaseRow>, StoreError> {
    session.one(&format!("{LEASE_SELECT} WHERE tenant = $1 AND name = $2"), values![tenant, name], rows::lease).await
}

/// Moves a lease on if it still stands where it was seen; gives where it stands then.
pub(crate) async fn beat(
    session: &impl Session,
    (tenant, name): (&TenantId, &str),
    holder: Option<&str>,
    seen: i64,
    now_ms: i64,
) -> Result<Option<i64>, StoreError> {
    let sql = if seen == 0 {
        "INSERT INTO lease (tenant, name, holder, beat, since_ms) VALUES ($1, $2, $3, CAST($4 AS bigint) + 1, $5)
         ON CONFLICT DO NOTHING"
    } else {
        "UPDATE lease SET since_ms = CASE WHEN holder = $3 THEN since_ms ELSE $5 END, holder = $3, beat = beat + 1
         WHERE tenant = $1 AND name = $2 AND beat = $4"
    };
    let moved = session.run(sql, values![tenant, name, holder.unwrap_or_default(), seen, now_ms]).await?;
    Ok((moved > 0).then_some(seen + 1))
}

/// At the start of the only process that may write: the process that held any has ended.
pub(crate) async fn release_all(session: &impl Session) -> Result<(), StoreError> {
    session.run("UPDATE lease SET holder = '', beat = beat + 1 WHERE holder <> ''", &[]).await.map(drop)
}
