//! [`InboxStore`] on SQLite.

use std::sync::Arc;

use async_trait::async_trait;
use renmen_schema::id::{ConnectionName, RunId, TenantId};
use rusqlite::{Connection, Transaction, params};

use super::query::{all, number, one, run};
use super::run::{self as runs, LiveStream};
use super::{SqliteStore, commit, ledger};
use crate::inbox::{
    DeliveryWrite, INBOX_SELECT, InboxRow, Intake, RUN_LIFE_MS, RefreshAsk, RefreshDone, RefreshFailed, RefreshRow,
    Taken, add, in_order, inbox_row, places, refresh_row,
};
use crate::limits::list_limit;
use crate::{CommitOutcome, InboxStore, Quota, RunState, StoreError, StreamKey, codes};

#[async_trait]
impl InboxStore for SqliteStore {
    async fn take_in(&self, intake: Intake) -> Result<Taken, StoreError> {
        intake.check()?;
        let writer = self.writer()?;
        let answered = self.gather.add(intake);
        let gather = Arc::clone(&self.gather);
        writer.gathered(move |connection| gather.commit(connection)).await?;
        answered.await.map_err(|_| StoreError::Fault("the store's writer has ended".into()))?
    }

    async fn inbox(
        &self,
        tenant: &TenantId,
        connection: Option<&ConnectionName>,
        before_id: Option<i64>,
        limit: u32,
    ) -> Result<Vec<InboxRow>, StoreError> {
        let (tenant, connection) = (tenant.clone(), connection.cloned());
        self.readers
            .run(move |c| {
                let sql = format!(
                    "{INBOX_SELECT} WHERE tenant = ?1 AND (?2 IS NULL OR connection = ?2) AND id < ?3 ORDER BY id DESC LIMIT ?4"
                );
                let only = connection.as_ref().map(ConnectionName::as_str);
                let values = params![tenant.as_str(), only, before_id.unwrap_or(i64::MAX), list_limit(limit)];
                all(c, &sql, values, |row| inbox_row(row))
            })
            .await
    }

    async fn purge_inbox(&self, before_ms: i64, limit: u32) -> Result<u64, StoreError> {
        self.writer()?
            .run(move |c| {
                let sql = "DELETE FROM inbox WHERE id IN (SELECT id FROM inbox WHERE received_at < ?1 LIMIT ?2)";
                let rows = run(c, sql, params![before_ms, list_limit(limit)])?;
                let sql = "DELETE FROM gone WHERE (scope, external_id) IN
                           (SELECT scope, external_id FROM gone WHERE noted_at < ?1 LIMIT ?2)";
                Ok((rows + run(c, sql, params![before_ms, list_limit(limit)])?) as u64)
            })
            .await
    }

    async fn next_refresh_ms(&self) -> Result<Option<i64>, StoreError> {
        let sql = "SELECT min(max(due_at, claimed_until)) FROM refresh";
        self.readers.run(move |c| one(c, sql, [], |row| Ok(row.get(0)?)).map(Option::flatten)).await
    }

    async fn claim_refreshes(
        &self,
        now_ms: i64,
        lease_ms: i64,
        but_of: &[(TenantId, ConnectionName)],
        limit: u32,
    ) -> Result<Vec<RefreshRow>, StoreError> {
        // A list as one value: no name has a bar.
        let but_of = format!("|{}|", places(but_of).join("|"));
        self.writer()?
            .run(move |c| {
                let sql = "UPDATE refresh SET claimed_until = ?1 + ?2, attempts = attempts + 1 WHERE id IN
                           (SELECT id FROM refresh WHERE due_at <= ?1 AND claimed_until <= ?1
                            AND instr(?4, '|' || tenant || '/' || connection || '|') = 0
                            ORDER BY due_at, id LIMIT ?3)
                           RETURNING id, tenant, connection, stream, external_id, asked, attempts";
                Ok(in_order(all(c, sql, params![now_ms, lease_ms, list_limit(limit), but_of], |row| refresh_row(row))?))
            })
            .await
    }

    async fn settle_refreshes(
        &self,
        done: Vec<RefreshDone>,
        failed: Vec<RefreshFailed>,
        now_ms: i64,
    ) -> Result<(), StoreError> {
        self.writer()?
            .run(move |c| {
                done.iter().try_for_each(|done| end_refresh(c, *done, now_ms))?;
                let sql = "UPDATE refresh SET error = ?2, due_at = ?3, claimed_until = 0 WHERE id = ?1";
                failed.iter().try_for_each(|failed| {
                    run(c, sql, params![failed.id, failed.shown_error(), failed.due_at_ms]).map(drop)
                })
            })
            .await
    }
}

/// At the start of the only process that may write: nobody of an earlier one reads any more.
pub(super) fn release_all(connection: &Connection) -> Result<(), StoreError> {
    run(connection, "UPDATE refresh SET claimed_until = 0 WHERE claimed_until > 0", []).map(drop)
}

