//! Records that wait to be settled.

use std::collections::BTreeMap;

use renmen_schema::id::TenantId;

use super::batch::{Field, Rows};
use crate::rows::Columns;
use crate::sql::{ColumnOf, Session, number_list, values};
use crate::{PendingRow, StoreError};

/// Digest and rule of a row of `identity_pending` that stands for the record itself.
pub(super) const ITSELF: (i64, i64) = (0, -1);

pub(super) async fn wait(
    session: &impl Session,
    tenant: &TenantId,
    records: impl Iterator<Item = i64>,
    now_ms: i64,
) -> Result<(), StoreError> {
    let rows = Rows::of(records.map(|record| [record, ITSELF.0, ITSELF.1].map(Field::Int)));
    put(session, tenant, &rows, now_ms).await
}

/// Rows of record, digest and rule.
pub(super) async fn put(session: &impl Session, tenant: &TenantId, rows: &Rows, now_ms: i64) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let sql = format!(
        "INSERT INTO identity_pending (tenant, record, digest, rule, since_ms)
         SELECT CAST($1 AS text), x.c0, x.c1, x.c2, CAST($3 AS bigint) FROM ({}) x WHERE true ON CONFLICT DO NOTHING",
        session.dialect().rows_of("$2", &[ColumnOf::Int; 3])
    );
    session.run(&sql, values![tenant, rows.text(), now_ms]).await.map(drop)
}

/// Records that wait, each with all the keys that it had.
pub(crate) async fn list(session: &impl Session, tenant: &TenantId, limit: u32) -> Result<Vec<PendingRow>, StoreError> {
    let sql = "SELECT record FROM identity_pending WHERE tenant = $1 AND rule = -1 ORDER BY record LIMIT $2";
    let records = session.all(sql, values![tenant, i64::from(limit)], |row| row.int(0)).await?;
    if records.is_empty() {
        return Ok(Vec::new());
    }
    let sql = format!(
        "SELECT record, digest, rule FROM identity_pending WHERE tenant = $1 AND rule >= 0 AND record IN ({})",
        session.dialect().numbers("$2")
    );
    let key = |row: &dyn Columns| Ok((row.int(0)?, (row.int(1)?, row.int(2)?)));
    let mut keys: BTreeMap<i64, Vec<(i64, i64)>> = records.iter().map(|record| (*record, Vec::new())).collect();
    for (record, key) in session.all(&sql, values![tenant, number_list(records)], key).await? {
        keys.entry(record).or_default().push(key);
    }
    Ok(keys.into_iter().map(|(record, keys)| PendingRow { record, keys }).collect())
}
