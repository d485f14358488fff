//! Who wrote a revision and why, and what repeated requests are answered with.

use async_trait::async_trait;
use deadpool_postgres::GenericClient;
use renmen_schema::id::{RecordId, TenantId};

use super::query::{all, one, run};
use super::{PostgresStore, record};
use crate::authored::Written;
use crate::identity::{self, IdKey};
use crate::rows::{self, ANSWERED_SELECT, SIGNATURE_SELECT};
use crate::{Answered, AuthoredCommit, OnceKey, SignStore, SignedRevision, StoreError, limits};

#[async_trait]
impl SignStore for PostgresStore {
    async fn signatures(&self, tenant: &TenantId, id: RecordId, limit: u32) -> Result<Vec<SignedRevision>, StoreError> {
        self.read(|c| async move { signatures(&c, &self.ids, tenant, id, limit).await }).await
    }

    async fn answered(&self, key: OnceKey<'_>, now_ms: i64) -> Result<Option<Answered>, StoreError> {
        self.read(|c| async move { answered(&c, &self.ids, key, now_ms).await }).await
    }
}

/// Keeps who wrote what this commit made, and what its request is answered with.
pub(super) async fn note(
    client: &impl GenericClient,
    commit: &AuthoredCommit,
    written: &[Written],
) -> Result<(), StoreError> {
    if let Some(by) = &commit.signed {
        for one in written.iter().filter(|one| one.fresh) {
            let sql =
                "INSERT INTO signature (record, revision, person, key, reason, at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
            run(client, sql, &[&one.row, &one.revision, &by.person, &by.key, &by.reason, &commit.now_ms]).await?;
        }
    }
    let (Some(once), Some(first)) = (&commit.once, written.first()) else { return Ok(()) };
    run(client, "DELETE FROM answered WHERE until_ms <= $1", &[&commit.now_ms]).await?;
    let sql = "INSERT INTO answered (tenant, scope, name, fingerprint, record, revision, until_ms)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let fingerprint = once.fingerprint.as_slice();
    let inserted = run(
        client,
        sql,
        &[&commit.tenant.as_str(), &once.scope, &once.name, &fingerprint, &first.row, &first.revision, &once.until_ms],
    )
    .await?;
    if inserted == 0 { Err(Written::answered_already()) } else { Ok(()) }
}

async fn signatures(
    client: &impl GenericClient,
    ids: &IdKey,
    tenant: &TenantId,
    id: RecordId,
    limit: u32,
) -> Result<Vec<SignedRevision>, StoreError> {
    let Some(row) = record::get(client, ids, tenant, id).await?.and_then(|_| identity::row_of(id)) else {
        return Ok(Vec::new());
    };
    let sql = format!("{SIGNATURE_SELECT} WHERE record = $1 ORDER BY revision DESC LIMIT $2");
    all(client, &sql, &[&row, &limits::list_limit(limit)]).await?.iter().map(rows::signature).collect()
}

async fn answered(
    client: &impl GenericClient,
    ids: &IdKey,
    key: OnceKey<'_>,
    now_ms: i64,
) -> Result<Option<Answered>, StoreError> {
    let sql = format!("{ANSWERED_SELECT} WHERE a.tenant = $1 AND a.scope = $2 AND a.name = $3 AND a.until_ms > $4");
    // No request has a name with a NUL, and the server refuses to be asked.
    if key.name.contains('\0') || key.scope.contains('\0') {
        return Ok(None);
    }
    let found = one(client, &sql, &[&key.tenant.as_str(), &key.scope, &key.name, &now_ms]).await?;
    let Some((fingerprint, id, revision)) = found.map(|row| rows::answered(&row, ids)).transpose()? else {
        return Ok(None);
    };
    let row = record::at(client, ids, key.tenant, id, revision).await?;
    Ok(row.map(|row| Answered { fingerprint, record: id, row }))
}
