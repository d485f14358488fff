//! Deliveries: claimed, settled, listed, sent again, forgotten.

use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, TenantId};
use tokio_postgres::types::ToSql;

use super::flow;
use crate::identity::{self, IdKey};
use crate::outbox::rows::{self, Bind};
use crate::outbox::sql;
use crate::outbox::{Claim, Claimed, DeliveryCount, DeliveryQuery, DeliveryRow, DueRow, Settle};
use crate::postgres::query::{all, number, one, run};
use crate::rows::{Columns as _, array};
use crate::{ContentHash, MESSAGES_STREAM, StoreError, failpoint, limits};

pub(super) async fn claim(client: &impl GenericClient, ids: &IdKey, claim: &Claim) -> Result<Vec<Claimed>, StoreError> {
    let names: [&(dyn ToSql + Sync); 2] = [&claim.tenant.as_str(), &claim.connection.as_str()];
    let Some(destination) = number(client, sql::DESTINATION, &names).await? else { return Ok(Vec::new()) };
    // What another gateway is claiming at this moment is passed over: it is in flight when that commits.
    let sql = format!("{} FOR UPDATE OF d SKIP LOCKED", sql::CLAIMABLE);
    let due = all(client, &sql, &[&destination, &claim.now_ms, &limits::list_limit(claim.limit)]).await?;
    let token: i64 = rand::random();
    let lease_ends = claim.now_ms.saturating_add(claim.lease_ms);
    let mut claimed = Vec::with_capacity(due.len());
    for row in due {
        let id = row.int(0)?;
        run(client, sql::CLAIM, &[&token, &lease_ends, &claim.now_ms, &id]).await?;
        let sql = format!("{}WHERE d.id = $1", sql::DELIVERY_SELECT);
        if let Some(row) = one(client, &sql, &[&id]).await? {
            let (token, confirm) = rows::claim(&row)?;
            claimed.push(Claimed { delivery: rows::delivery(&row, ids, true)?, token, confirm });
        }
    }
    failpoint::reach("claimed");
    Ok(claimed)
}

pub(super) async fn settle(client: &impl GenericClient, ends: &[Settle]) -> Result<Vec<bool>, StoreError> {
    let mut taken = Vec::with_capacity(ends.len());
    for settle in ends {
        let end = rows::end(&settle.end, settle.now_ms);
        let (error, reference, detail) = (rows::told(end.error), rows::told(end.reference), rows::told(end.detail));
        let values: [&(dyn ToSql + Sync); 10] = [
            &end.state,
            &end.next_at,
            &error,
            &reference,
            &detail,
            &end.failures,
            &end.attempts,
            &settle.now_ms,
            &settle.delivery,
            &settle.token,
        ];
        let fits = run(client, sql::SETTLE, &values).await? > 0;
        if fits && rows::is_told(&settle.end) {
            run(client, sql::WAKE_DELIVERY, &[&MESSAGES_STREAM, &settle.now_ms, &settle.delivery]).await?;
        }
        if let (true, Some(notice)) = (fits, &settle.notice)
            && let Some(of) = one(client, sql::NOTICE_OF, &[&settle.delivery]).await?
        {
            flow::insert(client, &of.text(2)?, of.int(0)?, of.int(1)?, (notice, None), settle.now_ms).await?;
        }
        taken.push(fits);
    }
    failpoint::reach("settled");
    Ok(taken)
}

pub(super) async fn due(client: &impl GenericClient) -> Result<Vec<DueRow>, StoreError> {
    all(client, sql::DUE, &[]).await?.iter().map(rows::due).collect()
}

pub(super) async fn get(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    id: i64,
) -> Result<Option<DeliveryRow>, StoreError> {
    let sql = format!("{}WHERE f.tenant = $1 AND d.id = $2", sql::DELIVERY_SELECT);
    let found = one(client, &sql, &[&tenant.as_str(), &id]).await?;
    found.map(|row| rows::delivery(&row, ids, true)).transpose()
}

pub(super) async fn list(
    client: &impl GenericClient,
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
    let values: Vec<&(dyn ToSql + Sync)> = binds
        .iter()
        .map(|bind| -> &(dyn ToSql + Sync) {
            match bind {
                Bind::Text(text) => text,
                Bind::Int(number) => number,
            }
        })
        .collect();
    let found = all(client, &sql, &values).await?;
    let found = found.iter().map(|row| rows::delivery(row, ids, false)).collect::<Result<Vec<_>, _>>()?;
    Ok(found.into_iter().filter(|row| query.record.is_none_or(|id| row.change.id == id)).collect())
}

pub(super) async fn counts(client: &impl GenericClient, tenant: &TenantId) -> Result<Vec<DeliveryCount>, StoreError> {
    all(client, sql::COUNTS, &[&tenant.as_str()]).await?.iter().map(rows::count).collect()
}

pub(super) async fn fill(client: &impl GenericClient, id: i64, token: i64, input: Vec<u8>) -> Result<bool, StoreError> {
    let hash = ContentHash::of(&input).0.to_vec();
    Ok(run(client, sql::FILL, &[&input, &hash, &id, &token]).await? > 0)
}

pub(super) async fn policy(
    client: &impl GenericClient,
    tenant: &TenantId,
    name: &ConnectionName,
) -> Result<Option<[u8; 16]>, StoreError> {
    one(client, sql::POLICY, &[&tenant.as_str(), &name.as_str()]).await?.map(|row| array(&row, 0)).transpose()
}

pub(super) async fn put_policy(
    client: &impl GenericClient,
    tenant: &TenantId,
    name: &ConnectionName,
    policy: &[u8],
    forget: &[i64],
) -> Result<u64, StoreError> {
    let destination = flow::destination(client, tenant.as_str(), name.as_str()).await?;
    run(client, sql::POLICY_SET, &[&policy, &destination]).await?;
    let mut forgotten = 0;
    let nothing: &[u8] = &[];
    for id in forget {
        forgotten += run(client, sql::INPUT_FORGET, &[&nothing, id, &destination]).await?;
    }
    Ok(forgotten)
}

pub(super) async fn replay(
    client: &impl GenericClient,
    tenant: &TenantId,
    id: i64,
    input: Option<Vec<u8>>,
    now_ms: i64,
) -> Result<bool, StoreError> {
    let own = "SELECT 1::bigint FROM delivery d JOIN flow f ON f.id = d.flow WHERE f.tenant = $1 AND d.id = $2";
    if number(client, own, &[&tenant.as_str(), &id]).await?.is_none() {
        return Ok(false);
    }
    let hash = input.as_deref().map(|input| ContentHash::of(input).0.to_vec());
    Ok(run(client, sql::REPLAY, &[&now_ms, &input, &hash, &id]).await? > 0)
}

pub(super) async fn replay_dead(
    client: &impl GenericClient,
    tenant: &TenantId,
    name: &str,
    now_ms: i64,
) -> Result<u64, StoreError> {
    let Some(flow) = flow::get(client, tenant, name, false).await? else { return Ok(0) };
    run(client, sql::REPLAY_DEAD, &[&now_ms, &flow.id]).await
}

pub(super) async fn prune(client: &impl GenericClient, before_ms: i64) -> Result<u64, StoreError> {
    run(client, sql::PRUNE, &[&before_ms]).await
}
