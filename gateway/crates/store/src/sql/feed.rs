//! The positions and epochs of the tenants' change feeds, and the pages that made them.

use renmen_schema::id::TenantId;

use super::moving::{self, move_state};
use super::{Session, expect_number, number, values};
use crate::rows::{self, Columns, PAGE_COLUMNS};
use crate::{PageRow, StoreError, StreamKey, limits};

/// Where a tenant's feed ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FeedEnd {
    /// The row of the tenant's feed.
    pub(crate) feed: i64,
    pub(crate) seq: i64,
    pub(crate) at_ms: i64,
}

/// The feed's end, for a commit that moves it: no other commit of the tenant is under way until the transaction ends.
pub(crate) async fn end_to_change(session: &impl Session, tenant: &TenantId) -> Result<FeedEnd, StoreError> {
    const SELECT: &str = concat!("SELECT id, seq, at_ms, ", move_state!("$1"), " FROM feed WHERE tenant = $1");
    let sql = format!("{SELECT}{}", session.dialect().for_update());
    let end = |row: &dyn Columns| {
        Ok((FeedEnd { feed: row.int(0)?, seq: row.int(1)?, at_ms: row.int(2)? }, row.int_or_none(3)?))
    };
    if let Some((end, state)) = session.one(&sql, values![tenant], end).await? {
        moving::refuse_state(session, tenant, state).await?;
        return Ok(end);
    }
    moving::refuse(session, tenant).await?;
    // A tenant's first commit. Another gateway's may be under way: then this waits for it.
    let (id, next) = session.dialect().own_number("feed");
    let begin = format!(
        "INSERT INTO feed ({id}tenant, seq, at_ms) SELECT {next}CAST($1 AS text), f.seq, f.at_ms FROM feed f
         WHERE f.tenant = '' ON CONFLICT DO NOTHING"
    );
    session.run(&begin, values![tenant]).await?;
    let vanished = || StoreError::Fault("the `feed` table has no row for tenants that are new".into());
    let (end, state) = session.one(&sql, values![tenant], end).await?.ok_or_else(vanished)?;
    moving::refuse_state(session, tenant, state).await?;
    Ok(end)
}

/// Gives a feed its new end.
pub(crate) async fn move_end(session: &impl Session, to: FeedEnd) -> Result<(), StoreError> {
    session
        .run("UPDATE feed SET seq = $2, at_ms = $3 WHERE id = $1", values![to.feed, to.seq, to.at_ms])
        .await
        .map(drop)
}

/// The last position of a tenant's feed.
pub(crate) async fn head(session: &impl Session, tenant: &TenantId) -> Result<i64, StoreError> {
    let sql = "SELECT seq FROM feed WHERE tenant IN ($1, '') ORDER BY seq DESC LIMIT 1";
    expect_number(session, sql, values![tenant]).await
}

/// The last positions of every feed, and under the empty name that of a tenant without a row.
pub(crate) async fn heads(session: &impl Session) -> Result<Vec<(String, i64)>, StoreError> {
    session.all("SELECT tenant, seq FROM feed", &[], |row| Ok((row.text(0)?, row.int(1)?))).await
}

/// Begins an epoch at the end of every feed, within a transaction.
pub(crate) async fn begin_epoch(session: &impl Session) -> Result<(), StoreError> {
    // No feed moves until the epoch is there: a position of the epoch before never lies after the mark of this one.
    if let Some(hold) = session.dialect().hold_feeds() {
        session.run(hold, &[]).await?;
    }
    let sql =
        "INSERT INTO feed_epoch (token, begins_after) SELECT CAST($1 AS bigint), f.seq FROM feed f WHERE f.tenant = ''
               RETURNING no";
    let no = expect_number(session, sql, values![rand::random::<u32>()]).await?;
    let sql =
        "INSERT INTO feed_mark (tenant, epoch, begins_after) SELECT f.tenant, CAST($1 AS bigint), f.seq FROM feed f
               WHERE f.tenant <> '' AND f.seq > (SELECT g.seq FROM feed g WHERE g.tenant = '')
               AND f.seq > coalesce((SELECT max(m.begins_after) FROM feed_mark m WHERE m.tenant = f.tenant), 0)";
    session.run(sql, values![no]).await.map(drop)
}

