//! The list of records in the order of their changes; see [`crate::RecordQuery`].

use deadpool_postgres::Client;

use super::query::all;
use crate::identity::IdKeys;
use crate::list_token::Position;
use crate::listing::Listing;
use crate::rows::{self, Columns, RECORD_COLUMNS, lineage_joins, record_columns};
use crate::sql::feed;
use crate::{RecordRow, Slice, StoreError};

/// Along the feed, up to where it ended when the list began: a record stands at its newest change within that stretch.
/// Which is its newest there is told by the change of its next revision. Each scope gives its next few by its own index.
pub(super) async fn by_change(
    client: &Client,
    ids: &IdKeys,
    listing: &Listing<'_>,
    since_ms: i64,
) -> Result<Slice<RecordRow>, StoreError> {
    let (after, until) = match listing.after {
        Some(Position::Change { after, until }) => (after, until),
        _ => {
            let before = feed::position_before(client, listing.tenant, since_ms).await?;
            (before, feed::head(client, listing.tenant).await?)
        }
    };
    let sql = concat!(
        "SELECT ",
        record_columns!("r"),
        ", c.seq FROM (SELECT e.seq, e.record FROM scope w CROSS JOIN LATERAL (
            SELECT f.seq, f.record FROM change f JOIN record o ON o.id = f.record
            WHERE f.scope = w.id AND f.seq > $1 AND f.seq <= $2
            AND ($6::text IS NULL OR o.external_id = $6) AND ($7::bigint = 2 OR (o.deleted IS NOT NULL)::int = $7)
            AND (f.revision = o.revision OR CASE WHEN f.revision + 1 = o.revision THEN o.seq ELSE
                 (SELECT v.seq FROM revision v WHERE v.record = o.id AND v.revision = f.revision + 1) END > $2)
            ORDER BY f.seq LIMIT $8) e
         WHERE w.tenant = $3 AND ($4::text IS NULL OR w.entity = $4) AND ($5::text IS NULL OR w.connection = $5)
         ORDER BY e.seq LIMIT $8) c JOIN record r ON r.id = c.record",
        lineage_joins!("r"),
        "ORDER BY c.seq"
    );
    let rows = all(
        client,
        sql,
        &[
            &after,
            &until,
            &listing.tenant.as_str(),
            &listing.entity,
            &listing.connection,
            &listing.external_id,
            &listing.deleted_code(),
            &(listing.limit + 1),
        ],
    )
    .await?;
    let found = rows
        .iter()
        .map(|row| Ok((row.int(RECORD_COLUMNS)?, rows::record(row, ids)?)))
        .collect::<Result<_, StoreError>>()?;
    Ok(listing.slice(found, |seq, _| Position::Change { after: *seq, until }))
}
