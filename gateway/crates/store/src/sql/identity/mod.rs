//! Which records are one person or unit: facts, what was found, and what people decided.
//!
//! Every write begins with a fence: it counts up the version of the tenant's row, and who read an older one writes nothing. On PostgreSQL the
//! row is locked until the transaction ends, so two writes of a tenant take turns.

pub(crate) mod batch;
pub(crate) mod decide;
pub(crate) mod facts;
pub(crate) mod list;
pub(crate) mod load;
pub(crate) mod pending;
pub(crate) mod read;
pub(crate) mod settle;

use renmen_schema::id::TenantId;

use super::{Session, feed, moving, number, values};
use crate::rows::Columns;
use crate::{DigestKey, IdentityPass, IdentityStand, StoreError};

const STAND: &str =
    "SELECT version, followed, rules, pass_rules, pass_after, passed_ms, links, digest_key FROM identity_state
     WHERE tenant = $1";

fn stand_of(row: &dyn Columns) -> Result<(IdentityStand, DigestKey), StoreError> {
    let filled = |text: String| (!text.is_empty()).then_some(text);
    let after = row.int(4)?;
    let key = row.bytes(7)?.try_into();
    let key = key.map_err(|_| StoreError::Fault("the database holds a damaged key for digests".into()))?;
    let stand = IdentityStand {
        version: row.int(0)?,
        followed: row.int(1)?,
        rules: filled(row.text(2)?),
        pass: filled(row.text(3)?).map(|rules| IdentityPass { rules, after }),
        passed_ms: row.int_or_none(5)?,
        links: row.int(6)?.unsigned_abs(),
    };
    Ok((stand, DigestKey(key)))
}

pub(crate) async fn stand(
    session: &impl Session,
    tenant: &TenantId,
) -> Result<Option<(IdentityStand, DigestKey)>, StoreError> {
    session.one(STAND, values![tenant], stand_of).await
}

/// Makes the row of a tenant that has none, at the end of its feed.
pub(crate) async fn begin(session: &impl Session, tenant: &TenantId) -> Result<(IdentityStand, DigestKey), StoreError> {
    moving::refuse(session, tenant).await?;
    if let Some(found) = stand(session, tenant).await? {
        return Ok(found);
    }
    let head = feed::head(session, tenant).await?;
    let key: [u8; 32] = rand::random();
    let sql = "INSERT INTO identity_state (tenant, digest_key, version, followed, rules, pass_rules, pass_after, decisions, links)
               VALUES ($1, $2, 1, $3, '', '', 0, 0, 0) ON CONFLICT DO NOTHING";
    session.run(sql, values![tenant, &key, head]).await?;
    let vanished = || StoreError::Fault("the row of a tenant's identities vanished within its transaction".into());
    stand(session, tenant).await?.ok_or_else(vanished)
}

/// Counts the version up, if it is still this one; gives the next.
pub(super) async fn fence(session: &impl Session, tenant: &TenantId, version: i64) -> Result<i64, StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "UPDATE identity_state SET version = version + 1 WHERE tenant = $1 AND version = $2";
    if session.run(sql, values![tenant, version]).await? == 0 {
        return Err(fenced());
    }
    Ok(version + 1)
}

/// The same for a step of a pass, also when something else was written meanwhile.
async fn fence_pass(session: &impl Session, tenant: &TenantId, pass: &IdentityPass) -> Result<i64, StoreError> {
    moving::refuse(session, tenant).await?;
    let sql = "UPDATE identity_state SET version = version + 1 WHERE tenant = $1 AND pass_rules = $2 RETURNING version";
    number(session, sql, values![tenant, &pass.rules]).await?.ok_or_else(fenced)
}

fn fenced() -> StoreError {
    StoreError::Fenced("the identities of this tenant were written by another since they were read".into())
}

pub(crate) async fn begin_pass(
    session: &impl Session,
    tenant: &TenantId,
    version: i64,
    pass: &IdentityPass,
) -> Result<i64, StoreError> {
    let version = fence(session, tenant, version).await?;
    let sql = "UPDATE identity_state SET pass_rules = $2, pass_after = $3 WHERE tenant = $1";
    session.run(sql, values![tenant, &pass.rules, pass.after]).await?;
    Ok(version)
}

pub(crate) async fn end_pass(
    session: &impl Session,
    tenant: &TenantId,
    pass: &IdentityPass,
    rules: &str,
    now_ms: i64,
) -> Result<i64, StoreError> {
    let version = fence_pass(session, tenant, pass).await?;
    let sql = "UPDATE identity_state SET rules = $2, pass_rules = '', pass_after = 0, passed_ms = $3 WHERE tenant = $1";
    session.run(sql, values![tenant, rules, now_ms]).await?;
    Ok(version)
}
