//! Who wrote a revision and why, and what repeated requests are answered with.

use async_trait::async_trait;
use renmen_schema::id::{RecordId, TenantId};
use rusqlite::{Connection, params};

use super::query::{all, one, run};
use super::{SqliteStore, record};
use crate::authored::Written;
use crate::identity::{self, IdKey};
use crate::rows::{self, ANSWERED_SELECT, SIGNATURE_SELECT};
use crate::{Answered, AuthoredCommit, OnceKey, SignStore, SignedRevision, StoreError, limits};

#[async_trait]
impl SignStore for SqliteStore {
    async fn signatures(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<SignedRevision>, StoreError> {
        let (tenant, ids) = (tenant.clone(), self.ids.clone());
        self.readers.run(move |c| signatures(c, &ids, &tenant, id, limit)).await
    }

    async fn answered(&self, key: OnceKey<'_>, now_ms: i64) -> Result<Option<Answered>, StoreError> {
        let (tenant, ids) = (key.tenant.clone(), self.ids.clone());
        let (scope, name) = (key.scope.to_owned(), key.name.to_owned());
        self.readers.run(move |c| answered(c, &ids, &tenant, (&scope, &name), now_ms)).await
    }
}

/// Keeps who wrote what this commit made, and what its request is answered with.
pub(super) fn note(connection: &Connection, commit: &AuthoredCommit, written: &[Written]) -> Result<(), StoreError> {
    if let Some(by) = &commit.signed {
        for one in written.iter().filter(|one| one.fresh) {
            let sql =
                "INSERT INTO signature (record, revision, person, key, reason, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
            run(connection, sql, params![one.row, one.revision, by.person, by.key, by.reason, commit.now_ms])?;
        }
    }
    let (Some(once), Some(first)) = (&commit.once, written.first()) else { return Ok(()) };
    run(connection, "DELETE FROM answered WHERE until_ms <= ?1", [commit.now_ms])?;
    let sql = "INSERT INTO answered (tenant, scope, name, fingerprint, record, revision, until_ms)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO NOTHING";
    let values = params![
        commit.tenant.as_str(),
        once.scope,
        once.name,
        once.fingerprint,
        first.row,
        first.revision,
        once.until_ms
    ];
    if run(connection, sql, values)? == 0 { Err(Written::answered_already()) } else { Ok(()) }
}

fn signatures(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    limit: u32,
) -> Result<Vec<SignedRevision>, StoreError> {
    let Some(row) = record::get(connection, ids, tenant, id)?.and_then(|_| identity::row_of(id)) else {
        return Ok(Vec::new());
    };
    let sql = format!("{SIGNATURE_SELECT} WHERE record = ?1 ORDER BY revision DESC LIMIT ?2");
    all(connection, &sql, params![row, limits::list_limit(limit)], |row| rows::signature(row))
}

fn answered(
    connection: &Connection,
    ids: &IdKey,
    tenant: &TenantId,
    (scope, name): (&str, &str),
    now_ms: i64,
) -> Result<Option<Answered>, StoreError> {
    let sql = format!("{ANSWERED_SELECT} WHERE a.tenant = ?1 AND a.scope = ?2 AND a.name = ?3 AND a.until_ms > ?4");
    let found = one(connection, &sql, params![tenant.as_str(), scope, name, now_ms], |row| rows::answered(row, ids))?;
    let Some((fingerprint, id, revision)) = found else { return Ok(None) };
    let row = record::at(connection, ids, tenant, id, revision)?;
    Ok(row.map(|row| Answered { fingerprint, record: id, row }))
}
