//! [`CommitWriter`] on SQLite, for a connection inside a transaction: with a single writer, it never waits for its
//! turn.

use std::future::{Future, ready};

use renmen_schema::id::{ConnectionName, TenantId};
use rusqlite::{Connection, params};

use super::query::{all, at_once, one, run};
use super::{exchange, revision_writer};
use crate::decide::QuarantineIdentity;
use crate::retention::RemovedExchange;
use crate::seen::Seen;
use crate::sql::{CommitState, CommitWriter, MissingRecord, Scopes, feed, find_scope};
use crate::{CommitOutcome, ExchangeWrite, RecordWrite, StoreError};

impl CommitWriter for Connection {
    fn begin(&self, tenant: &TenantId, now_ms: i64) -> impl Future<Output = Result<CommitState, StoreError>> + Send {
        ready(at_once(feed::end_to_change(self, tenant)).map(|end| CommitState::after(tenant, end, now_ms)))
    }

    fn put(
        &self,
        commit: &mut CommitState,
        scopes: &mut Scopes<'_>,
        stream: i64,
        records: &[RecordWrite],
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(revision_writer::put(self, commit, scopes, stream, records))
    }

    fn delete_missing(
        &self,
        commit: &mut CommitState,
        missing: &[MissingRecord],
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(revision_writer::delete_missing(self, commit, missing))
    }

    fn finish(&self, commit: CommitState) -> impl Future<Output = Result<CommitOutcome, StoreError>> + Send {
        ready(revision_writer::finish(self, commit))
    }

    fn insert_exchanges(
        &self,
        page: i64,
        exchanges: &[ExchangeWrite],
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        ready(exchange::insert(self, page, exchanges))
    }

    fn exchange_pages(
        &self,
        owner: (&TenantId, &ConnectionName),
        pages: std::ops::Range<i64>,
    ) -> impl Future<Output = Result<Vec<i64>, StoreError>> + Send {
        ready(exchange::pages(self, owner, pages))
    }

    fn remove_exchanges(&self, page: i64) -> impl Future<Output = Result<Vec<RemovedExchange>, StoreError>> + Send {
        ready(exchange::remove(self, page))
    }

    fn listed_rows(
        &self,
        owner: (&TenantId, &ConnectionName),
        listed: &[(&str, &str)],
    ) -> impl Future<Output = Result<Vec<i64>, StoreError>> + Send {
        ready(listed_rows(self, owner, listed))
    }

    fn missing(
        &self,
        stream: i64,
        to_page: i64,
        seen: &Seen,
    ) -> impl Future<Output = Result<Vec<MissingRecord>, StoreError>> + Send {
        ready(missing(self, stream, to_page, seen))
    }

    fn delete_quarantined(
        &self,
        stream: i64,
        identities: &[QuarantineIdentity],
    ) -> impl Future<Output = Result<(), StoreError>> + Send {
        let sql = "DELETE FROM quarantine WHERE stream = ?1 AND identity = ?2";
        ready(identities.iter().try_for_each(|identity| run(self, sql, params![stream, identity]).map(drop)))
    }
}

fn listed_rows(
    connection: &Connection,
    owner: (&TenantId, &ConnectionName),
    listed: &[(&str, &str)],
) -> Result<Vec<i64>, StoreError> {
    let mut statement = connection.prepare_cached("SELECT id FROM record WHERE scope = ?1 AND external_id = ?2")?;
    let mut rows = Vec::new();
    let mut last: Option<(&str, Option<i64>)> = None;
    for (entity, external_id) in listed {
        if last.is_none_or(|(of, _)| of != *entity) {
            last = Some((entity, at_once(find_scope(connection, owner, entity))?));
        }
        let Some((_, Some(scope))) = last else { continue };
        if let Some(row) = statement.query(params![scope, external_id])?.next()? {
            rows.push(row.get(0)?);
        }
    }
    Ok(rows)
}

/// The index alone is walked; a row is read only when it was not seen.
fn missing(connection: &Connection, stream: i64, to: i64, seen: &Seen) -> Result<Vec<MissingRecord>, StoreError> {
    let mut missing = Vec::new();
    let scopes = all(connection, "SELECT scope FROM stream_scope WHERE stream = ?1", [stream], |row| Ok(row.get(0)?))?;
    for scope in scopes {
        let mut statement = connection.prepare_cached("SELECT id FROM record WHERE scope = ?1")?;
        let mut rows = statement.query([scope])?;
        while let Some(found) = rows.next()? {
            let row = found.get(0)?;
            if seen.contains(row) {
                continue;
            }
            let sql = "SELECT octet_length(r.body) FROM record r JOIN page p ON p.id = r.page
                       WHERE r.id = ?1 AND r.deleted IS NULL AND p.stream = ?2 AND r.page <= ?3";
            let body_bytes = one(connection, sql, [row, stream, to], |row| Ok(row.get(0)?))?;
            missing.extend(body_bytes.map(|body_bytes| MissingRecord { scope, row, body_bytes }));
        }
    }
    missing.sort_unstable();
    Ok(missing)
}
