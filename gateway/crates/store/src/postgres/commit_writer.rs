//! [`CommitWriter`] on PostgreSQL: one statement for each kind of row, however many rows there are.

use std::collections::BTreeMap;
use std::pin::pin;

use deadpool_postgres::{GenericClient, Transaction};
use futures_util::{TryStreamExt, try_join};
use renmen_schema::id::{ConnectionName, TenantId};

use super::query::{all, run};
use super::revision_writer::RevisionWriter;
use super::{exchange, record_key};
use crate::decide::QuarantineIdentity;
use crate::retention::RemovedExchange;
use crate::rows::Columns;
use crate::seen::Seen;
use crate::sql::{CommitState, CommitWriter, MissingRecord, Scopes, feed};
use crate::{CommitOutcome, ExchangeWrite, RecordWrite, StoreError};

/// Adds sums to the counters of scopes: how many more are live, how many more are tombstones.
pub(super) async fn add_to_scopes(
    transaction: &Transaction<'_>,
    sums: &BTreeMap<i64, (i64, i64)>,
) -> Result<(), StoreError> {
    if sums.is_empty() {
        return Ok(());
    }
    let scopes: Vec<i64> = sums.keys().copied().collect();
    let (live, dead): (Vec<i64>, Vec<i64>) = sums.values().copied().unzip();
    let sql = "UPDATE scope s SET live = s.live + x.live, dead = s.dead + x.dead
               FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) x (id, live, dead) WHERE s.id = x.id";
    run(transaction, sql, &[&scopes, &live, &dead]).await.map(drop)
}

impl CommitWriter for Transaction<'_> {
    async fn begin(&self, tenant: &TenantId, now_ms: i64) -> Result<CommitState, StoreError> {
        Ok(CommitState::after(tenant, feed::end_to_change(self, tenant).await?, now_ms))
    }

    async fn put(
        &self,
        commit: &mut CommitState,
        scopes: &mut Scopes<'_>,
        stream: i64,
        records: &[RecordWrite],
    ) -> Result<(), StoreError> {
        RevisionWriter::new(self, std::slice::from_mut(commit)).put(scopes, stream, records).await
    }

    async fn delete_missing(&self, commit: &mut CommitState, missing: &[MissingRecord]) -> Result<(), StoreError> {
        RevisionWriter::new(self, std::slice::from_mut(commit)).delete_missing(missing).await
    }

    async fn finish(&self, mut commit: CommitState) -> Result<CommitOutcome, StoreError> {
        commit.keys.seq = commit.seq;
        let (end, moves) = (commit.end(), !commit.tally.scopes.is_empty());
        let end = async { if moves { feed::move_end(self, end).await } else { Ok(()) } };
        let keys = record_key::apply(self, vec![commit.keys], commit.now_ms);
        try_join!(add_to_scopes(self, &commit.tally.scopes), end, keys)?;
        commit.tally.outcome.last_seq = commit.seq;
        Ok(commit.tally.outcome)
    }

    async fn insert_exchanges(&self, page: i64, exchanges: &[ExchangeWrite]) -> Result<(), StoreError> {
        exchange::insert(self, page, exchanges).await
    }

    async fn exchange_pages(
        &self,
        owner: (&TenantId, &ConnectionName),
        pages: std::ops::Range<i64>,
    ) -> Result<Vec<i64>, StoreError> {
        exchange::pages(self, owner, pages).await
    }

    async fn remove_exchanges(&self, page: i64) -> Result<Vec<RemovedExchange>, StoreError> {
        exchange::remove(self, page).await
    }

    async fn listed_rows(
        &self,
        (tenant, connection): (&TenantId, &ConnectionName),
        listed: &[(&str, &str)],
    ) -> Result<Vec<i64>, StoreError> {
        let (entities, external_ids): (Vec<&str>, Vec<&str>) = listed.iter().copied().unzip();
        let sql = "SELECT r.id FROM unnest($3::text[], $4::text[]) a (entity, external_id)
                   JOIN scope s ON s.tenant = $1 AND s.connection = $2 AND s.entity = a.entity
                   JOIN record r ON r.scope = s.id AND r.external_id = a.external_id";
        let rows = all(self, sql, &[&tenant.as_str(), &connection.as_str(), &entities, &external_ids]).await?;
        rows.iter().map(|row| row.int(0)).collect()
    }

    /// Rows come as a stream: of a million seen ones none is kept.
    async fn missing(&self, stream: i64, to_page: i64, seen: &Seen) -> Result<Vec<MissingRecord>, StoreError> {
        let sql = "SELECT r.scope, r.id, octet_length(r.body)::bigint
                   FROM stream_scope w JOIN record r ON r.scope = w.scope JOIN page p ON p.id = r.page
                   WHERE w.stream = $1 AND r.deleted IS NULL AND p.stream = $1 AND r.page <= $2";
        let statement = self.prepare_cached(sql).await?;
        let mut rows = pin!(self.query_raw(&statement, [stream, to_page]).await?);
        let mut missing = Vec::new();
        while let Some(row) = rows.try_next().await? {
            if !seen.contains(row.int(1)?) {
                missing.push(MissingRecord { scope: row.int(0)?, row: row.int(1)?, body_bytes: row.int(2)? });
            }
        }
        missing.sort_unstable();
        Ok(missing)
    }

    async fn delete_quarantined(&self, stream: i64, identities: &[QuarantineIdentity]) -> Result<(), StoreError> {
        let identities: Vec<&[u8]> = identities.iter().map(<[u8; 16]>::as_slice).collect();
        let sql = "DELETE FROM quarantine WHERE stream = $1 AND identity = ANY($2)";
        run(self, sql, &[&stream, &identities]).await.map(drop)
    }
}
