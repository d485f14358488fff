//! The list of records in the order of their changes; see [`crate::RecordQuery`].

use rusqlite::{Connection, params};

use super::query::{all, at_once};
use crate::identity::IdKeys;
use crate::list_token::Position;
use crate::listing::Listing;
use crate::rows::{self, RECORD_COLUMNS, lineage_joins, record_columns};
use crate::sql::feed;
use crate::{RecordRow, Slice, StoreError};

/// Along the feed, up to where it ended when the list began: a record stands at its newest change within that stretch.
/// Which is its newest there is told by the change of its next revision.
pub(super) fn by_change(
    connection: &Connection,
    ids: &IdKeys,
    listing: &Listing<'_>,
    since_ms: i64,
) -> Result<Slice<RecordRow>, StoreError> {
    let (after, until) = match listing.after {
        Some(Position::Change { after, until }) => (after, until),
        _ => {
            let before = at_once(feed::position_before(connection, listing.tenant, since_ms))?;
            (before, at_once(feed::head(connection, listing.tenant))?)
        }
    };
    let sql = concat!(
        "SELECT ",
        record_columns!("r"),
        ", c.seq FROM change c CROSS JOIN record r ON r.id = c.record",
        lineage_joins!("r"),
        "WHERE c.feed = (SELECT id FROM feed WHERE tenant = ?3) AND c.seq > ?1 AND c.seq <= ?2
         AND c.scope IN (SELECT id FROM scope WHERE tenant = ?3 AND (?4 IS NULL OR entity = ?4) AND (?5 IS NULL OR connection = ?5))
         AND (?6 IS NULL OR r.external_id = ?6) AND (?7 = 2 OR (r.deleted IS NOT NULL) = ?7)
         AND (c.revision = r.revision OR CASE WHEN c.revision + 1 = r.revision THEN r.seq ELSE
              (SELECT v.seq FROM revision v WHERE v.record = r.id AND v.revision = c.revision + 1) END > ?2)
         ORDER BY c.seq LIMIT ?8"
    );
    let values = params![
        after,
        until,
        listing.tenant.as_str(),
        listing.entity,
        listing.connection,
        listing.external_id,
        listing.deleted_code(),
        listing.limit + 1
    ];
    let found = all(connection, sql, values, |row| Ok((row.get::<_, i64>(RECORD_COLUMNS)?, rows::record(row, ids)?)))?;
    Ok(listing.slice(found, |seq, _| Position::Change { after: *seq, until }))
}
