//! Deletes by diff: what a listing of everything did not list is gone.

use rusqlite::params;

use super::commit::Scopes;
use super::pen::Pen;
use super::query::{all, one, run};
use super::run::LiveStream;
use crate::seen::Seen;
use crate::{PageCommit, StoreError};

/// Notes what the page listed and, at the end of a sweep, puts the tombstones. Gives the first page of the sweep that is then
/// under way.
pub(super) fn apply(
    pen: &mut Pen<'_>,
    scopes: &Scopes<'_>,
    stream: &LiveStream,
    page_id: i64,
    page: &PageCommit,
) -> Result<Option<i64>, StoreError> {
    // A page outside of a sweep breaks one off: it did not list everything.
    let Some(sweep) = page.sweep else { return Ok(None) };
    let mut seen = std::mem::take(&mut pen.seen);
    // A record in quarantine was listed too: that it is bad does not mean that it is gone.
    let quarantined = page.quarantine.iter().filter_map(|item| Some((&item.entity, item.external_id.as_ref()?)));
    scopes.rows(page.unchanged.iter().map(|(entity, id)| (entity, id)).chain(quarantined), |row| seen.add(row))?;
    let from = if sweep.begins { page_id } else { stream.sweep_from.unwrap_or(page_id) };
    if !sweep.ends {
        run(pen.connection, "UPDATE page SET seen = ?2 WHERE id = ?1", params![page_id, seen.pack()?])?;
        return Ok(Some(from));
    }
    let sql = "SELECT seen FROM page WHERE stream = ?1 AND id >= ?2 AND seen IS NOT NULL";
    for packed in all(pen.connection, sql, [stream.id, from], |row| Ok(row.get::<_, Vec<u8>>(0)?))? {
        seen.unpack(&packed)?;
    }
    seen.settle();
    for scope in
        all(pen.connection, "SELECT scope FROM stream_scope WHERE stream = ?1", [stream.id], |row| Ok(row.get(0)?))?
    {
        for row in missing(pen, scope, stream.id, &seen)? {
            pen.sweep_away(scope, row)?;
        }
    }
    // The sweep is over: nobody asks for these any more.
    run(
        pen.connection,
        "UPDATE page SET seen = NULL WHERE stream = ?1 AND id >= ?2 AND seen IS NOT NULL",
        [stream.id, from],
    )?;
    Ok(None)
}

/// Live rows of a scope that this stream wrote last and that were not seen. The index alone is walked; a row is read only
/// when it was not seen.
fn missing(pen: &Pen<'_>, scope: i64, stream: i64, seen: &Seen) -> Result<Vec<i64>, StoreError> {
    let mut missing = Vec::new();
    let mut statement = pen.connection.prepare_cached("SELECT id FROM record WHERE scope = ?1")?;
    let mut rows = statement.query([scope])?;
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if seen.contains(id) {
            continue;
        }
        let sql = "SELECT 1 FROM record r JOIN page p ON p.id = r.page
                   WHERE r.id = ?1 AND r.deleted IS NULL AND p.stream = ?2";
        if one(pen.connection, sql, [id, stream], |_| Ok(()))?.is_some() {
            missing.push(id);
        }
    }
    missing.sort_unstable();
    Ok(missing)
}
