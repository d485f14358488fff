//! Tenants that are on their way to another database: what is refused meanwhile, and what is known of them.

use renmen_schema::id::TenantId;

use super::{Session, expect_number, values};
use crate::model::MOVING;
use crate::rows::{self, Columns};
use crate::{MoveState, StoreError, TenantMove};

/// The states of [`TenantMove`] as they are kept.
pub(crate) const DRAINING: i64 = 1;
pub(crate) const LEAVING: i64 = 2;
pub(crate) const GONE: i64 = 3;
pub(crate) const ARRIVED: i64 = 4;

/// The state of a tenant's move, as a column of a statement: nothing for nearly every tenant.
macro_rules! move_state {
    ($tenant:literal) => {
        concat!("(SELECT w.state FROM tenant_move w WHERE w.tenant = ", $tenant, ")")
    };
}
/// The condition that a row's tenant is not on its way.
macro_rules! stays {
    ($tenant:literal) => {
        concat!("NOT EXISTS (SELECT 1 FROM tenant_move w WHERE w.tenant = ", $tenant, " AND w.state < 4)")
    };
}
/// The condition that what is under way for a row's tenant may still end here.
macro_rules! may_end {
    ($tenant:literal) => {
        concat!("NOT EXISTS (SELECT 1 FROM tenant_move w WHERE w.tenant = ", $tenant, " AND w.state IN (2, 3))")
    };
}
pub(crate) use {may_end, move_state, stays};

/// Refuses to write for a tenant that is on its way. Every transaction that writes for one begins with this, or reads the same along with
/// the row of its feed: what it would write is not there when the tenant has been read.
pub(crate) async fn refuse(session: &impl Session, tenant: &TenantId) -> Result<(), StoreError> {
    match find(session, tenant).await? {
        Some(found) if found.state != MoveState::Arrived => Err(refusal(&found)),
        _ => Ok(()),
    }
}

/// The same for a state that was read already.
pub(crate) async fn refuse_state(
    session: &impl Session,
    tenant: &TenantId,
    state: Option<i64>,
) -> Result<(), StoreError> {
    if state.is_some_and(|state| state != ARRIVED) { refuse(session, tenant).await } else { Ok(()) }
}

fn refusal(found: &TenantMove) -> StoreError {
    let (tenant, since) = (&found.tenant, since(found.since_ms));
    StoreError::Unavailable(match found.state {
        MoveState::Gone => format!("{MOVING}: `{tenant}` was moved to {} at {since}", found.place),
        _ => format!("{MOVING}: `{tenant}` is being moved to another database since {since}"),
    })
}

fn since(at_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(at_ms).map_or_else(|_| at_ms.to_string(), |at| at.to_string())
}

const SELECT: &str = "SELECT tenant, state, since_ms, place, digest FROM tenant_move";

fn tenant_move(row: &dyn Columns) -> Result<TenantMove, StoreError> {
    let state = match row.int(1)? {
        DRAINING => MoveState::Draining,
        LEAVING => MoveState::Leaving,
        GONE => MoveState::Gone,
        ARRIVED => MoveState::Arrived,
        _ => return Err(StoreError::Fault("the database holds an unknown state of a move".into())),
    };
    let tenant = rows::tenant_of(&row.text(0)?)?;
    Ok(TenantMove { tenant, state, since_ms: row.int(2)?, place: row.text(3)?, digest: row.text(4)? })
}

pub(crate) async fn find(session: &impl Session, tenant: &TenantId) -> Result<Option<TenantMove>, StoreError> {
    session.one(&format!("{SELECT} WHERE tenant = $1"), values![tenant], tenant_move).await
}

pub(crate) async fn list(session: &impl Session) -> Result<Vec<TenantMove>, StoreError> {
    let by_bytes = session.dialect().by_bytes();
    session.all(&format!("{SELECT} ORDER BY tenant{by_bytes}"), &[], tenant_move).await
}

/// Keeps where a tenant's move stands.
pub(crate) async fn put(
    session: &impl Session,
    tenant: &TenantId,
    to: (i64, i64, &str, &str),
) -> Result<(), StoreError> {
    let (state, since_ms, place, digest) = to;
    let sql = "INSERT INTO tenant_move (tenant, state, since_ms, place, digest) VALUES ($1, $2, $3, $4, $5)
               ON CONFLICT (tenant) DO UPDATE SET state = excluded.state, since_ms = excluded.since_ms,
               place = excluded.place, digest = excluded.digest";
    session.run(sql, values![tenant, state, since_ms, place, digest]).await.map(drop)
}

pub(crate) async fn delete(session: &impl Session, tenant: &TenantId) -> Result<(), StoreError> {
    session.run("DELETE FROM tenant_move WHERE tenant = $1", values![tenant]).await.map(drop)
}

/// Attempts of deliveries that are under way.
pub(crate) async fn attempts(session: &impl Session, tenant: &TenantId) -> Result<u64, StoreError> {
    let sql = "SELECT CAST(count(*) AS bigint) FROM delivery WHERE tenant = $1 AND state IN (2, 4)";
    Ok(expect_number(session, sql, values![tenant]).await?.unsigned_abs())
}
