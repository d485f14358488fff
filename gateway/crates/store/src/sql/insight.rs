//! Rows for questions of insight: what follows next, how far they follow, and the statements that read them.

use renmen_schema::id::{RecordId, TenantId};

use super::{Session, feed, moving, number, values};
use crate::StoreError;
use crate::identity::{IdKeys, row_of};
use crate::insight::{Extract, RowsMade, VERSION, extract, kind_of};
use crate::rows::Columns;

/// Rows of a scope in one part.
pub(crate) const ROWS: &str = "SELECT record, body FROM insight_row WHERE scope = $1 AND part = $2";
/// The same, each with the identity that the record belongs to, where one was found.
pub(crate) const ROWS_WITH_IDENTITY: &str = "SELECT r.record, r.body, m.identity FROM insight_row r
     LEFT JOIN identity_member m ON m.tenant = $3 AND m.record = r.record WHERE r.scope = $1 AND r.part = $2";
/// Bodies of the live records of a scope.
pub(crate) const BODIES: &str = "SELECT id, body FROM record WHERE scope = $1 AND deleted IS NULL";

/// Records of one call, and rows that are deleted by one.
const AT_ONCE_MAX: u32 = 10_000;
/// No record has this number: the rows of another version are being deleted.
const CLEARING: i64 = -1;
/// No record and no state has this number.
const DONE: i64 = -2;

/// How far the rows of a tenant follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stand {
    version: i64,
    followed: i64,
    /// Up to this record what was there before is done; [`DONE`].
    walked: i64,
}

/// What one call changes.
#[derive(Debug, Default)]
pub(crate) struct Work {
    from: Option<Stand>,
    to: Option<Stand>,
    /// Rows of another version are there, and some of them are deleted.
    pub(crate) clears: bool,
    /// Scope and record: what they had is not so any more.
    pub(crate) gone: Vec<(i64, i64)>,
    /// Scope, record, and their row.
    pub(crate) rows: Vec<(i64, i64, Extract)>,
    pub(crate) made: RowsMade,
}

async fn stand(session: &impl Session, tenant: &TenantId) -> Result<Option<Stand>, StoreError> {
    let sql = "SELECT version, followed, walked FROM insight_made WHERE tenant = $1";
    let read = |row: &dyn Columns| {
        let walked = row.int_or_none(2)?.unwrap_or(DONE);
        Ok(Stand { version: row.int(0)?, followed: row.int(1)?, walked })
    };
    session.one(sql, values![tenant], read).await
}

/// How many positions the rows are behind the feed.
///
/// # Errors
/// [`StoreError::Unavailable`] while they are being made.
pub(crate) async fn behind(session: &impl Session, tenant: &TenantId) -> Result<u64, StoreError> {
    match stand(session, tenant).await? {
        Some(Stand { version, followed, walked: DONE }) if version == i64::from(VERSION) => {
            Ok(u64::try_from(feed::head(session, tenant).await? - followed).unwrap_or(0))
        }
        _ => Err(StoreError::Unavailable(
            "a running gateway makes the rows that insights are asked over, and has not made all yet: ask again in a while".into(),
        )),
    }
}

/// Number, entity and connection of a tenant's scopes.
pub(crate) async fn scopes(
    session: &impl Session,
    tenant: &TenantId,
) -> Result<Vec<(i64, String, String)>, StoreError> {
    let sql = "SELECT id, entity, connection FROM scope WHERE tenant = $1 ORDER BY id";
    session.all(sql, values![tenant], |row| Ok((row.int(0)?, row.text(1)?, row.text(2)?))).await
}

