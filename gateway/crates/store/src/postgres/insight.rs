//! [`InsightStore`] on PostgreSQL: one transaction that sees one moment gives all rows of a question.

use std::pin::pin;
use std::time::Duration;

use async_trait::async_trait;
use deadpool_postgres::{GenericClient, Transaction};
use futures_util::TryStreamExt;
use renmen_schema::id::{RecordId, TenantId};
use tokio::sync::mpsc;
use tokio_postgres::types::ToSql;

use super::query::run;
use super::{PostgresStore, call, in_transaction};
use crate::insight::{Ask, Batch, GroupsAsk, Pass, Read, Reading, RowsMade, Source};
use crate::sql::insight::{self, BODIES, ROWS, ROWS_WITH_IDENTITY, Work};
use crate::{InsightStore, StoreError};

#[async_trait]
impl InsightStore for PostgresStore {
    async fn insight_rows(&self, tenant: &TenantId, ask: &Ask, to: mpsc::Sender<Batch>) -> Result<Read, StoreError> {
        self.stream(tenant, ask, None, to).await
    }

    async fn audit_rows(
        &self,
        tenant: &TenantId,
        ask: &Ask,
        groups: &GroupsAsk,
        to: mpsc::Sender<Batch>,
    ) -> Result<Read, StoreError> {
        self.stream(tenant, ask, Some(groups), to).await
    }

    async fn make_insight_rows(&self, tenant: &TenantId, at_most: u32) -> Result<RowsMade, StoreError> {
        let work = self.read(|c| async move { insight::next_work(&c, tenant, at_most).await }).await?;
        if work.made.done {
            return Ok(work.made);
        }
        let kept = in_transaction!(self, |transaction| keep(&transaction, tenant, &work))?;
        Ok(if kept { work.made } else { RowsMade::default() })
    }

    async fn insight_key(&self, tenant: &TenantId, id: RecordId) -> Result<Option<i64>, StoreError> {
        self.read(|c| async move { insight::key(&c, &self.ids, tenant, id).await }).await
    }

    async fn insight_ids(
        &self,
        tenant: &TenantId,
        keys: &[i64],
    ) -> Result<Vec<Option<(String, RecordId)>>, StoreError> {
        self.read(|c| async move { insight::ids_of(&c, &self.ids, tenant, keys).await }).await
    }
}

impl PostgresStore {
    async fn stream(
        &self,
        tenant: &TenantId,
        ask: &Ask,
        groups: Option<&GroupsAsk>,
        to: mpsc::Sender<Batch>,
    ) -> Result<Read, StoreError> {
        let limit: Duration = self.insight_timeout;
        let work = async {
            let mut client = self.connections.get().await?;
            let transaction = self.connections.begin_snapshot(&mut client, limit).await?;
            let behind = insight::behind(&transaction, tenant).await?;
            let reading = Reading::new(ask, groups, insight::scopes(&transaction, tenant).await?);
            let read = read(&transaction, tenant, reading, &to).await?;
            transaction.commit().await?;
            Ok(Read { behind, ..read })
        };
        call::in_call(limit, || late(limit), work).await
    }
}

fn late(limit: Duration) -> StoreError {
    StoreError::Unavailable(format!("reading the rows of an insight took longer than {} ms", limit.as_millis()))
}

/// Writes rows and how far they follow. False: another one was first.
async fn keep(transaction: &Transaction<'_>, tenant: &TenantId, work: &Work) -> Result<bool, StoreError> {
    if !insight::move_on(transaction, tenant, work).await? {
        return Ok(false);
    }
    if work.clears {
        insight::clear(transaction, tenant).await?;
    }
    if !work.gone.is_empty() {
        let (scopes, records): (Vec<i64>, Vec<i64>) = work.gone.iter().copied().unzip();
        let sql = "DELETE FROM insight_row r USING unnest($1::bigint[], $2::bigint[]) x (scope, record)
                   WHERE r.scope = x.scope AND r.part IN (0, 1, 2) AND r.record = x.record";
        run(transaction, sql, &[&scopes, &records]).await?;
    }
    if work.rows.is_empty() {
        return Ok(true);
    }
    let scopes: Vec<i64> = work.rows.iter().map(|(scope, ..)| *scope).collect();
    let records: Vec<i64> = work.rows.iter().map(|(_, record, _)| *record).collect();
    let parts: Vec<i64> = work.rows.iter().map(|(.., row)| row.part).collect();
    let bodies: Vec<&[u8]> = work.rows.iter().map(|(.., row)| row.body.as_slice()).collect();
    let sql = "INSERT INTO insight_row (scope, part, record, body)
               SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])
               ON CONFLICT (scope, part, record) DO UPDATE SET body = excluded.body";
    run(transaction, sql, &[&scopes, &parts, &records, &bodies]).await?;
    Ok(true)
}

/// Reads pass after pass. Ends early when the receiver is gone.
async fn read(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    mut reading: Reading,
    to: &mpsc::Sender<Batch>,
) -> Result<Read, StoreError> {
    let tenant = tenant.as_str();
    while let Some(pass) = reading.next_pass() {
        let goes_on = match &pass.source {
            Source::Rows { scope, part, identity: false } => {
                take_all(transaction, ROWS, &[scope, part], &pass, &mut reading, to).await?
            }
            Source::Rows { scope, part, identity: true } => {
                take_all(transaction, ROWS_WITH_IDENTITY, &[scope, part, &tenant], &pass, &mut reading, to).await?
            }
            Source::Bodies { scope } => take_all(transaction, BODIES, &[scope], &pass, &mut reading, to).await?,
            Source::Unreadable { scope } => {
                reading.note_unreadable(insight::unreadable(transaction, *scope).await?);
                true
            }
            Source::Gathered => gather(&pass, &mut reading, to).await,
        };
        if !goes_on || !send(&mut reading, to).await {
            break;
        }
    }
    Ok(reading.read())
}

/// False when the receiver is gone.
async fn take_all(
    transaction: &Transaction<'_>,
    sql: &str,
    values: &[&(dyn ToSql + Sync)],
    pass: &Pass,
    reading: &mut Reading,
    to: &mpsc::Sender<Batch>,
) -> Result<bool, StoreError> {
    let statement = transaction.prepare_cached(sql).await?;
    let has_identity = statement.columns().len() > 2;
    let mut rows = pin!(transaction.query_raw(&statement, values.iter().copied()).await?);
    while let Some(row) = rows.try_next().await? {
        let identity = if has_identity { row.try_get(2)? } else { None };
        reading.take(pass, row.try_get(0)?, identity, row.try_get(1)?)?;
        if reading.is_full() && !send(reading, to).await {
            return Ok(false);
        }
    }
    Ok(true)
}

async fn gather(pass: &Pass, reading: &mut Reading, to: &mpsc::Sender<Batch>) -> bool {
    while reading.gather(pass) {
        if !send(reading, to).await {
            return false;
        }
    }
    true
}

async fn send(reading: &mut Reading, to: &mpsc::Sender<Batch>) -> bool {
    match reading.take_batch() {
        Some(batch) => to.send(batch).await.is_ok(),
        None => true,
    }
}
