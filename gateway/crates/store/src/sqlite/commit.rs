//! One page, one transaction: fence, records, exchanges, quarantine, sweep, cursor, figures.

use std::collections::BTreeMap;

use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::{Connection, Transaction, params};

use super::feed::{self, exchange_row};
use super::pen::Pen;
use super::query::{number, run};
use super::run::{self as runs, LiveStream};
use super::{ledger, note, quarantine, sweep};
use crate::decide::last_wins;
use crate::quota::Charge;
use crate::{CommitOutcome, ExchangeWrite, PageCommit, Quota, RecordWrite, StoreError, failpoint};

pub(super) fn commit_page(
    transaction: &Transaction<'_>,
    mut page: PageCommit,
    quota: &Quota,
) -> Result<CommitOutcome, StoreError> {
    let stream = fence(transaction, &page)?;
    let page_id = insert_page(transaction, &stream, &page)?;
    insert_exchanges(transaction, page_id, &page.exchanges)?;

    let mut scopes = Scopes::new(transaction, &page.key.tenant, &page.key.connection);
    let mut pen = Pen::new(transaction, &page.key.tenant, page_id, page.now_ms)?;
    let listed = page.records.len() + page.unchanged.len() + page.quarantine.len();
    let records = last_wins(std::mem::take(&mut page.records));
    pen.tally.outcome.repeated = (listed - page.unchanged.len() - page.quarantine.len() - records.len()) as u64;
    pen.tally.outcome.unchanged = page.unchanged.len() as u64;
    for write in &records {
        let scope = scopes.of(&write.entity, stream.id)?;
        pen.put(scope, write)?;
    }
    quarantine::resolve(transaction, stream.id, &records, &page.unchanged)?;
    pen.tally.outcome.quarantined = page.quarantine.len() as u64;
    quarantine::insert(transaction, &stream, page_id, &page)?;
    let sweep_from = sweep::apply(&mut pen, &scopes, &stream, page_id, &page)?;
    failpoint::reach("after_records");

    let outcome = charged(transaction, pen, page_id, &page, quota)?;
    run(
        transaction,
        "UPDATE stream SET cursor = ?2, mid_run = ?3, sweep_from = ?4,
         sweep_partial = CASE WHEN ?5 THEN ?6 ELSE max(sweep_partial, ?6) END WHERE id = ?1",
        params![
            stream.id,
            page.cursor_after,
            page.has_more,
            sweep_from,
            page.sweep.is_none_or(|sweep| sweep.begins),
            page.sweep.is_some_and(|sweep| sweep.partial)
        ],
    )?;
    add_to_run(transaction, &page, listed, &outcome)?;
    Ok(outcome)
}

/// What a delivery or a targeted read brought for one stream: no cursor, no sweep, and perhaps out of order. Gives the page.
pub(super) fn take_page(
    transaction: &Transaction<'_>,
    stream: &LiveStream,
    mut page: PageCommit,
    quota: &Quota,
) -> Result<(i64, CommitOutcome), StoreError> {
    let page_id = insert_page(transaction, stream, &page)?;
    insert_exchanges(transaction, page_id, &page.exchanges)?;
    let mut scopes = Scopes::new(transaction, &page.key.tenant, &page.key.connection);
    let mut pen = Pen::of_events(transaction, &page.key.tenant, page_id, page.now_ms)?;
    let listed = page.records.len() + page.quarantine.len();
    let records = last_wins(std::mem::take(&mut page.records));
    pen.tally.outcome.repeated = (listed - page.quarantine.len() - records.len()) as u64;
    for write in &records {
        let scope = scopes.of(&write.entity, stream.id)?;
        pen.put(scope, write)?;
    }
    quarantine::resolve(transaction, stream.id, &records, &[])?;
    pen.tally.outcome.quarantined = page.quarantine.len() as u64;
    quarantine::insert(transaction, stream, page_id, &page)?;
    let outcome = charged(transaction, pen, page_id, &page, quota)?;
    add_to_run(transaction, &page, listed, &outcome)?;
    Ok((page_id, outcome))
}

/// Ends the writing of records, and charges the page to its connection within its quota.
fn charged(
    transaction: &Transaction<'_>,
    pen: Pen<'_>,
    page_id: i64,
    page: &PageCommit,
    quota: &Quota,
) -> Result<CommitOutcome, StoreError> {
    let (of, bytes) = ((&page.key.tenant, &page.key.connection), pen.tally.bytes);
    let outcome = pen.close()?;
    if !page.quarantine.is_empty() {
        ledger::check_quarantine(transaction, of, quota)?;
    }
    let exchanges_pruned = ledger::charge(transaction, of, page_id, Charge::of(page, bytes), quota)?;
    Ok(CommitOutcome { exchanges_pruned, ..outcome })
}

/// Takes one record in beside any run: what was quarantined and is good now.
#[allow(clippy::too_many_arguments, reason = "a statement's values, and one caller")]
pub(super) fn accept(
    transaction: &Transaction<'_>,
    tenant: &TenantId,
    connection: &ConnectionName,
    stream: i64,
    page: i64,
    record: &RecordWrite,
    now_ms: i64,
    quota: &Quota,
) -> Result<CommitOutcome, StoreError> {
    let scope = Scopes::new(transaction, tenant, connection).of(&record.entity, stream)?;
    let mut pen = Pen::new(transaction, tenant, page, now_ms)?;
    pen.put(scope, record)?;
    let charge = Charge { records_bytes: pen.tally.bytes, exchanges_bytes: 0 };
    let outcome = pen.close()?;
    ledger::charge(transaction, (tenant, connection), page, charge, quota)?;
    Ok(outcome)
}

