//! Lists of records, in either of their two orders; see [`crate::RecordQuery`] for what each promises.

use rusqlite::{Connection, params};

use super::query::{all, number};
use super::{feed, record};
use crate::identity::IdKey;
use crate::list_token::Position;
use crate::listing::Listing;
use crate::rows::{self, RECORD_COLUMNS, lineage_joins, record_columns};
use crate::{RecordRow, Slice, StoreError};

pub(super) fn records(
    connection: &Connection,
    ids: &IdKey,
    listing: &Listing<'_>,
) -> Result<Slice<RecordRow>, StoreError> {
    match listing.since_ms {
        None => by_key(connection, ids, listing),
        Some(since_ms) => by_change(connection, ids, listing, since_ms),
    }
}

/// Scope after scope, each by vendor id: the unique index is the order.
fn by_key(connection: &Connection, ids: &IdKey, listing: &Listing<'_>) -> Result<Slice<RecordRow>, StoreError> {
    let (mut scope, mut external_id) = match &listing.after {
        Some(Position::Key { scope, external_id }) => (*scope, external_id.as_str()),
        _ => (0, ""),
    };
    let mut sql = format!(
        "{} WHERE r.scope = ?1 AND r.external_id > ?2 AND (?3 = 2 OR (r.deleted IS NOT NULL) = ?3)",
        record::SELECT
    );
    // Two statements, so that the exact id is found by the index too.
    sql.push_str(if listing.external_id.is_some() { " AND r.external_id = ?5" } else { " AND ?5 IS NULL" });
    sql.push_str(" ORDER BY r.external_id LIMIT ?4");
    let mut found = Vec::new();
    while let Some(at) = scope_from(connection, listing, scope)? {
        if at != scope {
            external_id = "";
        }
        let wanted = listing.limit + 1 - found.len() as i64;
        let values = params![at, external_id, listing.deleted_code(), wanted, listing.external_id];
        found.extend(all(connection, &sql, values, |row| Ok((at, rows::record(row, ids)?)))?);
        if found.len() as i64 > listing.limit {
            break;
        }
        // The place was within the scope that is done, whichever comes next.
        (scope, external_id) = (at + 1, "");
    }
    Ok(listing.slice(found, |scope, row| Position::Key { scope: *scope, external_id: row.external_id.clone() }))
}

/// The first scope at or after one that the query asks for.
fn scope_from(connection: &Connection, listing: &Listing<'_>, scope: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM scope WHERE id >= ?1 AND tenant = ?2 AND (?3 IS NULL OR entity = ?3)
               AND (?4 IS NULL OR connection = ?4) ORDER BY id LIMIT 1";
    number(connection, sql, params![scope, listing.tenant, listing.entity, listing.connection])
}

/// Along the feed, up to where it ended when the list began: a record stands at its newest change within that stretch.
/// Which is its newest there is told by the change of its next revision.
fn by_change(
    connection: &Connection,
    ids: &IdKey,
    listing: &Listing<'_>,
    since_ms: i64,
) -> Result<Slice<RecordRow>, StoreError> {
    let (after, until) = match listing.after {
        Some(Position::Change { after, until }) => (after, until),
        _ => (feed::before(connection, since_ms)?, feed::head(connection)?.seq),
    };
    let sql = concat!(
        "SELECT ",
        record_columns!("r"),
        ", c.seq FROM change c CROSS JOIN record r ON r.id = c.record",
        lineage_joins!("r"),
        "WHERE c.seq > ?1 AND c.seq <= ?2
         AND c.scope IN (SELECT id FROM scope WHERE tenant = ?3 AND (?4 IS NULL OR entity = ?4) AND (?5 IS NULL OR connection = ?5))
         AND (?6 IS NULL OR r.external_id = ?6) AND (?7 = 2 OR (r.deleted IS NOT NULL) = ?7)
         AND (c.revision = r.revision OR CASE WHEN c.revision + 1 = r.revision THEN r.seq ELSE
              (SELECT v.seq FROM revision v WHERE v.record = r.id AND v.revision = c.revision + 1) END > ?2)
         ORDER BY c.seq LIMIT ?8"
    );
    let values = params![
        after,
        until,
        listing.tenant,
        listing.entity,
        listing.connection,
        listing.external_id,
        listing.deleted_code(),
        listing.limit + 1
    ];
    let found = all(connection, sql, values, |row| Ok((row.get::<_, i64>(RECORD_COLUMNS)?, rows::record(row, ids)?)))?;
    Ok(listing.slice(found, |seq, _| Position::Change { after: *seq, until }))
}
