//! Reading records one by one: what is known of a page's records, one record, its revisions, the counters.

use renmen_schema::id::{ConnectionName, RecordId, TenantId};
use rusqlite::{Connection, params};

use super::commit::find_scope;
use super::query::{all, one};
use crate::identity::{self, IdKey};
use crate::rows::{self, COUNT_SELECT, lineage_joins, record_columns};
use crate::{ContentHash, EntityCount, Known, RecordRow, StoreError, limits};

pub(super) fn known(
    connection: &Connection,
    tenant: &TenantId,
    name: &ConnectionName,
    asked: &[(String, String)],
) -> Result<Vec<Option<Known>>, StoreError> {
    let mut known = vec![None; asked.len()];
    // In the index's own order, so that neighbours are found on the page that is at hand.
    let mut order: Vec<usize> = (0..asked.len()).collect();
    order.sort_unstable_by_key(|at| &asked[*at]);
    let sql = "SELECT hash, deleted IS NOT NULL FROM record WHERE scope = ?1 AND external_id = ?2";
    let mut statement = connection.prepare_cached(sql)?;
    let mut scope: Option<(&str, Option<i64>)> = None;
    for at in order {
        let (entity, external_id) = &asked[at];
        if scope.is_none_or(|(found, _)| found != entity) {
            scope = Some((entity, find_scope(connection, tenant.as_str(), name.as_str(), entity)?));
        }
        let Some((_, Some(id))) = scope else { continue };
        let mut rows = statement.query(params![id, external_id])?;
        if let Some(row) = rows.next()? {
            known[at] = Some(Known { hash: ContentHash(row.get(0)?), deleted: row.get(1)? });
        }
    }
    Ok(known)
}

pub(super) const SELECT: &str = concat!("SELECT ", record_columns!("r"), " FROM record r", lineage_joins!("r"));

const SELECT_OLD: &str =
    concat!("SELECT ", record_columns!("k"), " FROM revision r JOIN record k ON k.id = r.record", lineage_joins!("k"));

pub(super) fn get(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
) -> Result<Option<RecordRow>, StoreError> {
    let Some(row) = identity::row_of(id) else { return Ok(None) };
    let sql = format!("{SELECT} WHERE r.id = ?1 AND s.tenant = ?2");
    let found = one(connection, &sql, params![row, tenant.as_str()], |row| rows::record(row, ids))?;
    Ok(found.filter(|record| record.id == id))
}

/// A record as one of its revisions was.
pub(super) fn at(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    revision: i64,
) -> Result<Option<RecordRow>, StoreError> {
    let (Some(current), Some(row)) = (get(connection, ids, tenant, id)?, identity::row_of(id)) else {
        return Ok(None);
    };
    if current.revision == revision {
        return Ok(Some(current));
    }
    let sql = format!("{SELECT_OLD} WHERE r.record = ?1 AND r.revision = ?2");
    one(connection, &sql, params![row, revision], |row| rows::record(row, ids))
}

pub(super) fn revisions(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    limit: u32,
) -> Result<Vec<RecordRow>, StoreError> {
    let (Some(current), Some(row)) = (get(connection, ids, tenant, id)?, identity::row_of(id)) else {
        return Ok(Vec::new());
    };
    let sql = format!("{SELECT_OLD} WHERE r.record = ?1 ORDER BY r.revision DESC LIMIT ?2");
    let older = all(connection, &sql, params![row, limits::list_limit(limit) - 1], |row| rows::record(row, ids))?;
    Ok(std::iter::once(current).chain(older).collect())
}

pub(super) fn counts(connection: &Connection, tenant: &TenantId) -> Result<Vec<EntityCount>, StoreError> {
    all(connection, COUNT_SELECT, [tenant.as_str()], |row| rows::entity_count(row))
}
