//! What a settling asks for, and what is kept of the records that it settles.

use renmen_schema::id::TenantId;

use super::batch::of_numbers;
use super::decide;
use super::facts::{FACT, fact};
use crate::rows::{self, Columns};
use crate::sql::{Dialect, Session, together, values};
use crate::{
    ConflictRow, HolderRow, IdentityAsk, IdentityFound, IdentityKept, IdentityLink, MemberRow, ProposalRow, StoreError,
    WornRow,
};

pub(super) const MEMBER: &str = "SELECT record, identity, kind, too_large, since_ms FROM identity_member";

pub(super) fn member(row: &dyn Columns) -> Result<MemberRow, StoreError> {
    Ok(MemberRow {
        record: row.int(0)?,
        identity: row.int(1)?,
        kind: row.int(2)?,
        too_large: row.int(3)? == 1,
        since_ms: row.int(4)?,
    })
}

pub(crate) async fn found(
    session: &impl Session,
    tenant: &TenantId,
    ask: &IdentityAsk,
) -> Result<IdentityFound, StoreError> {
    let sql = format!("{FACT} WHERE tenant = $1 AND record IN ({{numbers}})");
    let facts = of_numbers(session, &sql, tenant, &ask.facts, fact).await?;
    let of = ask.holders.iter().map(|digest| holders(session, tenant, *digest, ask.most)).collect();
    let holders = together(of).await?.into_iter().flatten().collect();
    let decisions = decide::in_force(session, tenant, &ask.decisions).await?;
    let standing = members_of(session, tenant, &ask.standing).await?;
    let members = of_identities(session, tenant, &ask.members).await?;
    Ok(IdentityFound { facts, holders, decisions, standing, members })
}

/// The records of identities, the oldest first.
fn of_identities_sql(dialect: Dialect) -> String {
    let by = dialect.by_index("identity_member_identity");
    format!("{MEMBER}{by} WHERE tenant = $1 AND identity IN ({{numbers}}) ORDER BY record")
}

fn proposals_by_other(dialect: Dialect) -> String {
    let by = dialect.by_index("identity_proposal_other");
    format!("{PROPOSAL}{by} WHERE p.tenant = $1 AND p.other IN ({{numbers}})")
}

fn conflicts_by_b(dialect: Dialect) -> String {
    let by = dialect.by_index("identity_conflict_b");
    format!("{CONFLICT}{by} WHERE c.tenant = $1 AND c.b IN ({{numbers}})")
}

/// What is read by an index that is not the table's own, for the test of plans.
#[cfg(test)]
pub(crate) fn by_other_indexes(dialect: Dialect) -> Vec<String> {
    let all = [of_identities_sql(dialect), proposals_by_other(dialect), conflicts_by_b(dialect)];
    all.map(|sql| sql.replace("{numbers}", &dialect.numbers("$2"))).into()
}

pub(super) async fn of_identities(
    session: &impl Session,
    tenant: &TenantId,
    identities: &[i64],
) -> Result<Vec<MemberRow>, StoreError> {
    let sql = of_identities_sql(session.dialect());
    of_numbers(session, &sql, tenant, identities, member).await
}

async fn members_of(session: &impl Session, tenant: &TenantId, records: &[i64]) -> Result<Vec<MemberRow>, StoreError> {
    let sql = format!("{MEMBER} WHERE tenant = $1 AND record IN ({{numbers}}) ORDER BY record");
    of_numbers(session, &sql, tenant, records, member).await
}

/// A statement for each digest: of one that a hundred thousand have, no more rows than are asked for are read.
async fn holders(
    session: &impl Session,
    tenant: &TenantId,
    digest: i64,
    most: u32,
) -> Result<Vec<HolderRow>, StoreError> {
    let sql = "SELECT k.record, f.place, f.name FROM identity_key k JOIN identity_fact f ON f.tenant = k.tenant AND f.record = k.record
               WHERE k.tenant = $1 AND k.digest = $2 LIMIT $3";
    let holder =
        |row: &dyn Columns| Ok(HolderRow { digest, record: row.int(0)?, place: row.int(1)?, name: row.int(2)? });
    session.all(sql, values![tenant, digest, most], holder).await
}

const LINK: &str = "SELECT a, b, grounds, since_ms FROM identity_link";

pub(super) fn link(row: &dyn Columns) -> Result<IdentityLink, StoreError> {
    Ok(IdentityLink { a: row.int(0)?, b: row.int(1)?, grounds: row.bytes(2)?, since_ms: row.int(3)?, until_ms: None })
}

pub(super) const PROPOSAL: &str = "SELECT p.one, p.other, p.a, p.b, p.grounds, p.since_ms FROM identity_proposal p";

