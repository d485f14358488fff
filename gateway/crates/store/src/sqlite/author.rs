//! [`AuthorStore`] on SQLite.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use rusqlite::{Connection, params};

use super::SqliteStore;
use super::query::{all, at_once};
use crate::authored::{self, parent_text};
use crate::identity::{self, IdKeys};
use crate::sql::{author, record};
use crate::{
    AuthorOutcome, AuthorStore, AuthoredCommit, Cause, LinkedQuery, RecordRow, StoreError, TimerRow, limits, rows,
};

#[async_trait]
impl AuthorStore for SqliteStore {
    async fn author(&self, commit: AuthoredCommit) -> Result<AuthorOutcome, StoreError> {
        let writes = authored::check(&commit)?;
        let (ids, tenant) = (self.ids.clone(), commit.tenant.clone());
        let links_alone = writes.is_empty() && !commit.links.is_empty();
        let work = move |c: &Connection| at_once(author::author(c, &ids, &commit, &writes));
        let done = self.writer()?.commit(&tenant, |done: &AuthorOutcome| done.outcome.last_seq, work).await?;
        if links_alone {
            self.heads.wake(&tenant);
        }
        Ok(done)
    }

    async fn causes(&self, tenant: &TenantId, id: RecordId, revision: i64) -> Result<Vec<Cause>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| at_once(author::causes(c, &ids, &tenant, id, revision))).await
    }

    async fn due_timers(
        &self,
        tenant: &TenantId,
        stream: &str,
        now_ms: i64,
        limit: u32,
    ) -> Result<Vec<TimerRow>, StoreError> {
        let (tenant, stream) = (tenant.clone(), stream.to_owned());
        self.readers.run(move |c| at_once(author::due_timers(c, &tenant, &stream, now_ms, limit))).await
    }

    async fn linked(&self, tenant: &TenantId, query: &LinkedQuery) -> Result<Vec<RecordRow>, StoreError> {
        let (tenant, query, ids) = (tenant.clone(), query.clone(), self.ids.clone());
        self.readers.run(move |c| linked(c, &ids, &tenant, &query)).await
    }
}

fn linked(
    connection: &Connection,
    ids: &IdKeys,
    tenant: &TenantId,
    query: &LinkedQuery,
) -> Result<Vec<RecordRow>, StoreError> {
    // Scope after scope: the index gives each its own, and what lies in others is not read.
    let sql = format!(
        "{} WHERE r.id IN (SELECT child FROM link WHERE tenant = ?1 AND parent = ?2 AND scope = ?3 AND child > ?4)
         AND s.tenant = ?1 AND r.deleted IS NULL ORDER BY r.id LIMIT ?5",
        record::SELECT
    );
    let parent = parent_text(&query.parent);
    let after = query.after.and_then(identity::row_of).unwrap_or(0);
    let limit = limits::list_limit(query.limit);
    let mut found = Vec::new();
    for scope in scopes_of(connection, tenant, query)? {
        let values = params![tenant.as_str(), parent, scope, after, limit];
        found.extend(all(connection, &sql, values, |row| rows::record(row, ids))?);
    }
    found.sort_by_key(|row| identity::row_of(row.id));
    found.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
    Ok(found)
}

/// The scopes that a question is about.
fn scopes_of(connection: &Connection, tenant: &TenantId, query: &LinkedQuery) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT id, entity FROM scope WHERE tenant = ?1 AND connection = ?2";
    let mut scopes = Vec::new();
    for name in &query.connections {
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?));
        let known = all(connection, sql, params![tenant.as_str(), name.as_str()], read)?;
        let asked = |entity: &String| query.entities.is_empty() || query.entities.contains(entity);
        scopes.extend(known.into_iter().filter(|(_, entity)| asked(entity)).map(|(id, _)| id));
    }
    scopes.sort_unstable();
    scopes.dedup();
    Ok(scopes)
}