/// The epoch that is not over.
pub(crate) async fn epoch(session: &impl Session) -> Result<u32, StoreError> {
    rows::epoch(number(session, "SELECT token FROM feed_epoch ORDER BY no DESC LIMIT 1", &[]).await?)
}

pub(crate) async fn holds_position(
    session: &impl Session,
    tenant: &TenantId,
    seq: i64,
    epoch: Option<u32>,
) -> Result<bool, StoreError> {
    let mut last = head(session, tenant).await?;
    if let Some(token) = epoch {
        // Handed out by a database where the tenant was before.
        let sql = "SELECT ends_with FROM moved_epoch WHERE tenant = $1 AND token = $2";
        if number(session, sql, values![tenant, token]).await?.is_some_and(|ends_with| seq <= ends_with) {
            return Ok(true);
        }
        let no = number(session, "SELECT no FROM feed_epoch WHERE token = $1", values![token]).await?;
        let Some(no) = no else { return Ok(false) };
        let sql = "SELECT no, begins_after FROM feed_epoch WHERE no > $1 ORDER BY no LIMIT 1";
        let next = session.one(sql, values![no], |row| Ok((row.int(0)?, row.int(1)?))).await?;
        if let Some((next, begins_after)) = next {
            let sql = "SELECT coalesce(max(begins_after), 0) FROM feed_mark WHERE tenant = $1 AND epoch <= $2";
            last = expect_number(session, sql, values![tenant, next]).await?.max(begins_after);
        }
    }
    Ok(seq <= last)
}

/// The last position of a tenant's feed before a time. Its times never go back, so halving finds it without an index.
pub(crate) async fn position_before(
    session: &impl Session,
    tenant: &TenantId,
    time_ms: i64,
) -> Result<i64, StoreError> {
    let sql = "SELECT id FROM feed WHERE tenant = $1";
    let Some(feed) = number(session, sql, values![tenant]).await? else { return head(session, tenant).await };
    let (mut before, mut after) = (0, head(session, tenant).await? + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let sql = "SELECT at_ms FROM change WHERE feed = $1 AND seq <= $2 ORDER BY seq DESC LIMIT 1";
        if number(session, sql, values![feed, middle]).await?.is_none_or(|at_ms| at_ms < time_ms) {
            before = middle;
        } else {
            after = middle;
        }
    }
    Ok(before)
}

/// A stream's pages after one.
pub(crate) async fn pages(
    session: &impl Session,
    key: &StreamKey,
    after: i64,
    limit: u32,
) -> Result<Vec<PageRow>, StoreError> {
    let sql = format!(
        "SELECT {PAGE_COLUMNS} FROM stream t JOIN page p ON p.stream = t.id
         WHERE t.tenant = $1 AND t.connection = $2 AND t.stream = $3 AND p.id > $4 ORDER BY p.id LIMIT $5"
    );
    let values = values![&key.tenant, &key.connection, &key.stream, after, limits::list_limit(limit)];
    session.all(&sql, values, rows::page).await
}

/// Notes for each epoch of this database the last position that it handed out to a tenant: so that the database that the tenant goes to
/// knows which positions its readers may hold.
pub(crate) async fn note_epochs(session: &impl Session, tenant: &TenantId) -> Result<(), StoreError> {
    let epoch = |row: &dyn Columns| Ok((row.int(0)?, row.int(1)?, row.int(2)?));
    let epochs = session.all("SELECT no, token, begins_after FROM feed_epoch ORDER BY no", &[], epoch).await?;
    let sql = "SELECT epoch, begins_after FROM feed_mark WHERE tenant = $1 ORDER BY epoch";
    let marks = session.all(sql, values![tenant], |row| Ok((row.int(0)?, row.int(1)?))).await?;
    let head = head(session, tenant).await?;
    for (at, (_, token, _)) in epochs.iter().enumerate() {
        let ends_with = match epochs.get(at + 1) {
            None => head,
            Some((next, _, begins_after)) => {
                let marked = marks.iter().filter(|(epoch, _)| epoch <= next).map(|(_, mark)| *mark).max().unwrap_or(0);
                marked.max(*begins_after)
            }
        };
        let sql = "INSERT INTO moved_epoch (tenant, token, ends_with) VALUES ($1, $2, $3)
                   ON CONFLICT (tenant, token) DO UPDATE SET ends_with = excluded.ends_with";
        session.run(sql, values![tenant, *token, ends_with]).await?;
    }
    Ok(())
}
