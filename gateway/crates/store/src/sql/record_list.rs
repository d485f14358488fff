//! Lists of records, in either of their two orders; see [`crate::RecordQuery`] for what each promises. The order of changes is
//! walked by each backend in its own way.

use super::{Session, number, record, values};
use crate::identity::IdKeys;
use crate::list_token::Position;
use crate::listing::Listing;
use crate::{RecordRow, Slice, StoreError, rows};

/// Scope after scope, each by vendor id: the unique index is the order.
pub(crate) async fn by_key(
    session: &impl Session,
    ids: &IdKeys,
    listing: &Listing<'_>,
) -> Result<Slice<RecordRow>, StoreError> {
    let (mut scope, mut external_id) = match &listing.after {
        Some(Position::Key { scope, external_id }) => (*scope, external_id.as_str()),
        _ => (0, ""),
    };
    let mut sql = format!(
        "{} WHERE r.scope = $1 AND r.external_id > $2
         AND (CAST($3 AS bigint) = 2 OR CASE WHEN r.deleted IS NULL THEN 0 ELSE 1 END = $3)",
        record::SELECT
    );
    // Two statements, so that the exact id is found by the index too.
    let only = if listing.external_id.is_some() { " AND r.external_id = $5" } else { " AND CAST($5 AS text) IS NULL" };
    sql.push_str(only);
    sql.push_str(" ORDER BY r.external_id LIMIT $4");
    let mut found = Vec::new();
    while let Some(at) = scope_from(session, listing, scope).await? {
        if at != scope {
            external_id = "";
        }
        let wanted = listing.limit + 1 - found.len() as i64;
        let values = values![at, external_id, listing.deleted_code(), wanted, listing.external_id];
        found.extend(session.all(&sql, values, |row| Ok((at, rows::record(row, ids)?))).await?);
        if found.len() as i64 > listing.limit {
            break;
        }
        // The place was within the scope that is done, whichever comes next.
        (scope, external_id) = (at + 1, "");
    }
    Ok(listing.slice(found, |scope, row| Position::Key { scope: *scope, external_id: row.external_id.clone() }))
}

/// The first scope at or after one that the query asks for.
async fn scope_from(session: &impl Session, listing: &Listing<'_>, scope: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM scope WHERE id >= $1 AND tenant = $2 AND (CAST($3 AS text) IS NULL OR entity = $3)
               AND (CAST($4 AS text) IS NULL OR connection = $4) ORDER BY id LIMIT 1";
    number(session, sql, values![scope, listing.tenant, listing.entity, listing.connection]).await
}
