//! Exchanges that are too old, page by page, but for those that something still points to.
//!
//! No index leads from a page to its records, for every write would pay for it. So a pass walks all records once and notes the pages of
//! those that live. A record only ever moves on to a later page, and what leaves quarantine was noted there before, so that what is
//! noted can be too much and never too little.

use std::collections::BTreeMap;
use std::ops::Range;

use super::{CommitWriter, PassStep, Rule, STEP_ROWS, Session, count, note_oldest, number, too_old_before, values};
use crate::StoreError;
use crate::identity::RANGE_BITS;
use crate::quota::Quota;
use crate::retention::{Owner, RetainedKind, RetentionPass};
use crate::rows::{self, Columns};
use crate::sql::disk_use;

/// Records that one step walks over.
const WALKED: i64 = 20_000;
/// Pages whose exchanges one step takes out.
const REMOVED: usize = 100;

/// Begins where some have an age.
pub(super) async fn first(session: &impl Session, rules: &[Rule], now_ms: i64) -> Result<PassStep, StoreError> {
    let ages = rules.iter().map(|(_, quota)| quota.exchanges_age_max_ms);
    let Some(before_ms) = ages.filter_map(|age| too_old_before(now_ms, age)).max() else {
        return Ok(PassStep::Quarantine { owner: 0 });
    };
    Ok(match last_page_before(session, before_ms).await? {
        0 => PassStep::Days { cut: 0 },
        cut => PassStep::InUse { after: 0, cut },
    })
}

/// The last page that was made before a time, or near it. Within each range of numbers (a tenant that was moved brings its own) pages are
/// numbered in the order of their commits, so halving finds it without an index. Each page's own time is looked at again.
async fn last_page_before(session: &impl Session, before_ms: i64) -> Result<i64, StoreError> {
    let mut ranges = session.all("SELECT number FROM cell_number", &[], |row| row.int(0)).await?;
    if ranges.is_empty() {
        ranges.push(0);
    }
    let mut last = 0;
    for number in ranges {
        let range = (number << RANGE_BITS)..(number.saturating_add(1) << RANGE_BITS);
        last = last.max(last_of_range_before(session, range, before_ms).await?);
    }
    Ok(last)
}

async fn last_of_range_before(session: &impl Session, range: Range<i64>, before_ms: i64) -> Result<i64, StoreError> {
    let sql = "SELECT id FROM page WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 1";
    let Some(last) = number(session, sql, values![range.start, range.end]).await? else { return Ok(0) };
    let (mut before, mut after) = (range.start, last + 1);
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        let sql = "SELECT now_ms FROM page WHERE id >= $1 AND id <= $2 ORDER BY id DESC LIMIT 1";
        let at_ms = number(session, sql, values![range.start, middle]).await?;
        if at_ms.is_none_or(|now_ms| now_ms < before_ms) {
            before = middle;
        } else {
            after = middle;
        }
    }
    Ok(before)
}

pub(super) async fn note_in_use(
    session: &impl Session,
    token: i64,
    after: i64,
    cut: i64,
) -> Result<PassStep, StoreError> {
    if after == 0 {
        let sql = "INSERT INTO page_in_use (pass, page) SELECT DISTINCT CAST($1 AS bigint), page FROM quarantine
                   WHERE page <= $2 ON CONFLICT DO NOTHING";
        session.run(sql, values![token, cut]).await?;
    }
    let sql = "SELECT max(id) FROM (SELECT id FROM record WHERE id > $1 ORDER BY id LIMIT $2) walked";
    let last = session.one(sql, values![after, WALKED], |row| row.int_or_none(0)).await?.flatten();
    let Some(last) = last else { return Ok(PassStep::Days { cut }) };
    let sql = "INSERT INTO page_in_use (pass, page) SELECT DISTINCT CAST($1 AS bigint), page FROM record
               WHERE id > $2 AND id <= $3 AND deleted IS NULL AND exchange_no >= 0 AND page <= $4 ON CONFLICT DO NOTHING";
    session.run(sql, values![token, after, last, cut]).await?;
    Ok(PassStep::InUse { after: last, cut })
}

/// A page that still has exchanges.
struct OldPage {
    id: i64,
    owner: Owner,
    at_ms: i64,
    in_use: bool,
}

fn old_page(row: &dyn Columns) -> Result<OldPage, StoreError> {
    let owner = (rows::tenant_of(&row.text(1)?)?, rows::connection(row, 2)?);
    Ok(OldPage { id: row.int(0)?, owner, at_ms: row.int(3)?, in_use: row.int_or_none(4)?.is_some() })
}

pub(super) async fn delete(
    session: &impl CommitWriter,
    rules: &[Rule],
    pass: &mut RetentionPass,
    (after, cut): (i64, i64),
    now_ms: i64,
) -> Result<PassStep, StoreError> {
    let sql = format!(
        "SELECT p.id, t.tenant, t.connection, p.now_ms, u.page FROM ({}) x JOIN page p ON p.id = x.page
         JOIN stream t ON t.id = p.stream LEFT JOIN page_in_use u ON u.pass = $4 AND u.page = p.id ORDER BY p.id",
        session.dialect().pages_with_exchanges()
    );
    let pages = session.all(&sql, values![after, cut, STEP_ROWS, pass.token], old_page).await?;
    let by_owner: BTreeMap<&Owner, &Quota> = rules.iter().map(|(owner, quota)| (owner, quota)).collect();
    let (mut removed, mut up_to) = (BTreeMap::<Owner, (u64, i64)>::new(), None);
    let mut pages_removed = 0;
    for page in pages {
        if pages_removed >= REMOVED {
            break;
        }
        up_to = Some(page.id);
        let age = by_owner.get(&page.owner).map_or(0, |quota| quota.exchanges_age_max_ms);
        let is_old = too_old_before(now_ms, age).is_some_and(|before_ms| page.at_ms < before_ms);
        if !is_old || page.in_use {
            pass.oldest.entry(page.owner).or_insert(page.at_ms);
            continue;
        }
        let exchanges = session.remove_exchanges(page.id).await?;
        let freed = disk_use::freed(session, (&page.owner.0, &page.owner.1), &exchanges).await?;
        let sums = removed.entry(page.owner).or_default();
        sums.0 += exchanges.len() as u64;
        sums.1 += freed;
        pages_removed += 1;
    }
    for ((tenant, connection), (exchanges, bytes)) in removed {
        disk_use::credit(session, (&tenant, &connection), 0, bytes).await?;
        let owner = (tenant.as_str(), connection.as_str());
        count(session, owner, RetainedKind::Exchanges, exchanges, now_ms).await?;
    }
    if let Some(after) = up_to {
        return Ok(PassStep::Exchanges { after, cut });
    }
    for (owner, _) in rules.iter().filter(|(_, quota)| quota.exchanges_age_max_ms > 0) {
        let oldest = match pass.oldest.get(owner) {
            Some(at_ms) => Some(*at_ms),
            None => first_after(session, owner, cut).await?,
        };
        note_oldest(session, owner, RetainedKind::Exchanges, oldest).await?;
    }
    Ok(PassStep::Quarantine { owner: 0 })
}

/// The time of a connection's first page after one that was committed with exchanges.
async fn first_after(session: &impl Session, owner: &Owner, cut: i64) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT p.now_ms FROM page p JOIN stream t ON t.id = p.stream
               WHERE p.id > $3 AND p.exchanges > 0 AND t.tenant = $1 AND t.connection = $2 ORDER BY p.id LIMIT 1";
    number(session, sql, values![&owner.0, &owner.1, cut]).await
}
