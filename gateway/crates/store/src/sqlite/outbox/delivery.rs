//! Deliveries: claimed, settled, listed, sent again, forgotten.

use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::{Connection, params, params_from_iter, types::Value};

use super::flow;
use crate::identity::{self, IdKey};
use crate::outbox::rows::{self, Bind};
use crate::outbox::sql;
use crate::outbox::{Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Settle};
use crate::rows::{Columns as _, array};
use crate::sqlite::query::{all, number, one, run};
use crate::{ContentHash, MESSAGES_STREAM, StoreError, failpoint, limits};

pub(super) fn claim(connection: &Connection, ids: &IdKey, claim: &Claim) -> Result<Vec<Claimed>, StoreError> {
    let names = params![claim.tenant.as_str(), claim.connection.as_str()];
    let Some(destination) = number(connection, sql::DESTINATION, names)? else { return Ok(Vec::new()) };
    let values = params![destination, claim.now_ms, limits::list_limit(claim.limit)];
    let due: Vec<i64> = all(connection, sql::CLAIMABLE, values, |row| row.int(0))?;
    let token: i64 = rand::random();
    let lease_ends = claim.now_ms.saturating_add(claim.lease_ms);
    let mut claimed = Vec::with_capacity(due.len());
    for id in due {
        run(connection, sql::CLAIM, params![token, lease_ends, claim.now_ms, id])?;
        let sql = format!("{}WHERE d.id = $1", sql::DELIVERY_SELECT);
        let found = one(connection, &sql, [id], |row| {
            let (token, confirm) = rows::claim(row)?;
            Ok(Claimed { delivery: rows::delivery(row, ids, true)?, token, confirm })
        })?;
        claimed.extend(found);
    }
    failpoint::reach("claimed");
    Ok(claimed)
}

pub(super) fn settle(connection: &Connection, ends: &[Settle]) -> Result<Vec<bool>, StoreError> {
    let mut taken = Vec::with_capacity(ends.len());
    for settle in ends {
        let end = rows::end(&settle.end, settle.now_ms);
        let values = params![
            end.state,
            end.next_at,
            rows::told(end.error),
            rows::told(end.reference),
            rows::told(end.detail),
            end.failures,
            end.attempts,
            settle.now_ms,
            settle.delivery,
            settle.token
        ];
        let fits = run(connection, sql::SETTLE, values)? > 0;
        if fits && rows::is_told(&settle.end) {
            run(connection, sql::WAKE_DELIVERY, params![MESSAGES_STREAM, settle.now_ms, settle.delivery])?;
        }
        if let (true, Some(notice)) = (fits, &settle.notice) {
            let of =
                one(connection, sql::NOTICE_OF, [settle.delivery], |row| Ok((row.int(0)?, row.int(1)?, row.text(2)?)))?;
            if let Some((flow, version, tenant)) = of {
                flow::insert(connection, &tenant, flow, version, (notice, None), settle.now_ms)?;
            }
        }
        taken.push(fits);
    }
    failpoint::reach("settled");
    Ok(taken)
}

/// Takes back what the process before had claimed: it has ended, for it held the file alone.
pub(in crate::sqlite) fn release_all(connection: &Connection) -> Result<(), StoreError> {
    let cut = run(connection, sql::RELEASE_ALL, [])?;
    if cut > 0 {
        tracing::warn!(
            deliveries = cut,
            "Attempts of an earlier process were cut; they are made again with the same keys"
        );
    }
    Ok(())
}

pub(super) fn due(connection: &Connection) -> Result<Vec<DueRow>, StoreError> {
    all(connection, sql::DUE, [], |row| rows::due(row))
}

pub(super) fn get(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    id: i64,
) -> Result<Option<DeliveryRow>, StoreError> {
    let sql = format!("{}WHERE f.tenant = $1 AND d.id = $2", sql::DELIVERY_SELECT);
    one(connection, &sql, params![tenant.as_str(), id], |row| rows::delivery(row, ids, true))
}

pub(super) fn list(
    connection: &Connection,
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
    let (sql, binds) = rows::list_sql(tenant, query, record);
    let values = binds.into_iter().map(|bind| match bind {
        Bind::Text(text) => Value::Text(text),
        Bind::Int(number) => Value::Integer(number),
    });
    let found = all(connection, &sql, params_from_iter(values), |row| rows::delivery(row, ids, false))?;
    Ok(found.into_iter().filter(|row| query.record.is_none_or(|id| row.change.id == id)).collect())
}

pub(super) fn counts(connection: &Connection, tenant: &TenantId) -> Result<Vec<DeliveryCount>, StoreError> {
    all(connection, sql::COUNTS, [tenant.as_str()], |row| rows::count(row))
}

pub(super) fn fill(connection: &Connection, id: i64, token: i64, input: &[u8]) -> Result<bool, StoreError> {
    Ok(run(connection, sql::FILL, params![input, ContentHash::of(input).0, id, token])? > 0)
}

pub(super) fn policy(
    connection: &Connection,
    tenant: &TenantId,
    name: &ConnectionName,
) -> Result<Option<[u8; 16]>, StoreError> {
    one(connection, sql::POLICY, params![tenant.as_str(), name.as_str()], |row| array(row, 0))
}

pub(super) fn put_policy(
    connection: &Connection,
    tenant: &TenantId,
    name: &ConnectionName,
    policy: &[u8],
    forget: &[i64],
) -> Result<u64, StoreError> {
    let destination = flow::destination(connection, tenant.as_str(), name.as_str())?;
    run(connection, sql::POLICY_SET, params![policy, destination])?;
    let mut forgotten = 0;
    let nothing: &[u8] = &[];
    for id in forget {
        forgotten += run(connection, sql::INPUT_FORGET, params![nothing, id, destination])? as u64;
    }
    Ok(forgotten)
}

pub(super) fn replay(
    connection: &Connection,
    tenant: &TenantId,
    id: i64,
    input: Option<&[u8]>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let own = "SELECT 1 FROM delivery d JOIN flow f ON f.id = d.flow WHERE f.tenant = $1 AND d.id = $2";
    if number(connection, own, params![tenant.as_str(), id])?.is_none() {
        return Ok(false);
    }
    let hash = input.map(|input| ContentHash::of(input).0);
    Ok(run(connection, sql::REPLAY, params![now_ms, input, hash, id])? > 0)
}

pub(super) fn replay_dead(
    connection: &Connection,
    tenant: &TenantId,
    name: &str,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let Some(flow) = flow::get(connection, tenant, name)? else { return Ok(0) };
    Ok(run(connection, sql::REPLAY_DEAD, [now_ms, flow.id])? as u64)
}

pub(super) fn prune(connection: &Connection, before_ms: i64) -> Result<u64, StoreError> {
    Ok(run(connection, sql::PRUNE, [before_ms])? as u64)
}
