//! A pass over what is too old, step by step: who may make it, what it deleted, and what each step is.
//!
//! Each step is one transaction that first touches the pass's row: one that another pass took the place of finds it gone and stops, and no
//! other can begin in the middle of a step.

mod exchanges;
mod quarantine;
mod runs;

use renmen_schema::id::TenantId;

use super::{CommitWriter, Session, expect_number, number, values};
use crate::StoreError;
use crate::quota::{Quota, Quotas};
use crate::retention::{Owner, PassStep, Retained, RetainedKind, RetentionPass};
use crate::rows;

/// A pass that made no step for so long belongs to a gateway that has ended.
const STALE_MS: i64 = 10 * 60_000;
/// Rows that one step looks at or deletes.
const STEP_ROWS: i64 = 1_000;
/// Notes of an earlier pass that one step forgets.
const CLEARED: i64 = 20_000;
/// What waits for its turn to begin a pass.
const TURN: &[u8] = b"retention";

/// What one connection keeps for a time.
type Rule = (Owner, Quota);

/// The connections of which something has an age, in one order.
fn rules(quotas: &Quotas) -> Vec<Rule> {
    let mut rules = quotas.all();
    rules.retain(|(_, quota)| quota.exchanges_age_max_ms + quota.runs_age_max_ms + quota.quarantine_age_max_ms > 0);
    rules.sort_by(|one, other| one.0.cmp(&other.0));
    rules
}

/// The time before which something is too old; none where it may stay for ever.
pub(crate) fn too_old_before(now_ms: i64, age_max_ms: i64) -> Option<i64> {
    (age_max_ms > 0).then(|| now_ms.saturating_sub(age_max_ms))
}

pub(crate) async fn begin(
    session: &impl Session,
    quotas: &Quotas,
    now_ms: i64,
    every_ms: i64,
) -> Result<Option<RetentionPass>, StoreError> {
    if rules(quotas).is_empty() {
        return Ok(None);
    }
    if let Some(wait) = session.dialect().wait_for_turn() {
        session.run(wait, values![TURN]).await?;
    }
    let clock =
        expect_number(session, &format!("SELECT {} AS now_ms", session.dialect().lease_clock("$1")), values![now_ms])
            .await?;
    let sql = "SELECT began_at, touched_at FROM retention_pass ORDER BY began_at DESC LIMIT 1";
    let last = session.one(sql, &[], |row| Ok((row.int(0)?, row.int(1)?))).await?;
    let is_under_way = |touched_at: i64| touched_at > 0 && clock - touched_at < STALE_MS;
    if last.is_some_and(|(began_at, touched_at)| is_under_way(touched_at) || clock - began_at < every_ms) {
        return Ok(None);
    }
    session.run("DELETE FROM retention_pass", &[]).await?;
    let token = i64::from(rand::random::<u32>());
    let sql = "INSERT INTO retention_pass (token, began_at, touched_at) VALUES ($1, $2, $2)";
    session.run(sql, values![token, clock]).await?;
    Ok(Some(RetentionPass { token, at: PassStep::Clear, oldest: Default::default() }))
}

pub(crate) async fn go_on(
    session: &impl CommitWriter,
    quotas: &Quotas,
    mut pass: RetentionPass,
    now_ms: i64,
) -> Result<Option<RetentionPass>, StoreError> {
    if !is_under_way(session, pass.token, now_ms).await? {
        return Ok(None);
    }
    let rules = rules(quotas);
    let next = match pass.at.clone() {
        PassStep::Clear => {
            let sql = "DELETE FROM page_in_use WHERE (pass, page) IN
                       (SELECT pass, page FROM page_in_use WHERE pass <> $1 LIMIT $2)";
            match session.run(sql, values![pass.token, CLEARED]).await? {
                0 => Some(exchanges::first(session, &rules, now_ms).await?),
                _ => Some(PassStep::Clear),
            }
        }
        PassStep::InUse { after, cut } => Some(exchanges::note_in_use(session, pass.token, after, cut).await?),
        // Nothing is to be dropped as a whole, or it was.
        PassStep::Days { cut } => Some(PassStep::Exchanges { after: 0, cut }),
        PassStep::Exchanges { after, cut } => {
            Some(exchanges::delete(session, &rules, &mut pass, (after, cut), now_ms).await?)
        }
        PassStep::Quarantine { owner } => Some(quarantine::delete(session, &rules, owner, now_ms).await?),
        PassStep::Runs { owner, stream } => runs::delete(session, &rules, (owner, stream), now_ms).await?,
    };
    if let Some(at) = next {
        return Ok(Some(RetentionPass { at, ..pass }));
    }
    session.run("UPDATE retention_pass SET touched_at = 0 WHERE token = $1", values![pass.token]).await?;
    Ok(None)
}

/// Touches a pass: until the transaction ends, no other takes its place. False where one has.
pub(crate) async fn is_under_way(session: &impl Session, token: i64, now_ms: i64) -> Result<bool, StoreError> {
    let clock = session.dialect().lease_clock("$2");
    let touch = format!("UPDATE retention_pass SET touched_at = {clock} WHERE token = $1");
    Ok(session.run(&touch, values![token, now_ms]).await? > 0)
}

/// Counts what was deleted.
pub(crate) async fn count(
    session: &impl Session,
    (tenant, connection): (&str, &str),
    kind: RetainedKind,
    dropped: u64,
    now_ms: i64,
) -> Result<(), StoreError> {
    if dropped == 0 {
        return Ok(());
    }
    let sql = "INSERT INTO retention AS r (tenant, connection, kind, dropped, dropped_at) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (tenant, connection, kind) DO UPDATE SET dropped = r.dropped + excluded.dropped,
               dropped_at = excluded.dropped_at";
    session.run(sql, values![tenant, connection, kind.as_str(), dropped, now_ms]).await.map(drop)
}

/// Notes the time of the oldest that is left.
async fn note_oldest(
    session: &impl Session,
    (tenant, connection): &Owner,
    kind: RetainedKind,
    oldest_at: Option<i64>,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO retention (tenant, connection, kind, dropped, oldest_at) VALUES ($1, $2, $3, 0, $4)
               ON CONFLICT (tenant, connection, kind) DO UPDATE SET oldest_at = excluded.oldest_at";
    session.run(sql, values![tenant, connection, kind.as_str(), oldest_at]).await.map(drop)
}

pub(crate) async fn list(session: &impl Session, tenant: &TenantId) -> Result<Vec<Retained>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    let sql = format!(
        "SELECT connection, kind, dropped, dropped_at, oldest_at FROM retention WHERE tenant = $1
         ORDER BY connection{by_bytes}, kind{by_bytes}"
    );
    let mut retained = session.all(&sql, values![tenant], rows::retained).await?;
    for one in &mut retained {
        // Those that no pass looks at: the first one is the oldest.
        one.oldest_at_ms = match (one.kind, &one.connection) {
            (RetainedKind::Inbox, Some(name)) => {
                let sql = "SELECT received_at FROM inbox WHERE tenant = $1 AND connection = $2 ORDER BY id LIMIT 1";
                number(session, sql, values![tenant, name]).await?
            }
            (RetainedKind::Deliveries, _) => {
                let sql = "SELECT created_at FROM delivery WHERE tenant = $1 ORDER BY id LIMIT 1";
                number(session, sql, values![tenant]).await?
            }
            _ => one.oldest_at_ms,
        };
    }
    Ok(retained)
}
