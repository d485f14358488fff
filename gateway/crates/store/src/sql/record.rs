//! Reading records one by one: one record, its revisions, the counters.

use renmen_schema::id::{RecordId, TenantId};

use super::{Session, values};
use crate::identity::{self, IdKeys};
use crate::rows::{self, lineage_joins, record_columns};
use crate::{EntityCount, RecordRow, StoreError, limits};

/// A record as it stands; goes on with a WHERE about `r` (the record) and `s` (its scope).
pub(crate) const SELECT: &str = concat!("SELECT ", record_columns!("r"), " FROM record r", lineage_joins!("r"));

const SELECT_OLD: &str =
    concat!("SELECT ", record_columns!("k"), " FROM revision r JOIN record k ON k.id = r.record", lineage_joins!("k"));

pub(crate) async fn get(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
) -> Result<Option<RecordRow>, StoreError> {
    let Some(row) = identity::row_of(id) else { return Ok(None) };
    let sql = format!("{SELECT} WHERE r.id = $1 AND s.tenant = $2");
    let found = session.one(&sql, values![row, tenant], |row| rows::record(row, ids)).await?;
    Ok(found.filter(|record| record.id == id))
}

/// The row of a record that there is.
pub(super) async fn row(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
) -> Result<Option<i64>, StoreError> {
    Ok(get(session, ids, tenant, id).await?.and_then(|_| identity::row_of(id)))
}

/// A record as one of its revisions was.
pub(super) async fn at(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
    revision: i64,
) -> Result<Option<RecordRow>, StoreError> {
    let (Some(current), Some(row)) = (get(session, ids, tenant, id).await?, identity::row_of(id)) else {
        return Ok(None);
    };
    if current.revision == revision {
        return Ok(Some(current));
    }
    let sql = format!("{SELECT_OLD} WHERE r.record = $1 AND r.revision = $2");
    session.one(&sql, values![row, revision], |row| rows::record(row, ids)).await
}

pub(crate) async fn revisions(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
    limit: u32,
) -> Result<Vec<RecordRow>, StoreError> {
    let (Some(current), Some(row)) = (get(session, ids, tenant, id).await?, identity::row_of(id)) else {
        return Ok(Vec::new());
    };
    // Below the current one, which may have been superseded since it was read.
    let sql = format!("{SELECT_OLD} WHERE r.record = $1 AND r.revision < $2 ORDER BY r.revision DESC LIMIT $3");
    let values = values![row, current.revision, limits::list_limit(limit) - 1];
    let older = session.all(&sql, values, |row| rows::record(row, ids)).await?;
    Ok(std::iter::once(current).chain(older).collect())
}

/// Live and deleted records by entity and connection.
pub(crate) async fn counts(session: &impl Session, tenant: &TenantId) -> Result<Vec<EntityCount>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    let sql = format!(
        "SELECT entity, connection, live, dead FROM scope WHERE live + dead > 0 AND tenant = $1
         ORDER BY entity{by_bytes}, connection{by_bytes}"
    );
    session.all(&sql, values![tenant], rows::entity_count).await
}
