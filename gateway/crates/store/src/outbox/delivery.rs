//! Deliveries: claimed, settled, listed, sent again, forgotten.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};

use super::rows;
use super::sql;
use super::{Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Settle, flow};
use crate::holder::Holder;
use crate::identity::{self, IdKeys};
use crate::retention::RetainedKind;
use crate::rows::{Columns, array};
use crate::sql::{Dialect, Session, moving, number, number_list, retention, together, values};
use crate::{ContentHash, MESSAGES_STREAM, StoreError, failpoint, limits};

pub(crate) async fn claim(
    session: &impl Session,
    (ids, holder): (&IdKeys, &Holder),
    claim: &Claim,
) -> Result<Vec<Claimed>, StoreError> {
    moving::refuse(session, &claim.tenant).await?;
    let dialect = session.dialect();
    let place = values![&claim.tenant, &claim.connection, claim.now_ms];
    let found = session.one(&sql::destination_now(dialect), place, |row| Ok((row.int(0)?, row.int(1)?))).await?;
    let Some((destination, lease_now_ms)) = found else { return Ok(Vec::new()) };
    let (token, lease_ends) = (holder.token(), lease_now_ms.saturating_add(claim.lease_ms));
    let latest_ms = claim.now_ms.max(lease_now_ms);
    let limit = limits::list_limit(claim.limit);
    let values = values![token, lease_ends, claim.now_ms, destination, latest_ms, lease_now_ms, limit];
    if session.run(&sql::claim(dialect), values).await? == 0 {
        return Ok(Vec::new());
    }
    let read = |row: &dyn Columns| {
        let (token, confirm) = rows::claim(row)?;
        Ok(Claimed { delivery: rows::delivery(row, ids, true)?, token, confirm })
    };
    let claimed = session.all(&sql::CLAIMED, values![destination, lease_ends, token], read).await?;
    failpoint::reach("claimed");
    Ok(claimed)
}

pub(crate) async fn settle(session: &impl Session, ends: &[Settle]) -> Result<Vec<bool>, StoreError> {
    let taken = together(ends.iter().map(|settle| settle_one(session, settle)).collect()).await?;
    let taken_ends = || ends.iter().zip(&taken).filter(|(_, taken)| **taken).map(|(settle, _)| settle);
    let changed: Vec<&Settle> = taken_ends().filter(|settle| rows::changes_message(&settle.end)).collect();
    if let Some(now_ms) = changed.iter().map(|settle| settle.now_ms).max() {
        let changed = number_list(changed.iter().map(|settle| settle.delivery));
        let sql = sql::wake_deliveries(session.dialect());
        session.run(&sql, values![MESSAGES_STREAM, now_ms, changed]).await?;
    }
    for settle in taken_ends() {
        let Some(notice) = &settle.notice else { continue };
        let of = |row: &dyn Columns| Ok((row.int(0)?, row.int(1)?, row.text(2)?));
        if let Some((flow, version, tenant)) = session.one(sql::NOTICE_OF, values![settle.delivery], of).await? {
            flow::insert(session, &tenant, (flow, version), (notice, None), settle.now_ms).await?;
        }
    }
    failpoint::reach("settled");
    Ok(taken)
}

/// False: the claim is another's by now.
async fn settle_one(session: &impl Session, settle: &Settle) -> Result<bool, StoreError> {
    let end = rows::end(&settle.end, settle.now_ms);
    let values = values![
        end.state,
        end.next_at,
        rows::stored_text(end.error),
        rows::stored_text(end.reference),
        rows::stored_text(end.detail),
        end.failures,
        end.attempts,
        settle.now_ms,
        settle.delivery,
        settle.token
    ];
    Ok(session.run(&sql::SETTLE, values).await? > 0)
}

/// At the start of the only process that may write: takes back what the process before had claimed, for that has ended.
pub(crate) async fn release_all(session: &impl Session) -> Result<(), StoreError> {
    tell_cut(session.run(&sql::RELEASE_ALL, &[]).await?);
    Ok(())
}

/// At the start of a gateway that several share the store with: takes back what its own earlier process had claimed.
pub(crate) async fn release_of(session: &impl Session, holder: &Holder) -> Result<(), StoreError> {
    tell_cut(session.run(&sql::RELEASE_OF, values![holder.mark()]).await?);
    Ok(())
}

fn tell_cut(deliveries: u64) {
    if deliveries > 0 {
        tracing::warn!(
            deliveries,
            "Delivery attempts of an earlier process were interrupted; retrying with the same keys"
        );
    }
}

pub(crate) async fn due(session: &impl Session, now_ms: i64) -> Result<Vec<DueRow>, StoreError> {
    session.all(&sql::due(session.dialect()), values![now_ms], |row| rows::due(row, now_ms)).await
}

