//! What an alternate key means, and which ones mean nothing yet.

use std::collections::{BTreeMap, BTreeSet};

use renmen_schema::WantedKey;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, record, values};
use crate::identity::IdKeys;
use crate::keyed::{self, Announced, Holders, KeyDigest, digest_of, unpack};
use crate::rows::{self, Columns};
use crate::{Keyed, StoreError, UnresolvedKeys};

/// The record that has a key, where one has it, or all that have it are one person or unit.
pub(crate) async fn resolve(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    key: &WantedKey,
    connections: Option<&[ConnectionName]>,
) -> Result<Keyed, StoreError> {
    let sql = "SELECT s.connection, coalesce(m.identity, $2) FROM scope s
               LEFT JOIN identity_member m ON m.tenant = s.tenant AND m.record = $2 WHERE s.id = $1";
    let mut holders = Holders::default();
    for (scope, row) in holders_of(session, tenant, digest_of(tenant, key)).await? {
        let found = session.one(sql, values![scope, row], |found| Ok((found.text(0)?, found.int(1)?))).await?;
        if let Some((connection, identity)) = found
            && keyed::is_asked(key, connections, &connection)
        {
            holders.add(row, identity);
        }
    }
    let row = match holders.one() {
        Ok(row) => row,
        Err(otherwise) => return Ok(otherwise),
    };
    let sql = format!("{} WHERE r.id = $1 AND s.tenant = $2 AND r.deleted IS NULL", record::SELECT);
    let found = session.one(&sql, values![row, tenant], |row| rows::record(row, ids)).await?;
    Ok(found.map_or(Keyed::Nothing, |row| Keyed::One(Box::new(row))))
}

/// The records (scope and row) that have a key by the index and by what waits to be sorted into it: read at once, so that none is missed that
/// goes from one to the other meanwhile.
async fn holders_of(
    session: &impl Session,
    tenant: &TenantId,
    key: KeyDigest,
) -> Result<BTreeSet<(i64, i64)>, StoreError> {
    let sql = "SELECT scope, record, NULL FROM record_key WHERE key = $1
               UNION ALL SELECT 0, 0, keys FROM key_log WHERE tenant = $2";
    let row = |row: &dyn Columns| match row.bytes_or_none(2)? {
        None => Ok(vec![Announced { key, scope: row.int(0)?, record: row.int(1)?, more: 1 }]),
        Some(packed) => Ok(unpack(&packed).filter(|announced| announced.key == key).collect()),
    };
    let mut holders: BTreeMap<(i64, i64), i64> = BTreeMap::new();
    for announced in session.all(sql, values![&key, tenant], row).await?.into_iter().flatten() {
        *holders.entry((announced.scope, announced.record)).or_default() += announced.more;
    }
    Ok(holders.into_iter().filter(|(_, count)| *count > 0).map(|(place, _)| place).collect())
}

/// References by key that mean no record, or several that are not one person or unit. How many records have a key is kept; how many people
/// they are is asked here, for those keys alone that more than one has.
pub(crate) async fn unresolved(session: &impl Session, tenant: &TenantId) -> Result<Vec<UnresolvedKeys>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    let sql = format!(
        "WITH u AS MATERIALIZED (
             SELECT w.entity, w.scheme, w.connection, w.wanted_by, w.since_ms, CASE WHEN w.matches < 2 THEN w.matches ELSE
                 (SELECT count(DISTINCT coalesce(m.identity, k.record)) FROM record_key k JOIN scope s ON s.id = k.scope
                  LEFT JOIN identity_member m ON m.tenant = w.tenant AND m.record = k.record
                  WHERE k.key = w.key AND w.connection IN ('', s.connection)) END AS people
             FROM wanted_key w WHERE w.tenant = $1 AND w.matches <> 1)
         SELECT entity, scheme, connection, CAST(CASE WHEN people > 1 THEN 1 ELSE 0 END AS bigint) AS ambiguous,
         CAST(sum(wanted_by) AS bigint), count(*), max(people), min(since_ms)
         FROM u WHERE people <> 1 GROUP BY entity, scheme, connection, ambiguous
         ORDER BY entity{by_bytes}, scheme{by_bytes}, connection{by_bytes}, ambiguous"
    );
    session.all(&sql, values![tenant], rows::unresolved).await
}
