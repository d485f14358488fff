//! Deletes by diff: what a listing of everything did not list is gone.

use std::pin::pin;

use deadpool_postgres::GenericClient;
use futures_util::TryStreamExt;

use super::commit::Scopes;
use super::pen::Pen;
use super::query::{all, run};
use super::run::LiveStream;
use crate::rows::Columns;
use crate::seen::Seen;
use crate::{PageCommit, StoreError};

/// Notes what the page listed and, at the end of a sweep, puts the tombstones. Gives the first page of the sweep that is then
/// under way.
pub(super) async fn apply(
    pen: &mut Pen<'_>,
    scopes: &Scopes<'_>,
    stream: &LiveStream,
    page: &PageCommit,
) -> Result<Option<i64>, StoreError> {
    // A page outside of a sweep breaks one off: it did not list everything.
    let Some(sweep) = page.sweep else { return Ok(None) };
    let mut seen = std::mem::take(&mut pen.seen);
    // A record in quarantine was listed too: that it is bad does not mean that it is gone. An id with a NUL is no record's.
    let quarantined = page.quarantine.iter().filter_map(|item| Some((&item.entity, item.external_id.as_ref()?)));
    let (entities, external_ids): (Vec<_>, Vec<_>) = page
        .unchanged
        .iter()
        .map(|(entity, id)| (entity, id))
        .chain(quarantined)
        .map(|(entity, id)| (entity.as_str(), id.as_str()))
        .filter(|(entity, id)| !entity.contains('\0') && !id.contains('\0'))
        .unzip();
    for row in scopes.rows(pen.transaction, &entities, &external_ids).await? {
        seen.add(row);
    }
    let from = if sweep.begins { pen.page } else { stream.sweep_from.unwrap_or(pen.page) };
    if !sweep.ends {
        run(pen.transaction, "UPDATE page SET seen = $2 WHERE id = $1", &[&pen.page, &seen.pack()?]).await?;
        return Ok(Some(from));
    }
    let sql = "SELECT seen FROM page WHERE stream = $1 AND id >= $2 AND seen IS NOT NULL";
    for row in all(pen.transaction, sql, &[&stream.id, &from]).await? {
        seen.unpack(&row.bytes(0)?)?;
    }
    seen.settle();
    let missing = missing(pen, stream.id, &seen).await?;
    pen.sweep_away(&missing).await?;
    // The sweep is over: nobody asks for these any more.
    let sql = "UPDATE page SET seen = NULL WHERE stream = $1 AND id >= $2 AND seen IS NOT NULL";
    run(pen.transaction, sql, &[&stream.id, &from]).await?;
    Ok(None)
}

/// Live rows, with their scope and the bytes of their bodies, that this stream wrote last and that were not seen. Rows come as a stream: of a million seen
/// ones none is kept.
async fn missing(pen: &Pen<'_>, stream: i64, seen: &Seen) -> Result<Vec<(i64, i64, i64)>, StoreError> {
    let sql = "SELECT r.id, r.scope, octet_length(r.body)::bigint FROM stream_scope w JOIN record r ON r.scope = w.scope JOIN page p ON p.id = r.page
               WHERE w.stream = $1 AND r.deleted IS NULL AND p.stream = $1";
    let statement = pen.transaction.prepare_cached(sql).await?;
    let mut rows = pin!(pen.transaction.query_raw(&statement, [stream]).await?);
    let mut missing = Vec::new();
    while let Some(row) = rows.try_next().await? {
        if !seen.contains(row.int(0)?) {
            missing.push((row.int(0)?, row.int(1)?, row.int(2)?));
        }
    }
    missing.sort_unstable();
    Ok(missing)
}
