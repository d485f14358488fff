//! What is known of a page's records.

use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::{Connection, params};

use super::query::at_once;
use crate::sql::find_scope;
use crate::{ContentHash, Known, StoreError};

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
            scope = Some((entity, at_once(find_scope(connection, (tenant, name), entity))?));
        }
        let Some((_, Some(id))) = scope else { continue };
        let mut rows = statement.query(params![id, external_id])?;
        if let Some(row) = rows.next()? {
            known[at] = Some(Known { hash: ContentHash(row.get(0)?), deleted: row.get(1)? });
        }
    }
    Ok(known)
}
