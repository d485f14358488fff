//! [`InsightStore`] on SQLite: one reader's transaction gives all rows of a question, while others read and write on.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use rusqlite::{CachedStatement, Connection, params};
use tokio::sync::mpsc;

use super::SqliteStore;
use super::query::{at_once, numbered};
use crate::insight::{Ask, Batch, GroupsAsk, Pass, Read, Reading, RowsMade, Source};
use crate::sql::insight::{self, BODIES, ROWS, ROWS_WITH_IDENTITY, Work};
use crate::{InsightStore, StoreError};

#[async_trait]
impl InsightStore for SqliteStore {
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
        let writer = self.writer()?;
        let of = tenant.clone();
        let work = self.readers.run(move |c| at_once(insight::next_work(c, &of, at_most))).await?;
        if work.made.done {
            return Ok(work.made);
        }
        let (made, of) = (work.made, tenant.clone());
        let kept = writer.run(move |c| keep(c, &of, &work)).await?;
        Ok(if kept { made } else { RowsMade::default() })
    }

    async fn insight_key(&self, tenant: &TenantId, id: RecordId) -> Result<Option<i64>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(insight::key(c, &ids, &tenant, id))).await
    }

    async fn insight_ids(
        &self,
        tenant: &TenantId,
        keys: &[i64],
    ) -> Result<Vec<Option<(String, RecordId)>>, StoreError> {
        let (tenant, keys, ids) = (tenant.clone(), keys.to_vec(), self.ids.clone());
        self.readers.run(move |c| at_once(insight::ids_of(c, &ids, &tenant, &keys))).await
    }
}

impl SqliteStore {
    async fn stream(
        &self,
        tenant: &TenantId,
        ask: &Ask,
        groups: Option<&GroupsAsk>,
        to: mpsc::Sender<Batch>,
    ) -> Result<Read, StoreError> {
        let (tenant, ask, groups) = (tenant.clone(), ask.clone(), groups.cloned());
        let work = move |c: &Connection| {
            let behind = at_once(insight::behind(c, &tenant))?;
            let reading = Reading::new(&ask, groups.as_ref(), at_once(insight::scopes(c, &tenant))?);
            let read = read(c, &tenant, reading, &to)?;
            Ok(Read { behind, ..read })
        };
        self.readers.run_long(work).await
    }
}

/// Writes rows and how far they follow. False: another one was first.
fn keep(connection: &Connection, tenant: &TenantId, work: &Work) -> Result<bool, StoreError> {
    if !at_once(insight::move_on(connection, tenant, work))? {
        return Ok(false);
    }
    if work.clears {
        at_once(insight::clear(connection, tenant))?;
    }
    let mut delete =
        connection.prepare_cached("DELETE FROM insight_row WHERE scope = ?1 AND part IN (0, 1, 2) AND record = ?2")?;
    for (scope, record) in &work.gone {
        delete.execute([scope, record])?;
    }
    let sql = "INSERT INTO insight_row (scope, part, record, body) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (scope, part, record) DO UPDATE SET body = excluded.body";
    let mut insert = connection.prepare_cached(sql)?;
    for (scope, record, row) in &work.rows {
        insert.execute(params![scope, row.part, record, row.body])?;
    }
    Ok(true)
}

/// Reads pass after pass. Ends early when the receiver is gone.
fn read(
    connection: &Connection,
    tenant: &TenantId,
    mut reading: Reading,
    to: &mpsc::Sender<Batch>,
) -> Result<Read, StoreError> {
    let prepare = |sql: &str| connection.prepare_cached(&numbered(sql));
    let mut rows = prepare(ROWS)?;
    let mut with_identity = prepare(ROWS_WITH_IDENTITY)?;
    let mut bodies = prepare(BODIES)?;
    while let Some(pass) = reading.next_pass() {
        let goes_on = match pass.source {
            Source::Rows { scope, part, identity: false } => {
                take_all(&mut rows, params![scope, part], &pass, &mut reading, to)?
            }
            Source::Rows { scope, part, identity: true } => {
                take_all(&mut with_identity, params![scope, part, tenant.as_str()], &pass, &mut reading, to)?
            }
            Source::Bodies { scope } => take_all(&mut bodies, params![scope], &pass, &mut reading, to)?,
            Source::Unreadable { scope } => {
                reading.note_unreadable(at_once(insight::unreadable(connection, scope))?);
                true
            }
            Source::Gathered => gather(&pass, &mut reading, to),
        };
        if !goes_on || !send(&mut reading, to) {
            break;
        }
    }
    Ok(reading.read())
}

/// False when the receiver is gone.
fn take_all(
    statement: &mut CachedStatement<'_>,
    values: impl rusqlite::Params,
    pass: &Pass,
    reading: &mut Reading,
    to: &mpsc::Sender<Batch>,
) -> Result<bool, StoreError> {
    let has_identity = statement.column_count() > 2;
    let mut rows = statement.query(values)?;
    while let Some(row) = rows.next()? {
        let identity = if has_identity { row.get(2)? } else { None };
        let body = row.get_ref(1)?.as_blob().map_err(|_| StoreError::Fault("a row for insights has no body".into()))?;
        reading.take(pass, row.get(0)?, identity, body)?;
        if reading.is_full() && !send(reading, to) {
            return Ok(false);
        }
    }
    Ok(true)
}

fn gather(pass: &Pass, reading: &mut Reading, to: &mpsc::Sender<Batch>) -> bool {
    while reading.gather(pass) {
        if !send(reading, to) {
            return false;
        }
    }
    true
}

fn send(reading: &mut Reading, to: &mpsc::Sender<Batch>) -> bool {
    reading.take_batch().is_none_or(|batch| to.blocking_send(batch).is_ok())
}
