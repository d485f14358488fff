//! Lists of records, in either of their two orders; see [`crate::RecordQuery`] for what each promises.

use deadpool_postgres::GenericClient;

use super::query::{all, number};
use super::{feed, record};
use crate::identity::IdKey;
use crate::list_token::Position;
use crate::listing::Listing;
use crate::rows::{self, Columns, RECORD_COLUMNS, lineage_joins, record_columns};
use crate::{RecordRow, Slice, StoreError};

pub(super) async fn records(
    client: &impl GenericClient,
    ids: &IdKey,
    listing: &Listing<'_>,
) -> Result<Slice<RecordRow>, StoreError> {
    match listing.since_ms {
        None => by_key(client, ids, listing).await,
        Some(since_ms) => by_change(client, ids, listing, since_ms).await,
    }
}

/// Scope after scope, each by vendor id: the unique index is the order.
async fn by_key(
    client: &impl GenericClient,
    ids: &IdKey,
    listing: &Listing<'_>,
) -> Result<Slice<RecordRow>, StoreError> {
    let (mut scope, mut external_id) = match &listing.after {
        Some(Position::Key { scope, external_id }) => (*scope, external_id.as_str()),
        _ => (0, ""),
    };
    let mut sql = format!(
        "{} WHERE r.scope = $1 AND r.external_id > $2 AND ($3::bigint = 2 OR (r.deleted IS NOT NULL)::int = $3)",
        record::SELECT
    );
    sql.push_str(if listing.external_id.is_some() { " AND r.external_id = $5" } else { " AND $5::text IS NULL" });
    sql.push_str(" ORDER BY r.external_id LIMIT $4");
    let mut found = Vec::new();
    while let Some(at) = scope_from(client, listing, scope).await? {
        if at != scope {
            external_id = "";
        }
        let wanted = listing.limit + 1 - found.len() as i64;
        let rows =
            all(client, &sql, &[&at, &external_id, &listing.deleted_code(), &wanted, &listing.external_id]).await?;
        for row in &rows {
            found.push((at, rows::record(row, ids)?));
        }
        if found.len() as i64 > listing.limit {
            break;
        }
        // The place was within the scope that is done, whichever comes next.
        (scope, external_id) = (at + 1, "");
    }
    Ok(listing.slice(found, |scope, row| Position::Key { scope: *scope, external_id: row.external_id.clone() }))
}

/// The first scope at or after one that the query asks for.
async fn scope_from(client: &impl GenericClient, listing: &Listing<'_>, scope: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM scope WHERE id >= $1 AND tenant = $2 AND ($3::text IS NULL OR entity = $3)
               AND ($4::text IS NULL OR connection = $4) ORDER BY id LIMIT 1";
    number(client, sql, &[&scope, &listing.tenant, &listing.entity, &listing.connection]).await
}

/// Along the feed, up to where it ended when the list began: a record stands at its newest change within that stretch.
/// Which is its newest there is told by the change of its next revision. Each scope gives its next few by its own index.
async fn by_change(
    client: &impl GenericClient,
    ids: &IdKey,
    listing: &Listing<'_>,
    since_ms: i64,
) -> Result<Slice<RecordRow>, StoreError> {
    let (after, until) = match listing.after {
        Some(Position::Change { after, until }) => (after, until),
        _ => (feed::before(client, since_ms).await?, feed::head(client).await?),
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
            &listing.tenant,
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