/// Takes one in, within the transaction of the writer.
pub(super) fn take(transaction: &Transaction<'_>, mut intake: Intake, quota: &Quota) -> Result<Taken, StoreError> {
    if let Some(delivery) = &intake.delivery
        && repeats(transaction, &intake, delivery)?
    {
        return Ok(Taken { repeated: true, outcome: CommitOutcome::default() });
    }
    let pages = std::mem::take(&mut intake.pages);
    let (mut outcome, mut first_page, mut records) = (CommitOutcome::default(), 0, 0);
    for page in pages {
        let key = intake.key(page.stream.clone());
        let stream = stream(transaction, &key)?;
        let run = side_run(transaction, stream.id, &intake)?;
        records += page.records.len();
        let (page_id, done) = commit::take_page(transaction, &stream, intake.commit(page, RunId(run)), quota)?;
        add(&mut outcome, &done);
        if first_page == 0 {
            first_page = page_id;
        }
    }
    if let Some(delivery) = &intake.delivery {
        insert(transaction, &intake, delivery, first_page, records, &outcome)?;
    }
    intake.refreshes.iter().try_for_each(|ask| ask_refresh(transaction, &intake, ask))?;
    if !intake.refreshes.is_empty() {
        ledger::check_refreshes(transaction, (&intake.tenant, &intake.connection), quota)?;
    }
    intake.done.iter().try_for_each(|done| end_refresh(transaction, *done, intake.now_ms))?;
    Ok(Taken { repeated: false, outcome })
}

/// Counts a repeated delivery. One that may come again by its nature and is old makes room for the new one.
fn repeats(connection: &Connection, intake: &Intake, delivery: &DeliveryWrite) -> Result<bool, StoreError> {
    let (tenant, name) = (intake.tenant.as_str(), intake.connection.as_str());
    let sql = "UPDATE inbox SET repeats = repeats + 1
               WHERE tenant = ?1 AND connection = ?2 AND identity = ?3 AND received_at >= ?4";
    if run(connection, sql, params![tenant, name, delivery.identity, delivery.repeats_since_ms()])? > 0 {
        return Ok(true);
    }
    let sql = "DELETE FROM inbox WHERE tenant = ?1 AND connection = ?2 AND identity = ?3";
    run(connection, sql, params![tenant, name, delivery.identity])?;
    Ok(false)
}

fn insert(
    connection: &Connection,
    intake: &Intake,
    delivery: &DeliveryWrite,
    page: i64,
    records: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    let changes = outcome.created + outcome.updated + outcome.deleted;
    run(
        connection,
        "INSERT INTO inbox (tenant, connection, identity, delivery_id, received_at, page, records, changes, quarantined,
         refreshes) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
        params![
            intake.tenant.as_str(),
            intake.connection.as_str(),
            delivery.identity,
            delivery.shown_id(),
            delivery.received_at_ms,
            page,
            records as i64,
            changes as i64,
            outcome.quarantined as i64,
            intake.refreshes.len() as i64
        ],
    )
    .map(drop)
}

fn stream(connection: &Connection, key: &StreamKey) -> Result<LiveStream, StoreError> {
    if let Some(found) = runs::stream(connection, key)? {
        return Ok(found);
    }
    let sql = "INSERT INTO stream (tenant, connection, stream) VALUES (?1, ?2, ?3)";
    run(connection, sql, params![key.tenant.as_str(), key.connection.as_str(), key.stream.as_str()])?;
    runs::stream(connection, key)?.ok_or_else(|| StoreError::Fault("the stream's row vanished".into()))
}

/// The run of the day in which such things are kept: it is over from its beginning and never holds its stream.
fn side_run(connection: &Connection, stream: i64, intake: &Intake) -> Result<i64, StoreError> {
    let plugin = runs::intern_plugin(connection, &intake.plugin)?;
    let sql = "SELECT id FROM run WHERE stream = ?1 AND plugin = ?2 AND \"trigger\" = ?3 AND started_at > ?4
               ORDER BY id DESC LIMIT 1";
    let values = params![stream, plugin, intake.trigger().as_str(), intake.now_ms.saturating_sub(RUN_LIFE_MS)];
    if let Some(found) = number(connection, sql, values)? {
        run(connection, "UPDATE run SET ended_at = max(ended_at, ?2) WHERE id = ?1", [found, intake.now_ms])?;
        return Ok(found);
    }
    run(
        connection,
        "INSERT INTO run (stream, plugin, \"trigger\", state, started_at, touched_at, lease_ms, ended_at)
         VALUES (?1, ?2, ?3, ?4, ?5, ?5, 0, ?5)",
        params![stream, plugin, intake.trigger().as_str(), codes::of_state(RunState::Completed), intake.now_ms],
    )?;
    Ok(connection.last_insert_rowid())
}

fn ask_refresh(connection: &Connection, intake: &Intake, ask: &RefreshAsk) -> Result<(), StoreError> {
    run(
        connection,
        "INSERT INTO refresh (tenant, connection, stream, external_id, due_at, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?5)
         ON CONFLICT (tenant, connection, stream, external_id) DO UPDATE SET asked = asked + 1,
         due_at = min(due_at, excluded.due_at)",
        params![
            intake.tenant.as_str(),
            intake.connection.as_str(),
            ask.stream.as_str(),
            ask.external_id.as_deref().unwrap_or_default(),
            intake.now_ms
        ],
    )
    .map(drop)
}

/// It goes away unless it was asked for again: then what was read may have been too early.
fn end_refresh(connection: &Connection, done: RefreshDone, now_ms: i64) -> Result<(), StoreError> {
    if run(connection, "DELETE FROM refresh WHERE id = ?1 AND asked = ?2", [done.id, done.asked])? == 0 {
        let sql = "UPDATE refresh SET claimed_until = 0, due_at = ?2, attempts = 0 WHERE id = ?1";
        run(connection, sql, [done.id, now_ms])?;
    }
    Ok(())
}
