//! What could not be taken in waits here until it is good, retried or dropped.

use deadpool_postgres::{GenericClient, Transaction};
use renmen_schema::id::{ConnectionName, TenantId};

use super::commit::Scopes;
use super::ledger;
use super::pen::Pen;
use super::query::{all, number, one, run};
use super::run::LiveStream;
use crate::decide::quarantine_identity;
use crate::limits::{list_limit, without_nul};
use crate::quota::{Charge, Quotas};
use crate::rows::{self, QUARANTINE_SELECT};
use crate::{CommitOutcome, PageCommit, QuarantineRow, RecordWrite, StoreError};

/// Takes out what a page brought in good shape: retrying the old bytes later would undo the newer record.
pub(super) async fn resolve(
    client: &impl GenericClient,
    stream: i64,
    records: &[RecordWrite],
    unchanged: &[(String, String)],
) -> Result<(), StoreError> {
    // Nearly always nothing waits, and then nothing is hashed.
    if number(client, "SELECT 1::bigint FROM quarantine WHERE stream = $1 LIMIT 1", &[&stream]).await?.is_none() {
        return Ok(());
    }
    let written = records.iter().map(|record| (&record.entity, &record.external_id));
    let identities: Vec<_> = written
        .chain(unchanged.iter().map(|(entity, id)| (entity, id)))
        .map(|(entity, id)| quarantine_identity(entity, Some(id), &[]).to_vec())
        .collect();
    run(client, "DELETE FROM quarantine WHERE stream = $1 AND identity = ANY($2)", &[&stream, &identities])
        .await
        .map(drop)
}

/// Puts a page's refused records in; the same one of an earlier page is replaced and keeps its id.
pub(super) async fn insert(
    client: &impl GenericClient,
    stream: &LiveStream,
    page_id: i64,
    page: &PageCommit,
) -> Result<(), StoreError> {
    for item in &page.quarantine {
        let identity = quarantine_identity(&item.entity, item.external_id.as_deref(), &item.raw);
        run(
            client,
            "INSERT INTO quarantine (stream, identity, run, page, entity, external_id, exchange_no, pointer, code, reason, raw,
             at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
             ON CONFLICT (stream, identity) DO UPDATE SET run = excluded.run, page = excluded.page,
             exchange_no = excluded.exchange_no, pointer = excluded.pointer, code = excluded.code, reason = excluded.reason,
             raw = excluded.raw, at_ms = excluded.at_ms",
            &[
                &stream.id,
                &identity.as_slice(),
                &page.run.0,
                &page_id,
                &without_nul(&item.entity),
                &item.external_id.as_deref().map(without_nul),
                &i64::from(item.exchange_no),
                &without_nul(&item.pointer),
                &without_nul(&item.code),
                &without_nul(&item.reason),
                &item.raw,
                &page.now_ms,
            ],
        )
        .await?;
    }
    Ok(())
}

pub(super) async fn list(
    client: &impl GenericClient,
    tenant: &TenantId,
    only: Option<&ConnectionName>,
    after_id: i64,
    limit: u32,
) -> Result<Vec<QuarantineRow>, StoreError> {
    let sql = format!(
        "{QUARANTINE_SELECT} WHERE t.tenant = $1 AND ($2::text IS NULL OR t.connection = $2) AND q.id > $3
         ORDER BY q.id LIMIT $4"
    );
    let only = only.map(ConnectionName::as_str);
    let rows = all(client, &sql, &[&tenant.as_str(), &only, &after_id, &list_limit(limit)]).await?;
    rows.iter().map(rows::quarantine).collect()
}

pub(super) async fn get(
    client: &impl GenericClient,
    tenant: &TenantId,
    id: i64,
) -> Result<Option<QuarantineRow>, StoreError> {
    let sql = format!("{QUARANTINE_SELECT} WHERE t.tenant = $1 AND q.id = $2");
    one(client, &sql, &[&tenant.as_str(), &id]).await?.as_ref().map(rows::quarantine).transpose()
}

pub(super) async fn accept(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    id: i64,
    record: RecordWrite,
    now_ms: i64,
    quotas: &Quotas,
) -> Result<CommitOutcome, StoreError> {
    let mut pen = Pen::take(transaction, tenant, now_ms).await?;
    let item = get(transaction, tenant, id).await?.ok_or_else(|| nothing_waits(id))?;
    let taken = number(transaction, "DELETE FROM quarantine WHERE id = $1 RETURNING stream", &[&id]).await?;
    let stream = taken.ok_or_else(|| nothing_waits(id))?;
    pen.page = item.page;
    pen.put(&mut Scopes::new(tenant, &item.connection), stream, &[record]).await?;
    let charge = Charge { records_bytes: pen.tally.bytes, exchanges_bytes: 0 };
    let outcome = pen.close().await?;
    let quota = quotas.of(tenant, &item.connection);
    ledger::charge(transaction, (tenant, &item.connection), item.page, charge, &quota).await?;
    Ok(outcome)
}

pub(super) async fn still(
    client: &impl GenericClient,
    tenant: &TenantId,
    id: i64,
    reason: &str,
) -> Result<(), StoreError> {
    let sql = "UPDATE quarantine SET attempts = attempts + 1, reason = $2
               WHERE id = $1 AND stream IN (SELECT id FROM stream WHERE tenant = $3)";
    match run(client, sql, &[&id, &without_nul(reason), &tenant.as_str()]).await? {
        0 => Err(nothing_waits(id)),
        _ => Ok(()),
    }
}

pub(super) async fn drop_one(client: &impl GenericClient, tenant: &TenantId, id: i64) -> Result<bool, StoreError> {
    let sql = "DELETE FROM quarantine WHERE id = $1 AND stream IN (SELECT id FROM stream WHERE tenant = $2)";
    Ok(run(client, sql, &[&id, &tenant.as_str()]).await? > 0)
}

fn nothing_waits(id: i64) -> StoreError {
    StoreError::BadInput(format!("nothing with id {id} waits in quarantine"))
}