pub(super) fn proposal(row: &dyn Columns) -> Result<ProposalRow, StoreError> {
    Ok(ProposalRow {
        one: row.int(0)?,
        other: row.int(1)?,
        a: row.int(2)?,
        b: row.int(3)?,
        grounds: row.bytes(4)?,
        since_ms: row.int(5)?,
    })
}

pub(super) const CONFLICT: &str = "SELECT c.a, c.b, c.no, c.grounds, c.obstacle, c.since_ms FROM identity_conflict c";

pub(super) fn conflict(row: &dyn Columns) -> Result<ConflictRow, StoreError> {
    Ok(ConflictRow {
        a: row.int(0)?,
        b: row.int(1)?,
        no: row.int(2)?,
        grounds: row.bytes(3)?,
        obstacle: row.bytes(4)?,
        since_ms: row.int(5)?,
    })
}

pub(super) const WORN: &str = "SELECT digest, rule, holders, since_ms FROM identity_worn";

pub(super) fn worn(row: &dyn Columns) -> Result<WornRow, StoreError> {
    Ok(WornRow { digest: row.int(0)?, rule: row.text(1)?, holders: row.int(2)?, since_ms: row.int(3)? })
}

pub(crate) async fn kept(
    session: &impl Session,
    tenant: &TenantId,
    records: &[i64],
    digests: &[i64],
) -> Result<IdentityKept, StoreError> {
    let members = members_of(session, tenant, records).await?;
    let sql = format!("{LINK} WHERE tenant = $1 AND a IN ({{numbers}}) ORDER BY a, b");
    let links = of_numbers(session, &sql, tenant, records, link).await?;
    // Two look-ups, each by an index of its own.
    let sql = format!("{PROPOSAL} WHERE p.tenant = $1 AND p.one IN ({{numbers}})");
    let mut proposals = of_numbers(session, &sql, tenant, records, proposal).await?;
    let sql = proposals_by_other(session.dialect());
    proposals.extend(of_numbers(session, &sql, tenant, records, proposal).await?);
    proposals.sort_unstable();
    proposals.dedup();
    let sql = format!("{CONFLICT} WHERE c.tenant = $1 AND c.a IN ({{numbers}})");
    let mut conflicts = of_numbers(session, &sql, tenant, records, conflict).await?;
    let sql = conflicts_by_b(session.dialect());
    conflicts.extend(of_numbers(session, &sql, tenant, records, conflict).await?);
    conflicts.sort_unstable();
    conflicts.dedup();
    let sql = format!("{WORN} WHERE tenant = $1 AND digest IN ({{numbers}})");
    let worn = of_numbers(session, &sql, tenant, digests, worn).await?;
    Ok(IdentityKept { members, links, proposals, conflicts, worn })
}

pub(crate) async fn past(
    session: &impl Session,
    tenant: &TenantId,
    records: &[i64],
    limit: u32,
) -> Result<Vec<IdentityLink>, StoreError> {
    const PAST: &str = "SELECT a, b, grounds, since_ms, until_ms FROM identity_past_link";
    let read = |row: &dyn Columns| Ok(IdentityLink { until_ms: Some(row.int(4)?), ..link(row)? });
    let sql = format!("{PAST} WHERE tenant = $1 AND a IN ({{numbers}})");
    let mut found = of_numbers(session, &sql, tenant, records, read).await?;
    let by = session.dialect().by_index("identity_past_link_b");
    let sql = format!("{PAST}{by} WHERE tenant = $1 AND b IN ({{numbers}})");
    found.extend(of_numbers(session, &sql, tenant, records, read).await?);
    found.sort_unstable_by_key(|link| (-link.until_ms.unwrap_or(0), link.a, link.b));
    found.dedup();
    found.truncate(limit as usize);
    Ok(found)
}

pub(crate) async fn counts(session: &impl Session, tenant: &TenantId) -> Result<crate::IdentityCounts, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM identity_proposal WHERE tenant = $1),
                      (SELECT count(*) FROM identity_conflict WHERE tenant = $1),
                      (SELECT count(*) FROM identity_worn WHERE tenant = $1),
                      (SELECT count(*) FROM identity_pending WHERE tenant = $1 AND rule = -1),
                      (SELECT min(since_ms) FROM identity_pending WHERE tenant = $1)";
    let read = |row: &dyn Columns| {
        Ok(crate::IdentityCounts {
            proposals: rows::count(row, 0)?,
            conflicts: rows::count(row, 1)?,
            worn: rows::count(row, 2)?,
            pending: rows::count(row, 3)?,
            pending_since_ms: row.int_or_none(4)?,
        })
    };
    Ok(session.one(sql, values![tenant], read).await?.unwrap_or_default())
}
