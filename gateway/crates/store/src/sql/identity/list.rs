//! Lists: identities, proposals, conflicts, values that too many have.

use renmen_schema::id::TenantId;

use super::load::{CONFLICT, PROPOSAL, WORN, conflict, member, proposal, worn};
use crate::sql::{Session, values};
use crate::{ConflictRow, IdentityQuery, MemberRow, ProposalRow, StoreError, WornRow, limits};

/// Identity after identity, by its oldest record.
pub(crate) async fn identities(
    session: &impl Session,
    tenant: &TenantId,
    query: &IdentityQuery,
) -> Result<Vec<MemberRow>, StoreError> {
    let mut sql = "SELECT m.record, m.identity, m.kind, m.too_large, m.since_ms FROM identity_member m
                   WHERE m.tenant = $1 AND m.kind = $2 AND m.record = m.identity AND m.record > $3"
        .to_owned();
    let by = session.dialect().by_index("identity_member_identity");
    if query.connection.is_some() {
        sql.push_str(&format!(
            " AND EXISTS (SELECT 1 FROM identity_member n{by} JOIN record r ON r.id = n.record JOIN scope s ON s.id = r.scope
             WHERE n.tenant = $1 AND n.identity = m.identity AND s.connection = $5)"
        ));
    } else {
        sql.push_str(" AND CAST($5 AS text) IS NULL");
    }
    if query.members_min > 1 {
        sql.push_str(&format!(
            " AND (SELECT count(*) FROM identity_member n{by} WHERE n.tenant = $1 AND n.identity = m.identity) >= $6"
        ));
    } else {
        sql.push_str(" AND CAST($6 AS bigint) >= 0");
    }
    if query.unresolved {
        sql.push_str(
            " AND m.record IN (SELECT one FROM identity_proposal WHERE tenant = $1
             UNION SELECT other FROM identity_proposal WHERE tenant = $1
             UNION SELECT n.identity FROM identity_conflict c JOIN identity_member n ON n.tenant = c.tenant AND n.record IN (c.a, c.b)
             WHERE c.tenant = $1)",
        );
    }
    sql.push_str(" ORDER BY m.record LIMIT $4");
    let connection = query.connection.as_ref();
    let limit = limits::list_limit(query.limit);
    let values = values![tenant, query.kind, query.after, limit, connection, query.members_min];
    session.all(&sql, values, member).await
}

/// Of people, of units, or of both.
pub(crate) async fn proposals(
    session: &impl Session,
    tenant: &TenantId,
    kind: Option<i64>,
    after: (i64, i64),
    limit: u32,
) -> Result<Vec<ProposalRow>, StoreError> {
    let sql = format!(
        "{PROPOSAL} JOIN identity_member m ON m.tenant = p.tenant AND m.record = p.one
         WHERE p.tenant = $1 AND (p.one, p.other) > ($2, $3) AND (CAST($4 AS bigint) = 0 OR m.kind = $4)
         ORDER BY p.one, p.other LIMIT $5"
    );
    let limit = limits::list_limit(limit);
    session.all(&sql, values![tenant, after.0, after.1, kind.unwrap_or(0), limit], proposal).await
}

/// Of people, of units, or of both.
pub(crate) async fn conflicts(
    session: &impl Session,
    tenant: &TenantId,
    kind: Option<i64>,
    after: (i64, i64, i64),
    limit: u32,
) -> Result<Vec<ConflictRow>, StoreError> {
    let sql = format!(
        "{CONFLICT} JOIN identity_member m ON m.tenant = c.tenant AND m.record = c.a
         WHERE c.tenant = $1 AND (c.a, c.b, c.no) > ($2, $3, $4) AND (CAST($5 AS bigint) = 0 OR m.kind = $5)
         ORDER BY c.a, c.b, c.no LIMIT $6"
    );
    let limit = limits::list_limit(limit);
    session.all(&sql, values![tenant, after.0, after.1, after.2, kind.unwrap_or(0), limit], conflict).await
}

pub(crate) async fn worn_values(
    session: &impl Session,
    tenant: &TenantId,
    after: i64,
    limit: u32,
) -> Result<Vec<WornRow>, StoreError> {
    let sql = format!("{WORN} WHERE tenant = $1 AND digest > $2 ORDER BY digest LIMIT $3");
    session.all(&sql, values![tenant, after, limits::list_limit(limit)], worn).await
}

pub(crate) async fn forget_past(
    session: &impl Session,
    tenant: &TenantId,
    before_ms: i64,
    limit: u32,
) -> Result<u64, StoreError> {
    crate::sql::moving::refuse(session, tenant).await?;
    let sql = "DELETE FROM identity_past_link WHERE (tenant, a, b, until_ms) IN (SELECT tenant, a, b, until_ms
               FROM identity_past_link WHERE tenant = $1 AND until_ms < $2 LIMIT $3)";
    session.run(sql, values![tenant, before_ms, limit]).await
}
