//! Who wrote a revision and why, and what repeated requests are answered with.

use renmen_schema::id::{RecordId, TenantId};

use super::{Session, record, values};
use crate::authored::Written;
use crate::identity::IdKeys;
use crate::rows::{self, ANSWERED_SELECT, SIGNATURE_SELECT};
use crate::{Answered, AuthoredCommit, OnceKey, SignedRevision, StoreError, limits};

/// Keeps who wrote what this commit made, and what its request is answered with.
pub(super) async fn note(
    session: &impl Session,
    commit: &AuthoredCommit,
    written: &[Written],
) -> Result<(), StoreError> {
    if let Some(by) = &commit.signed {
        for one in written.iter().filter(|one| one.fresh) {
            let sql =
                "INSERT INTO signature (record, revision, person, key, reason, at_ms) VALUES ($1, $2, $3, $4, $5, $6)";
            let values = values![one.row, one.revision, &by.person, &by.key, &by.reason, commit.now_ms];
            session.run(sql, values).await?;
        }
    }
    let (Some(once), Some(first)) = (&commit.once, written.first()) else { return Ok(()) };
    // Of this tenant's alone: those of another may be written at the same time.
    let over = "DELETE FROM answered WHERE tenant = $1 AND until_ms <= $2";
    session.run(over, values![&commit.tenant, commit.now_ms]).await?;
    let sql = "INSERT INTO answered (tenant, scope, name, fingerprint, record, revision, until_ms)
               VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING";
    let (row, revision) = (first.row, first.revision);
    let values = values![&commit.tenant, &once.scope, &once.name, &once.fingerprint, row, revision, once.until_ms];
    if session.run(sql, values).await? == 0 { Err(Written::answered_already()) } else { Ok(()) }
}

pub(crate) async fn list(
    session: &impl Session,
    ids: &IdKeys,
    tenant: &TenantId,
    id: RecordId,
    limit: u32,
) -> Result<Vec<SignedRevision>, StoreError> {
    let Some(row) = record::row(session, ids, tenant, id).await? else { return Ok(Vec::new()) };
    let sql = format!("{SIGNATURE_SELECT} WHERE record = $1 ORDER BY revision DESC LIMIT $2");
    session.all(&sql, values![row, limits::list_limit(limit)], rows::signature).await
}

/// What a request was answered with before.
pub(crate) async fn answered(
    session: &impl Session,
    ids: &IdKeys,
    key: OnceKey<'_>,
    now_ms: i64,
) -> Result<Option<Answered>, StoreError> {
    // No request has a name with a NUL, and PostgreSQL refuses to be asked.
    if key.name.contains('\0') || key.scope.contains('\0') {
        return Ok(None);
    }
    let sql = format!("{ANSWERED_SELECT} WHERE a.tenant = $1 AND a.scope = $2 AND a.name = $3 AND a.until_ms > $4");
    let values = values![key.tenant, key.scope, key.name, now_ms];
    let found = session.one(&sql, values, |row| rows::answered(row, ids)).await?;
    let Some((fingerprint, id, revision)) = found else { return Ok(None) };
    let row = record::at(session, ids, key.tenant, id, revision).await?;
    Ok(row.map(|row| Answered { fingerprint, record: id, row }))
}