/// Records of a scope whose body could not be read.
pub(crate) async fn unreadable(session: &impl Session, scope: i64) -> Result<u64, StoreError> {
    let sql = "SELECT count(*) FROM insight_row WHERE scope = $1 AND part = 2";
    Ok(number(session, sql, values![scope]).await?.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// Looks what is to be done next, and does what needs no writing.
pub(crate) async fn next_work(session: &impl Session, tenant: &TenantId, at_most: u32) -> Result<Work, StoreError> {
    let at_most = i64::from(at_most.clamp(1, AT_ONCE_MAX));
    let from = stand(session, tenant).await?;
    let version = i64::from(VERSION);
    match from {
        Some(stand) if stand.version == version && stand.walked == DONE => {
            follow(session, tenant, stand, at_most).await
        }
        Some(stand) if stand.version == version && stand.walked == CLEARING => {
            let sql = "SELECT 1 FROM insight_row WHERE scope IN (SELECT id FROM scope WHERE tenant = $1) LIMIT 1";
            let clears = session.one(sql, values![tenant], |_| Ok(())).await?.is_some();
            let walked = if clears { CLEARING } else { 0 };
            Ok(Work { from, to: Some(Stand { walked, ..stand }), clears, ..Work::default() })
        }
        Some(stand) if stand.version == version => walk(session, tenant, stand, at_most).await,
        _ => {
            // What is committed from here on is followed; what is there is walked.
            let followed = feed::head(session, tenant).await?;
            Ok(Work { from, to: Some(Stand { version, followed, walked: CLEARING }), ..Work::default() })
        }
    }
}

/// The rows of records, as they stand now: those with a number above one and up to another, or those that changed between two positions.
async fn rows_of(
    session: &impl Session,
    tenant: &TenantId,
    which: &str,
    (after, up_to): (i64, i64),
    work: &mut Work,
) -> Result<(), StoreError> {
    let kinds: Vec<String> = crate::insight::entities().map(|entity| format!("'{entity}'")).collect();
    let sql = format!(
        "SELECT r.id, r.scope, s.entity, r.external_id, r.deleted, r.revision, r.body FROM record r JOIN scope s ON s.id = r.scope
         WHERE {which} AND s.tenant = $3 AND s.entity IN ({})",
        kinds.join(", ")
    );
    let read = |row: &dyn Columns| {
        let entity = row.text(2)?;
        let kind = kind_of(&entity).filter(|_| !matches!(row.int_or_none(4), Ok(Some(_))));
        let extract = match kind {
            Some(kind) => extract(kind, &row.text(3)?, &row.bytes(6)?),
            None => None,
        };
        Ok((row.int(1)?, row.int(0)?, row.int(5)? == 1, extract))
    };
    for (scope, record, first, extract) in session.all(&sql, values![after, up_to, tenant], read).await? {
        work.made.records += 1;
        if !first {
            work.gone.push((scope, record));
        }
        work.rows.extend(extract.map(|extract| (scope, record, extract)));
    }
    Ok(())
}

async fn walk(session: &impl Session, tenant: &TenantId, stand: Stand, at_most: i64) -> Result<Work, StoreError> {
    let sql = "SELECT max(x.id) FROM (SELECT id FROM record WHERE id > $1 ORDER BY id LIMIT $2) x";
    let last = session.one(sql, values![stand.walked, at_most], |row| row.int_or_none(0)).await?.flatten();
    let mut work = Work { from: Some(stand), ..Work::default() };
    work.to = Some(Stand { walked: last.unwrap_or(DONE), ..stand });
    if let Some(last) = last {
        rows_of(session, tenant, "r.id > $1 AND r.id <= $2", (stand.walked, last), &mut work).await?;
    }
    Ok(work)
}

async fn follow(session: &impl Session, tenant: &TenantId, stand: Stand, at_most: i64) -> Result<Work, StoreError> {
    let sql =
        "SELECT max(x.seq) FROM (SELECT c.seq FROM change c WHERE c.feed = (SELECT id FROM feed WHERE tenant = $1)
               AND c.seq > $2 ORDER BY c.seq LIMIT $3) x";
    let last = session.one(sql, values![tenant, stand.followed, at_most], |row| row.int_or_none(0)).await?.flatten();
    let mut work = Work { from: Some(stand), ..Work::default() };
    let Some(last) = last else {
        work.made.done = true;
        return Ok(work);
    };
    work.to = Some(Stand { followed: last, ..stand });
    let which = "r.id IN (SELECT c.record FROM change c WHERE c.feed = (SELECT id FROM feed WHERE tenant = $3) AND c.seq > $1 AND c.seq <= $2)";
    rows_of(session, tenant, which, (stand.followed, last), &mut work).await?;
    Ok(work)
}

/// Moves on, within the transaction that writes the rows. False: another one did meanwhile, and nothing is to be written.
pub(crate) async fn move_on(session: &impl Session, tenant: &TenantId, work: &Work) -> Result<bool, StoreError> {
    moving::refuse(session, tenant).await?;
    let Some(to) = work.to else { return Ok(false) };
    let walked = (to.walked != DONE).then_some(to.walked);
    let moved = match work.from {
        None => {
            let sql = "INSERT INTO insight_made (tenant, version, followed, walked) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            session.run(sql, values![tenant, to.version, to.followed, walked]).await?
        }
        Some(from) => {
            let sql = "UPDATE insight_made SET version = $2, followed = $3, walked = $4
                       WHERE tenant = $1 AND version = $5 AND followed = $6 AND coalesce(walked, -2) = $7";
            let values = values![tenant, to.version, to.followed, walked, from.version, from.followed, from.walked];
            session.run(sql, values).await?
        }
    };
    Ok(moved == 1)
}

/// Deletes some of a tenant's rows.
pub(crate) async fn clear(session: &impl Session, tenant: &TenantId) -> Result<(), StoreError> {
    let sql =
        "DELETE FROM insight_row WHERE (scope, part, record) IN (SELECT x.scope, x.part, x.record FROM insight_row x
               WHERE x.scope IN (SELECT id FROM scope WHERE tenant = $1) LIMIT $2)";
    session.run(sql, values![tenant, AT_ONCE_MAX]).await.map(drop)
}

/// The key of a live record.
pub(crate) async fn key(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
) -> Result<Option<i64>, StoreError> {
    let Some(row) = row_of(id) else { return Ok(None) };
    let sql = "SELECT r.created_at, coalesce(m.identity, r.id) FROM record r JOIN scope s ON s.id = r.scope
               LEFT JOIN identity_member m ON m.tenant = s.tenant AND m.record = r.id
               WHERE r.id = $1 AND s.tenant = $2 AND r.deleted IS NULL";
    let found = session.one(sql, values![row, tenant], |row| Ok((row.int(0)?, row.int(1)?))).await?;
    let Some((created_at_ms, key)) = found else { return Ok(None) };
    Ok((ids.mint(row, created_at_ms)? == id).then_some(key))
}

/// Entity and id of each record.
pub(crate) async fn ids_of(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    keys: &[i64],
) -> Result<Vec<Option<(String, RecordId)>>, StoreError> {
    let sql =
        "SELECT s.entity, r.created_at FROM record r JOIN scope s ON s.id = r.scope WHERE r.id = $1 AND s.tenant = $2";
    let mut found = Vec::with_capacity(keys.len());
    for key in keys {
        let read = |row: &dyn Columns| Ok((row.text(0)?, ids.mint(*key, row.int(1)?)?));
        found.push(session.one(sql, values![*key, tenant], read).await?);
    }
    Ok(found)
}
