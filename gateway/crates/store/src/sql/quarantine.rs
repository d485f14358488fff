//! What could not be taken in waits here until it is good, retried or dropped.

use renmen_schema::id::{ConnectionName, TenantId};
use renmen_schema::{Language, Text};

use super::{CommitWriter, Scopes, Session, disk_use, moving, number, values};
use crate::decide::quarantine_identity;
use crate::limits::{list_limit, without_nul};
use crate::quota::{Charge, Quotas};
use crate::rows::{self, QUARANTINE_SELECT};
use crate::{CommitOutcome, PageCommit, QuarantineRow, RecordWrite, StoreError};

/// Takes out what a page brought in good shape: retrying the old bytes later would undo the newer record.
pub(super) async fn resolve(
    session: &impl CommitWriter,
    stream: i64,
    records: &[RecordWrite],
    unchanged: &[(String, String)],
) -> Result<(), StoreError> {
    // Nearly always nothing waits, and then nothing is hashed.
    let sql = "SELECT CAST(1 AS bigint) FROM quarantine WHERE stream = $1 LIMIT 1";
    if number(session, sql, values![stream]).await?.is_none() {
        return Ok(());
    }
    let written = records.iter().map(|record| (record.entity(), record.external_id.as_str()));
    let identities: Vec<_> = written
        .chain(unchanged.iter().map(|(entity, id)| (entity.as_str(), id.as_str())))
        .map(|(entity, id)| quarantine_identity(entity, Some(id), &[]))
        .collect();
    session.delete_quarantined(stream, &identities).await
}

/// Puts a page's refused records in; the same one of an earlier page is replaced and keeps its id.
pub(super) async fn insert(
    session: &impl Session,
    stream: i64,
    page_id: i64,
    page: &PageCommit,
) -> Result<(), StoreError> {
    for item in &page.quarantine {
        let identity = quarantine_identity(&item.entity, item.external_id.as_deref(), &item.raw);
        session
            .run(
                "INSERT INTO quarantine (stream, identity, run, page, entity, external_id, exchange_no, pointer, code, reason,
                 reason_zh, raw, at_ms) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
                 ON CONFLICT (stream, identity) DO UPDATE SET run = excluded.run, page = excluded.page,
                 exchange_no = excluded.exchange_no, pointer = excluded.pointer, code = excluded.code,
                 reason = excluded.reason, reason_zh = excluded.reason_zh, raw = excluded.raw, at_ms = excluded.at_ms",
                values![
                    stream,
                    &identity,
                    page.run.0,
                    page_id,
                    without_nul(&item.entity),
                    item.external_id.as_deref().map(without_nul),
                    item.exchange_no,
                    without_nul(&item.pointer),
                    without_nul(&item.code),
                    without_nul(item.reason.english()),
                    chinese(&item.reason),
                    &item.raw,
                    page.now_ms
                ],
            )
            .await?;
    }
    Ok(())
}

pub(crate) async fn list(
    session: &impl Session,
    tenant: &TenantId,
    only: Option<&ConnectionName>,
    after_id: i64,
    limit: u32,
) -> Result<Vec<QuarantineRow>, StoreError> {
    let sql = format!(
        "{QUARANTINE_SELECT} WHERE t.tenant = $1 AND (CAST($2 AS text) IS NULL OR t.connection = $2) AND q.id > $3
         ORDER BY q.id LIMIT $4"
    );
    session.all(&sql, values![tenant, only, after_id, list_limit(limit)], rows::quarantine).await
}

pub(crate) async fn get(
    session: &impl Session,
    tenant: &TenantId,
    id: i64,
) -> Result<Option<QuarantineRow>, StoreError> {
    let sql = format!("{QUARANTINE_SELECT} WHERE t.tenant = $1 AND q.id = $2");
    session.one(&sql, values![tenant, id], rows::quarantine).await
}

/// Takes in one record outside of any run: it was quarantined and is good now.
pub(crate) async fn accept(
    session: &impl CommitWriter,
    tenant: &TenantId,
    id: i64,
    record: RecordWrite,
    now_ms: i64,
    quotas: &Quotas,
) -> Result<CommitOutcome, StoreError> {
    let mut commit = session.begin(tenant, now_ms).await?;
    let item = get(session, tenant, id).await?.ok_or_else(|| nothing_waits(id))?;
    let taken = number(session, "DELETE FROM quarantine WHERE id = $1 RETURNING stream", values![id]).await?;
    let stream = taken.ok_or_else(|| nothing_waits(id))?;
    commit.page = item.page;
    session.put(&mut commit, &mut Scopes::new(tenant, &item.connection), stream, &[record]).await?;
    let charge = Charge { records_bytes: commit.tally.bytes, exchanges_bytes: 0 };
    let outcome = session.finish(commit).await?;
    let quota = quotas.of(tenant, &item.connection);
    disk_use::charge(session, (tenant, &item.connection), item.page, charge, &quota).await?;
    Ok(outcome)
}

/// It is still bad.
pub(crate) async fn note_attempt(
    session: &impl Session,
    tenant: &TenantId,
    id: i64,
    reason: &Text,
) -> Result<(), StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "UPDATE quarantine SET attempts = attempts + 1, reason = $2, reason_zh = $3
               WHERE id = $1 AND stream IN (SELECT id FROM stream WHERE tenant = $4)";
    match session.run(sql, values![id, without_nul(reason.english()), chinese(reason), tenant]).await? {
        0 => Err(nothing_waits(id)),
        _ => Ok(()),
    }
}

pub(crate) async fn delete(session: &impl Session, tenant: &TenantId, id: i64) -> Result<bool, StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "DELETE FROM quarantine WHERE id = $1 AND stream IN (SELECT id FROM stream WHERE tenant = $2)";
    Ok(session.run(sql, values![id, tenant]).await? > 0)
}

/// The Chinese form, where it is another.
fn chinese(reason: &Text) -> Option<String> {
    let chinese = reason.in_language(Language::Chinese);
    (chinese != reason.english()).then(|| without_nul(chinese))
}

fn nothing_waits(id: i64) -> StoreError {
    StoreError::BadInput(format!("nothing with id {id} waits in quarantine"))
}
