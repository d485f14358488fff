//! [`AuthorStore`] on PostgreSQL.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use renmen_schema::id::{ConnectionName, RecordId, TenantId};

use super::query::{Values, all};
use super::{PostgresStore, in_transaction};
use crate::authored::{self, parent_text};
use crate::identity::{self, IdKeys};
use crate::sql::{author, record};
use crate::{
    AuthorOutcome, AuthorStore, AuthoredCommit, Cause, LinkedQuery, RecordRow, StoreError, TimerRow, limits, rows,
};

#[async_trait]
impl AuthorStore for PostgresStore {
    async fn author(&self, commit: AuthoredCommit) -> Result<AuthorOutcome, StoreError> {
        let writes = authored::check(&commit)?;
        // What writes no record does not move the feed.
        let turn = async { if writes.is_empty() { None } else { Some(self.turns.take(&commit.tenant).await) } };
        let _turn = self.in_time(async { Ok(turn.await) }).await?;
        let done = in_transaction!(self, |transaction| author::author(&transaction, &self.ids, &commit, &writes))?;
        if !writes.is_empty() {
            self.heads.committed(&commit.tenant, &done.outcome);
        } else if !commit.links.is_empty() {
            self.heads.wake(&commit.tenant);
            self.heads.tell(&commit.tenant);
        }
        Ok(done)
    }

    async fn causes(&self, tenant: &TenantId, id: RecordId, revision: i64) -> Result<Vec<Cause>, StoreError> {
        self.read(|c| async move { author::causes(&c, &self.ids, tenant, id, revision).await }).await
    }

    async fn due_timers(
        &self,
        tenant: &TenantId,
        stream: &str,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<TimerRow>, StoreError> {
        self.read(|c| async move { author::due_timers(&c, tenant, stream, now_ms, limit).await }).await
    }

    async fn linked(&self, tenant: &TenantId, query: &LinkedQuery) -> Result<Vec<RecordRow>, StoreError> {
        self.read(|c| async move { linked(&*c, &self.ids, tenant, query).await }).await
    }
}

async fn linked(
    client: &impl GenericClient,
    ids: &IdKeys,
    tenant: &TenantId,
    query: &LinkedQuery,
) -> Result<Vec<RecordRow>, StoreError> {
    let sql = format!(
        "{} WHERE r.id IN (
             SELECT l.child FROM scope w CROSS JOIN LATERAL (
                 SELECT child FROM link WHERE tenant = $1 AND parent = $2 AND scope = w.id AND child > $5
             ) l
             WHERE w.tenant = $1 AND w.connection = ANY($3) AND (cardinality($4::text[]) = 0 OR w.entity = ANY($4)))
         AND s.tenant = $1 AND r.deleted IS NULL ORDER BY r.id LIMIT $6",
        record::SELECT
    );
    let connections: Vec<&str> = query.connections.iter().map(ConnectionName::as_str).collect();
    let after = query.after.and_then(identity::row_of).unwrap_or(0);
    let limit = limits::list_limit(query.limit);
    let values: Values<'_> =
        &[&tenant.as_str(), &parent_text(&query.parent), &connections, &query.entities, &after, &limit];
    all(client, &sql, values).await?.iter().map(|row| rows::record(row, ids)).collect()
}
