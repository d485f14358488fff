//! Deliveries: claimed, settled, listed, sent again, forgotten.

use renmen_schema::id::{ConnectionName, TenantId};

use super::rows;
use super::sql;
use super::{Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Settle, flow};
use crate::holder::Holder;
use crate::identity::{self, IdKey};
use crate::rows::{Columns, array};
use crate::sql::{Dialect, Session, number, values};
use crate::{ContentHash, MESSAGES_STREAM, StoreError, failpoint, limits};

pub(crate) async fn claim(
    session: &impl Session,
    (ids, holder): (&IdKey, &Holder),
    claim: &Claim,
) -> Result<Vec<Claimed>, StoreError> {
    let names = values![&claim.tenant, &claim.connection];
    let Some(destination) = number(session, sql::DESTINATION, names).await? else { return Ok(Vec::new()) };
    // What another gateway is claiming at this moment is passed over: it is in flight when that commits.
    let sql = format!("{}{}", *sql::CLAIMABLE, session.dialect().skip_locked());
    let values = values![destination, claim.now_ms, limits::list_limit(claim.limit)];
    let due = session.all(&sql, values, |row| row.int(0)).await?;
    let token = holder.token();
    let lease_ends = claim.now_ms.saturating_add(claim.lease_ms);
    let mut claimed = Vec::with_capacity(due.len());
    for id in due {
        session.run(&sql::CLAIM, values![token, lease_ends, claim.now_ms, id]).await?;
        let sql = format!("{}WHERE d.id = $1", sql::DELIVERY_SELECT);
        let read = |row: &dyn Columns| {
            let (token, confirm) = rows::claim(row)?;
            Ok(Claimed { delivery: rows::delivery(row, ids, true)?, token, confirm })
        };
        claimed.extend(session.one(&sql, values![id], read).await?);
    }
    failpoint::reach("claimed");
    Ok(claimed)
}

pub(crate) async fn settle(session: &impl Session, ends: &[Settle]) -> Result<Vec<bool>, StoreError> {
    let mut taken = Vec::with_capacity(ends.len());
    for settle in ends {
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
        let fits = session.run(&sql::SETTLE, values).await? > 0;
        if fits && rows::changes_message(&settle.end) {
            let values = values![MESSAGES_STREAM, settle.now_ms, settle.delivery];
            session.run(&sql::WAKE_DELIVERY, values).await?;
        }
        if let (true, Some(notice)) = (fits, &settle.notice) {
            let of = |row: &dyn Columns| Ok((row.int(0)?, row.int(1)?, row.text(2)?));
            let of = session.one(sql::NOTICE_OF, values![settle.delivery], of).await?;
            if let Some((flow, version, tenant)) = of {
                flow::insert(session, &tenant, (flow, version), (notice, None), settle.now_ms).await?;
            }
        }
        taken.push(fits);
    }
    failpoint::reach("settled");
    Ok(taken)
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

pub(crate) async fn due(session: &impl Session) -> Result<Vec<DueRow>, StoreError> {
    session.all(&sql::DUE, &[], rows::due).await
}

pub(crate) async fn get(
    session: &impl Session,
    ids: &IdKey,
    tenant: &TenantId,
    id: i64,
) -> Result<Option<DeliveryRow>, StoreError> {
    let sql = format!("{}WHERE f.tenant = $1 AND d.id = $2", sql::DELIVERY_SELECT);
    session.one(&sql, values![tenant, id], |row| rows::delivery(row, ids, true)).await
}

pub(crate) async fn list(
    session: &impl Session,
    ids: &IdKey,
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
    let Some(flow) = flow::get(session, tenant, name).await? else { return Ok(0) };
    session.run(&sql::REPLAY_DEAD, values![now_ms, flow.id]).await
}

pub(crate) async fn prune(session: &impl Session, before_ms: i64) -> Result<u64, StoreError> {
    // What another gateway deletes at this moment is passed over.
    let sql = format!("DELETE FROM delivery WHERE id IN ({}{})", *sql::PRUNE, session.dialect().skip_locked());
    session.run(&sql, values![before_ms]).await
}

pub(crate) async fn prunable(session: &impl Session, tenant: &TenantId, before_ms: i64) -> Result<u64, StoreError> {
    Ok(number(session, &sql::PRUNABLE, values![before_ms, tenant]).await?.unwrap_or(0).unsigned_abs())
}