pub(crate) async fn get(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: i64,
) -> Result<Option<DeliveryRow>, StoreError> {
    let sql = format!("{}WHERE f.tenant = $1 AND d.id = $2", sql::DELIVERY_SELECT);
    session.one(&sql, values![tenant, id], |row| rows::delivery(row, ids, true)).await
}

pub(crate) async fn list(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    query: &DeliveryQuery,
) -> Result<Vec<DeliveryRow>, StoreError> {
    let record = match query.record {
        None => None,
        // An id that cannot be one of ours names no record, and no record has no deliveries.
        Some(id) => match identity::row_of(id) {
            Some(row) => Some(row),
            None => return Ok(Vec::new()),
        },
    };
    let (sql, values) = rows::list_sql(tenant, query, record);
    let found = session.all(&sql, &values, |row| rows::delivery(row, ids, false)).await?;
    Ok(found.into_iter().filter(|row| query.record.is_none_or(|id| row.change.id == id)).collect())
}

/// How many deliveries of each flow are in each state.
pub(crate) async fn counts(session: &impl Session, tenant: &TenantId) -> Result<Vec<DeliveryCount>, StoreError> {
    session.all(&counts_sql(session.dialect()), values![tenant], rows::count).await
}

pub(crate) fn counts_sql(dialect: Dialect) -> String {
    format!(
        "SELECT f.name, d.state, count(*) FROM flow f JOIN delivery d ON d.flow = f.id
         WHERE f.tenant = $1 GROUP BY f.name, d.state ORDER BY f.name{}, d.state",
        dialect.by_bytes()
    )
}

pub(crate) async fn fill(session: &impl Session, id: i64, token: i64, input: &[u8]) -> Result<bool, StoreError> {
    Ok(session.run(&sql::FILL, values![input, &ContentHash::of(input).0, id, token]).await? > 0)
}

pub(crate) async fn policy(
    session: &impl Session,
    tenant: &TenantId,
    name: &ConnectionName,
) -> Result<Option<[u8; 16]>, StoreError> {
    session.one(sql::POLICY, values![tenant, name], |row| array(row, 0)).await
}

pub(crate) async fn put_policy(
    session: &impl Session,
    tenant: &TenantId,
    name: &ConnectionName,
    policy: &[u8; 16],
    forget: &[i64],
) -> Result<u64, StoreError> {
    moving::refuse(session, tenant).await?;
    let destination = flow::destination(session, tenant.as_str(), name).await?;
    session.run(sql::POLICY_SET, values![policy, destination]).await?;
    let mut forgotten = 0;
    for id in forget {
        let nothing: &[u8] = &[];
        forgotten += session.run(&sql::INPUT_FORGET, values![nothing, *id, destination]).await?;
    }
    Ok(forgotten)
}

pub(crate) async fn replay(
    session: &impl Session,
    tenant: &TenantId,
    id: i64,
    input: Option<&[u8]>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    moving::refuse(session, tenant).await?;
    let own = "SELECT d.id FROM delivery d JOIN flow f ON f.id = d.flow WHERE f.tenant = $1 AND d.id = $2";
    if number(session, own, values![tenant, id]).await?.is_none() {
        return Ok(false);
    }
    let hash = input.map(|input| ContentHash::of(input).0.to_vec());
    Ok(session.run(&sql::REPLAY, values![now_ms, input, hash, id]).await? > 0)
}

pub(crate) async fn replay_dead(
    session: &impl Session,
    tenant: &TenantId,
    name: &str,
    now_ms: i64,
) -> Result<u64, StoreError> {
    moving::refuse(session, tenant).await?;
    let Some(flow) = flow::get(session, tenant, name).await? else { return Ok(0) };
    session.run(&sql::REPLAY_DEAD, values![now_ms, flow.id]).await
}

pub(crate) async fn prune(session: &impl Session, before_ms: i64, now_ms: i64) -> Result<u64, StoreError> {
    // What another gateway deletes at this moment is passed over.
    let sql = format!(
        "DELETE FROM delivery WHERE id IN ({}{}) RETURNING tenant",
        *sql::PRUNE,
        session.dialect().skip_locked()
    );
    let mut dropped = BTreeMap::<String, u64>::new();
    for tenant in session.all(&sql, values![before_ms], |row| row.text(0)).await? {
        *dropped.entry(tenant).or_default() += 1;
    }
    for (tenant, count) in &dropped {
        retention::count(session, (tenant, ""), RetainedKind::Deliveries, *count, now_ms).await?;
    }
    Ok(dropped.values().sum())
}

pub(crate) async fn prunable(session: &impl Session, tenant: &TenantId, before_ms: i64) -> Result<u64, StoreError> {
    Ok(number(session, &sql::PRUNABLE, values![before_ms, tenant]).await?.unwrap_or(0).unsigned_abs())
}
