//! What an alternate key means, and which ones mean nothing yet.

use renmen_schema::WantedKey;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, record, values};
use crate::identity::IdKeys;
use crate::keyed::{self, digest_of};
use crate::rows::{self, Columns};
use crate::{Keyed, StoreError, UnresolvedKeys};

/// The record that has a key, where it is one.
pub(crate) async fn resolve(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    key: &WantedKey,
    connections: Option<&[ConnectionName]>,
) -> Result<Keyed, StoreError> {
    let sql = "SELECT k.record, s.connection FROM record_key k JOIN scope s ON s.id = k.scope WHERE k.key = $1";
    let holder = |row: &dyn Columns| Ok((row.int(0)?, row.text(1)?));
    let (mut found, mut count) = (None, 0);
    for (row, connection) in session.all(sql, values![&digest_of(tenant, key)], holder).await? {
        if keyed::is_asked(key, connections, &connection) {
            found = Some(row);
            count += 1;
        }
    }
    let (Some(row), 1) = (found, count) else { return Ok(keyed::not_one(count)) };
    let sql = format!("{} WHERE r.id = $1 AND s.tenant = $2 AND r.deleted IS NULL", record::SELECT);
    let found = session.one(&sql, values![row, tenant], |row| rows::record(row, ids)).await?;
    Ok(found.map_or(Keyed::Nothing, |row| Keyed::One(Box::new(row))))
}

/// References by key that mean no record, or several.
pub(crate) async fn unresolved(session: &impl Session, tenant: &TenantId) -> Result<Vec<UnresolvedKeys>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    let sql = format!(
        "SELECT entity, scheme, connection, CAST(CASE WHEN matches > 1 THEN 1 ELSE 0 END AS bigint) AS ambiguous,
         CAST(sum(wanted_by) AS bigint), count(*), max(matches), min(since_ms) FROM wanted_key
         WHERE tenant = $1 AND matches <> 1 GROUP BY entity, scheme, connection, ambiguous
         ORDER BY entity{by_bytes}, scheme{by_bytes}, connection{by_bytes}, ambiguous"
    );
    session.all(&sql, values![tenant], rows::unresolved).await
}
