//! The change feed's positions and epochs, and the pages that made it.

use super::{Session, expect_number, number, values};
use crate::rows::{self, PAGE_COLUMNS};
use crate::{PageRow, StoreError, StreamKey, limits};

/// The feed's last position.
pub(crate) async fn head(session: &impl Session) -> Result<i64, StoreError> {
    expect_number(session, session.dialect().feed_head(), &[]).await
}

/// Begins an epoch at the feed's end.
pub(crate) async fn begin_epoch(session: &impl Session) -> Result<(), StoreError> {
    let sql = "INSERT INTO feed_epoch (token, begins_after) VALUES ($1, $2)";
    session.run(sql, values![rand::random::<u32>(), head(session).await?]).await.map(drop)
}

/// The epoch that is not over.
pub(crate) async fn epoch(session: &impl Session) -> Result<u32, StoreError> {
    rows::epoch(number(session, "SELECT token FROM feed_epoch ORDER BY no DESC LIMIT 1", &[]).await?)
}

pub(crate) async fn holds_position(session: &impl Session, seq: i64, epoch: Option<u32>) -> Result<bool, StoreError> {
    let mut last = head(session).await?;
    if let Some(token) = epoch {
        let no = number(session, "SELECT no FROM feed_epoch WHERE token = $1", values![token]).await?;
        let Some(no) = no else { return Ok(false) };
        let sql = "SELECT begins_after FROM feed_epoch WHERE no > $1 ORDER BY no LIMIT 1";
        last = number(session, sql, values![no]).await?.unwrap_or(last);
    }
    Ok(seq <= last)
}

/// The last position before a time. The feed's times never go back, so halving finds it without an index.
pub(crate) async fn position_before(session: &impl Session, time_ms: i64) -> Result<i64, StoreError> {
    let (mut before, mut after) = (0, head(session).await? + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let sql = "SELECT at_ms FROM change WHERE seq <= $1 ORDER BY seq DESC LIMIT 1";
        if number(session, sql, values![middle]).await?.is_none_or(|at_ms| at_ms < time_ms) {
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