fn fence(connection: &Connection, page: &PageCommit) -> Result<LiveStream, StoreError> {
    let stream = runs::stream(connection, &page.key)?
        .filter(|stream| stream.run == Some(page.run.0))
        .ok_or_else(|| StoreError::Fenced(format!("run {} does not hold its stream any more", page.run)))?;
    if stream.cursor != page.cursor_before {
        return Err(StoreError::Fenced(format!("the cursor moved since run {} asked for this page", page.run)));
    }
    if stream.sweep_from.is_none() && page.sweep.is_some_and(|sweep| !sweep.begins) {
        return Err(StoreError::Fenced(format!(
            "run {} goes on with a sweep that is not under way: begin it anew",
            page.run
        )));
    }
    Ok(stream)
}

fn insert_page(connection: &Connection, stream: &LiveStream, page: &PageCommit) -> Result<i64, StoreError> {
    let exchanges = page.exchanges.iter().map(|exchange| exchange.no + 1).max().unwrap_or(0);
    run(
        connection,
        "INSERT INTO page (stream, run, cursor_before, cursor_after, now_ms, exchanges) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        params![stream.id, page.run.0, page.cursor_before, page.cursor_after, page.clock_ms, exchanges],
    )?;
    Ok(connection.last_insert_rowid())
}

fn insert_exchanges(connection: &Connection, page: i64, exchanges: &[ExchangeWrite]) -> Result<(), StoreError> {
    for exchange in exchanges {
        let row =
            exchange_row(page, exchange.no).ok_or_else(|| StoreError::Fault("page numbers are used up".into()))?;
        let sql = "INSERT INTO exchange (id, method, url, status, key, body_hash, at_ms, packed)
                   VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let ExchangeWrite { method, url, status, key, body_hash, packed, at_ms, no: _ } = exchange;
        run(connection, sql, params![row, method, url, status, key, body_hash, at_ms, packed])?;
    }
    Ok(())
}

fn add_to_run(
    connection: &Connection,
    page: &PageCommit,
    listed: usize,
    outcome: &CommitOutcome,
) -> Result<(), StoreError> {
    run(
        connection,
        "UPDATE run SET touched_at = ?2, pages = pages + 1, records = records + ?3, created = created + ?4,
         updated = updated + ?5, unchanged = unchanged + ?6, deleted = deleted + ?7, quarantined = quarantined + ?8,
         last_seq = ?9, swept = swept + ?10, repeated = repeated + ?11, held = held + ?12 WHERE id = ?1",
        params![
            page.run.0,
            page.now_ms,
            listed as i64,
            outcome.created as i64,
            outcome.updated as i64,
            outcome.unchanged as i64,
            outcome.deleted as i64,
            outcome.quarantined as i64,
            outcome.last_seq,
            outcome.swept as i64,
            outcome.repeated as i64,
            outcome.held as i64
        ],
    )?;
    note::insert(connection, page.run, &page.notes)
}

/// The scopes of one connection's entities, looked up once a commit.
pub(super) struct Scopes<'a> {
    connection: &'a Connection,
    tenant: &'a str,
    name: &'a str,
    found: BTreeMap<String, i64>,
}

impl<'a> Scopes<'a> {
    pub(super) fn new(connection: &'a Connection, tenant: &'a TenantId, name: &'a ConnectionName) -> Self {
        Self { connection, tenant: tenant.as_str(), name: name.as_str(), found: BTreeMap::new() }
    }

    /// The scope that a stream writes an entity to.
    pub(super) fn of(&mut self, entity: &str, stream: i64) -> Result<i64, StoreError> {
        if let Some(scope) = self.found.get(entity) {
            return Ok(*scope);
        }
        let scope = match find_scope(self.connection, self.tenant, self.name, entity)? {
            Some(scope) => scope,
            None => {
                let sql = "INSERT INTO scope (tenant, connection, entity) VALUES (?1, ?2, ?3)";
                run(self.connection, sql, params![self.tenant, self.name, entity])?;
                self.connection.last_insert_rowid()
            }
        };
        let sql = "INSERT INTO stream_scope (stream, scope) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        run(self.connection, sql, [stream, scope])?;
        self.found.insert(entity.to_owned(), scope);
        Ok(scope)
    }

    /// The rows of those records (entity, vendor id) that there are.
    pub(super) fn rows<'n>(
        &self,
        named: impl Iterator<Item = (&'n String, &'n String)>,
        mut found: impl FnMut(i64),
    ) -> Result<(), StoreError> {
        let sql = "SELECT id FROM record WHERE scope = ?1 AND external_id = ?2";
        let mut statement = self.connection.prepare_cached(sql)?;
        let mut last: Option<(&str, Option<i64>)> = None;
        for (entity, external_id) in named {
            if last.is_none_or(|(of, _)| of != entity) {
                last = Some((entity, find_scope(self.connection, self.tenant, self.name, entity)?));
            }
            let Some((_, Some(scope))) = last else { continue };
            if let Some(row) = statement.query(params![scope, external_id])?.next()? {
                found(row.get(0)?);
            }
        }
        Ok(())
    }
}

/// The scope of a connection's entity, if it ever had a record.
pub(super) fn find_scope(
    connection: &Connection,
    tenant: &str,
    name: &str,
    entity: &str,
) -> Result<Option<i64>, StoreError> {
    let sql = "SELECT id FROM scope WHERE tenant = ?1 AND connection = ?2 AND entity = ?3";
    number(connection, sql, params![tenant, name, entity])
}

/// The time of a commit: the caller's, unless the feed is ahead of it.
pub(super) fn commit_time(connection: &Connection, now_ms: i64) -> Result<(i64, i64), StoreError> {
    let head = feed::head(connection)?;
    Ok((head.seq, now_ms.max(head.at_ms)))
}
