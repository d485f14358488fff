//! Bodies of answers that exchanges share: one is kept once for a connection, and for as long as an exchange refers to it.
//!
//! Never for two connections: what a connection keeps is charged to its own quota, and nothing that one tenant received can tell another
//! that it was received. The commits of a tenant take turns, so two of them never put the same body in.

use std::collections::BTreeMap;

use futures_util::future::try_join_all;
use renmen_schema::id::{ConnectionName, TenantId};

use super::{Session, number, values};
use crate::retention::BodyHash;
use crate::{ExchangeWrite, StoreError, quota};

/// The shared bodies of a page's exchanges, each once, with how many exchanges refer to it.
fn shared(exchanges: &[ExchangeWrite]) -> BTreeMap<&BodyHash, (i64, &[u8])> {
    let mut bodies = BTreeMap::new();
    for exchange in exchanges {
        if let (_, Some(body)) = exchange.parts() {
            bodies.entry(&exchange.body_hash).or_insert((0, body)).0 += 1;
        }
    }
    bodies
}

/// Refers to the bodies of exchanges, and keeps those that are not there; gives the bytes of these.
pub(crate) async fn refer(
    session: &impl Session,
    (tenant, name): (&TenantId, &ConnectionName),
    exchanges: &[ExchangeWrite],
) -> Result<i64, StoreError> {
    let kept = shared(exchanges).into_iter().map(async |(hash, (refs, packed))| {
        // One that is known is not sent to the database again.
        let again = "UPDATE exchange_body SET refs = refs + $4 WHERE tenant = $1 AND connection = $2 AND hash = $3";
        if session.run(again, values![tenant, name, hash, refs]).await? > 0 {
            return Ok(0);
        }
        let first = "INSERT INTO exchange_body (tenant, connection, hash, refs, packed) VALUES ($1, $2, $3, $4, $5)";
        session.run(first, values![tenant, name, hash, refs, packed]).await?;
        Ok::<_, StoreError>(quota::body_bytes(packed.len()))
    });
    Ok(try_join_all(kept).await?.into_iter().sum())
}

/// Takes references away; gives the bytes of bodies that went with the last one.
pub(crate) async fn release(
    session: &impl Session,
    (tenant, name): (&TenantId, &ConnectionName),
    references: &BTreeMap<BodyHash, i64>,
) -> Result<i64, StoreError> {
    let freed = references.iter().map(async |(hash, refs)| {
        let fewer = "UPDATE exchange_body SET refs = refs - $4 WHERE tenant = $1 AND connection = $2 AND hash = $3";
        session.run(fewer, values![tenant, name, hash, *refs]).await?;
        let last = "DELETE FROM exchange_body WHERE tenant = $1 AND connection = $2 AND hash = $3 AND refs <= 0
                    RETURNING CAST(octet_length(packed) AS bigint)";
        let bytes = number(session, last, values![tenant, name, hash]).await?;
        Ok::<_, StoreError>(bytes.map_or(0, |bytes| quota::body_bytes(usize::try_from(bytes).unwrap_or(0))))
    });
    Ok(try_join_all(freed).await?.into_iter().sum())
}
